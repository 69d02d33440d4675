//! A conversation: what is said, sent as a whole with each turn, and what came back.

use std::fmt::Display;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{Error, Schema, StopReason, ToolCall, Usage};
use crate::bindings::remit::plugin::model as wit;

/// The most tokens of an answer where nobody says otherwise.
const MAX_TOKENS: u32 = 1_024;

/// A conversation with a model. It keeps what was said, so that [`Chat::ask`] can be called again.
#[derive(Clone, Debug)]
pub struct Chat(wit::Chat);

/// What a model answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What it said.
    pub text: String,
    /// What it asks to have called. Answer each with [`Chat::tool_result`], then [`Chat::send`] again.
    pub tool_calls: Vec<ToolCall>,
    /// Why it stopped.
    pub stop: StopReason,
    /// What the call took, corrections included.
    pub usage: Usage,
}

impl Chat {
    pub(super) fn new(tier: impl Into<String>) -> Self {
        Self(wit::Chat {
            tier: tier.into(),
            messages: Vec::new(),
            tools: Vec::new(),
            schema: None,
            max_tokens: MAX_TOKENS,
            deadline_ms: None,
        })
    }

    /// Adds instructions that hold for the whole conversation. They come first.
    #[must_use]
    pub fn system(mut self, text: impl Into<String>) -> Self {
        self.0.messages.push(wit::Message::System(text.into()));
        self
    }

    /// Adds something that a person says, or the agent for one.
    #[must_use]
    pub fn user(mut self, text: impl Into<String>) -> Self {
        self.0.messages.push(wit::Message::User(text.into()));
        self
    }

    /// Offers a function for the model to call. `parameters` is an object.
    #[must_use]
    pub fn tool(mut self, name: impl Into<String>, description: impl Into<String>, parameters: &Schema) -> Self {
        let (name, description) = (name.into(), description.into());
        self.0.tools.push(wit::Tool { name, description, parameters: parameters.to_string() });
        self
    }

    /// Holds answers to a schema: an object. Their text is then JSON.
    #[must_use]
    pub fn schema(mut self, schema: &Schema) -> Self {
        self.0.schema = Some(schema.to_string());
        self
    }

    /// Bounds the tokens of one answer. The remit and the operator may allow less.
    #[must_use]
    pub fn max_tokens(mut self, max: u32) -> Self {
        self.0.max_tokens = max;
        self
    }

    /// Bounds how long one turn may take, with everything that is tried again.
    #[must_use]
    pub fn deadline(mut self, time: Duration) -> Self {
        self.0.deadline_ms = Some(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Says what a call came to. An error is told to the model too, so that it can try another way.
    pub fn tool_result(&mut self, call: &ToolCall, result: Result<impl Display, impl Display>) {
        let (text, is_error) = match result {
            Ok(value) => (value.to_string(), false),
            Err(error) => (error.to_string(), true),
        };
        self.0.messages.push(wit::Message::Tool(wit::ToolResult { call_id: call.id.clone(), text, is_error }));
    }

    /// Sends the conversation, and adds the answer to it.
    ///
    /// # Errors
    ///
    /// Whatever kept the answer from coming; the conversation stays as it was.
    pub fn send(&mut self) -> Result<Answer, Error> {
        let completion = wit::complete(&self.0).map_err(|error| Error::from_wit(error, &self.0.tier))?;
        let wit::Completion { text, tool_calls, stop, usage } = completion;
        let said = wit::AssistantMessage { text: text.clone(), tool_calls: tool_calls.clone() };
        if !said.text.trim().is_empty() || !said.tool_calls.is_empty() {
            self.0.messages.push(wit::Message::Assistant(said));
        }
        Ok(Answer { text, tool_calls, stop, usage })
    }

    /// Says something as the user, and returns the text of the whole answer.
    ///
    /// # Errors
    ///
    /// As [`Chat::send`], and [`Error::Unfinished`] for an answer that was cut off, refused, or waits for tools.
    pub fn ask(&mut self, text: impl Into<String>) -> Result<String, Error> {
        let len = self.0.messages.len();
        self.0.messages.push(wit::Message::User(text.into()));
        let answer = self.send().inspect_err(|_| self.0.messages.truncate(len))?;
        match answer.stop {
            StopReason::End => Ok(answer.text),
            stop => Err(Error::Unfinished { tier: self.0.tier.clone(), stop, text: answer.text }),
        }
    }

    /// Says something as the user, and returns the answer as a value: `schema` says its form to the model, and holds the
    /// answer to it.
    ///
    /// # Errors
    ///
    /// As [`Chat::ask`], and [`Error::Json`] where what fits the schema does not fit `T`.
    pub fn ask_for<T: DeserializeOwned>(&mut self, schema: &Schema, text: impl Into<String>) -> Result<T, Error> {
        let before = self.0.schema.replace(schema.to_string());
        let answer = self.ask(text);
        self.0.schema = before;
        let tier = self.0.tier.clone();
        serde_json::from_str(&answer?).map_err(|source| Error::Json { tier, source })
    }
}
