//! Judging a chat before anything is spent on it: what one provider would refuse is refused for all, with the same
//! words.

use std::collections::{BTreeMap, BTreeSet};

use super::{AssistantMessage, Chat, Message, Tool, ToolCall};
use crate::model::error::ModelError;
use crate::model::schema::Schema;

/// The most bytes of text in one chat: an agent that sends its whole history for ever.
const CHAT_LEN_MAX: usize = 8 << 20;

/// The most messages: each costs the host some hundred bytes beside its text.
const MESSAGES_MAX: usize = 10_000;

/// The most tools. No provider takes more.
const TOOLS_MAX: usize = 128;

/// The longest name of a tool in bytes, as providers have it.
const TOOL_NAME_LEN_MAX: usize = 64;

/// The longest id of a tool call in bytes.
const CALL_ID_LEN_MAX: usize = 128;

/// A chat that every provider understands, with its schemas compiled.
#[derive(Clone, Debug)]
pub struct CheckedChat {
    pub(in crate::model) chat: Chat,
    pub(in crate::model) answer: Option<Schema>,
    pub(in crate::model) tools: BTreeMap<String, Schema>,
}

impl CheckedChat {
    /// Returns the chat.
    pub fn chat(&self) -> &Chat {
        &self.chat
    }
}

impl Chat {
    /// Checks everything that can be known without asking a model, and compiles the schemas.
    ///
    /// # Errors
    ///
    /// [`ModelError::InvalidRequest`] says which part cannot be sent and why; [`ModelError::TooLarge`] which limit it
    /// crosses.
    pub fn check(self) -> Result<CheckedChat, ModelError> {
        self.check_sizes()?;
        if self.max_tokens == 0 {
            return Err(invalid("max-tokens is 0, and an answer needs at least one"));
        }
        Conversation::default().check(&self.messages)?;
        let answer = self.schema.as_deref().map(Schema::parse).transpose();
        let answer = answer.map_err(|why| ModelError::InvalidRequest(format!("the schema of the answer {why}")))?;
        let mut tools = BTreeMap::new();
        for tool in &self.tools {
            if tools.insert(tool.name.clone(), parameters(tool)?).is_some() {
                return Err(invalid(format!("two tools have the name `{}`", tool.name)));
            }
        }
        Ok(CheckedChat { chat: self, answer, tools })
    }

    fn check_sizes(&self) -> Result<(), ModelError> {
        at_most("messages", self.messages.len(), MESSAGES_MAX)?;
        at_most("tools", self.tools.len(), TOOLS_MAX)?;
        let messages: usize = self.messages.iter().map(text_len).sum();
        let tools = self.tools.iter().map(|tool| tool.name.len() + tool.description.len() + tool.parameters.len());
        at_most("bytes of text", messages + tools.sum::<usize>(), CHAT_LEN_MAX)
    }
}

fn at_most(what: &'static str, count: usize, max: usize) -> Result<(), ModelError> {
    if count <= max { Ok(()) } else { Err(ModelError::TooLarge(format!("the chat has {count} {what}, at most {max}"))) }
}

fn text_len(message: &Message) -> usize {
    match message {
        Message::System { text } | Message::User { text } => text.len(),
        Message::Tool(result) => result.text.len() + result.call_id.len(),
        Message::Assistant(said) => said.text.len() + said.tool_calls.iter().map(call_len).sum::<usize>(),
    }
}

fn call_len(call: &ToolCall) -> usize {
    call.id.len() + call.name.len() + call.arguments.len()
}

fn invalid(why: impl Into<String>) -> ModelError {
    ModelError::InvalidRequest(why.into())
}

fn parameters(tool: &Tool) -> Result<Schema, ModelError> {
    if !is_name(&tool.name, TOOL_NAME_LEN_MAX) {
        let name: String = tool.name.chars().take(TOOL_NAME_LEN_MAX).collect();
        let form = "1 to 64 letters, digits, `_` or `-`";
        return Err(invalid(format!("a tool cannot be called {name:?}: a name is {form}")));
    }
    let schema = Schema::parse(&tool.parameters);
    schema.map_err(|why| invalid(format!("the schema of the tool `{}` {why}", tool.name)))
}

fn is_name(text: &str, len_max: usize) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=len_max).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// What has to come next, while the messages are read in order.
#[derive(Default)]
struct Conversation<'a> {
    has_begun: bool,
    /// Calls without a result so far.
    open: BTreeSet<&'a str>,
}

impl<'a> Conversation<'a> {
    fn check(mut self, messages: &'a [Message]) -> Result<(), ModelError> {
        for (index, message) in messages.iter().enumerate() {
            self.take(message).map_err(|why| invalid(format!("message {index} {why}")))?;
        }
        self.no_call_is_open().map_err(|why| invalid(format!("the last message {why}")))?;
        match messages.last() {
            Some(Message::User { .. } | Message::Tool(_)) => Ok(()),
            Some(_) => Err(invalid("the last message leaves nothing to answer: it has to be the user's or a tool's")),
            None => Err(invalid("the chat has no messages")),
        }
    }

    fn take(&mut self, message: &'a Message) -> Result<(), String> {
        match message {
            Message::System { .. } if self.has_begun => Err("gives instructions in the middle: put them first".into()),
            Message::System { text } => not_blank(text),
            Message::Tool(result) if self.open.remove(result.call_id.as_str()) => Ok(()),
            Message::Tool(result) => Err(format!("is the result of no open call: {:?}", short(&result.call_id))),
            Message::User { text } => self.no_call_is_open().and_then(|()| not_blank(text)),
            Message::Assistant(said) => self.no_call_is_open().and_then(|()| self.take_answer(said)),
        }?;
        self.has_begun |= !matches!(message, Message::System { .. });
        Ok(())
    }

    fn no_call_is_open(&self) -> Result<(), String> {
        match self.open.first() {
            None => Ok(()),
            Some(id) => Err(format!("leaves the call {id:?} without a result")),
        }
    }

    fn take_answer(&mut self, said: &'a AssistantMessage) -> Result<(), String> {
        if said.text.trim().is_empty() && said.tool_calls.is_empty() {
            return Err("is an answer that says and calls nothing".into());
        }
        for call in &said.tool_calls {
            if !(1..=CALL_ID_LEN_MAX).contains(&call.id.len()) || !self.open.insert(&call.id) {
                return Err(format!("calls with the id {:?}, which is empty, long or taken", short(&call.id)));
            }
            if !is_name(&call.name, TOOL_NAME_LEN_MAX) {
                return Err(format!("calls {:?}, which is no tool's name", short(&call.name)));
            }
            if !is_object(&call.arguments) {
                return Err(format!("calls `{}` with arguments that are not a JSON object", call.name));
            }
        }
        Ok(())
    }
}

fn not_blank(text: &str) -> Result<(), String> {
    if text.trim().is_empty() { Err("is empty".into()) } else { Ok(()) }
}

fn is_object(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok_and(|value| value.is_object())
}

/// Returns as much of a guest-chosen text as an error may repeat.
fn short(text: &str) -> String {
    text.chars().take(CALL_ID_LEN_MAX).collect()
}
