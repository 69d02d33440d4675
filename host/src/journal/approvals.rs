//! Proposals: what runs ask a person, kept from the transaction that suspends the run until it is told what was decided.
//!
//! A proposal is decided once, before it expires, and several together or none. It goes in the transaction that stores the
//! call which told the guest. Who decides wakes the run in the same transaction.

use redb::{ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::{Journal, document, tables, waits};
use crate::digest::Digest;
use crate::id::RunId;
use crate::lifecycle::Wait;
use crate::time::Timestamp;

/// What messages call the row of a proposal.
const WHAT: &str = "the row of a proposal";

/// What a run asks a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// When the run asked.
    pub asked: Timestamp,
    /// What was decided, once it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Ruling>,
    /// All of it, as one JSON text.
    pub details: String,
    /// Names it: of the run, the entry, the function and the call's params.
    pub digest: Digest,
    /// The number of the intent.
    pub entry: u64,
    /// When it is too late to decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// What the run called.
    pub function: String,
    /// Why, in the agent's words.
    pub intent: String,
    /// The run.
    pub run: RunId,
    /// What is to be done, in one line.
    pub title: String,
}

/// What a person decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// When.
    pub at: Timestamp,
    /// Who: a principal, such as `local:alice`.
    pub by: String,
    /// Whether it may be done.
    pub is_approved: bool,
    /// Why, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Proposal {
    /// Tells whether somebody can still decide at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.decision.is_none() && self.expires.is_none_or(|expires| now < expires)
    }
}

/// Bytes of the reason that somebody gives for a decision.
const WHY_MAX: usize = 4 * 1024;

impl Journal {
    /// Returns the proposals of which the run was not told what was decided, by run.
    ///
    /// # Errors
    /// What keeps the file from being read; a damaged row.
    pub fn proposals(&self) -> Result<Vec<Proposal>, Error> {
        self.0.store.reading(|read| {
            let Some(table) = tables::if_there(read, tables::APPROVALS)? else { return Ok(Vec::new()) };
            let rows = table.iter()?;
            rows.map(|row| {
                let (key, row) = row?;
                document::decode(WHAT, key.value(), row.value())
            })
            .collect()
        })
    }

    /// Decides proposals, by run and entry: all of them, or none. Durable when this returns; it blocks for one commit.
    ///
    /// # Errors
    /// [`Error::NotOpen`] for the first that is not there, was decided, or has expired.
    pub fn rule(&self, proposals: Vec<(RunId, u64)>, ruling: Ruling) -> Result<(), Error> {
        let len = ruling.why.as_ref().map_or(0, String::len);
        if len > WHY_MAX {
            return Err(Error::TooLarge { what: "the reason of a decision", len: len as u64, max: WHY_MAX as u64 });
        }
        self.0.edit(move |write| decide(write, &proposals, &ruling))
    }
}

fn decide(write: &WriteTransaction, proposals: &[(RunId, u64)], ruling: &Ruling) -> Result<Result<(), Error>, Error> {
    let mut decided = Vec::new();
    for &(run, entry) in proposals {
        let why = match load(write, run, entry)? {
            None => "is not there",
            Some(proposal) if proposal.decision.is_some() => "was decided already",
            Some(proposal) if !proposal.is_open(ruling.at) => "has expired",
            Some(proposal) => {
                decided.push(Proposal { decision: Some(ruling.clone()), ..proposal });
                continue;
            }
        };
        return Ok(Err(Error::NotOpen { run, entry, why }));
    }
    for proposal in decided {
        put(write, &proposal)?;
        waits::hasten(
            write,
            proposal.run,
            |waiting| matches!(&waiting.wait, Wait::Approval { proposal: awaited, .. } if *awaited == proposal.digest),
        )?;
    }
    Ok(Ok(()))
}

/// Keeps a proposal, unless it is there: a run that is taken up again proposes the same.
pub(super) fn propose(write: &WriteTransaction, proposal: &Proposal) -> Result<(), Error> {
    match load(write, proposal.run, proposal.entry)? {
        Some(kept) if kept.digest == proposal.digest => Ok(()),
        _ => put(write, proposal),
    }
}

/// Tells whether a proposal that a run begins to wait for was decided.
pub(super) fn is_decided(write: &WriteTransaction, run: RunId, entry: u64) -> Result<bool, Error> {
    Ok(load(write, run, entry)?.is_some_and(|proposal| proposal.decision.is_some()))
}

/// Returns the proposal that a run makes at an entry.
pub(super) fn find(store: &super::store::Store, run: RunId, entry: u64) -> Result<Option<Proposal>, Error> {
    store.reading(|read| {
        let Some(table) = tables::if_there(read, tables::APPROVALS)? else { return Ok(None) };
        let key = key(run, entry);
        table.get(&key)?.map(|row| document::decode(WHAT, &key, row.value())).transpose()
    })
}

/// Forgets the proposal that a run made at an entry.
pub(super) fn forget(write: &WriteTransaction, run: RunId, entry: u64) -> Result<(), Error> {
    write.open_table(tables::APPROVALS)?.remove(&key(run, entry))?;
    Ok(())
}

/// Forgets the proposals of a run.
pub(super) fn forget_run(write: &WriteTransaction, run: RunId) -> Result<(), Error> {
    let (first, last) = (key(run, 0), key(run, u64::MAX));
    write.open_table(tables::APPROVALS)?.retain_in::<&[u8; 24], _>(&first..=&last, |_, _| false)?;
    Ok(())
}

fn load(write: &WriteTransaction, run: RunId, entry: u64) -> Result<Option<Proposal>, Error> {
    let key = key(run, entry);
    let row = write.open_table(tables::APPROVALS)?.get(&key)?.map(|row| row.value().to_vec());
    // A damaged row is told to whoever lists them.
    Ok(row.and_then(|row| document::decode(WHAT, &key, &row).ok()))
}

fn put(write: &WriteTransaction, proposal: &Proposal) -> Result<(), Error> {
    let key = key(proposal.run, proposal.entry);
    write.open_table(tables::APPROVALS)?.insert(&key, &*document::encode(&key, proposal)?)?;
    Ok(())
}

fn key(run: RunId, entry: u64) -> [u8; 24] {
    let mut key = [0; 24];
    key[..16].copy_from_slice(run.as_bytes());
    key[16..].copy_from_slice(&entry.to_be_bytes());
    key
}
