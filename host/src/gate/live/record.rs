//! Recording: what a class wants on disk before the effect, the effect, and its entry.

use super::{Admission, Live, Turn, check_recorded};
use crate::gate::{Class, Halt, Op, Ordinals, Recovered, Value};
use crate::journal::{self, Death, Extension, Kind, Record};
use crate::meter::LimitKind;

impl<C> Live<C> {
    /// Hands to the journal what the class wants on disk before the effect. Returns what to wait for.
    pub(in crate::gate) fn make_durable<D, P, R>(
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
            let extension = before.map(|before| Extension { before: Some(before.to_string()), ..Extension::default() });
            admission.intent = Some(self.intend(op.index, admission.class, fuel, encoded, extension.as_ref())?);
            return self.barrier().map(Some);
        }
        if admission.class == Class::WriteFile && self.undurable_inputs {
            return self.barrier().map(Some);
        }
        Ok(None)
    }

    /// Records what a call is about to do. Returns the number of the entry.
    pub(super) fn intend(
        &mut self,
        index: u16,
        class: Class,
        fuel: u64,
        params: &[u8],
        extension: Option<&Extension>,
    ) -> Result<u64, Halt> {
        let time_us = self.stamp(class);
        let function = self.interned[usize::from(index)];
        let intent = Record { kind: Kind::Intent, function, fuel, time_us, params, outcome: &[], extension };
        let number = self.journal.borrow_mut().call(&intent)?;
        self.recorded()?;
        Ok(number)
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
        self.family.as_ref().map_or(Ok(()), super::Family::flush)?;
        self.journal.borrow_mut().durable()
    }

    /// Performs an admitted call and records it.
    #[expect(clippy::too_many_arguments, reason = "the parts of one call, borrowed from different fields of the gate")]
    #[inline]
    pub(in crate::gate) fn perform<D, P, R: Value>(
        &mut self,
        op: &Op<C, D, P, R>,
        derived: &D,
        ordinals: &mut Ordinals,
        fuel: u64,
        params: &P,
        encoded: &[u8],
        mut admission: Admission,
    ) -> Result<R, Halt> {
        let time_us = self.stamp(admission.class);
        let begun = admission.on_files.then(|| self.clock.elapsed());
        let Self { caps, journal, limits, usage, clock, started, before, shown, note, disarmed, .. } = self;
        let mut journal = journal.borrow_mut();
        let (kv, started, before) = (&mut *journal, *started, *before);
        let mut turn = Turn { caps, kv, ordinals, limits, usage, clock, started, before, shown, note };
        let done = recovered(op, derived, params, &mut turn, &admission)?;
        let outcome = match (done, &admission.denial) {
            (Some(done), _) => {
                // It was done while it was allowed.
                admission.denial = None;
                done
            }
            (None, Some(_)) => {
                let told = disarmed.as_mut().map(|disarmed| disarmed.tell(op, derived, params, encoded, &mut turn));
                match told.transpose()?.flatten() {
                    Some((outcome, told)) => {
                        admission.told = Some(told);
                        outcome
                    }
                    None => (op.refuse)(params),
                }
            }
            (None, None) => (op.perform)(&mut turn, derived, params)?,
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
        let mut extension = admission.extension();
        if let Some(note) = self.note.take() {
            extension.get_or_insert_default().before = Some(note);
        }
        // The outcome of an intent stands beside it; the params are the intent's.
        let (kind, params) = if admission.intent.is_some() { (Kind::Outcome, &[][..]) } else { (Kind::Call, encoded) };
        let outcome_bytes = &self.outcome;
        let extension = extension.as_deref();
        let entry =
            journal.call(&Record { kind, function, fuel, time_us, params, outcome: outcome_bytes, extension })?;
        let wants_care = self.family.is_some() && journal.is_nearly_full() || journal.dying().is_some();
        drop(journal);
        if wants_care {
            self.take_care()?;
        }
        if !self.shown.is_empty() {
            self.shown.drain(..).for_each(|(stream, bytes)| self.output.push(entry, stream, bytes));
        }
        // What was looked at cannot be had again, and what was done once is told from not done by what is there: both are
        // on disk before anything else is changed.
        self.undurable_inputs |= matches!(admission.class, Class::ReadLocal | Class::WriteFileOnce);
        Ok(outcome)
    }

    /// Records a call that both sides compute.
    #[inline]
    pub(in crate::gate) fn record_pure(&mut self, index: u16, fuel: u64, encoded: &[u8]) -> Result<(), Halt> {
        self.count(encoded)?;
        let time_us = self.stamp(Class::Pure);
        let function = self.interned[usize::from(index)];
        let record =
            Record { kind: Kind::Call, function, fuel, time_us, params: encoded, outcome: &[], extension: None };
        self.journal.borrow_mut().call(&record)?;
        self.recorded()
    }

    /// Sees to it that runs which serve each other hand over together, before one has to alone.
    #[inline]
    pub(super) fn recorded(&mut self) -> Result<(), Halt> {
        let journal = self.journal.borrow_mut();
        let wants_care = self.family.is_some() && journal.is_nearly_full() || journal.dying().is_some();
        drop(journal);
        if wants_care { self.take_care() } else { Ok(()) }
    }

    #[cold]
    fn take_care(&mut self) -> Result<(), Halt> {
        let dying = self.journal.borrow_mut().dying();
        if dying != Some(Death::Sudden) {
            self.family.as_ref().map_or(Ok(()), super::Family::flush)?;
        }
        dying.map_or(Ok(()), |_| self.journal.borrow_mut().die())?;
        Ok(())
    }
}

/// Looks whether a call was done that was begun before the run was resumed.
#[inline]
fn recovered<C, D, P, R>(
    op: &Op<C, D, P, R>,
    derived: &D,
    params: &P,
    turn: &mut Turn<'_, C>,
    admission: &Admission,
) -> Result<Option<R>, Halt> {
    let (Some(begun), Some(intent)) = (&admission.begun, admission.intent) else { return Ok(None) };
    let recover = op.recover.ok_or(Halt::InDoubt(intent))?;
    match recover(turn, derived, params, begun)? {
        Recovered::Done(outcome) => Ok(Some(outcome)),
        Recovered::NotDone => Ok(None),
        Recovered::InDoubt => Err(Halt::InDoubt(intent)),
    }
}
