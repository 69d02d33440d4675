//! Why a model did not answer.

use std::fmt;
use std::time::Duration;

use super::StopReason;
use crate::bindings::remit::plugin::model as wit;

/// Why there is no answer, or none of use.
#[derive(Debug)]
pub enum Error {
    /// The remit does not allow this tier, or not so many tokens.
    Denied {
        /// The tier.
        tier: String,
    },
    /// The operator has not said who answers for this tier.
    UnknownTier {
        /// The tier.
        tier: String,
    },
    /// The provider asks for patience, also after the host has waited for it.
    Overloaded {
        /// The tier.
        tier: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// There was no answer in time.
    Deadline {
        /// The tier.
        tier: String,
    },
    /// The chat breaks a rule. The same chat will fail again.
    InvalidRequest {
        /// Which one.
        why: String,
    },
    /// The model's answer does not fit the schema, also after it was told what was wrong.
    InvalidOutput {
        /// The tier.
        tier: String,
        /// What does not fit.
        why: String,
    },
    /// The provider failed or cannot be reached.
    Provider {
        /// The tier.
        tier: String,
        /// What happened.
        why: String,
    },
    /// The chat or its answer is larger than the model or the host takes.
    TooLarge {
        /// The tier.
        tier: String,
    },
    /// The answer is not whole: cut off at the tokens, refused, or waiting for tools.
    Unfinished {
        /// The tier.
        tier: String,
        /// Why it stopped.
        stop: StopReason,
        /// What it said until then.
        text: String,
    },
    /// The answer fits its schema and not the type.
    Json {
        /// The tier.
        tier: String,
        /// What does not fit.
        source: serde_json::Error,
    },
}

impl Error {
    /// Returns whether the remit refused the call.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied { .. })
    }

    /// Returns whether the same chat may be answered later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Overloaded { .. } | Self::Deadline { .. } | Self::Provider { .. })
    }

    pub(super) fn from_wit(error: wit::Error, tier: &str) -> Self {
        let tier = tier.to_owned();
        match error {
            wit::Error::Denied => Self::Denied { tier },
            wit::Error::UnknownTier => Self::UnknownTier { tier },
            wit::Error::Overloaded(wit::Overload { retry_after_ms }) => {
                Self::Overloaded { tier, retry_after: retry_after_ms.map(Duration::from_millis) }
            }
            wit::Error::Deadline => Self::Deadline { tier },
            wit::Error::InvalidRequest(why) => Self::InvalidRequest { why },
            wit::Error::InvalidOutput(why) => Self::InvalidOutput { tier, why },
            wit::Error::Provider(why) => Self::Provider { tier, why },
            wit::Error::TooLarge => Self::TooLarge { tier },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied { tier } => write!(f, "the remit does not allow such a chat with model {tier}"),
            Self::UnknownTier { tier } => write!(f, "the operator has nobody answer for model {tier}"),
            Self::Overloaded { tier, retry_after: None } => write!(f, "model {tier} is overloaded"),
            Self::Overloaded { tier, retry_after: Some(time) } => {
                write!(f, "model {tier} is overloaded for {} s", time.as_millis().div_ceil(1000))
            }
            Self::Deadline { tier } => write!(f, "model {tier} did not answer in time"),
            Self::InvalidRequest { why } => write!(f, "the chat is not valid: {why}"),
            Self::InvalidOutput { tier, why } => write!(f, "model {tier} did not answer as its schema says: {why}"),
            Self::Provider { tier, why } => write!(f, "model {tier} failed: {why}"),
            Self::TooLarge { tier } => write!(f, "the chat with model {tier}, or its answer, is too large"),
            Self::Unfinished { tier, stop, .. } => write!(f, "model {tier} did not finish: {}", words(*stop)),
            Self::Json { tier, .. } => write!(f, "the answer of model {tier} does not fit its type"),
        }
    }
}

fn words(stop: StopReason) -> &'static str {
    match stop {
        StopReason::MaxTokens => "it reached its most tokens",
        StopReason::ToolUse => "it waits for tools",
        StopReason::Refused => "it refused to answer",
        StopReason::End | StopReason::Other => "it stopped for a reason of its own",
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json { source, .. } => Some(source),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_which_model_and_what() {
        let tier = || "small".to_owned();
        for (error, says) in [
            (Error::from_wit(wit::Error::Denied, "small"), "the remit does not allow such a chat with model small"),
            (
                Error::from_wit(wit::Error::Overloaded(wit::Overload { retry_after_ms: Some(1_500) }), "small"),
                "model small is overloaded for 2 s",
            ),
            (
                Error::Unfinished { tier: tier(), stop: StopReason::MaxTokens, text: String::new() },
                "model small did not finish: it reached its most tokens",
            ),
        ] {
            assert_eq!(error.to_string(), says);
        }
        assert!(Error::Denied { tier: tier() }.is_denied() && Error::Deadline { tier: tier() }.is_temporary());
    }
}
