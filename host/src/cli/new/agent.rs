//! The files of a new agent.

use std::path::Path;

use super::Project;
use crate::cli::embedded;
use crate::cli::report::Result;
use crate::manifest::{self, Name};

/// Returns the project for this name; `folder` is where it will be.
pub(super) fn project(name: &Name, folder: &Path) -> Result<Project> {
    let shown = folder.display();
    Ok(Project {
        kind: "agent",
        files: vec![
            (
                "Cargo.toml".into(),
                super::cargo_manifest(name, "serde = { version = \"1\", features = [\"derive\"] }\n"),
            ),
            ("src/lib.rs".into(), embedded::HELLO.into()),
            (manifest::FILE_NAME.into(), manifest(name)),
            (".gitignore".into(), super::git_ignore(name)),
            ("README.md".into(), readme(name)),
        ],
        next: vec![format!("remit build {shown}"), format!("remit run {shown} --input '{{\"name\": \"Ada\"}}'")],
    })
}

fn manifest(name: &Name) -> String {
    format!(
        r#"[plugin]
name = "{name}"
version = "0.1.0"
kind = "agent"
description = "Greets whoever its input names"

# What the agent needs, each with a reason that its operator reads before granting it:
#
# [capabilities.files.notes]
# mount = "/notes"
# access = "read"
# why = "reads the notes it summarises"
"#
    )
}

fn readme(name: &Name) -> String {
    format!(
        "# {name}\n\nAn agent for Remit. Build it with `remit build`, run it with `remit run . --input '{{\"name\": \"Ada\"}}'`.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;

    #[test]
    fn the_commented_request_is_a_good_one() {
        let text = manifest(&"x".parse().unwrap()).replace("# [", "[").replace("# mount", "mount");
        let text = text.replace("# access", "access").replace("# why", "why");
        let manifest = Manifest::parse("remit.toml", &text).unwrap();
        assert_eq!(manifest.request().files.len(), 1);
    }
}
