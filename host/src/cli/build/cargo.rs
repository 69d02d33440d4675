//! Building a Rust plugin: the checks that make cargo's failures understandable, cargo, and what it made.

use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use serde::Deserialize;

use crate::cli::exit::Exit;
use crate::cli::plugin::Declared;
use crate::cli::report::{self, Failure, OrFail as _, Result};

const TARGET: &str = "wasm32-wasip2";

/// Builds the crate in the plugin's folder and returns the component that came out.
pub(super) fn build(declared: &Declared) -> Result<PathBuf> {
    let cargo_toml = declared.folder.join("Cargo.toml");
    if !cargo_toml.is_file() {
        let message =
            format!("nothing to build in {}: no Cargo.toml, and no [build] command", declared.folder.display());
        let hint = "add to remit.toml, for example: [build] command = [\"make\", \"plugin.wasm\"]";
        return Err(Failure::new(Exit::PluginUnfit, message).hint(hint));
    }
    require_cargo(&declared.folder)?;
    require_target(&declared.folder)?;
    let artifacts = run_cargo(&declared.folder)?;
    choose(artifacts, &cargo_toml, declared.manifest.name.as_str())
}

/// Returns a command of the Rust toolchain that holds in `folder`.
fn tool(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    command
}

fn require_cargo(folder: &Path) -> Result<()> {
    match tool("cargo", folder).arg("--version").output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(Failure::new(Exit::HostFailed, format!("cargo does not work: {}", said.trim())))
        }
        Err(error) => {
            let failure = Failure::from_error(Exit::HostFailed, error).context("cannot start cargo");
            Err(failure.hint("install Rust: https://rustup.rs"))
        }
    }
}

/// Makes sure that the toolchain builds for [`TARGET`]; has rustup install it where it does not.
fn require_target(folder: &Path) -> Result<()> {
    if has_target(folder) {
        return Ok(());
    }
    report::note(format_args!("installing the Rust target {TARGET}"));
    let installed = tool("rustup", folder).args(["target", "add", TARGET]).stdout(io::stderr()).status();
    if installed.is_ok_and(|status| status.success()) && has_target(folder) {
        return Ok(());
    }
    let failure = Failure::new(Exit::HostFailed, format!("this Rust toolchain cannot build for {TARGET}"));
    Err(failure.hint(format!("rustup target add {TARGET}; without rustup, your system's package for this target")))
}

fn has_target(folder: &Path) -> bool {
    let output = tool("rustc", folder).args(["--print", "target-libdir", "--target", TARGET]).output();
    let Ok(output) = output else { return false };
    let libdir = String::from_utf8_lossy(&output.stdout);
    // Listing the folder also tells an installed target from one whose folder was left behind empty.
    output.status.success() && fs::read_dir(libdir.trim()).is_ok_and(|mut entries| entries.next().is_some())
}

/// One line of cargo's `--message-format=json`. Lines of other reasons have none of these.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// Runs cargo, which shows its progress on stderr, and returns what it says it made.
fn run_cargo(folder: &Path) -> Result<Vec<Message>> {
    let mut command = tool("cargo", folder);
    command.args(["build", "--release", "--target", TARGET, "--message-format=json-render-diagnostics"]);
    let (artifacts, status) = listen(&mut command).or_fail(Exit::HostFailed, "cannot run cargo")?;
    if status.success() {
        return Ok(artifacts);
    }
    Err(Failure::new(Exit::PluginUnfit, format!("cargo could not build {}", folder.display())))
}

fn listen(command: &mut Command) -> io::Result<(Vec<Message>, ExitStatus)> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut artifacts = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            // A build script or a wrapper may write lines of its own.
            let Ok(message) = serde_json::from_str::<Message>(&line?) else { continue };
            if message.reason == "compiler-artifact" {
                artifacts.push(message);
            }
        }
    }
    Ok((artifacts, child.wait()?))
}

/// Returns the crate's only component, or among several the one called like the plugin.
fn choose(artifacts: Vec<Message>, cargo_toml: &Path, name: &str) -> Result<PathBuf> {
    let own = artifacts.into_iter().filter(|artifact| artifact.manifest_path == cargo_toml);
    let is_wasm = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "wasm");
    let mut made: Vec<PathBuf> = own.flat_map(|artifact| artifact.filenames).filter(is_wasm).collect();
    let stem = |path: &PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().replace('_', "-"));
    if made.len() > 1 {
        made.retain(|path| stem(path).as_deref() == Some(name));
    }
    match made.pop() {
        Some(path) => Ok(path),
        None => {
            let failure = Failure::new(Exit::PluginUnfit, format!("cargo built no component called {name}"));
            Err(failure.hint("an agent needs crate-type = [\"cdylib\"] under [lib]; a command needs a main function"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(manifest_path: &str, filenames: &[&str]) -> Message {
        let filenames = filenames.iter().map(PathBuf::from).collect();
        Message { reason: "compiler-artifact".into(), manifest_path: manifest_path.into(), filenames }
    }

    #[test]
    fn the_component_is_the_crates_own() {
        let own = "/p/Cargo.toml";
        let sdk = || made("/p/.remit/sdk/Cargo.toml", &["/t/remit_sdk.wasm"]);
        let cases: [(Vec<Message>, Option<&str>); 5] = [
            (vec![sdk(), made(own, &["/t/other.wasm"])], Some("/t/other.wasm")),
            (vec![made(own, &["/t/a.wasm"]), made(own, &["/t/my_tool.wasm"])], Some("/t/my_tool.wasm")),
            (vec![made(own, &["/t/a.wasm"]), made(own, &["/t/b.wasm"])], None),
            (vec![made(own, &["/t/libx.rlib"])], None),
            (vec![sdk()], None),
        ];
        for (artifacts, expected) in cases {
            let chosen = choose(artifacts, Path::new(own), "my-tool").ok();
            assert_eq!(chosen.as_deref(), expected.map(Path::new));
        }
    }
}
