//! The states of a run, and which may follow which: one table.
//!
//! A run is *queued* until somebody drives it. One that somebody drives is *running*. One that nobody drives any more is
//! *parked*, with a reason, or it has ended, or its host is gone: that one is *interrupted*, which nobody could record.
//! Whatever changes the state is recorded with who did it.

mod wait;

use serde::{Deserialize, Serialize};

pub use wait::Wait;

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It was accepted, and nobody has driven it yet.
    Queued,
    /// Somebody drives it.
    Running,
    /// It waits, and goes on by itself or when somebody resumes it.
    Suspended,
    /// It goes on when a person says so.
    Paused,
    /// Whether an effect was done is not known, and a person says.
    InDoubt,
    /// The record ends without a state: its host was killed.
    Interrupted,
    /// It has a result.
    Succeeded,
    /// It ended otherwise.
    Failed,
    /// A person ended it.
    Cancelled,
}

use State::{Cancelled, Failed, InDoubt, Interrupted, Paused, Queued, Running, Succeeded, Suspended};

impl State {
    /// Every state.
    pub const ALL: [Self; 9] = [Queued, Running, Suspended, Paused, InDoubt, Interrupted, Succeeded, Failed, Cancelled];

    /// Returns the states that may follow this one.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Queued => &[Running, Paused, Cancelled],
            Running => &[Suspended, Paused, InDoubt, Interrupted, Succeeded, Failed, Cancelled],
            Suspended => &[Running, Paused, Cancelled],
            Paused => &[Running, Cancelled],
            // What a person decides is recorded while the run is parked; that it failed ends it.
            InDoubt => &[Running, Suspended, Failed, Cancelled],
            // Whoever finds it takes it up, or finds that an effect of it is in doubt.
            Interrupted => &[Running, Suspended, Paused, InDoubt, Failed, Cancelled],
            Succeeded | Failed | Cancelled => &[],
        }
    }

    /// Tells whether `next` may follow this state.
    pub fn may_become(self, next: Self) -> bool {
        self.next().contains(&next)
    }

    /// Tells whether nothing follows.
    pub const fn is_end(self) -> bool {
        self.next().is_empty()
    }

    /// Tells whether it is a run that nobody drives, and that can go on.
    pub const fn is_parked(self) -> bool {
        matches!(self, Queued | Suspended | Paused | InDoubt)
    }

    /// Returns the name, as it is written and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Queued => "queued",
            Running => "running",
            Suspended => "suspended",
            Paused => "paused",
            InDoubt => "in-doubt",
            Interrupted => "interrupted",
            Succeeded => "succeeded",
            Failed => "failed",
            Cancelled => "cancelled",
        }
    }
}

/// What a state entry is made of: it says which state the run is in now.
pub trait Stated {
    /// Returns that state.
    fn state(&self) -> State;
}

impl Stated for Transition {
    fn state(&self) -> State {
        self.now
    }
}

/// A change of a run's state that is not its end: the body of a state entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Transition {
    /// The state that it is in now.
    pub now: State,
    /// Why, for people.
    pub why: String,
    /// Who changed it: a principal, such as `local:alice`, or `host`.
    pub by: String,
    /// The entry that it is about: in doubt, or decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
    /// What was decided about that entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
}

/// What a person decided about an effect that was in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It was done, with the outcome that is recorded before.
    Done,
    /// It was not done, and is done again.
    Retry,
}

/// Who changes a state when nobody asked for it.
pub const HOST: &str = "host";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_reached_and_leads_to_an_end() {
        let mut reached = vec![Queued];
        let mut at = 0;
        while at < reached.len() {
            let next: Vec<_> = reached[at].next().iter().filter(|next| !reached.contains(next)).copied().collect();
            reached.extend(next);
            at += 1;
        }
        assert!(State::ALL.iter().all(|state| reached.contains(state)), "{reached:?}");
        for state in State::ALL.into_iter().filter(|state| !state.is_end()) {
            assert!(state.may_become(Cancelled), "{state:?} cannot be cancelled");
            assert!(state == Running || state.may_become(Running), "{state:?} never goes on");
        }
    }

    #[test]
    fn nothing_follows_an_end_and_nothing_follows_itself() {
        for state in State::ALL {
            assert!(!state.may_become(state), "{state:?}");
            assert_eq!(state.is_end(), matches!(state, Succeeded | Failed | Cancelled));
        }
    }

    #[test]
    fn a_state_is_written_by_its_name() {
        for state in State::ALL {
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("{:?}", state.name()));
        }
    }
}
