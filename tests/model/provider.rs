//! Providers over the network: what is sent, and what becomes of all that a server can answer.

use std::sync::Arc;

use remit::capability::model::{Remote, Tier};
use remit::gate::Outcome;
use remit::meter::LimitKind;
use remit::model::{Anthropic, Endpoint, OpenAi, Structured};
use remit::net::{ExtraRoots, Options, Partition, Sender};
use remit::secret::Secret;
use remit::time::Clock;
use serde_json::{Value as Json, json};

use super::{models, only_call, raw};
use crate::harness::{Asked, FakeModel, Ran, Reply};

/// A vendor's wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    OpenAi,
    Anthropic,
}

impl Vendor {
    const BOTH: [Self; 2] = [Self::OpenAi, Self::Anthropic];

    fn text(self, text: &str) -> Reply {
        match self {
            Self::OpenAi => Reply::openai_text(text),
            Self::Anthropic => Reply::anthropic_text(text),
        }
    }

    fn stream(self, text: &str) -> Reply {
        match self {
            Self::OpenAi => Reply::openai_stream(text),
            Self::Anthropic => Reply::anthropic_stream(text),
        }
    }

    fn structured(self, value: &Json) -> Reply {
        match self {
            Self::OpenAi => Reply::openai_text(&value.to_string()),
            Self::Anthropic => Reply::anthropic_call("toolu_1", "answer", value),
        }
    }

    fn calling(self, name: &str, arguments: &Json) -> Reply {
        match self {
            Self::OpenAi => Reply::openai_call("call_1", name, arguments),
            Self::Anthropic => Reply::anthropic_call("toolu_1", name, arguments),
        }
    }

    /// Returns the address as an endpoint of this vendor is configured.
    pub fn url(self, fake: &FakeModel) -> String {
        match self {
            Self::OpenAi => fake.openai_url(),
            Self::Anthropic => fake.url(),
        }
    }

    /// Returns a tier that asks the fake, with a key.
    pub fn tier(self, fake: &FakeModel, stream: bool) -> Tier {
        let base_url = self.url(fake);
        let sender = Sender::new(Options::system(ExtraRoots::default(), Clock::system()));
        let place = format!("{base_url}/").parse().expect("a place");
        let key = Secret::new(zeroize::Zeroizing::new(b"key-of-the-fake".to_vec())).expect("a secret");
        let remote = Remote::new(Arc::new(sender), Partition::new([7; 32]), place, Some(Arc::new(key)));
        let remote = remote.expect("one key can be looked for");
        let secret = Some("fake".parse().expect("a name"));
        let endpoint = Endpoint { base_url, model: "m-1".into(), secret, stream, structured: Structured::Native };
        match self {
            Self::OpenAi => Tier::remote(OpenAi::new(endpoint), remote),
            Self::Anthropic => Tier::remote(Anthropic::new(endpoint), remote),
        }
    }
}

/// A chat whose deadline leaves no time to try again.
fn hurried(chat: Json) -> Json {
    let mut chat = chat;
    chat["deadline-ms"] = json!(400);
    chat
}

fn hello() -> Json {
    json!({ "messages": [{ "system": "Be brief." }, { "user": "Say hello" }] })
}

/// Asks a vendor that will reply so, and returns the run and what the vendor was asked. Both have been replayed with
/// the vendor gone.
#[track_caller]
fn ask(vendor: Vendor, stream: bool, chat: &Json, replies: impl IntoIterator<Item = Reply>) -> (Ran, Vec<Asked>) {
    let fake = FakeModel::start();
    fake.will(replies);
    let ran = raw(chat, models(vendor.tier(&fake, stream))).succeeded();
    let asked = fake.asked();
    assert_eq!(fake.left(), 0, "{vendor:?} has answers left: {}", ran.text());
    drop(fake);
    (ran.replayed(), asked)
}

