//! Driving a call of a model with a sender and a sleeper, for who needs nothing between the exchanges.

use std::sync::Arc;

use super::chat::CheckedChat;
use super::dialogue::{Outcome, Patience, Step, begin};
use super::provider::Provider;
use super::wire::{Sender, Sleeper};
use crate::time::Clock;

/// A provider, and who carries what it says.
#[derive(Clone)]
pub struct Line {
    /// Translates.
    pub provider: Arc<dyn Provider>,
    /// Carries.
    pub sender: Arc<dyn Sender>,
}

/// Asks a model until there is an answer, or a reason why there is none.
pub async fn complete(
    line: &Line,
    checked: CheckedChat,
    patience: Patience,
    clock: &Clock,
    sleeper: &dyn Sleeper,
) -> Outcome {
    let mut step = begin(line.provider.clone(), checked, patience, clock.elapsed());
    loop {
        step = match step {
            Step::Send(pending) => {
                let timeout = pending.timeout(clock.elapsed());
                let result = line.sender.send(pending.request().clone(), timeout).await;
                pending.answered(clock.elapsed(), result)
            }
            Step::Wait(paused) => {
                sleeper.sleep(paused.wait()).await;
                paused.woken(clock.elapsed())
            }
            Step::Done(outcome) => return outcome,
        };
    }
}
