//! `remit new agent NAME`: a project that builds and runs as it is, without a checkout of Remit.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::args::NewAgent;
use super::embedded;
use super::exit::Exit;
use super::report::{self, Failure, OrFail as _, Result};
use crate::manifest::Name;

/// Names that are good for a plugin and not for a crate: keywords, crates that Rust or the project itself brings, and
/// what Windows does not let a folder be called.
const NOT_FOR_CRATES: &str = "
    abstract alloc as async aux await become box break con const continue core crate do dyn else enum extern false
    final fn for gen if impl in let loop macro match mod move mut nul override priv prn proc-macro pub ref remit-sdk
    return self serde serde-derive serde-json static std struct super test trait true try type typeof unsafe unsized
    use virtual where while wit-bindgen yield
";

/// Writes the project and says what to do next.
pub(super) fn agent(args: &NewAgent) -> Result {
    let name = crate_name(&args.name)?;
    let folder = args.path.clone().unwrap_or_else(|| PathBuf::from(name.as_str()));
    let shown = folder.display();
    claim(&folder)?;
    write_project(&folder, &name).or_fail(Exit::HostFailed, format!("cannot write the project in {shown}"))?;
    embedded::refresh(&folder).or_fail(Exit::HostFailed, format!("cannot write the SDK in {shown}"))?;
    report::note(format_args!("wrote agent {name} in {shown}. Next:"));
    report::note(format_args!("  remit build {shown}"));
    report::note(format_args!("  remit run {shown} --input '{{\"name\": \"Ada\"}}'"));
    Ok(Exit::Ok)
}

/// Checks that a name is one for a plugin and for a crate.
fn crate_name(text: &str) -> Result<Name> {
    let bad = |reason: String| Failure::new(Exit::Usage, format!("{text:?} cannot be an agent's name: {reason}"));
    let name: Name =
        text.parse().map_err(|wrong: crate::manifest::Malformed| bad(format!("expected {}", wrong.expected)))?;
    if NOT_FOR_CRATES.split_whitespace().any(|taken| taken == text) {
        return Err(bad("Rust or the system keeps it for itself".to_owned()).hint(format!("try {text}-agent")));
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(bad("a crate's name does not begin with a digit".to_owned()).hint(format!("try agent-{text}")));
    }
    Ok(name)
}

/// Makes the folder, or takes it when it is empty.
fn claim(folder: &Path) -> Result<()> {
    let shown = folder.display();
    match fs::read_dir(folder) {
        Ok(mut entries) => {
            if entries.next().is_none() {
                return Ok(());
            }
            let failure = Failure::new(Exit::Usage, format!("folder {shown} is not empty"));
            Err(failure.hint("choose another name, or another folder with --path DIR"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder).or_fail(Exit::HostFailed, format!("cannot make folder {shown}"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Err(Failure::new(Exit::Usage, format!("{shown} is there and is not a folder")))
        }
        Err(error) => Err(error).or_fail(Exit::HostFailed, format!("cannot open folder {shown}")),
    }
}

fn write_project(folder: &Path, name: &Name) -> io::Result<()> {
    fs::create_dir(folder.join("src"))?;
    for (path, text) in [
        ("Cargo.toml", cargo_manifest(name)),
        ("src/lib.rs", embedded::HELLO.to_owned()),
        (crate::manifest::FILE_NAME, manifest(name)),
        (".gitignore", format!("/target\n/{}\n/{name}.wasm\n", embedded::FOLDER)),
        ("README.md", readme(name)),
    ] {
        fs::write(folder.join(path), text)?;
    }
    Ok(())
}

fn cargo_manifest(name: &Name) -> String {
    format!(
        r#"[package]
name = "{name}"
version = "0.1.0"
edition = "2024"
publish = false

[lib]
crate-type = ["cdylib"]

[dependencies]
# Unpacked and kept up to date by `remit build`.
remit-sdk = {{ path = "{folder}/sdk" }}
serde = {{ version = "1", features = ["derive"] }}

# Small components: they are loaded, hashed and shipped.
[profile.release]
opt-level = "s"
lto = "fat"
codegen-units = 1

# A workspace of its own, so that it also builds inside another one's folder.
[workspace]
"#,
        folder = embedded::FOLDER
    )
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

    fn new_agent(name: &str, path: &Path) -> Result {
        agent(&NewAgent { name: name.to_owned(), path: Some(path.to_owned()) })
    }

    #[test]
    fn a_project_has_a_good_manifest_and_is_written_once() {
        let parent = tempfile::tempdir().unwrap();
        let project = parent.path().join("deep/greeter");
        new_agent("greeter", &project).unwrap();
        let manifest = Manifest::parse("remit.toml", &fs::read_to_string(project.join("remit.toml")).unwrap()).unwrap();
        assert_eq!((manifest.name.as_str(), manifest.component.as_str()), ("greeter", "greeter.wasm"));
        let cargo: toml::Table = fs::read_to_string(project.join("Cargo.toml")).unwrap().parse().unwrap();
        assert!(cargo.contains_key("workspace"));
        assert!(project.join(".remit/sdk/Cargo.toml").is_file() && project.join(".remit/wit/world.wit").is_file());
        let again = new_agent("greeter", &project).unwrap_err();
        assert_eq!(again.exit(), Exit::Usage);
    }

    #[test]
    fn the_commented_request_is_a_good_one() {
        let text = manifest(&"x".parse().unwrap()).replace("# [", "[").replace("# mount", "mount");
        let text = text.replace("# access", "access").replace("# why", "why");
        let manifest = Manifest::parse("remit.toml", &text).unwrap();
        assert_eq!(manifest.request().files.len(), 1);
    }

    #[test]
    fn an_empty_folder_will_do_and_a_file_will_not() {
        let parent = tempfile::tempdir().unwrap();
        assert!(new_agent("a", parent.path()).is_ok());
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(new_agent("a", &file).unwrap_err().exit(), Exit::Usage);
    }

    #[test]
    fn bad_names_write_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let project = parent.path().join("p");
        for name in ["", "-a", "A", "a b", "../a", "fn", "std", "serde", "remit-sdk", "0x", "con"] {
            assert_eq!(new_agent(name, &project).unwrap_err().exit(), Exit::Usage, "{name}");
        }
        assert!(!project.exists());
    }
}
