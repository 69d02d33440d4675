//! Answers that are cut off, damaged or absurd: none is taken for a whole one, and none brings the host down.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::{Anthropic, ModelError, OpenAi, Provider, Script, Scripted, WireResponse};

fn providers() -> Vec<Box<dyn Provider>> {
    let scripted = Scripted::new(Script::embedded());
    vec![
        Box::new(OpenAi::new(endpoint("http://a"))),
        Box::new(Anthropic::new(endpoint("http://b"))),
        Box::new(scripted),
    ]
}

/// Cuts the response after each byte. A stream's last line break may be missing: nothing is lost with it.
fn check_cuts(provider: &dyn Provider, whole: &WireResponse) {
    let chat = chat("Hi");
    assert!(provider.response(&chat, whole).is_ok());
    let len = whole.body.trim_ascii_end().len();
    for cut in 0..len {
        let part = WireResponse { body: whole.body[..cut].to_vec(), ..whole.clone() };
        let error = provider.response(&chat, &part).expect_err("a part is not the whole");
        assert_eq!(error, ModelError::truncated(), "cut at {cut}");
    }
}

#[test]
fn a_cut_off_answer_is_never_taken_for_whole() {
    let [openai, anthropic, _] = providers().try_into().unwrap_or_else(|_| panic!("three providers"));
    check_cuts(&*openai, &streamed(super::openai::STREAM));
    check_cuts(&*openai, &answered(&super::openai::said("Héllo")));
    check_cuts(&*anthropic, &streamed(super::anthropic::STREAM));
    check_cuts(&*anthropic, &answered(&json!({ "content": [{ "type": "text", "text": "Hé" }], "stop_reason": "x" })));
}

#[test]
fn a_body_shorter_than_promised_is_cut_off() {
    for provider in &providers()[..2] {
        let mut short = answered(&json!({ "choices": [], "content": [] }));
        short.headers.push(("Content-Length".into(), "1000".into()));
        assert_eq!(provider.response(&chat("Hi"), &short).unwrap_err(), ModelError::truncated());
    }
}

#[test]
fn what_is_no_answer_is_an_error() {
    for provider in providers() {
        for body in
            ["", "null", "[]", "7", "<html>", "{\"content\":7,\"choices\":7}", "{\"error\":{\"message\":\"x\"}}"]
        {
            for response in [streamed(body), WireResponse { headers: Vec::new(), ..streamed(body) }] {
                assert!(provider.response(&chat("Hi"), &response).is_err(), "{body}");
            }
        }
    }
}

#[test]
fn a_provider_cannot_flood_an_error_or_the_terminal() {
    let words = format!("\u{1b}[2J{}\r\n", "long ".repeat(10_000));
    for provider in providers() {
        let error = provider.response(&chat("Hi"), &failed(400, &json!({ "error": { "message": words } })));
        let text = error.unwrap_err().to_string();
        assert!(text.len() < 500 && !text.contains(char::is_control), "{text}");
    }
}

#[test]
fn an_absurd_wait_is_no_wait() {
    for (value, expected) in [("1.5", Some(1.5)), ("-1", None), ("NaN", None), ("1e999", None), ("tomorrow", None)] {
        let mut busy = failed(429, &json!({}));
        busy.headers.push(("retry-after".into(), value.into()));
        let error = providers()[0].response(&chat("Hi"), &busy).unwrap_err();
        assert_eq!(error, ModelError::Overloaded { retry_after: expected.map(Duration::from_secs_f64) }, "{value}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_response_panics(status in 0_u16..1000, stream: bool, body: Vec<u8>, flip: usize, bit in 0_u8..8) {
        let mut damaged = super::anthropic::STREAM.as_bytes().to_vec();
        let at = flip % damaged.len();
        damaged[at] ^= 1 << bit;
        for provider in providers() {
            for body in [&body, &damaged] {
                let headers = if stream { streamed("").headers } else { Vec::new() };
                let response = WireResponse { status, headers, body: body.clone() };
                let _ = provider.response(&structured("Hi"), &response);
            }
        }
    }
}
