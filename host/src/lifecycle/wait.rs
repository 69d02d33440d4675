//! What a suspended run waits for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::time::Timestamp;

/// What a suspended run waits for. Moments are of the wall clock, fixed when the guest began to wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "kebab-case")]
pub enum Wait {
    /// A moment.
    Time {
        /// When it goes on.
        #[serde(rename = "until-us")]
        until: Timestamp,
    },
    /// A signal.
    Signal {
        /// Its name.
        name: String,
        /// When it goes on without one.
        #[serde(default, rename = "until-us", skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// A person's decision.
    Approval {
        /// The number of the intent that makes the proposal.
        entry: u64,
        /// The proposal's name.
        proposal: Digest,
        /// When it goes on without one.
        #[serde(default, rename = "until-us", skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// Whether it was approved then.
        #[serde(default, rename = "approved-then", skip_serializing_if = "std::ops::Not::not")]
        is_approved_then: bool,
    },
}

impl Wait {
    /// Returns when the run goes on in any case.
    pub const fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Time { until } => Some(*until),
            Self::Signal { until, .. } | Self::Approval { until, .. } => *until,
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time { .. } => {}
            Self::Signal { name, .. } => write!(f, "for signal {name}")?,
            Self::Approval { proposal, .. } => write!(f, "for approval {}", proposal.short())?,
        }
        match (self, self.until()) {
            (Self::Time { .. }, Some(until)) => write!(f, "until {until} UTC"),
            (_, Some(until)) => write!(f, ", until {until} UTC"),
            (_, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_with_what_for_and_until_when() {
        let until = Timestamp::from_micros(1_709_210_096_000_000);
        for (wait, json, text) in [
            (Wait::Time { until }, r#"{"for":"time","until-us":1709210096000000}"#, "until 2024-02-29 12:34:56 UTC"),
            (Wait::Signal { name: "go".into(), until: None }, r#"{"for":"signal","name":"go"}"#, "for signal go"),
            (
                Wait::Signal { name: "go".into(), until: Some(until) },
                r#"{"for":"signal","name":"go","until-us":1709210096000000}"#,
                "for signal go, until 2024-02-29 12:34:56 UTC",
            ),
            (
                Wait::Approval { entry: 7, proposal: Digest::of(b""), until: None, is_approved_then: false },
                r#"{"for":"approval","entry":7,"proposal":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}"#,
                "for approval e3b0c44298fc",
            ),
        ] {
            assert_eq!(serde_json::to_string(&wait).unwrap(), json);
            assert_eq!(serde_json::from_str::<Wait>(json).unwrap(), wait);
            assert_eq!(wait.to_string(), text);
        }
    }
}
