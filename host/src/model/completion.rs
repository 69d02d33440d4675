//! What a model answered, and what it took.

use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

use super::chat::ToolCall;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Completion {
    /// What the model said: free text or, where the chat has a schema and the stop is [`StopReason::End`], JSON that is
    /// valid under it.
    #[serde(default)]
    pub text: String,
    /// What it wants called. Never empty when the stop is [`StopReason::ToolUse`].
    #[serde(default)]
    pub tool_calls: Vec<ToolCall>,
    /// Why it stopped.
    pub stop: StopReason,
    /// What it took, if the provider said so.
    #[serde(default)]
    pub usage: Option<TokenUsage>,
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// It was done.
    End,
    /// The answer reached `max-tokens`, or the end of what the model can hold. It is cut off.
    MaxTokens,
    /// It waits for the results of tools.
    ToolUse,
    /// It, or a filter of the provider, refused to answer.
    Refused,
    /// Anything else.
    Other,
}

/// Tokens by kind. The kinds do not overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TokenUsage {
    /// Tokens read, other than from a cache. Those written to a cache are among them.
    pub input: u64,
    /// Tokens read from the provider's cache.
    #[serde(default)]
    pub cached_input: u64,
    /// Tokens written, with those of reasoning that is not shown.
    pub output: u64,
}

impl Add for TokenUsage {
    type Output = Self;

    /// Adds up; a provider's absurd number does not wrap.
    fn add(self, more: Self) -> Self {
        Self {
            input: self.input.saturating_add(more.input),
            cached_input: self.cached_input.saturating_add(more.cached_input),
            output: self.output.saturating_add(more.output),
        }
    }
}

impl AddAssign for TokenUsage {
    fn add_assign(&mut self, more: Self) {
        *self = *self + more;
    }
}
