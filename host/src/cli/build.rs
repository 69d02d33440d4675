//! `remit build [PLUGIN]`: from source to the component that the manifest names, replaced in one step.

mod cargo;
mod connectors;
mod exports;
mod wit;

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Shell;
use super::args::Build;
use super::embedded;
use super::exit::Exit;
use super::plugin::{Declared, read_component};
use super::report::{self, Failure, OrFail as _, Result};
use crate::digest::Digest;
use crate::manifest::{Kind, quantity};

/// How every component begins: the magic number, then version and layer. A core module's layer is 0.
const COMPONENT_START: &[u8] = b"\0asm\x0d\0\x01\0";

/// Builds the plugin and prints the component's path, size and digest.
pub(super) fn build(shell: &Shell, args: &Build) -> Result {
    let declared = Declared::read(&args.plugin)?;
    connectors::write(shell, args, &declared)?;
    refresh_sdk(&declared.folder)?;
    match &declared.manifest.build {
        Some(command) => run_command(command, &declared)?,
        None => {
            let artifact = cargo::build(&declared)?;
            check(&artifact, &declared)?;
            replace(&artifact, &declared.component_path())?;
        }
    }
    let path = declared.component_path();
    let bytes = match declared.manifest.build {
        Some(_) => check(&path, &declared)?,
        None => check_component(&path)?,
    };
    let (size, digest) = (quantity::bytes(bytes.len() as u64), Digest::of(&bytes));
    report::print(format_args!("{}  {size}  sha256:{digest}\n", path.display()))?;
    Ok(Exit::Ok)
}

/// Gives a project of `remit new` the SDK of this binary. Any other project has its own.
fn refresh_sdk(folder: &Path) -> Result<()> {
    let cargo_toml = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    if !cargo_toml.contains(&format!("{}/sdk", embedded::FOLDER)) {
        return Ok(());
    }
    let refreshed = embedded::refresh(folder);
    let refreshed = refreshed.or_fail(Exit::HostFailed, format!("cannot write the SDK in {}", folder.display()))?;
    if refreshed {
        report::note(format_args!("wrote the SDK of remit {}", env!("CARGO_PKG_VERSION")));
    }
    Ok(())
}

/// Runs the manifest's own command in the plugin's folder. What it prints goes to stderr.
fn run_command(command: &[String], declared: &Declared) -> Result<()> {
    let [program, arguments @ ..] = command else {
        return Err(Failure::new(Exit::PluginUnfit, "the manifest's build command is empty"));
    };
    let mut child = Command::new(program);
    child.args(arguments).current_dir(&declared.folder).stdin(Stdio::null()).stdout(io::stderr());
    let status = child.status().or_fail(Exit::PluginUnfit, format!("cannot start the build command `{program}`"))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(Exit::PluginUnfit, format!("the build command `{program}` failed: {status}")))
}

/// Reads what was built and checks that it is a component, and a connector's one that others can call.
fn check(path: &Path, declared: &Declared) -> Result<Vec<u8>> {
    let bytes = check_component(path)?;
    if declared.manifest.kind == Kind::Connector {
        let interfaces = exports::check(&bytes).map_err(|failure| failure.context(path.display()))?;
        interfaces.iter().for_each(|interface| report::note(format_args!("exports {interface}")));
    }
    Ok(bytes)
}

/// Reads what was built and checks that it is a component.
fn check_component(path: &Path) -> Result<Vec<u8>> {
    let bytes = read_component(path, "the build must put it where the manifest's `component` says")?;
    if bytes.starts_with(COMPONENT_START) {
        return Ok(bytes);
    }
    let failure = Failure::new(Exit::PluginUnfit, format!("{} is not a WebAssembly component", path.display()));
    Err(failure.hint("build for wasm32-wasip2"))
}

/// Copies `artifact` to `component` so that whoever opens it sees the old or the new one, and never a part.
fn replace(artifact: &Path, component: &Path) -> Result<()> {
    copy_in_one_step(artifact, component).or_fail(Exit::HostFailed, format!("cannot write {}", component.display()))
}

fn copy_in_one_step(from: &Path, to: &Path) -> io::Result<()> {
    let folder = to.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    // Readable as any other build product; the process's mask still applies.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.prefix(".component-").tempfile_in(folder)?;
    io::copy(&mut fs::File::open(from)?, &mut file)?;
    file.as_file().sync_all()?;
    file.persist(to).map(drop).map_err(|error| error.error)
}

#[cfg(all(test, unix))]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn plugin(build: &str, files: &[(&str, &[u8])]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let manifest = format!("[plugin]\nname = \"x\"\nversion = \"0.1.0\"\nkind = \"command\"\n{build}");
        fs::write(folder.path().join("remit.toml"), manifest).unwrap();
        files.iter().for_each(|(name, bytes)| fs::write(folder.path().join(name), bytes).unwrap());
        let path = folder.path().to_owned();
        (folder, path)
    }

    fn built(folder: &Path) -> Result {
        let shell = Shell::at(&folder.join("home"));
        build(&shell, &Build { plugin: folder.to_owned(), connectors: Vec::new() })
    }

    #[test]
    fn the_manifests_command_builds_in_the_plugins_folder() {
        let command = "[build]\ncommand = [\"cp\", \"made\", \"x.wasm\"]\n";
        let (_guard, folder) = plugin(command, &[("made", COMPONENT_START)]);
        assert_eq!(built(&folder).unwrap(), Exit::Ok);
        assert_eq!(fs::read(folder.join("x.wasm")).unwrap(), COMPONENT_START);
    }

    #[test]
    fn what_fails_or_makes_no_component_is_refused() {
        for (build, made, part) in [
            ("[build]\ncommand = [\"false\"]\n", &b""[..], "the build command `false` failed"),
            ("[build]\ncommand = [\"/no/such/program\"]\n", b"", "cannot start the build command"),
            ("[build]\ncommand = [\"true\"]\n", b"", "there is no component at"),
            ("[build]\ncommand = [\"cp\", \"made\", \"x.wasm\"]\n", b"\0asm\x01\0\0\0", "not a WebAssembly component"),
            ("", b"", "no Cargo.toml"),
        ] {
            let (_guard, folder) = plugin(build, &[("made", made)]);
            let failure = built(&folder).unwrap_err();
            assert_eq!(failure.exit(), Exit::PluginUnfit);
            assert!(failure.to_string().contains(part), "{failure}");
        }
    }
}
