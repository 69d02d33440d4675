//! Asking a person, who decides: the run is suspended until then.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use remit_sdk::approval::{self, Decision};
//! use serde_json::json;
//!
//! let refund = approval::proposal("refund order 7", &json!({ "order": 7, "cents": 1999 }))
//!     .because("it arrived broken")
//!     .expires(Duration::from_secs(24 * 60 * 60));
//! match refund.ask()? {
//!     decision if decision.is_approved() => { /* do it */ }
//!     Decision::Denied(why) => println!("not refunded: {why}"),
//!     _ => println!("nobody decided"),
//! }
//! # Ok::<(), approval::Error>(())
//! ```
//!
//! What is asked cannot be changed; to ask for something else is another proposal. That a plugin may ask at all, the
//! manifest requests and the operator grants.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::bindings::remit::plugin::approval as wit;
use crate::timer::millis;

/// What holds when nobody has decided in time.
pub use wit::DefaultAnswer;

/// What came of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A person approved it.
    Approved,
    /// A person denied it, and said why.
    Denied(String),
    /// Nobody decided in time. Whether it holds as approved, the proposal said.
    Expired {
        /// Whether it may be done.
        is_approved: bool,
    },
}

impl Decision {
    /// Returns whether it may be done.
    pub fn is_approved(&self) -> bool {
        matches!(self, Self::Approved | Self::Expired { is_approved: true })
    }
}

/// Why there is no decision.
#[derive(Debug)]
pub enum Error {
    /// The remit does not allow asking.
    Denied,
    /// This run cannot be suspended until somebody decides.
    CannotWait,
    /// It is no proposal, and this is why.
    Invalid(String),
}

impl Error {
    /// Returns whether the remit refused it.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied => f.write_str("the remit does not allow asking a person"),
            Self::CannotWait => f.write_str("this run cannot be suspended until somebody decides"),
            Self::Invalid(problem) => write!(f, "nobody can be asked this: {problem}"),
        }
    }
}

impl std::error::Error for Error {}

/// What a person is asked.
#[derive(Clone, Debug)]
pub struct Proposal(wit::Proposal);

/// Begins a proposal: what is to be done, in one line, and all of it, for the person to look at. Details that cannot be
/// written as JSON are not asked: [`Proposal::ask`] says so.
pub fn proposal(title: impl Into<String>, details: &impl Serialize) -> Proposal {
    let details = serde_json::to_string(details).unwrap_or_default();
    let (title, intent) = (title.into(), String::new());
    Proposal(wit::Proposal { title, intent, details, expires: None, default: DefaultAnswer::Deny })
}

impl Proposal {
    /// Says why.
    #[must_use]
    pub fn because(mut self, intent: impl Into<String>) -> Self {
        self.0.intent = intent.into();
        self
    }

    /// Waits for so long at most, rounded up to a millisecond; then it is denied.
    #[must_use]
    pub fn expires(mut self, after: Duration) -> Self {
        self.0.expires = Some(millis(after));
        self
    }

    /// Has it hold as approved when nobody has decided in time.
    #[must_use]
    pub fn approved_by_default(mut self) -> Self {
        self.0.default = DefaultAnswer::Approve;
        self
    }

    /// Asks, and returns what was decided.
    ///
    /// # Errors
    ///
    /// Fails when the remit does not allow asking, or this is no proposal.
    pub fn ask(&self) -> Result<Decision, Error> {
        match wit::ask(&self.0) {
            Ok(wit::Decision::Approved) => Ok(Decision::Approved),
            Ok(wit::Decision::Denied(why)) => Ok(Decision::Denied(why)),
            Ok(wit::Decision::Expired(default)) => {
                Ok(Decision::Expired { is_approved: default == DefaultAnswer::Approve })
            }
            Err(wit::Error::Denied) => Err(Error::Denied),
            Err(wit::Error::CannotWait) => Err(Error::CannotWait),
            Err(wit::Error::Invalid(problem)) => Err(Error::Invalid(problem)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_decided_is_denied_unless_said_otherwise() {
        let asked = proposal("do it", &[1, 2]).because("it helps").expires(Duration::from_micros(1));
        assert_eq!(
            (asked.0.details.as_str(), asked.0.expires, asked.0.default),
            ("[1,2]", Some(1), DefaultAnswer::Deny)
        );
        assert_eq!(asked.approved_by_default().0.default, DefaultAnswer::Approve);
        let expired = |is_approved| Decision::Expired { is_approved }.is_approved();
        assert!(Decision::Approved.is_approved() && expired(true));
        assert!(!expired(false) && !Decision::Denied(String::new()).is_approved());
    }
}
