//! What suspended runs wait for, and when each can go on.
//!
//! A run that waits has a row from the transaction that suspends it to the one in which it goes on, and, while it is known
//! when that can be, a row in the order of these times. Whoever wakes runs reads the first of those and looks at no run.
//! What a run waits for moves its time to now in the transaction in which it arrives.

use redb::{ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::approvals::{self, Proposal};
use super::error::Error;
use super::signals;
use super::{Journal, document, tables};
use crate::id::RunId;
use crate::lifecycle::Wait;
use crate::time::Timestamp;

/// What messages call the row of a run that waits.
const WHAT: &str = "the row of what a run waits for";

/// A time that is over whatever the clock says.
const AT_ONCE: Timestamp = Timestamp::from_micros(0);

/// What a suspended run waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// From when on it can go on; nothing while that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// The number of the intent to wait.
    pub entry: u64,
    /// What for.
    pub wait: Wait,
}

impl Waiting {
    /// Returns what a run begins to wait for at its entry of this number.
    pub fn new(entry: u64, wait: Wait) -> Self {
        Self { due: wait.until(), entry, wait }
    }

    /// Tells whether the run can go on at `now`.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now)
    }
}

/// What a run is suspended for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// What it waits for.
    pub waiting: Waiting,
    /// What a person is asked, where it waits for one.
    pub proposal: Option<Proposal>,
}

impl From<Waiting> for Suspension {
    fn from(waiting: Waiting) -> Self {
        Self { waiting, proposal: None }
    }
}

/// What a segment that ends in a state changes about waiting.
pub(super) enum Change {
    /// The run waits from here on.
    Begin(Box<Suspension>),
    /// It waits no more.
    End,
}

impl Journal {
    /// Returns what a run waits for; nothing for one that does not, whatever its state. It reads one row.
    ///
    /// # Errors
    /// What keeps the file from being read; a damaged row.
    pub fn waiting(&self, run: RunId) -> Result<Option<Waiting>, Error> {
        self.0.store.reading(|read| {
            let Some(table) = tables::if_there(read, tables::WAITS)? else { return Ok(None) };
            let row = table.get(run.as_bytes())?;
            row.map(|row| document::decode(WHAT, run.as_bytes(), row.value())).transpose()
        })
    }

    /// Returns up to `max` runs that waited and can go on at `now`, those first that could do so first. It reads a row
    /// for each.
    ///
    /// # Errors
    /// What keeps the file from being read.
    pub fn due(&self, now: Timestamp, max: usize) -> Result<Vec<RunId>, Error> {
        self.0.store.reading(|read| {
            let Some(table) = tables::if_there(read, tables::DUE)? else { return Ok(Vec::new()) };
            let (first, last) = (key(AT_ONCE, [0; 16]), key(now, [u8::MAX; 16]));
            let rows = table.range::<&[u8; 24]>(&first..=&last)?.take(max);
            rows.map(|row| Ok(run_of(row?.0.value()))).collect()
        })
    }

    /// Returns when the next run that waits can go on, if that is known of one. It reads one row.
    ///
    /// # Errors
    /// What keeps the file from being read.
    pub fn next_due(&self) -> Result<Option<Timestamp>, Error> {
        self.0.store.reading(|read| {
            let Some(table) = tables::if_there(read, tables::DUE)? else { return Ok(None) };
            let first = table.first()?.map(|(key, _)| *key.value());
            Ok(first
                .map(|key| Timestamp::from_micros(u64::from_be_bytes(*key.first_chunk().expect("it has 24 bytes")))))
        })
    }
}

/// Makes the change that a segment of `run` comes with.
pub(super) fn apply(write: &WriteTransaction, run: RunId, change: &Change) -> Result<(), Error> {
    forget(write, run)?;
    let Change::Begin(suspension) = change else { return Ok(()) };
    let Suspension { mut waiting, proposal } = Suspension::clone(suspension);
    if let Some(proposal) = proposal {
        approvals::propose(write, &proposal)?;
    }
    // It may have arrived since the guest was told that it had not.
    let has_arrived = match &waiting.wait {
        Wait::Time { .. } => false,
        Wait::Signal { name, .. } => signals::is_there(write, run, name)?,
        Wait::Approval { entry, .. } => approvals::is_decided(write, run, *entry)?,
    };
    if has_arrived {
        waiting.due = Some(AT_ONCE);
    }
    store(write, run, &waiting)
}

/// Lets a run go on, if `is_it` says of what it waits for that it has arrived. Returns whether it does.
pub(super) fn hasten(write: &WriteTransaction, run: RunId, is_it: impl Fn(&Waiting) -> bool) -> Result<bool, Error> {
    let row = write.open_table(tables::WAITS)?.get(run.as_bytes())?.map(|row| row.value().to_vec());
    let Some(row) = row else { return Ok(false) };
    // A damaged row is told to whoever asks what the run waits for.
    let waiting = document::decode(WHAT, run.as_bytes(), &row).ok();
    let Some(waiting) = waiting.filter(is_it) else { return Ok(false) };
    forget(write, run)?;
    store(write, run, &Waiting { due: Some(AT_ONCE), ..waiting })?;
    Ok(true)
}

/// Forgets that a run waits.
pub(super) fn forget(write: &WriteTransaction, run: RunId) -> Result<(), Error> {
    let row = write.open_table(tables::WAITS)?.remove(run.as_bytes())?.map(|row| row.value().to_vec());
    let Some(row) = row else { return Ok(()) };
    let mut due = write.open_table(tables::DUE)?;
    match document::decode::<Waiting>(WHAT, run.as_bytes(), &row) {
        Ok(Waiting { due: Some(at), .. }) => drop(due.remove(&key(at, *run.as_bytes()))?),
        Ok(_) => {}
        Err(_) => due.retain(|key, ()| run_of(key) != run)?,
    }
    Ok(())
}

fn store(write: &WriteTransaction, run: RunId, waiting: &Waiting) -> Result<(), Error> {
    let row = document::encode(run.as_bytes(), waiting)?;
    write.open_table(tables::WAITS)?.insert(run.as_bytes(), &*row)?;
    if let Some(due) = waiting.due {
        write.open_table(tables::DUE)?.insert(&key(due, *run.as_bytes()), ())?;
    }
    Ok(())
}

fn key(due: Timestamp, run: [u8; 16]) -> [u8; 24] {
    let mut key = [0; 24];
    key[..8].copy_from_slice(&due.as_micros().to_be_bytes());
    key[8..].copy_from_slice(&run);
    key
}

fn run_of(key: &[u8; 24]) -> RunId {
    RunId::from_bytes(*key.last_chunk().expect("it has 24 bytes"))
}
