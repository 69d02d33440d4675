//! The journal: durable entries against a plain file, bytes on disk for an entry and for a run.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::Write as _;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use remit::digest::Digest;
use remit::gate::{End, Outcome, Where};
use remit::journal::{FunctionId, Header, Journal, Kind, Options, Payload, Plugin, Record, RunWriter, SigningKey};
use remit::meter::Usage;
use remit::time::Timestamp;
use serde_json::json;

use super::harness::{Ratio, Target, compare};

/// How long one side of a round is measured.
const MEASURED: Duration = Duration::from_millis(700);
const ROUNDS: usize = 5;
/// Calls of the run whose size is taken.
const CALLS: u64 = 100_000;
/// Runs whose size is taken.
const RUNS: u64 = 2_000;

/// Durable entries in a second of 1, 8 and 64 runs, each waiting for its own entry before the next, over the same with
/// an append to a plain file and `fdatasync`, committed in groups by one thread.
pub fn durable() -> Result<Vec<Ratio>> {
    let targets = [(1, 0.6), (8, 0.6), (64, 0.5)];
    targets.into_iter().map(|(runs, least)| durable_with(runs, Target::AtLeast(least))).collect()
}

fn durable_with(runs: usize, target: Target) -> Result<Ratio> {
    let folder = tempfile::tempdir()?;
    let journal = open(folder.path())?;
    let name = format!("durable entries/s, {runs} runs / plain file with fdatasync");
    let ratio = compare(name, target, ROUNDS, || journal_rate(&journal, runs), || file_rate(folder.path(), runs))?;
    journal.close()?;
    Ok(ratio)
}

fn journal_rate(journal: &Journal, runs: usize) -> Result<f64> {
    let writers = (0..runs).map(|_| Ok(journal.accept(&header(), &[])?)).collect::<Result<Vec<_>>>()?;
    closed_loop(writers, |run, number| {
        let clock = run.function("wasi:clocks/monotonic-clock#now", 1);
        record(run, clock, number, &[], &number.to_le_bytes())?;
        Ok(run.durable()?.wait()?)
    })
}

/// Returns appends in a second of so many clients to a plain file, each durable before the client's next.
pub fn file_rate(folder: &Path, runs: usize) -> Result<f64> {
    let path = folder.join("plain");
    let mut file = File::create(&path)?;
    let (queue, received) = sync_channel::<(Vec<u8>, SyncSender<()>)>(256);
    thread::scope(|scope| {
        let writer = scope.spawn(move || append_in_groups(&mut file, &received));
        let clients = (0..runs).map(|_| (queue.clone(), sync_channel(1))).collect();
        drop(queue);
        let rate = closed_loop(clients, |(queue, (answer, answered)), number| {
            queue.send((number.to_le_bytes().repeat(4), answer.clone())).context("the writer has gone")?;
            answered.recv().context("the writer has gone")
        });
        writer.join().expect("the writer does not panic")?;
        rate
    })
}

/// Takes what is queued, appends it, makes it durable, answers; until nobody is left.
fn append_in_groups(file: &mut File, received: &Receiver<(Vec<u8>, SyncSender<()>)>) -> Result<()> {
    let (mut bytes, mut waiting) = (Vec::new(), Vec::new());
    while let Ok(first) = received.recv() {
        for (entry, answer) in std::iter::once(first).chain(received.try_iter()) {
            bytes.extend_from_slice(&entry);
            waiting.push(answer);
        }
        file.write_all(&bytes)?;
        file.sync_data()?;
        bytes.clear();
        waiting.drain(..).try_for_each(|answer| answer.send(()))?;
    }
    Ok(())
}

/// Lets each client do one step after the other for a while, and returns steps per second.
fn closed_loop<C: Send>(clients: Vec<C>, step: impl Fn(&mut C, u64) -> Result<()> + Sync) -> Result<f64> {
    let (over, start) = (AtomicBool::new(false), Barrier::new(clients.len() + 1));
    thread::scope(|scope| {
        let (over, start, step) = (&over, &start, &step);
        let work = |mut client: C| {
            move || {
                start.wait();
                let mut done = 0;
                while !over.load(Ordering::Relaxed) {
                    step(&mut client, done)?;
                    done += 1;
                }
                anyhow::Ok(done)
            }
        };
        let threads: Vec<_> = clients.into_iter().map(|client| scope.spawn(work(client))).collect();
        start.wait();
        let began = Instant::now();
        thread::sleep(MEASURED);
        over.store(true, Ordering::Relaxed);
        let took = began.elapsed().as_secs_f64();
        let done = threads.into_iter().map(|thread| thread.join().expect("no client panics")).sum::<Result<u64>>()?;
        Ok(done as f64 / took)
    })
}

/// Bytes on disk for each call of a run of 100,000: the clock, and a kv hit with a 16-byte key and an 8-byte
/// value. Keys and values are random, as in real use they may be.
pub fn bytes_per_entry() -> Result<Vec<Ratio>> {
    let clock = bytes_of_calls("clock", |_, _| {})?;
    let kv = bytes_of_calls("kv hit", |number, call| {
        let digest = Digest::of(&u64::to_le_bytes(number));
        call.params.push(16);
        call.params.extend_from_slice(&digest.as_bytes()[..16]);
        call.outcome.clear();
        call.outcome.extend_from_slice(&[0, 1, 8]);
        call.outcome.extend_from_slice(&digest.as_bytes()[16..24]);
    })?;
    Ok(vec![clock, kv])
}