#[test]
fn each_vendor_is_asked_in_its_own_words_with_its_key() {
    for vendor in Vendor::BOTH {
        let (ran, asked) = ask(vendor, false, &hello(), [vendor.text("Hello")]);
        assert_eq!(ran.text(), "end 6 4 3: Hello\n", "{vendor:?}");
        let [asked] = &asked[..] else { panic!("one request") };
        let (line, key) = match vendor {
            Vendor::OpenAi => ("POST /v1/chat/completions", asked.header("authorization")),
            Vendor::Anthropic => ("POST /v1/messages", asked.header("x-api-key")),
        };
        assert_eq!(asked.line, line);
        assert!(key.is_some_and(|key| key.ends_with("key-of-the-fake")), "{asked:?}");
        assert_eq!((&asked.body["model"], &asked.body["max_tokens"]), (&json!("m-1"), &json!(100)));
        assert_eq!(asked.header("accept-encoding"), Some("identity"));
        let usage = ran.usage();
        assert_eq!((usage.input_tokens, usage.cached_input_tokens, usage.output_tokens), (6, 4, 3));
        assert_eq!(usage.remote_calls, 1);
        assert!(usage.sent_bytes > 50 && usage.received_bytes > 50, "{usage}");
    }
}

#[test]
fn streams_structured_answers_and_calls_come_from_each() {
    let number = json!({
        "type": "object", "properties": { "n": { "type": "integer" } }, "required": ["n"], "additionalProperties": false
    });
    let tool = json!([{ "name": "look", "description": "Looks.", "parameters": number }]);
    for vendor in Vendor::BOTH {
        let (ran, asked) = ask(vendor, true, &hello(), [vendor.stream("Hello to you")]);
        assert_eq!((ran.text(), &asked[0].body["stream"]), ("end 6 4 3: Hello to you\n", &json!(true)));
        let structured = json!({ "messages": [{ "user": "How many?" }], "schema": number });
        let replies = [vendor.structured(&json!({ "n": "no" })), vendor.structured(&json!({ "n": 7 }))];
        let (ran, asked) = ask(vendor, false, &structured, replies);
        assert_eq!((ran.text(), asked.len()), ("end 12 8 6: {\"n\":7}\n", 2), "{vendor:?}");
        let calling = json!({ "messages": [{ "user": "Look" }], "tools": tool });
        let (ran, _) = ask(vendor, false, &calling, [vendor.calling("look", &json!({ "n": 1 }))]);
        assert_eq!(ran.text(), "tool-use 6 4 3: \nlook {\"n\":1}\n", "{vendor:?}");
    }
}

#[test]
fn a_busy_provider_is_asked_again_and_its_refusal_is_free() {
    for vendor in Vendor::BOTH {
        let (ran, asked) = ask(vendor, false, &hello(), [Reply::busy(0), vendor.text("Hello")]);
        assert_eq!((ran.text(), asked.len()), ("end 6 4 3: Hello\n", 2));
        let used = only_call(&ran).usage.clone().expect("the entry says what it took");
        assert_eq!(used["exchanges"][0]["fault"], "the provider is overloaded");
        assert_eq!(used["exchanges"][0]["usage"]["output"], 0);
        assert_eq!(ran.usage().remote_calls, 2);
    }
}

#[test]
fn a_provider_that_asks_for_more_patience_than_there_is_is_told_with_its_time() {
    for vendor in Vendor::BOTH {
        let (ran, asked) = ask(vendor, false, &hello(), [Reply::busy(40)]);
        assert_eq!(asked.len(), 1);
        assert!(ran.text().contains("Overloaded") && ran.text().contains("40000"), "{}", ran.text());
        let later = Reply::error(503, "x", "y").header("retry-after", "Wed, 01 Jan 2200 00:00:00 GMT");
        let (ran, _) = ask(vendor, false, &hello(), [later]);
        assert!(ran.text().contains("Overloaded") && ran.text().contains("Some("), "a date counts too: {}", ran.text());
    }
}

