//! What anybody may send to the socket, and what comes back: an answer, or an end, and never a crash.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use super::*;
use crate::digest::Digest;
use crate::journal::{Journal, Options};
use crate::supervisor::{Bounds, Ground, Outfit, Outfitter};
use crate::time::{Clock, Timestamp};

/// How long an answer may take: far more than any does.
const PATIENCE: Duration = Duration::from_secs(60);

struct Fake;

impl Outfitter for Fake {
    fn outfit(&self, run: RunId) -> Result<Outfit, String> {
        Err(format!("there is nothing for {run}"))
    }
}

fn no_such_run() -> Fault {
    Fault { kind: "no-such-run", status: 404, message: "there is none".into(), hint: None }
}

impl Backend for Fake {
    fn find(&self, named: &str) -> Result<RunId, Fault> {
        named.parse().map_err(|_| no_such_run())
    }

    fn runs(&self, len_max: usize) -> Result<Json, Fault> {
        Ok(json!([len_max]))
    }

    fn show(&self, run: RunId, with_calls: bool) -> Result<Json, Fault> {
        assert!(!with_calls, "this one panics, and the host does not");
        Ok(json!({ "run": run }))
    }

    fn bundle(&self, _run: RunId) -> Result<Vec<u8>, Fault> {
        Ok(vec![0, 159, 146, 150])
    }

    fn start(&self, start: Start) -> Result<Json, Fault> {
        Ok(json!({ "plugin": start.plugin, "priority": start.priority }))
    }

    fn decide(&self, _run: RunId, _decide: Decide) -> Result<(), Fault> {
        Ok(())
    }

    fn attend(&self, mut stream: UnixStream) {
        let first = frames::FromClient::receive(&mut stream);
        let code = if matches!(first, Ok(frames::FromClient::Interrupt)) { 7 } else { 9 };
        let _gone = frames::FromHost::Exit(code).send(&mut stream);
    }

    fn principal(&self) -> String {
        "test".into()
    }
}

/// A served home.
struct Scene {
    home: tempfile::TempDir,
    _server: Server,
}

impl Scene {
    fn new() -> Self {
        Self::with_queue(10)
    }

    fn with_queue(queue_max: usize) -> Self {
        let home = tempfile::tempdir().unwrap();
        let key = SigningKey::from_bytes(&[7; 32]);
        let journal = Journal::open(&home.path().join("journal.redb"), key, &Options::default()).unwrap();
        let clock = Clock::fixed(Timestamp::from_micros(1));
        let ground = Ground { journal, clock, engine: Digest::of(b"engine"), outfitter: Box::new(Fake) };
        let supervisor = Supervisor::start(ground, Bounds { runs_max: 1, queue_max }).unwrap();
        let listener = Listener::bind(home.path()).unwrap();
        let api = Api { supervisor, backend: Box::new(Fake), home: "home".into() };
        let server = Server::start(listener, api).unwrap();
        Self { home, _server: server }
    }

