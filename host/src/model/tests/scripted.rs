//! Scripts: which answer fits, how often, and what is said when none is left.

use serde_json::json;

use super::*;
use crate::model::tests::dialogue::ready;
use crate::model::{Completion, ModelError, Provider, Script, Scripted, Sender, StopReason};

fn play(script: &Scripted, chat: &Chat) -> Result<Completion, ModelError> {
    let request = script.request(chat, Structured::Native);
    let response = ready(script.send(request, None)).map_err(ModelError::from)?;
    script.response(chat, &response)
}

fn scripted(text: &str) -> Scripted {
    Scripted::new(Script::parse("test.toml", text).unwrap())
}

fn said(script: &Scripted, chat: &Chat) -> String {
    play(script, chat).unwrap().text
}

#[test]
fn answers_without_a_condition_come_in_order_and_run_out() {
    let script = scripted("[[answer]]\ntext = \"one\"\n[[answer]]\ntext = \"two\"\ntimes = 2");
    assert_eq!(["a", "b", "c"].map(|text| said(&script, &chat(text))), ["one", "two", "two"]);
    let error = play(&script, &chat("What now?")).unwrap_err();
    assert!(!error.is_transient());
    let text = error.to_string();
    assert!(
        text.contains("the model script test.toml has no answer left for turn 0 (text) to \"What now?\""),
        "{text}"
    );
}

#[test]
fn conditions_choose() {
    let script = scripted(
        r#"
        [[answer]]
        when = "bug"
        text = "a bug"
        [[answer]]
        turn = 1
        text = "again"
        [[answer]]
        structured = true
        json = { n = 1 }
        "#,
    );
    assert_eq!(said(&script, &chat("a bug in it")), "a bug");
    assert_eq!(said(&script, &chat("another bug")), "a bug");
    assert_eq!(said(&script, &structured("count")), r#"{"n":1}"#);
    let mut later = chat("x");
    later.messages.extend([Message::Assistant(crate::model::AssistantMessage::default()), Message::user("y")]);
    assert_eq!(said(&script, &later), "again");
    assert!(play(&script, &chat("nothing fits")).is_err());
}

#[test]
fn calls_failures_and_usage_can_be_scripted() {
    let script = scripted(
        r#"
        [[answer]]
        tool-calls = [{ name = "count", arguments = { n = 1 } }]
        usage = { input = 1, output = 2 }
        [[answer]]
        fail = { status = 429, retry-after = 2 }
        "#,
    );
    let called = play(&script, &chat("Hi")).unwrap();
    assert_eq!((called.stop, called.usage.unwrap().output), (StopReason::ToolUse, 2));
    assert_eq!((called.tool_calls[0].id.as_str(), called.tool_calls[0].arguments.as_str()), ("call_0", r#"{"n":1}"#));
    assert!(matches!(play(&script, &chat("Hi")), Err(ModelError::Overloaded { retry_after: Some(_) })));
}

#[test]
fn the_embedded_script_answers_offline_and_says_what_it_cannot() {
    let script = Scripted::new(Script::embedded());
    assert!(said(&script, &chat("Hi")).starts_with("This is the scripted model"));
    assert_eq!(said(&script, &chat("Hi")), said(&script, &chat("Ho")));
    let text = play(&script, &structured("Hi")).unwrap_err().to_string();
    assert!(text.contains("that comes with the host has no answer left") && text.contains("(structured)"), "{text}");
}

#[test]
fn a_wrong_script_is_named() {
    let check = |text: &str, part: &str| {
        let error = Script::parse("test.toml", text).unwrap_err().to_string();
        assert!(error.starts_with("the model script test.toml cannot be read") && error.contains(part), "{error}");
    };
    check("[[answer]]\ntxt = \"a\"", "unknown field `txt`");
    check("[[answers]]\ntext = \"a\"", "unknown field `answers`");
    check("[[answer]]\ntext = \"a\"\n[[answer]]\nwhen = \"b\"", "answer 2 has to say one of");
    check("[[answer]]\ntext = \"a\"\njson = 1", "answer 1 has to say one of");
    check("{", "EOF");
    let json = json!({ "answer": [{ "text": "a" }] }).to_string();
    assert_eq!(Script::parse("x.json", &json), Script::parse("x.json", "[[answer]]\ntext = \"a\""));
}
