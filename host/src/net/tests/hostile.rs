//! Malformed and hostile responses: each is a typed error, and none costs more than its cap.

use std::time::Duration;

use super::*;

async fn answer(response: &[u8]) -> Result<Response, Failure> {
    World::tcp(vec![vec![Step::Hear, Step::say(response)]]).get().await
}

async fn check(response: impl AsRef<[u8]>, code: &str) {
    let shown = response.as_ref()[..response.as_ref().len().min(120)].escape_ascii().to_string();
    let failure = answer(response.as_ref()).await.expect_err(&shown);
    assert_eq!(failure.error.code(), code, "{shown}: {failure}");
    assert!(failure.is_sent, "{shown}");
}

#[tokio::test]
async fn what_is_not_http_is_a_protocol_error() {
    for response in [
        "\r\n\r\n\0\0\0\0",
        "SSH-2.0-OpenSSH_9.7\r\n",
        // What a server of HTTP/0.9 sends: a page and nothing else.
        "<html>hello</html>\r\n",
        "hello",
        "HTTP/0.9 200 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 -20 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
        "HTTP/1.1 200 OK\r\nname : space before the colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\na: b\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\na: b\0c\r\n\r\n",
        "HTTP/1.1 200 OK\r\na: b\rc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
        "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\na",
        "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\na",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    ] {
        check(response, "HTTP-protocol-error").await;
    }
}

#[tokio::test]
async fn nonsense_in_chunks_is_a_protocol_error() {
    for chunks in [
        "x\r\n",
        "-1\r\na\r\n",
        "1 1\r\na\r\n",
        "1\r\nab\r\n",
        "1\ra\r\n0\r\n\r\n",
        "\r\n",
        "FFFFFFFFFFFFFFFFF\r\n",
        "0\r\nno colon\r\n\r\n",
        &format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(100_000)),
        &format!("0\r\nt: {}\r\n\r\n", "x".repeat(100_000)),
    ] {
        let response = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        check(response, "HTTP-protocol-error").await;
    }
}

#[tokio::test]
async fn what_ends_early_is_incomplete() {
    for rest in [
        "Content-Length: 5\r\n\r\nhell",
        "Content-Length: 5\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhell",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0\r\nt: a",
    ] {
        check(format!("HTTP/1.1 200 OK\r\n{rest}"), "HTTP-response-incomplete").await;
    }
    for head in ["", "H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\na: b\r\n", "HTTP/1.1 100 Continue\r\n\r\n"] {
        check(head, "connection-terminated").await;
    }
}

#[tokio::test]
async fn endless_headers_are_refused() {
    for line in ["a: b\r\n".to_owned(), format!("a: {}\r\n", "b".repeat(1000)), "a".to_owned()] {
        let script = vec![Step::Hear, Step::say("HTTP/1.1 200 OK\r\n"), Step::Flood(line.clone().into_bytes())];
        let failure = World::tcp(vec![script]).get().await.unwrap_err();
        assert_eq!(failure.error.code(), "HTTP-response-header-section-size", "{line:.20}: {failure}");
    }
}

#[tokio::test]
async fn headers_are_held_to_the_grants_caps() {
    let caps = Caps { response_headers: 3, response_header_bytes: 60, ..Caps::default() };
    let check = async |headers: String, code: Option<&str>| {
        let response = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: 0\r\n\r\n");
        let world = World::tcp(vec![vec![Step::Hear, Step::say(response)]]);
        let outcome = world.sender.exchange(&get("service.example"), &Terms { caps, ..terms() }).await;
        assert_eq!(outcome.err().map(|failure| failure.error.code()), code, "{headers}");
    };
    let too_large = Some("HTTP-response-header-section-size");
    check("a: b\r\na: b\r\n".to_owned(), None).await;
    check("a: b\r\na: b\r\na: b\r\n".to_owned(), too_large).await;
    check(format!("a: {}\r\n", "b".repeat(44)), None).await;
    check(format!("a: {}\r\n", "b".repeat(45)), too_large).await;
}

#[tokio::test]
async fn trailers_are_kept_and_held_to_the_caps() {
    let chunked = |trailers: &str| {
        format!("HTTP/1.1 200 OK\r\nTrailer: t\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n{trailers}\r\n")
    };
    let response = answer(chunked("T: a\r\nu: \u{fc}\r\n").as_bytes()).await.unwrap();
    assert_eq!(response.trailers, [("t".to_owned(), b"a".to_vec()), ("u".to_owned(), "\u{fc}".into())]);
    assert_eq!((response.headers, &response.body[..]), (Fields::new(), &b"hi"[..]));
    for trailers in ["t: a\r\n".repeat(4), format!("t: {}\r\n", "a".repeat(100))] {
        let world = World::tcp(vec![vec![Step::Hear, Step::say(chunked(&trailers))]]);
        let caps = Caps { response_headers: 3, response_header_bytes: 100, ..Caps::default() };
        let failure = world.sender.exchange(&get("service.example"), &Terms { caps, ..terms() }).await.unwrap_err();
        assert_eq!(failure.error.code(), "HTTP-response-trailer-section-size", "{failure}");
    }
    check(chunked(&"t: a\r\n".repeat(1000)), "HTTP-protocol-error").await;
}

