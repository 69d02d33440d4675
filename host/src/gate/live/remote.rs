//! The live side of remote calls.

use super::{Admission, Live, Refusal, check_recorded};
use crate::digest::Digest;
use crate::gate::remote::{Departure, First, Outgoing, Permit, RemoteOp, Sending, Sent};
use crate::gate::{Class, Halt, Open, Value};
use crate::journal::{self, Claim, Extension, Kind, Record, Settlement, UsedUp};
use crate::meter::{LimitKind, Usage};
use crate::scope::{Remit, Terms};
use crate::time::Timestamp;

impl<C> Live<C> {
    /// Returns what the run may do now: what a remote call would be judged by.
    ///
    /// # Errors
    /// [`Halt::Journal`] when grants have changed and cannot be read.
    pub fn remit_now(&mut self) -> Result<&Remit, Halt> {
        self.look_at_grants_now()?;
        Ok(self.standing.remit())
    }

    /// Permits or refuses a remote call. Its intent, where it has one, is durable first, and with it everything before.
    pub(in crate::gate) fn depart<D, P, R, T>(
        &mut self,
        op: &RemoteOp<C, D, P, R, T>,
        name: &str,
        fuel: u64,
        params: &P,
        encoded: &[u8],
        attempt: Option<u64>,
    ) -> Result<Departure, Halt> {
        if self.disarmed.is_some() {
            return self.hold_back(op.index, op.class, encoded);
        }
        self.look_at_grants_now()?;
        let remit = self.standing.remit().clone();
        let Permit { class, terms } = match (op.judge)(&remit, params) {
            Ok(permit) => permit,
            Err(denial) => {
                let denial = Some(self.refusal(denial));
                let admission = Some(Admission { denial, ..Admission::always(op.class) });
                return Ok(Departure { admission, ..Departure::default() });
            }
        };
        let grant = self.standing.authorizing(|remit| (op.judge)(remit, params).is_ok());
        let admission = Some(Admission::always(class));
        let own_class = (class != op.class).then_some(class);
        let mut departure = Departure { admission, grant, attempt, class: own_class, ..Departure::default() };
        let claims = claims(terms, grant);
        if class.needs_intent() || !claims.is_empty() {
            let number = self.promise(op.index, fuel, encoded, claims, &mut departure)?;
            let is_repeated = class == Class::WriteIdempotent;
            departure.key = is_repeated.then(|| self.idempotency_key(number, name, encoded));
            departure.admission = Some(Admission { intent: Some(number), ..Admission::always(class) });
        }
        Ok(departure)
    }

    /// Takes up a call that was begun before the run was resumed. What is known to be harmless is sent again; what only
    /// a person can decide is left to one.
    ///
    /// # Errors
    /// [`Halt::InDoubt`].
    pub(in crate::gate) fn depart_begun<D, P, R, T>(
        &mut self,
        op: &RemoteOp<C, D, P, R, T>,
        name: &str,
        fuel: u64,
        params: &P,
        encoded: &[u8],
        open: Open,
    ) -> Result<Departure, Halt> {
        self.look_at_grants_now()?;
        let remit = self.standing.remit().clone();
        let judged = (op.judge)(&remit, params);
        let class = judged.as_ref().map_or(op.class, |permit| permit.class);
        match (class, judged) {
            (Class::WriteIdempotent, Ok(Permit { terms, .. })) => {
                let key = Some(self.idempotency_key(open.entry, name, encoded));
                let admission = Some(Admission { intent: Some(open.entry), ..Admission::always(class) });
                let is_claimed = !claims(terms, None).is_empty();
                Ok(Departure { admission, key, is_claimed, ..Departure::default() })
            }
            (Class::WriteOnce | Class::WriteIdempotent, _) if !open.is_retried => Err(Halt::InDoubt(open.entry)),
            _ => {
                // It may have been sent, and what it claimed stays used.
                self.journal.borrow_mut().settle(open.entry, Settlement::Used);
                self.depart(op, name, fuel, params, encoded, Some(2))
            }
        }
    }

    /// Hands over the intent of a call, with what it claims, and says what to wait for. Returns the intent's number.
    fn promise(
        &mut self,
        index: u16,
        fuel: u64,
        encoded: &[u8],
        claims: Vec<Claim>,
        departure: &mut Departure,
    ) -> Result<u64, Halt> {
        let extension = departure.extension(None);
        if claims.is_empty() {
            let number = self.intend(index, Class::WriteOnce, fuel, encoded, extension.as_ref())?;
            departure.first = Some(First::Durable(self.barrier()?));
            return Ok(number);
        }
        let (number, answered) = self.claim(index, fuel, encoded, extension.as_ref(), claims)?;
        departure.first = Some(First::Claimed(answered.clone()));
        departure.claim = Some(answered);
        departure.is_claimed = true;
        Ok(number)
    }

