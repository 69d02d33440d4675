//! Runs that nobody drives: which state one is in, and what a person makes of it.

use super::drive::{Order, StopTo};
use super::ending::ASKED;
use super::recall::{RecallError, recall};
use crate::gate::{End, LastState, Outcome, StopReason, Where};
use crate::id::RunId;
use crate::journal::{self, Cause, Journal, Settlement, Summary, TakenOver};
use crate::lifecycle::{HOST, State, Transition};
use crate::time::Clock;

/// Why a run that nobody drives was not paused or cancelled.
#[derive(Debug, thiserror::Error)]
pub enum ParkError {
    /// The states do not follow each other.
    #[error("run {run} is {}, and cannot become {}", .now.name(), .next.name())]
    Unlawful {
        /// The run.
        run: RunId,
        /// Its state.
        now: State,
        /// The state that was asked for.
        next: State,
    },
    /// It serves another run, and goes where that one goes.
    #[error("run {run} is that of a connector, called by {cause}")]
    Called {
        /// The run.
        run: RunId,
        /// Why it is.
        cause: Cause,
    },
    /// The record cannot be used.
    #[error(transparent)]
    Recall(#[from] RecallError),
}

impl From<journal::Error> for ParkError {
    fn from(error: journal::Error) -> Self {
        Self::Recall(error.into())
    }
}

/// Returns the state of a run. One whose record says that it runs was interrupted, unless this process writes it.
pub fn state_of(summary: &Summary) -> State {
    let last = summary.state.as_deref().and_then(|body| LastState::read(body).ok());
    match last.as_ref().map(LastState::state) {
        Some(state) if state.is_end() => state,
        // Also one that is on its way to where its record ends, which says something else.
        _ if summary.live => State::Running,
        Some(state) if state != State::Running => state,
        _ => State::Interrupted,
    }
}

/// Pauses a run that nobody drives. It is durable when this returns.
///
/// # Errors
/// [`ParkError`]; the run is as it was then.
pub fn pause(journal: &Journal, run: RunId, by: &str, why: &str, clock: &Clock) -> Result<(), ParkError> {
    check(journal, run, State::Paused)?;
    let mut taken = journal.take_over(run)?;
    let body = Transition { now: State::Paused, why: why.into(), by: by.into(), entry: None, decision: None };
    let (fuel, time_us) = (taken.writer.fuel(), now(&taken, clock));
    taken.writer.state(fuel, time_us, &body)?;
    Ok(taken.writer.durable()?.wait()?)
}

/// Ends a run that nobody drives. It is durable when this returns.
///
/// # Errors
/// [`ParkError`]; the run is as it was then.
pub fn cancel(journal: &Journal, run: RunId, by: &str, why: Option<&str>, clock: &Clock) -> Result<End, ParkError> {
    check(journal, run, State::Cancelled)?;
    let recalled = recall(journal, run)?;
    let outcome = Outcome::Cancelled { why: why.map(str::to_owned) };
    let end = finish(journal, run, recalled.end.as_ref(), outcome, by, clock)?;
    if !recalled.remit().connectors().is_empty() {
        end_called(journal, run, clock)?;
    }
    Ok(end)
}

/// Ends the runs of the connectors that a run called which has ended, and of those that they called.
fn end_called(journal: &Journal, run: RunId, clock: &Clock) -> Result<(), ParkError> {
    let reason = StopReason::CallerEnded;
    for called in journal.caused_by(run)? {
        if !state_of(&called).is_end() {
            let parked = called.state.as_deref().and_then(End::read);
            finish(journal, called.id, parked.as_ref(), Outcome::Interrupted { reason }, HOST, clock)?;
        }
        end_called(journal, called.id, clock)?;
    }
    Ok(())
}

/// Ends a run where its record ends. `parked` is how it stood.
fn finish(
    journal: &Journal,
    run: RunId,
    parked: Option<&End>,
    outcome: Outcome,
    by: &str,
    clock: &Clock,
) -> Result<End, ParkError> {
    let mut taken = journal.take_over(run)?;
    let at = match taken.open {
        // The guest is in the call that nothing answers.
        Some(entry) => Where::Call(function_of(journal, run, entry)?),
        None => parked.map_or(Where::Slice, |end| end.at.clone()),
    };
    let (usage, called) = parked.map_or_else(Default::default, |end| (end.usage, end.called));
    let fuel = taken.writer.fuel();
    let end = End { outcome, at, fuel, usage, called, by: Some(by.to_owned()) };
    if let Some(entry) = taken.open {
        taken.writer.settle(entry, Settlement::Used);
    }
    let time_us = now(&taken, clock);
    taken.writer.state(fuel, time_us, &end)?;
    taken.writer.durable()?.wait()?;
    Ok(end)
}

/// Has a run that was stopped on the way to the end of its record become what was ordered. `end` is how it stands then.
pub(super) fn turn(
    journal: &Journal,
    run: RunId,
    order: &Order,
    end: End,
    clock: &Clock,
) -> Result<End, journal::Error> {
    let Order { to, by, why } = order;
    let turned = match to {
        StopTo::Suspended => return Ok(end),
        StopTo::Paused => {
            let why = why.clone().unwrap_or_else(|| ASKED.to_owned());
            let paused = pause(journal, run, by, &why, clock);
            paused.map(|()| End { outcome: Outcome::Paused { why }, by: Some(by.clone()), ..end.clone() })
        }
        StopTo::Cancelled => cancel(journal, run, by, why.as_deref(), clock),
    };
    match turned {
        Err(ParkError::Recall(RecallError::Journal(error))) => Err(error),
        // What its record says forbids it.
        Err(_) => Ok(end),
        Ok(end) => Ok(end),
    }
}

/// Refuses what the table of states does not have.
fn check(journal: &Journal, run: RunId, next: State) -> Result<(), ParkError> {
    let summary = journal.summary(run)?;
    let now = state_of(&summary);
    if now == State::Running || !now.may_become(next) {
        return Err(ParkError::Unlawful { run, now, next });
    }
    summary.header.cause.map_or(Ok(()), |cause| Err(ParkError::Called { run, cause }))
}

/// Returns a time that is not before the last entry's.
fn now(taken: &TakenOver, clock: &Clock) -> u64 {
    clock.now().as_micros().max(taken.time_us)
}

/// Returns the function that an entry names.
fn function_of(journal: &Journal, run: RunId, entry: u64) -> Result<String, ParkError> {
    let mut reader = journal.reader(run)?;
    while let Some(read) = reader.next()? {
        if read.number() == entry {
            return Ok(read.function_name().unwrap_or_default().to_owned());
        }
    }
    Ok(String::new())
}
