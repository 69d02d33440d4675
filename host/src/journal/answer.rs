//! One answer of the writer thread, for somebody who waits on a thread or in a future.

use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::error::Error;

/// The answering end. Dropping it answers [`Error::Closed`].
pub(super) struct Question(Arc<Shared>);

/// Waits for the answer: a future, or [`Answered::wait`] on a thread. Clones hear the same.
#[derive(Clone, Debug)]
#[must_use = "what was asked for is decided when this has resolved"]
pub struct Answered(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct State {
    answer: Option<Result<(), Error>>,
    wakers: Vec<Waker>,
}

impl Question {
    pub fn new() -> (Self, Answered) {
        let shared = Arc::<Shared>::default();
        (Self(shared.clone()), Answered(shared))
    }

    /// Answers. The first answer stays.
    pub fn answer(&self, answer: Result<(), Error>) {
        let mut state = self.0.state();
        state.answer.get_or_insert(answer);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.0.answered.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.answer(Err(Error::Closed));
    }
}

impl Answered {
    /// Blocks the thread until there is an answer.
    ///
    /// # Errors
    /// The refusal, or why there is none.
    pub fn wait(self) -> Result<(), Error> {
        let mut state = self.0.state();
        loop {
            if let Some(answer) = &state.answer {
                return answer.clone();
            }
            state = self.0.answered.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Future for Answered {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.state();
        if let Some(answer) = &state.answer {
            return Poll::Ready(answer.clone());
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            state.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
