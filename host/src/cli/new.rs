//! `remit new agent NAME` and `remit new connector NAME`: a project that builds as it is, without a checkout of Remit.

mod agent;
mod connector;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::args::NewPlugin;
use super::embedded;
use super::exit::Exit;
use super::report::{self, Failure, OrFail as _, Result};
use crate::manifest::{self, Name};

/// Names that are good for a plugin and not for a crate: keywords, crates that Rust or the project itself brings, and
/// what Windows does not let a folder be called.
const NOT_FOR_CRATES: &str = "
    abstract alloc as async aux await become box break con const continue core crate do dyn else enum extern false
    final fn for gen if impl in let loop macro match mod move mut nul override priv prn proc-macro pub ref remit-sdk
    return self serde serde-derive serde-json static std struct super test trait true try type typeof unsafe unsized
    use virtual where while wit-bindgen yield
";

/// A project before it is written: its files with their texts, and what to type next.
struct Project {
    kind: &'static str,
    files: Vec<(String, String)>,
    next: Vec<String>,
}

/// Writes an agent and says what to do next.
pub(super) fn agent(args: &NewPlugin) -> Result {
    write(args, "agent", agent::project)
}

/// Writes a connector and says what to do next.
pub(super) fn connector(args: &NewPlugin) -> Result {
    write(args, "connector", connector::project)
}

fn write(args: &NewPlugin, kind: &str, project: impl FnOnce(&Name, &Path) -> Result<Project>) -> Result {
    let name = crate_name(&args.name, kind)?;
    let folder = args.path.clone().unwrap_or_else(|| PathBuf::from(name.as_str()));
    let shown = folder.display();
    let project = project(&name, &folder)?;
    claim(&folder)?;
    write_files(&folder, &project.files).or_fail(Exit::HostFailed, format!("cannot write the project in {shown}"))?;
    embedded::refresh(&folder).or_fail(Exit::HostFailed, format!("cannot write the SDK in {shown}"))?;
    report::note(format_args!("wrote {} {name} in {shown}. Next:", project.kind));
    project.next.iter().for_each(|line| report::note(format_args!("  {line}")));
    Ok(Exit::Ok)
}

/// Checks that a name is one for a plugin and for a crate.
fn crate_name(text: &str, kind: &str) -> Result<Name> {
    let name: Name = text
        .parse()
        .map_err(|wrong: manifest::Malformed| bad_name(text, kind, format!("expected {}", wrong.expected)))?;
    if NOT_FOR_CRATES.split_whitespace().any(|taken| taken == text) {
        let failure = bad_name(text, kind, "Rust or the system keeps it for itself");
        return Err(failure.hint(format!("try {text}-{kind}")));
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        let failure = bad_name(text, kind, "a crate's name does not begin with a digit");
        return Err(failure.hint(format!("try {kind}-{text}")));
    }
    Ok(name)
}

fn bad_name(text: &str, kind: &str, reason: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Usage, format!("{text:?} cannot be the name of the {kind}: {reason}"))
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

fn write_files(folder: &Path, files: &[(String, String)]) -> io::Result<()> {
    for (path, text) in files {
        let path = folder.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text)?;
    }
    Ok(())
}

/// Returns the crate's manifest; `dependencies` are the lines beside the SDK.
fn cargo_manifest(name: &Name, dependencies: &str) -> String {
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
{dependencies}
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

/// Returns what version control leaves out.
fn git_ignore(name: &Name) -> String {
    format!("/target\n/{}\n/{name}.wasm\n", embedded::FOLDER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;

    fn arguments(name: &str, path: &Path) -> NewPlugin {
        NewPlugin { name: name.to_owned(), path: Some(path.to_owned()) }
    }

    #[test]
    fn a_project_has_a_good_manifest_and_is_written_once() {
        let parent = tempfile::tempdir().unwrap();
        for (write, kind) in [(agent as fn(&NewPlugin) -> Result, "agent"), (connector, "connector")] {
            let project = parent.path().join("deep").join(kind);
            write(&arguments("greeter", &project)).unwrap();
            let text = fs::read_to_string(project.join("remit.toml")).unwrap();
            let manifest = Manifest::parse("remit.toml", &text).unwrap();
            assert_eq!((manifest.name.as_str(), manifest.component.as_str()), ("greeter", "greeter.wasm"));
            assert_eq!(manifest.kind.word(), kind);
            let cargo: toml::Table = fs::read_to_string(project.join("Cargo.toml")).unwrap().parse().unwrap();
            assert!(cargo.contains_key("workspace"));
            assert!(project.join(".remit/sdk/Cargo.toml").is_file() && project.join(".remit/wit/world.wit").is_file());
            let again = write(&arguments("greeter", &project)).unwrap_err();
            assert_eq!(again.exit(), Exit::Usage);
        }
    }

    #[test]
    fn an_empty_folder_will_do_and_a_file_will_not() {
        let parent = tempfile::tempdir().unwrap();
        assert!(agent(&arguments("a", parent.path())).is_ok());
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(agent(&arguments("a", &file)).unwrap_err().exit(), Exit::Usage);
    }

    #[test]
    fn bad_names_write_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let project = parent.path().join("p");
        for name in ["", "-a", "A", "a b", "../a", "fn", "std", "serde", "remit-sdk", "0x", "con"] {
            assert_eq!(agent(&arguments(name, &project)).unwrap_err().exit(), Exit::Usage, "{name}");
            assert_eq!(connector(&arguments(name, &project)).unwrap_err().exit(), Exit::Usage, "{name}");
        }
        assert!(!project.exists());
    }
}
