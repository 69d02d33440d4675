//! Taking up what an earlier host left: every run that can go on by itself does, and none that takes its host down with it
//! does so for ever.

use super::queue::Waiting;
use super::ready::{Readiness, judge};
use super::{Ground, Shared};
use crate::agent::{ParkError, pause};
use crate::id::RunId;
use crate::journal::{self, Unfinished};
use crate::lifecycle::HOST;

/// So often a run is taken up at one place after its host was killed under it.
pub(super) const ATTEMPTS_MAX: u8 = 5;

/// How many rows are looked at in one go.
const PAGE_LEN: usize = 1_000;

/// Queues every run that can go on by itself, and returns how many there are.
pub(super) fn recover(shared: &Shared) -> Result<usize, journal::Error> {
    let Ground { journal, clock, .. } = &shared.ground;
    let (mut after, mut count) = (None, 0);
    loop {
        let page = journal.unfinished(after, PAGE_LEN)?;
        let Some(last) = page.last() else { return Ok(count) };
        after = Some(last.run);
        let now = clock.now();
        let (mut ready, mut interrupted) = (Vec::new(), Vec::new());
        for run in idle(shared, page) {
            match judge(journal, &run, now)? {
                Readiness::Ready => ready.push(run),
                Readiness::Interrupted => interrupted.push(run),
                Readiness::Waits => {}
            }
        }
        let survivors = counted(shared, &interrupted)?;
        let queued = ready.iter().chain(interrupted.iter().filter(|run| survivors.contains(&run.run)));
        count += enqueue(shared, queued);
    }
}

/// Returns those that nobody has.
fn idle(shared: &Shared, mut runs: Vec<Unfinished>) -> Vec<Unfinished> {
    let places = shared.places();
    runs.retain(|run| !places.holds(run.run) && !places.queue.holds(run.run));
    runs
}

/// Queues runs that nobody has, and returns how many.
pub(super) fn enqueue<'a>(shared: &Shared, runs: impl Iterator<Item = &'a Unfinished>) -> usize {
    let mut places = shared.places();
    let before = places.queue.len();
    for &Unfinished { run, priority, owner, .. } in runs {
        if !places.holds(run) && !places.given_up.contains(&run) {
            places.queue.push(Waiting { run, priority, owner });
        }
    }
    let count = places.queue.len() - before;
    shared.fill(&mut places);
    count
}

/// Counts that interrupted runs are taken up, pauses those that have been so too often, and returns the others.
fn counted(shared: &Shared, interrupted: &[Unfinished]) -> Result<Vec<RunId>, journal::Error> {
    if interrupted.is_empty() {
        return Ok(Vec::new());
    }
    let Ground { journal, clock, .. } = &shared.ground;
    let mut survivors = Vec::with_capacity(interrupted.len());
    for (run, attempts) in journal.count_attempts(interrupted.iter().map(|run| run.run).collect())? {
        if attempts <= ATTEMPTS_MAX {
            survivors.push(run);
            continue;
        }
        let why = format!("its host was killed {ATTEMPTS_MAX} times while it was at the same place");
        match pause(journal, run, HOST, &why, clock) {
            Ok(()) => tracing::warn!(%run, "paused: {why}"),
            Err(ParkError::Recall(crate::agent::RecallError::Journal(error))) => return Err(error),
            Err(error) => tracing::warn!(%run, "{error}"),
        }
    }
    Ok(survivors)
}
