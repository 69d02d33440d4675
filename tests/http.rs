//! `wasi:http`: requests that leave through the gate, to a network that the test hands in.

pub mod killed;
mod loopback;
pub mod server;
pub mod stub;
mod tls;

use std::time::Duration;

use remit::capability::wasi::http::{ErrorCode, NoResponse, Outbound, Response};
use remit::manifest::{Grant, Manifest};
use remit::meter::LimitKind;
use remit::scope::Remit;
use serde_json::json;

pub use self::stub::Stub;
use self::stub::{answer, fields};
use crate::harness::Scene;

const HANDLE: &str = "wasi:http/outgoing-handler#handle";
const EXCHANGE: &str = "wasi:http/outgoing-handler#[exchange]handle";

const API: &str = "
[[capabilities.http]]
methods = [\"GET\", \"POST\", \"PUT\"]
url = \"https://api.example.com/v1/\"
why = \"test\"";

const PLUGIN: &str = "[plugin]\nname = \"x\"\nversion = \"0.1.0\"\nkind = \"command\"\n";

const URL: &str = "https://api.example.com/v1/items?q=1";

type Answer = fn(&Outbound) -> Result<Response, NoResponse>;

/// Returns runs that together call every function of `wasi:http`, allowed and refused: arguments, grant and network.
pub fn every_function() -> Vec<(Vec<&'static str>, &'static str, Answer)> {
    let hello: Answer = |_| Ok(Response { trailers: fields(&[("x-sum", "5")]), ..answer(200, "hello") });
    let prohibited: Answer = |_| Err(NoResponse::prohibited("10.0.0.7".parse().expect("an address")));
    vec![
        (vec!["send", "POST", URL, "body"], API, hello),
        (vec!["patience", URL, "250"], API, hello),
        (vec!["trailers", URL], API, hello),
        (vec!["declared", URL, "5", "6"], API, hello),
        (vec!["fields"], API, hello),
        (vec!["response"], API, hello),
        (vec!["hold", "1", "10"], API, hello),
        (vec!["send", "GET", URL], "", hello),
        (vec!["send", "GET", URL], API, prohibited),
    ]
}

#[test]
fn a_response_made_for_nobody_is_kept_as_made() {
    let ran = Scene::new().command("http", ["response"]).run();
    ran.printed("200 Ok(()) Err(())\n404 0\ntrue\nOk(())\n").replayed();
}

#[test]
fn an_allowed_request_is_one_entry_with_both_messages() {
    let stub =
        Stub::new(|_| Ok(Response { headers: fields(&[("content-type", "text/plain")]), ..answer(200, "hello") }));
    let ran = Scene::new().command("http", ["send", "GET", URL]).granted(API).reaching(&stub).run();
    let ran = ran.printed("200\ncontent-type: text/plain\n\nhello\n").replayed();
    let [exchange] = ran.calls_of(EXCHANGE)[..] else { panic!("one exchange") };
    let request = &exchange.params[1];
    assert_eq!(request["target"], json!({ "method": "GET", "url": URL }));
    assert_eq!(request["headers"], json!([["x-from", "guest"]]));
    assert_eq!(exchange.outcome["ok"]["body"], "hello");
    assert_eq!(exchange.outcome["ok"]["status"], 200);
    assert!(ran.refused().is_empty());
    assert_eq!(stub.seen().len(), 1);
}

#[test]
fn a_replay_sends_nothing() {
    let stub = Stub::new(|_| Ok(answer(200, "once")));
    let ran = Scene::new().command("http", ["send", "POST", URL, "body"]).granted(API).reaching(&stub).run();
    ran.printed("200\n\nonce\n").replayed().replayed();
    assert_eq!(stub.seen().len(), 1);
}

#[test]
fn what_is_not_granted_is_refused_when_it_is_handed_over_and_never_sent() {
    let stub = Stub::new(|_| Ok(answer(200, "")));
    for (granted, method, url) in [
        ("", "GET", URL),
        (API, "DELETE", URL),
        (API, "GET", "https://api.example.com/v2/items"),
        (API, "GET", "http://api.example.com/v1/items"),
        (API, "GET", "https://api.example.com:8443/v1/items"),
        (API, "GET", "https://example.com/v1/items"),
        (API, "GET", "https://api.example.com.evil.example/v1/items"),
    ] {
        let scene = Scene::new();
        let ran = scene.command("http", ["send", method, url]).granted(granted).reaching(&stub).run().replayed();
        assert_eq!(ran.text(), "error: ErrorCode::HttpRequestDenied\n", "{method} {url}");
        let grant = ran.refused_once(HANDLE, "").expect("a grant would allow it");
        Remit::from_grant(&Grant::parse("grant.toml", &grant).expect("the suggestion is a grant"));
        assert!(ran.calls_of(EXCHANGE).is_empty());
        assert!(stub.seen().is_empty());
        let enough = format!("{grant}why = \"test\"");
        scene.command("http", ["send", method, url]).granted(&enough).reaching(&stub).run().printed("200\n\n\n");
        stub.forget();
    }
}

#[test]
fn what_names_no_target_is_told_and_not_judged() {
    let stub = Stub::new(|_| Ok(answer(200, "")));
    for (method, url, code) in [
        ("get", URL, "HttpRequestMethodInvalid"),
        ("CONNECT", URL, "HttpRequestMethodInvalid"),
        ("GET", "ftp://api.example.com/v1/items", "HttpProtocolError"),
        ("GET", "https://user@api.example.com/v1/items", "HttpRequestUriInvalid"),
        ("GET", "https://api.example.com/v1/%2e%2e/admin", "HttpRequestUriInvalid"),
        ("GET", "https://127.1/v1/items", "HttpRequestUriInvalid"),
    ] {
        let ran = Scene::new().command("http", ["send", method, url]).granted(API).reaching(&stub).run().replayed();
        assert_eq!(ran.text(), format!("error: ErrorCode::{code}\n"), "{method} {url}");
        assert!(ran.refused().is_empty());
    }
    assert!(stub.seen().is_empty());
}

#[test]
fn a_response_is_waited_for_in_any_way() {
    let stub = Stub::new(|_| Ok(answer(204, "")));
    for how in ["block", "poll", "ready", "get"] {
        Scene::new().command("http", ["wait", how, URL]).granted(API).reaching(&stub).run().printed("204\n").replayed();
    }
    let ran = Scene::new().command("http", ["two", URL, URL]).granted(API).reaching(&stub).run();
    let ran = ran.printed("204\n204\n").replayed();
    assert_eq!(ran.calls_of(EXCHANGE).len(), 2);
}

#[test]
fn the_class_follows_the_method_and_the_key_comes_with_what_may_be_sent_again() {
    let stub = Stub::new(|_| Ok(answer(200, "")));
    let keys = ["GET", "PUT", "POST"].map(|method| {
        let ran = Scene::new().command("http", ["send", method, URL, "body"]).granted(API).reaching(&stub).run();
        let ran = ran.printed("200\n\n\n").replayed();
        let [exchange] = ran.calls_of(EXCHANGE)[..] else { panic!("one exchange") };
        assert!(exchange.is_answered);
        let seen = stub.forget();
        (exchange.class, seen[0].terms.is_repeatable, key_of(&seen[0]).is_some())
    });
    let expected = [("read-remote", true, false), ("write-idempotent", true, true), ("write-once", false, false)];
    assert_eq!(keys, expected);
}

fn key_of(sent: &Outbound) -> Option<Vec<u8>> {
    let key = sent.request.headers.iter().find(|(name, _)| name == "idempotency-key");
    key.map(|(_, value)| value.clone())
}

#[test]
fn two_requests_of_one_run_and_one_of_another_have_different_keys() {
    let stub = Stub::new(|_| Ok(answer(200, "")));
    for _ in 0..2 {
        let ran = Scene::new().command("http", ["send", "PUT", URL, "body"]).granted(API).reaching(&stub).run();
        ran.printed("200\n\n\n").replayed();
    }
    let keys: Vec<_> = stub.seen().iter().map(|sent| key_of(sent).expect("a key")).collect();
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn a_grant_may_loosen_a_class_and_a_request_tighten_it() {
    let stub = Stub::new(|_| Ok(answer(200, "")));
    let tightened = API.replace("why", "class = \"write-once\"\nwhy");
    let ran = Scene::new().command("http", ["send", "GET", URL]).granted(&tightened).reaching(&stub).run();
    ran.printed("200\n\n\n").replayed();
    assert!(!stub.forget()[0].terms.is_repeatable);

    let grant = "[[capabilities.http]]\nmethods = [\"POST\"]\nurl = \"https://api.example.com/v1/\"\n";
    for (says, is_repeatable) in [("", false), ("idempotent = true\n", true)] {
        let play = Scene::new().command("http", ["send", "POST", URL, "body"]).granted_by(&format!("{grant}{says}"));
        play.reaching(&stub).run().printed("200\n\n\n").replayed();
        let sent = &stub.forget()[0];
        assert_eq!((sent.terms.is_repeatable, key_of(sent).is_some()), (is_repeatable, is_repeatable), "{says}");
    }
    let asked = Manifest::parse("remit.toml", &format!("{PLUGIN}{}", API.replace("why", "idempotent = true\nwhy")));
    assert!(asked.expect_err("only a grant loosens").to_string().contains("idempotent"));
}

#[test]
fn errors_of_the_network_are_recorded_and_heard() {
    for code in [
        ErrorCode::ConnectionRefused,
        ErrorCode::HttpResponseBodySize(Some(7)),
        ErrorCode::InternalError(Some("words".into())),
    ] {
        let (said, stub) =
            (format!("error: ErrorCode::{code:?}"), Stub::new(move |_| Err(NoResponse::of(code.clone()))));
        let ran = Scene::new().command("http", ["wait", "block", URL]).granted(API).reaching(&stub).run().replayed();
        assert_eq!(ran.text().trim().replace("ErrorCode::", ""), said.replace("ErrorCode::", ""));
    }
}

#[test]
fn an_address_that_the_remit_does_not_name_is_refused_with_the_grant_that_would() {
    let stub = Stub::new(|_| Err(NoResponse::prohibited("10.0.0.7".parse().expect("an address"))));
    let ran = Scene::new().command("http", ["wait", "block", URL]).granted(API).reaching(&stub).run();
    let ran = ran.printed("error: ErrorCode::DestinationIpProhibited\n").replayed();
    let grant = ran.refused_once(EXCHANGE, "10.0.0.7").expect("a grant would allow it");
    assert!(grant.contains("addresses = [\"10.0.0.7"), "{grant}");
}

#[test]
fn a_host_without_a_network_says_so() {
    let ran = Scene::new().command("http", ["wait", "block", URL]).granted(API).run();
    ran.printed("error: ErrorCode::ConfigurationError\n").replayed();
}

#[test]
fn bodies_are_gathered_and_read_on_both_sides() {
    let stub = Stub::new(|sent| Ok(answer(200, &String::from_utf8_lossy(&sent.request.body).to_uppercase())));
    let run = |arguments: &[&str]| {
        Scene::new().command("http", arguments.iter().copied()).granted(API).reaching(&stub).run().replayed()
    };
    run(&["send", "POST", URL, "some text"]).printed("200\n\nSOME TEXT\n");
    run(&["upload", URL, "100000"]).printed("200\n");
    assert_eq!(stub.forget()[1].request.body.len(), 100_000);
    let stub_of_digits = Stub::new(|_| Ok(answer(200, "0123456789")));
    let run = |arguments: &[&str]| {
        Scene::new().command("http", arguments.iter().copied()).granted(API).reaching(&stub_of_digits).run().replayed()
    };
    run(&["skip", URL]).printed("3456789\n");
    run(&["echo", URL]).printed("0123456789");
    run(&["splice", URL, URL]).printed("200\n\n0123456789\n");
    assert_eq!(&stub_of_digits.seen().last().expect("it was sent").request.body[..], b"\x00\x000123456789");
}

#[test]
fn trailers_come_after_the_body() {
    let stub = Stub::new(|_| Ok(Response { trailers: fields(&[("x-sum", "5")]), ..answer(200, "") }));
    Scene::new().command("http", ["trailers", URL]).granted(API).reaching(&stub).run().printed("x-sum: 5\n").replayed();
    let stub = Stub::new(|_| Ok(answer(200, "body")));
    Scene::new().command("http", ["trailers", URL]).granted(API).reaching(&stub).run().printed("\n").replayed();
}

#[test]
fn a_body_of_another_length_than_declared_is_not_sent() {
    let stub = Stub::new(|_| Ok(answer(200, "")));
    let run = |declared, written| {
        let ran = Scene::new().command("http", ["declared", URL, declared, written]).granted(API).reaching(&stub).run();
        ran.replayed().text().to_owned()
    };
    assert_eq!(run("5", "5"), "write: ok\nfinish: Ok(())\n200\n");
    assert_eq!(stub.forget().len(), 1);
    let short = run("5", "4");
    assert!(short.contains("HttpRequestBodySize(Some(4))") && short.ends_with("HttpProtocolError\n"), "{short}");
    let long = run("5", "6");
    assert!(long.starts_with("write: Some(ErrorCode::HttpRequestBodySize(Some(6)))"), "{long}");
    assert!(stub.seen().is_empty());
}

#[test]
fn a_wait_that_nothing_could_end_ends() {
    let stub = Stub::new(|_| Ok(answer(200, "")));
    let ran = Scene::new().command("http", ["unfinished", URL]).granted(API).reaching(&stub).run().replayed();
    let text = ran.text();
    assert!(text.starts_with("false true\nerror: ErrorCode::InternalError") && text.contains("finished"), "{text}");
    assert!(text.ends_with("Err(StreamError::Closed)\n"), "{text}");
    let ran = Scene::new().command("http", ["abandoned", URL]).granted(API).reaching(&stub).run();
    ran.printed("error: ErrorCode::HttpProtocolError\n").replayed();
    assert!(stub.seen().is_empty());
}

#[test]
fn a_guests_patience_is_passed_on_and_bounded() {
    let stub = Stub::new(|_| Ok(answer(200, "")));
    let run = |ms| Scene::new().command("http", ["patience", URL, ms]).granted(API).reaching(&stub).run().replayed();
    run("250").printed("200\n");
    run("1000000000").printed("200\n");
    let terms = stub.seen().into_iter().map(|sent| sent.terms).collect::<Vec<_>>();
    assert_eq!(terms[0].connect_time, Duration::from_millis(250));
    assert_eq!(terms[0].first_byte_time, Duration::from_millis(250));
    assert_eq!(terms[0].between_bytes_time, Duration::from_millis(250));
    assert_eq!(terms[1].first_byte_time, Duration::from_secs(30));
    assert_eq!(terms[1].between_bytes_time, Duration::from_secs(30));
}

#[test]
fn header_fields_are_as_under_wasmtime() {
    let ran = Scene::new().command("http", ["fields"]).run().succeeded().replayed();
    let expected = "append: Ok(())
append again: Ok(())
set: Ok(())
no name: Err(HeaderError::InvalidSyntax)
odd name: Err(HeaderError::InvalidSyntax)
odd value: Err(HeaderError::InvalidSyntax)
host: Err(HeaderError::Forbidden)
connection: Err(HeaderError::Forbidden)
transfer-encoding: Err(HeaderError::Forbidden)
length: Err(HeaderError::InvalidSyntax)
get: [[49], [50]]
has: true false
delete: Ok(())
unset: Ok(())
entries: []
immutable: Err(HeaderError::Immutable)
immutable: Err(HeaderError::Immutable)
mutable again: Ok(())
entries: [(\"x-one\", [49]), (\"x-one\", [50]), (\"x-two\", [51]), (\"x-two\", [])]
from a list: Some(HeaderError::Forbidden)
method: Err(())
scheme: Err(())
authority: Err(())
path: Err(())
body: (true, false)
handle: Some(ErrorCode::HttpRequestUriInvalid)
";
    assert_eq!(ran.text(), expected);
}

#[test]
fn what_a_guest_has_its_host_keep_is_bounded() {
    let run = |arguments: &[&str]| {
        let play = Scene::new().command("http", arguments.iter().copied());
        play.limit(LimitKind::Payload, 100_000).run().replayed()
    };
    run(&["hold", "4", "90000"]).printed("ok\n");
    let crossed = run(&["hold", "5", "90000"]).limited_by(LimitKind::Payload);
    assert_eq!(crossed.max, 400_000);
    run(&["grow", "100000"]).printed("");
    let ended = run(&["grow", "140000"]);
    assert!(format!("{:?}", ended.end.outcome).contains("header fields of"), "{:?}", ended.end);
    let ended = run(&["early-drop"]);
    assert!(format!("{:?}", ended.end.outcome).contains("dropped before"), "{:?}", ended.end);
}

#[test]
fn a_body_over_the_payload_limit_is_never_asked_for() {
    let stub = Stub::new(|_| Ok(answer(200, "")));
    let play = Scene::new().command("http", ["wait", "block", URL]).granted(API).reaching(&stub);
    play.limit(LimitKind::Payload, 100_000).run().printed("200\n").replayed();
    let terms = &stub.seen()[0].terms;
    assert!(terms.response_size + 2 * terms.header_size < 100_000, "{terms:?}");
}

#[test]
fn what_a_request_uses_is_counted() {
    let stub = Stub::new(|_| Ok(answer(200, &"x".repeat(1000))));
    let many = |count| {
        let ran = Scene::new().command("http", ["many", URL, count]).granted(API).reaching(&stub).run();
        ran.printed("ok\n").replayed().usage()
    };
    let (one, two) = (many("1"), many("2"));
    assert_eq!((one.remote_calls, two.remote_calls), (1, 2));
    assert_eq!((one.received_bytes, two.received_bytes), (1000, 2000));
    assert!(one.sent_bytes > 30 && two.sent_bytes == 2 * one.sent_bytes, "{one:?}");
    assert_eq!(one, many("1"));
}

/// Handles that a guest gives away are given back, or a guest that sends many requests would be ended for holding them.
#[test]
fn a_guest_may_send_as_many_requests_as_it_likes() {
    let stub = Stub::new(|_| Ok(answer(200, "text")));
    let play = Scene::new().command("http", ["many", URL, "200"]).granted(API).reaching(&stub);
    play.limit(LimitKind::Handles, 40).run().printed("ok\n").replayed();
}

#[test]
fn a_run_that_is_stopped_while_it_waits_is_stopped_in_the_exchange() {
    for method in ["GET", "PUT", "POST"] {
        let stub = Stub::silent();
        let play = Scene::ticking().command("http", ["send", method, URL]).granted(API).reaching(&stub);
        let ran = play.run_beside(|stop| {
            let stub = stub.clone();
            async move {
                stub.asked().await;
                stop.ask();
            }
        });
        let ran = ran.ended_in(EXCHANGE).replayed();
        let answered: Vec<bool> = ran.calls_of(EXCHANGE).iter().map(|call| call.is_answered).collect();
        // A request that changes something has left its intent; nobody knows what became of it.
        assert_eq!(answered, if method == "GET" { vec![] } else { vec![false] });
    }
}

#[test]
fn an_exchange_takes_no_longer_than_a_call_may() {
    let stub = Stub::silent();
    let play = Scene::ticking().command("http", ["wait", "block", URL]).granted(API).reaching(&stub);
    let ran = play.limit(LimitKind::CallTime, 20).run();
    ran.printed("error: ErrorCode::HttpResponseTimeout\n").replayed();
}
