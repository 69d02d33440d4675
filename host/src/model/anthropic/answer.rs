//! Anthropic's answer as a completion.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer_tool;
use crate::model::chat::{Chat, ToolCall};
use crate::model::completion::{Completion, StopReason, TokenUsage};
use crate::model::error::ModelError;
use crate::model::provider::Told;

#[derive(Default, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    pub content: Option<Vec<Block>>,
    #[serde(default)]
    pub stop_reason: Option<String>,
    #[serde(default)]
    pub usage: Option<Usage>,
    #[serde(default)]
    pub error: Option<Told>,
}

/// A block of text, a call, or something that we have no word for, such as the model's thoughts.
#[derive(Default, Deserialize)]
pub(super) struct Block {
    #[serde(default, rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub input: Option<Box<RawValue>>,
}

/// Tokens as Anthropic counts them: the kinds do not overlap.
#[derive(Clone, Copy, Default, Deserialize)]
pub(super) struct Usage {
    input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

impl Usage {
    /// Returns what a later event of the same answer says, where it says something. Its counts are totals.
    pub fn updated(self, later: Self) -> Self {
        Self {
            input_tokens: later.input_tokens.or(self.input_tokens),
            cache_creation_input_tokens: later.cache_creation_input_tokens.or(self.cache_creation_input_tokens),
            cache_read_input_tokens: later.cache_read_input_tokens.or(self.cache_read_input_tokens),
            output_tokens: later.output_tokens.or(self.output_tokens),
        }
    }

    fn tokens(self) -> TokenUsage {
        let input = self.input_tokens.unwrap_or(0).saturating_add(self.cache_creation_input_tokens.unwrap_or(0));
        let cached_input = self.cache_read_input_tokens.unwrap_or(0);
        TokenUsage { input, cached_input, output: self.output_tokens.unwrap_or(0) }
    }
}

impl Answer {
    /// Returns the answer in our words. A call of the answer tool is the text, unless tools are called beside it: then
    /// their results come first.
    pub fn completion(self, chat: &Chat) -> Result<Completion, ModelError> {
        if let Some(told) = self.error {
            return Err(told.in_answer());
        }
        let content = self.content.ok_or_else(|| ModelError::unreadable("it has no content"))?;
        let answer_name = answer_tool(chat);
        let (mut text, mut answer, mut tool_calls) = (String::new(), None, Vec::new());
        for block in content {
            match block.kind.as_str() {
                "text" => text.push_str(&block.text),
                "tool_use" if chat.schema.is_some() && block.name == answer_name => answer = Some(block.arguments()),
                "tool_use" => tool_calls.push(block.call(chat.call_count() + tool_calls.len())),
                _ => {}
            }
        }
        let has_answered = answer.is_some() && tool_calls.is_empty();
        Ok(Completion {
            text: answer.filter(|_| has_answered).unwrap_or(text),
            stop: stop(self.stop_reason.as_deref(), has_answered),
            tool_calls,
            usage: self.usage.map(Usage::tokens),
        })
    }
}

impl Block {
    fn arguments(&self) -> String {
        self.input.as_ref().map_or_else(|| "{}".to_owned(), |input| input.get().to_owned())
    }

    fn call(self, number: usize) -> ToolCall {
        let arguments = self.arguments();
        let id = if self.id.is_empty() { format!("call_{number}") } else { self.id };
        ToolCall { id, name: self.name, arguments }
    }
}

fn stop(reason: Option<&str>, has_answered: bool) -> StopReason {
    match reason {
        Some("tool_use") if has_answered => StopReason::End,
        Some("end_turn" | "stop_sequence") => StopReason::End,
        Some("max_tokens" | "model_context_window_exceeded") => StopReason::MaxTokens,
        Some("tool_use") => StopReason::ToolUse,
        Some("refusal") => StopReason::Refused,
        _ => StopReason::Other,
    }
}
