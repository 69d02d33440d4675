//! The live side of the gate: permit, make durable what the class demands, perform, record, settle.

mod family;
mod incoming;
mod remote;

use std::sync::Arc;
use std::time::Duration;

use atomic_refcell::{AtomicRefCell, AtomicRefMut};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::function::{Class, Functions};
use super::output::{Output, OutputStream};
use super::{Ask, Asked, Halt, Op, Ordinals, Value};
use crate::journal::{self, Extension, FunctionId, Kind, Record, RunWriter};
use crate::meter::{Crossed, LimitKind, Limits, Usage};
use crate::scope::Remit;
use crate::time::Clock;

pub use self::family::Family;

/// What one call may use while it is performed.
pub struct Turn<'a, C> {
    /// What the capabilities hold: open files, the output sink.
    pub caps: &'a mut C,
    /// The run's own view of its kv, pending writes included.
    pub kv: &'a mut RunWriter,
    /// Gives out handles.
    pub ordinals: &'a mut Ordinals,
    /// The limits of the run.
    pub limits: &'a Limits,
    /// What the run has used so far.
    pub usage: &'a mut Usage,
    /// Where wall time comes from.
    pub clock: &'a Clock,
    started: Duration,
    shown: &'a mut Vec<(OutputStream, Vec<u8>)>,
}

impl<C> Turn<'_, C> {
    /// Returns the time since the run began.
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed().saturating_sub(self.started)
    }

    /// Queues output; it is shown once its entry is durable.
    ///
    /// # Errors
    /// [`Halt::Limit`] when the run has written more than its output limit.
    pub fn show(&mut self, stream: OutputStream, bytes: &[u8]) -> Result<(), Halt> {
        let wanted = self.usage.output_bytes + bytes.len() as u64;
        self.limits.check(LimitKind::Output, wanted)?;
        self.usage.output_bytes = wanted;
        self.shown.push((stream, bytes.to_vec()));
        Ok(())
    }
}

/// Why a call was refused, for the operator. The guest hears a code and no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The rule that refused it.
    pub rule: String,
    /// The smallest grant that would have allowed it, as TOML, where one can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
}

/// A judged call on its way to being performed.
pub struct Admission {
    class: Class,
    denial: Option<Box<Refusal>>,
    intent: Option<u64>,
    /// Whether the call works on files, which may be slow.
    on_files: bool,
}

/// The live side of one run.
pub struct Live<C> {
    /// What the capabilities hold.
    pub caps: C,
    journal: Buffered,
    remit: Arc<Remit>,
    limits: Limits,
    usage: Usage,
    /// What the connectors used that it called.
    called: Usage,
    /// The journals of the runs that serve each other, this one's among them.
    family: Option<Family>,
    clock: Clock,
    started: Duration,
    started_us: u64,
    /// When the clock was last read for an entry.
    stamped: Duration,
    interned: Vec<FunctionId>,
    outcome: Vec<u8>,
    output: Output,
    shown: Vec<(OutputStream, Vec<u8>)>,
    /// Whether something was recorded that replay cannot derive and that is not durable yet.
    undurable_inputs: bool,
}

impl Admission {
    /// Returns the admission of a call that nobody judges.
    #[inline]
    fn always(class: Class) -> Self {
        Self { class, denial: None, intent: None, on_files: false }
    }

    #[inline]
    fn extension(&self) -> Option<Box<Extension>> {
        if self.intent.is_none() && self.denial.is_none() { None } else { Some(self.written()) }
    }

    #[cold]
    fn written(&self) -> Box<Extension> {
        let denial = self.denial.as_ref().map(|refusal| json!(refusal).to_string());
        Box::new(Extension { answers: self.intent, denial, ..Extension::default() })
    }
}

/// The run's journal, shared between the guest's calls and whoever drives the guest, who hands over what is buffered
/// while the guest computes. Both are one task, so they take turns, and no turn lasts across a wait.
#[derive(Clone)]
pub struct Buffered(Arc<AtomicRefCell<RunWriter>>);

impl Buffered {
    /// Returns the writer. A cell costs a recorded call half of what a lock would.
    ///
    /// # Panics
    /// When somebody holds the writer already, which takes two tasks.
    #[inline]
    pub fn borrow_mut(&self) -> AtomicRefMut<'_, RunWriter> {
        self.0.borrow_mut()
    }
}

