//! What benchmarks do in a process of its own: this program, started again with a variable that says what.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, anyhow};

use super::scene::Scene;

/// Names the home whose last run such a process replays.
const HOME: &str = "REMIT_BENCH_REPLAY";

/// Returns the command that starts a process to replay the last run of a home, and to print the KiB that its memory
/// grew by.
pub fn replaying(home: &Path) -> Result<Command> {
    let mut command = Command::new(env::current_exe().context("cannot tell where this program lies")?);
    command.arg("bench").env(HOME, home);
    Ok(command)
}

/// Returns the home that this process was started to replay from, if it was.
pub fn home_to_replay() -> Option<PathBuf> {
    env::var_os(HOME).map(PathBuf::from)
}

/// Does what [`replaying`] starts a process for.
pub fn replay(home: &Path) -> Result<()> {
    let scene = Scene::at(home)?;
    let guest = scene.guest("bench")?;
    let run = scene.journal.last()?.context("the home has no run")?;
    let before = memory_kib("VmRSS:")?;
    scene.replay(&guest, run)?;
    println!("{}", memory_kib("VmHWM:")?.saturating_sub(before));
    Ok(())
}

/// Returns a figure of this process's memory as Linux tells it.
fn memory_kib(field: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("only Linux tells a process its memory here")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
    kib.ok_or_else(|| anyhow!("/proc/self/status has no {field}"))?.parse().context(field.to_owned())
}
