//! A run that waits: what it is told of what has arrived for it, and that it is suspended until more does.

use serde::Serialize;

use super::RunWriter;
use crate::journal::waits::{Change, Suspension};
use crate::journal::{Error, Proposal, Signal, approvals, signals};
use crate::lifecycle::Stated;
use crate::lifecycle::Wait;
use crate::time::Timestamp;

/// What the writer of a run knows of its waiting.
#[derive(Default)]
pub(super) struct Waits {
    /// Whether the journal says that it waits.
    pub is_waiting: bool,
    /// What the state changes about that which is handed over next.
    pub change: Option<Change>,
    /// What the run was told of, with the entry that told it: until it is gone from the journal.
    told: Vec<(u64, Told)>,
    /// How many of these were handed to the writer thread.
    sent: usize,
}

/// What a run was told of, which goes from the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::journal) enum Told {
    /// The signal with this key.
    Signal(Vec<u8>),
    /// What became of the proposal at this entry.
    Decision(u64),
}

impl RunWriter {
    /// Tells whether what a run waits for is there at `now`.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn has_arrived(&self, wait: &Wait, now: Timestamp) -> Result<bool, Error> {
        Ok(wait.until().is_some_and(|until| until <= now)
            || match wait {
                Wait::Time { .. } => false,
                Wait::Signal { name, .. } => self.next_signal(name)?.is_some(),
                Wait::Approval { entry, .. } => self.proposal(*entry)?.is_some_and(|asked| asked.decision.is_some()),
            })
    }

    /// Returns the next signal of a name and has it told: it goes together with the entry that is recorded next.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn take_signal(&mut self, name: &str) -> Result<Option<Signal>, Error> {
        let Some((key, signal)) = self.next_signal(name)? else { return Ok(None) };
        self.waits.told.push((self.next_entry, Told::Signal(key)));
        Ok(Some(signal))
    }

    /// Returns the proposal that the run makes at an entry, if it is there.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn proposal(&self, entry: u64) -> Result<Option<Proposal>, Error> {
        approvals::find(&self.core.store, self.run, entry)
    }

    /// Takes note that the run is told what became of a proposal: that goes together with the entry that is recorded next.
    pub fn conclude_proposal(&mut self, entry: u64) {
        self.waits.told.push((self.next_entry, Told::Decision(entry)));
    }

    fn next_signal(&self, name: &str) -> Result<Option<(Vec<u8>, Signal)>, Error> {
        let is_told =
            |key: &[u8]| self.waits.told.iter().any(|(_, told)| matches!(told, Told::Signal(told) if told == key));
        self.core.store.reading(|read| signals::first(read, self.run, name, is_told))
    }

    /// Appends a state entry as [`RunWriter::state`] does, which says that the run waits for this from here on: both are
    /// one transaction.
    ///
    /// # Errors
    /// As [`RunWriter::state`].
    pub fn suspend(
        &mut self,
        fuel: u64,
        time_us: u64,
        body: &(impl Serialize + Stated),
        waiting: Suspension,
    ) -> Result<u64, Error> {
        self.state_with(fuel, time_us, body, Some(Change::Begin(Box::new(waiting))))
    }

    /// Tells whether the journal says that the run waits.
    pub fn is_waiting(&self) -> bool {
        self.waits.is_waiting
    }
}

impl Waits {
    pub fn new(is_waiting: bool) -> Self {
        Self { is_waiting, ..Self::default() }
    }

    /// Returns what goes with the entries below `entry`, and has not been handed over.
    pub fn take_told(&mut self, entry: u64) -> Vec<Told> {
        let from = self.sent;
        self.sent += self.told[from..].iter().take_while(|(told, _)| *told < entry).count();
        self.told[from..self.sent].iter().map(|(_, told)| told.clone()).collect()
    }

    /// Forgets what is gone from the journal, now that so many entries are on disk.
    pub fn forget_told(&mut self, durable_entries: u64) {
        if self.told.is_empty() {
            return;
        }
        let gone = self.told[..self.sent].iter().take_while(|(entry, _)| *entry < durable_entries).count();
        self.told.drain(..gone);
        self.sent -= gone;
    }

    /// Forgets what was told in a call that did not happen: at this entry, which is another one now.
    pub fn drop_told(&mut self, entry: u64) {
        self.told.retain(|(told, _)| *told < entry);
        self.sent = self.sent.min(self.told.len());
    }

    /// Returns what a state changes, which says that the run waits, or that it does not.
    pub fn on_state(&mut self, begins: Option<Change>) -> Option<Change> {
        let was_waiting = std::mem::replace(&mut self.is_waiting, begins.is_some());
        begins.or(was_waiting.then_some(Change::End))
    }
}
