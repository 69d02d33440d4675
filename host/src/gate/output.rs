//! A guest's output on its way to people: recorded first, shown once its entry is durable.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Where a guest's output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStream {
    /// The guest's standard output.
    Stdout,
    /// The guest's standard error.
    Stderr,
    /// Lines from the log interface.
    Log,
}

/// Output in the order of its entries. Clones are the same queue: the gate fills it, whoever drives the run shows it.
#[derive(Clone, Default)]
pub struct Output(Arc<Mutex<VecDeque<Pending>>>);

struct Pending {
    entry: u64,
    stream: OutputStream,
    bytes: Vec<u8>,
}

impl Output {
    /// Appends output that the entry with this number records.
    pub(super) fn push(&self, entry: u64, stream: OutputStream, bytes: Vec<u8>) {
        self.lock().push_back(Pending { entry, stream, bytes });
    }

    /// Removes and returns what the first `durable` entries of the run record.
    pub fn take(&self, durable: u64) -> Vec<(OutputStream, Vec<u8>)> {
        let mut queue = self.lock();
        let ready = queue.partition_point(|pending| pending.entry < durable);
        queue.drain(..ready).map(|pending| (pending.stream, pending.bytes)).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Pending>> {
        // A queue is whole between two operations, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