#[test]
fn whatever_a_provider_answers_the_agent_is_told_in_one_error() {
    let huge = "x".repeat((16 << 20) + 1);
    let page = || Reply::raw(200, "text/html", "<html>Please log in</html>");
    for vendor in Vendor::BOTH {
        for (reply, case, says) in [
            (Reply::error(500, "api_error", "Internal"), "Provider", "status 500: Internal"),
            (Reply::overloaded(), "Overloaded", ""),
            (
                Reply::error(401, "authentication_error", "bad key sk-123"),
                "Provider",
                "it refuses the key (status 401)",
            ),
            (Reply::error(400, "invalid_request_error", "too hot"), "InvalidRequest", "too hot"),
            (Reply::error(404, "not_found_error", "no m-1"), "Provider", "does not know the address or the model"),
            (Reply::error(413, "request_too_large", "big"), "TooLarge", ""),
            (Reply::raw(302, "text/plain", "").header("location", "http://x.example/"), "Provider", "not followed"),
            (page(), "Provider", "cannot be read"),
            (Reply::raw(200, "application/json", "[1,2]"), "Provider", "cannot be read"),
            (Reply::raw(200, "application/json", "{\"choices\":7,\"content\":7}"), "Provider", "cannot be read"),
            (Reply::raw(200, "application/json", "{}"), "Provider", "cannot be read"),
            (Reply::raw(200, "application/json", &b"\xff\xfe"[..]), "Provider", "cannot be read"),
            (Reply::raw(200, "application/json", huge.as_str()), "TooLarge", ""),
            (vendor.text("Hello").cut_at(20), "Provider", "HTTP response incomplete"),
            (vendor.stream("Hello to you").cut_at(60), "Provider", "HTTP response incomplete"),
            (vendor.text("Hello").header("content-encoding", "gzip"), "Provider", "compressed"),
            (Reply::raw(200, "text/event-stream", "data: {\"type\":\"ping\"}\n\n"), "Provider", "broke off"),
            (vendor.text("Hello").hanging_at(20), "Deadline", ""),
        ] {
            let (ran, asked) = ask(vendor, false, &hurried(hello()), [reply.clone()]);
            let told = ran.text();
            assert!(
                told.starts_with(&format!("error: Error::{case}")) && told.contains(says),
                "{told} after {reply:?}"
            );
            assert!(!told.contains("sk-123") && !told.contains("127.0.0.1"), "{told}");
            let exchanges = only_call(&ran).usage.as_ref().map(|used| used["exchanges"].as_array().map(Vec::len));
            assert_eq!((asked.len(), exchanges), (1, Some(Some(1))), "each exchange is on the books");
        }
    }
}

#[test]
fn a_provider_that_is_not_there_is_told_without_its_address() {
    let fake = FakeModel::start();
    let tier = Vendor::OpenAi.tier(&fake, false);
    drop(fake);
    let ran = raw(&hurried(hello()), models(tier)).succeeded().replayed();
    assert_eq!(ran.text(), "error: Error::Provider(\"the provider is not available: connection refused\")\n");
}

#[test]
fn the_operator_bounds_tokens_and_time() {
    let fake = FakeModel::start();
    fake.will([Reply::openai_text("Hi"), Reply::openai_text("Hi").hanging_at(5)]);
    let bounded = || models(Vendor::OpenAi.tier(&fake, false).bounded(Some(40)));
    raw(&hello(), bounded()).succeeded().replayed();
    assert_eq!(fake.asked()[0].body["max_tokens"], 40, "the guest asked for 100");
    let scene = crate::harness::Scene::ticking();
    let play = scene.command("model", ["raw"]).granted(super::SMALL).limit(LimitKind::CallTime, 200);
    let ran = play.asking(bounded()).input(hello().to_string()).run().replayed();
    assert_eq!(ran.end.outcome, Outcome::Succeeded { result: None });
    assert_eq!(ran.text(), "error: Error::Deadline\n");
    // What came to nothing may have been billed: nobody said what it took.
    let used = only_call(&ran).usage.clone().expect("the entry says what it took");
    assert_eq!(used["exchanges"][0]["usage"], Json::Null);
}
