//! Making a fork: a run that begins where another was once, and goes on by itself.
//!
//! Its past is its parent's. Where outcomes are set, its own record begins with the first of them: up to the last, it
//! holds what the parent did, with those outcomes. Then it is parked, and is resumed like any other run.

mod plan;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use self::plan::Plan;
use super::recall::Recalled;
use crate::gate::Functions;
use crate::gate::value::Mismatch;
use crate::id::RunId;
use crate::journal::{self, Cause, Header, Journal};
use crate::lifecycle::{State, Transition};
use crate::time::Clock;

/// What a fork is.
pub struct Fork<'a> {
    /// How many of the parent's entries are its past.
    pub at: u64,
    /// What is to have been the outcome of entries of the parent's.
    pub set: Vec<(u64, Json)>,
    /// Whether it may have effects.
    pub is_armed: bool,
    /// Who makes it.
    pub by: &'a str,
}

/// Why there is no fork.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    /// It would begin in the middle of a call.
    #[error("entry {at} is in the middle of a call, which begins with entry {begins}")]
    InCall {
        /// The entry.
        at: u64,
        /// The call's first entry.
        begins: u64,
    },
    /// Its past would hold an end.
    #[error("run {run} ended at entry {end}, and nothing goes on after that")]
    Ended {
        /// The parent.
        run: RunId,
        /// The entry.
        end: u64,
    },
    /// It was called, and its caller's record says what it was asked.
    #[error("run {run} is of a connector that run {caller} called: fork that one", caller = .cause.run)]
    Called {
        /// The parent.
        run: RunId,
        /// Who called it.
        cause: Cause,
    },
    /// What a connector holds is in the connector's own run.
    #[error("run {run} has called a connector before, whose state an armed fork would not have: leave it disarmed")]
    HasCalled {
        /// The parent.
        run: RunId,
    },
    /// An entry is to have two outcomes.
    #[error("the outcome of entry {0} is set twice")]
    SetTwice(u64),
    /// Nothing before the fork, nor where it begins.
    #[error("entry {entry} is not before the fork, which begins at entry {at}: an outcome can be set up to there")]
    SetLater {
        /// The entry.
        entry: u64,
        /// Where the fork begins.
        at: u64,
    },
    /// It records no call.
    #[error("entry {0} is not of a call, and has no outcome")]
    NotACall(u64),
    /// It records a call that both sides compute.
    #[error("entry {entry} holds no outcome: what {function} returns follows from what was recorded before")]
    NoOutcome {
        /// The entry.
        entry: u64,
        /// The function.
        function: String,
    },
    /// The value is not one of the function's type.
    #[error("the outcome of entry {entry} cannot be that: {function} returns {mismatch}")]
    Value {
        /// The entry.
        entry: u64,
        /// The function.
        function: String,
        /// What is wrong with it.
        mismatch: Mismatch,
    },
    /// The journal said no.
    #[error(transparent)]
    Journal(#[from] journal::Error),
}

/// Makes a fork of a run. `functions` are those that the run's entries name.
///
/// # Errors
/// [`ForkError`]; nothing is stored then.
pub fn fork(
    parent: &Recalled,
    functions: &Functions,
    fork: Fork<'_>,
    journal: &Journal,
    clock: &Clock,
) -> Result<RunId, ForkError> {
    let Recalled { id: run, header, .. } = parent;
    if let Some(cause) = header.cause {
        return Err(ForkError::Called { run: *run, cause });
    }
    if fork.is_armed && has_called(journal, *run, header, fork.at)? {
        return Err(ForkError::HasCalled { run: *run });
    }
    let set = by_entry(&fork)?;
    let plan = Plan::of(journal, *run, fork.at, set, functions)?;
    let own = Header {
        accepted: clock.now(),
        armed: fork.is_armed.then_some(true),
        principal: fork.by.to_owned(),
        start_key: None,
        ..header.clone()
    };
    journal.fork(*run, plan.cut, own, |writer, parted| {
        let (fuel, time_us) = plan.copy(journal, *run, writer)?.unwrap_or((parted.fuel, parted.time_us));
        let why = format!("forked from run {run} at entry {}", plan.cut);
        let body = Transition { now: State::Paused, why, by: fork.by.to_owned(), entry: None, decision: None };
        writer.state(fuel, time_us, &body)?;
        Ok(())
    })
}

fn by_entry(fork: &Fork<'_>) -> Result<BTreeMap<u64, Json>, ForkError> {
    let mut set = BTreeMap::new();
    for (entry, json) in &fork.set {
        if *entry > fork.at {
            return Err(ForkError::SetLater { entry: *entry, at: fork.at });
        }
        if set.insert(*entry, json.clone()).is_some() {
            return Err(ForkError::SetTwice(*entry));
        }
    }
    Ok(set)
}

/// Tells whether a run, or one that it comes from, has called a connector in the part that is forked.
fn has_called(journal: &Journal, run: RunId, header: &Header, at: u64) -> Result<bool, journal::Error> {
    let (mut run, mut header, mut until) = (run, header.clone(), at);
    loop {
        let called = journal.caused_by(run)?;
        if called.iter().any(|called| called.header.cause.is_some_and(|cause| cause.entry < until)) {
            return Ok(true);
        }
        let Some(parent) = header.parent else { return Ok(false) };
        until = until.min(header.cut.unwrap_or(0));
        (run, header) = (parent, journal.header(parent)?);
    }
}
