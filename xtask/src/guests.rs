//! `cargo xtask guests`: everything that runs inside Remit, built for its target.
//!
//! The guests are a workspace of their own, in `plugins/`, so that a plain `cargo build` stays native.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::shell;

/// What guests are built for.
pub const TARGET: &str = "wasm32-wasip2";

/// The folder of the guests' workspace.
pub const WORKSPACE: &str = "plugins";

/// Where guests are built, seen from [`WORKSPACE`].
pub const TARGET_DIR: &str = "../target/guests";

/// Builds all guests.
pub fn run() -> Result<()> {
    ensure_target()?;
    shell::run(&mut build())?;
    eprintln!("the guests are in target/guests/{TARGET}/release");
    Ok(())
}

/// Returns the command that builds all guests.
pub fn build() -> Command {
    let args = ["build", "--workspace", "--release", "--locked", "--target", TARGET, "--target-dir", TARGET_DIR];
    shell::cargo(WORKSPACE, args)
}

/// Installs the guests' target where it is missing.
pub fn ensure_target() -> Result<()> {
    if is_target_installed()? {
        return Ok(());
    }
    shell::heading(&format!("installing the target {TARGET}"));
    let mut rustup = Command::new("rustup");
    rustup.current_dir(shell::root()).args(["target", "add", TARGET]);
    shell::run(&mut rustup).with_context(|| format!("the Rust toolchain lacks {TARGET}, which rustup would add"))?;
    if !is_target_installed()? {
        bail!("rustup added {TARGET}, but to another toolchain than the one in use: see `rustup show`");
    }
    Ok(())
}

/// Whether the compiler has the target's standard library. Asks the compiler, so that it is right without rustup too.
fn is_target_installed() -> Result<bool> {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(shell::root()).args(["--print", "target-libdir", "--target", TARGET]).stderr(Stdio::inherit());
    let output = rustc.output().with_context(|| format!("cannot start {}", shell::shown(&rustc)))?;
    if !output.status.success() {
        bail!("{} failed: {}", shell::shown(&rustc), output.status);
    }
    Ok(Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}
