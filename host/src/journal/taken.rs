//! What a new owner of a run finds: the writing end, and where the record stands.

use super::entry::Kind;
use super::error::Error;
use super::reader::Stored;
use super::row::StateBody;
use super::run_writer::RunWriter;
use super::store::Store;

/// A run that was taken over.
pub struct TakenOver {
    /// Its new writing end.
    pub writer: RunWriter,
    /// How many entries it has up to its last call, intent or outcome, that one included.
    pub calls: u64,
    /// The intent that this last entry is, where nothing answers it.
    pub open: Option<u64>,
    /// The wall time of the last entry, in microseconds since the Unix epoch; 0 where there is none.
    pub time_us: u64,
    /// Its state entries, in order.
    pub states: Vec<StateEntry>,
}

/// A state entry of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateEntry {
    /// Its number in the run.
    pub number: u64,
    /// Its wall time in microseconds since the Unix epoch.
    pub time_us: u64,
    /// The wall time of the entry before it; its own where it is the first.
    pub before_us: u64,
    /// Its JSON.
    pub body: Vec<u8>,
}

/// What is gathered while a run is read to its end.
#[derive(Default)]
pub(super) struct Seen {
    pub calls: u64,
    pub open: Option<u64>,
    time_us: Option<u64>,
    states: Vec<(u64, u64, u64, StateBody)>,
}

impl Seen {
    /// Takes note of the next entry.
    pub fn take(&mut self, entry: &Stored<'_>) {
        match entry.kind {
            Kind::Call | Kind::Outcome => (self.calls, self.open) = (entry.number + 1, None),
            Kind::Intent => (self.calls, self.open) = (entry.number + 1, Some(entry.number)),
            Kind::State => {
                let before_us = self.time_us.unwrap_or(entry.time_us);
                self.states.push((entry.number, entry.time_us, before_us, StateBody::of(entry.params)));
            }
            Kind::Note => {}
        }
        self.time_us = Some(entry.time_us);
    }

    /// Reads the bodies of the states.
    ///
    /// # Errors
    /// What keeps the file from being read.
    pub fn states(self, store: &Store) -> Result<Vec<StateEntry>, Error> {
        let read = |(number, time_us, before_us, body): (u64, u64, u64, StateBody)| {
            Ok(StateEntry { number, time_us, before_us, body: body.json(store)? })
        };
        self.states.into_iter().map(read).collect()
    }
}
