//! Secrets: the host adds them to requests on their way out. The guest, the record and whatever is printed never hold
//! them, also when the server sends them back.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base64::Engine as _;

use crate::binary::{Desk, Said, code};

/// How long the server waits for what a test has it wait for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What must be found nowhere but on its way to the server.
pub const CANARY: &str = "canary-4f1c9d27-of-the-tracker";

/// A tracker that answers one request, and sends back whatever the request authorised itself with.
fn tracker() -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it listens").port();
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody connects");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        let (mut asked, mut buffer) = (Vec::new(), [0; 1024]);
        while !asked.ends_with(b"\r\n\r\n") {
            let count = stream.read(&mut buffer).expect("the request comes");
            assert!(count > 0, "the request is cut off");
            asked.extend(&buffer[..count]);
        }
        let asked = String::from_utf8(asked).expect("these requests are text");
        let sent = asked.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or("nobody");
        let coded = base64::engine::general_purpose::STANDARD.encode(sent);
        let issues = format!(r#"[{{"title":"{sent}","open":true}},{{"title":"{coded}","open":true}}]"#);
        let head = format!("HTTP/1.1 200 OK\r\nX-Echo: {sent}\r\nContent-Length: {}\r\n\r\n", issues.len());
        stream.write_all(format!("{head}{issues}").as_bytes()).expect("the answer is taken");
        asked
    });
    (port, asked)
}

/// Makes a plugin of the example `fetch`, for a tracker on this port, and the grant that it needs.
fn desk(port: u16) -> Desk {
    let desk = Desk::with(&["fetch"]);
    let place = format!("url = \"http://127.0.0.1:{port}/\"");
    let http = format!("[[capabilities.http]]\nmethods = [\"GET\"]\n{place}\n");
    let secret = format!("[capabilities.secrets.tracker-token]\n{place}\nheader = \"authorization\"\n");
    let plugin = "[plugin]\nname = \"fetch\"\nversion = \"0.1.0\"\nkind = \"agent\"\ndescription = \"lists issues\"\n";
    desk.write("remit.toml", format!("{plugin}{http}why = \"lists issues\"\n{secret}why = \"to be let in\"\n"));
    desk.write("grant.toml", format!("{http}addresses = [\"loopback\"]\n{secret}"));
    desk
}

fn store(desk: &Desk) {
    desk.remit_reading(&["secret", "set", "tracker"], CANARY.as_bytes()).ends(code::OK);
}

fn bind(desk: &Desk, to: &str) {
    let how = ["--header", "Authorization", "--prefix", "Bearer "];
    let bind = ["secret", "bind", "tracker", "--plugin", ".", "--to", to];
    desk.remit(&[&bind[..], &how].concat()).ends(code::OK);
}

fn fetch(desk: &Desk, port: u16) -> Said {
    let input = format!(r#"{{"url":"http://127.0.0.1:{port}/issues.json"}}"#);
    desk.remit(&["run", ".", "--grant", "grant.toml", "--input", &input])
}

/// Fails where a text holds the secret, as it is or in base64.
#[track_caller]
pub fn holds_none(what: &str, bytes: &[u8]) {
    let coded = base64::engine::general_purpose::STANDARD.encode(format!("Bearer {CANARY}"));
    for form in [CANARY, &coded[12..36]] {
        assert!(!bytes.windows(form.len()).any(|window| window == form.as_bytes()), "{what} holds {form}");
    }
}

/// Fails where a file in the folder holds the secret.
pub fn look_through(folder: &Path) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        match path.is_dir() {
            true => look_through(&path),
            false => holds_none(&path.display().to_string(), &fs::read(&path).expect("the file can be read")),
        }
    }
}

#[test]
fn a_secret_reaches_the_server_and_nobody_else() {
    let (port, asked) = tracker();
    let desk = desk(port);
    store(&desk);
    bind(&desk, &format!("http://127.0.0.1:{port}/"));
    let said = fetch(&desk, port).ends(code::OK);
    let asked = asked.join().expect("the tracker is content");
    assert!(asked.contains(&format!("authorization: Bearer {CANARY}\r\n")), "{asked}");
    assert!(said.stdout.contains("[redacted]"), "{}", said.stdout);
    let shown = desk.remit(&["show", "last", "--json", "--calls"]).ends(code::OK);
    let listed = desk.remit(&["secret", "list", "--json"]).ends(code::OK);
    for said in [&said, &shown, &listed] {
        holds_none("stdout", said.stdout.as_bytes());
        holds_none("stderr", said.stderr.as_bytes());
    }
    look_through(&desk.home());
    // The tracker is gone, and so may the secret be: a replay needs neither.
    desk.remit(&["secret", "remove", "tracker"]).ends(code::OK);
    desk.last_is_whole();
}

#[test]
fn a_secret_that_is_missing_or_bound_elsewhere_is_not_sent() {
    for elsewhere in [None, Some("http://127.0.0.1:9/")] {
        let (port, asked) = tracker();
        let desk = desk(port);
        store(&desk);
        elsewhere.into_iter().for_each(|to| bind(&desk, to));
        fetch(&desk, port).ends(code::OK).says(&["secret tracker-token: nothing is bound", "remit secret bind"]);
        let asked = asked.join().expect("the tracker is content");
        assert!(!asked.to_ascii_lowercase().contains("authorization"), "{asked}");
    }
}

#[test]
fn a_grant_that_counts_is_not_taken_for_one_that_holds() {
    let desk = desk(9);
    let grant = fs::read_to_string(desk.path("grant.toml")).expect("it was written");
    desk.write("grant.toml", grant.replace("addresses =", "amount = \"1 per day\"\naddresses ="));
    fetch(&desk, 9).fails(code::NOT_GRANTED, &["`amount`", "does not enforce"]);
}

#[test]
fn what_the_configuration_denies_no_grant_opens() {
    let desk = desk(9);
    desk.remit(&["config", "init"]).ends(code::OK);
    let path = desk.home().join("config.toml");
    fs::write(&path, "[[ceiling.deny.http]]\nhost = \"127.0.0.1\"\n").expect("the home can be written");
    fetch(&desk, 9).ends(code::AGENT_FAILED).says(&["the remit does not allow GET"]);
    desk.last_is_whole();
    fs::write(&path, "[ceiling]\nfrobnicate = 1\n").expect("the home can be written");
    fetch(&desk, 9).fails(code::USAGE, &["config.toml", "frobnicate"]);
}
