//! The runs that are ready and wait for a place: by priority, and within one in turns between agents, so that one who
//! starts a thousand runs does not keep the others waiting for a thousand.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::id::RunId;
use crate::journal::Owner;

/// A run that waits for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The run.
    pub run: RunId,
    /// A higher one goes first.
    pub priority: i8,
    /// With whom it takes turns.
    pub owner: Owner,
}

/// The runs that wait for a place.
#[derive(Default)]
pub struct Queue {
    levels: BTreeMap<i8, Level>,
    runs: HashSet<RunId>,
}

/// Those of one priority.
#[derive(Default)]
struct Level {
    /// Whose turn it is, and then: each owner once.
    turns: VecDeque<Owner>,
    /// Each owner's runs, oldest first.
    waiting: HashMap<Owner, VecDeque<RunId>>,
}

impl Queue {
    /// Returns how many runs wait.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Tells whether a run waits.
    pub fn holds(&self, run: RunId) -> bool {
        self.runs.contains(&run)
    }

    /// Puts a run last among its owner's of this priority. One that waits already stays where it is.
    pub fn push(&mut self, waiting: Waiting) {
        let Waiting { run, priority, owner } = waiting;
        if !self.runs.insert(run) {
            return;
        }
        let level = self.levels.entry(priority).or_default();
        let runs = level.waiting.entry(owner).or_default();
        if runs.is_empty() {
            level.turns.push_back(owner);
        }
        runs.push_back(run);
    }

    /// Takes the run whose turn it is.
    pub fn pop(&mut self) -> Option<RunId> {
        let mut level = self.levels.last_entry()?;
        let Level { turns, waiting } = level.get_mut();
        let owner = turns.pop_front().expect("a level has a run");
        let runs = waiting.get_mut(&owner).expect("whose turn it is has a run");
        let run = runs.pop_front().expect("whose turn it is has a run");
        match runs.is_empty() {
            true => drop(waiting.remove(&owner)),
            false => turns.push_back(owner),
        }
        if turns.is_empty() {
            level.remove();
        }
        self.runs.remove(&run);
        Some(run)
    }

    /// Takes a run out of turn. Says whether it waited.
    pub fn remove(&mut self, run: RunId) -> bool {
        if !self.runs.remove(&run) {
            return false;
        }
        for level in self.levels.values_mut() {
            let found = level.waiting.iter_mut().find(|(_, runs)| runs.contains(&run));
            let Some((&owner, runs)) = found else { continue };
            runs.retain(|other| *other != run);
            if runs.is_empty() {
                level.waiting.remove(&owner);
                level.turns.retain(|other| *other != owner);
            }
        }
        self.levels.retain(|_, level| !level.turns.is_empty());
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(number: u8) -> RunId {
        RunId::from_bytes([number; 16])
    }

    fn queue(waiting: &[(u8, i8, u8)]) -> Queue {
        let mut queue = Queue::default();
        for &(number, priority, owner) in waiting {
            queue.push(Waiting { run: run(number), priority, owner: [owner; 8] });
        }
        queue
    }

    fn order(mut queue: Queue) -> Vec<u8> {
        std::iter::from_fn(|| queue.pop()).map(|run| run.as_bytes()[0]).collect()
    }

    #[test]
    fn agents_take_turns_and_priorities_go_first() {
        assert_eq!(order(queue(&[(1, 0, 1), (2, 0, 1), (3, 0, 1), (4, 0, 2), (5, 0, 3)])), [1, 4, 5, 2, 3]);
        assert_eq!(order(queue(&[(1, -1, 1), (2, 0, 1), (3, 5, 2), (4, 5, 2), (5, 5, 1)])), [3, 5, 4, 2, 1]);
        assert_eq!(order(queue(&[(1, 0, 1), (1, 9, 2)])), [1], "a run waits once");
    }

    #[test]
    fn who_comes_late_waits_for_one_turn_of_each() {
        let mut queue = queue(&[(1, 0, 1), (2, 0, 1), (3, 0, 1)]);
        assert_eq!(queue.pop(), Some(run(1)));
        queue.push(Waiting { run: run(9), priority: 0, owner: [2; 8] });
        assert_eq!(order(queue), [2, 9, 3]);
    }

    proptest! {
        /// Whatever is pushed and removed, each run comes out once, and between two runs of one agent every other agent that
        /// waits at that priority has its turn.
        #[test]
        fn nobody_is_lost_and_nobody_is_passed_over(
            pushed in proptest::collection::vec((0..3_i8, 0..4_u8), 0..60),
            removed in proptest::collection::vec(0..60_u8, 0..10),
        ) {
            let all: Vec<_> = pushed.iter().zip(0..).map(|(&(priority, owner), number)| (number, priority, owner)).collect();
            let mut queue = queue(&all);
            let _waited: Vec<_> = removed.iter().map(|&number| queue.remove(run(number))).collect();
            let left: Vec<_> = all.iter().filter(|(number, ..)| !removed.contains(number)).copied().collect();
            prop_assert_eq!(queue.len(), left.len());
            let mut waiting = left.clone();
            let mut since = HashMap::<(i8, u8), usize>::new();
            for (at, number) in order(queue).into_iter().enumerate() {
                let (_, priority, owner) = left[left.iter().position(|one| one.0 == number).unwrap()];
                prop_assert!(waiting.iter().all(|one| one.1 <= priority), "a higher priority waits");
                if let Some(before) = since.insert((priority, owner), at) {
                    let others = waiting.iter().filter(|one| one.1 == priority && one.2 != owner);
                    for other in others {
                        prop_assert!(since.get(&(priority, other.2)).is_some_and(|turn| *turn > before), "{:?} was passed over", other);
                    }
                }
                waiting.retain(|one| one.0 != number);
            }
            prop_assert!(waiting.is_empty());
        }
    }
}
