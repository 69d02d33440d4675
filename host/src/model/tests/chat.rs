//! Which chats are sent at all, and what they look like in canonical form.

use super::*;
use crate::model::{AssistantMessage, ModelError, ToolCall, ToolResult};

fn refused(chat: Chat, part: &str) {
    let error = chat.check().expect_err(part).to_string();
    assert!(error.contains(part), "{error}");
}

fn said(ids: &[&str]) -> Message {
    let call = |id: &&str| ToolCall { id: (*id).into(), name: "count".into(), arguments: "{}".into() };
    Message::Assistant(AssistantMessage { text: "a".into(), tool_calls: ids.iter().map(call).collect() })
}

fn result(id: &str) -> Message {
    Message::Tool(ToolResult { call_id: id.into(), text: String::new(), is_error: false })
}

fn of(messages: Vec<Message>) -> Chat {
    Chat { messages, ..chat("") }
}

#[test]
fn a_conversation_has_an_order() {
    let system = || Message::System { text: "s".into() };
    let (hi, long) = (|| Message::user("Hi"), "x".repeat(129));
    for fine in [
        vec![hi()],
        vec![system(), system(), hi(), said(&[]), hi()],
        vec![hi(), hi(), said(&["a", "b"]), result("b"), result("a")],
        vec![hi(), said(&["a"]), result("a"), said(&["a"]), result("a"), hi()],
    ] {
        of(fine).check().unwrap();
    }
    refused(of(vec![]), "no messages");
    refused(of(vec![hi(), system()]), "message 1 gives instructions in the middle");
    refused(of(vec![Message::user(" \n")]), "message 0 is empty");
    refused(of(vec![hi(), said(&[])]), "leaves nothing to answer");
    refused(of(vec![hi(), said(&["a", "b"]), result("a"), hi()]), "message 3 leaves the call \"b\" without a result");
    refused(of(vec![hi(), said(&["a"])]), "last message leaves the call");
    refused(of(vec![hi(), result("a")]), "message 1 is the result of no open call");
    refused(of(vec![hi(), said(&["a"]), result("a"), result("a")]), "message 3 is the result of no open call");
    refused(of(vec![hi(), said(&["a", "a"]), result("a")]), "empty, long or taken");
    refused(of(vec![hi(), said(&[&long]), result(&long)]), "empty, long or taken");
    let mute = Message::Assistant(AssistantMessage::default());
    refused(of(vec![hi(), mute, hi()]), "says and calls nothing");
}

#[test]
fn arguments_of_earlier_calls_are_objects() {
    for arguments in ["", "7", "{", "[]", "{} {}"] {
        let call = ToolCall { id: "a".into(), name: "count".into(), arguments: arguments.into() };
        let said = AssistantMessage { text: String::new(), tool_calls: vec![call] };
        refused(of(vec![Message::user("Hi"), Message::Assistant(said), result("a")]), "not a JSON object");
    }
}

#[test]
fn tools_have_names_and_schemas() {
    with_tool(chat("Hi"), "a-B_9").check().unwrap();
    for name in ["", "a b", "é", "a:b/c@1#d", &"x".repeat(65)] {
        refused(with_tool(chat("Hi"), name), "a tool cannot be called");
    }
    let twice = with_tool(chat("Hi"), "a").tools;
    refused(Chat { tools: [twice.clone(), twice].concat(), ..chat("Hi") }, "two tools have the name `a`");
    let tool = Tool { name: "a".into(), description: String::new(), parameters: "{}".into() };
    refused(Chat { tools: vec![tool], ..chat("Hi") }, "the schema of the tool `a` has no");
    refused(Chat { schema: Some("{".into()), ..chat("Hi") }, "the schema of the answer is not JSON");
    refused(Chat { max_tokens: 0, ..chat("Hi") }, "max-tokens is 0");
}

#[test]
fn a_chat_has_a_size() {
    let large = |error: ModelError| assert!(matches!(error, ModelError::TooLarge(_)), "{error:?}");
    large(chat(&"x".repeat((8 << 20) + 1)).check().unwrap_err());
    large(of(vec![Message::user("x"); 10_001]).check().unwrap_err());
    large(Chat { tools: vec![with_tool(chat("Hi"), "a").tools.remove(0); 129], ..chat("Hi") }.check().unwrap_err());
    chat(&"x".repeat(8 << 20)).check().unwrap();
}

#[test]
fn the_canonical_form_is_fixed_and_reads_back() {
    let chat = of(vec![Message::user("Hi"), said(&["a"]), result("a")]);
    let text = concat!(
        r#"{"tier":"small","messages":[{"role":"user","text":"Hi"},{"role":"assistant","text":"a","tool-calls":"#,
        r#"[{"id":"a","name":"count","arguments":"{}"}]},{"role":"tool","call-id":"a","text":"","is-error":false}],"#,
        r#""tools":[],"schema":null,"max-tokens":100,"deadline-ms":null}"#
    );
    assert_eq!(String::from_utf8(chat.canonical()).unwrap(), text);
    assert_eq!(serde_json::from_str::<Chat>(text).unwrap(), chat);
}
