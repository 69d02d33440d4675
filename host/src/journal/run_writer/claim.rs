//! Intents that claim an amount: stored together with their claims, or not at all.
//!
//! The intent goes to the writer thread in a segment of its own. Until the answer is there, this end is on trial: if the
//! claims are refused, it goes back to where it was before the intent, whose number the next entry gets.

use super::{Record, RunWriter};
use crate::digest::Digest;
use crate::journal::amounts::{Claim, Settlement};
use crate::journal::answer::{Answered, Question};
use crate::journal::message::Claiming;
use crate::journal::{Error, FunctionId};
use crate::time::Timestamp;

/// Where a run goes on if its claims are refused.
pub(super) struct Trial {
    decision: Answered,
    next_entry: u64,
    fuel: u64,
    time_us: u64,
    /// The function that the intent defined.
    defined: Option<FunctionId>,
    /// The blobs that the intent used first.
    blobs: Vec<Digest>,
}

impl RunWriter {
    /// Appends an intent that claims amounts, and returns its number and what waits until both are on disk. Nothing of
    /// the intent is recorded when that answers [`Error::Exhausted`], [`Error::GrantEnded`] or [`Error::NoSuchGrant`]:
    /// the run goes on as if it had not been tried. The spans are those that `now` is in.
    ///
    /// # Errors
    /// As [`RunWriter::call`].
    pub fn claim(&mut self, intent: &Record<'_>, claims: Vec<Claim>, now: Timestamp) -> Result<(u64, Answered), Error> {
        self.settle_trial()?;
        self.hand_over(None, false)?;
        let (next_entry, fuel, time_us) = (self.next_entry, self.fuel, self.time_us);
        let is_new = self.functions.get(intent.function.0 as usize).is_some_and(|function| function.number == 0);
        let entry = self.call(intent)?;
        let blobs = self.open.blobs.iter().map(|blob| blob.digest).collect();
        let (question, decision) = Question::new();
        self.claiming = Some(Claiming { claims, owner: self.owner, now, question });
        self.hand_over(None, true)?;
        let defined = is_new.then_some(intent.function);
        self.unsettled = Some(entry);
        self.trial = Some(Trial { decision: decision.clone(), next_entry, fuel, time_us, defined, blobs });
        Ok((entry, decision))
    }

    /// Says what became of the claims of an intent. It is stored together with the entries recorded since, at the latest
    /// with the end of the run; until then the claims count as used.
    pub fn settle(&mut self, intent: u64, settlement: Settlement) {
        if self.unsettled == Some(intent) {
            self.unsettled = None;
        }
        self.settlements.push((intent, settlement));
    }

    /// Takes note of how the claims of the last intent were answered, and waits for that where nobody has.
    #[cold]
    pub(super) fn conclude(&mut self, trial: Trial) -> Result<(), Error> {
        match trial.decision.clone().wait() {
            Ok(()) => Ok(()),
            Err(refusal) if refusal.refuses_claim() => {
                self.take_back(&trial);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn take_back(&mut self, trial: &Trial) {
        self.unsettled = None;
        (self.next_entry, self.fuel, self.time_us) = (trial.next_entry, trial.fuel, trial.time_us);
        if let Some(function) = trial.defined {
            self.functions[function.0 as usize].number = 0;
            self.defined -= 1;
        }
        for blob in &trial.blobs {
            self.blobs_used.remove(blob);
        }
        (self.open.first_entry, self.open.fuel, self.open.time_us) = (self.next_entry, self.fuel, self.time_us);
    }

    #[inline]
    pub(super) fn settle_trial(&mut self) -> Result<(), Error> {
        match self.trial.take() {
            None => Ok(()),
            Some(trial) => self.conclude(trial),
        }
    }
}
