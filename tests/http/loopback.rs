//! Exchanges with a real server, on loopback, through this host's own sender.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use remit::capability::wasi::http::{Secrets, Through};
use remit::net::{ExtraRoots, Options, Partition, Sender};
use remit::time::Clock;

use super::EXCHANGE;
use crate::harness::Scene;

/// How long a server waits for what a test has it wait for.
const PATIENCE: Duration = Duration::from_secs(10);

fn through() -> Arc<Through> {
    let sender = Sender::new(Options::system(ExtraRoots::default(), Clock::system()));
    Arc::new(Through { sender: Arc::new(sender), partition: Partition::new([7; 32]), secrets: Secrets::default() })
}

/// Makes a server that answers one request with this text. Returns its port, and what it was asked.
fn server(answer: &'static str) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it listens").port();
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody connects");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        let (mut asked, mut buffer) = (Vec::new(), [0; 1024]);
        while !is_whole(&asked) {
            let count = stream.read(&mut buffer).expect("the request comes");
            assert!(count > 0, "the request is cut off");
            asked.extend(&buffer[..count]);
        }
        stream.write_all(answer.as_bytes()).expect("the answer is taken");
        String::from_utf8(asked).expect("these requests are text")
    });
    (port, asked)
}

/// Whether the bytes hold a request's head, and the body of its declared length.
pub(super) fn is_whole(asked: &[u8]) -> bool {
    let text = String::from_utf8_lossy(asked);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn granted(port: u16) -> String {
    format!(
        "[[capabilities.http]]\nmethods = [\"GET\", \"PUT\"]\nurl = \"http://127.0.0.1:{port}/v1/\"\n\
         addresses = [\"loopback\"]\n"
    )
}

#[test]
fn a_request_goes_to_a_server_and_its_answer_to_the_guest() {
    let (port, asked) = server("HTTP/1.1 201 Created\r\nX-Of: server\r\nContent-Length: 5\r\n\r\nhello");
    let url = format!("http://127.0.0.1:{port}/v1/items?q=1");
    let play = Scene::ticking().command("http", ["send", "PUT", &url, "body"]).granted_by(&granted(port));
    let ran = play.reaching(&through()).run();
    let ran = ran.printed("201\nx-of: server\ncontent-length: 5\n\nhello\n");
    let asked = asked.join().expect("the server is content");
    assert!(asked.starts_with("PUT /v1/items?q=1 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("host: 127.0.0.1:{port}\r\n")), "{asked}");
    assert!(asked.contains("x-from: guest\r\n") && asked.contains("idempotency-key: "), "{asked}");
    assert!(asked.ends_with("\r\n\r\nbody"), "{asked}");
    // The server is gone, so what a replay shows comes from the record.
    ran.replayed();
}

#[test]
fn a_special_address_that_no_grant_names_is_never_dialled() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.set_nonblocking(true).expect("the listener can be asked");
    let port = listener.local_addr().expect("it listens").port();
    let url = format!("http://127.0.0.1:{port}/v1/items");
    let unnamed = granted(port).replace("addresses = [\"loopback\"]\n", "");
    let ran = Scene::ticking().command("http", ["wait", "block", &url]).granted_by(&unnamed).reaching(&through()).run();
    let ran = ran.printed("error: ErrorCode::DestinationIpProhibited\n").replayed();
    assert_eq!(listener.accept().expect_err("nobody came").kind(), ErrorKind::WouldBlock);
    let grant = ran.refused_once(EXCHANGE, "127.0.0.1").expect("a grant would allow it");
    assert!(grant.contains("addresses = [\""), "{grant}");
}

#[test]
fn a_server_that_is_not_there_and_one_that_hangs_up_are_told_apart() {
    let (port, asked) = server("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ncut off");
    let url = format!("http://127.0.0.1:{port}/v1/items");
    let run = || {
        let play = Scene::ticking().command("http", ["wait", "block", &url]).granted_by(&granted(port));
        play.reaching(&through()).run().replayed()
    };
    let cut_off = run();
    asked.join().expect("the server is content");
    assert!(cut_off.text().contains("HttpResponseIncomplete"), "{}", cut_off.text());
    assert_eq!(run().text(), "error: ErrorCode::ConnectionRefused\n");
}

/// A server that asks to be left alone is, by every run of the plugin, until the time that it named; a run that could not
/// wait so long hears it at once.
#[test]
fn a_server_that_asks_for_time_is_given_it_across_runs() {
    let (port, asked) = server("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n");
    let url = format!("http://127.0.0.1:{port}/v1/items");
    let run = |through: &Arc<Through>| {
        let play = Scene::ticking().command("http", ["wait", "block", &url]).granted_by(&granted(port));
        play.reaching(through).run().replayed()
    };
    let ours = through();
    assert_eq!(run(&ours).text(), "429\n");
    asked.join().expect("the server is content");
    let held_back = run(&ours);
    assert_eq!(held_back.text(), "error: ErrorCode::ConnectionLimitReached\n");
    // Another plugin was asked for nothing, so it tries, and finds nobody any more.
    let other = Arc::new(Through { partition: Partition::new([8; 32]), ..(*ours).clone() });
    assert_eq!(run(&other).text(), "error: ErrorCode::ConnectionRefused\n");
}
