//! OpenAI's answer as a completion.

use serde::Deserialize;

use crate::model::chat::{Chat, ToolCall};
use crate::model::completion::{Completion, StopReason, TokenUsage};
use crate::model::error::ModelError;
use crate::model::provider::Told;

#[derive(Default, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    pub choices: Vec<Choice>,
    #[serde(default)]
    pub usage: Option<Usage>,
    /// Some gateways say that they failed with a status of success.
    #[serde(default)]
    pub error: Option<Told>,
}

#[derive(Default, Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    pub message: Said,
    #[serde(default)]
    pub finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    pub content: Option<String>,
    #[serde(default)]
    pub refusal: Option<String>,
    #[serde(default)]
    pub tool_calls: Option<Vec<Call>>,
}

/// A call, or in a stream a piece of one.
#[derive(Default, Deserialize)]
pub(super) struct Call {
    /// Which call a piece belongs to. Some servers leave it out.
    #[serde(default)]
    pub index: Option<u64>,
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub function: Called,
}

#[derive(Default, Deserialize)]
pub(super) struct Called {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub arguments: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
pub(super) struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    #[serde(default)]
    prompt_tokens_details: Option<InputDetails>,
}

#[derive(Clone, Copy, Default, Deserialize)]
struct InputDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
}

impl Usage {
    /// Returns tokens by kind: OpenAI counts the cached ones among those of the prompt.
    fn tokens(self) -> TokenUsage {
        let cached = self.prompt_tokens_details.and_then(|details| details.cached_tokens).unwrap_or(0);
        let cached_input = cached.min(self.prompt_tokens);
        TokenUsage { input: self.prompt_tokens - cached_input, cached_input, output: self.completion_tokens }
    }
}

impl Answer {
    /// Returns the answer in our words.
    pub fn completion(self, chat: &Chat) -> Result<Completion, ModelError> {
        if let Some(told) = self.error {
            return Err(told.in_answer());
        }
        let Some(choice) = self.choices.into_iter().next() else {
            return Err(ModelError::unreadable("it has no choices"));
        };
        let calls = choice.message.tool_calls.unwrap_or_default();
        let first = chat.call_count();
        let tool_calls: Vec<_> = calls.into_iter().enumerate().map(|(i, call)| call.named(first + i)).collect();
        let refusal = choice.message.refusal.filter(|text| !text.is_empty());
        let is_refused = refusal.is_some();
        Ok(Completion {
            text: refusal.or(choice.message.content).unwrap_or_default(),
            stop: stop(choice.finish_reason.as_deref(), is_refused, !tool_calls.is_empty()),
            tool_calls,
            usage: self.usage.map(Usage::tokens),
        })
    }
}

impl Call {
    /// Returns the call, with an id made from its number where the server gave none.
    fn named(self, number: usize) -> ToolCall {
        ToolCall {
            id: self.id.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call_{number}")),
            name: self.function.name.unwrap_or_default(),
            arguments: self.function.arguments.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| "{}".into()),
        }
    }
}

/// Returns why the model stopped. Some servers say `stop` also when they call tools.
fn stop(reason: Option<&str>, is_refused: bool, has_calls: bool) -> StopReason {
    match reason {
        _ if is_refused => StopReason::Refused,
        Some("content_filter") => StopReason::Refused,
        Some("length") => StopReason::MaxTokens,
        Some("stop" | "tool_calls" | "function_call") | None if has_calls => StopReason::ToolUse,
        Some("stop") => StopReason::End,
        _ => StopReason::Other,
    }
}
