//! A chat as Anthropic's body has it: instructions apart, and what a user and tools say one after the other as one
//! message.

use serde::Serialize;
use serde_json::value::RawValue;

use super::answer_tool;
use crate::model::chat::{AssistantMessage, Chat, Message, ToolResult};
use crate::model::provider::{Endpoint, Structured, instructions, raw};

#[derive(Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    system: String,
    messages: Vec<WireMessage<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<WireTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ToolChoice>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
}

#[derive(Serialize)]
struct WireMessage<'a> {
    role: &'static str,
    content: Vec<Block<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Text { text: &'a str },
    ToolUse { id: String, name: &'a str, input: Box<RawValue> },
    ToolResult { tool_use_id: String, content: &'a str, is_error: bool },
}

#[derive(Serialize)]
struct WireTool<'a> {
    name: String,
    description: &'a str,
    input_schema: Box<RawValue>,
}

/// Which tools the model may choose from.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ToolChoice {
    /// It must call one of all.
    Any,
    /// It must call this one.
    Tool { name: String },
}

impl<'a> Body<'a> {
    pub fn new(endpoint: &'a Endpoint, chat: &'a Chat, structured: Structured) -> Self {
        let schema = chat.schema.as_deref().filter(|_| structured == Structured::Native);
        Self {
            model: &endpoint.model,
            max_tokens: chat.max_tokens,
            system: instructions(chat, structured),
            messages: messages(chat),
            tools: tools(chat, schema),
            tool_choice: schema.map(|_| choice(chat)),
            stream: endpoint.stream,
        }
    }
}

fn messages(chat: &Chat) -> Vec<WireMessage<'_>> {
    let mut messages: Vec<WireMessage<'_>> = Vec::new();
    for message in &chat.messages {
        let (role, blocks) = match message {
            Message::System { .. } => continue,
            Message::User { text } => ("user", vec![Block::Text { text }]),
            Message::Tool(result) => ("user", vec![tool_result(result)]),
            Message::Assistant(said) => ("assistant", assistant(said)),
        };
        match messages.last_mut() {
            Some(last) if last.role == role => last.content.extend(blocks),
            _ => messages.push(WireMessage { role, content: blocks }),
        }
    }
    messages
}

fn assistant(said: &AssistantMessage) -> Vec<Block<'_>> {
    // The API refuses texts of white space alone.
    let text = Some(said.text.as_str()).filter(|text| !text.trim().is_empty()).map(|text| Block::Text { text });
    let calls = said.tool_calls.iter().map(|call| Block::ToolUse {
        id: call_id(&call.id),
        name: &call.name,
        input: raw(&call.arguments),
    });
    text.into_iter().chain(calls).collect()
}

fn tool_result(result: &ToolResult) -> Block<'_> {
    Block::ToolResult { tool_use_id: call_id(&result.call_id), content: &result.text, is_error: result.is_error }
}

/// Returns an id in the alphabet of the API. Another provider may have made it in an earlier turn.
fn call_id(id: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    id.chars().map(allowed).collect()
}

fn tools<'a>(chat: &'a Chat, schema: Option<&str>) -> Vec<WireTool<'a>> {
    let own = chat.tools.iter().map(|tool| WireTool {
        name: tool.name.clone(),
        description: &tool.description,
        input_schema: raw(&tool.parameters),
    });
    let answer = schema.map(|schema| WireTool {
        name: answer_tool(chat),
        description: "Gives the final answer.",
        input_schema: raw(schema),
    });
    own.chain(answer).collect()
}

fn choice(chat: &Chat) -> ToolChoice {
    if chat.tools.is_empty() { ToolChoice::Tool { name: answer_tool(chat) } } else { ToolChoice::Any }
}
