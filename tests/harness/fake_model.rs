//! A model provider on loopback that speaks each provider's wire format, and says what a test puts into its queue.
//!
//! It answers one request per connection, in the order of the queue, keeps what it was asked, and never waits longer
//! than a few seconds for anybody. It knows the formats from their documents, and shares no code with the host.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

/// How long the server waits for a client that has stopped talking.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest body that is read.
const BODY_LEN_MAX: usize = 32 << 20;

/// The server. Dropping it ends it.
pub struct FakeModel {
    address: SocketAddr,
    desk: Arc<Desk>,
    server: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Desk {
    replies: Mutex<VecDeque<Reply>>,
    asked: Mutex<Vec<Asked>>,
    is_over: AtomicBool,
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The method and the path, such as `POST /v1/messages`.
    pub line: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body; null if it is not JSON.
    pub body: Value,
}

impl Asked {
    /// Returns a header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

impl FakeModel {
    /// Starts a server with an empty queue, on a port that the system chooses.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let desk = Arc::new(Desk::default());
        let served = desk.clone();
        let server = std::thread::spawn(move || served.serve(&listener));
        Self { address, desk, server: Some(server) }
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address without a path, as Anthropic's endpoint is configured.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the address as an OpenAI endpoint is configured.
    pub fn openai_url(&self) -> String {
        format!("{}/v1", self.url())
    }

    /// Adds replies to the queue.
    pub fn will(&self, replies: impl IntoIterator<Item = Reply>) -> &Self {
        self.desk.replies.lock().expect("no panic").extend(replies);
        self
    }

    /// Returns what it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.desk.asked.lock().expect("no panic").clone()
    }

    /// Returns how many requests arrived.
    pub fn count(&self) -> usize {
        self.desk.asked.lock().expect("no panic").len()
    }

    /// Returns how many replies nobody has asked for.
    pub fn left(&self) -> usize {
        self.desk.replies.lock().expect("no panic").len()
    }
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        self.desk.is_over.store(true, Ordering::SeqCst);
        // Wakes the server, which is waiting for somebody to connect.
        let woken = TcpStream::connect(self.address);
        if let (Ok(_), Some(server)) = (woken, self.server.take()) {
            server.join().ok();
        }
    }
}

impl Desk {
    fn serve(&self, listener: &TcpListener) {
        while let Ok((stream, _)) = listener.accept() {
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            // A client may go away at any time: that is its business, and what it asked is kept.
            self.answer(&stream).ok();
        }
    }

    fn answer(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let asked = read(&mut BufReader::new(stream))?;
        self.asked.lock().expect("no panic").push(asked);
        let reply = self.replies.lock().expect("no panic").pop_front();
        let reply = reply.unwrap_or_else(|| Reply::error(500, "unexpected", "the queue of the fake model is empty"));
        stream.write_all(&reply.bytes())?;
        if reply.hangs {
            // Says nothing more until the client gives up.
            std::io::copy(&mut stream, &mut std::io::sink())?;
        }
        Ok(())
    }
}

fn read(stream: &mut impl BufRead) -> std::io::Result<Asked> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.take(64 << 10).read_line(&mut line)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut lines = lines.into_iter();
    let line = lines.next().ok_or(ErrorKind::UnexpectedEof)?;
    let line = line.trim_end_matches(" HTTP/1.1").to_owned();
    let headers = lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    });
    let mut asked = Asked { line, headers: headers.collect(), body: Value::Null };
    let len: usize = asked.header("content-length").and_then(|len| len.parse().ok()).unwrap_or(0);
    let mut body = vec![0; len.min(BODY_LEN_MAX)];
    stream.read_exact(&mut body)?;
    asked.body = serde_json::from_slice(&body).unwrap_or_default();
    Ok(asked)
}

/// One reply in the queue.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    sent_len: usize,
    is_chunked: bool,
    hangs: bool,
}

