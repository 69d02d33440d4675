//! Calls of a connector: recorded on both sides as in production, over a bare call to a second component.

use std::time::Instant;

use anyhow::Result;

use super::bare::Pair;
use super::harness::{Ratio, Target, compare};
use super::scene::{Callee, Guest, Scene};
use crate::guests;

const ROUNDS: usize = 7;
/// Calls of one run.
const CALLS: u32 = 200_000;
/// Calls of one run that carry 1 MiB. The limit on what one run records has room for them.
const LARGE: u32 = 200;
/// The interface between the guests `connector` and `guest_connector`.
const INTERFACE: &str = "test:tracker/issues@1.2.0";

struct Sides {
    scene: Scene,
    caller: Guest,
    callee: Callee,
    _folder: tempfile::TempDir,
}

impl Sides {
    fn new() -> Result<Self> {
        guests::run()?;
        let folder = tempfile::tempdir()?;
        let scene = Scene::at(&folder.path().join("home"))?;
        let (caller, callee) = scene.connected("connector", "guest_connector", INTERFACE)?;
        Ok(Self { scene, caller, callee, _folder: folder })
    }

    /// Returns the seconds of `count` recorded calls, without what a run takes that makes one.
    fn recorded(&self, what: &str, count: u32) -> Result<f64> {
        let seconds = |count: u32| self.scene.record_calling(&self.caller, &self.callee, &[what, &count.to_string()]);
        let one = seconds(1)?;
        Ok(seconds(count + 1)? - one)
    }
}

/// The time of a call with a number and a short text over that of the same call through a host function of wasmtime
/// alone.
pub fn call() -> Result<Vec<Ratio>> {
    let sides = Sides::new()?;
    let bare = Pair::new(sides.scene.host.engine().wasmtime(), &sides.caller.bytes, &sides.callee.bytes, INTERFACE)?;
    let bare = || {
        let seconds = |count: u32| bare.run(&sides.scene.runtime, &["joins", &count.to_string()]);
        let one = seconds(1)?;
        Ok(seconds(CALLS + 1)? - one)
    };
    let recorded = || sides.recorded("joins", CALLS);
    Ok(vec![compare("connector call / bare", Target::AtMost(5.0), ROUNDS, recorded, bare)?])
}

/// The time of a call with 1 MiB over that of copying it.
pub fn bytes() -> Result<Vec<Ratio>> {
    let sides = Sides::new()?;
    let from = vec![0xa5_u8; 1 << 20];
    let mut to = vec![0_u8; 1 << 20];
    let mut copied = || {
        let start = Instant::now();
        for _ in 0..LARGE {
            to.copy_from_slice(std::hint::black_box(&from));
            std::hint::black_box(&mut to);
        }
        Ok(start.elapsed().as_secs_f64())
    };
    let again = || sides.recorded("lens", LARGE);
    let new = || sides.recorded("new-lens", LARGE);
    Ok(vec![
        compare("1 MiB through a connector, as before / memcpy", Target::AtMost(10.0), ROUNDS, again, &mut copied)?,
        compare("1 MiB through a connector, all new / memcpy", Target::Shown, ROUNDS, new, &mut copied)?,
    ])
}
