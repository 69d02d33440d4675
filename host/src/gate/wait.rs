//! Calls that wait for what may take long: a moment, a signal.
//!
//! Live, such a call is judged, and answered at once where what it waits for is there. Otherwise it is recorded as an
//! intent that says what it waits for, and ends the guest's turn: a [`Halt::Waiting`] travels up, the run is suspended, and
//! nothing of it stays in memory. Where the run is resumed, the intent is taken up: what is there by then answers it, and
//! else the run is suspended again. A short sleep is waited for where the guest is.

use std::time::Duration;

use super::live::{Admission, Turn};
use super::{Class, Gate, Halt, Op, Side, Value};
use crate::digest::Digest;
use crate::journal::{Suspension, Waiting};
use crate::lifecycle::Wait;
use crate::scope::{Denial, Remit};
use crate::time::Timestamp;

/// A sleep that is shorter is waited for where the guest is: suspending and resuming a run costs more.
pub const STAYS: Duration = Duration::from_secs(1);

/// A recorded function that waits.
pub struct WaitOp<C, P, R> {
    /// Index in [`Functions`](super::Functions).
    pub index: u16,
    /// Its class.
    pub class: Class,
    /// Judges one call at this time. Live only.
    pub judge: fn(&Remit, &P, Timestamp) -> Result<(), Denial>,
    /// The outcome of a call that is refused.
    pub refuse: fn(&P) -> R,
    /// Says what a call waits for, or answers one that waits for nothing. Live only.
    pub wait: fn(&P, &Asking) -> Result<Wait, R>,
    /// Says what a person is asked by a call that waits for one. Live only.
    pub propose: Option<fn(&P) -> Proposed>,
    /// Returns the outcome, if what it waits for is there. Live only.
    pub answer: fn(&mut Turn<'_, C>, &Wait) -> Result<Option<R>, Halt>,
    /// The outcome of a call for whose sake the run would have to be suspended, and cannot be.
    pub unable: fn(&P) -> R,
}

/// A call that waits, as it is made.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    /// When.
    pub now: Timestamp,
    /// The number that its intent would have.
    pub entry: u64,
    /// Names it, of all calls there are: of the run, the entry, the function and the params.
    pub digest: Digest,
}

/// What a person is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// What is to be done, in one line.
    pub title: String,
    /// Why, in the agent's words.
    pub intent: String,
    /// All of it, as one JSON text.
    pub details: String,
}

/// What has become of a call that waits.
pub enum Waited<R> {
    /// It is answered.
    Answered(R),
    /// It is waited for where the guest is.
    Stay(Stay),
}

/// A wait that the guest stays for.
pub struct Stay {
    /// What for: a moment.
    pub(super) wait: Wait,
    /// When that is, counted from the run's start.
    pub until: Duration,
}

impl<C, D> Gate<C, D> {
    /// Begins a call that waits, or takes it up, or answers it.
    ///
    /// # Errors
    /// [`Halt::Waiting`] suspends the run; any other ends it.
    pub fn wait<P: Value, R: Value>(&mut self, op: &WaitOp<C, P, R>, fuel: u64, params: &P) -> Result<Waited<R>, Halt> {
        self.encode(params);
        self.wait_encoded(op, fuel, params).map_err(|halt| self.halt_in(op.index, halt))
    }

    fn wait_encoded<P: Value, R: Value>(
        &mut self,
        op: &WaitOp<C, P, R>,
        fuel: u64,
        params: &P,
    ) -> Result<Waited<R>, Halt> {
        let begun = match self.take_wait(op.index, fuel) {
            Err(Halt::Waiting(waits)) => return Err(self.propose_again(op, params, waits)),
            begun => begun?,
        };
        self.wake(fuel)?;
        let Self { functions, side, ordinals, params: encoded, .. } = self;
        match (side, begun) {
            (Side::Live(live), Some(begun)) => live.answer_begun(op, ordinals, fuel, begun).map(Waited::Answered),
            (Side::Live(live), None) => live.wait(op, &functions.at(op.index).name, ordinals, fuel, params, encoded),
            (Side::Replay(replay), _) => {
                replay.answer(functions, op.index, fuel, encoded, ordinals).map(Waited::Answered)
            }
            (Side::Resume(resume), _) => resume.relive_wait(functions, ordinals, op.index, fuel, encoded),
        }
    }

    /// Has the proposal of a run that goes on waiting be there, also if the run was killed before it was.
    fn propose_again<P, R>(&mut self, op: &WaitOp<C, P, R>, params: &P, mut waits: Box<Suspension>) -> Halt {
        let name = &self.functions.at(op.index).name;
        if let (Some(propose), Side::Resume(resume)) = (op.propose, &mut self.side) {
            waits.proposal = resume.live().proposal(name, propose(params), &waits.waiting);
        }
        Halt::Waiting(waits)
    }

    /// Answers a call whose moment has come while the guest stayed.
    ///
    /// # Errors
    /// A [`Halt`] ends the run.
    pub fn stayed<P: Value, R: Value>(
        &mut self,
        op: &WaitOp<C, P, R>,
        fuel: u64,
        params: &P,
        stay: &Stay,
    ) -> Result<R, Halt> {
        self.encode(params);
        let Self { side, ordinals, params: encoded, .. } = self;
        let Side::Live(live) = side else { unreachable!("only a live guest stays") };
        live.answer_stayed(op, ordinals, fuel, encoded, &stay.wait).map_err(|halt| self.halt_in(op.index, halt))
    }

    /// Takes up a call of a recorded function that slept when the run was suspended, for [`Gate::commit`] to go on with.
    /// Nothing: this is not it.
    ///
    /// # Errors
    /// [`Halt::Waiting`] when its moment has not come; any other [`Halt`] ends the run.
    pub fn take_sleep<P: Value, R: Value>(
        &mut self,
        op: &Op<C, D, P, R>,
        fuel: u64,
        params: &P,
    ) -> Result<Option<Admission>, Halt> {
        if !self.is_resuming() {
            return Ok(None);
        }
        self.encode(params);
        let begun = self.take_wait(op.index, fuel).map_err(|halt| self.halt_in(op.index, halt))?;
        Ok(begun.map(|begun| Admission::answering(op.class, begun.entry)))
    }

    /// Suspends the run in a call of a recorded function that sleeps until a moment, counted from the run's start, if it is
    /// far away and the remit allows so long a sleep. Else the guest sleeps where it is.
    ///
    /// # Errors
    /// [`Halt::Waiting`] suspends the run; any other ends it.
    pub fn sleep<P: Value, R: Value>(
        &mut self,
        op: &Op<C, D, P, R>,
        fuel: u64,
        params: &P,
        until: Duration,
    ) -> Result<(), Halt> {
        self.encode(params);
        let Side::Live(live) = &mut self.side else { return Ok(()) };
        live.sleep(op.index, op.class, fuel, &self.params, until).map_err(|halt| self.halt_in(op.index, halt))
    }

    /// Takes up the wait that is the last of the record, with nothing that answers it, and goes on live if what it waits
    /// for is there. Nothing: this call is not it.
    fn take_wait(&mut self, index: u16, fuel: u64) -> Result<Option<Waiting>, Halt> {
        let Side::Resume(resume) = &mut self.side else { return Ok(None) };
        let Some(begun) = resume.take_wait(&self.functions, index, fuel, &self.params)? else { return Ok(None) };
        self.wake(fuel)?;
        Ok(Some(begun))
    }
}
