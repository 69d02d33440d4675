//! Whole calls: repairs, retries and deadlines, with time that is handed in.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use serde_json::json;

use super::openai::said;
use super::*;
use crate::model::{
    Later, Line, ModelError, OpenAi, Outcome, Patience, Script, Scripted, SendError, Sleeper, Step, StopReason,
    TokenUsage, begin, complete,
};
use crate::time::{Clock, Timestamp};

type Reply = Result<WireResponse, SendError>;

/// Returns what a future says that never has to wait.
pub(super) fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits"),
    }
}

/// What happened in a call.
struct Played {
    outcome: Outcome,
    requests: Vec<WireRequest>,
    waits: Vec<u64>,
}

/// Plays a call in which each exchange takes 10 ms. Replies that are left over, or missing, fail the test.
fn play(chat: Chat, patience: Patience, replies: impl IntoIterator<Item = Reply>) -> Played {
    let mut replies: VecDeque<_> = replies.into_iter().collect();
    let (mut now, mut requests, mut waits) = (Duration::from_secs(5), Vec::new(), Vec::new());
    let mut step = begin(Arc::new(OpenAi::new(endpoint("http://x"))), chat.check().unwrap(), patience, now);
    loop {
        step = match step {
            Step::Send(pending) => {
                requests.push(pending.request().clone());
                now += Duration::from_millis(10);
                pending.answered(now, replies.pop_front().expect("a reply for each request"))
            }
            Step::Wait(paused) => {
                waits.push(paused.wait().as_millis() as u64);
                now += paused.wait();
                paused.woken(now)
            }
            Step::Done(outcome) => {
                assert!(replies.is_empty(), "{} replies are left", replies.len());
                return Played { outcome, requests, waits };
            }
        };
    }
}

fn ok(text: &str) -> Reply {
    Ok(answered(&said(text)))
}

fn busy(after: Option<&str>) -> Reply {
    let mut response = failed(429, &json!({}));
    response.headers.extend(after.map(|seconds| ("retry-after".into(), seconds.into())));
    Ok(response)
}

fn tokens(times: u64) -> TokenUsage {
    TokenUsage { input: 3 * times, cached_input: 7 * times, output: 4 * times }
}

