//! Running other programs: where, how they are shown, and what their failure says.

use std::env;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Returns the repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the repository")
}

/// Returns the folder that cargo builds into: the one this program was built into.
pub fn target_dir() -> Result<PathBuf> {
    let program = env::current_exe().context("cannot tell where this program lies")?;
    let dir = program.parent().and_then(Path::parent);
    dir.map(Path::to_owned).with_context(|| format!("{} does not lie in a target folder", program.display()))
}

/// Returns the cargo that runs us, about to work in `dir`, a folder of the repository.
pub fn cargo<const N: usize>(dir: &str, args: [&str; N]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root().join(dir)).args(args);
    command
}

/// Runs the command to its end, its output going where ours goes.
///
/// Fails when it cannot be started or ends in anything but success.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} failed: {status}", shown(command));
    }
    Ok(())
}

/// Prints a heading for what comes next.
pub fn heading(text: &str) {
    eprintln!("\n== {text}");
}

/// Returns the command as a person would type it.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    // Cargo is called by its full path, which nobody would type.
    let name = if program.file_stem().is_some_and(|stem| stem == "cargo") { Path::new("cargo") } else { program };
    let mut line = quoted(&name.to_string_lossy());
    for arg in command.get_args() {
        let _ = write!(line, " {}", quoted(&arg.to_string_lossy()));
    }
    line
}

/// Returns the word as a shell would need it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@+,%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let mut command = Command::new("/opt/rust/bin/cargo");
        command.args(["run", "--input", r#"{"name": "it's"}"#, ""]);
        assert_eq!(shown(&command), r#"cargo run --input '{"name": "it'\''s"}' ''"#);
    }

    #[test]
    fn failure_names_the_command() {
        let error = run(&mut Command::new("no-such-program-anywhere")).unwrap_err();
        assert_eq!(error.to_string(), "cannot start no-such-program-anywhere");
    }
}
