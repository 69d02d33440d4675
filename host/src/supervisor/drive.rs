//! One run on a worker, from its turn to its end, or until it is parked.
//!
//! A run that cannot go on is paused with the reason, never tried again in a loop.

use tokio::task::spawn_blocking;

use std::sync::Arc;

use super::worker::Job;
use super::{Ground, Outfit, Shared};
use crate::agent::{Again, ParkError, RecallError, ResumeError, pause, resume};
use crate::gate::End;
use crate::journal;
use crate::lifecycle::{HOST, State};

/// Why a run has not gone on.
enum Left {
    /// It waits for a person, or is another's by now.
    AsItIs(String),
    /// It is paused with this.
    Unfit(String),
    /// The journal failed underneath it.
    Journal(journal::Error),
}

impl From<ResumeError> for Left {
    fn from(error: ResumeError) -> Self {
        match error {
            ResumeError::NotResumable(_) | ResumeError::Undecided(_) => Self::AsItIs(error.to_string()),
            ResumeError::Recall(RecallError::Journal(error)) => error.into(),
            ResumeError::Launch(_) | ResumeError::Recall(_) => Self::Unfit(error.to_string()),
        }
    }
}

impl From<journal::Error> for Left {
    fn from(error: journal::Error) -> Self {
        match error {
            journal::Error::Fenced { .. } | journal::Error::NoSuchRun(_) => Self::AsItIs(error.to_string()),
            // The file takes no run any more.
            journal::Error::Io(_) | journal::Error::DiskFull | journal::Error::ReadOnly(_) | journal::Error::Closed => {
                Self::Journal(error)
            }
            // It is this run's own.
            error => Self::Unfit(error.to_string()),
        }
    }
}

/// Drives a run, and says what became of it.
pub(super) async fn drive(shared: &Arc<Shared>, job: &Job) {
    let run = job.run;
    if job.stop.is_asked() && job.stop.order().is_none() {
        return;
    }
    match go_on(shared, job).await {
        Ok(end) => tracing::info!(%run, state = end.outcome.name(), "{}", end.outcome.sentence()),
        Err(Left::AsItIs(why)) => tracing::info!(%run, "stays as it is: {why}"),
        Err(Left::Unfit(why)) => give_up(shared, job, &why),
        Err(Left::Journal(error)) => {
            tracing::error!(%run, "interrupted, and nothing goes on before the home is served anew: {error}");
            shared.places().has_failed = true;
        }
    }
}

async fn go_on(shared: &Arc<Shared>, job: &Job) -> Result<End, Left> {
    let Ground { journal, clock, engine, .. } = &shared.ground;
    // Somebody may have paused it since it was found.
    if job.by == HOST && journal.unfinished_run(job.run)?.is_none_or(|row| waits_for_a_person(row.state)) {
        return Err(Left::AsItIs("it waits for a person, or has ended".into()));
    }
    let (looking, run) = (shared.clone(), job.run);
    // It may have to compile, while others run on this thread.
    let outfit = spawn_blocking(move || looking.ground.outfitter.outfit(run)).await;
    let outfit = outfit.map_err(|error| Left::Unfit(format!("looking up what it needs failed: {error}")))?;
    let Outfit { recalled, agent, outward, most, values, connectors } = outfit.map_err(Left::Unfit)?;
    let again = Again { engine: *engine, most: &most, values, by: &job.by };
    let accepted = resume(&recalled, &agent, again, journal, clock.clone())?.with(&outward);
    let accepted = connectors.iter().fold(accepted, |accepted, (all, links)| accepted.calling(all, links));
    // What it says is in its record.
    Ok(accepted.run(&agent, &job.stop, &mut |_, _| {}).await?)
}

fn waits_for_a_person(state: State) -> bool {
    matches!(state, State::Paused | State::InDoubt)
}

/// Pauses a run that cannot go on.
fn give_up(shared: &Shared, job: &Job, why: &str) {
    let (Ground { journal, clock, .. }, run) = (&shared.ground, job.run);
    match pause(journal, run, HOST, why, clock) {
        Ok(()) => tracing::warn!(%run, "paused: {why}"),
        // It waits for a person as it is.
        Err(ParkError::Unlawful { .. }) => tracing::warn!(%run, "{why}"),
        Err(error) => {
            tracing::error!(%run, "{why}; and it could not be paused: {error}");
            // Lest it be found again, and again.
            shared.places().given_up.insert(run);
        }
    }
}
