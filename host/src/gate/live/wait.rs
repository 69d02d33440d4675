//! The live side of calls that wait.

use std::time::Duration;

use super::{Admission, Live, Turn};
use crate::digest::Digest;
use crate::gate::wait::{Asking, Proposed, STAYS, Stay, WaitOp, Waited};
use crate::gate::{Class, Halt, Ordinals, Value};
use crate::journal::{Extension, Proposal, Suspension, Waiting};
use crate::lifecycle::Wait;
use crate::time::Timestamp;

impl<C> Live<C> {
    /// Has the run stay in memory while it waits: nobody could resume it by itself.
    pub fn stay(&mut self) {
        self.suspends = false;
    }

    /// Tells whether what the run was suspended for is there.
    pub(in crate::gate) fn has_arrived(&self, wait: &Wait) -> Result<bool, Halt> {
        let now = self.clock.now();
        Ok(self.journal.borrow_mut().has_arrived(wait, now)?)
    }

    /// Permits or refuses a call that waits; answers it if it can be, else suspends the run for it.
    pub(in crate::gate) fn wait<P: Value, R: Value>(
        &mut self,
        op: &WaitOp<C, P, R>,
        name: &str,
        ordinals: &mut Ordinals,
        fuel: u64,
        params: &P,
        encoded: &[u8],
    ) -> Result<Waited<R>, Halt> {
        self.count(encoded)?;
        if self.disarmed.is_some()
            && let Some(outcome) = self.hear(op, fuel, params, encoded)?
        {
            return Ok(Waited::Answered(outcome));
        }
        self.look_at_grants_now()?;
        let now = self.clock.now();
        let admission = Admission::always(op.class);
        if let Err(denial) = (op.judge)(self.standing.remit(), params, now) {
            let admission = Admission { denial: Some(self.refusal(denial)), ..admission };
            return self.told(op.index, fuel, encoded, &admission, (op.refuse)(params)).map(Waited::Answered);
        }
        let wait = match (op.wait)(params, &self.asking(name, now, encoded)) {
            Ok(wait) => wait,
            Err(outcome) => {
                return self.told(op.index, fuel, encoded, &admission, outcome).map(Waited::Answered);
            }
        };
        if let Some(outcome) = self.turn(ordinals, |turn| (op.answer)(turn, &wait))? {
            return self.told(op.index, fuel, encoded, &admission, outcome).map(Waited::Answered);
        }
        if let Wait::Time { until } = wait
            && (until.since(now) < STAYS || !self.suspends)
        {
            let until = self.elapsed().saturating_add(until.since(self.clock.now()));
            return Ok(Waited::Stay(Stay { wait, until }));
        }
        if !self.suspends {
            return self.told(op.index, fuel, encoded, &admission, (op.unable)(params)).map(Waited::Answered);
        }
        let waiting = self.suspend(op.index, op.class, fuel, encoded, wait)?;
        let proposal = op.propose.and_then(|propose| self.proposal(name, propose(params), &waiting));
        Err(Halt::Waiting(Box::new(Suspension { waiting, proposal })))
    }

    /// Returns what a call is that waits.
    fn asking(&self, name: &str, now: Timestamp, encoded: &[u8]) -> Asking {
        let (run, entry) = {
            let journal = self.journal.borrow_mut();
            (journal.id(), journal.next_entry())
        };
        let number = entry.to_le_bytes();
        let parts: [&[u8]; 6] = [b"remit proposal v1\0", run.as_bytes(), &number[..], name.as_bytes(), b"\0", encoded];
        Asking { now, entry, digest: Digest::of_parts(&parts) }
    }

    /// Returns what a person is asked by a call that waits for one.
    pub(in crate::gate) fn proposal(&self, name: &str, proposed: Proposed, waiting: &Waiting) -> Option<Proposal> {
        let Wait::Approval { entry, proposal: digest, until: expires, .. } = waiting.wait else { return None };
        let Proposed { title, intent, details } = proposed;
        let (asked, run, function) = (self.clock.now(), self.journal.borrow_mut().id(), name.to_owned());
        Some(Proposal { asked, decision: None, details, digest, entry, expires, function, intent, run, title })
    }

