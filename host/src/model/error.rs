//! Why there is no answer, by what the caller can do about it.
//!
//! No text here can hold a key: a key is not known in this module, what a provider says when it refuses one is not
//! repeated, and everything else it says is cut and kept to one line.

use std::time::Duration;

use super::wire::SendError;

/// The most characters of a provider's own words that an error repeats.
const QUOTE_LEN_MAX: usize = 300;

/// A chat was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The operator has no such tier.
    #[error("no model tier `{0}`")]
    UnknownTier(String),
    /// The chat cannot be sent, or the provider finds a fault in it. The same chat will fail again.
    #[error("the chat is not valid: {0}")]
    InvalidRequest(String),
    /// The chat, or the answer to it, is larger than this host or the model takes.
    #[error("too large: {0}")]
    TooLarge(String),
    /// The provider asks for patience.
    #[error("the provider is overloaded")]
    Overloaded {
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The deadline of the call came first.
    #[error("no answer before the deadline")]
    Deadline,
    /// The model answered, and not as the schema says, also when told what was wrong.
    #[error("the answer does not fit the schema: {0}")]
    InvalidOutput(String),
    /// The provider failed, or could not be reached, in a way that may pass.
    #[error("the provider is not available: {0}")]
    Unavailable(String),
    /// The provider does not take the schema. Asking for JSON in words may work.
    #[error("the provider does not take the schema: {0}")]
    SchemaRefused(String),
    /// The provider answered with something that trying again will not change: a refused key, an unknown model.
    #[error("the provider failed: {0}")]
    Provider(String),
}

impl ModelError {
    /// Whether the same request may be answered a little later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Overloaded { .. } | Self::Unavailable(_))
    }

    /// Returns the error with `change` made to the words that others chose.
    #[must_use]
    pub fn map_text(self, change: impl Fn(&str) -> String) -> Self {
        match self {
            Self::UnknownTier(words) => Self::UnknownTier(change(&words)),
            Self::InvalidRequest(words) => Self::InvalidRequest(change(&words)),
            Self::TooLarge(words) => Self::TooLarge(change(&words)),
            Self::InvalidOutput(words) => Self::InvalidOutput(change(&words)),
            Self::Unavailable(words) => Self::Unavailable(change(&words)),
            Self::SchemaRefused(words) => Self::SchemaRefused(change(&words)),
            Self::Provider(words) => Self::Provider(change(&words)),
            Self::Overloaded { .. } | Self::Deadline => self,
        }
    }

    /// Returns the error for an answer that ended before it was complete.
    pub(super) fn truncated() -> Self {
        Self::Unavailable("its answer broke off".into())
    }

    /// Returns the error for an answer that is not of the provider's form.
    pub(super) fn unreadable(what: impl std::fmt::Display) -> Self {
        Self::Provider(format!("its answer cannot be read: {}", quote(&what.to_string())))
    }
}

impl From<SendError> for ModelError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Unreachable(why) | SendError::Interrupted(why) => Self::Unavailable(why),
            SendError::Deadline => Self::Deadline,
            SendError::TooLarge => Self::TooLarge("the provider's answer".into()),
            SendError::HeldBack(time) => Self::Overloaded { retry_after: Some(time) },
            SendError::Garbled(why) | SendError::Refused(why) => Self::Provider(why),
        }
    }
}

/// Returns what somebody else wrote as one short line.
pub(super) fn quote(text: &str) -> String {
    let words: Vec<_> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(QUOTE_LEN_MAX) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line,
    }
}