/// Ten gigabytes, declared, in chunks, or without any length: no more than the cap is read.
#[tokio::test]
async fn a_body_over_its_cap_ends_the_exchange() {
    let mebibyte = vec![b'x'; 1 << 20];
    let chunk = [b"100000\r\n", &mebibyte[..], b"\r\n"].concat();
    for (head, flood) in [
        ("Content-Length: 10737418240", &mebibyte),
        ("Transfer-Encoding: chunked", &chunk),
        ("Connection: close", &mebibyte),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n");
        let world = World::tcp(vec![vec![Step::Hear, Step::say(head), Step::Flood(flood.clone())]]);
        let failure = world.get().await.unwrap_err();
        assert_eq!(failure.error, ExchangeError::ResponseBodySize { max: 8 << 20 });
    }
}

#[tokio::test]
async fn a_body_may_have_its_cap_and_no_more() {
    let caps = Caps { response_body: 5, ..Caps::default() };
    let check = async |rest: &str, is_allowed: bool| {
        let world = World::tcp(vec![vec![Step::Hear, Step::say(format!("HTTP/1.1 200 OK\r\n{rest}"))]]);
        let outcome = world.sender.exchange(&get("service.example"), &Terms { caps, ..terms() }).await;
        assert_eq!(outcome.is_ok_and(|response| &response.body[..] == b"hello"), is_allowed, "{rest}");
    };
    check("Content-Length: 5\r\n\r\nhello", true).await;
    check("Content-Length: 6\r\n\r\nhello!", false).await;
    check("Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", true).await;
    check("Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n4\r\nllo!\r\n0\r\n\r\n", false).await;
    check("\r\nhello", true).await;
    check("\r\nhello!", false).await;
}

#[tokio::test]
async fn other_codings_and_protocols_are_refused() {
    for coding in ["gzip", "gzip, chunked", "chunked, gzip", "identity", "xchunked"] {
        check(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\n\r\n"), "HTTP-response-transfer-coding").await;
    }
    check("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "HTTP-upgrade-failed").await;
}

#[tokio::test]
async fn what_is_merely_strange_passes_as_bytes() {
    let response = answer(b"HTTP/1.1 999 \xff\r\nX-B: \xff\xfe\r\nx-a: 1\r\nX-B: 2\r\nSet-Cookie: a\r\n\r\n\x00\xff")
        .await
        .unwrap();
    let expected = [("x-b", &b"\xff\xfe"[..]), ("x-b", b"2"), ("x-a", b"1"), ("set-cookie", b"a")];
    assert_eq!(response.headers, expected.map(|(name, value)| (name.to_owned(), value.to_vec())));
    assert_eq!((response.status, &response.body[..]), (999, &b"\x00\xff"[..]));
}

#[tokio::test]
async fn interim_responses_are_skipped() {
    let response = format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n{}", ok("hi"));
    let response = answer(response.as_bytes()).await.unwrap();
    assert_eq!((response.status, response.headers.len()), (200, 1));
}

/// Interim responses that never stop neither fill the memory nor outlast the deadline.
#[tokio::test]
async fn endless_interim_responses_end_by_the_deadline() {
    let storm = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n".repeat(100);
    let world = World::tcp(vec![vec![Step::Hear, Step::Flood(storm)]]);
    let deadlines = Deadlines { first_byte: Duration::from_millis(200), ..Deadlines::default() };
    let failure = world.sender.exchange(&get("service.example"), &Terms { deadlines, ..terms() }).await.unwrap_err();
    assert_eq!((failure.error, failure.is_sent), (ExchangeError::ResponseTimeout, true));
}

/// Nothing is decompressed here, so no small body becomes a large one.
#[tokio::test]
async fn a_compressed_body_stays_compressed() {
    let bomb = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xed\xc1\x01\x0d\0\0\0\xc2\xa0";
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.len());
    let response = answer(&[head.as_bytes(), bomb].concat()).await.unwrap();
    assert_eq!(&response.body[..], bomb);
    assert_eq!(response.headers[0], ("content-encoding".to_owned(), b"gzip".to_vec()));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let redirect = "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n";
    let world = World::tcp(vec![vec![Step::Hear, Step::say(redirect)]]);
    let response = world.get().await.unwrap();
    assert_eq!(response.status, 302);
    assert_eq!(response.headers[0], ("location".to_owned(), b"http://169.254.169.254/".to_vec()));
    assert_eq!((world.dials(), world.requests().len()), (1, 1));
}

#[tokio::test]
async fn connection_fields_are_not_shown() {
    let response = answer(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: x\r\nUpgrade: h2c\r\n\
          Transfer-Encoding: Chunked\r\na: b\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    )
    .await
    .unwrap();
    assert_eq!(response.headers, [("a".to_owned(), b"b".to_vec())]);
}

#[tokio::test]
async fn a_response_without_a_body_may_declare_one() {
    let world = World::tcp(vec![vec![Step::Hear, Step::say("HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n")]]);
    let head = request_by("HEAD", "http", "service.example", "/");
    let response = world.sender.exchange(&head, &terms()).await.unwrap();
    assert!(response.body.is_empty() && response.headers[0].1 == b"10737418240");
    assert!(answer(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n").await.unwrap().body.is_empty());
}
