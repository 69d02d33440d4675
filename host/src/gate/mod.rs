//! The gate: the one code path of every host call, ours and WASI's.
//!
//! Live, a call is permitted, metered, performed and recorded; replayed, it is compared with the next entry and
//! answered from it. The replay side is built from types that hold no journal writer and nothing that reaches out.
//! The gate knows no engine and no interface: capabilities hand it [`Op`]s, which name a function, its class and
//! the closures that do the work.

pub mod divergence;
pub mod end;
pub mod function;
pub mod halt;
pub mod incoming;
pub mod remote;
pub mod value;
pub mod wait;

mod live;
mod output;
mod replay;
mod resume;

pub use divergence::Divergence;
pub use end::{End, Failed, LastState, Outcome, Where, Why};
pub use function::{Class, Function, Functions};
pub use halt::{Halt, StopReason};
pub use incoming::Incoming;
pub use live::{Admission, Buffered, Disarmed, Family, Live, Refusal, Standing, Turn};
pub use output::{Output, OutputStream};
pub use remote::{Departure, First, Outgoing, Permit, RemoteOp, Sending, Sent};
pub use replay::{FuelRule, Replay, class_name};
pub use resume::{Awaken, Open, Recover, Recovered, Relive, Restore, Resume, Tip};
pub use value::Value;
pub use wait::{Asking, Proposed, STAYS, Stay, WaitOp, Waited};

use std::sync::Arc;

use serde_json::Value as Json;

use crate::journal;
use crate::manifest::Level;
use crate::meter::{Crossed, LimitKind};
use crate::scope::{Access, HttpTarget};

