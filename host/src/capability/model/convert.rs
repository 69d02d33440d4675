//! Between the guest's words and ours. They mirror each other; where they differ, the guest is told less.

use std::time::Duration;

use crate::capability::bindings::model as wit;
use crate::model::{
    AssistantMessage, Chat, Completion, Message, ModelError, StopReason, TokenUsage, Tool, ToolCall, ToolResult,
};

impl From<&wit::Chat> for Chat {
    fn from(chat: &wit::Chat) -> Self {
        Self {
            tier: chat.tier.clone(),
            messages: chat.messages.iter().map(Message::from).collect(),
            tools: chat.tools.iter().map(Tool::from).collect(),
            schema: chat.schema.clone(),
            max_tokens: chat.max_tokens,
            deadline_ms: chat.deadline_ms,
        }
    }
}

impl From<&wit::Message> for Message {
    fn from(message: &wit::Message) -> Self {
        match message {
            wit::Message::System(text) => Self::System { text: text.clone() },
            wit::Message::User(text) => Self::User { text: text.clone() },
            wit::Message::Assistant(said) => Self::Assistant(AssistantMessage {
                text: said.text.clone(),
                tool_calls: said.tool_calls.iter().map(ToolCall::from).collect(),
            }),
            wit::Message::Tool(wit::ToolResult { call_id, text, is_error }) => {
                Self::Tool(ToolResult { call_id: call_id.clone(), text: text.clone(), is_error: *is_error })
            }
        }
    }
}

impl From<&wit::Tool> for Tool {
    fn from(tool: &wit::Tool) -> Self {
        let wit::Tool { name, description, parameters } = tool.clone();
        Self { name, description, parameters }
    }
}

impl From<&wit::ToolCall> for ToolCall {
    fn from(call: &wit::ToolCall) -> Self {
        let wit::ToolCall { id, name, arguments } = call.clone();
        Self { id, name, arguments }
    }
}

impl From<ToolCall> for wit::ToolCall {
    fn from(ToolCall { id, name, arguments }: ToolCall) -> Self {
        Self { id, name, arguments }
    }
}

impl From<Completion> for wit::Completion {
    fn from(completion: Completion) -> Self {
        Self {
            text: completion.text,
            tool_calls: completion.tool_calls.into_iter().map(wit::ToolCall::from).collect(),
            stop: completion.stop.into(),
            usage: completion.usage.unwrap_or_default().into(),
        }
    }
}

impl From<StopReason> for wit::StopReason {
    fn from(stop: StopReason) -> Self {
        match stop {
            StopReason::End => Self::End,
            StopReason::MaxTokens => Self::MaxTokens,
            StopReason::ToolUse => Self::ToolUse,
            StopReason::Refused => Self::Refused,
            StopReason::Other => Self::Other,
        }
    }
}

impl From<TokenUsage> for wit::Usage {
    fn from(TokenUsage { input, cached_input, output }: TokenUsage) -> Self {
        Self { input, cached_input, output }
    }
}

impl From<ModelError> for wit::Error {
    fn from(error: ModelError) -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        match error {
            ModelError::UnknownTier(_) => Self::UnknownTier,
            ModelError::InvalidRequest(why) => Self::InvalidRequest(why),
            ModelError::TooLarge(_) => Self::TooLarge,
            ModelError::Overloaded { retry_after } => {
                Self::Overloaded(wit::Overload { retry_after_ms: retry_after.map(millis) })
            }
            ModelError::Deadline => Self::Deadline,
            ModelError::InvalidOutput(why) => Self::InvalidOutput(why),
            ModelError::Unavailable(_) | ModelError::SchemaRefused(_) | ModelError::Provider(_) => {
                Self::Provider(error.to_string())
            }
        }
    }
}
