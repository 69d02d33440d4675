//! The replay side of the gate: take the next entry, compare, answer from it.
//!
//! It holds a reader and nothing else, so it cannot permit, perform or record, whatever a guest does.

use serde_json::json;

use super::divergence::{Divergence, Kind};
use super::end::{End, Where};
use super::function::{Class, Function, Functions};
use super::halt::{Halt, Shown};
use super::{Incoming, Ordinals, Value};
use crate::journal::{self, Entry, Reader};
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
    reader: Reader,
    limits: Limits,
    fuel_rule: FuelRule,
    compared: u64,
    fuel_differences: u64,
    end: Option<End>,
    ran_out: bool,
}

impl Replay {
    /// Makes the replay side over a run's entries.
    pub fn new(reader: Reader, limits: Limits, fuel_rule: FuelRule) -> Self {
        Self { reader, limits, fuel_rule, compared: 0, fuel_differences: 0, end: None, ran_out: false }
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
        self.ran_out
    }

    /// Returns how the recorded run ended, once replay has come there.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
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
        let function = functions.at(index);
        let mut step = Step { function, functions, fuel, params, fuel_rule: self.fuel_rule };
        let entry = next(&mut self.reader, &mut self.end, &mut self.ran_out, &step)?;
        self.fuel_differences += step.compare(&entry)?;
        let outcome: R = if entry.kind() == journal::Kind::Intent {
            let outcome = next(&mut self.reader, &mut self.end, &mut self.ran_out, &step)?;
            decode(&outcome, &mut step)?
        } else {
            decode(&entry, &mut step)?
        };
        self.compared += 1;
        outcome.handles(&mut |ordinal| ordinals.saw(ordinal));
        Ok(outcome)
    }

    /// Compares a call that both sides compute.
    #[inline]
    pub(super) fn expect(&mut self, functions: &Functions, index: u16, fuel: u64, params: &[u8]) -> Result<(), Halt> {
        let function = functions.at(index);
        let step = Step { function, functions, fuel, params, fuel_rule: self.fuel_rule };
        let entry = next(&mut self.reader, &mut self.end, &mut self.ran_out, &step)?;
        self.fuel_differences += step.compare(&entry)?;
        self.compared += 1;
        Ok(())
    }

    /// Takes the next call that came in. Nothing: the record has no more.
    pub(super) fn next_incoming(&mut self, functions: &Functions, fuel: u64) -> Result<Option<Incoming>, Halt> {
        let Some(entry) = self.reader.next()? else {
            self.ran_out = true;
            return Ok(None);
        };
        if entry.kind() == journal::Kind::State
            && let Some(end) = end_of(&entry)
        {
            let is_ended_here =
                is_ended_between_calls(&end, functions) && (end.fuel == fuel || self.fuel_rule == FuelRule::Reported);
            self.end = Some(end);
            return if is_ended_here { Err(Halt::EndOfRecord) } else { Ok(None) };
        }
        let function = entry.function_name().and_then(|name| functions.get(name));
        let Some(function) = function.filter(|function| function.is_internal) else {
            let replayed = Shown { function: "the end of the call".into(), params: json!([]), fuel };
            return Err(diverged(&entry, Kind::Leftover, show(functions, &entry), replayed));
        };
        let incoming = Incoming { index: function.index, params: entry.params().to_vec() };
        let step = Step { function, functions, fuel, params: &incoming.params, fuel_rule: self.fuel_rule };
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
        if self.end.is_some() || self.ran_out {
            return Ok(self.end.clone());
        }
        while let Some(entry) = self.reader.next()? {
            match entry.kind() {
                journal::Kind::Note => {}
                journal::Kind::State => {
                    if let Some(end) = end_of(&entry) {
                        self.end = Some(end);
                        return Ok(self.end.clone());
                    }
                }
                _ => {
                    let replayed = Shown { function: "the end of the run".into(), params: json!([]), fuel };
                    return Err(diverged(&entry, Kind::Leftover, show(functions, &entry), replayed));
                }
            }
        }
        self.ran_out = true;
        Ok(None)
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

impl Step<'_> {
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

/// Returns the next entry that answers a call.
#[inline]
fn next<'r>(
    reader: &'r mut Reader,
    end: &mut Option<End>,
    ran_out: &mut bool,
    step: &Step<'_>,
) -> Result<Entry<'r>, Halt> {
    match reader.next()? {
        Some(entry) if entry.kind() == journal::Kind::State => Err(ended(&entry, end, step)),
        Some(entry) => Ok(entry),
        None => {
            *ran_out = true;
            Err(Halt::EndOfRecord)
        }
    }
}

/// The guest calls where the record has its end: right if the run was ended in this very call, else a divergence.
#[cold]
fn ended(entry: &Entry<'_>, end: &mut Option<End>, step: &Step<'_>) -> Halt {
    let Some(recorded) = end_of(entry) else {
        return step.diverged(entry, Kind::Extra);
    };
    let here = matches!(&recorded.at, Where::Call(function) if *function == *step.function.name)
        && (recorded.fuel == step.fuel || step.fuel_rule == FuelRule::Reported);
    *end = Some(recorded);
    if here { Halt::EndOfRecord } else { step.diverged(entry, Kind::Extra) }
}

/// Tells whether a connector was stopped while it was in no call, or by what came in, which has no entry then.
fn is_ended_between_calls(end: &End, functions: &Functions) -> bool {
    match &end.at {
        Where::Call(name) => functions.get(name).is_some_and(|function| function.is_internal),
        Where::Slice => true,
        Where::Guest => false,
    }
}

fn end_of(entry: &Entry<'_>) -> Option<End> {
    serde_json::from_slice(entry.params()).ok()
}

#[inline]
fn decode<R: Value>(entry: &Entry<'_>, step: &mut Step<'_>) -> Result<R, Halt> {
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