    fn connect(&self) -> UnixStream {
        let stream = connect(self.home.path()).unwrap().expect("somebody listens");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends these bytes and nothing more, and returns what comes back until the end.
    fn sends(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // A server that has heard enough closes before all is sent.
        let _cut = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
        let mut answer = Vec::new();
        let _cut = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Asks, and returns status and body.
    fn asks(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n");
        let answer = self.sends(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes());
        let status =
            answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{answer:?}"));
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        (status, serde_json::from_str(body).unwrap_or_else(|_| json!(body)))
    }

    #[track_caller]
    fn refuses(&self, method: &str, path: &str, body: &str, status: u16, kind: &str) {
        let (found, answer) = self.asks(method, path, body);
        assert_eq!((found, &answer["error"]["kind"]), (status, &json!(kind)), "{method} {path}: {answer}");
        assert!(answer["error"]["message"].is_string(), "{answer}");
    }

    fn still_answers(&self) {
        assert_eq!(self.asks("GET", "/v1/host", "").0, 200);
    }
}

const RUN: &str = "/v1/runs/0192f000000070008000000000000001";

#[test]
fn routes_answer_in_json() {
    let scene = Scene::new();
    let (status, host) = scene.asks("GET", "/v1/host", "");
    assert_eq!((status, &host["bounds"]["runs"], &host["live"]), (200, &json!(1), &json!(0)), "{host}");
    assert_eq!(scene.asks("GET", "/v1/runs?limit=3", ""), (200, json!({ "runs": [3] })));
    assert_eq!(scene.asks("GET", "/v1/runs", ""), (200, json!({ "runs": [20] })));
    assert_eq!(scene.asks("GET", RUN, "").0, 200);
    let start = r#"{"plugin": "p", "priority": -4, "input": {"a": [1]}}"#;
    assert_eq!(scene.asks("POST", "/v1/runs", start), (201, json!({ "plugin": "p", "priority": -4 })));
    assert_eq!(scene.asks("POST", &format!("{RUN}/decide"), r#"{"entry": 3, "decision": "retry"}"#).0, 202);
    let bundle = scene.sends(format!("GET {RUN}/bundle HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").as_bytes());
    assert!(bundle.contains("application/octet-stream"), "{bundle}");
}

#[test]
fn what_is_wrong_is_said_with_a_kind() {
    let scene = Scene::new();
    for path in ["/", "/v2/runs", "/v1", "/v1/runs/", "/v1/runs/x/y/z", "/../../etc/passwd", "/v1/runs/%00"] {
        let (status, answer) = scene.asks("GET", path, "");
        assert!(status == 404 && answer["error"]["kind"].is_string(), "{path}: {status} {answer}");
    }
    scene.refuses("DELETE", "/v1/runs", "", 405, "no-method");
    scene.refuses("GET", &format!("{RUN}/pause"), "", 405, "no-method");
    scene.refuses("GET", "/v1/runs/nobody", "", 404, "no-such-run");
    for query in ["limit=0", "limit=-1", "limit=1001", "limit=x", "other=1", "limit=1&limit=2", "limit"] {
        scene.refuses("GET", &format!("/v1/runs?{query}"), "", 400, "wrong-request");
    }
    for body in ["", "{", "[]", "null", "{}", r#"{"plugin": 3}"#, r#"{"plugin": "p", "evil": 1}"#, "\u{0}"] {
        scene.refuses("POST", "/v1/runs", body, 400, "wrong-request");
    }
    for body in [r#"{"entry": 1}"#, r#"{"entry": -1, "decision": "fail"}"#, r#"{"entry": 1, "decision": "maybe"}"#] {
        scene.refuses("POST", &format!("{RUN}/decide"), body, 400, "wrong-request");
    }
    scene.refuses("POST", &format!("{RUN}/pause"), r#"{"because": "x"}"#, 400, "wrong-request");
    for action in ["pause", "cancel", "resume"] {
        scene.refuses("POST", &format!("{RUN}/{action}"), "", 404, "no-such-run");
    }
    scene.refuses("GET", &format!("{RUN}?calls=true"), "", 500, "host");
    scene.still_answers();
}

#[test]
fn nobody_sends_more_than_is_read() {
    let scene = Scene::new();
    let long = |len: usize| format!(r#"{{"why": "{}"}}"#, "x".repeat(len));
    scene.refuses("POST", &format!("{RUN}/pause"), &long(100_000), 413, "too-large");
    let start = format!(r#"{{"plugin": "p", "input": "{}"}}"#, "x".repeat(9 << 20));
    scene.refuses("POST", "/v1/runs", &start, 413, "too-large");
    let deep = "[".repeat(50_000);
    scene.refuses("POST", "/v1/runs", &deep, 400, "wrong-request");
    scene.still_answers();
}

#[test]
fn what_is_no_http_is_cut_off() {
    let scene = Scene::new();
    let line = "GET /v1/host HTTP/1.1\r\nhost: h\r\n";
    let many: String = (0..100).map(|number| format!("x-{number}: y\r\n")).collect();
    for (bytes, status) in [
        (b"\x00\xff\xfe garbage \r\n\r\n".to_vec(), Some("400")),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), None),
        (b"GET /v1/host HTTP/3.0\r\nhost: h\r\n\r\n".to_vec(), Some("400")),
        (b"GET\r\n\r\n".to_vec(), Some("400")),
        (format!("{line}{many}\r\n").into_bytes(), Some("431")),
        (format!("GET /{} HTTP/1.1\r\nhost: h\r\n\r\n", "x".repeat(100_000)).into_bytes(), Some("4")),
        (format!("{line}x: {}\r\n\r\n", "y".repeat(100_000)).into_bytes(), Some("431")),
        (format!("{line}content-length: 3\r\ncontent-length: 4\r\n\r\nabcd").into_bytes(), Some("400")),
        (b"POST /v1/runs HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n\r\n{".to_vec(), Some("400")),
        (b"POST /v1/runs HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec(), Some("400")),
        (Vec::new(), None),
    ] {
        let answer = scene.sends(&bytes);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        match status {
            Some(status) => assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{shown:?}: {answer:?}"),
            None => assert!(!answer.starts_with("HTTP/1.1 2"), "{shown:?}: {answer:?}"),
        }
        scene.still_answers();
    }
}

/// Who opens connections and says nothing has some of them, and no more.
#[test]
fn idle_connections_do_not_keep_others_out_for_good() {
    let scene = Scene::new();
    let mut idle: Vec<_> = (0..63).map(|_| scene.connect()).collect();
    scene.still_answers();
    idle.truncate(1);
    scene.still_answers();
}

#[test]
fn as_many_runs_wait_as_may() {
    let scene = Scene::with_queue(0);
    scene.refuses("POST", "/v1/runs", r#"{"plugin": "p"}"#, 429, "full");
}

/// Begins a command, and returns what comes back after the head.
fn commands(scene: &Scene, version: &str, first: &[u8]) -> (String, Vec<u8>) {
    let mut stream = scene.connect();
    let head = format!(
        "POST /v1/commands HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: remit-command\r\nremit-version: {version}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        answer.push(byte[0]);
    }
    let _cut = stream.write_all(first).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut rest = Vec::new();
    let _cut = stream.read_to_end(&mut rest);
    (String::from_utf8(answer).unwrap(), rest)
}

#[test]
fn a_connection_becomes_one_for_a_command() {
    let scene = Scene::new();
    let version = env!("CARGO_PKG_VERSION");
    let mut interrupt = Vec::new();
    frames::FromClient::Interrupt.send(&mut interrupt).unwrap();
    for (first, code) in [(&interrupt[..], 7), (b"\xff\xff\xff\xff\xff", 9), (b"", 9)] {
        let (head, rest) = commands(&scene, version, first);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert_eq!(frames::FromHost::receive(&mut &*rest).unwrap(), frames::FromHost::Exit(code));
    }
    let (head, _) = commands(&scene, "0.0.1", b"");
    assert!(head.starts_with("HTTP/1.1 409 "), "{head}");
    scene.refuses("POST", "/v1/commands", "", 426, "no-upgrade");
    scene.still_answers();
}