impl Reply {
    /// Returns a reply with any status, type and body.
    pub fn raw(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into(), sent_len: usize::MAX, is_chunked: false, hangs: false }
    }

    fn json(status: u16, body: &Value) -> Self {
        Self::raw(status, "application/json", body.to_string())
    }

    fn stream(events: &str) -> Self {
        Self { is_chunked: true, ..Self::raw(200, "text/event-stream", events) }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends only the first bytes of the body, and then closes the connection.
    pub fn cut_at(self, len: usize) -> Self {
        Self { sent_len: len, ..self }
    }

    /// Sends what it sends, and then nothing more without closing the connection, until the client gives up.
    pub fn hanging_at(self, len: usize) -> Self {
        Self { sent_len: len, hangs: true, ..self }
    }

    /// Returns an error in the form that both vendors have.
    pub fn error(status: u16, kind: &str, message: &str) -> Self {
        Self::json(status, &json!({ "type": "error", "error": { "type": kind, "code": kind, "message": message } }))
    }

    /// Returns a 429 that asks for patience.
    pub fn busy(retry_after_s: u32) -> Self {
        Self::error(429, "rate_limit_error", "slow down").header("retry-after", &retry_after_s.to_string())
    }

    /// Returns Anthropic's 529.
    pub fn overloaded() -> Self {
        Self::error(529, "overloaded_error", "Overloaded")
    }

    /// Returns OpenAI's answer with a text; 10 tokens were read, 4 of them from a cache, and 3 written.
    pub fn openai_text(text: &str) -> Self {
        Self::openai(&json!({ "role": "assistant", "content": text }), "stop")
    }

    /// Returns OpenAI's answer that calls a tool.
    pub fn openai_call(id: &str, name: &str, arguments: &Value) -> Self {
        let function = json!({ "name": name, "arguments": arguments.to_string() });
        let call = json!({ "id": id, "type": "function", "function": function });
        Self::openai(&json!({ "role": "assistant", "content": null, "tool_calls": [call] }), "tool_calls")
    }

    /// Returns OpenAI's answer with any message and reason to stop.
    pub fn openai(message: &Value, finish_reason: &str) -> Self {
        let choice = json!({ "index": 0, "message": message, "finish_reason": finish_reason });
        Self::json(200, &json!({ "object": "chat.completion", "choices": [choice], "usage": openai_usage() }))
    }

    /// Returns OpenAI's answer with a text as a stream, a chunk for each word.
    pub fn openai_stream(text: &str) -> Self {
        let chunk = |delta: Value, reason: Value| {
            event(&json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": reason }] }))
        };
        let mut events = chunk(json!({ "role": "assistant", "content": "" }), Value::Null);
        events.extend(text.split_inclusive(' ').map(|word| chunk(json!({ "content": word }), Value::Null)));
        events.push_str(&chunk(json!({}), json!("stop")));
        events.push_str(&event(&json!({ "choices": [], "usage": openai_usage() })));
        Self::stream(&format!("{events}data: [DONE]\n\n"))
    }

    /// Returns Anthropic's answer with a text; 6 tokens were read, 4 from a cache, and 3 written.
    pub fn anthropic_text(text: &str) -> Self {
        Self::anthropic(&json!([{ "type": "text", "text": text }]), "end_turn")
    }

    /// Returns Anthropic's answer that calls a tool. Structured output is a call of the tool `answer`.
    pub fn anthropic_call(id: &str, name: &str, arguments: &Value) -> Self {
        Self::anthropic(&json!([{ "type": "tool_use", "id": id, "name": name, "input": arguments }]), "tool_use")
    }

    /// Returns Anthropic's answer with any content and reason to stop.
    pub fn anthropic(content: &Value, stop_reason: &str) -> Self {
        let message = json!({
            "type": "message", "role": "assistant", "content": content, "stop_reason": stop_reason,
            "usage": { "input_tokens": 6, "cache_read_input_tokens": 4, "output_tokens": 3 },
        });
        Self::json(200, &message)
    }

    /// Returns Anthropic's answer with a text as a stream, a delta for each word.
    pub fn anthropic_stream(text: &str) -> Self {
        let usage = json!({ "input_tokens": 6, "cache_read_input_tokens": 4, "output_tokens": 1 });
        let block = json!({ "type": "text", "text": "" });
        let delta = |word: &str| {
            let delta = json!({ "type": "text_delta", "text": word });
            json!({ "type": "content_block_delta", "index": 0, "delta": delta })
        };
        let mut events = vec![
            json!({ "type": "message_start", "message": { "role": "assistant", "content": [], "usage": usage } }),
            json!({ "type": "content_block_start", "index": 0, "content_block": block }),
            json!({ "type": "ping" }),
        ];
        events.extend(text.split_inclusive(' ').map(delta));
        let end = json!({ "stop_reason": "end_turn" });
        events.extend([
            json!({ "type": "content_block_stop", "index": 0 }),
            json!({ "type": "message_delta", "delta": end, "usage": { "output_tokens": 3 } }),
            json!({ "type": "message_stop" }),
        ]);
        Self::stream(&events.iter().map(named_event).collect::<String>())
    }

    /// Returns the bytes that are sent. What is cut off was promised: by its length, or by a chunk that never ends.
    fn bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Fake\r\nconnection: close\r\n", self.status);
        self.headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        let sent = &self.body[..self.sent_len.min(self.body.len())];
        let is_whole = sent.len() == self.body.len();
        let (framing, end) = match (self.is_chunked, is_whole) {
            (false, _) => (format!("content-length: {}\r\n\r\n", self.body.len()), ""),
            (true, true) => (format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n", sent.len()), "\r\n0\r\n\r\n"),
            (true, false) => (format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n", self.body.len()), ""),
        };
        [head.as_bytes(), framing.as_bytes(), sent, end.as_bytes()].concat()
    }
}

fn openai_usage() -> Value {
    json!({ "prompt_tokens": 10, "completion_tokens": 3, "prompt_tokens_details": { "cached_tokens": 4 } })
}

fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}

fn named_event(data: &Value) -> String {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or_default())
}