impl<C> Live<C> {
    /// Makes the live side of a run that was just accepted.
    pub fn new(
        caps: C,
        mut journal: RunWriter,
        functions: &Functions,
        remit: Arc<Remit>,
        limits: Limits,
        clock: Clock,
    ) -> Self {
        let interned =
            functions.iter().map(|function| journal.function(function.name.clone(), function.class as u8)).collect();
        let (started, started_us) = (clock.elapsed(), clock.now().as_micros());
        Self {
            caps,
            journal: Buffered(Arc::new(AtomicRefCell::new(journal))),
            remit,
            limits,
            usage: Usage::default(),
            called: Usage::default(),
            family: None,
            clock,
            started,
            started_us,
            stamped: Duration::ZERO,
            interned,
            outcome: Vec::with_capacity(256),
            output: Output::default(),
            shown: Vec::new(),
            undurable_inputs: false,
        }
    }

    /// Returns the limits of the run.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns what the run has used so far.
    pub fn usage(&mut self) -> &mut Usage {
        &mut self.usage
    }

    /// Returns what the connectors used that the run called.
    pub fn called(&self) -> Usage {
        self.called
    }

    /// Joins the runs that serve each other: what one of them needs on disk takes what the others recorded before
    /// along, because it may follow from that.
    pub fn join(&mut self, family: &Family) {
        family.add(self.journal.clone());
        self.family = Some(family.clone());
    }

    /// Returns the runs that it serves, or that serve it.
    pub fn family(&self) -> Option<&Family> {
        self.family.as_ref()
    }

    /// Returns the run's journal.
    pub fn journal(&self) -> Buffered {
        self.journal.clone()
    }

