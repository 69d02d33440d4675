//! `http`: requests, as the functions of `wasi:http` have them.
//!
//! | arguments | prints |
//! |---|---|
//! | `send METHOD URL [BODY]` | the status and the headers, one per line; an empty line; the body |
//! | `wait HOW URL` | the status, waited for by `block`, `poll`, `ready` or `get` |
//! | `keep URL URL` | the first response as `send` does, in capitals, once the second has come too |
//! | `two URL URL` | the statuses of two requests that are both handed over first |
//! | `many URL COUNT` | `ok` after as many requests, each with its whole response |
//! | `puts URL COUNT` | `ok` after as many PUT requests, each with its whole response |
//! | `each URL COUNT` | the status or the error of each of as many requests, one per line |
//! | `upload URL BYTES` | the status, after a body of that many bytes |
//! | `declared URL BYTES BYTES` | how a body goes whose declared length is the first, and of which the second are written |
//! | `unfinished URL` | the error of a response waited for before the request's body was finished |
//! | `abandoned URL` | the error of a response to a request whose body was dropped |
//! | `patience URL MS` | the status or the error, with each timeout of that length |
//! | `trailers URL` | the trailers, one per line |
//! | `skip URL` | the body, without its first 3 bytes |
//! | `splice URL URL` | the status of the second, to which the body of the first was spliced |
//! | `echo URL` | nothing of its own: the body is spliced to the standard output |
//! | `response` | what a response that the guest makes for nobody says of itself |
//! | `fields` | how each function on header fields answers, one line each |
//! | `grow BYTES` | nothing, for it ends: header fields of that many bytes |
//! | `hold COUNT BYTES` | `ok` after making as many bodies of that many bytes, and holding them all |
//! | `early-drop` | nothing, for it ends: a body dropped before its stream |
//!
//! A response that does not come prints `error: CODE`.

use guests::{arguments, number, usage};
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, HeaderError, IncomingBody, IncomingResponse, Method, OutgoingBody,
    OutgoingRequest, OutgoingResponse, RequestOptions, Scheme, http_error_code,
};
use wasip2::io::poll::poll;
use wasip2::io::streams::{InputStream, StreamError};

fn main() {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["send", method, url] => say(exchange(method, url, None).map(whole)),
        ["send", method, url, body] => say(exchange(method, url, Some(body.as_bytes())).map(whole)),
        ["wait", how, url] => say(begin("GET", url, None).and_then(|to_come| wait(&to_come, how)).map(status)),
        ["keep", kept, other] => keep(kept, other),
        ["two", one, other] => two(one, other),
        ["many", url, count] => many("GET", url, number(count)),
        ["puts", url, count] => many("PUT", url, number(count)),
        ["each", url, count] => (0..number(count)).for_each(|_: u32| say(exchange("GET", url, None).map(status))),
        ["upload", url, bytes] => say(exchange("POST", url, Some(&vec![b'x'; number(bytes)])).map(status)),
        ["declared", url, declared, written] => declared_length(url, declared, number(written)),
        ["unfinished", url] => unfinished(url),
        ["abandoned", url] => abandoned(url),
        ["patience", url, ms] => patience(url, number(ms)),
        ["trailers", url] => say(exchange("GET", url, None).map(trailers)),
        ["skip", url] => say(exchange("GET", url, None).map(skip)),
        ["splice", from, to] => splice(from, to),
        ["echo", url] => echo(url),
        ["response"] => response(),
        ["fields"] => fields(),
        ["grow", bytes] => grow(number(bytes)),
        ["hold", count, bytes] => hold(number(count), number(bytes)),
        ["early-drop"] => early_drop(),
        _ => usage("http send|wait|two|many|upload|declared|unfinished|abandoned|patience|trailers|skip|... ..."),
    }
}

fn say(outcome: Result<String, ErrorCode>) {
    match outcome {
        Ok(text) => println!("{text}"),
        Err(code) => println!("error: {code:?}"),
    }
}

