//! What an agent asks of a model, in words that no vendor owns.
//!
//! A [`Chat`] mirrors the WIT record: texts, and JSON as text. [`Chat::check`] parses it once; everything behind it
//! works on a [`CheckedChat`].

mod check;

use serde::{Deserialize, Serialize};

pub use check::CheckedChat;

/// One request to a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Chat {
    /// The operator's name for a kind of model, such as `small`.
    pub tier: String,
    /// The conversation so far, oldest first.
    pub messages: Vec<Message>,
    /// What the model may call.
    #[serde(default)]
    pub tools: Vec<Tool>,
    /// The JSON Schema of the answer, as JSON text. Without it the answer is free text.
    #[serde(default)]
    pub schema: Option<String>,
    /// The most tokens that one answer may have.
    pub max_tokens: u32,
    /// How long the whole call may take, in milliseconds.
    #[serde(default)]
    pub deadline_ms: Option<u64>,
}

/// A part of a conversation, by who said it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "kebab-case")]
pub enum Message {
    /// Instructions that hold for the whole conversation.
    System {
        /// What they say.
        text: String,
    },
    /// What a person, or the agent for one, says.
    User {
        /// What is said.
        text: String,
    },
    /// An earlier answer of the model.
    Assistant(AssistantMessage),
    /// What a tool returned.
    Tool(ToolResult),
}

/// An answer of the model within a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AssistantMessage {
    /// What it said; empty if it only called tools.
    pub text: String,
    /// What it called.
    #[serde(default)]
    pub tool_calls: Vec<ToolCall>,
}

/// A model's wish to have a tool called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ToolCall {
    /// Which call of the conversation this is; the result names it.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments: one JSON object, as text.
    pub arguments: String,
}

/// What a tool returned for a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ToolResult {
    /// The call that this answers.
    pub call_id: String,
    /// What the model is shown.
    pub text: String,
    /// Whether the call failed.
    #[serde(default)]
    pub is_error: bool,
}

/// A function that a model may ask to have called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tool {
    /// Its name: 1 to 64 letters, digits, `_` or `-`.
    pub name: String,
    /// What it does, for the model to choose by.
    pub description: String,
    /// The JSON Schema of its arguments, as JSON text. Its root has `"type": "object"`.
    pub parameters: String,
}

impl Chat {
    /// Returns the one byte string that stands for this chat: JSON, with fields in the order of the declarations above
    /// and without white space between them.
    pub fn canonical(&self) -> Vec<u8> {
        super::wire::json(self)
    }

    /// Returns the last text that is not the model's: what it is asked to react to.
    pub fn last_text(&self) -> &str {
        match self.messages.last() {
            Some(Message::System { text } | Message::User { text } | Message::Tool(ToolResult { text, .. })) => text,
            Some(Message::Assistant(said)) => &said.text,
            None => "",
        }
    }

    /// Returns how many answers of the model the conversation holds already.
    pub fn turn(&self) -> usize {
        self.messages.iter().filter(|message| matches!(message, Message::Assistant(_))).count()
    }

    /// Returns how many calls the model has asked for so far.
    pub(super) fn call_count(&self) -> usize {
        let calls = |message: &Message| match message {
            Message::Assistant(said) => said.tool_calls.len(),
            _ => 0,
        };
        self.messages.iter().map(calls).sum()
    }

    /// Returns the instructions that the conversation begins with, as one text.
    pub(super) fn system_text(&self) -> String {
        let texts = self.messages.iter().filter_map(|message| match message {
            Message::System { text } => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("\n\n")
    }
}

impl Message {
    /// Returns something that a person, or the agent for one, says.
    pub fn user(text: impl Into<String>) -> Self {
        Self::User { text: text.into() }
    }
}