    /// Returns the time since the run began.
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed().saturating_sub(self.started)
    }

    /// Returns the wall time of a moment of the run, in microseconds since the epoch.
    #[inline]
    pub fn wall_us(&self, elapsed: Duration) -> u64 {
        self.started_us + elapsed.as_micros() as u64
    }

    /// Returns the wall time of an entry. What only reads or computes takes the time of the last tick: a clock that is
    /// read for every call costs as much as the rest of recording it. Times never go back.
    #[inline]
    fn stamp(&mut self, class: Class) -> u64 {
        let now = match class {
            Class::Pure | Class::ReadLocal | Class::WriteLocal => self.clock.elapsed_at_tick(),
            _ => self.clock.elapsed(),
        };
        self.stamped = self.stamped.max(now.saturating_sub(self.started));
        self.wall_us(self.stamped)
    }

    /// Permits or refuses a call.
    #[inline]
    pub(super) fn admit<D, P, R>(
        &mut self,
        op: &Op<C, D, P, R>,
        derived: &D,
        params: &P,
        encoded: &[u8],
    ) -> Result<Admission, Halt> {
        self.count(encoded)?;
        let Some(judge) = op.judge else {
            return Ok(Admission::always(op.class));
        };
        let Asked { ask, class } = judge(derived, params);
        let denial = self.permit(ask).err();
        let on_files = matches!(ask, Ask::Mount(..) | Ask::Mounts(..));
        Ok(Admission { class, denial, intent: None, on_files })
    }

    fn count(&mut self, encoded: &[u8]) -> Result<(), Halt> {
        self.usage.calls += 1;
        self.limits.check(LimitKind::Calls, self.usage.calls)?;
        self.limits.check(LimitKind::Payload, encoded.len() as u64)?;
        self.usage.bytes_in += encoded.len() as u64;
        Ok(check_recorded(&self.limits, &self.usage)?)
    }

    fn permit(&self, ask: Ask<'_>) -> Result<(), Box<Refusal>> {
        match ask {
            Ask::Nothing => return Ok(()),
            Ask::Key(key, access) => self.remit.kv_allows(key, access),
            Ask::Mount(index, access) => self.remit.file_allows(index, access),
            Ask::Mounts(indexes, access) => {
                indexes.into_iter().try_for_each(|index| self.remit.file_allows(index, access))
            }
            Ask::Log(level) => self.remit.log_allows(level),
            Ask::Config(key) => self.remit.config_allows(key),
            Ask::Http(target) => self.remit.http_allows(target).map(drop),
            Ask::Never(what) => return Err(Box::new(Refusal { rule: format!("no remit allows {what}"), grant: None })),
        }
        .map_err(|denial| Box::new(Refusal { rule: denial.rule(), grant: denial.grant() }))
    }

    /// Hands to the journal what the class wants on disk before the effect. Returns what to wait for.
    pub(super) fn make_durable<D, P, R>(
        &mut self,
        op: &Op<C, D, P, R>,
        fuel: u64,
        params: &P,
        encoded: &[u8],
        admission: &mut Admission,
    ) -> Result<Option<journal::Durable>, Halt> {
        if admission.denial.is_some() {
            return Ok(None);
        }
        if admission.class.needs_intent() {
            let before = op.foresee.and_then(|foresee| foresee(&self.caps, params));
            admission.intent = Some(self.intend(op.index, admission.class, fuel, encoded, before)?);
            return self.barrier().map(Some);
        }
        if admission.class == Class::WriteFile && self.undurable_inputs {
            return self.barrier().map(Some);
        }
        Ok(None)
    }

    /// Records what a call is about to do. Returns the number of the entry.
    fn intend(
        &mut self,
        index: u16,
        class: Class,
        fuel: u64,
        params: &[u8],
        before: Option<Json>,
    ) -> Result<u64, Halt> {
        let time_us = self.stamp(class);
        let function = self.interned[usize::from(index)];
        let extension = before.map(|before| Extension { before: Some(before.to_string()), ..Extension::default() });
        let (kind, extension) = (Kind::Intent, extension.as_ref());
        let intent = Record { kind, function, fuel, time_us, params, outcome: &[], extension };
        Ok(self.journal.borrow_mut().call(&intent)?)
    }

    /// Hands everything recorded so far to the journal and returns what to wait for.
    ///
    /// # Errors
    /// [`Halt::Journal`] when the journal cannot take it.
    pub fn barrier(&mut self) -> Result<journal::Durable, Halt> {
        Ok(self.durable()?)
    }

    /// As [`Live::barrier`], for who ends the run.
    ///
    /// # Errors
    /// [`journal::Error`] when the journal cannot take it.
    pub fn durable(&mut self) -> Result<journal::Durable, journal::Error> {
        self.undurable_inputs = false;
        self.family.as_ref().map_or(Ok(()), Family::flush)?;
        self.journal.borrow_mut().durable()
    }

    /// Performs an admitted call and records it.
    #[expect(clippy::too_many_arguments, reason = "the parts of one call, borrowed from different fields of the gate")]
    #[inline]
    pub(super) fn perform<D, P, R: Value>(
        &mut self,
        op: &Op<C, D, P, R>,
        derived: &D,
        ordinals: &mut Ordinals,
        fuel: u64,
        params: &P,
        encoded: &[u8],
        admission: Admission,
    ) -> Result<R, Halt> {
        let time_us = self.stamp(admission.class);
        let begun = admission.on_files.then(|| self.clock.elapsed());
        let Self { caps, journal, limits, usage, clock, started, shown, .. } = self;
        let mut journal = journal.borrow_mut();
        let outcome = match &admission.denial {
            Some(_) => (op.refuse)(params),
            None => {
                let kv = &mut *journal;
                let started = *started;
                (op.perform)(&mut Turn { caps, kv, ordinals, limits, usage, clock, started, shown }, derived, params)?
            }
        };
        if let Some(begun) = begun {
            let took = self.clock.elapsed().saturating_sub(begun);
            self.limits.check(LimitKind::CallTime, took.as_millis() as u64)?;
        }
        self.outcome.clear();
        outcome.encode(&mut self.outcome);
        self.limits.check(LimitKind::Payload, self.outcome.len() as u64)?;
        self.usage.bytes_out += self.outcome.len() as u64;
        check_recorded(&self.limits, &self.usage)?;
        let function = self.interned[usize::from(op.index)];
        let extension = admission.extension();
        // The outcome of an intent stands beside it; the params are the intent's.
        let (kind, params) = if admission.intent.is_some() { (Kind::Outcome, &[][..]) } else { (Kind::Call, encoded) };
        let outcome_bytes = &self.outcome;
        let extension = extension.as_deref();
        let entry =
            journal.call(&Record { kind, function, fuel, time_us, params, outcome: outcome_bytes, extension })?;
        if !self.shown.is_empty() {
            self.shown.drain(..).for_each(|(stream, bytes)| self.output.push(entry, stream, bytes));
        }
        self.undurable_inputs |= admission.class == Class::ReadLocal;
        Ok(outcome)
    }

    /// Records a call that both sides compute.
    #[inline]
    pub(super) fn record_pure(&mut self, index: u16, fuel: u64, encoded: &[u8]) -> Result<(), Halt> {
        self.count(encoded)?;
        let time_us = self.stamp(Class::Pure);
        let function = self.interned[usize::from(index)];
        let record =
            Record { kind: Kind::Call, function, fuel, time_us, params: encoded, outcome: &[], extension: None };
        self.journal.borrow_mut().call(&record)?;
        Ok(())
    }

    /// Returns the queue of the run's output.
    pub fn output(&self) -> Output {
        self.output.clone()
    }
}

/// Holds what the journal keeps of a run to its limit.
fn check_recorded(limits: &Limits, usage: &Usage) -> Result<(), Crossed> {
    limits.check(LimitKind::Recorded, usage.bytes_in + usage.bytes_out)
}
