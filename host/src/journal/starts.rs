//! Keys of idempotent starts: whoever asks twice, because no answer came, starts one run.
//!
//! A key is taken in the transaction that accepts its run, and is free again when that run is removed. It stands for what was
//! asked: the plugin, its input and its arguments.

use redb::{ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::header::Header;
use super::{document, header, tables};
use crate::digest::Digest;
use crate::id::RunId;

/// What messages call the row of a key.
const WHAT: &str = "the row of a start key";

/// A key that a run is accepted with.
#[derive(Clone, Debug)]
pub(super) struct Start {
    key: String,
    asked: Digest,
}

/// The row of a key.
#[derive(Serialize, Deserialize)]
struct Started {
    /// What was asked for.
    asked: Digest,
    /// The run that was started.
    run: RunId,
}

impl Start {
    /// Returns the key in a header, where there is one.
    pub fn of(header: &Header) -> Result<Option<Self>, Error> {
        let Some(key) = &header.start_key else { return Ok(None) };
        let asked = header::canonical(&(&header.plugin.identity, &header.input, &header.args))?;
        Ok(Some(Self { key: key.clone(), asked: Digest::of(&asked) }))
    }

    fn row_key(&self) -> [u8; 32] {
        *Digest::of_parts(&[b"remit start 1\0", self.key.as_bytes()]).as_bytes()
    }

    /// Says that the key is taken, if it is.
    fn taken(&self, started: &Started) -> Error {
        match started.asked == self.asked {
            true => Error::AlreadyStarted(started.run),
            false => Error::StartKeyTaken { key: self.key.as_str().into(), run: started.run },
        }
    }

    /// Takes the key for a run. The inner error is a refusal, and then nothing has changed.
    pub fn take(&self, write: &WriteTransaction, run: RunId) -> Result<Result<(), Error>, Error> {
        let mut starts = write.open_table(tables::STARTS)?;
        let key = self.row_key();
        if let Some(started) = load(&starts, &key)? {
            return Ok(Err(self.taken(&started)));
        }
        starts.insert(&key, &*document::encode(&key, &Started { asked: self.asked, run })?)?;
        Ok(Ok(()))
    }

    /// Gives the key back that a run has which is removed.
    pub fn give_back(&self, write: &WriteTransaction, run: RunId) -> Result<(), Error> {
        let mut starts = write.open_table(tables::STARTS)?;
        let key = self.row_key();
        if load(&starts, &key)?.is_some_and(|started| started.run == run) {
            starts.remove(&key)?;
        }
        Ok(())
    }
}

fn load(
    starts: &impl ReadableTable<&'static [u8; 32], &'static [u8]>,
    key: &[u8; 32],
) -> Result<Option<Started>, Error> {
    let row = starts.get(key)?;
    row.map(|row| document::decode(WHAT, key, row.value())).transpose()
}
