//! Sleeping for long: the run is suspended meanwhile, and goes on when its moment has come.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use remit_sdk::timer;
//!
//! timer::sleep(Duration::from_secs(3 * 24 * 60 * 60))?;
//! # Ok::<(), timer::Error>(())
//! ```
//!
//! How long a sleep may be, the manifest requests and the operator grants. `std::thread::sleep` does the same where that is
//! allowed; where it is not, it holds the run up in memory and cannot say so.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::bindings::remit::plugin::timer as wit;

/// Why a run did not sleep.
#[derive(Debug)]
pub enum Error {
    /// The remit allows no timer, or none so long.
    Denied,
}

impl Error {
    /// Returns whether the remit refused it.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the remit does not allow a timer so long")
    }
}

impl std::error::Error for Error {}

impl From<wit::Error> for Error {
    fn from(wit::Error::Denied: wit::Error) -> Self {
        Self::Denied
    }
}

/// Sleeps for so long, rounded up to a millisecond.
///
/// # Errors
///
/// Fails when the remit does not allow it.
pub fn sleep(duration: Duration) -> Result<(), Error> {
    Ok(wit::sleep(millis(duration))?)
}

/// Sleeps until this moment, rounded up to a millisecond. One that has passed is no wait.
///
/// # Errors
///
/// Fails when the remit does not allow it.
pub fn sleep_until(moment: SystemTime) -> Result<(), Error> {
    Ok(wit::sleep_until(millis(moment.duration_since(UNIX_EPOCH).unwrap_or_default()))?)
}

/// Returns whole milliseconds, rounded up.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_millisecond_counts_as_one() {
        for (duration, expected) in [
            (Duration::ZERO, 0),
            (Duration::from_nanos(1), 1),
            (Duration::from_millis(1), 1),
            (Duration::from_micros(1_001), 2),
            (Duration::MAX, u64::MAX),
        ] {
            assert_eq!(millis(duration), expected);
        }
    }
}