/// Makes a request of a URL, which is split at its first colon and slash and not looked at further.
fn request(method: &str, url: &str, headers: Fields) -> OutgoingRequest {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.into()),
    };
    let method = match method {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        other => Method::Other(other.into()),
    };
    let request = OutgoingRequest::new(headers);
    request.set_method(&method).expect("a method");
    request.set_scheme(Some(&scheme)).expect("a scheme");
    request.set_authority(Some(authority)).expect("an authority");
    request.set_path_with_query(Some(path)).expect("a path");
    assert!(matches!((request.method(), request.scheme()), (_, Some(_))));
    assert_eq!((request.authority().as_deref(), request.path_with_query().as_deref()), (Some(authority), Some(path)));
    request
}

fn begin(method: &str, url: &str, body: Option<&[u8]>) -> Result<FutureIncomingResponse, ErrorCode> {
    let headers = Fields::from_list(&[("x-from".into(), b"guest".to_vec())]).expect("a header");
    let request = request(method, url, headers);
    let outgoing = body.map(|_| request.body().expect("the first asking"));
    let to_come = handle(request, None)?;
    if let (Some(outgoing), Some(body)) = (outgoing, body) {
        fill(&outgoing, body).expect("the stream takes it");
        OutgoingBody::finish(outgoing, None)?;
    }
    Ok(to_come)
}

/// Writes all of a body, whatever a write takes at once.
fn fill(body: &OutgoingBody, mut bytes: &[u8]) -> Result<(), StreamError> {
    let stream = body.write().expect("the first asking");
    while !bytes.is_empty() {
        let permit = (stream.check_write()? as usize).min(4096);
        let (part, rest) = bytes.split_at(bytes.len().min(permit));
        stream.blocking_write_and_flush(part)?;
        bytes = rest;
    }
    Ok(())
}

fn exchange(method: &str, url: &str, body: Option<&[u8]>) -> Result<IncomingResponse, ErrorCode> {
    wait(&begin(method, url, body)?, "block")
}

fn wait(to_come: &FutureIncomingResponse, how: &str) -> Result<IncomingResponse, ErrorCode> {
    let pollable = to_come.subscribe();
    match how {
        "block" => pollable.block(),
        "poll" => assert_eq!(poll(&[&pollable]), [0]),
        "ready" => assert!(pollable.ready()),
        "get" => {}
        other => usage(other),
    }
    let response = to_come.get().expect("it was waited for").expect("the first asking");
    assert!(to_come.get().expect("it was waited for").is_err());
    response
}

fn status(response: IncomingResponse) -> String {
    response.status().to_string()
}

fn whole(response: IncomingResponse) -> String {
    let mut text = format!("{}\n", response.status());
    for (name, value) in response.headers().entries() {
        text += &format!("{name}: {}\n", String::from_utf8_lossy(&value));
    }
    let body = response.consume().expect("the first asking");
    assert!(response.consume().is_err());
    format!("{text}\n{}", read(&body.stream().expect("the first asking")))
}

