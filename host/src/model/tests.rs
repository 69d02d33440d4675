//! Providers on fixtures of their wire formats, scripts, and whole dialogues with time that is handed in.

mod anthropic;
mod chat;
mod dialogue;
mod hostile;
mod openai;
mod scripted;

use serde_json::{Value, json};

use super::{Chat, Endpoint, Message, Structured, Tool, WireRequest, WireResponse};

/// A chat that says `text` and asks for nothing special.
fn chat(text: &str) -> Chat {
    Chat {
        tier: "small".into(),
        messages: vec![Message::user(text)],
        tools: Vec::new(),
        schema: None,
        max_tokens: 100,
        deadline_ms: None,
    }
}

/// A schema with one property, `n`, that has to be a whole number.
fn counted() -> String {
    let schema = json!({
        "type": "object", "properties": { "n": { "type": "integer" } }, "required": ["n"], "additionalProperties": false
    });
    schema.to_string()
}

fn structured(text: &str) -> Chat {
    Chat { schema: Some(counted()), ..chat(text) }
}

fn with_tool(chat: Chat, name: &str) -> Chat {
    let tool = Tool { name: name.into(), description: "Counts.".into(), parameters: counted() };
    Chat { tools: vec![tool], ..chat }
}

fn endpoint(url: &str) -> Endpoint {
    Endpoint {
        base_url: url.into(),
        model: "m-1".into(),
        secret: Some("key".parse().unwrap()),
        stream: false,
        structured: Structured::Native,
    }
}

fn body(request: &WireRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn answered(body: &Value) -> WireResponse {
    failed(200, body)
}

fn failed(status: u16, body: &Value) -> WireResponse {
    let headers = vec![("Content-Type".into(), "application/json".into())];
    WireResponse { status, headers, body: body.to_string().into_bytes() }
}

fn streamed(text: &str) -> WireResponse {
    let headers = vec![("content-type".into(), "text/event-stream; charset=utf-8".into())];
    WireResponse { status: 200, headers, body: text.as_bytes().to_vec() }
}
