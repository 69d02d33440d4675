//! What is sent, to the byte; and what is refused before anything is resolved.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::*;
use crate::manifest::Slot;
use crate::secret::Secret;

async fn sent(request: &Request, terms: &Terms) -> String {
    let world = World::tcp(vec![vec![Step::Hear, Step::say(ok(""))]]);
    world.sender.exchange(request, terms).await.unwrap();
    world.requests().remove(0)
}

/// Checks that a request is refused, with nothing resolved or dialled, and returns why.
async fn refused(request: &Request, terms: &Terms, code: &str) -> Failure {
    let world = World::new(Vec::new());
    let failure = world.sender.exchange(request, terms).await.unwrap_err();
    assert_eq!((failure.error.code(), failure.is_sent), (code, false), "{failure}");
    assert!(world.seen(|seen| seen.resolved.is_empty() && seen.dialled.is_empty()), "{failure}");
    failure
}

fn field(name: &str, value: &str) -> (String, Vec<u8>) {
    (name.to_owned(), value.as_bytes().to_vec())
}

#[tokio::test]
async fn a_request_is_sent_as_it_is_with_one_host() {
    let mut request = request_by("GET", "http", "Service.Example", "/%7ea/b;c?q=%2f&r='{}'//../");
    request.headers = vec![field("X-B", "1"), field("accept", "*/*"), ("x-c".to_owned(), b"\xff".to_vec())];
    let expected = "GET /~a/b;c?q=%2f&r='{}'//../ HTTP/1.1\r\nhost: service.example\r\nx-b: 1\r\n\
                    accept: */*\r\nx-c: \u{fffd}\r\n\r\n";
    let sent = sent(&request, &terms()).await;
    assert_eq!(sent, expected);
    assert_eq!(sent.to_ascii_lowercase().matches("host:").count(), 1);
}

#[tokio::test]
async fn a_host_names_its_port() {
    assert!(sent(&get("service.example:8080"), &terms()).await.contains("\r\nhost: service.example:8080\r\n"));
}

#[tokio::test]
async fn a_body_has_its_length_and_nothing_else() {
    let mut request = post("service.example", "hello");
    request.headers = vec![field("Content-Length", "5")];
    let expected = "POST / HTTP/1.1\r\nhost: service.example\r\ncontent-length: 5\r\n\r\nhello";
    assert_eq!(sent(&request, &terms()).await, expected);
    for (method, body, line) in [("POST", "", "0"), ("PUT", "", "0"), ("DELETE", "x", "1"), ("GET", "x", "1")] {
        let body_of = post("service.example", body);
        let request = Request { body: body_of.body, ..request_by(method, "http", "service.example", "/") };
        let sent = sent(&request, &terms()).await;
        assert!(sent.ends_with(&format!("\r\ncontent-length: {line}\r\n\r\n{body}")), "{sent}");
    }
    assert!(!sent(&get("service.example"), &terms()).await.contains("content-length"));
}

#[tokio::test]
async fn connection_headers_are_refused() {
    for name in [
        "Host",
        "connection",
        "Keep-Alive",
        "Proxy-Connection",
        "proxy-authorization",
        "Proxy-Anything",
        "TE",
        "Trailer",
        "transfer-encoding",
        "Upgrade",
        "HTTP2-Settings",
    ] {
        let mut request = get("service.example");
        request.headers = vec![field("a", "b"), field(name, "hunter2")];
        let failure = refused(&request, &terms(), "HTTP-request-header-size").await;
        assert_eq!(failure.error, ExchangeError::HeaderForbidden { name: name.to_owned() });
    }
}

