//! Who has a place: the runs that workers drive, and those that somebody else claimed. No I/O, no threads.

use std::collections::HashMap;
use std::sync::Arc;

use super::Shared;
use super::queue::Queue;
use super::worker::Worker;
use crate::agent::Stop;
use crate::id::RunId;

/// Who has a place, and who waits for one.
#[derive(Default)]
pub(super) struct Places {
    pub queue: Queue,
    /// Who asked for a run that waits, where it was a person.
    pub asked: HashMap<RunId, String>,
    pub workers: Vec<Worker>,
    /// Nobody gets a place any more.
    pub is_closing: bool,
    /// What is due has to be looked up anew.
    pub looks_again: bool,
    held: HashMap<RunId, Place>,
    /// How many of them workers drive, one by one.
    loads: Vec<usize>,
}

struct Place {
    stop: Stop,
    /// The worker that drives it; nobody's where somebody claimed it.
    worker: Option<usize>,
}

impl Places {
    /// Returns how many runs have a place or are claimed.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Tells whether somebody has this run.
    pub fn holds(&self, run: RunId) -> bool {
        self.held.contains_key(&run)
    }

    /// Returns what stops a run that somebody has.
    pub fn stop_of(&self, run: RunId) -> Option<&Stop> {
        self.held.get(&run).map(|place| &place.stop)
    }

    /// Takes the next run out of the queue, if there is a place for it, with the worker that has least to do.
    pub fn next(&mut self, runs_max: usize) -> Option<(RunId, usize)> {
        self.loads.resize(self.workers.len(), 0);
        if self.is_closing || self.loads.iter().sum::<usize>() >= runs_max {
            return None;
        }
        let worker = (0..self.loads.len()).min_by_key(|worker| self.loads[*worker])?;
        Some((self.queue.pop()?, worker))
    }

    /// Gives a run the place that [`Places::next`] found.
    pub fn occupy(&mut self, run: RunId, stop: &Stop, worker: usize) {
        self.loads[worker] += 1;
        self.held.insert(run, Place { stop: stop.clone(), worker: Some(worker) });
    }

    /// Notes that somebody has a run who drives it elsewhere.
    pub fn claim(&mut self, run: RunId, stop: &Stop) {
        self.held.insert(run, Place { stop: stop.clone(), worker: None });
    }

    /// Takes a run's place back.
    pub fn free(&mut self, run: RunId) {
        if let Some(worker) = self.held.remove(&run).and_then(|place| place.worker) {
            self.loads[worker] -= 1;
        }
    }

    /// Tells every run to stop.
    pub fn stop_all(&self) {
        self.held.values().for_each(|place| place.stop.ask());
    }
}

/// A run that somebody has, until this is dropped.
pub struct Claim {
    shared: Arc<Shared>,
    run: RunId,
}

impl Claim {
    pub(super) fn new(shared: &Arc<Shared>, run: RunId) -> Self {
        Self { shared: shared.clone(), run }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.shared.left(self.run);
    }
}
