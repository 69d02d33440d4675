//! Runs that wait, from outside: staying until one can go on, and sending it a signal.

use std::time::Duration;

use super::Stop;
use crate::gate::LastState;
use crate::id::RunId;
use crate::journal::{self, Arrival, Journal, Signal};
use crate::lifecycle::State;
use crate::time::{Clock, Timestamp};

/// How often whoever stays looks at the clock, which somebody may have set, and whether to stop.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Why a run was not sent a signal.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It will never ask for one.
    #[error("the run has ended: it is {}", .0.name())]
    Ended(State),
    /// What the journal says to it.
    #[error(transparent)]
    Journal(#[from] journal::Error),
}

/// Stays until a moment of the wall clock. Returns whether it has come: else `stop` was asked for.
pub async fn stay_until(moment: Timestamp, clock: &Clock, stop: &Stop) -> bool {
    loop {
        let left = moment.since(clock.now());
        if left.is_zero() || stop.is_asked() {
            return left.is_zero();
        }
        tokio::time::sleep(left.min(LOOK_EVERY)).await;
    }
}

/// Sends a signal to a run that has not ended, whether it waits for one or not. Durable when this returns; it blocks for
/// one commit.
///
/// # Errors
/// [`SendError`]; nothing is kept then.
pub fn send(journal: &Journal, run: RunId, signal: Signal) -> Result<Arrival, SendError> {
    let state = journal.summary(run)?.state.and_then(|body| LastState::read(&body).ok());
    match state.map(|state| state.state()).filter(|state| state.is_end()) {
        Some(state) => Err(SendError::Ended(state)),
        None => Ok(journal.signal(run, signal)?),
    }
}
