//! Signals: named events from outside, each kept for one run until that is told of it.
//!
//! They are numbered as they arrive. A run is told of each once, those of one name in this order: the signal goes in the
//! transaction that stores the call which told the guest.

use redb::{ReadTransaction, ReadableTable, WriteTransaction};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::{Journal, document, row, tables, waits};
use crate::id::RunId;
use crate::lifecycle::Wait;
use crate::manifest::Name;
use crate::time::Timestamp;

/// The most bytes of a signal's JSON.
pub const SIGNAL_MAX: usize = 64 * 1024;
/// The most signals that a run was sent and has not been told of. It stops who sends many from filling the journal.
pub const SIGNALS_MAX: usize = 256;

/// What messages call the row of a signal.
const WHAT: &str = "the row of a signal";

/// A signal that was sent to a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// When it was sent.
    pub at: Timestamp,
    /// Who sent it: a principal, such as `local:alice`.
    pub by: String,
    /// Its name.
    pub name: Name,
    /// What it says: one JSON text of at most [`SIGNAL_MAX`] bytes, as it was sent.
    pub payload: String,
}

/// What became of a signal that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The run waited for it, and can go on.
    Awaited,
    /// It is kept until the run asks for it.
    Kept,
}

impl Journal {
    /// Keeps a signal for a run, whether or not that waits for it. Durable when this returns; it blocks for one commit.
    ///
    /// # Errors
    /// [`Error::NoSuchRun`]; [`Error::NotJson`]; [`Error::TooLarge`]; [`Error::TooManySignals`] where the run has not been
    /// told of [`SIGNALS_MAX`] others.
    pub fn signal(&self, run: RunId, signal: Signal) -> Result<Arrival, Error> {
        let (len, max) = (signal.payload.len() as u64, SIGNAL_MAX as u64);
        if len > max {
            return Err(Error::TooLarge { what: "the payload of a signal", len, max });
        }
        let json = serde_json::from_str::<IgnoredAny>(&signal.payload);
        json.map_err(|error| Error::NotJson(error.to_string().into()))?;
        self.0.edit(move |write| arrive(write, run, &signal))
    }

    /// Returns the signals that a run has not been told of: by name, and those of one name in the order of their arrival.
    ///
    /// # Errors
    /// What keeps the file from being read; a damaged row.
    pub fn signals(&self, run: RunId) -> Result<Vec<Signal>, Error> {
        self.0.store.reading(|read| {
            let Some(table) = tables::if_there(read, tables::SIGNALS)? else { return Ok(Vec::new()) };
            let (first, last) = of_run(run);
            let rows = table.range::<&[u8]>(&*first..&*last)?;
            rows.map(|row| {
                let (key, row) = row?;
                document::decode(WHAT, key.value(), row.value())
            })
            .collect()
        })
    }
}

fn arrive(write: &WriteTransaction, run: RunId, signal: &Signal) -> Result<Result<Arrival, Error>, Error> {
    if let Err(error) = row::load(&write.open_table(tables::RUNS)?, run) {
        return Ok(Err(error));
    }
    let mut signals = write.open_table(tables::SIGNALS)?;
    let (first, last) = of_run(run);
    if signals.range::<&[u8]>(&*first..&*last)?.take(SIGNALS_MAX).count() == SIGNALS_MAX {
        return Ok(Err(Error::TooManySignals { run, max: SIGNALS_MAX }));
    }
    let mut meta = write.open_table(tables::META)?;
    let number = meta.get(tables::SIGNALS_SENT)?.map_or(0, |sent| sent.value());
    meta.insert(tables::SIGNALS_SENT, number + 1)?;
    let key = [&*of_name(run, signal.name.as_str()), &number.to_be_bytes()].concat();
    signals.insert(&*key, &*document::encode(&key, signal)?)?;
    drop((signals, meta));
    let is_awaited = waits::hasten(
        write,
        run,
        |waiting| matches!(&waiting.wait, Wait::Signal { name, .. } if name == signal.name.as_str()),
    )?;
    Ok(Ok(if is_awaited { Arrival::Awaited } else { Arrival::Kept }))
}

/// Returns the key of the first signal of a name that the run has not been told of, and is not among `told`.
pub(super) fn first(
    read: &ReadTransaction,
    run: RunId,
    name: &str,
    told: impl Fn(&[u8]) -> bool,
) -> Result<Option<(Vec<u8>, Signal)>, Error> {
    let Some(table) = tables::if_there(read, tables::SIGNALS)? else { return Ok(None) };
    let (first, last) = of_its_name(run, name);
    for row in table.range::<&[u8]>(&*first..&*last)? {
        let (key, row) = row?;
        if !told(key.value()) {
            return Ok(Some((key.value().to_vec(), document::decode(WHAT, key.value(), row.value())?)));
        }
    }
    Ok(None)
}

/// Tells whether a signal of a name is there that the run has not been told of.
pub(super) fn is_there(write: &WriteTransaction, run: RunId, name: &str) -> Result<bool, Error> {
    let (first, last) = of_its_name(run, name);
    let table = write.open_table(tables::SIGNALS)?;
    Ok(table.range::<&[u8]>(&*first..&*last)?.next().is_some())
}

/// Forgets a signal that a run was told of.
pub(super) fn forget(write: &WriteTransaction, key: &[u8]) -> Result<(), Error> {
    write.open_table(tables::SIGNALS)?.remove(key)?;
    Ok(())
}

/// Forgets the signals of a run.
pub(super) fn forget_run(write: &WriteTransaction, run: RunId) -> Result<(), Error> {
    let (first, last) = of_run(run);
    write.open_table(tables::SIGNALS)?.retain_in::<&[u8], _>(&*first..&*last, |_, _| false)?;
    Ok(())
}

/// Returns how keys of a run's signals of a name begin. A name has no zero in it.
fn of_name(run: RunId, name: &str) -> Vec<u8> {
    [run.as_bytes(), name.as_bytes(), &[0]].concat()
}

/// Returns what the keys of a run's signals are between.
fn of_run(run: RunId) -> (Vec<u8>, Vec<u8>) {
    (run.as_bytes().to_vec(), [run.as_bytes(), &[u8::MAX][..]].concat())
}

/// Returns what the keys of a run's signals of a name are between.
fn of_its_name(run: RunId, name: &str) -> (Vec<u8>, Vec<u8>) {
    let first = of_name(run, name);
    let last = [&*first, &[u8::MAX; 9]].concat();
    (first, last)
}