/// Reads to the end.
fn read(stream: &InputStream) -> String {
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(1 << 20) {
            Ok(part) => bytes.extend(part),
            Err(StreamError::Closed) => return String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// Holds all of the first response while it waits for the second.
fn keep(kept: &str, other: &str) {
    let text = whole(exchange("GET", kept, None).expect("a response")).to_uppercase();
    let waited = exchange("GET", other, None).map(status);
    println!("{text}");
    say(waited);
}

fn two(one: &str, other: &str) {
    let [one, other] = [one, other].map(|url| begin("GET", url, None).expect("it is granted"));
    let (pollables, mut left) = ([one.subscribe(), other.subscribe()], vec![0, 1]);
    while !left.is_empty() {
        let awaited: Vec<_> = left.iter().map(|&index: &usize| &pollables[index]).collect();
        let ready = poll(&awaited);
        for &index in &ready {
            let to_come = [&one, &other][left[index as usize]];
            say(to_come.get().expect("it is ready").expect("the first asking").map(status));
        }
        left = (0..left.len()).filter(|&at| !ready.contains(&(at as u32))).map(|at| left[at]).collect();
    }
}

fn many(method: &str, url: &str, count: u32) {
    for _ in 0..count {
        whole(exchange(method, url, None).expect("a response"));
    }
    println!("ok");
}

fn declared_length(url: &str, declared: &str, written: usize) {
    let headers = Fields::from_list(&[("content-length".into(), declared.into())]).expect("a header");
    let request = request("POST", url, headers);
    let body = request.body().expect("the first asking");
    let to_come = handle(request, None).expect("it is granted");
    match fill(&body, &vec![b'x'; written]) {
        Ok(()) => println!("write: ok"),
        Err(StreamError::LastOperationFailed(error)) => println!("write: {:?}", http_error_code(&error)),
        Err(StreamError::Closed) => println!("write: closed"),
    }
    println!("finish: {:?}", OutgoingBody::finish(body, None));
    say(wait(&to_come, "block").map(status));
}

fn unfinished(url: &str) {
    let request = request("POST", url, Fields::new());
    let body = request.body().expect("the first asking");
    let to_come = handle(request, None).expect("it is granted");
    let pollable = to_come.subscribe();
    println!("{} {}", pollable.ready(), to_come.get().is_none());
    drop(pollable);
    say(wait(&to_come, "block").map(status));
    println!("{:?}", body.write().expect("the first asking").blocking_write_and_flush(b"late"));
}

fn abandoned(url: &str) {
    let request = request("POST", url, Fields::new());
    let body = request.body().expect("the first asking");
    let to_come = handle(request, None).expect("it is granted");
    drop(body);
    say(wait(&to_come, "poll").map(status));
}

fn patience(url: &str, ms: u64) {
    let options = RequestOptions::new();
    let timeout = Some(ms * 1_000_000);
    options.set_connect_timeout(timeout).expect("a timeout");
    options.set_first_byte_timeout(timeout).expect("a timeout");
    options.set_between_bytes_timeout(timeout).expect("a timeout");
    assert_eq!(
        [options.connect_timeout(), options.first_byte_timeout(), options.between_bytes_timeout()],
        [timeout; 3]
    );
    say(handle(request("GET", url, Fields::new()), Some(options))
        .and_then(|to_come| wait(&to_come, "block"))
        .map(status));
}

fn trailers(response: IncomingResponse) -> String {
    let trailers = IncomingBody::finish(response.consume().expect("the first asking"));
    trailers.subscribe().block();
    let fields = trailers.get().expect("they are there").expect("the first asking").expect("they are whole");
    assert!(trailers.get().expect("they were taken").is_err());
    let entries = fields.map(|fields| fields.entries()).unwrap_or_default();
    let lines = entries.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)));
    lines.collect::<Vec<_>>().join("\n")
}

fn skip(response: IncomingResponse) -> String {
    let body = response.consume().expect("the first asking");
    let stream = body.stream().expect("the first asking");
    stream.subscribe().block();
    assert_eq!((stream.skip(1).expect("a byte"), stream.blocking_skip(2).expect("two bytes")), (1, 2));
    let one = stream.read(1).expect("a byte");
    format!("{}{}", String::from_utf8_lossy(&one), read(&stream))
}

fn splice(from: &str, to: &str) {
    let response = exchange("GET", from, None).expect("a response");
    let incoming = response.consume().expect("the first asking");
    let request = request("POST", to, Fields::new());
    let outgoing = request.body().expect("the first asking");
    let to_come = handle(request, None).expect("it is granted");
    {
        let (source, sink) = (incoming.stream().expect("once"), outgoing.write().expect("once"));
        sink.blocking_write_zeroes_and_flush(2).expect("zeroes");
        while sink.blocking_splice(&source, 1000).is_ok() {}
    }
    OutgoingBody::finish(outgoing, None).expect("it is whole");
    say(wait(&to_come, "block").map(whole));
}

