//! OpenAI's wire format, both ways.

use serde_json::{Value, json};

use super::*;
use crate::model::{
    AssistantMessage, Completion, ModelError, OpenAi, Provider, StopReason, TokenUsage, ToolCall, ToolResult,
};

fn provider() -> OpenAi {
    OpenAi::new(endpoint("http://localhost:8080/v1/"))
}

fn read(chat: &Chat, response: &WireResponse) -> Result<Completion, ModelError> {
    provider().response(chat, response)
}

pub(super) fn said(text: &str) -> Value {
    json!({
        "choices": [{ "message": { "role": "assistant", "content": text }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 4, "prompt_tokens_details": { "cached_tokens": 7 } },
    })
}

pub(super) const STREAM: &str = concat!(
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Hé\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"llo\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"count\",\
     \"arguments\":\"{\\\"n\\\"\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\":1}\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n",
    "data: [DONE]\n\n",
);

#[test]
fn a_chat_becomes_a_request() {
    let call = ToolCall { id: "a:1".into(), name: "count".into(), arguments: r#"{"n":1}"#.into() };
    let messages = vec![
        Message::System { text: "Be brief.".into() },
        Message::user("Hi"),
        Message::Assistant(AssistantMessage { text: String::new(), tool_calls: vec![call] }),
        Message::Tool(ToolResult { call_id: "a:1".into(), text: "no".into(), is_error: true }),
    ];
    let request = provider().request(&Chat { messages, ..with_tool(structured(""), "count") }, Structured::Native);
    assert_eq!((request.method, request.url.as_str()), ("POST", "http://localhost:8080/v1/chat/completions"));
    let secret = request.secret.as_ref().unwrap();
    assert_eq!((secret.header, secret.prefix, secret.secret.as_str()), ("authorization", "Bearer ", "key"));
    let schema: Value = serde_json::from_str(&counted()).unwrap();
    let expected = json!({
        "model": "m-1",
        "max_tokens": 100,
        "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "Hi" },
            { "role": "assistant", "tool_calls": [
                { "id": "a:1", "type": "function", "function": { "name": "count", "arguments": "{\"n\":1}" } }
            ] },
            { "role": "tool", "tool_call_id": "a:1", "content": "error: no" },
        ],
        "tools": [{ "type": "function", "function": { "name": "count", "description": "Counts.", "parameters": schema } }],
        "response_format": {
            "type": "json_schema", "json_schema": { "name": "answer", "strict": true, "schema": schema }
        },
    });
    assert_eq!(body(&request), expected);
}

#[test]
fn a_schema_keeps_its_authors_order() {
    let schema = r#"{"type":"object","properties":{"why":{"type":"string"},"answer":{"type":"string"}}}"#;
    let request = provider().request(&Chat { schema: Some(schema.into()), ..chat("Hi") }, Structured::Native);
    let text = String::from_utf8(request.body.clone()).unwrap();
    assert!(text.contains(schema), "{text}");
    assert_eq!(body(&request)["response_format"]["json_schema"]["strict"], false);
}

#[test]
fn words_stand_in_for_a_response_format() {
    let request = body(&provider().request(&structured("Hi"), Structured::Prompted));
    assert_eq!(request.get("response_format"), None);
    assert!(request["messages"][0]["content"].as_str().unwrap().contains(&counted()));
}

#[test]
fn openai_itself_has_another_name_for_the_limit() {
    let request = |url: &str| body(&OpenAi::new(endpoint(url)).request(&chat("Hi"), Structured::Native));
    assert_eq!(request("https://api.openai.com/v1")["max_completion_tokens"], 100);
    assert_eq!(request("https://api.openai.com/v1").get("max_tokens"), None);
    assert_eq!(request("https://api.openai.com.example/v1")["max_tokens"], 100);
}

#[test]
fn an_answer_is_read_with_its_usage() {
    let completion = read(&chat("Hi"), &answered(&said("Hello"))).unwrap();
    let usage = TokenUsage { input: 3, cached_input: 7, output: 4 };
    assert_eq!((completion.text.as_str(), completion.stop), ("Hello", StopReason::End));
    assert_eq!(completion.usage, Some(usage));
}

#[test]
fn reasons_to_stop_are_understood() {
    let check = |reason: Value, message: Value, expected| {
        let answer = json!({ "choices": [{ "message": message, "finish_reason": reason }] });
        assert_eq!(read(&chat("Hi"), &answered(&answer)).unwrap().stop, expected, "{answer}");
    };
    let calls = json!({ "content": null, "tool_calls": [{ "function": { "name": "count" } }] });
    check(json!("stop"), json!({ "content": "a" }), StopReason::End);
    check(json!("length"), json!({ "content": "a" }), StopReason::MaxTokens);
    check(json!("length"), calls.clone(), StopReason::MaxTokens);
    check(json!("content_filter"), json!({}), StopReason::Refused);
    check(json!("stop"), json!({ "content": null, "refusal": "I cannot" }), StopReason::Refused);
    check(json!("tool_calls"), calls.clone(), StopReason::ToolUse);
    check(json!("stop"), calls, StopReason::ToolUse);
    check(json!(null), json!({ "content": "a" }), StopReason::Other);
    check(json!("novel"), json!({ "content": "a" }), StopReason::Other);
}

#[test]
fn a_call_without_an_id_gets_one() {
    let answer = json!({ "choices": [{
        "message": { "tool_calls": [{ "id": "", "function": { "name": "a", "arguments": "" } }, { "function": {} }] },
        "finish_reason": "tool_calls",
    }] });
    let calls = read(&chat("Hi"), &answered(&answer)).unwrap().tool_calls;
    let calls: Vec<_> = calls.iter().map(|call| (call.id.as_str(), call.arguments.as_str())).collect();
    assert_eq!(calls, [("call_0", "{}"), ("call_1", "{}")]);
}

#[test]
fn a_stream_adds_up_to_the_same() {
    let completion = read(&chat("Hi"), &streamed(STREAM)).unwrap();
    let call = ToolCall { id: "a".into(), name: "count".into(), arguments: r#"{"n":1}"#.into() };
    assert_eq!(completion.text, "Héllo");
    assert_eq!(completion.tool_calls, [call]);
    assert_eq!(completion.stop, StopReason::ToolUse);
    assert_eq!(completion.usage, Some(TokenUsage { input: 3, cached_input: 0, output: 2 }));
    let asked = OpenAi::new(Endpoint { stream: true, ..endpoint("http://x") }).request(&chat("Hi"), Structured::Native);
    assert_eq!(body(&asked)["stream_options"]["include_usage"], true);
}

#[test]
fn failures_are_told_apart() {
    let check = |status: u16, error: Value, expected: fn(&ModelError) -> bool| {
        let found = read(&structured("Hi"), &failed(status, &json!({ "error": error }))).unwrap_err();
        assert!(expected(&found), "{status}: {found:?}");
    };
    check(429, json!({}), |e| matches!(e, ModelError::Overloaded { retry_after: None }));
    check(429, json!({ "code": "insufficient_quota" }), |e| matches!(e, ModelError::Provider(_)));
    check(500, json!({ "message": "oops" }), |e| matches!(e, ModelError::Unavailable(w) if w.contains("oops")));
    check(400, json!({ "message": "no" }), |e| *e == ModelError::InvalidRequest("no".into()));
    check(400, json!({ "code": "context_length_exceeded" }), |e| matches!(e, ModelError::TooLarge(_)));
    check(400, json!({ "message": "response_format?" }), |e| matches!(e, ModelError::SchemaRefused(_)));
    check(404, json!("odd"), |e| matches!(e, ModelError::Provider(_)));
    check(302, json!({}), |e| matches!(e, ModelError::Provider(w) if w.contains("redirects")));
    check(401, json!({ "message": "bad key sk-1" }), |e| {
        matches!(e, ModelError::Provider(_)) && !format!("{e:?}").contains("sk-1")
    });
}
