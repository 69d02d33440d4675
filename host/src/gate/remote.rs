//! Remote calls: those whose effect takes a while and is outside this host.
//!
//! Live, such a call is judged, its intent made durable where its class says so, sent without anything of the run
//! being borrowed, and recorded; a once-only outcome is durable before the guest sees it. Replayed, it is answered
//! from the record like any other call: the replay side has nothing to send with.

use std::pin::Pin;
use std::sync::Arc;

use super::live::{Admission, Refusal};
use super::{Class, Gate, Halt, Side, Value};
use crate::digest::Digest;
use crate::journal;
use crate::meter::Limits;
use crate::scope::{Denial, Remit, Terms};

/// A recorded function that does its work outside this host.
pub struct RemoteOp<C, D, P, R> {
    /// Index in [`Functions`](super::Functions).
    pub index: u16,
    /// The strictest class of the function.
    pub class: Class,
    /// Judges one call, and says its class. Live only.
    pub judge: for<'a> fn(&'a Remit, &'a P) -> Result<Permit<'a>, Denial>,
    /// The outcome of a call that is refused.
    pub refuse: fn(&P) -> R,
    /// Begins to do the work. Live only.
    pub send: fn(Outgoing<'_, C>, &D, &P) -> Sending<R>,
    /// Updates what both sides know from params and outcome. Live and replayed.
    pub apply: fn(&mut D, &P, R),
}

/// What holds for a remote call that the remit allows.
#[derive(Clone, Copy, Debug)]
pub struct Permit<'a> {
    /// The class of this one call, at most as strict as the function's.
    pub class: Class,
    /// How often and until when the scope that allows it holds.
    pub terms: &'a Terms,
}

/// What a remote call may use while it begins. What it sends holds none of it.
pub struct Outgoing<'a, C> {
    /// What the capabilities hold: the way out.
    pub caps: &'a mut C,
    /// What the run may do: the rule that allowed the call says more.
    pub remit: &'a Arc<Remit>,
    /// The limits of the run.
    pub limits: &'a Limits,
    /// The class of this call.
    pub class: Class,
    /// What tells the far side that a call sent again is the same call.
    pub key: Option<Digest>,
    /// The number of the entry that holds the call, or of its intent.
    pub entry: u64,
}

/// Work outside this host, under way. Dropping it ends it.
pub type Sending<R> = Pin<Box<dyn Future<Output = Sent<R>> + Send>>;

/// What became of a remote call.
pub struct Sent<R> {
    /// What the guest hears.
    pub outcome: R,
    /// Why it was refused, where that showed only on the way.
    pub refusal: Option<Box<Refusal>>,
    /// Bytes that went out.
    pub bytes_sent: u64,
    /// Bytes that came in.
    pub bytes_received: u64,
}

/// A remote call on its way.
#[derive(Default)]
pub struct Departure {
    /// Nothing for a call that is replayed.
    pub(super) admission: Option<Admission>,
    /// Tells the far side that a call sent again is the same call.
    pub(super) key: Option<Digest>,
    /// What has to be durable before it is sent.
    pub(super) first: Option<journal::Durable>,
}

impl Departure {
    pub(super) fn with(admission: Admission) -> Self {
        Self { admission: Some(admission), ..Self::default() }
    }

    /// Takes what has to be durable before the call is sent.
    pub fn take_first(&mut self) -> Option<journal::Durable> {
        self.first.take()
    }
}

impl<C, D> Gate<C, D> {
    /// Judges a remote call and records its intent where the class wants one.
    ///
    /// # Errors
    /// A [`Halt`] ends the run.
    pub fn depart<P: Value, R: Value>(
        &mut self,
        op: &RemoteOp<C, D, P, R>,
        fuel: u64,
        params: &P,
    ) -> Result<Departure, Halt> {
        self.encode(params);
        let Side::Live(live) = &mut self.side else { return Ok(Departure::default()) };
        let departure = live.depart(op, &self.functions.at(op.index).name, fuel, params, &self.params);
        departure.map_err(|halt| self.halt_in(op.index, halt))
    }

    /// Begins to send what departed, once its wait is over. Nothing is sent for a call that was refused, or replayed.
    pub fn send<P, R>(&mut self, op: &RemoteOp<C, D, P, R>, params: &P, departure: &Departure) -> Option<Sending<R>> {
        let Side::Live(live) = &mut self.side else { return None };
        live.send(op, &self.derived, params, departure)
    }

    /// Records what became of it, or takes that from the record. Returns what has to be durable before the guest sees
    /// it.
    ///
    /// # Errors
    /// A [`Halt`] ends the run.
    pub fn arrive<P: Value, R: Value>(
        &mut self,
        op: &RemoteOp<C, D, P, R>,
        fuel: u64,
        params: &P,
        departure: Departure,
        sent: Option<Sent<R>>,
    ) -> Result<Option<journal::Durable>, Halt> {
        self.encode(params);
        let arrived = match (&mut self.side, departure.admission) {
            (Side::Live(live), Some(admission)) => live.arrive(op, fuel, params, &self.params, admission, sent),
            (Side::Replay(replay), _) => {
                let answer = replay.answer(&self.functions, op.index, fuel, &self.params, &mut self.ordinals);
                answer.map(|outcome| (outcome, None))
            }
            (Side::Live(_), None) => unreachable!("a live call departs before it arrives"),
        };
        match arrived {
            Ok((outcome, durable)) => {
                (op.apply)(&mut self.derived, params, outcome);
                Ok(durable)
            }
            Err(halt) => Err(self.halt_in(op.index, halt)),
        }
    }
}
