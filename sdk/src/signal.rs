//! Named events from outside, which the run waits for: it is suspended meanwhile.
//!
//! ```no_run
//! use remit_sdk::prelude::*;
//!
//! #[derive(Deserialize)]
//! struct Paid {
//!     amount: u64,
//! }
//!
//! let paid: Paid = signal::wait("paid")?;
//! # Ok::<(), signal::Error>(())
//! ```
//!
//! Each signal is delivered once, those of one name in the order in which they were sent, and it does not matter whether one
//! was sent before the run asks for it. Which names there are, the manifest requests and the operator grants.

use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::bindings::remit::plugin::signal as wit;
use crate::timer::millis;

/// Why there is no signal.
#[derive(Debug)]
pub enum Error {
    /// The remit does not allow this signal.
    Denied {
        /// Its name.
        name: String,
    },
    /// The signal is not there, and this run cannot be suspended until it is.
    CannotWait {
        /// Its name.
        name: String,
    },
    /// It was delivered, and says something else than was asked for.
    Unfit {
        /// Its name.
        name: String,
        /// What does not fit.
        problem: String,
        /// What it says: one JSON text.
        found: String,
    },
}

impl Error {
    /// Returns whether the remit refused the signal.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied { name } => write!(f, "the remit does not allow the signal {name}"),
            Self::CannotWait { name } => {
                write!(f, "signal {name} is not there, and this run cannot be suspended for it")
            }
            Self::Unfit { name, problem, .. } => write!(f, "signal {name} does not say what is needed: {problem}"),
        }
    }
}

impl std::error::Error for Error {}

/// Returns what the next signal of this name says, once there is one.
///
/// # Errors
///
/// Fails when the remit does not allow the signal, or it says something else than a `T`.
pub fn wait<T: DeserializeOwned>(name: &str) -> Result<T, Error> {
    match text(name, None)? {
        Some(found) => parse(name, found),
        None => unreachable!("the host waits for as long as it takes"),
    }
}

/// Returns what the next signal of this name says, or none where there is none for so long. Zero only looks.
///
/// # Errors
///
/// As [`wait`].
pub fn wait_for<T: DeserializeOwned>(name: &str, timeout: Duration) -> Result<Option<T>, Error> {
    text(name, Some(timeout))?.map(|found| parse(name, found)).transpose()
}

/// Returns the next signal of this name as the JSON text that was sent, or none where there is none until the timeout.
///
/// # Errors
///
/// Fails when the remit does not allow the signal.
pub fn text(name: &str, timeout: Option<Duration>) -> Result<Option<String>, Error> {
    wit::wait(name, timeout.map(millis)).map_err(|error| match error {
        wit::Error::Denied => Error::Denied { name: name.to_owned() },
        wit::Error::CannotWait => Error::CannotWait { name: name.to_owned() },
    })
}

fn parse<T: DeserializeOwned>(name: &str, found: String) -> Result<T, Error> {
    serde_json::from_str(&found).map_err(|error| Error::Unfit {
        name: name.to_owned(),
        problem: error.to_string(),
        found,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_named_and_kept() {
        assert_eq!(parse::<u8>("count", "7".to_owned()).ok(), Some(7));
        let unfit = parse::<u8>("count", "256".to_owned()).unwrap_err();
        assert!(unfit.to_string().starts_with("signal count does not say what is needed: "), "{unfit}");
        assert!(matches!(unfit, Error::Unfit { found, .. } if found == "256"));
    }
}
