//! A disarmed fork: what it is told in place of having effects. It is what its parent was, where that made the very same
//! call after the cut, and in the same order; else the call is refused.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::{Admission, Live, Refusal, Turn};
use crate::digest::Digest;
use crate::gate::remote::Departure;
use crate::gate::wait::WaitOp;
use crate::gate::{Class, Functions, Halt, Op, Ordinals, Restore, Value};
use crate::id::RunId;
use crate::journal::{self, Cause, FunctionDef, Journal, Kind, Reader};

/// Has files opened that a call which was told stands for; or says why that cannot be.
type Open<C> = fn(&mut C) -> Result<(), String>;

/// Of which functions the parent's calls are answers.
pub type Answers = fn(&FunctionDef) -> bool;

/// What a fork is told that has no effects.
pub struct Disarmed<C> {
    parent: RunId,
    /// The parent's record, up to what was told last.
    reader: Reader,
    /// The parent's calls by function and params, in order.
    calls: HashMap<Digest, VecDeque<u64>>,
    functions: Arc<Functions>,
    open: Open<C>,
}

/// What the parent was told.
pub(super) struct Told {
    /// The parent's entry.
    pub cause: Cause,
    pub outcome: Vec<u8>,
    pub note: Option<String>,
    pub denial: Option<String>,
}

impl<C> Disarmed<C> {
    /// Looks up what the parent did after what the fork has of it. `own_from` is the number of the fork's own first
    /// entry.
    ///
    /// # Errors
    /// What keeps the records from being read.
    pub fn of(
        journal: &Journal,
        fork: RunId,
        (parent, own_from): (RunId, u64),
        functions: Arc<Functions>,
        (answers, open): (Answers, Open<C>),
    ) -> Result<Self, journal::Error> {
        let told = told_so_far(journal, fork, parent, own_from)?;
        let mut calls = HashMap::<_, VecDeque<u64>>::new();
        let mut record = journal.reader(parent)?;
        record.pass(told)?;
        while let Some(entry) = record.next()? {
            let is_call = matches!(entry.kind(), Kind::Call | Kind::Intent);
            if let Some(function) = entry.function().filter(|function| is_call && answers(function)) {
                calls.entry(key(&function.name, entry.params())).or_default().push_back(entry.number());
            }
        }
        let mut reader = journal.reader(parent)?;
        reader.pass(told)?;
        Ok(Self { parent, reader, calls, functions, open })
    }

    /// Returns what the parent was told when it made this call, and passes over everything before that.
    fn find(&mut self, index: u16, params: &[u8]) -> Result<Option<Told>, journal::Error> {
        let Some(numbers) = self.calls.get_mut(&key(&self.functions.at(index).name, params)) else { return Ok(None) };
        let at = self.reader.taken();
        while numbers.front().is_some_and(|number| *number < at) {
            numbers.pop_front();
        }
        let Some(entry) = numbers.pop_front() else { return Ok(None) };
        self.reader.pass(entry)?;
        let cause = Cause { run: self.parent, entry };
        while let Some(entry) = self.reader.next()? {
            match entry.kind() {
                Kind::Intent | Kind::State | Kind::Note => {}
                Kind::Call | Kind::Outcome => {
                    let extension = entry.extension()?;
                    let (note, denial) = (extension.before, extension.denial);
                    return Ok(Some(Told { cause, outcome: entry.outcome().to_vec(), note, denial }));
                }
            }
        }
        // The parent never heard what became of it.
        Ok(None)
    }

    /// Answers a call that would have had an effect, as the parent was answered.
    #[cold]
    pub(super) fn tell<D, P, R: Value>(
        &mut self,
        op: &Op<C, D, P, R>,
        derived: &D,
        params: &P,
        encoded: &[u8],
        turn: &mut Turn<'_, C>,
    ) -> Result<Option<(R, Box<Told>)>, Halt> {
        let Some(told) = self.find(op.index, encoded)? else { return Ok(None) };
        let Some(outcome) = decode::<R>(&told.outcome).filter(|outcome| is_next(outcome, turn.ordinals)) else {
            return Ok(None);
        };
        if let Some(restore) = op.restore {
            let at = turn.elapsed();
            let Turn { caps, usage, kv, .. } = turn;
            restore(&mut Restore { caps, usage, kv, at, note: told.note.as_deref() }, derived, params, &outcome);
            if (self.open)(turn.caps).is_err() {
                return Ok(None);
            }
        }
        outcome.handles(&mut |ordinal| turn.ordinals.saw(ordinal));
        Ok(Some((outcome, Box::new(told))))
    }

