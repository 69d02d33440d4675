//! The replay side of the gate: take the next entry, compare, answer from it.
//!
//! It holds a reader and nothing else, so it cannot permit, perform or record, whatever a guest does.

use serde_json::json;

use super::divergence::{Divergence, Kind};
use super::end::{End, Where};
use super::function::{Class, Function, Functions};
use super::halt::{Halt, Shown};
use super::{Incoming, Ordinals, Value};
use crate::journal::{self, Entry, Extension, Reader};
use crate::meter::Limits;

/// Whether fuel must match at every entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FuelRule {
    /// Component and engine are those of the record.
    Compared,
    /// Another component or another engine: fuel is reported.
    Reported,
}

/// The replay side of one run.
pub struct Replay {
    record: Record,
    limits: Limits,
    fuel_rule: FuelRule,
    compared: u64,
    fuel_differences: u64,
}

/// The entries of a run, and how they end.
struct Record {
    reader: Reader,
    end: Option<End>,
    ran_out: bool,
}

/// An answered call, before its outcome is decoded.
pub(super) struct Recorded<R> {
    /// The outcome.
    pub outcome: R,
    /// The bytes of the outcome's recorded form.
    pub outcome_len: u64,
    /// When it was recorded, in microseconds since the Unix epoch.
    pub time_us: u64,
    /// What the entry says of what the call found.
    pub note: Option<String>,
    /// What the entry says of what the call took.
    pub account: Option<String>,
}

impl Replay {
    /// Makes the replay side over a run's entries.
    pub fn new(reader: Reader, limits: Limits, fuel_rule: FuelRule) -> Self {
        let record = Record { reader, end: None, ran_out: false };
        Self { record, limits, fuel_rule, compared: 0, fuel_differences: 0 }
    }

    /// Returns how many entries were read.
    #[inline]
    pub(super) fn taken(&self) -> u64 {
        self.record.reader.taken()
    }

    /// Passes over states and remarks, and returns the number of the next entry.
    pub(super) fn next_number(&mut self) -> Result<u64, Halt> {
        self.record.skip()?;
        Ok(self.taken())
    }

    /// Returns the limits of the recorded run.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Says whether fuel is compared.
    pub fn fuel_rule(&self) -> FuelRule {
        self.fuel_rule
    }

    /// Returns how many entries matched.
    pub fn compared(&self) -> u64 {
        self.compared
    }

    /// Returns at how many entries fuel differed, where it is only reported.
    pub fn fuel_differences(&self) -> u64 {
        self.fuel_differences
    }

    /// Says whether the record ends without a result: its host was killed, or still runs.
    pub fn ran_out(&self) -> bool {
        self.record.ran_out
    }

    /// Returns how the recorded run ended, once replay has come there.
    pub fn end(&self) -> Option<&End> {
        self.record.end.as_ref()
    }

    /// Answers a call with the recorded outcome.
    #[inline]
    pub(super) fn answer<R: Value>(
        &mut self,
        functions: &Functions,
        index: u16,
        fuel: u64,
        params: &[u8],
        ordinals: &mut Ordinals,
    ) -> Result<R, Halt> {
        self.recall(functions, index, fuel, params, ordinals, |_, outcome| outcome)
    }

