//! The journals of runs that serve each other: a caller's and its connectors'.
//!
//! What a connector does follows from what its caller asked, and what the caller does next from what it heard. So before
//! anything of one has to be on disk, what the others recorded is handed over; the journal commits in that order.

use std::sync::{Arc, Mutex, PoisonError};

use super::Buffered;
use crate::journal;

/// The journals of runs that serve each other. Clones are the same family.
#[derive(Clone, Default)]
pub struct Family(Arc<Mutex<Vec<Buffered>>>);

impl Family {
    pub(super) fn add(&self, journal: Buffered) {
        self.lock().push(journal);
    }

    /// Hands over what all of them have recorded, such that one commit holds it: nobody's record says of another what
    /// that one's does not.
    ///
    /// # Errors
    /// [`journal::Error`] when the journal cannot take it.
    pub fn flush(&self) -> Result<(), journal::Error> {
        let mut together = journal::Together::default();
        self.lock().iter().try_for_each(|journal| together.take(&mut journal.borrow_mut()))?;
        together.hand_over()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Buffered>> {
        // A list is whole between two operations, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