    /// Says why a call is refused.
    fn refusal(&self) -> Box<Refusal> {
        let (parent, at) = (self.parent, self.reader.taken());
        let rule = format!(
            "this run is a disarmed fork: it has no effects, and its parent {parent} made no such call from entry {at} on; \
             `remit fork --armed` makes one that has"
        );
        Box::new(Refusal::new(rule, None))
    }
}

impl<C> Live<C> {
    /// Takes its effects from a run.
    #[must_use]
    pub fn disarmed(mut self, disarmed: Disarmed<C>) -> Self {
        self.disarmed = Some(Box::new(disarmed));
        self
    }

    #[cold]
    pub(super) fn no_effect(&self) -> Box<Refusal> {
        self.disarmed
            .as_ref()
            .map_or_else(|| Box::new(Refusal::new(String::new(), None)), |disarmed| disarmed.refusal())
    }

    /// Answers or refuses a remote call of a fork that has no effects.
    #[cold]
    pub(super) fn hold_back(&mut self, index: u16, class: Class, encoded: &[u8]) -> Result<Departure, Halt> {
        let denial = Some(self.no_effect());
        let told = self.disarmed.as_mut().map_or(Ok(None), |disarmed| disarmed.find(index, encoded))?;
        let admission = Admission { denial, told: told.map(Box::new), ..Admission::always(class) };
        Ok(Departure { admission: Some(admission), ..Departure::default() })
    }
}

impl<C> Live<C> {
    /// Answers a call that waits as the parent was answered. A person is not asked otherwise; nothing: the fork waits
    /// itself.
    #[cold]
    pub(super) fn hear<P, R: Value>(
        &mut self,
        op: &WaitOp<C, P, R>,
        fuel: u64,
        params: &P,
        encoded: &[u8],
    ) -> Result<Option<R>, Halt> {
        let denial = Some(self.no_effect());
        let told = self.disarmed.as_mut().map_or(Ok(None), |disarmed| disarmed.find(op.index, encoded))?;
        if told.is_none() && op.propose.is_none() {
            return Ok(None);
        }
        let mut admission = Admission { denial, told: told.map(Box::new), ..Admission::always(op.class) };
        let outcome = admission.outcome_told().unwrap_or_else(|| (op.refuse)(params));
        self.told(op.index, fuel, encoded, &admission, outcome).map(Some)
    }
}

impl Admission {
    /// Returns the outcome that the parent had.
    pub(super) fn outcome_told<R: Value>(&mut self) -> Option<R> {
        let outcome = self.told.as_ref().and_then(|told| decode(&told.outcome));
        if outcome.is_none() {
            self.told = None;
        }
        outcome
    }
}

/// Returns where the parent's record goes on after what the fork was told of it.
fn told_so_far(journal: &Journal, fork: RunId, parent: RunId, own_from: u64) -> Result<u64, journal::Error> {
    let mut own = journal.reader(fork)?;
    own.pass(own_from)?;
    let mut told = own_from;
    while let Some(entry) = own.next()? {
        let cause = entry.extension()?.cause.and_then(|cause| cause.parse::<Cause>().ok());
        if let Some(cause) = cause.filter(|cause| cause.run == parent) {
            told = told.max(cause.entry.saturating_add(1));
        }
    }
    Ok(told)
}

fn key(function: &str, params: &[u8]) -> Digest {
    Digest::of_parts(&[function.as_bytes(), b"\0", params])
}

fn decode<R: Value>(mut outcome: &[u8]) -> Option<R> {
    R::decode(&mut outcome).ok().filter(|_| outcome.is_empty())
}

/// Tells whether the handles in an outcome are those that the run would be given now.
fn is_next<R: Value>(outcome: &R, ordinals: &Ordinals) -> bool {
    let (mut next, mut is_next) = (ordinals.next, true);
    outcome.handles(&mut |ordinal| {
        is_next &= ordinal == next;
        next = next.saturating_add(1);
    });
    is_next
}
