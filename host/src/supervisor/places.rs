//! Who has a place: the runs that workers drive, and those that somebody else claimed. No I/O, no threads.

use std::collections::{HashMap, HashSet};
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
    /// The journal failed: whatever is driven now would fail, too.
    pub has_failed: bool,
    /// What is due has to be looked up anew.
    pub looks_again: bool,
    /// Runs that can neither go on nor be paused: nobody takes them up before somebody asks for it.
    pub given_up: HashSet<RunId>,
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
    /// Returns the places of so many workers.
    pub fn of(workers: usize) -> Self {
        Self { loads: vec![0; workers], ..Self::default() }
    }

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
        if self.is_closing || self.has_failed || self.loads.iter().sum::<usize>() >= runs_max {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::queue::Waiting;
    use super::*;

    /// What happens to the places of a supervisor.
    #[derive(Clone, Debug)]
    enum Step {
        /// A run is ready.
        Ready(u8, i8, u8),
        /// Somebody claims a run, if nobody has it.
        Claim(u8),
        /// Whoever has a run gives it back.
        Free(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..12_u8, -1..2_i8, 0..3_u8).prop_map(|(run, priority, owner)| Step::Ready(run, priority, owner)),
            (0..12_u8).prop_map(Step::Claim),
            (0..12_u8).prop_map(Step::Free),
        ]
    }

    fn run(number: u8) -> RunId {
        RunId::from_bytes([number; 16])
    }

    fn fill(places: &mut Places, runs_max: usize) -> Result<(), TestCaseError> {
        while let Some((run, worker)) = places.next(runs_max) {
            prop_assert!(!places.holds(run), "a run has two drivers");
            places.occupy(run, &Stop::default(), worker);
        }
        Ok(())
    }

    proptest! {
        /// Whatever happens: no run has two drivers, no more are driven than there are places for, nobody waits while there
        /// is one, and every place is given back.
        #[test]
        fn a_run_has_one_driver_and_a_ceiling_holds(
            steps in proptest::collection::vec(step(), 0..80),
            (workers, runs_max) in (1..4_usize, 0..5_usize),
        ) {
            let mut places = Places::of(workers);
            for step in steps {
                match step {
                    Step::Ready(number, priority, owner) if !places.holds(run(number)) => {
                        places.queue.push(Waiting { run: run(number), priority, owner: [owner; 8] });
                    }
                    Step::Claim(number) if !places.holds(run(number)) => {
                        places.queue.remove(run(number));
                        places.claim(run(number), &Stop::default());
                    }
                    Step::Free(number) => places.free(run(number)),
                    Step::Ready(..) | Step::Claim(_) => {}
                }
                fill(&mut places, runs_max)?;
                let driven: usize = places.loads.iter().sum();
                prop_assert!(driven <= runs_max && driven <= places.held());
                prop_assert!(driven == runs_max || places.queue.len() == 0, "somebody waits, and there is a place");
            }
            (0..12).for_each(|number| places.free(run(number)));
            fill(&mut places, 100)?;
            (0..12).for_each(|number| places.free(run(number)));
            prop_assert_eq!((places.held(), places.queue.len(), places.loads.iter().sum::<usize>()), (0, 0, 0));
        }
    }

    #[test]
    fn nobody_gets_a_place_at_the_end() {
        let mut places = Places::of(1);
        places.queue.push(Waiting { run: run(1), priority: 0, owner: [0; 8] });
        let stop = Stop::default();
        places.claim(run(2), &stop);
        places.is_closing = true;
        places.stop_all();
        assert!(places.next(9).is_none() && stop.is_asked());
    }
}