    /// Records what a call is about to do, together with what it claims. Returns the number of the entry, and what
    /// waits until both are on disk or the claims are refused.
    fn claim(
        &mut self,
        index: u16,
        fuel: u64,
        params: &[u8],
        extension: Option<&Extension>,
        claims: Vec<Claim>,
    ) -> Result<(u64, journal::Answered), Halt> {
        let time_us = self.stamp(Class::ReadRemote);
        let function = self.interned[usize::from(index)];
        let intent = Record { kind: Kind::Intent, function, fuel, time_us, params, outcome: &[], extension };
        // What this call follows from goes to disk before it, also where another run of the family recorded it.
        self.family.as_ref().map_or(Ok(()), super::Family::flush)?;
        // A machine that slept has let time pass which the run has not seen: the span is that of the host's clock.
        let now = Timestamp::from_micros(time_us).max(self.clock.now());
        let claimed = self.journal.borrow_mut().claim(&intent, claims, now)?;
        self.recorded()?;
        Ok(claimed)
    }

    /// Sees to it that what is asked next is what holds now, by the host's clock: a machine that slept has let time
    /// pass which the run has not seen.
    pub(super) fn look_at_grants_now(&mut self) -> Result<bool, Halt> {
        if !self.standing.has_changed() && !self.standing.expires() {
            return Ok(false);
        }
        let now = Timestamp::from_micros(self.stamp(Class::ReadRemote));
        self.renew_at(now.max(self.clock.now()))
    }

    /// Returns what a call sent again after a crash has in common with its first sending, and no other call.
    fn idempotency_key(&self, number: u64, name: &str, encoded: &[u8]) -> Digest {
        let run = self.journal.borrow_mut().id();
        let number = number.to_le_bytes();
        Digest::of_parts(&[b"remit idempotency key v1\0", run.as_bytes(), &number, name.as_bytes(), b"\0", encoded])
    }

    /// Begins to send, unless the call was refused, or is now.
    pub(in crate::gate) fn send<D, P, R, T>(
        &mut self,
        op: &RemoteOp<C, D, P, R, T>,
        derived: &D,
        params: &P,
        departure: &mut Departure,
    ) -> Result<Option<Sending<R>>, Halt> {
        self.conclude_claim(op, params, departure)?;
        self.permit_again(op, params, departure)?;
        let Some(admission) = departure.admission.as_ref().filter(|admission| admission.denial.is_none()) else {
            return Ok(None);
        };
        let entry = admission.intent.unwrap_or_else(|| self.journal.borrow_mut().next_entry());
        let Self { caps, standing, limits, .. } = self;
        let (remit, class, key) = (standing.remit(), admission.class, departure.key);
        Ok(Some((op.send)(Outgoing { caps, remit, limits, class, key, entry }, derived, params)))
    }

    /// Refuses a call whose claims were refused. Its intent was never recorded.
    fn conclude_claim<D, P, R, T>(
        &mut self,
        op: &RemoteOp<C, D, P, R, T>,
        params: &P,
        departure: &mut Departure,
    ) -> Result<(), Halt> {
        let answer = departure.claim.clone().map_or(Ok(()), journal::Answered::wait);
        let refusal = match answer {
            Ok(()) => return Ok(()),
            Err(journal::Error::Exhausted(used_up)) => self.exhausted(&used_up),
            Err(refusal) if refusal.refuses_claim() => {
                self.look_at_grants_now()?;
                match (op.judge)(self.standing.remit(), params) {
                    Err(denial) => self.refusal(denial),
                    // The grant's successor allows it: for the next call to find.
                    Ok(_) => Box::new(Refusal::new(refusal.to_string(), None)),
                }
            }
            Err(error) => return Err(error.into()),
        };
        (departure.claim, departure.is_claimed) = (None, false);
        if let Some(admission) = &mut departure.admission {
            (admission.intent, admission.denial) = (None, Some(refusal));
        }
        Ok(())
    }

    /// Refuses a call whose grant has ended while it waited.
    fn permit_again<D, P, R, T>(
        &mut self,
        op: &RemoteOp<C, D, P, R, T>,
        params: &P,
        departure: &mut Departure,
    ) -> Result<(), Halt> {
        if !self.look_at_grants_now()? {
            return Ok(());
        }
        let denial = (op.judge)(self.standing.remit(), params).err().map(|denial| self.refusal(denial));
        if let (Some(admission), Some(denial)) = (&mut departure.admission, denial) {
            admission.denial.get_or_insert(denial);
        }
        Ok(())
    }