    /// As [`Replay::answer`], with what else its entry says.
    pub(super) fn answer_in_full<R: Value>(
        &mut self,
        functions: &Functions,
        index: u16,
        fuel: u64,
        params: &[u8],
        ordinals: &mut Ordinals,
    ) -> Result<Recorded<R>, Halt> {
        let recorded = |entry: &Entry<'_>, outcome| {
            let Extension { before: note, usage: account, .. } = entry.extension()?;
            let (outcome_len, time_us) = (entry.outcome().len() as u64, entry.time_us());
            Ok(Recorded { outcome, outcome_len, time_us, note, account })
        };
        self.recall(functions, index, fuel, params, ordinals, recorded)?
    }

    #[inline]
    fn recall<R: Value, T>(
        &mut self,
        functions: &Functions,
        index: u16,
        fuel: u64,
        params: &[u8],
        ordinals: &mut Ordinals,
        with: impl FnOnce(&Entry<'_>, R) -> T,
    ) -> Result<T, Halt> {
        let step = Step::of(functions, index, fuel, params, self.fuel_rule);
        let entry = self.record.next(&step)?;
        self.fuel_differences += step.compare(&entry)?;
        let is_intent = entry.kind() == journal::Kind::Intent;
        let entry = if is_intent { self.record.outcome_of_intent(&step)? } else { entry };
        let outcome: R = decode(&entry, &step)?;
        self.compared += 1;
        outcome.handles(&mut |ordinal| ordinals.saw(ordinal));
        Ok(with(&entry, outcome))
    }

    /// Compares a call that both sides compute.
    #[inline]
    pub(super) fn expect(&mut self, functions: &Functions, index: u16, fuel: u64, params: &[u8]) -> Result<(), Halt> {
        let step = Step::of(functions, index, fuel, params, self.fuel_rule);
        let entry = self.record.next(&step)?;
        self.fuel_differences += step.compare(&entry)?;
        self.compared += 1;
        Ok(())
    }

    /// Compares a call with the intent that nothing answers, and returns what that says it found.
    pub(super) fn take_open(
        &mut self,
        functions: &Functions,
        index: u16,
        fuel: u64,
        params: &[u8],
    ) -> Result<Option<String>, Halt> {
        let step = Step::of(functions, index, fuel, params, self.fuel_rule);
        let entry = self.record.next(&step)?;
        self.fuel_differences += step.compare(&entry)?;
        Ok(entry.extension()?.before)
    }

    /// Takes the next call that came in. Nothing: the record has no more.
    pub(super) fn next_incoming(&mut self, functions: &Functions, fuel: u64) -> Result<Option<Incoming>, Halt> {
        let entry = match self.record.take()? {
            Taken::Entry(entry) => entry,
            Taken::Nothing => return Ok(None),
            Taken::End(_, end) => {
                let is_ended_here = is_ended_between_calls(end, functions)
                    && (end.fuel == fuel || self.fuel_rule == FuelRule::Reported);
                return if is_ended_here { Err(Halt::EndOfRecord) } else { Ok(None) };
            }
        };
        let function = entry.function_name().and_then(|name| functions.get(name));
        let Some(function) = function.filter(|function| function.is_internal) else {
            let replayed = Shown { function: "the end of the call".into(), params: json!([]), fuel };
            return Err(diverged(&entry, Kind::Leftover, show(functions, &entry), replayed));
        };
        let cause = entry.extension()?.cause.unwrap_or_default();
        let incoming = Incoming { index: function.index, params: entry.params().to_vec(), cause };
        let step = Step::of(functions, incoming.index, fuel, &incoming.params, self.fuel_rule);
        self.fuel_differences += step.compare(&entry)?;
        self.compared += 1;
        Ok(Some(incoming))
    }

    /// Takes the entry after the guest's last call, which must be the run's end.
    ///
    /// # Errors
    /// [`Halt::Diverged`] when the guest ended where the record goes on with a call; [`Halt::Journal`] when the
    /// record cannot be read.
    pub fn take_end(&mut self, functions: &Functions, fuel: u64) -> Result<Option<End>, Halt> {
        if self.record.end.is_some() || self.record.ran_out {
            return Ok(self.record.end.clone());
        }
        match self.record.take()? {
            Taken::End(_, end) => Ok(Some(end.clone())),
            Taken::Nothing => Ok(None),
            Taken::Entry(entry) => {
                let replayed = Shown { function: "the end of the run".into(), params: json!([]), fuel };
                Err(diverged(&entry, Kind::Leftover, show(functions, &entry), replayed))
            }
        }
    }
}

