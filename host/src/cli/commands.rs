//! The commands that a host does for clients right now: whoever ends the host waits for them, so that each client hears how
//! its command ended.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Commands at the same time: each has threads of its own.
const COMMANDS_MAX: usize = 256;

/// The commands that are under way.
#[derive(Clone, Debug, Default)]
pub struct Commands(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    count: Mutex<usize>,
    changed: Condvar,
}

/// A command that is under way until this is dropped.
#[derive(Debug)]
pub struct UnderWay(Commands);

impl Commands {
    /// Notes that one begins; nothing where as many are under way as may be.
    pub fn begin(&self) -> Option<UnderWay> {
        let mut count = self.0.count.lock().unwrap_or_else(PoisonError::into_inner);
        if *count == COMMANDS_MAX {
            return None;
        }
        *count += 1;
        Some(UnderWay(self.clone()))
    }

    /// Waits until there is none, for so long at most.
    pub fn wait_for_all(&self, patience: Duration) {
        let count = self.0.count.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that take longer are cut off: what they do that matters is in the journal.
        let _left = self.0.changed.wait_timeout_while(count, patience, |count| *count > 0);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        *self.0.0.count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.0.changed.notify_all();
    }
}
