//! `cargo xtask issues`: the tracker that `examples/fetch` asks, on loopback alone.
//!
//! It answers `GET /issues.json` for who has the token, one request per connection, until it is ended. It is a stand-in
//! for a service, and no server for anything else.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::shell;

/// What it serves, seen from the repository's root.
const ISSUES: &str = "examples/fetch/issues.json";

/// How long a client may take to ask, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes of a request's head, at most.
const HEAD_LEN_MAX: u64 = 16 << 10;

/// Serves the issues on `port` to who has `token`.
///
/// Fails when the port is taken or the issues cannot be read.
pub fn run(port: u16, token: &str) -> Result<()> {
    let path = shell::root().join(ISSUES);
    let issues = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("cannot listen on port {port}: is another tracker there? try --port"))?;
    let port = listener.local_addr()?.port();
    eprintln!("http://localhost:{port}/issues.json is there for who sends the token {token:?}; Ctrl-C ends it");
    loop {
        let (stream, _) = listener.accept()?;
        // A client that goes away, or sends no request, is its own business.
        match serve(&stream, &issues, token) {
            Ok(told) => eprintln!("{told}"),
            Err(error) => eprintln!("no request: {error}"),
        }
    }
}

/// Answers one request. Returns what to tell the person who looks on.
fn serve(mut stream: &TcpStream, issues: &str, token: &str) -> std::io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut head = String::new();
    let mut lines = BufReader::new(stream.take(HEAD_LEN_MAX));
    while lines.read_line(&mut head)? > 2 {}
    let (status, body) = answer(&head, issues, token);
    let kind = "content-type: application/json\r\nconnection: close\r\n";
    write!(stream, "HTTP/1.1 {status}\r\n{kind}content-length: {}\r\n\r\n{body}", body.len())?;
    let asked = head.lines().next().unwrap_or_default();
    Ok(format!("{asked:?}: {status}"))
}

/// Returns the status and the body for a request with this head.
fn answer<'a>(head: &str, issues: &'a str, token: &str) -> (&'static str, &'a str) {
    let mut lines = head.lines();
    let expected = format!("Bearer {token}");
    let asked = lines.next().unwrap_or_default();
    let has_token = lines
        .filter_map(|line| line.split_once(':'))
        .any(|(name, value)| name.eq_ignore_ascii_case("authorization") && value.trim() == expected);
    let mut words = asked.split(' ');
    match (words.next(), words.next()) {
        _ if !has_token => ("401 Unauthorized", "{\"error\":\"a token is needed\"}"),
        (Some("GET"), Some("/issues.json")) => ("200 OK", issues),
        (Some("GET"), Some(_)) => ("404 Not Found", "{\"error\":\"nothing is here\"}"),
        _ => ("405 Method Not Allowed", "{\"error\":\"issues are only read here\"}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_has_the_token_is_shown_the_issues() {
        let status = |head: &str| answer(head, "[]", "t0ken").0;
        let with = |line: &str| status(&format!("{line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t0ken\r\n\r\n"));
        assert_eq!(with("GET /issues.json"), "200 OK");
        assert_eq!(with("GET /"), "404 Not Found");
        assert_eq!(with("POST /issues.json"), "405 Method Not Allowed");
        for other in ["", "authorization: t0ken\r\n", "authorization: Bearer t0ke\r\n", "x: Bearer t0ken\r\n"] {
            assert_eq!(status(&format!("GET /issues.json HTTP/1.1\r\n{other}\r\n")), "401 Unauthorized", "{other}");
        }
        assert_eq!(status(""), "401 Unauthorized");
    }

    #[test]
    fn the_example_has_the_issues() {
        let issues = std::fs::read_to_string(shell::root().join(ISSUES)).unwrap();
        let issues: Vec<serde_json::Value> = serde_json::from_str(&issues).unwrap();
        assert!(issues.iter().all(|issue| issue["title"].is_string() && issue["open"].is_boolean()));
    }
}
