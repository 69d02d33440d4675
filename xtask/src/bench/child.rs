//! What benchmarks do in a process of its own: this program, started again with a variable that says what.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, anyhow, bail};

use super::scene::Scene;

/// Names the task; the path it works on is in [`PATH`].
const TASK: &str = "REMIT_BENCH_TASK";
const PATH: &str = "REMIT_BENCH_PATH";

const REPLAY: &str = "replay";

/// What a process is started for.
pub enum Task {
    /// Replays the last run of the home at this path, and prints the KiB that its memory grew by.
    Replay(PathBuf),
}

impl Task {
    /// Returns the command that starts a process for the task.
    pub fn command(&self) -> Result<Command> {
        let Self::Replay(path) = self;
        let mut command = Command::new(env::current_exe().context("cannot tell where this program lies")?);
        command.arg("bench").env(TASK, REPLAY).env(PATH, path);
        Ok(command)
    }

    /// Returns the task of this process, if it was started for one.
    pub fn of_this_process() -> Result<Option<Self>> {
        let Some(name) = env::var_os(TASK) else { return Ok(None) };
        let path = env::var_os(PATH).map(PathBuf::from).with_context(|| format!("{TASK} without {PATH}"))?;
        match name.to_str() {
            Some(REPLAY) => Ok(Some(Self::Replay(path))),
            _ => bail!("{TASK} names no task"),
        }
    }

    /// Does it.
    pub fn perform(&self) -> Result<()> {
        let Self::Replay(home) = self;
        replay(home)
    }
}

fn replay(home: &Path) -> Result<()> {
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