    /// Answers a call that the run was suspended for.
    pub(in crate::gate) fn answer_begun<P, R: Value>(
        &mut self,
        op: &WaitOp<C, P, R>,
        ordinals: &mut Ordinals,
        fuel: u64,
        begun: Waiting,
    ) -> Result<R, Halt> {
        match self.turn(ordinals, |turn| (op.answer)(turn, &begun.wait))? {
            Some(outcome) => self.told(op.index, fuel, &[], &Admission::answering(op.class, begun.entry), outcome),
            None => Err(Halt::Waiting(Box::new(begun.into()))),
        }
    }

    /// Answers a call whose moment has come while the guest stayed. Timers of the system may be a little early.
    pub(in crate::gate) fn answer_stayed<P, R: Value>(
        &mut self,
        op: &WaitOp<C, P, R>,
        ordinals: &mut Ordinals,
        fuel: u64,
        encoded: &[u8],
        wait: &Wait,
    ) -> Result<R, Halt> {
        let over = match wait {
            Wait::Time { .. } => &Wait::Time { until: Timestamp::default() },
            Wait::Signal { .. } | Wait::Approval { .. } => wait,
        };
        let outcome = self.turn(ordinals, |turn| (op.answer)(turn, over))?;
        let outcome = outcome.ok_or_else(|| Halt::Misuse("a wait was over that is not".to_owned()))?;
        self.told(op.index, fuel, encoded, &Admission::always(op.class), outcome)
    }

    /// Suspends the run in a call that sleeps until a moment, if that is far away and the remit allows it.
    pub(in crate::gate) fn sleep(
        &mut self,
        index: u16,
        class: Class,
        fuel: u64,
        encoded: &[u8],
        until: Duration,
    ) -> Result<(), Halt> {
        let left = until.saturating_sub(self.elapsed());
        if !self.suspends || left < STAYS {
            return Ok(());
        }
        self.look_at_grants_now()?;
        let left_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        if self.standing.remit().timer_allows(left_ms).is_err() {
            return Ok(());
        }
        self.count(encoded)?;
        // Rounded up, so that the moment has come for the guest's clock too, which is finer.
        let left_us = u64::try_from(left.as_micros()).unwrap_or(u64::MAX).saturating_add(1);
        let until = Timestamp::from_micros(self.clock.now().as_micros().saturating_add(left_us));
        let waiting = self.suspend(index, class, fuel, encoded, Wait::Time { until })?;
        Err(Halt::Waiting(Box::new(waiting.into())))
    }

    /// Records that a call waits for this.
    fn suspend(&mut self, index: u16, class: Class, fuel: u64, encoded: &[u8], wait: Wait) -> Result<Waiting, Halt> {
        let before = Some(serde_json::to_string(&wait).expect("names and numbers, which JSON can hold"));
        let extension = Extension { before, ..Extension::default() };
        let entry = self.intend(index, class, fuel, encoded, Some(&extension))?;
        Ok(Waiting::new(entry, wait))
    }

    /// Has a call look for what it waits for.
    fn turn<T>(&mut self, ordinals: &mut Ordinals, look: impl FnOnce(&mut Turn<'_, C>) -> T) -> T {
        let Self { caps, journal, limits, usage, clock, started, before, shown, note, .. } = self;
        let mut journal = journal.borrow_mut();
        let (kv, started, before) = (&mut *journal, *started, *before);
        look(&mut Turn { caps, kv, ordinals, limits, usage, clock, started, before, shown, note })
    }

    /// Records what a call was told, with what it noted.
    pub(super) fn told<R: Value>(
        &mut self,
        index: u16,
        fuel: u64,
        encoded: &[u8],
        admission: &Admission,
        outcome: R,
    ) -> Result<R, Halt> {
        let mut extension = admission.extension();
        if let Some(note) = self.note.take() {
            extension.get_or_insert_default().before = Some(note);
        }
        self.record_outcome(index, fuel, encoded, admission, extension.as_deref(), &outcome)?;
        // When it was told, and what, cannot be had again.
        self.undurable_inputs = true;
        Ok(outcome)
    }
}
