//! What a fork has of its parent: where its past ends, and which outcomes it holds itself.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::ForkError;
use crate::gate::{Functions, LastState};
use crate::id::RunId;
use crate::journal::{self, Cause, Entry, Extension, Journal, Kind, Record, RunWriter};

/// What a fork has of its parent.
pub(super) struct Plan {
    /// How many entries it reads through.
    pub cut: u64,
    /// The end of what it holds itself.
    until: u64,
    /// The outcomes that are other ones, by the entry that holds them or their intent.
    outcomes: BTreeMap<u64, Vec<u8>>,
}

/// A call of the parent's, which may take several entries.
struct Call {
    begins: u64,
    /// The entry of its outcome; nothing where it has none.
    outcome: Option<u64>,
}

impl Plan {
    /// Reads the parent to where the fork begins, and checks what is asked for.
    ///
    /// # Errors
    /// What of it cannot be.
    pub fn of(
        journal: &Journal,
        run: RunId,
        at: u64,
        mut set: BTreeMap<u64, Json>,
        functions: &Functions,
    ) -> Result<Self, ForkError> {
        let mut plan = Self { cut: at, until: at, outcomes: BTreeMap::new() };
        let mut reader = journal.reader(run)?;
        let (mut open, mut asked) = (None, Vec::new());
        while let Some(entry) = reader.next()? {
            let number = entry.number();
            if number >= at && open.is_none() && set.is_empty() {
                break;
            }
            check_end(&entry, run, at)?;
            if matches!(entry.kind(), Kind::State | Kind::Note) {
                if set.contains_key(&number) {
                    return Err(ForkError::NotACall(number));
                }
                continue;
            }
            let call = Call::next(&entry, &mut open);
            asked.extend(set.remove(&number).map(|json| (number, json)));
            if let Some(call) = call {
                plan.answer(&entry, &call, std::mem::take(&mut asked), at, functions)?;
            }
        }
        let (entries, beyond) = (reader.taken(), set.into_keys().next());
        match open {
            Some(begins) if !asked.is_empty() => plan.answer_open(journal, run, begins, asked, functions)?,
            Some(begins) if at > begins => return Err(ForkError::InCall { at, begins }),
            _ => {}
        }
        match beyond.or((plan.cut > entries).then_some(plan.cut)) {
            Some(entry) => Err(journal::Error::NoSuchEntry { run, entry, entries }.into()),
            None => Ok(plan),
        }
    }

    /// Takes note of a whole call: whether an outcome is set for it, and that the fork does not begin in it.
    fn answer(
        &mut self,
        entry: &Entry<'_>,
        call: &Call,
        asked: Vec<(u64, Json)>,
        at: u64,
        functions: &Functions,
    ) -> Result<(), ForkError> {
        let Some((number, json)) = one(asked)? else {
            let is_in_it = call.begins < at && call.outcome.is_some_and(|outcome| at <= outcome);
            return if is_in_it { Err(ForkError::InCall { at, begins: call.begins }) } else { Ok(()) };
        };
        self.set(number, call.begins, entry, Some(entry.outcome()), &json, functions)?;
        self.until = entry.number() + 1;
        Ok(())
    }

    /// Sets the outcome of an intent that nothing answers.
    fn answer_open(
        &mut self,
        journal: &Journal,
        run: RunId,
        begins: u64,
        asked: Vec<(u64, Json)>,
        functions: &Functions,
    ) -> Result<(), ForkError> {
        let Some((number, json)) = one(asked)? else { return Ok(()) };
        let mut reader = journal.reader(run)?;
        reader.pass(begins)?;
        if let Some(intent) = reader.next()? {
            self.set(number, begins, &intent, None, &json, functions)?;
            self.until = begins + 1;
        }
        Ok(())
    }

    fn set(
        &mut self,
        number: u64,
        begins: u64,
        entry: &Entry<'_>,
        recorded: Option<&[u8]>,
        json: &Json,
        functions: &Functions,
    ) -> Result<(), ForkError> {
        let name = entry.function_name().unwrap_or_default().to_owned();
        let no_outcome = || ForkError::NoOutcome { entry: number, function: name.clone() };
        let function = functions.get(&name).ok_or_else(no_outcome)?;
        if recorded.is_some_and(<[u8]>::is_empty) {
            return Err(no_outcome());
        }
        let outcome = function.read_outcome(json, recorded);
        let value = |mismatch| ForkError::Value { entry: number, function: name.clone(), mismatch };
        self.outcomes.insert(begins, outcome.map_err(value)?);
        if self.outcomes.len() == 1 {
            self.cut = begins;
        }
        Ok(())
    }

