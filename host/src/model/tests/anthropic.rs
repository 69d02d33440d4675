//! Anthropic's wire format, both ways.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::model::{
    Anthropic, AssistantMessage, Completion, ModelError, Provider, StopReason, TokenUsage, ToolCall, ToolResult,
};

fn provider() -> Anthropic {
    Anthropic::new(endpoint("https://api.anthropic.com"))
}

fn read(chat: &Chat, response: &WireResponse) -> Result<Completion, ModelError> {
    provider().response(chat, response)
}

fn said(content: Value, stop: &str) -> WireResponse {
    answered(&json!({
        "type": "message", "role": "assistant", "content": content, "stop_reason": stop,
        "usage": {
            "input_tokens": 5, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 9, "output_tokens": 4
        },
    }))
}

pub(super) const STREAM: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"content\":[],\"usage\":{\"input_tokens\":5,\
     \"cache_read_input_tokens\":1,\"output_tokens\":1}}}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\
     \"text\":\"\"}}\n\n",
    "event: ping\ndata: {\"type\":\"ping\"}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\
     \"text\":\"Hé\"}}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\
     \"tool_use\",\"id\":\"t\",\"name\":\"count\",\"input\":{}}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\
     \"input_json_delta\",\"partial_json\":\"{\\\"n\\\"\"}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\
     \"input_json_delta\",\"partial_json\":\": 1}\"}}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\
     \"output_tokens\":7}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);

#[test]
fn a_chat_becomes_a_request() {
    let call = |id: &str| ToolCall { id: id.into(), name: "count".into(), arguments: r#"{"n":1}"#.into() };
    let result = |id: &str| Message::Tool(ToolResult { call_id: id.into(), text: "2".into(), is_error: false });
    let messages = vec![
        Message::System { text: "Be brief.".into() },
        Message::System { text: "Be kind.".into() },
        Message::user("Hi"),
        Message::Assistant(AssistantMessage { text: "So".into(), tool_calls: vec![call("a:1"), call("b")] }),
        result("a:1"),
        result("b"),
        Message::user("Well?"),
    ];
    let request = provider().request(&Chat { messages, ..with_tool(structured(""), "answer") }, Structured::Native);
    assert_eq!(request.url, "https://api.anthropic.com/v1/messages");
    assert!(request.headers.contains(&("anthropic-version", "2023-06-01".into())));
    let secret = request.secret.as_ref().unwrap();
    assert_eq!((secret.header, secret.prefix, secret.secret.as_str()), ("x-api-key", "", "key"));
    let schema: Value = serde_json::from_str(&counted()).unwrap();
    let used = |id: &str| json!({ "type": "tool_use", "id": id, "name": "count", "input": { "n": 1 } });
    let returned = |id: &str| json!({ "type": "tool_result", "tool_use_id": id, "content": "2", "is_error": false });
    let expected = json!({
        "model": "m-1",
        "max_tokens": 100,
        "system": "Be brief.\n\nBe kind.",
        "messages": [
            { "role": "user", "content": [{ "type": "text", "text": "Hi" }] },
            { "role": "assistant", "content": [{ "type": "text", "text": "So" }, used("a_1"), used("b")] },
            { "role": "user", "content": [returned("a_1"), returned("b"), { "type": "text", "text": "Well?" }] },
        ],
        "tools": [
            { "name": "answer", "description": "Counts.", "input_schema": schema },
            { "name": "answer_", "description": "Gives the final answer.", "input_schema": schema },
        ],
        "tool_choice": { "type": "any" },
    });
    assert_eq!(body(&request), expected);
}

#[test]
fn a_schema_alone_forces_its_tool() {
    let request = body(&provider().request(&structured("Hi"), Structured::Native));
    assert_eq!(request["tool_choice"], json!({ "type": "tool", "name": "answer" }));
    let prompted = body(&provider().request(&structured("Hi"), Structured::Prompted));
    assert_eq!(prompted.get("tools"), None);
    assert!(prompted["system"].as_str().unwrap().contains(&counted()));
}

#[test]
fn an_answer_is_read_with_its_usage() {
    let content = json!([{ "type": "thinking", "thinking": "hm" }, { "type": "text", "text": "Hello" }]);
    let completion = read(&chat("Hi"), &said(content, "end_turn")).unwrap();
    assert_eq!((completion.text.as_str(), completion.stop), ("Hello", StopReason::End));
    assert_eq!(completion.usage, Some(TokenUsage { input: 7, cached_input: 9, output: 4 }));
}

#[test]
fn the_answer_tools_arguments_are_the_answer() {
    let answer = json!({ "type": "tool_use", "id": "x", "name": "answer", "input": { "n": 1 } });
    let call = json!({ "type": "tool_use", "id": "y", "name": "count", "input": { "n": 2 } });
    let completion = read(&structured("Hi"), &said(json!([answer]), "tool_use")).unwrap();
    assert_eq!((completion.text.as_str(), completion.stop), (r#"{"n":1}"#, StopReason::End));
    assert_eq!(completion.tool_calls, []);
    // Tools called beside it come first: the answer cannot know what they return.
    let both = read(&with_tool(structured("Hi"), "count"), &said(json!([answer, call]), "tool_use")).unwrap();
    assert_eq!((both.text.as_str(), both.stop, both.tool_calls.len()), ("", StopReason::ToolUse, 1));
}

#[test]
fn reasons_to_stop_are_understood() {
    for (reason, expected) in [
        ("end_turn", StopReason::End),
        ("stop_sequence", StopReason::End),
        ("max_tokens", StopReason::MaxTokens),
        ("model_context_window_exceeded", StopReason::MaxTokens),
        ("tool_use", StopReason::ToolUse),
        ("refusal", StopReason::Refused),
        ("pause_turn", StopReason::Other),
    ] {
        let answer = said(json!([{ "type": "text", "text": "a" }]), reason);
        assert_eq!(read(&chat("Hi"), &answer).unwrap().stop, expected, "{reason}");
    }
}

#[test]
fn a_stream_adds_up_to_the_same() {
    let completion = read(&chat("Hi"), &streamed(STREAM)).unwrap();
    let call = ToolCall { id: "t".into(), name: "count".into(), arguments: r#"{"n": 1}"#.into() };
    assert_eq!((completion.text.as_str(), completion.stop), ("Hé", StopReason::ToolUse));
    assert_eq!(completion.tool_calls, [call]);
    assert_eq!(completion.usage, Some(TokenUsage { input: 5, cached_input: 1, output: 7 }));
}

#[test]
fn failures_are_told_apart() {
    let error = |kind: &str| json!({ "type": "error", "error": { "type": kind, "message": kind } });
    let mut busy = failed(429, &error("rate_limit_error"));
    busy.headers.push(("Retry-After".into(), "7".into()));
    let found = read(&chat("Hi"), &busy).unwrap_err();
    assert_eq!(found, ModelError::Overloaded { retry_after: Some(Duration::from_secs(7)) });
    let found = read(&chat("Hi"), &failed(529, &error("overloaded_error"))).unwrap_err();
    assert_eq!(found, ModelError::Overloaded { retry_after: None });
    let found = read(&chat("Hi"), &failed(413, &error("request_too_large"))).unwrap_err();
    assert!(matches!(found, ModelError::TooLarge(_)), "{found:?}");
    let midway = format!("{}data: {}\n\n", &STREAM[..STREAM.find("event: ping").unwrap()], error("overloaded_error"));
    let found = read(&chat("Hi"), &streamed(&midway)).unwrap_err();
    assert_eq!(found, ModelError::Overloaded { retry_after: None });
}