    /// Says which amounts are used up, and the grant that would allow one call more.
    #[cold]
    fn exhausted(&self, used_up: &[UsedUp]) -> Box<Refusal> {
        let rule = used_up.iter().map(UsedUp::explained).collect::<Vec<_>>().join("; ");
        let grant = used_up.first().and_then(|first| {
            let of_rule = used_up.iter().filter(|other| other.rule == first.rule);
            let least: Vec<_> = of_rule.map(|other| (other.window, other.used + other.claimed)).collect();
            self.standing.with_amounts(&first.rule, &least)
        });
        Box::new(Refusal::new(rule, grant))
    }

    /// Records what became of a remote call.
    pub(in crate::gate) fn arrive<D, P, R: Value, T>(
        &mut self,
        op: &RemoteOp<C, D, P, R, T>,
        fuel: u64,
        params: &P,
        encoded: &[u8],
        mut departure: Departure,
        sent: Option<Sent<R>>,
    ) -> Result<(R, Option<journal::Durable>), Halt> {
        let mut admission = departure.admission.take().expect("a live call departs before it arrives");
        if let Some(why) = sent.as_ref().and_then(|sent| sent.parked.clone()) {
            return Err(Halt::Changed(why));
        }
        if let (Some(intent), true) = (admission.intent, departure.is_claimed) {
            let was_sent = sent.as_ref().is_some_and(|sent| sent.is_sent);
            let settlement = if was_sent { Settlement::Used } else { Settlement::Only(0) };
            self.journal.borrow_mut().settle(intent, settlement);
        }
        let (outcome, account) = match sent {
            Some(Sent { outcome, refusal, usage, account, .. }) => {
                self.usage += usage;
                admission.denial = refusal;
                (outcome, account)
            }
            None => (admission.outcome_told().unwrap_or_else(|| (op.refuse)(params)), None),
        };
        let mut extension = departure.extension(Some(&admission));
        let account = account.or_else(|| self.of_others(outcome.usage()));
        if account.is_some() {
            extension.get_or_insert_default().usage = account;
        }
        self.record_outcome(op.index, fuel, encoded, &admission, extension.as_ref(), &outcome)?;
        if admission.class == Class::WriteOnce && admission.intent.is_some() {
            return Ok((outcome, Some(self.barrier()?)));
        }
        // What came from outside cannot be had again. It is on disk before the next visible act.
        self.undurable_inputs = true;
        Ok((outcome, None))
    }

    /// Adds what others used for a call to the run's account of them, and returns it as the entry has it.
    fn of_others(&mut self, used: Option<&Usage>) -> Option<String> {
        let used = used?;
        self.called += *used;
        Some(used.to_json())
    }

    pub(super) fn record_outcome<R: Value>(
        &mut self,
        index: u16,
        fuel: u64,
        encoded: &[u8],
        admission: &Admission,
        extension: Option<&Extension>,
        outcome: &R,
    ) -> Result<(), Halt> {
        let time_us = self.stamp(admission.class);
        self.outcome.clear();
        outcome.encode(&mut self.outcome);
        self.limits.check(LimitKind::Payload, self.outcome.len() as u64)?;
        self.usage.bytes_out += self.outcome.len() as u64;
        check_recorded(&self.limits, &self.usage)?;
        let function = self.interned[usize::from(index)];
        let (kind, params) = if admission.intent.is_some() { (Kind::Outcome, &[][..]) } else { (Kind::Call, encoded) };
        let outcome = &self.outcome[..];
        self.journal.borrow_mut().call(&Record { kind, function, fuel, time_us, params, outcome, extension })?;
        self.recorded()
    }
}

/// Returns what a call claims of the amounts that its terms have.
fn claims(terms: &Terms, grant: Option<journal::GrantId>) -> Vec<Claim> {
    terms.amounts().map(|(rule, window, max)| Claim { amount: 1, grant, max, rule: rule.clone(), window }).collect()
}

impl Departure {
    /// Returns what is recorded of the call besides: before it is sent, or with what became of it.
    fn extension(&self, arrived: Option<&Admission>) -> Option<Extension> {
        let grant = self.grant.map(|grant| grant.to_string());
        let class = self.class.map(|class| class as u64);
        let mut extension = Extension { grant, class, attempt: self.attempt, ..Extension::default() };
        if let Some(admission) = arrived {
            let written = admission.extension().map(|written| *written).unwrap_or_default();
            // An intent says it already, and what was refused was not authorised.
            let is_said = admission.intent.is_some() || admission.denial.is_some();
            extension = match is_said {
                true => written,
                false => Extension { grant: extension.grant, attempt: extension.attempt, class, ..written },
            };
        }
        (extension != Extension::default()).then_some(extension)
    }
}
