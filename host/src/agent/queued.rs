//! Accepting a run that waits for its turn: everything that decides it is checked and stored now, and nobody drives it yet.

use super::Agent;
use super::launch::{Launch, LaunchError, Reason, accept_for};
use crate::digest::Digest;
use crate::id::RunId;
use crate::journal::Journal;
use crate::lifecycle::{State, Transition};
use crate::time::Clock;

/// How a run waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queueing {
    /// Asked for again with the same key, the same run is meant.
    pub key: Option<String>,
    /// Where it stands among those that wait: a higher one goes first.
    pub priority: i8,
}

/// Accepts a run that somebody takes up later with [`resume`](super::resume()). It is durable when this returns, which blocks for
/// two commits. Killed between them, the host leaves a run that was interrupted before its first call.
///
/// # Errors
/// As [`accept`](super::accept()); of the journal's errors
/// [`AlreadyStarted`](crate::journal::Error::AlreadyStarted) names the run that the key stands for.
pub fn queue(
    launch: Launch,
    queueing: &Queueing,
    agent: &Agent,
    engine: Digest,
    journal: &Journal,
    clock: Clock,
) -> Result<RunId, LaunchError> {
    let by = launch.principal.clone();
    let accepted = accept_for(launch, agent, engine, journal, clock, Reason::Queued(queueing))?;
    let body = Transition { now: State::Queued, why: "accepted".into(), by, entry: None, decision: None };
    let time_us = accepted.live.wall_us(accepted.live.elapsed());
    let writer = accepted.live.journal();
    let durable = {
        let mut writer = writer.borrow_mut();
        writer.state(0, time_us, &body)?;
        writer.durable()?
    };
    durable.wait()?;
    Ok(accepted.id)
}