/// Sends a request as plainly as can be, and returns what came back to the end of the connection.
fn exchange(fake: &FakeModel, body: &str) -> String {
    let mut stream = TcpStream::connect(fake.address()).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket has a timeout");
    let len = body.len();
    write!(stream, "POST /v1/messages HTTP/1.1\r\nX-Api-Key: k\r\nContent-Length: {len}\r\n\r\n{body}")
        .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers in UTF-8");
    answer
}

#[test]
fn the_fake_model_answers_in_order_and_keeps_what_it_was_asked() {
    let fake = FakeModel::start();
    fake.will([Reply::busy(7), Reply::openai_text("Hello")]);
    let answer = exchange(&fake, "{\"n\":1}");
    assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("retry-after: 7"), "{answer}");
    assert!(exchange(&fake, "no").contains("\"content\":\"Hello\""));
    assert!(exchange(&fake, "").starts_with("HTTP/1.1 500"));
    let asked = fake.asked();
    assert_eq!((fake.count(), fake.left(), asked[0].line.as_str()), (3, 0, "POST /v1/messages"));
    assert_eq!((asked[0].header("x-api-key"), &asked[0].body), (Some("k"), &json!({ "n": 1 })));
    assert_eq!(asked[1].body, Value::Null);
}

#[test]
fn the_fake_model_breaks_off_where_it_is_told_to() {
    let fake = FakeModel::start();
    fake.will([Reply::anthropic_text("Hello").cut_at(9), Reply::openai_stream("Hello you").cut_at(30)]);
    fake.will([Reply::anthropic_stream("Hello you")]);
    assert!(exchange(&fake, "{}").ends_with("\r\n\r\n{\"content"));
    let cut = exchange(&fake, "{}");
    assert!(cut.contains("chunked") && !cut.ends_with("0\r\n\r\n"), "{cut}");
    let whole = exchange(&fake, "{}");
    assert!(whole.contains("message_stop") && whole.ends_with("\r\n0\r\n\r\n"), "{whole}");
}
