//! The files of a new connector: those of the smallest one, under the new name.

use std::path::Path;

use wit_parser::Resolve;

use super::Project;
use crate::cli::embedded;
use crate::cli::report::Result;
use crate::manifest::{self, Interface, Name};

/// Where the example's source and WIT say what they are called.
const PACKAGE: &str = "package local:greetings@";
const PATH: &str = "exports::local::greetings::";
const WIT_FILE: &str = "wit/greetings.wit";

/// Returns the project for this name; `folder` is where it will be.
///
/// # Errors
/// The name cannot be that of a WIT package.
pub(super) fn project(name: &Name, folder: &Path) -> Result<Project> {
    let shown = folder.display();
    let wit_file = format!("wit/{name}.wit");
    let wit = embedded::GREETINGS_WIT.replace(PACKAGE, &format!("package local:{name}@"));
    check_package(name, &wit)?;
    let path = format!("exports::local::{}::", name.as_str().replace('-', "_"));
    let source = embedded::GREETINGS.replace(PATH, &path).replace(WIT_FILE, &wit_file);
    Ok(Project {
        kind: "connector",
        files: vec![
            ("Cargo.toml".into(), super::cargo_manifest(name, "")),
            ("src/lib.rs".into(), source),
            (wit_file, wit),
            (manifest::FILE_NAME.into(), manifest(name)),
            (".gitignore".into(), super::git_ignore(name)),
            ("README.md".into(), readme(name)),
        ],
        next: vec![
            format!("cargo test --manifest-path {}", folder.join("Cargo.toml").display()),
            format!("remit build {shown}"),
            format!("remit install {shown}"),
        ],
    })
}

/// WIT has keywords too, and a manifest that requests the interface wants each part of a name to begin with a letter.
fn check_package(name: &Name, wit: &str) -> Result<()> {
    let is_package = Resolve::default().push_str("new.wit", wit).is_ok();
    if is_package && format!("local:{name}/greetings@0.1.0").parse::<Interface>().is_ok() {
        return Ok(());
    }
    let failure = super::bad_name(name.as_str(), "connector", "it is no name for a WIT package");
    Err(failure.hint(format!("try {name}-connector; after each - comes a letter")))
}

fn manifest(name: &Name) -> String {
    format!(
        r#"[plugin]
name = "{name}"
version = "0.1.0"
kind = "connector"
description = "Greets in an interface that agents call"

# What the connector itself needs, each with a reason that its operator reads before granting it. Its callers need
# nothing of this.
#
# [capabilities.kv]
# prefixes = ["greeted/"]
# access = "read-write"
# why = "whom it has greeted before"
"#
    )
}

fn readme(name: &Name) -> String {
    format!(
        "# {name}\n\nA connector for Remit. `wit/{name}.wit` says what it offers, and `src/lib.rs` does it.\n\n\
         Test it with `cargo test`, build it with `remit build`, install it with `remit install .`. An agent asks for it \
         in its remit.toml:\n\n```toml\n[capabilities.connectors.\"local:{name}/greetings@0.1.0\"]\n\
         why = \"greets people\"\n```\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;

    fn made(name: &str) -> Result<Project> {
        project(&name.parse().unwrap(), Path::new("p"))
    }

    fn text<'a>(project: &'a Project, path: &str) -> &'a str {
        project.files.iter().find(|(file, _)| file == path).map(|(_, text)| text.as_str()).unwrap()
    }

    #[test]
    fn source_and_wit_have_the_new_name() {
        let project = made("my-tool").unwrap();
        assert!(text(&project, "wit/my-tool.wit").contains("package local:my-tool@0.1.0;"));
        let source = text(&project, "src/lib.rs");
        assert!(source.contains("use exports::local::my_tool::greetings::{"), "{source}");
        assert!(source.contains("`wit/my-tool.wit`"), "{source}");
        assert!(text(&project, "README.md").contains("local:my-tool/greetings@0.1.0"));
    }

    #[test]
    fn the_commented_request_is_a_good_one() {
        let project = made("x").unwrap();
        let (before, commented) = text(&project, "remit.toml").split_once("#\n").unwrap();
        let manifest = Manifest::parse("remit.toml", &format!("{before}{}", commented.replace("# ", ""))).unwrap();
        assert!(manifest.request().kv.is_some());
    }

    #[test]
    fn a_name_that_wit_does_not_take_is_refused() {
        for name in ["list", "interface", "a-1"] {
            let failure = made(name).err().map(|failure| failure.to_string()).unwrap_or_default();
            assert!(failure.contains("no name for a WIT package"), "{name}: {failure}");
        }
    }
}
