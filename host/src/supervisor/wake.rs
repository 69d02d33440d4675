//! Waking runs that wait for a time: one thread for all of them, which sleeps until the first is due.

use std::io;
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Ground, Shared, ready, recover};
use crate::journal;

/// How long to wait before a journal that failed is asked again.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How long to wait at least before looking again, so that what waits for a place is not looked for all the time.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Runs that are queued in one go.
const DUE_MAX: usize = 1_000;

/// Starts the thread. It ends when the supervisor does.
pub(super) fn start(shared: &Arc<Shared>) -> io::Result<JoinHandle<()>> {
    let shared = shared.clone();
    thread::Builder::new().name("waker".into()).spawn(move || watch(&shared))
}

fn watch(shared: &Shared) {
    loop {
        let patience = take_up(shared).unwrap_or_else(|error| {
            tracing::error!("runs that are due are not woken: {error}");
            Some(AFTER_FAILURE)
        });
        let mut places = shared.places();
        let sleeps = |places: &mut super::Places| !places.is_closing && !places.looks_again;
        places = match patience {
            None => shared.wake.wait_while(places, sleeps).unwrap_or_else(PoisonError::into_inner),
            Some(time) => {
                shared.wake.wait_timeout_while(places, time, sleeps).unwrap_or_else(PoisonError::into_inner).0
            }
        };
        places.looks_again = false;
        if places.is_closing {
            return;
        }
    }
}

/// Queues what is due, and returns how long it is until something else is.
fn take_up(shared: &Shared) -> Result<Option<Duration>, journal::Error> {
    let Ground { journal, clock, .. } = &shared.ground;
    let due = ready::due(journal, clock.now(), DUE_MAX)?;
    let rows = due.into_iter().map(|run| journal.unfinished_run(run)).collect::<Result<Vec<_>, _>>()?;
    recover::enqueue(shared, rows.iter().flatten());
    // What is due and queued is due until it has gone on.
    Ok(ready::next_wake(journal)?.map(|at| at.since(clock.now()).max(LOOK_EVERY)))
}
