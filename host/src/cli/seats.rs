//! Places for the runs and replays that commands drive on threads of their own, beside those of the supervisor: the engine
//! has room for so many, and one that finds none would fail.

use std::sync::{Condvar, Mutex, PoisonError};

/// The places. In a process that does one command, nobody else takes one.
#[derive(Debug, Default)]
pub struct Seats {
    taken: Mutex<u32>,
    freed: Condvar,
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub struct Seat<'a>(&'a Seats);

impl Seats {
    /// How many there are.
    pub const MAX: u32 = 8;

    /// Takes a place, and waits for one where all are taken.
    pub fn take(&self) -> Seat<'_> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.freed.wait_while(taken, |taken| *taken >= Self::MAX);
        *waited.unwrap_or_else(PoisonError::into_inner) += 1;
        Seat(self)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.freed.notify_one();
    }
}
