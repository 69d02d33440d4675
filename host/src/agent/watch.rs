//! Stopping a run from where only a flag can be set, such as a signal's handler.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Stop;

/// How often the flag is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

impl Stop {
    /// Asks the run to stop within milliseconds of `flag` being set. Goes on for as long as it is polled.
    pub async fn ask_when(&self, flag: &AtomicBool) -> ! {
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            look.tick().await;
            if flag.load(Ordering::Acquire) {
                self.ask();
            }
        }
    }
}