#[test]
fn an_answer_that_does_not_fit_is_repaired_and_billed() {
    let replies = [ok("It is 1."), ok(r#"{"n":"one"}"#), ok("```json\n{\"n\": 1}\n```")];
    let played = play(structured("How many?"), Patience::default(), replies);
    let completion = played.outcome.answer.clone().unwrap();
    assert_eq!((completion.text.as_str(), completion.stop), (r#"{"n": 1}"#, StopReason::End));
    assert_eq!((completion.usage, played.outcome.usage()), (Some(tokens(3)), tokens(3)));
    // The model sees its last mistake and what was wrong, and not the one before.
    let last = body(&played.requests[2]);
    let messages = last["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 3);
    assert_eq!(messages[1]["content"], r#"{"n":"one"}"#);
    let complaint = messages[2]["content"].as_str().unwrap();
    assert!(complaint.contains("at /n: \"one\" is not of type \"integer\""), "{complaint}");
    let faults: Vec<_> = played.outcome.exchanges.iter().map(|exchange| exchange.fault.is_some()).collect();
    assert_eq!(faults, [true, true, false]);
}

#[test]
fn repairs_are_bounded() {
    for repairs in [0, 1, 2] {
        let patience = Patience { repairs, ..Patience::default() };
        let played = play(structured("Hi"), patience, (0..=repairs).map(|_| ok("{}")));
        let error = played.outcome.answer.clone().unwrap_err();
        assert!(matches!(&error, ModelError::InvalidOutput(why) if why.contains("\"n\" is a required")), "{error:?}");
        assert_eq!(played.outcome.usage(), tokens(u64::from(repairs) + 1));
    }
}

fn calling(name: &str, arguments: &str) -> Reply {
    let calls = json!([
        { "id": "a", "function": { "name": name, "arguments": arguments } },
        { "id": "b", "function": { "name": "count", "arguments": "{\"n\":2}" } },
    ]);
    let message = json!({ "content": null, "tool_calls": calls });
    Ok(answered(&json!({ "choices": [{ "message": message, "finish_reason": "tool_calls" }] })))
}

#[test]
fn calls_that_do_not_fit_their_tool_are_repaired() {
    for (name, arguments, why) in [
        ("count", "{\"n\":", "it is not JSON"),
        ("count", "{\"n\":1.5}", "1.5 is not of type"),
        ("delete", "{}", "there is no tool of that name"),
    ] {
        let replies = [calling(name, arguments), calling("count", "{\"n\":1}")];
        let played = play(with_tool(structured("Hi"), "count"), Patience::default(), replies);
        let completion = played.outcome.answer.unwrap();
        assert_eq!((completion.stop, completion.tool_calls.len()), (StopReason::ToolUse, 2));
        let told = body(&played.requests[1])["messages"].to_string();
        assert!(told.contains(why) && told.contains("not called, since"), "{told}");
    }
}

#[test]
fn what_is_cut_off_or_refused_is_not_repaired_and_calls_nothing() {
    for (reason, stop) in [("length", StopReason::MaxTokens), ("content_filter", StopReason::Refused)] {
        let message =
            json!({ "content": "{\"n\":", "tool_calls": [{ "function": { "name": "count", "arguments": "{" } }] });
        let answer = json!({ "choices": [{ "message": message, "finish_reason": reason }] });
        let played = play(structured("Hi"), Patience::default(), [Ok(answered(&answer))]);
        let completion = played.outcome.answer.clone().unwrap();
        assert_eq!((completion.stop, completion.tool_calls.len()), (stop, 0));
        assert_eq!(played.outcome.unreported(), 1);
    }
}

#[test]
fn what_may_pass_is_tried_again() {
    let replies =
        [busy(Some("2")), Ok(failed(500, &json!({}))), Err(SendError::Interrupted("cut".into())), ok("Hello")];
    let played = play(chat("Hi"), Patience::default(), replies);
    assert_eq!(played.outcome.answer.clone().unwrap().text, "Hello");
    assert_eq!(played.waits, [2_000, 1_000, 2_000]);
    // Refusals cost nothing; what broke off may have.
    assert_eq!((played.outcome.usage(), played.outcome.unreported()), (tokens(1), 1));
    assert!(played.requests.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn patience_ends() {
    let unreachable = || Err(SendError::Unreachable("nobody listens at x".into()));
    let played = play(chat("Hi"), Patience::default(), [unreachable(), unreachable(), unreachable(), unreachable()]);
    assert_eq!(played.outcome.answer, Err(ModelError::Unavailable("nobody listens at x".into())));
    assert_eq!(played.waits, [500, 1_000, 2_000]);
    let played = play(chat("Hi"), Patience::default(), [busy(Some("31"))]);
    let asked = ModelError::Overloaded { retry_after: Some(Duration::from_secs(31)) };
    assert_eq!((played.outcome.answer, played.outcome.exchanges.len()), (Err(asked), 1));
    let played = play(chat("Hi"), Patience::default(), [Ok(failed(400, &json!({})))]);
    assert!(matches!(played.outcome.answer, Err(ModelError::InvalidRequest(_))));
}

#[test]
fn the_deadline_covers_everything() {
    let within = |deadline_ms| Chat { deadline_ms: Some(deadline_ms), ..structured("Hi") };
    let played = play(within(1_900), Patience::default(), [busy(Some("2"))]);
    assert!(matches!(played.outcome.answer, Err(ModelError::Overloaded { .. })));
    assert_eq!(played.waits, [] as [u64; 0]);
    let played = play(within(20), Patience::default(), [ok("no"), ok("no")]);
    assert_eq!(played.outcome.answer, Err(ModelError::Deadline));
    assert_eq!(played.outcome.usage(), tokens(2));
    let played = play(within(0), Patience::default(), []);
    assert_eq!(played.outcome.answer, Err(ModelError::Deadline));
    let played = play(within(100), Patience::default(), [Err(SendError::Deadline)]);
    assert_eq!(played.outcome.answer, Err(ModelError::Deadline));
}

#[test]
fn a_request_says_how_long_it_may_take() {
    let chat = Chat { deadline_ms: Some(100), ..chat("Hi") }.check().unwrap();
    let step = begin(Arc::new(OpenAi::new(endpoint("http://x"))), chat, Patience::default(), Duration::from_secs(1));
    let Step::Send(pending) = step else { panic!("nothing to send") };
    assert_eq!(pending.timeout(Duration::from_millis(1_030)), Some(Duration::from_millis(70)));
    assert_eq!(pending.timeout(Duration::from_millis(2_000)), Some(Duration::ZERO));
}

#[test]
fn a_server_without_schemas_is_asked_in_words() {
    let refusal = || Ok(failed(400, &json!({ "error": { "message": "unknown field response_format" } })));
    let played = play(structured("Hi"), Patience::default(), [refusal(), ok(r#"{"n":1}"#)]);
    assert!(played.outcome.answer.is_ok());
    assert!(body(&played.requests[0]).get("response_format").is_some());
    assert!(body(&played.requests[1]).get("response_format").is_none());
    let played = play(structured("Hi"), Patience::default(), [refusal(), refusal()]);
    assert!(matches!(played.outcome.answer, Err(ModelError::SchemaRefused(_))));
}

/// Notes how long it was asked to wait, and does not.
struct Noted(Mutex<Vec<Duration>>);

impl Sleeper for Noted {
    fn sleep(&self, time: Duration) -> Later<'_, ()> {
        self.0.lock().unwrap().push(time);
        Box::pin(std::future::ready(()))
    }
}

#[test]
fn a_call_is_driven_to_its_end() {
    let script =
        "[[answer]]\nfail = { status = 529, retry-after = 1 }\n[[answer]]\ntext = \"{}\"\n[[answer]]\njson = { n = 1 }";
    let scripted = Arc::new(Scripted::new(Script::parse("test", script).unwrap()));
    let line = Line { provider: scripted.clone(), sender: scripted };
    let (clock, sleeper) = (Clock::fixed(Timestamp::default()), Noted(Mutex::default()));
    let call = complete(&line, structured("Hi").check().unwrap(), Patience::default(), &clock, &sleeper);
    let outcome = ready(call);
    assert_eq!(outcome.answer.unwrap().text, r#"{"n":1}"#);
    assert_eq!(outcome.exchanges.len(), 3);
    assert_eq!(*sleeper.0.lock().unwrap(), [Duration::from_secs(1)]);
}