/// The bytes of one call, as the gate encodes it.
#[derive(Default)]
struct Call {
    params: Vec<u8>,
    outcome: Vec<u8>,
}

fn bytes_of_calls(name: &str, fill: impl Fn(u64, &mut Call)) -> Result<Ratio> {
    let bytes = on_disk(|journal| {
        let mut run = journal.accept(&header(), &[])?;
        let function = run.function("wasi:clocks/monotonic-clock#now", 1);
        let mut call = Call::default();
        for number in 0..CALLS {
            call.params.clear();
            call.outcome.clear();
            call.outcome.extend_from_slice(&(1_000_000_000 + 1_234 * number).to_le_bytes());
            fill(number, &mut call);
            record(&mut run, function, number, &call.params, &call.outcome)?;
        }
        end(&mut run)
    })?;
    let name = format!("bytes on disk of a recorded call, {name}");
    Ratio::of(name, Target::AtMost(40.0), &[bytes as f64 / CALLS as f64])
}

/// Bytes on disk for each of 2,000 runs that record nothing but their end, over an empty journal.
pub fn per_run_cost() -> Result<Vec<Ratio>> {
    let empty = on_disk(|_| Ok(()))?;
    let full = on_disk(|journal| (0..RUNS).try_for_each(|_| end(&mut journal.accept(&header(), &[])?)))?;
    let bytes = (full - empty) as f64 / RUNS as f64;
    Ok(vec![Ratio::of("bytes on disk of a run without calls", Target::AtMost(4096.0), &[bytes])?])
}

/// Returns what a journal's file takes after `fill` and closing.
fn on_disk(fill: impl FnOnce(&Journal) -> Result<()>) -> Result<u64> {
    let folder = tempfile::tempdir()?;
    let journal = open(folder.path())?;
    fill(&journal)?;
    journal.close()?;
    Ok(allocated(&folder.path().join("journal.redb").metadata()?))
}

/// Returns the bytes of the blocks that a file has. redb doubles its file when it grows, and what was never written
/// takes no room.
#[cfg(unix)]
pub fn allocated(file: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(file) * 512
}

/// Returns the file's length where blocks cannot be counted, which is up to twice as much.
#[cfg(not(unix))]
pub fn allocated(file: &Metadata) -> u64 {
    file.len()
}

fn open(folder: &Path) -> Result<Journal> {
    let signer = SigningKey::from_bytes(&[1; 32]);
    Ok(Journal::open(&folder.join("journal.redb"), signer, &Options::default())?)
}

/// Records a call as a real one looks: some thousand units of fuel and a microsecond after the last.
fn record(run: &mut RunWriter, function: FunctionId, number: u64, params: &[u8], outcome: &[u8]) -> Result<()> {
    let (fuel, time_us) = (1_999 * number, 1_772_000_000_000_000 + number + number % 3);
    run.call(&Record { kind: Kind::Call, function, fuel, time_us, params, outcome, extension: None })?;
    Ok(())
}

fn end(run: &mut RunWriter) -> Result<()> {
    let usage = Usage { calls: 12, bytes_in: 345, bytes_out: 678, kv_bytes: 90, ..Usage::default() };
    let outcome = Outcome::Succeeded { result: Some("{\"files\":1}".into()) };
    let state = End { outcome, at: Where::Guest, fuel: 1, usage, called: Usage::default(), by: None };
    run.state(1_000_000_000, 1_772_000_001_000_000, &state)?;
    Ok(run.durable()?.wait()?)
}

/// A header with the fields that a real run has, so that its size is a real one.
pub fn header() -> Header {
    Header {
        cause: None,
        accepted: Timestamp::from_micros(1_772_000_000_000_000),
        armed: None,
        args: Vec::new(),
        component: Digest::of(b"component"),
        cut: None,
        engine: Digest::of(b"engine").to_string(),
        fuel_slice: 10_000_000,
        grants: vec!["requested".into()],
        host_version: "0.1.0".into(),
        input: Payload::of(b"{\"folder\":\"docs\"}"),
        labels: [].into(),
        limits: json!({ "memory": 268_435_456, "fuel": 100_000_000_000u64, "wall_ms": 600_000, "payload": 67_108_864 }),
        manifest: Digest::of(b"manifest"),
        mounts: BTreeMap::new(),
        parent: None,
        parent_head: None,
        plugin: Plugin {
            identity: "folder:/srv/agents/brief#brief".into(),
            kind: "agent".into(),
            name: "brief".into(),
            version: Some("0.1.0".into()),
        },
        principal: "somebody".into(),
        remit: Digest::of(b"remit"),
        seed: *Digest::of(b"seed").as_bytes(),
        priority: 0,
        start_key: None,
        tenant: None,
        extra: [].into(),
    }
}
