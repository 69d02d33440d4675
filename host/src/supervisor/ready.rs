//! Whether a run that nobody drives goes on by itself, and when to look again: the one place that judges it.

use crate::id::RunId;
use crate::journal::{Error, Journal, Unfinished};
use crate::lifecycle::State;
use crate::time::Timestamp;

/// Whether a run goes on by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// It goes on as soon as there is a place.
    Ready,
    /// Its host was killed under it: it goes on, unless that has happened too often at the same place.
    Interrupted,
    /// Its time has not come, a person has to say something first, or its caller takes it along.
    Waits,
}

/// Judges a run that nobody drives.
///
/// # Errors
/// What keeps the journal from being read.
pub(super) fn judge(journal: &Journal, run: &Unfinished, now: Timestamp) -> Result<Readiness, Error> {
    Ok(match run.state {
        // What a connector did goes on when its caller does.
        _ if run.is_called => Readiness::Waits,
        State::Queued => Readiness::Ready,
        State::Suspended => match journal.waiting(run.run)? {
            Some(waiting) if !waiting.is_due(now) => Readiness::Waits,
            _ => Readiness::Ready,
        },
        State::Running | State::Interrupted => Readiness::Interrupted,
        State::Paused | State::InDoubt => Readiness::Waits,
        State::Succeeded | State::Failed | State::Cancelled => Readiness::Waits,
    })
}

/// Returns when to look for runs that have become ready by then; nothing while none becomes ready by time alone.
///
/// # Errors
/// As [`judge`].
pub(super) fn next_wake(journal: &Journal) -> Result<Option<Timestamp>, Error> {
    journal.next_due()
}

/// Returns runs that have become ready by time since they were suspended, so many at most, and those first that became so
/// first. One is in there until it has gone on.
///
/// # Errors
/// As [`judge`].
pub(super) fn due(journal: &Journal, now: Timestamp, len_max: usize) -> Result<Vec<RunId>, Error> {
    journal.due(now, len_max)
}
