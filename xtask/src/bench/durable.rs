//! What it costs that a run survives its host: a step that is durable, going on after a kill, a conversation on disk.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use remit::capability::wasi::http::{Exchange, Network, Outbound, Response};
use remit::digest::Digest;
use remit::home::{Home, Wait};
use remit::journal::{Journal, Kind, Options, Record};
use remit::manifest::Grant;
use remit::scope::Remit;
use remit::time::Clock;

use super::harness::{Ratio, Target, compare, seconds};
use super::journal::{allocated, file_rate, header};
use super::scene::{Scene, component_path};
use super::start::{build, program};
use crate::guests;

const ROUNDS: usize = 5;
/// How many runs take steps at the same time, how many steps each takes, and how many steps a second over those of a plain
/// file there have to be at least: what a durable-execution server takes on such a machine, times 2.5 for one run and times 5
/// for 64.
const STEPS: [(usize, u64, Target); 3] =
    [(1, 1_000, Target::AtLeast(0.33)), (16, 200, Target::Shown), (64, 100, Target::AtLeast(0.155))];

/// Idempotent writes to a stub in this process, each with a durable intent, of 1, 16 and 64 runs; over as many durable appends
/// to a plain file.
pub fn step() -> Result<Vec<Ratio>> {
    guests::run()?;
    let folder = tempfile::tempdir()?;
    let scene = Scene::at(folder.path())?;
    let guest = scene.guest("http")?;
    let grant = "[[capabilities.http]]\nmethods = [\"PUT\"]\nurl = \"https://stub.example/\"\n";
    let (remit, network) = (Remit::from_grant(&Grant::parse("grant", grant)?), Arc::new(Stub) as Arc<dyn Network>);
    let rate = |runs: usize, steps: u64| {
        let arguments = ["puts", "https://stub.example/item", &steps.to_string()];
        let took = scene.record_together(&guest, &arguments, (&remit, &network), runs)?;
        Ok((runs as u64 * steps) as f64 / took)
    };
    let measured = |(runs, steps, target): (usize, u64, Target)| {
        let name = format!("durable steps/s, {runs} runs / plain file with fdatasync");
        compare(name, target, ROUNDS, || rate(runs, steps), || file_rate(folder.path(), runs))
    };
    STEPS.into_iter().map(measured).collect()
}

/// Answers everything at once.
struct Stub;

impl Network for Stub {
    fn send(&self, _: Outbound) -> Exchange {
        let response = Response { status: 204, headers: Vec::new(), body: Vec::new(), trailers: Vec::new() };
        Box::pin(async move { Ok(response) })
    }
}

/// Calls of the run that is resumed.
const CALLS: &str = "10000";
/// Before it are the calls by which a guest begins, and one comes after.
const MORE_CALLS: &str = "10010";
/// Bytes of the journal beside that run.
const SMALL: u64 = 16 << 20;
const LARGE: u64 = 1 << 30;

/// Milliseconds from the start of `remit resume` to its end, of a run that was killed after 10,000 calls, with what was compiled
/// before; so a little more than to its first live call.
pub fn resume() -> Result<Vec<Ratio>> {
    build()?;
    let most = Target::AtMost(50.0);
    let mut ratios = Vec::new();
    for (size, name, samples, target) in [(SMALL, "16 MiB", 15, most), (LARGE, "1 GiB", 3, Target::Shown)] {
        let folder = tempfile::tempdir()?;
        let home = folder.path().join("home");
        interrupted(&home, size)?;
        let resumed = |how: &str| {
            let took: Result<Vec<f64>> = (0..samples).map(|_| resumed(&home, &folder.path().join("copy"))).collect();
            Ratio::of(format!("ms to resume after 10,000 calls, home of {name}, killed {how}"), target, &took?)
        };
        ratios.push(resumed("under load")?);
        // Whoever opens the journal next leaves it as a host that was idle does.
        succeeds(remit(&home)?.arg("runs"))?;
        ratios.push(resumed("idle")?);
    }
    Ok(ratios)
}

/// Makes a home of this size, of which the last run was killed after its calls.
fn interrupted(home: &Path, size: u64) -> Result<()> {
    let guest = component_path("clocks")?;
    succeeds(remit(home)?.arg("run").arg(&guest).args(["--", "now"]))?;
    fill(home, size)?;
    let killed =
        remit(home)?.args(["run", "--crash-after", CALLS]).arg(&guest).args(["--", "calls", MORE_CALLS]).status()?;
    ensure!(!killed.success(), "the run was to be killed");
    Ok(())
}