/// What a call wants, for the remit to judge.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'a> {
    /// Always allowed: clocks, randomness, handles the guest holds already.
    Nothing,
    /// A key of the plugin's kv.
    Key(&'a str, Access),
    /// The mount with this index.
    Mount(usize, Access),
    /// Two mounts at once, as a rename does.
    Mounts([usize; 2], Access),
    /// A log line at this level.
    Log(Level),
    /// A configuration value.
    Config(&'a str),
    /// A request over HTTP.
    Http(&'a HttpTarget),
    /// Something that no remit of this version holds, and what to call it.
    Never(&'static str),
}

/// A call after its params were looked at: what it wants, and the class that this one call has.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// What the remit is asked.
    pub ask: Ask<'a>,
    /// The class of this call, at most as strict as the function's.
    pub class: Class,
}

/// A recorded host function: its work in closures that the gate calls when, and only when, it is their turn.
pub struct Op<C, D, P, R> {
    /// Index in [`Functions`].
    pub index: u16,
    /// The strictest class of the function.
    pub class: Class,
    /// Says what the call wants. `None` means that it always may, with the function's class.
    pub judge: Option<for<'a> fn(&'a D, &'a P) -> Asked<'a>>,
    /// The outcome that a refused guest sees.
    pub refuse: fn(&P) -> R,
    /// Does the work. Live only.
    pub perform: fn(&mut Turn<'_, C>, &D, &P) -> Result<R, Halt>,
    /// Looks at what a call of a class with intent is about to change. Live only.
    pub foresee: Option<fn(&C, &P) -> Option<Json>>,
    /// Updates what both sides know from params and outcome. Live and replayed.
    pub apply: Option<fn(&mut D, &P, &R)>,
    /// Brings what the capabilities hold to where the recorded call left it. Before `apply`, where a run is resumed.
    pub restore: Option<Relive<C, D, P, R>>,
    /// Looks whether a call of a class with intent was done that found this in place. Where a run is resumed.
    pub recover: Option<Recover<C, D, P, R>>,
}

/// A host function computed from what is recorded already: it runs on both sides and leaves a small entry.
pub struct PureOp<D, P, R> {
    /// Index in [`Functions`].
    pub index: u16,
    /// Does the work, on both sides.
    pub perform: fn(&mut D, &mut Ordinals, &P) -> Result<R, Halt>,
}

/// Gives out creation ordinals for handles, and holds their number to the limit.
#[derive(Debug)]
pub struct Ordinals {
    next: u32,
    held: u64,
    held_max: u64,
}

impl Ordinals {
    fn new(held_max: u64) -> Self {
        Self { next: 1, held: 0, held_max }
    }

    /// Returns the ordinal of a new handle.
    ///
    /// # Errors
    /// [`Halt::Limit`] when the guest holds as many handles as the limit allows. The limit stops a guest from
    /// filling the host's tables.
    pub fn create(&mut self) -> Result<u32, Halt> {
        if self.held >= self.held_max {
            return Err(Crossed { limit: LimitKind::Handles, max: self.held_max, wanted: self.held + 1 }.into());
        }
        let ordinal = self.next;
        self.saw(ordinal);
        Ok(ordinal)
    }

    /// Takes note of a handle that a recorded outcome created.
    fn saw(&mut self, ordinal: u32) {
        if ordinal >= self.next {
            self.next = ordinal.saturating_add(1);
            self.held += 1;
        }
    }

    /// Takes note that a handle was dropped.
    pub fn release(&mut self) {
        self.held = self.held.saturating_sub(1);
    }
}

/// The gate of one run: `C` is what only a live run has, `D` what both sides know.
pub struct Gate<C, D> {
    functions: Arc<Functions>,
    /// What both sides derive from the record: open handles, the seeded generator, arguments.
    pub derived: D,
    ordinals: Ordinals,
    params: Vec<u8>,
    side: Side<C, D>,
    halted_in: Option<u16>,
}

enum Side<C, D> {
    Live(Box<Live<C>>),
    Replay(Box<Replay>),
    Resume(Box<Resume<C, D>>),
}

impl<C, D> Gate<C, D> {
    /// Makes the gate of a live run.
    pub fn live(functions: Arc<Functions>, derived: D, live: Live<C>) -> Self {
        let handles_max = live.limits()[LimitKind::Handles];
        Self::new(functions, derived, handles_max, Side::Live(Box::new(live)))
    }

    /// Makes the gate of a replay.
    pub fn replay(functions: Arc<Functions>, derived: D, replay: Replay) -> Self {
        let handles_max = replay.limits()[LimitKind::Handles];
        Self::new(functions, derived, handles_max, Side::Replay(Box::new(replay)))
    }

    fn new(functions: Arc<Functions>, derived: D, handles_max: u64, side: Side<C, D>) -> Self {
        let params = Vec::with_capacity(256);
        Self { functions, derived, ordinals: Ordinals::new(handles_max), params, side, halted_in: None }
    }

    /// Returns the live side, if this run is live.
    pub fn as_live(&mut self) -> Option<&mut Live<C>> {
        match &mut self.side {
            Side::Live(live) => Some(live),
            Side::Replay(_) | Side::Resume(_) => None,
        }
    }

    /// Returns the live side and what both sides know, if this run is live. See [`Gate::wake`].
    pub fn as_live_with_derived(&mut self) -> Option<(&mut Live<C>, &D)> {
        match &mut self.side {
            Side::Live(live) => Some((live, &self.derived)),
            Side::Replay(_) | Side::Resume(_) => None,
        }
    }

    /// Returns the replay side, if this run is replayed.
    pub fn as_replay(&mut self) -> Option<&mut Replay> {
        match &mut self.side {
            Side::Live(_) | Side::Resume(_) => None,
            Side::Replay(replay) => Some(replay),
        }
    }

    /// Returns the function at an index of the table.
    pub fn function(&self, index: u16) -> &Function {
        self.functions.at(index)
    }

    /// Returns the table of functions.
    pub fn functions(&self) -> Arc<Functions> {
        self.functions.clone()
    }

    /// Returns the function in whose call the run was halted, if it was.
    pub fn halted_in(&self) -> Option<&Function> {
        self.halted_in.map(|index| self.functions.at(index))
    }

    /// Answers a call that needs no waiting.
    ///
    /// # Errors
    /// A [`Halt`] ends the run.
    #[inline]
    pub fn call<P: Value, R: Value>(&mut self, op: &Op<C, D, P, R>, fuel: u64, params: &P) -> Result<R, Halt> {
        self.encode(params);
        let admission = self.wake(fuel).and_then(|()| match &mut self.side {
            Side::Live(live) => live.admit(op, &self.derived, params, &self.params).map(Some),
            Side::Replay(_) | Side::Resume(_) => Ok(None),
        });
        let answer = admission.and_then(|admission| self.answer(op, fuel, params, admission));
        self.finish(op, params, answer)
    }

    /// Prepares a call whose earlier entries, or whose intent, may have to be durable first. Returns the call for
    /// [`Gate::commit`] to go on with, and what to wait for before.
    ///
    /// # Errors
    /// A [`Halt`] ends the run.
    pub fn prepare<P: Value, R: Value>(
        &mut self,
        op: &Op<C, D, P, R>,
        fuel: u64,
        params: &P,
    ) -> Result<(Option<Admission>, Option<journal::Durable>), Halt> {
        self.encode(params);
        self.prepare_encoded(op, fuel, params).map_err(|halt| self.halt_in(op.index, halt))
    }

    fn prepare_encoded<P: Value, R: Value>(
        &mut self,
        op: &Op<C, D, P, R>,
        fuel: u64,
        params: &P,
    ) -> Result<(Option<Admission>, Option<journal::Durable>), Halt> {
        let begun = self.take_begun(op.index, fuel)?;
        self.wake(fuel)?;
        let Side::Live(live) = &mut self.side else { return Ok((None, None)) };
        if let Some(begun) = begun {
            return Ok((Some(live.admit_begun(op, &self.derived, params, begun)?), None));
        }
        let mut admission = live.admit(op, &self.derived, params, &self.params)?;
        let durable = live.make_durable(op, fuel, params, &self.params, &mut admission)?;
        Ok((Some(admission), durable))
    }

    /// Does what [`Gate::prepare`] prepared, once its wait is over.
    ///
    /// # Errors
    /// A [`Halt`] ends the run.
    pub fn commit<P: Value, R: Value>(
        &mut self,
        op: &Op<C, D, P, R>,
        fuel: u64,
        params: &P,
        mut admission: Option<Admission>,
    ) -> Result<R, Halt> {
        self.encode(params);
        let permitted = match (&mut self.side, &mut admission) {
            (Side::Live(live), Some(admission)) => live.admit_again(op, &self.derived, params, admission),
            _ => Ok(()),
        };
        let answer = permitted.and_then(|()| self.answer(op, fuel, params, admission));
        self.finish(op, params, answer)
    }

    /// Performs an admitted call, or answers it from the record.
    #[inline]
    fn answer<P: Value, R: Value>(
        &mut self,
        op: &Op<C, D, P, R>,
        fuel: u64,
        params: &P,
        admission: Option<Admission>,
    ) -> Result<R, Halt> {
        match (&mut self.side, admission) {
            (Side::Live(live), Some(admission)) => {
                live.perform(op, &self.derived, &mut self.ordinals, fuel, params, &self.params, admission)
            }
            (Side::Replay(replay), _) => {
                replay.answer(&self.functions, op.index, fuel, &self.params, &mut self.ordinals)
            }
            (Side::Resume(_), _) => self.relive(op, fuel, params),
            (Side::Live(_), None) => unreachable!("a live call is admitted before it is performed"),
        }
    }

    /// Answers a call that follows from what is recorded already.
    ///
    /// # Errors
    /// A [`Halt`] ends the run.
    #[inline]
    pub fn pure<P: Value, R: Value>(&mut self, op: &PureOp<D, P, R>, fuel: u64, params: &P) -> Result<R, Halt> {
        self.compute(op.index, fuel, params, op.perform)
    }

    /// Answers a call of function `index` that follows from what is recorded already, by `perform`.
    ///
    /// # Errors
    /// A [`Halt`] ends the run.
    #[inline]
    pub fn compute<P: Value, R: Value>(
        &mut self,
        index: u16,
        fuel: u64,
        params: &P,
        perform: impl FnOnce(&mut D, &mut Ordinals, &P) -> Result<R, Halt>,
    ) -> Result<R, Halt> {
        self.encode(params);
        let awake = self.wake(fuel);
        let answer = awake.and_then(|()| match &mut self.side {
            Side::Live(live) => perform(&mut self.derived, &mut self.ordinals, params).and_then(|outcome| {
                live.record_pure(index, fuel, &self.params)?;
                Ok(outcome)
            }),
            Side::Replay(replay) => replay
                .expect(&self.functions, index, fuel, &self.params)
                .and_then(|()| perform(&mut self.derived, &mut self.ordinals, params)),
            Side::Resume(_) => self.recompute(index, fuel, params, perform),
        });
        answer.map_err(|halt| self.halt_in(index, halt))
    }

    /// Takes note of a halt that a host function found while it waited.
    pub fn halt_in(&mut self, index: u16, halt: Halt) -> Halt {
        self.halted_in = Some(index);
        halt
    }

    fn encode<P: Value>(&mut self, params: &P) {
        self.params.clear();
        params.encode(&mut self.params);
    }

    #[inline]
    fn finish<P, R>(&mut self, op: &Op<C, D, P, R>, params: &P, answer: Result<R, Halt>) -> Result<R, Halt> {
        match (&answer, op.apply) {
            (Ok(outcome), Some(apply)) => apply(&mut self.derived, params, outcome),
            (Ok(_), None) => {}
            (Err(_), _) => self.halted_in = Some(op.index),
        }
        answer
    }
}