#[tokio::test]
async fn what_is_no_header_is_refused_without_its_value() {
    for (name, value) in [
        ("", "x"),
        ("a b", "x"),
        ("a:", "x"),
        ("a\r\nb", "x"),
        ("\u{fc}", "x"),
        ("a", "hunter2\r\nhost: evil"),
        ("a", "hunter2\0"),
        ("a", "hunter2\n"),
    ] {
        let mut request = get("service.example");
        request.headers = vec![field(name, value)];
        let failure = refused(&request, &terms(), "HTTP-request-header-size").await;
        assert!(
            !failure.to_string().contains("hunter2") && !failure.to_string().contains(char::is_control),
            "{failure}"
        );
        assert!(!format!("{failure:?} {request:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn a_wrong_length_is_refused() {
    for value in ["4", "6", "05", "+5", "5, 5", "", "99999999999999999999"] {
        let mut request = post("service.example", "hello");
        request.headers = vec![field("content-length", value)];
        refused(&request, &terms(), "HTTP-request-body-size").await;
    }
}

#[tokio::test]
async fn requests_have_sizes() {
    // `host: service.example` and `a` are 20 bytes, and the path is one.
    let longest = "x".repeat(REQUEST_HEADER_BYTES_MAX - 21);
    let mut request = get("service.example");
    request.headers = vec![field("a", &longest)];
    assert!(sent(&request, &terms()).await.len() > REQUEST_HEADER_BYTES_MAX);
    let query = query("k", &"x".repeat(Secret::LEN_MAX));
    let too_long = [
        Request { headers: vec![field("ab", &longest)], ..request.clone() },
        Request { headers: vec![field("a", ""); 100_000], ..request.clone() },
    ];
    for request in too_long {
        refused(&request, &terms(), "HTTP-request-header-section-size").await;
    }
    let injected = Terms { inject: vec![query; REQUEST_HEADER_BYTES_MAX / Secret::LEN_MAX], ..terms() };
    refused(&get("service.example"), &injected, "HTTP-request-header-section-size").await;

    let caps = Caps { request_body: 4, ..Caps::default() };
    let terms = Terms { caps, ..terms() };
    refused(&post("service.example", "hello"), &terms, "HTTP-request-body-size").await;
    assert!(sent(&post("service.example", "hell"), &terms).await.ends_with("hell"));
}

fn filled(slot: Slot, prefix: &str, secret: &str) -> Inject {
    let secret = Secret::new(Zeroizing::new(secret.into())).expect("a secret");
    Inject { slot, prefix: prefix.parse().expect("a prefix"), secret: Arc::new(secret) }
}

fn header(name: &str, prefix: &str, secret: &str) -> Inject {
    filled(Slot::Header(name.to_owned()), prefix, secret)
}

fn query(name: &str, secret: &str) -> Inject {
    filled(Slot::Query(name.to_owned()), "", secret)
}

#[tokio::test]
async fn what_the_host_fills_replaces_what_the_guest_put_there() {
    let mut request = request_by("GET", "http", "service.example", "/p?key=guest&a=1");
    request.headers = vec![field("Authorization", "guest"), field("authorization", "again"), field("z", "1")];
    let inject = vec![header("authorization", "Bearer ", "hunter-2"), query("key", "hunter/2")];
    let terms = Terms { inject, ..terms() };
    let expected = "GET /p?a=1&key=hunter%2F2 HTTP/1.1\r\nhost: service.example\r\nauthorization: Bearer hunter-2\r\n\
                    z: 1\r\n\r\n";
    assert_eq!(sent(&request, &terms).await, expected);
}

#[tokio::test]
async fn a_secret_that_cannot_be_sent_is_not_shown() {
    for name in ["a b", "host", "te"] {
        let terms = Terms { inject: vec![header(name, "", "hunter2-hunter2")], ..terms() };
        let failure = refused(&get("service.example"), &terms, "configuration-error").await;
        assert!(!format!("{failure} {failure:?} {terms:?}").contains("hunter2"), "{failure:?}");
    }
}

/// Every kind of failure of an exchange that carries secrets, in every way it can be printed.
#[tokio::test]
async fn no_error_shows_a_secret_or_a_body() {
    let inject = vec![header("authorization", "Bearer ", "hunter2-hunter2"), query("key", "hunter2-hunter2")];
    let terms = Terms { inject, ..terms() };
    let request = post("service.example", "hunter2");
    for response in [
        "",
        "hunter2",
        "HTTP/1.1 200 hunter2\r\nhunter2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nhunter2: hunter2\r\n x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: hunter2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhunter2",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: hunter2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhunter2",
    ] {
        let world = World::tcp(vec![vec![Step::Hear, Step::say(response)]]);
        let failure = world.sender.exchange(&request, &terms).await.unwrap_err();
        assert!(world.requests()[0].contains("hunter2"), "the request has it");
        assert!(
            !format!("{failure} {failure:?} {failure:#?} {request:?} {terms:?}").contains("hunter2"),
            "{failure:?}"
        );
    }
    let world = World::tcp(vec![vec![Step::Hear, Step::say("HTTP/1.1 200 OK\r\na: hunter2\r\n\r\nhunter2")]]);
    let response = world.sender.exchange(&request, &terms).await.unwrap();
    assert!(!format!("{response:?}").contains("hunter2"));
}

/// Whatever a target may hold is sent as it is: nothing that is judged is refused or changed on its way.
#[tokio::test]
async fn every_target_is_sent_as_it_is() {
    let mut count = 0;
    for byte in 0..=0x7f_u8 {
        for path in [format!("/a{}b", char::from(byte)), format!("/?a{}b", char::from(byte))] {
            let Ok(target) = HttpTarget::parse("GET", "http", "service.example", &path) else { continue };
            let line = format!("GET {} HTTP/1.1\r\n", target.path_with_query());
            let request = Request { target, ..get("service.example") };
            assert!(sent(&request, &terms()).await.starts_with(&line), "{path}");
            count += 1;
        }
    }
    assert!(count > 150, "{count}");
}
