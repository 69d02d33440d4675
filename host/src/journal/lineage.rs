//! A run and the runs that it was forked from: what a reader goes through. Each gives the entries up to where the next
//! one parted from it, so a fork holds no copy of its past.

use redb::{ReadTransaction, ReadableTable};
use serde::Deserialize;

use super::chain;
use super::commits::Commits;
use super::error::Error;
use super::row::{self, Row};
use super::store::{Published, Store};
use super::tables;
use crate::digest::Digest;
use crate::id::RunId;

/// How many runs a run may come from, each forked from the one before. It bounds what a reader opens, also where a file
/// says that a run was forked from itself.
pub const LINEAGE_MAX: usize = 64;

/// Where a header says that its run comes from.
#[derive(Default, Deserialize)]
struct Parting {
    parent: Option<RunId>,
    cut: Option<u64>,
    parent_head: Option<Digest>,
}

/// One run of a lineage, with the entries that it gives.
pub(super) struct Layer {
    pub run: RunId,
    pub commits: Commits,
    /// The head before its first segment.
    pub first_head: Digest,
    pub header_bytes: u64,
    /// The number of its own first entry.
    pub from: u64,
    /// The number of the first entry that it does not give.
    pub until: u64,
    /// The head of the chain that it parted from; nothing where it has no entry of another's.
    pub parent_head: Option<Digest>,
    /// What its row says there must be at least.
    pub promised: u64,
    pub epoch: u64,
}

impl Layer {
    /// Checks that a chain is what the run parted from.
    pub fn parts_from(&self, head: &Digest) -> Result<(), Error> {
        let run = self.run;
        match self.parent_head.as_ref() {
            Some(parted) if parted == head => Ok(()),
            _ => Err(Error::damaged(format_args!("run {run} was not forked from what its parent holds now"))),
        }
    }

    /// Returns the error for a run that ends before the next one parted from it.
    pub fn ends_early(&self, entries: u64) -> Error {
        let Self { run, until, .. } = self;
        Error::damaged(format_args!("run {run} has {entries} entries, and was forked at its entry {until}"))
    }
}

/// A run of a lineage, as its row has it.
struct Kin {
    run: RunId,
    row: Row,
    header: Vec<u8>,
    parting: Parting,
    /// The number of the first entry that it does not give.
    until: u64,
}

/// Opens the runs that give the entries of `run`: the oldest last.
pub(super) fn open(store: &Store, run: RunId) -> Result<(ReadTransaction, Vec<Layer>), Error> {
    // What the writer has not put into tables yet is looked at before they are read, not after.
    let own = store.published().get(&run).cloned();
    let read = store.read()?;
    let lineage = lineage(&read, run)?;
    if let [only] = lineage.as_slice() {
        let layer = only.layer(&read, own)?;
        return Ok((read, vec![layer]));
    }
    let published: Vec<_> = lineage.iter().map(|kin| store.published().get(&kin.run).cloned()).collect();
    let read = store.read()?;
    let lineage = self::lineage(&read, run)?.into_iter().zip(published);
    let layers = lineage.map(|(kin, published)| kin.layer(&read, published)).collect::<Result<_, _>>()?;
    Ok((read, layers))
}

/// Walks from a run to the runs that it comes from, leaving out those that give it no entry.
fn lineage(read: &ReadTransaction, run: RunId) -> Result<Vec<Kin>, Error> {
    let runs = read.open_table(tables::RUNS)?;
    let mut lineage = Vec::new();
    let (mut next, mut until) = (Some(run), u64::MAX);
    for _ in 0..LINEAGE_MAX + 2 {
        let Some(at) = next.filter(|_| until > 0) else { return Ok(lineage) };
        let row = row::load(&runs, at).map_err(|error| if at == run { error } else { missing(run, at, error) })?;
        let header = row.header.unpack()?;
        let parting = parting(&header)?;
        let from = parting.cut.unwrap_or(0);
        next = parting.parent;
        if from < until {
            lineage.push(Kin { run: at, row, header, parting, until });
        }
        until = until.min(from);
    }
    Err(Error::damaged(format_args!("run {run} comes from more than {LINEAGE_MAX} others")))
}

impl Kin {
    fn layer(&self, read: &ReadTransaction, published: Option<Published>) -> Result<Layer, Error> {
        let Self { run, row, header, parting, until } = self;
        Ok(Layer {
            run: *run,
            commits: Commits::new(read.open_table(tables::INDEX)?, *run, published),
            first_head: chain::first(*run, header),
            header_bytes: row.header.stored_len(),
            from: parting.cut.unwrap_or(0),
            until: *until,
            parent_head: parting.parent_head,
            promised: row.extent.entries,
            epoch: row.epoch,
        })
    }
}

fn missing(run: RunId, parent: RunId, error: Error) -> Error {
    match error {
        Error::NoSuchRun(_) => Error::damaged(format_args!("run {run} comes from run {parent}, which is not there")),
        error => error,
    }
}

fn parting(header: &[u8]) -> Result<Parting, Error> {
    let parting: Parting =
        serde_json::from_slice(header).map_err(|error| Error::damaged(format_args!("a run header: {error}")))?;
    match (parting.parent, parting.cut) {
        (Some(_), Some(_)) | (None, None) => Ok(parting),
        _ => Err(Error::damaged("a run header has a parent or a cut, and not both")),
    }
}

/// Returns the run that a run was forked from.
pub(super) fn parent(row: &Row) -> Result<Option<RunId>, Error> {
    Ok(parting(&row.header.unpack()?)?.parent)
}

/// Returns the key of a fork in the table of forks.
pub(super) fn key(parent: RunId, fork: RunId) -> [u8; 32] {
    let mut key = [0; 32];
    key[..16].copy_from_slice(parent.as_bytes());
    key[16..].copy_from_slice(fork.as_bytes());
    key
}

/// Returns a run that was forked from `run`, if there is one.
pub(super) fn fork_of(forks: &impl ReadableTable<&'static [u8; 32], ()>, run: RunId) -> Result<Option<RunId>, Error> {
    let (first, last) = (key(run, RunId::from_bytes([0; 16])), key(run, RunId::from_bytes([0xff; 16])));
    let found = forks.range::<&[u8; 32]>(&first..=&last)?.next().transpose()?;
    let fork = found.and_then(|(key, _)| key.value().last_chunk().copied());
    Ok(fork.map(RunId::from_bytes))
}