fn echo(url: &str) {
    let response = exchange("GET", url, None).expect("a response");
    let incoming = response.consume().expect("the first asking");
    let source = incoming.stream().expect("the first asking");
    let sink = wasip2::cli::stdout::get_stdout();
    while sink.blocking_splice(&source, 1000).is_ok() {}
}

fn fields() {
    let fields = Fields::new();
    let bytes = |text: &str| text.as_bytes().to_vec();
    let show = |name: &str, outcome: Result<(), HeaderError>| println!("{name}: {outcome:?}");
    show("append", fields.append("X-One", b"1"));
    show("append again", fields.append("x-one", b"2"));
    show("set", fields.set("X-Two", &[bytes("3"), bytes("")]));
    show("no name", fields.append("", b"1"));
    show("odd name", fields.append("a b", b"1"));
    show("odd value", fields.append("x-one", b"1\r\nx-two: 2"));
    show("host", fields.append("Host", b"elsewhere.example"));
    show("connection", fields.set("connection", &[bytes("close")]));
    show("transfer-encoding", fields.delete("Transfer-Encoding"));
    show("length", fields.append("content-length", b"+5"));
    println!("get: {:?}", fields.get("X-ONE"));
    println!("has: {} {}", fields.has("x-two"), fields.has("x-three"));
    let copy = fields.clone();
    show("delete", fields.delete("X-One"));
    show("unset", fields.set("x-two", &[]));
    println!("entries: {:?}", fields.entries());
    let request = OutgoingRequest::new(copy);
    let headers = request.headers();
    show("immutable", headers.append("x-one", b"4"));
    show("immutable", headers.delete("x-one"));
    show("mutable again", headers.clone().append("x-one", b"4"));
    println!("entries: {:?}", headers.entries());
    println!("from a list: {:?}", Fields::from_list(&[("upgrade".into(), bytes("websocket"))]).err());
    println!("method: {:?}", request.set_method(&Method::Other("GE T".into())));
    println!("scheme: {:?}", request.set_scheme(Some(&Scheme::Other("a:b".into()))));
    println!("authority: {:?}", request.set_authority(Some("a b")));
    println!("path: {:?}", request.set_path_with_query(Some("no slash")));
    println!("body: {:?}", (request.body().is_ok(), request.body().is_ok()));
    println!("handle: {:?}", handle(request, None).err());
}

fn grow(bytes: usize) {
    let fields = Fields::new();
    (0..).take_while(|n| n * 1000 < bytes).for_each(|n| fields.append(&format!("x-{n}"), &[b'x'; 1000]).expect("room"));
}

fn hold(count: u32, bytes: usize) {
    let held: Vec<_> = (0..count)
        .map(|_| {
            let request = OutgoingRequest::new(Fields::new());
            let body = request.body().expect("the first asking");
            fill(&body, &vec![b'x'; bytes]).expect("room");
            (request, body)
        })
        .collect();
    println!("ok");
    drop(held);
}

fn response() {
    drop(RequestOptions::new());
    let response = OutgoingResponse::new(Fields::new());
    println!("{} {:?} {:?}", response.status_code(), response.set_status_code(404), response.set_status_code(7));
    println!("{} {}", response.status_code(), response.headers().entries().len());
    let body = response.body().expect("the first asking");
    println!("{}", response.body().is_err());
    println!("{:?}", OutgoingBody::finish(body, Some(Fields::new())));
}

fn early_drop() {
    let request = OutgoingRequest::new(Fields::new());
    let body = request.body().expect("the first asking");
    let stream = body.write().expect("the first asking");
    drop(body);
    drop(stream);
}
