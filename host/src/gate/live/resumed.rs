//! The live side of a run that is resumed: it is brought to where the record ends, and says that it goes on.

use std::time::Duration;

use super::Live;
use crate::gate::{Halt, Restore};
use crate::lifecycle::{HOST, State, Transition};
use crate::meter::Usage;
use crate::time::Timestamp;

impl<C> Live<C> {
    /// Has the run go on that began at `began`, and whose last entry is of `last_us`: its time includes what passed
    /// while nobody drove it, and never goes back.
    #[must_use]
    pub fn since(mut self, began: Timestamp, last_us: u64) -> Self {
        let last = Timestamp::from_micros(last_us);
        self.started_us = began.as_micros();
        self.before = self.clock.now().max(last).since(began);
        self.stamped = last.since(began);
        self
    }

    /// Records that the run goes on.
    pub(in crate::gate) fn went_live(&mut self, fuel: u64, by: String) -> Result<(), Halt> {
        let time_us = self.wall_us(self.elapsed());
        let by = if by.is_empty() { HOST.to_owned() } else { by };
        let body = Transition { now: State::Running, why: "resumed".into(), by, entry: None, decision: None };
        self.journal.borrow_mut().state(fuel, time_us, &body)?;
        Ok(())
    }

    /// Counts a recorded call as when it was made.
    pub(in crate::gate) fn relived(&mut self, params_len: u64, outcome_len: u64) {
        self.usage.calls += 1;
        self.usage.bytes_in += params_len;
        self.usage.bytes_out += outcome_len;
    }

    /// Counts what a recorded call took of what is outside this host, and of others.
    pub(in crate::gate) fn reused(&mut self, took: Usage, by_others: Option<&Usage>) {
        self.usage += took;
        self.called += by_others.copied().unwrap_or_default();
    }

    /// Does again what a call, recorded at `time_us`, did to what the capabilities hold.
    pub(in crate::gate) fn restore(
        &mut self,
        time_us: u64,
        note: Option<&str>,
        again: impl FnOnce(&mut Restore<'_, C>),
    ) {
        let at = Duration::from_micros(time_us.saturating_sub(self.started_us));
        let kv = &mut *self.journal.borrow_mut();
        again(&mut Restore { caps: &mut self.caps, usage: &mut self.usage, kv, at, note });
    }
}
