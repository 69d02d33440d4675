//! Starting: a whole process of `remit run`, an instance of a prepared component, and a component compiled before.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use remit::capability::{Caps, Derived, Guest as Held, Start};
use remit::gate::FuelRule;
use remit::gate::{Gate, Replay};
use remit::meter::{LimitKind, Limits};

use super::bare::Hollow;
use super::harness::{Ratio, Target, compare, seconds};
use super::scene::{Guest, Scene, component_path};
use crate::{guests, shell};

/// Pairs of processes.
const PAIRS: usize = 40;
const ROUNDS: usize = 7;
/// Instances of one round.
const INSTANCES: usize = 500;

/// A warm `remit run` of the agent `hello`, over a small program that opens redb, commits once and ends.
pub fn process() -> Result<Vec<Ratio>> {
    build()?;
    let folder = tempfile::tempdir()?;
    let mut remit = remit_run(&folder.path().join("home"))?;
    let mut commit = Command::new(program("commit")?);
    commit.arg(folder.path().join("plain.redb"));
    let name = "process of a warm remit run / of one commit";
    Ok(vec![compare(name, Target::AtMost(3.0), PAIRS, || spawned(&mut remit), || spawned(&mut commit))?])
}

/// Builds the guests and both programs.
pub fn build() -> Result<()> {
    guests::run()?;
    shell::run(&mut shell::cargo(".", BUILD))
}

/// Builds both programs with the dependencies that this one has, so that they are compiled once.
const BUILD: [&str; 10] = [
    "build",
    "--quiet",
    "--locked",
    "--release",
    "--package=remit-host",
    "--bin=remit",
    "--package=xtask",
    "--features=xtask/bench",
    "--bin=xtask",
    "--bin=commit",
];

fn remit_run(home: &Path) -> Result<Command> {
    let mut command = Command::new(program("remit")?);
    command.arg("--home").arg(home).arg("run").arg(component_path("hello")?);
    command.args(["--json", "--input", r#"{"name":"Ada"}"#]);
    Ok(command)
}

/// Returns where [`BUILD`] puts a program.
pub fn program(name: &str) -> Result<PathBuf> {
    Ok(shell::target_dir()?.join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

/// Runs a process to its end and returns the seconds that it took.
fn spawned(command: &mut Command) -> Result<f64> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    seconds(|| {
        let status = command.status()?;
        ensure!(status.success(), "{} failed: {status}", shell::shown(command));
        Ok(())
    })
}

/// Store and instance of a prepared agent, over those of the same component on wasmtime alone; both from the pool.
pub fn instance() -> Result<Vec<Ratio>> {
    guests::run()?;
    let folder = tempfile::tempdir()?;
    let scene = Scene::at(folder.path())?;
    let guest = scene.guest("hello")?;
    let bare = Hollow::new(scene.host.engine().wasmtime(), &guest.bytes)?;
    let run = scene.record(&scene.guest("bench")?, &["nothing", "0"])?.0;
    let subject = || {
        let gates = (0..INSTANCES).map(|_| gate(&scene, &guest, run)).collect::<Result<Vec<_>>>()?;
        instantiated(&scene, &guest, gates)
    };
    let base = || bare.instantiate(&scene.runtime, INSTANCES);
    Ok(vec![compare("instance of a prepared agent / bare", Target::AtMost(2.0), ROUNDS, subject, base)?])
}

/// Makes the gate of a replay, which is all that a store needs and writes nothing.
fn gate(scene: &Scene, guest: &Guest, run: remit::id::RunId) -> Result<Gate<Caps, Derived>> {
    let limits = Limits::default();
    let payload_max = limits[LimitKind::Payload];
    let start = Start {
        seed: [7; 32],
        arguments: Vec::new(),
        stdin: [].into(),
        preopens: Vec::new(),
        config_keys: Vec::new(),
        payload_max,
    };
    let replay = Replay::new(scene.journal.reader(run)?, limits, FuelRule::Compared);
    Ok(Gate::replay(guest.agent.functions().clone(), Derived::new(start), replay))
}

fn instantiated(scene: &Scene, guest: &Guest, gates: Vec<Gate<Caps, Derived>>) -> Result<f64> {
    let limits = Limits::default();
    seconds(|| {
        scene.runtime.block_on(async {
            for gate in gates {
                let mut store: wasmtime::Store<Held> = guest.agent.store(gate, &limits, u64::MAX);
                guest.agent.instantiate(&mut store).await.map_err(|error| anyhow::anyhow!("{error:#}"))?;
            }
            Ok(())
        })
    })
}

/// Components that a second start compiles: none, because the first one's code is in the cache.
pub fn compiled() -> Result<Vec<Ratio>> {
    guests::run()?;
    let folder = tempfile::tempdir()?;
    let start = || {
        let scene = Scene::at(folder.path())?;
        scene.guest("hello")?;
        anyhow::Ok(scene.compiled())
    };
    let first = start()?;
    ensure!((first.hits, first.compiled) == (0, 1), "the first start found what nobody compiled: {first:?}");
    let second = start()?;
    ensure!(second.hits == 1, "the second start did not use the cache: {second:?}");
    Ok(vec![Ratio::of("components compiled at a second start", Target::AtMost(0.0), &[second.compiled as f64])?])
}
