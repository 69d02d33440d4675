//! An agent as a command has it.

use std::ops::Deref;

use crate::agent::Agent;

/// An agent of one command. Taking it apart takes longer than a short run, so that is left to the end of the process; a
/// host that lives long does take it apart.
pub struct Loaded {
    /// Until it is dropped.
    agent: Option<Agent>,
    is_left: bool,
}

impl Loaded {
    /// Keeps an agent; `is_left`, until the end of the process.
    pub fn new(agent: Agent, is_left: bool) -> Self {
        Self { agent: Some(agent), is_left }
    }
}

impl Deref for Loaded {
    type Target = Agent;

    fn deref(&self) -> &Agent {
        self.agent.as_ref().expect("it is there until it is dropped")
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        if self.is_left {
            std::mem::forget(self.agent.take());
        }
    }
}
