//! How far a run is on disk, shared by its writer, those who wait for it, and the writer thread.
//!
//! Waiting works from a thread ([`Durable::wait`]) and from a future; neither needs a runtime.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::error::Error;

/// How many emptied buffers are kept for the run's writer.
const SPARE_MAX: usize = 2;

/// How far a run is on disk.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    durable: AtomicU64,
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    spare: Mutex<Vec<Vec<u8>>>,
}

#[derive(Debug, Default)]
struct Waiting {
    failed: Option<Error>,
    wakers: Vec<Waker>,
    sleepers: usize,
}

impl Progress {
    pub(super) fn starting_at(entries: u64) -> Self {
        let progress = Self::default();
        progress.0.durable.store(entries, Ordering::Release);
        progress
    }

    /// Returns how many entries of the run are on disk.
    pub fn durable_entries(&self) -> u64 {
        self.0.durable.load(Ordering::Acquire)
    }

    /// Returns why no further entry will become durable.
    pub(super) fn failure(&self) -> Option<Error> {
        self.waiting().failed.clone()
    }

    /// Returns what waits until `entries` entries are on disk.
    pub(super) fn until(&self, entries: u64) -> Durable {
        Durable { progress: self.clone(), entries }
    }

    /// Says that `entries` entries are on disk.
    pub(super) fn advance(&self, entries: u64) {
        self.0.durable.store(entries, Ordering::Release);
        self.wake(self.waiting());
    }

    /// Says that no further entry will become durable. The first reason stays.
    pub(super) fn fail(&self, error: Error) {
        let mut waiting = self.waiting();
        waiting.failed.get_or_insert(error);
        self.wake(waiting);
    }

    fn wake(&self, mut waiting: MutexGuard<'_, Waiting>) {
        let sleepers = waiting.sleepers;
        let wakers = std::mem::take(&mut waiting.wakers);
        drop(waiting);
        if sleepers > 0 {
            self.0.arrived.notify_all();
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns an empty buffer, one that was used before where there is one.
    pub(super) fn take_buffer(&self) -> Vec<u8> {
        self.0.spare.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Keeps a buffer for [`Progress::take_buffer`].
    pub(super) fn give_buffer(&self, mut buffer: Vec<u8>) {
        let mut spare = self.0.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE_MAX {
            buffer.clear();
            spare.push(buffer);
        }
    }
}

/// Waits until some entries of a run are on disk: a future, or [`Durable::wait`] on a thread.
#[derive(Debug)]
#[must_use = "an entry is durable when this has resolved"]
pub struct Durable {
    progress: Progress,
    entries: u64,
}

impl Durable {
    /// Blocks the thread until the entries are on disk.
    ///
    /// # Errors
    /// Why they will not be: the commit's error, [`Error::Fenced`] or [`Error::Closed`].
    pub fn wait(self) -> Result<(), Error> {
        let mut waiting = self.progress.waiting();
        loop {
            if let Some(result) = self.result(&waiting) {
                return result;
            }
            waiting.sleepers += 1;
            waiting = self.progress.0.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            waiting.sleepers -= 1;
        }
    }

    fn result(&self, waiting: &Waiting) -> Option<Result<(), Error>> {
        if self.progress.durable_entries() >= self.entries {
            return Some(Ok(()));
        }
        waiting.failed.clone().map(Err)
    }
}

impl Future for Durable {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut waiting = self.progress.waiting();
        if let Some(result) = self.result(&waiting) {
            return Poll::Ready(result);
        }
        if !waiting.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }
}