/// Records calls whose answers do not compress until the journal has this size.
fn fill(home: &Path, size: u64) -> Result<()> {
    let home = Home::open(home, "the benchmarks", &Clock::system(), Wait::No)?;
    let path = home.journal_path();
    let journal = Journal::open(&path, home.signing_key()?, &Options::default())?;
    let mut run = journal.accept(&header(), &[])?;
    let function = run.function("remit:plugin/kv#get", 1);
    let mut number = 0_u64;
    while allocated(&path.metadata()?) < size {
        for _ in 0..64 {
            number += 1;
            let answer = incompressible(number, 3 << 10);
            let time_us = 1_772_000_000_000_000 + number;
            run.call(&Record {
                kind: Kind::Call,
                function,
                fuel: number,
                time_us,
                params: &[],
                outcome: &answer,
                extension: None,
            })?;
        }
        run.durable()?.wait()?;
    }
    drop(run);
    Ok(journal.close()?)
}

/// Returns so many bytes, of which each number has its own.
fn incompressible(number: u64, len: usize) -> Vec<u8> {
    let parts = (0..len as u64).step_by(32).map(|part| Digest::of_parts(&[&number.to_le_bytes(), &part.to_le_bytes()]));
    parts.flat_map(|part| *part.as_bytes()).take(len).collect()
}

/// Resumes the last run of a copy of a home, and returns the milliseconds that it took.
fn resumed(home: &Path, copy: &Path) -> Result<f64> {
    copied(home, copy)?;
    let took = seconds(|| succeeds(remit(copy)?.args(["resume", "last"])))?;
    fs::remove_dir_all(copy)?;
    Ok(took * 1_000.0)
}

fn copied(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copied(&from, &to)?,
            false => drop(fs::copy(&from, &to)?),
        }
    }
    Ok(())
}

/// Questions of a conversation, and the bytes of each: with their answers 800 KB, or about 200,000 tokens.
const QUESTIONS: &str = "100";
const QUESTION: &str = "4000";

/// Bytes on disk of a run that calls a model 100 times with all that was said before, over the bytes of the conversation.
pub fn transcript() -> Result<Vec<Ratio>> {
    build()?;
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("home");
    let plugin = folder.path().join("model");
    fs::create_dir_all(&plugin)?;
    fs::copy(component_path("model")?, plugin.join("model.wasm"))?;
    fs::write(plugin.join("remit.toml"), MODEL)?;
    let asked = |count: &str| {
        let mut command = remit(&home)?;
        command.arg("run").arg(&plugin).args(["--allow-requested", "--", "grow", "small", count, QUESTION]);
        let said = String::from_utf8(command.stdout(Stdio::piped()).output()?.stdout)?;
        said.trim().parse::<u64>().with_context(|| format!("the guest said {said:?}"))
    };
    configured(&home)?;
    asked("0")?;
    let journal = home.join("journal.redb");
    let before = allocated(&journal.metadata()?);
    let said = asked(QUESTIONS)?;
    let bytes = allocated(&journal.metadata()?) - before;
    let name = "bytes on disk of 100 model calls that grow to 800 KB / of the conversation";
    Ok(vec![Ratio::of(name, Target::AtMost(2.0), &[bytes as f64 / said as f64])?])
}

const MODEL: &str = "[plugin]\nname = \"model\"\nversion = \"0.1.0\"\nkind = \"command\"\n\
                     [capabilities.model]\ntiers = [\"small\"]\nwhy = \"answers\"\n";

/// Has a script answer at length, with words from a thousand, as the questions are.
fn configured(home: &Path) -> Result<()> {
    fs::create_dir_all(home)?;
    fs::write(home.join("config.toml"), "[models.small]\nprovider = \"scripted\"\nscript = \"answers.toml\"\n")?;
    let mut answers = String::new();
    for number in 0..100 {
        let drawn = incompressible(number, 1_100);
        let words = drawn.as_chunks::<2>().0.iter().map(|drawn| word(u16::from_le_bytes(*drawn)));
        let words: String = words.collect();
        answers += &format!("[[answer]]\ntimes = 1\ntext = \"{words}\"\n");
    }
    Ok(fs::write(home.join("answers.toml"), answers)?)
}

/// Returns one of a thousand words, of two to four syllables, and a space.
fn word(drawn: u16) -> String {
    let which = usize::from(drawn) % 1_000;
    let syllable = |at: usize| SYLLABLES[(which * 29 + at * 13 + which / 11 * at) % SYLLABLES.len()];
    (0..2 + which % 3).map(syllable).chain([" "]).collect()
}

const SYLLABLES: [&str; 20] = [
    "be", "com", "di", "tor", "un", "li", "ma", "re", "to", "par", "so", "va", "an", "er", "il", "pro", "sta", "ment",
    "ed", "us",
];

/// Returns a command in a home.
pub fn remit(home: &Path) -> Result<Command> {
    let mut command = Command::new(program("remit")?);
    command.arg("--home").arg(home).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command)
}

/// Does a command, which has to succeed.
pub fn succeeds(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    ensure!(status.success(), "{} failed: {status}", crate::shell::shown(command));
    Ok(())
}
