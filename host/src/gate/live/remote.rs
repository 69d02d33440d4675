//! The live side of remote calls.

use super::{Admission, Live, Refusal, check_recorded};
use crate::digest::Digest;
use crate::gate::remote::{Departure, Outgoing, RemoteOp, Sending, Sent};
use crate::gate::{Class, Halt, Value};
use crate::journal::{self, Extension, Kind, Record};
use crate::meter::{LimitKind, Usage};
use crate::scope::Remit;

impl<C> Live<C> {
    /// Returns what the run may do.
    pub fn remit(&self) -> &Remit {
        &self.remit
    }

    /// Permits or refuses a remote call. Its intent, where it has one, is durable first, and with it everything before.
    pub(in crate::gate) fn depart<D, P, R>(
        &mut self,
        op: &RemoteOp<C, D, P, R>,
        name: &str,
        fuel: u64,
        params: &P,
        encoded: &[u8],
    ) -> Result<Departure, Halt> {
        self.count(encoded)?;
        let class = match (op.judge)(&self.remit, params) {
            Ok(permit) => permit.class,
            Err(denial) => {
                let denial = Some(Box::new(Refusal { rule: denial.rule(), grant: denial.grant() }));
                return Ok(Departure::with(Admission { denial, ..Admission::always(op.class) }));
            }
        };
        let mut departure = Departure::with(Admission::always(class));
        if class.needs_intent() {
            let number = self.intend(op.index, class, fuel, encoded, None)?;
            departure.admission = Some(Admission { intent: Some(number), ..Admission::always(class) });
            let is_repeated = class == Class::WriteIdempotent;
            departure.key = is_repeated.then(|| self.idempotency_key(number, name, encoded));
            departure.first = Some(self.barrier()?);
        }
        Ok(departure)
    }

    /// Returns what a call sent again after a crash has in common with its first sending, and no other call.
    fn idempotency_key(&self, number: u64, name: &str, encoded: &[u8]) -> Digest {
        let run = self.journal.borrow_mut().id();
        let number = number.to_le_bytes();
        Digest::of_parts(&[b"remit idempotency key v1\0", run.as_bytes(), &number, name.as_bytes(), b"\0", encoded])
    }

    /// Begins to send, unless the call was refused.
    pub(in crate::gate) fn send<D, P, R>(
        &mut self,
        op: &RemoteOp<C, D, P, R>,
        derived: &D,
        params: &P,
        departure: &Departure,
    ) -> Option<Sending<R>> {
        let admission = departure.admission.as_ref().filter(|admission| admission.denial.is_none())?;
        let entry = admission.intent.unwrap_or_else(|| self.journal.borrow_mut().next_entry());
        let Self { caps, remit, limits, .. } = self;
        let (class, key) = (admission.class, departure.key);
        Some((op.send)(Outgoing { caps, remit, limits, class, key, entry }, derived, params))
    }

    /// Records what became of a remote call.
    pub(in crate::gate) fn arrive<D, P, R: Value>(
        &mut self,
        op: &RemoteOp<C, D, P, R>,
        fuel: u64,
        params: &P,
        encoded: &[u8],
        mut admission: Admission,
        sent: Option<Sent<R>>,
    ) -> Result<(R, Option<journal::Durable>), Halt> {
        let outcome = match sent {
            Some(Sent { outcome, refusal, bytes_sent, bytes_received }) => {
                self.usage.remote_calls += 1;
                self.usage.sent_bytes += bytes_sent;
                self.usage.received_bytes += bytes_received;
                admission.denial = refusal;
                outcome
            }
            None => (op.refuse)(params),
        };
        self.record_outcome(op.index, fuel, encoded, &admission, &outcome)?;
        if admission.class == Class::WriteOnce && admission.intent.is_some() {
            return Ok((outcome, Some(self.barrier()?)));
        }
        // What came from outside cannot be had again. It is on disk before the next visible act.
        self.undurable_inputs = true;
        Ok((outcome, None))
    }

    /// Adds what others used for a call to the run's account of them, and to the entry.
    fn with_usage(&mut self, extension: Option<Box<Extension>>, used: Option<&Usage>) -> Option<Box<Extension>> {
        let Some(used) = used else { return extension };
        self.called += *used;
        let mut extension = extension.unwrap_or_default();
        extension.usage = Some(used.to_json());
        Some(extension)
    }

    fn record_outcome<R: Value>(
        &mut self,
        index: u16,
        fuel: u64,
        encoded: &[u8],
        admission: &Admission,
        outcome: &R,
    ) -> Result<(), Halt> {
        let time_us = self.stamp(admission.class);
        self.outcome.clear();
        outcome.encode(&mut self.outcome);
        self.limits.check(LimitKind::Payload, self.outcome.len() as u64)?;
        self.usage.bytes_out += self.outcome.len() as u64;
        check_recorded(&self.limits, &self.usage)?;
        let function = self.interned[usize::from(index)];
        let extension = self.with_usage(admission.extension(), outcome.usage());
        let (kind, params) = if admission.intent.is_some() { (Kind::Outcome, &[][..]) } else { (Kind::Call, encoded) };
        let (outcome, extension) = (&self.outcome[..], extension.as_deref());
        self.journal.borrow_mut().call(&Record { kind, function, fuel, time_us, params, outcome, extension })?;
        Ok(())
    }
}