    /// Records what the fork holds itself. Returns fuel and time of the last entry, if there is one.
    ///
    /// # Errors
    /// When the parent cannot be read, or the fork not be written.
    pub fn copy(&self, journal: &Journal, run: RunId, writer: &mut RunWriter) -> Result<Option<(u64, u64)>, ForkError> {
        if self.outcomes.is_empty() {
            return Ok(None);
        }
        let mut reader = journal.reader(run)?;
        reader.pass(self.cut)?;
        let (mut last, mut set) = (None, None);
        while let Some(entry) = reader.next()?.filter(|entry| entry.number() < self.until) {
            set = set.or_else(|| self.outcomes.get(&entry.number()));
            let cause = Cause { run, entry: entry.number() };
            match entry.kind() {
                Kind::Call | Kind::Outcome => copied(&entry, set.take(), cause, writer)?,
                // An intent that nothing answers has its outcome here.
                Kind::Intent => {
                    copied(&entry, None, cause, writer)?;
                    if let Some(outcome) = set.filter(|_| entry.number() + 1 == self.until) {
                        answered(&entry, outcome, cause, writer)?;
                    }
                }
                Kind::State | Kind::Note => continue,
            }
            last = Some((entry.fuel(), entry.time_us()));
        }
        Ok(last)
    }
}

impl Call {
    /// Returns the call that ends with an entry. `open` is the first entry of one that goes on.
    fn next(entry: &Entry<'_>, open: &mut Option<u64>) -> Option<Self> {
        let number = entry.number();
        match entry.kind() {
            Kind::Call => Some(Self { begins: number, outcome: None }),
            Kind::Intent => {
                open.get_or_insert(number);
                None
            }
            Kind::Outcome => open.take().map(|begins| Self { begins, outcome: Some(number) }),
            Kind::State | Kind::Note => None,
        }
    }
}

fn one(asked: Vec<(u64, Json)>) -> Result<Option<(u64, Json)>, ForkError> {
    let mut asked = asked.into_iter();
    match (asked.next(), asked.next()) {
        // An intent and its outcome are one call.
        (Some(_), Some((twice, _))) => Err(ForkError::SetTwice(twice)),
        (first, _) => Ok(first),
    }
}

fn check_end(entry: &Entry<'_>, run: RunId, at: u64) -> Result<(), ForkError> {
    let is_end = || LastState::read(entry.params()).is_ok_and(|state| state.state().is_end());
    if entry.kind() == Kind::State && entry.number() < at && is_end() {
        return Err(ForkError::Ended { run, end: entry.number() });
    }
    Ok(())
}

/// Records an entry of the parent's, with its outcome or another.
fn copied(
    entry: &Entry<'_>,
    outcome: Option<&Vec<u8>>,
    cause: Cause,
    writer: &mut RunWriter,
) -> Result<(), journal::Error> {
    let extension = entry.extension()?;
    let is_own = outcome.is_some();
    let kept = if is_own { Extension { answers: extension.answers, ..Extension::default() } } else { extension };
    // Notes and states in between are not the fork's, so numbers may be others here.
    let answers = kept.answers.map(|_| writer.next_entry().saturating_sub(1));
    let extension = Extension { cause: Some(cause.to_string()), answers, ..kept };
    let outcome = outcome.map_or_else(|| entry.outcome(), Vec::as_slice);
    record(entry, entry.kind(), outcome, &extension, writer)
}

/// Records the outcome of an intent.
fn answered(intent: &Entry<'_>, outcome: &[u8], cause: Cause, writer: &mut RunWriter) -> Result<(), journal::Error> {
    let answers = Some(writer.next_entry().saturating_sub(1));
    let extension = Extension { cause: Some(cause.to_string()), answers, ..Extension::default() };
    record(intent, Kind::Outcome, outcome, &extension, writer)
}

fn record(
    entry: &Entry<'_>,
    kind: Kind,
    outcome: &[u8],
    extension: &Extension,
    writer: &mut RunWriter,
) -> Result<(), journal::Error> {
    let Some(function) = entry.function() else { return Ok(()) };
    let (fuel, time_us) = (entry.fuel(), entry.time_us());
    let function = writer.function(function.name.clone(), function.class);
    let params = if kind == Kind::Outcome { &[][..] } else { entry.params() };
    writer.call(&Record { kind, function, fuel, time_us, params, outcome, extension: Some(extension) })?;
    Ok(())
}
