//! What the journal promises, seen from outside; and what damaged files do to it.

mod amounts;
mod bundle;
mod crash;
mod damage;
mod fork;
mod golden;
mod grants;
mod kv;
mod owner;
mod plugins;
mod power;
mod remove;
mod round_trip;
mod starts;
mod unfinished;

use std::path::PathBuf;

use ed25519_dalek::SigningKey;
use serde_json::json;

use super::*;
use crate::digest::{Content, Digest};
use crate::lifecycle::{State, Stated};
use crate::time::Timestamp;

/// A journal in a folder of its own.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("journal.redb")
    }

    fn open(&self) -> Journal {
        self.try_open().unwrap()
    }

    fn try_open(&self) -> Result<Journal, Error> {
        Journal::open(&self.path(), signer(), &Options::default())
    }
}

fn signer() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// A header of a run that is no fork, with every other field set.
fn header() -> Header {
    Header {
        armed: None,
        cause: None,
        accepted: Timestamp::from_micros(1_772_000_000_000_000),
        args: vec!["-v".into()],
        component: Digest::of(b"component"),
        cut: None,
        engine: "wasmtime 48".into(),
        fuel_slice: 10_000_000,
        grants: vec!["kv.read = true".into()],
        host_version: "0.1.0".into(),
        input: Payload::of(b"{}"),
        labels: [("team".to_owned(), "blue".to_owned())].into(),
        limits: json!({"fuel": 1, "calls": 2}),
        manifest: Digest::of(b"manifest"),
        mounts: BTreeMap::new(),
        parent: None,
        parent_head: None,
        plugin: Plugin {
            identity: "folder:/x/brief".into(),
            kind: "agent".into(),
            name: "brief".into(),
            version: Some("0.1.0".into()),
        },
        principal: "user".into(),
        remit: Digest::of(b"remit"),
        seed: [5; 32],
        priority: 0,
        start_key: None,
        tenant: Some("home".into()),
        extra: [("future".to_owned(), json!([1, 2]))].into(),
    }
}

/// What these tests record: `{"state": NAME}`, or nothing, which is an end.
impl Stated for serde_json::Value {
    fn state(&self) -> State {
        serde_json::from_value(self["state"].clone()).unwrap_or(State::Succeeded)
    }
}

/// Opens a copy of the file as it is now: what a process that is killed now leaves behind.
fn killed_now(home: &Home) -> (Home, Journal) {
    let copy = Home::new();
    std::fs::copy(home.path(), copy.path()).unwrap();
    let journal = copy.open();
    (copy, journal)
}

/// An entry with everything absolute, as a test compares it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Plain {
    kind: Kind,
    function: Option<(String, u8)>,
    fuel: u64,
    time_us: u64,
    params: Vec<u8>,
    outcome: Vec<u8>,
    extension: Extension,
}

fn read(journal: &Journal, run: RunId) -> Result<Vec<Plain>, Error> {
    let mut reader = journal.reader(run)?;
    let mut entries = Vec::new();
    while let Some(entry) = reader.next()? {
        assert_eq!(entry.number(), entries.len() as u64);
        entries.push(Plain {
            kind: entry.kind(),
            function: entry.function().map(|function| (function.name.to_string(), function.class)),
            fuel: entry.fuel(),
            time_us: entry.time_us(),
            params: entry.params().to_vec(),
            outcome: entry.outcome().to_vec(),
            extension: entry.extension()?,
        });
    }
    Ok(entries)
}

/// Records a call that only `number` tells from others.
fn record(run: &mut RunWriter, number: u64) -> Result<u64, Error> {
    let function = run.function("remit:plugin/kv#get", 1);
    let (params, outcome) = (number.to_le_bytes(), [number as u8; 3]);
    let time_us = 1_772_000_000_000_000 + number;
    let fuel = 10 * number;
    run.call(&Record { kind: Kind::Call, function, fuel, time_us, params: &params, outcome: &outcome, extension: None })
}

/// Checks that a run holds at least the first `at_least` entries that [`record`] made, and nothing else before a state.
fn check_prefix(journal: &Journal, run: RunId, at_least: usize) {
    let entries = read(journal, run).unwrap();
    let calls: Vec<_> = entries.iter().filter(|entry| entry.kind == Kind::Call).collect();
    assert!(calls.len() >= at_least, "{} of {at_least}", calls.len());
    for (number, entry) in (0u64..).zip(calls) {
        assert_eq!((entry.params.as_slice(), entry.fuel), (&number.to_le_bytes()[..], 10 * number));
    }
}
