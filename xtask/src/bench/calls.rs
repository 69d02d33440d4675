//! Host calls: recorded and replayed, over the same on wasmtime alone; what a recorded call takes on disk.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::bare::Command;
use super::child;
use super::harness::{Ratio, Target, compare, in_turns};
use super::scene::{Guest, Scene};
use crate::guests;

const ROUNDS: usize = 7;
/// Calls of a recorded run.
const RECORDED: u64 = 2_000_000;
/// Calls of a replayed run.
const REPLAYED: u64 = 1_000_000;
/// Calls of the run whose memory a longer one is compared with.
const FEW: u64 = 100_000;

/// A host with the guest `bench`, and the same guest without the host.
struct Sides {
    scene: Scene,
    guest: Guest,
    bare: Command,
    _folder: tempfile::TempDir,
}

impl Sides {
    fn new() -> Result<Self> {
        guests::run()?;
        let folder = tempfile::tempdir()?;
        let scene = Scene::at(&folder.path().join("home"))?;
        let guest = scene.guest("bench")?;
        let bare = Command::new(scene.host.engine().wasmtime(), &guest.bytes)?;
        Ok(Self { scene, guest, bare, _folder: folder })
    }

    /// Returns the seconds of `count` recorded calls, without what a run takes that makes none.
    fn recorded(&self, call: &str, count: u64) -> Result<f64> {
        above_none(count, |count| Ok(self.scene.record(&self.guest, &[call, count])?.1))
    }

    /// Returns the same of bare calls.
    fn bare(&self, call: &str, count: u64) -> Result<f64> {
        above_none(count, |count| self.bare.run(&self.scene.runtime, &[call, count]))
    }
}

/// Returns the seconds of `count` calls, without what a run takes that makes none.
pub fn above_none(count: u64, mut seconds: impl FnMut(&str) -> Result<f64>) -> Result<f64> {
    let none = seconds("0")?;
    Ok(seconds(&count.to_string())? - none)
}

/// The time of a recorded call over that of the same call in a bare component: one that returns a number, and one that
/// takes 64 bytes and returns them.
pub fn recorded() -> Result<Vec<Ratio>> {
    let sides = Sides::new()?;
    let calls = [("nothing", "recorded () -> u64 / bare"), ("echo", "recorded echo of 64 bytes / bare")];
    let ratio = |(call, name)| {
        let recorded = || sides.recorded(call, RECORDED);
        compare(name, Target::AtMost(2.5), ROUNDS, recorded, || sides.bare(call, RECORDED))
    };
    calls.into_iter().map(ratio).collect()
}

/// What asking an unchanged remit adds to a recorded call: the same call with a judge and without, in nanoseconds and as
/// a ratio.
pub fn permit() -> Result<Vec<Ratio>> {
    let sides = Sides::new()?;
    let (judged, plain) = (|| sides.recorded("permitted", RECORDED), || sides.recorded("nothing", RECORDED));
    let figures = in_turns(ROUNDS, judged, plain)?;
    let nanoseconds = |(judged, plain): &(f64, f64)| (judged - plain) / RECORDED as f64 * 1e9;
    let added: Vec<f64> = figures.iter().map(nanoseconds).collect();
    let ratios: Vec<f64> = figures.iter().map(|(judged, plain)| judged / plain).collect();
    Ok(vec![
        Ratio::of("ns that a permission check adds to a recorded call", Target::AtMost(150.0), &added)?,
        // At a plain recorded call's hundred nanoseconds this is the 150 again, on whatever machine.
        Ratio::of("recorded call with a permission check / without", Target::AtMost(2.5), &ratios)?,
    ])
}

/// Calls that are replayed in a second, from a run of a million; and the time of one over that of a bare call. The
/// journal streams them: see [`memory`].
pub fn replayed() -> Result<Vec<Ratio>> {
    let sides = Sides::new()?;
    let run_of = |count: u64| anyhow::Ok(sides.scene.record(&sides.guest, &["nothing", &count.to_string()])?.0);
    let (none, million) = (run_of(0)?, run_of(REPLAYED)?);
    let mut rates = Vec::new();
    let replay = || {
        let empty = sides.scene.replay(&sides.guest, none)?;
        let seconds = sides.scene.replay(&sides.guest, million)? - empty;
        rates.push(REPLAYED as f64 / seconds);
        Ok(seconds)
    };
    let name = "replayed () -> u64 / bare";
    // At the bare call's 56 ns this is the 3,000,000 calls a second again, on whatever machine.
    let over_bare = compare(name, Target::AtMost(6.0), ROUNDS, replay, || sides.bare("nothing", REPLAYED))?;
    let rate = Ratio::of("replayed calls/s", Target::AtLeast(3e6), &rates[1..])?;
    Ok(vec![rate, over_bare])
}

/// The memory that a replay of a million calls takes above what its process had, over that of a tenth as many.
pub fn memory() -> Result<Vec<Ratio>> {
    guests::run()?;
    let folder = tempfile::tempdir()?;
    let (many, few) = (folder.path().join("many"), folder.path().join("few"));
    record_in(&many, REPLAYED)?;
    record_in(&few, FEW)?;
    let name = "memory of replaying 1,000,000 calls / 100,000 calls";
    Ok(vec![compare(name, Target::AtMost(1.5), 3, || memory_of(&many), || memory_of(&few))?])
}

fn record_in(home: &Path, count: u64) -> Result<()> {
    let scene = Scene::at(home)?;
    let guest = scene.guest("bench")?;
    scene.record(&guest, &["nothing", &count.to_string()])?;
    Ok(scene.journal.close()?)
}

/// Replays the last run of a home in a process of its own, and returns what its memory grew by, in KiB.
fn memory_of(home: &Path) -> Result<f64> {
    let output = child::replaying(home)?.output()?;
    ensure!(output.status.success(), "the replaying process failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().parse().context("the replaying process did not say its memory")
}

/// Bytes on disk for each reading of the clock by a real guest: header and entries of the run.
pub fn bytes() -> Result<Vec<Ratio>> {
    guests::run()?;
    let folder = tempfile::tempdir()?;
    let scene = Scene::at(folder.path())?;
    let (run, _) = scene.record(&scene.guest("clocks")?, &["calls", &FEW.to_string()])?;
    let bytes = scene.journal.summary(run)?.bytes as f64;
    Ok(vec![Ratio::of("bytes on disk of a guest's clock call", Target::AtMost(40.0), &[bytes / FEW as f64])?])
}
