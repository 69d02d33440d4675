//! A run in the foreground that waits, suspended like any other: this process stays for a timer, and asks on its terminal
//! what the run asks a person, and goes on with the run then. For anything else, and for longer than its
//! patience, it leaves the run suspended.

use std::time::Duration;

use super::approvals::ask_here;
use super::args::Crash;
use super::caller::{self, Stream};
use super::connectors::Resolved;
use super::output::Output;
use super::report::{Failure, Result, note};
use super::resume::go_on;
use super::session::Session;
use crate::agent::{Agent, Outward, Stop, stay_until};
use crate::gate::{End, Outcome};
use crate::id::RunId;
use crate::lifecycle::Wait;

/// What a process that drives a run in the foreground goes on with it by.
pub struct Foreground<'a> {
    /// The home.
    pub session: &'a Session,
    /// The run's component.
    pub agent: &'a Agent,
    /// Its ways out.
    pub outward: &'a Outward,
    /// The connectors that it may call.
    pub resolved: &'a Resolved,
    /// Who resumes it.
    pub by: &'a str,
    /// Ends the run, or the wait for it.
    pub stop: &'a Stop,
    /// How far away a moment may be that is waited for here.
    pub patience: Duration,
    /// Where the run is killed, if that is tried out.
    pub crash: &'a Crash,
}

impl Foreground<'_> {
    /// Goes on with a run as long as it waits for what is waited for here. Returns how it ended or is parked.
    pub async fn see_through(&self, run: RunId, mut end: End, shown: &mut Output) -> Result<End> {
        while let Outcome::Waiting { wait } = &end.outcome {
            if !stay(self.session, run, wait, self.patience, self.stop).await? {
                break;
            }
            end = go_on(self, run, shown).await?;
        }
        Ok(end)
    }
}

/// Asks on the terminal what a run asks, if there is one. Returns whether it was decided.
fn ask(session: &Session, run: RunId, entry: u64) -> Result<bool> {
    if !(caller::is_terminal(Stream::Stdin) && caller::is_terminal(Stream::Stderr)) {
        return Ok(false);
    }
    let asked = session.journal().proposals().map_err(Failure::from)?;
    match asked.iter().find(|proposal| (proposal.run, proposal.entry) == (run, entry)) {
        Some(proposal) => ask_here(session, proposal),
        None => Ok(false),
    }
}

/// Stays until a run that waits can go on. Returns false where that takes too long, or is not known, or somebody stops it.
pub async fn stay(session: &Session, run: RunId, wait: &Wait, patience: Duration, stop: &Stop) -> Result<bool> {
    let now = session.clock().now();
    let waiting = session.journal().waiting(run).map_err(Failure::from)?;
    if waiting.is_none_or(|waiting| waiting.is_due(now)) {
        return Ok(true);
    }
    let until = match *wait {
        Wait::Time { until } => until,
        Wait::Approval { entry, .. } => return ask(session, run, entry),
        Wait::Signal { .. } => return Ok(false),
    };
    if until.since(now) > patience {
        return Ok(false);
    }
    note(format!("run {run} waits {wait}"));
    Ok(stay_until(until, session.clock(), stop).await)
}
