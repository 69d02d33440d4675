//! Remote calls: those whose effect takes a while and is outside this host.
//!
//! Live, such a call is judged, its intent made durable where its class or an amount says so, sent without anything of
//! the run being borrowed, and recorded; a once-only outcome is durable before the guest sees it. What it claims of an
//! amount is stored with its intent, or the call is refused; what was not sent is given back. A grant that ends while
//! the call waits for the disk ends it too: it is looked at last when the call is sent. Replayed, it is answered from
//! the record like any other call: the replay side has nothing to send with.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::live::{Admission, Refusal};
use super::{Class, Gate, Halt, Side, Value};
use crate::digest::Digest;
use crate::journal::{self, GrantId};
use crate::meter::{Limits, Usage};
use crate::scope::{Denial, Remit, Terms};

/// A recorded function that does its work outside this host. `T` is what the call that waits for it is given.
pub struct RemoteOp<C, D, P, R, T = ()> {
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
    /// Updates what both sides know from params and outcome, and hands on what is for the caller. Live and replayed.
    pub apply: fn(&mut D, &P, R) -> T,
    /// Says what a recorded call took of what is outside this host, by its entry's account. Where a run is resumed.
    pub took: fn(&P, &R, Option<&str>) -> Usage,
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
    /// Whether any of it may have reached the other side. What surely did not is not counted against an amount.
    pub is_sent: bool,
    /// What it took: remote calls, bytes, tokens.
    pub usage: Usage,
    /// What the entry says of that, as one JSON text.
    pub account: Option<String>,
    /// Why there is no outcome yet: whoever was asked waits for a person. The run is parked in this call.
    pub parked: Option<String>,
}

impl<R> Sent<R> {
    /// Returns what came of a call for which nothing was sent.
    pub fn unsent(outcome: R) -> Self {
        Self { outcome, refusal: None, is_sent: false, usage: Usage::default(), account: None, parked: None }
    }
}

/// A remote call on its way.
#[derive(Default)]
pub struct Departure {
    /// Nothing for a call that is replayed.
    pub(super) admission: Option<Admission>,
    /// The class of this call, where it is another than its function's.
    pub(super) class: Option<Class>,
    /// Tells the far side that a call sent again is the same call.
    pub(super) key: Option<Digest>,
    /// The stored grant that allows it.
    pub(super) grant: Option<GrantId>,
    /// How its claims are answered.
    pub(super) claim: Option<journal::Answered>,
    /// Whether claims of its intent have to be settled.
    pub(super) is_claimed: bool,
    /// Which attempt it is, if not the first.
    pub(super) attempt: Option<u64>,
    /// What has to be over before it is sent.
    pub(super) first: Option<First>,
}

/// What a remote call waits for before it is sent: its intent on disk, and its claims decided. A claim that is refused
/// is no error here; the call is refused when it would be sent.
pub enum First {
    /// Everything recorded so far is on disk.
    Durable(journal::Durable),
    /// The claims are made and on disk with their intent, or refused.
    Claimed(journal::Answered),
}

impl Future for First {
    type Output = Result<(), journal::Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Durable(durable) => Pin::new(durable).poll(context),
            Self::Claimed(answered) => Pin::new(answered).poll(context).map(|answer| match answer {
                Err(refusal) if refusal.refuses_claim() => Ok(()),
                answer => answer,
            }),
        }
    }
}

impl Departure {
    /// Takes what has to be over before the call is sent.
    pub fn take_first(&mut self) -> Option<First> {
        self.first.take()
    }
}

impl<C, D> Gate<C, D> {
    /// Judges a remote call, and records its intent and claims its amounts where it has some.
    ///
    /// # Errors
    /// A [`Halt`] ends the run.
    pub fn depart<P: Value, R: Value, T>(
        &mut self,
        op: &RemoteOp<C, D, P, R, T>,
        fuel: u64,
        params: &P,
    ) -> Result<Departure, Halt> {
        self.encode(params);
        self.depart_encoded(op, fuel, params).map_err(|halt| self.halt_in(op.index, halt))
    }

    fn depart_encoded<P: Value, R: Value, T>(
        &mut self,
        op: &RemoteOp<C, D, P, R, T>,
        fuel: u64,
        params: &P,
    ) -> Result<Departure, Halt> {
        let begun = self.take_begun(op.index, fuel)?;
        self.wake(fuel)?;
        let Side::Live(live) = &mut self.side else { return Ok(Departure::default()) };
        let name = &self.functions.at(op.index).name;
        match begun {
            Some(begun) => live.depart_begun(op, name, fuel, params, &self.params, begun.open),
            None => {
                live.count(&self.params)?;
                live.depart(op, name, fuel, params, &self.params, None)
            }
        }
    }

    /// Begins to send what departed, once its wait is over. Nothing is sent for a call that was refused, whose grant has
    /// ended meanwhile, or that is replayed.
    ///
    /// # Errors
    /// A [`Halt`] ends the run.
    pub fn send<P, R, T>(
        &mut self,
        op: &RemoteOp<C, D, P, R, T>,
        params: &P,
        departure: &mut Departure,
    ) -> Result<Option<Sending<R>>, Halt> {
        let Side::Live(live) = &mut self.side else { return Ok(None) };
        live.send(op, &self.derived, params, departure).map_err(|halt| self.halt_in(op.index, halt))
    }

    /// Records what became of it, or takes that from the record. Returns what is for the caller, and what has to be
    /// durable before the guest sees it.
    ///
    /// # Errors
    /// A [`Halt`] ends the run.
    pub fn arrive<P: Value, R: Value, T>(
        &mut self,
        op: &RemoteOp<C, D, P, R, T>,
        fuel: u64,
        params: &P,
        departure: Departure,
        sent: Option<Sent<R>>,
    ) -> Result<(T, Option<journal::Durable>), Halt> {
        self.encode(params);
        let arrived = match &mut self.side {
            Side::Live(live) => live.arrive(op, fuel, params, &self.params, departure, sent),
            Side::Replay(replay) => {
                let answer = replay.answer(&self.functions, op.index, fuel, &self.params, &mut self.ordinals);
                answer.map(|outcome| (outcome, None))
            }
            Side::Resume(_) => self.relive_remote(op, fuel, params).map(|outcome| (outcome, None)),
        };
        match arrived {
            Ok((outcome, durable)) => Ok(((op.apply)(&mut self.derived, params, outcome), durable)),
            Err(halt) => Err(self.halt_in(op.index, halt)),
        }
    }
}