/// What a record goes on with.
enum Taken<'r> {
    /// A call, an intent or an outcome.
    Entry(Entry<'r>),
    /// That the run ended, or is parked: the number of that entry, and what it says.
    End(u64, &'r End),
    /// Nothing: its host was killed, or still runs.
    Nothing,
}

impl Record {
    /// Returns the next entry that answers a call. Where there is none, the record has its end.
    #[inline]
    fn next(&mut self, step: &Step<'_>) -> Result<Entry<'_>, Halt> {
        match self.take()? {
            Taken::Entry(entry) => Ok(entry),
            Taken::End(number, end) => Err(ended(number, end, step)),
            Taken::Nothing => Err(Halt::EndOfRecord),
        }
    }

    /// Returns the outcome of the intent that was taken last. It may have been tried more than once.
    #[cold]
    fn outcome_of_intent(&mut self, step: &Step<'_>) -> Result<Entry<'_>, Halt> {
        while self.skip()? == Some(journal::Kind::Intent) {
            step.compare(&self.next(step)?)?;
        }
        self.next(step)
    }

    /// Takes the next entry that replay has to do with.
    #[inline]
    fn take(&mut self) -> Result<Taken<'_>, Halt> {
        self.skip()?;
        let number = self.reader.taken();
        match self.reader.next()? {
            Some(entry) => {
                // A run that was parked and went on is not at its end.
                self.end = None;
                Ok(Taken::Entry(entry))
            }
            None => {
                self.ran_out = self.end.is_none();
                Ok(self.end.as_ref().map_or(Taken::Nothing, |end| Taken::End(number.saturating_sub(1), end)))
            }
        }
    }

    /// Passes over remarks and states, and returns what kind of entry is next.
    #[inline]
    fn skip(&mut self) -> Result<Option<journal::Kind>, Halt> {
        loop {
            match self.reader.peek()? {
                Some(journal::Kind::State) => {
                    self.end = self.reader.next()?.and_then(|entry| End::read(entry.params()))
                }
                Some(journal::Kind::Note) => drop(self.reader.next()?),
                kind => return Ok(kind),
            }
        }
    }
}

/// One call of the guest, as it is compared.
struct Step<'a> {
    function: &'a Function,
    functions: &'a Functions,
    fuel: u64,
    params: &'a [u8],
    fuel_rule: FuelRule,
}

impl<'a> Step<'a> {
    #[inline]
    fn of(functions: &'a Functions, index: u16, fuel: u64, params: &'a [u8], fuel_rule: FuelRule) -> Self {
        Self { function: functions.at(index), functions, fuel, params, fuel_rule }
    }

    /// Compares with an entry and returns how many fuel differences it adds to the report.
    #[inline]
    fn compare(&self, entry: &Entry<'_>) -> Result<u64, Halt> {
        if entry.function_name() != Some(&*self.function.name) {
            return Err(self.diverged(entry, Kind::Function));
        }
        if *entry.params() != *self.params {
            return Err(self.diverged(entry, Kind::Params));
        }
        if entry.fuel() == self.fuel {
            return Ok(0);
        }
        match self.fuel_rule {
            FuelRule::Compared => Err(self.diverged(entry, Kind::Fuel)),
            FuelRule::Reported => Ok(1),
        }
    }

    #[cold]
    fn diverged(&self, entry: &Entry<'_>, kind: Kind) -> Halt {
        diverged(entry, kind, show(self.functions, entry), self.shown())
    }

    fn shown(&self) -> Shown {
        let params = self.function.show_params(self.params);
        Shown { function: self.function.name.to_string(), params, fuel: self.fuel }
    }
}

/// The guest calls where the record has its end: right if the run was ended in this very call, else a divergence.
#[cold]
fn ended(number: u64, end: &End, step: &Step<'_>) -> Halt {
    let is_here = matches!(&end.at, Where::Call(function) if *function == *step.function.name)
        && (end.fuel == step.fuel || step.fuel_rule == FuelRule::Reported);
    if is_here {
        return Halt::EndOfRecord;
    }
    let recorded = Shown { function: "the end of the run".into(), params: json!(null), fuel: end.fuel };
    Halt::Diverged(Box::new(Divergence::new(number, Kind::Extra, recorded, step.shown())))
}

/// Tells whether a connector was stopped while it was in no call, or by what came in, which has no entry then.
fn is_ended_between_calls(end: &End, functions: &Functions) -> bool {
    match &end.at {
        Where::Call(name) => functions.get(name).is_some_and(|function| function.is_internal),
        Where::Slice => true,
        Where::Guest => false,
    }
}

#[inline]
fn decode<R: Value>(entry: &Entry<'_>, step: &Step<'_>) -> Result<R, Halt> {
    let mut rest = entry.outcome();
    match R::decode(&mut rest) {
        Ok(outcome) if rest.is_empty() => Ok(outcome),
        _ => Err(step.diverged(entry, Kind::Outcome)),
    }
}

fn show(functions: &Functions, entry: &Entry<'_>) -> Shown {
    let name = entry.function_name().unwrap_or("the end of the run");
    let params = functions.get(name).map_or(json!(null), |function| function.show_params(entry.params()));
    Shown { function: name.to_owned(), params, fuel: entry.fuel() }
}

fn diverged(entry: &Entry<'_>, kind: Kind, recorded: Shown, replayed: Shown) -> Halt {
    Halt::Diverged(Box::new(Divergence::new(entry.number(), kind, recorded, replayed)))
}

/// Returns the class that an entry was recorded with, for `show`.
pub fn class_name(class: u8) -> &'static str {
    [
        Class::Pure,
        Class::ReadLocal,
        Class::WriteLocal,
        Class::WriteFile,
        Class::WriteFileOnce,
        Class::ReadRemote,
        Class::WriteIdempotent,
        Class::WriteOnce,
    ]
    .get(usize::from(class))
    .map_or("unknown", |class| class.name())
}
