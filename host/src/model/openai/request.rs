//! A chat as OpenAI's body has it.

use serde::Serialize;
use serde_json::value::RawValue;

use super::TokenLimit;
use crate::model::chat::{AssistantMessage, Chat, Message, Tool, ToolCall};
use crate::model::provider::{Endpoint, Structured, instructions, raw};
use crate::model::schema;

#[derive(Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    messages: Vec<WireMessage<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<WireTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
struct WireMessage<'a> {
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<WireCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Serialize)]
struct WireCall<'a> {
    id: &'a str,
    r#type: &'static str,
    function: CalledFunction<'a>,
}

#[derive(Serialize)]
struct CalledFunction<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
struct WireTool<'a> {
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: Box<RawValue>,
}

#[derive(Serialize)]
struct ResponseFormat {
    r#type: &'static str,
    json_schema: JsonSchema,
}

#[derive(Serialize)]
struct JsonSchema {
    name: &'static str,
    /// Whether the decoder is held to the schema. OpenAI refuses that for schemas outside of a subset.
    strict: bool,
    schema: Box<RawValue>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

impl<'a> Body<'a> {
    pub fn new(endpoint: &'a Endpoint, limit: TokenLimit, chat: &'a Chat, structured: Structured) -> Self {
        let schema = chat.schema.as_deref().filter(|_| structured == Structured::Native);
        let limited = |name| (limit == name).then_some(chat.max_tokens);
        Self {
            model: &endpoint.model,
            messages: messages(chat, structured),
            tools: chat.tools.iter().map(tool).collect(),
            response_format: schema.map(response_format),
            max_tokens: limited(TokenLimit::MaxTokens),
            max_completion_tokens: limited(TokenLimit::MaxCompletionTokens),
            stream: endpoint.stream,
            stream_options: endpoint.stream.then_some(StreamOptions { include_usage: true }),
        }
    }
}

fn messages(chat: &Chat, structured: Structured) -> Vec<WireMessage<'_>> {
    let instructions = instructions(chat, structured);
    let system = (!instructions.is_empty()).then(|| text("system", &instructions));
    system.into_iter().chain(chat.messages.iter().filter_map(message)).collect()
}

fn message(message: &Message) -> Option<WireMessage<'_>> {
    Some(match message {
        Message::System { .. } => return None,
        Message::User { text: said } => text("user", said),
        Message::Assistant(said) => assistant(said),
        Message::Tool(result) => {
            let failed = if result.is_error { "error: " } else { "" };
            let content = format!("{failed}{}", result.text);
            WireMessage { tool_call_id: Some(&result.call_id), ..text("tool", &content) }
        }
    })
}

fn text<'a>(role: &'static str, content: &str) -> WireMessage<'a> {
    WireMessage { role, content: Some(content.to_owned()), tool_calls: Vec::new(), tool_call_id: None }
}

fn assistant(said: &AssistantMessage) -> WireMessage<'_> {
    let content = (!said.text.is_empty()).then(|| said.text.clone());
    let tool_calls = said.tool_calls.iter().map(call).collect();
    WireMessage { role: "assistant", content, tool_calls, tool_call_id: None }
}

fn call(call: &ToolCall) -> WireCall<'_> {
    let function = CalledFunction { name: &call.name, arguments: &call.arguments };
    WireCall { id: &call.id, r#type: "function", function }
}

fn tool(tool: &Tool) -> WireTool<'_> {
    let parameters = raw(&tool.parameters);
    WireTool { r#type: "function", function: Function { name: &tool.name, description: &tool.description, parameters } }
}

fn response_format(text: &str) -> ResponseFormat {
    let json_schema = JsonSchema { name: "answer", strict: schema::is_closed(text), schema: raw(text) };
    ResponseFormat { r#type: "json_schema", json_schema }
}
