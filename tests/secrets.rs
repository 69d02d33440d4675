//! Secrets: the host adds them to requests on their way out. The guest, the record and whatever is printed never hold
//! them, also when the server sends them back.

#[cfg(target_os = "linux")]
mod memory;

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use serde_json::Value as Json;

use crate::binary::{Desk, Running, Said, code};
use crate::harness::component;
use crate::http::server::Server;

/// What must be found nowhere but on its way to the server.
pub const CANARY: &str = "canary-4f1c9d27-of-the-tracker";

/// A tracker that answers one request, and sends back whatever the request authorised itself with, as it is and in base64.
fn tracker() -> Server {
    Server::answering(1, |asked| {
        let sent = authorization(asked);
        let coded = STANDARD.encode(&sent);
        let issues = format!(r#"[{{"title":"{sent}","open":true}},{{"title":"{coded}","open":true}}]"#);
        let head = format!("HTTP/1.1 200 OK\r\nX-Echo: {sent}\r\nContent-Length: {}\r\n\r\n", issues.len());
        vec![format!("{head}{issues}").into_bytes()]
    })
}

fn authorization(asked: &str) -> String {
    asked.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or("nobody").to_owned()
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

/// Returns the forms in which the servers of these tests send the secret back.
fn forms() -> Vec<String> {
    let hex = |shape: fn(&u8) -> String| CANARY.as_bytes().iter().map(shape).collect::<String>();
    // Base64 of what has the secret at each alignment, without the characters that its neighbours are in too.
    let coded = (0..3).map(|before| {
        let coded = STANDARD.encode(format!("{}{CANARY}", &"xyz"[..before]));
        coded[(before * 8_usize).div_ceil(6)..(before + CANARY.len()) * 8 / 6].to_owned()
    });
    let plain = [CANARY.to_owned(), CANARY.to_uppercase(), CANARY.chars().rev().collect()];
    let escaped =
        [hex(|byte| format!("{byte:02x}")), hex(|byte| format!("{byte:02X}")), hex(|byte| format!("%{byte:02X}"))];
    plain.into_iter().chain(escaped).chain(coded).collect()
}

/// Fails where a text holds the secret, in whatever form.
#[track_caller]
pub fn holds_none(what: &str, bytes: &[u8]) {
    for form in forms() {
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
    let tracker = tracker();
    let port = tracker.port;
    let desk = desk(port);
    store(&desk);
    bind(&desk, &format!("http://127.0.0.1:{port}/"));
    let said = fetch(&desk, port).ends(code::OK);
    let asked = tracker.asked();
    assert!(asked.contains(&format!("authorization: Bearer {CANARY}\r\n")), "{asked}");
    assert!(said.stdout.contains("[redacted]"), "{}", said.stdout);
    let shown = desk.remit(&["show", "last", "--json", "--calls"]).ends(code::OK);
    let listed = desk.remit(&["secret", "list", "--json"]).ends(code::OK);
    for said in [&said, &shown, &listed] {
        holds_none("stdout", said.stdout.as_bytes());
        holds_none("stderr", said.stderr.as_bytes());
    }
    look_through(&desk.home());
    desk.remit(&["export", "last", "-o", "asked.remit"]).ends(code::OK);
    holds_none("a bundle", &fs::read(desk.path("asked.remit")).expect("it was written"));
    let shown = desk.remit(&["show", "asked.remit", "--json", "--calls"]).ends(code::OK);
    assert!(shown.stdout.contains("[redacted]"), "{}", shown.stdout);
    holds_none("what a bundle shows", shown.stdout.as_bytes());
    // The tracker is gone, and so may the secret be: a replay needs neither.
    desk.remit(&["secret", "remove", "tracker"]).ends(code::OK);
    desk.last_is_whole();
}

#[test]
fn a_secret_that_is_missing_or_bound_elsewhere_is_not_sent() {
    for elsewhere in [None, Some("http://127.0.0.1:9/")] {
        let tracker = tracker();
        let desk = desk(tracker.port);
        store(&desk);
        elsewhere.into_iter().for_each(|to| bind(&desk, to));
        let said = fetch(&desk, tracker.port).ends(code::OK);
        said.says(&["secret tracker-token: nothing is bound", "remit secret bind"]);
        let asked = tracker.asked();
        assert!(!asked.to_ascii_lowercase().contains("authorization"), "{asked}");
    }
}

/// A plugin of the guest `http` that shows all of an answer, with a secret for a header and one for a query field.
fn echoing(port: u16) -> Desk {
    let desk = Desk::new();
    let place = format!("url = \"http://127.0.0.1:{port}/\"\n");
    let http = format!("[[capabilities.http]]\nmethods = [\"GET\"]\n{place}");
    let header = format!("[capabilities.secrets.token]\n{place}header = \"authorization\"\n");
    let query = format!("[capabilities.secrets.key]\n{place}query = \"key\"\n");
    let plugin = "[plugin]\nname = \"echoing\"\nversion = \"0.1.0\"\nkind = \"command\"\n";
    let why = "why = \"a test\"\n";
    desk.write("echoing/remit.toml", format!("{plugin}{http}{why}{header}{why}{query}{why}"));
    desk.write("echoing/echoing.wasm", component("http"));
    desk.write("grant.toml", format!("{http}addresses = [\"loopback\"]\n{header}{query}"));
    store(&desk);
    desk
}

/// Binds the secret to a slot of the plugin's requests.
fn bind_slot(desk: &Desk, plugin: &str, port: u16, slot: &[&str]) {
    let to = format!("http://127.0.0.1:{port}/");
    desk.remit(&[&["secret", "bind", "tracker", "--plugin", plugin, "--to", &to], slot].concat()).ends(code::OK);
}

const HEADER: &[&str] = &["--header", "authorization", "--prefix", "Bearer "];

/// Whatever a server makes of the secret: in headers, trailers, the place it redirects to and what is no HTTP, whole or
/// a few bytes at a time, in every form that servers use. The host's own log is as talkative as it can be.
#[test]
fn no_echo_comes_back_in_any_form_or_place() {
    type Answer = fn(&str) -> Vec<Vec<u8>>;
    let cases: [(&str, Answer); 7] = [
        ("chunks of three bytes", |sent| {
            let chunk = |part: &[u8]| [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
            let chunks = sent.as_bytes().chunks(3).map(chunk);
            let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            [head].into_iter().chain(chunks).chain([b"0\r\n\r\n".to_vec()]).collect()
        }),
        ("every form", |sent| {
            let body = forms().into_iter().filter(|form| *form != CANARY.chars().rev().collect::<String>());
            let body = body.chain([sent.to_owned()]).collect::<Vec<_>>().join(" | ");
            vec![format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()]
        }),
        ("headers", |sent| {
            let name = CANARY;
            let answer =
                format!("HTTP/1.1 302 {sent}\r\nLocation: /?x={sent}\r\nSet-Cookie: {sent}\r\n{name}: 1\r\n\r\n");
            vec![answer.into_bytes()]
        }),
        ("trailers", |sent| {
            let answer = format!("Transfer-Encoding: chunked\r\n\r\n0\r\nX-Last: {sent}\r\n\r\n");
            vec![format!("HTTP/1.1 200 OK\r\n{answer}").into_bytes()]
        }),
        ("no HTTP", |sent| vec![sent.as_bytes().to_vec()]),
        ("a broken head", |sent| vec![format!("HTTP/1.1 200 OK\r\nx: {sent}\0\r\n\r\n").into_bytes()]),
        ("an incomplete body", |sent| {
            vec![format!("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{sent}").into_bytes()]
        }),
    ];
    for (what, answer) in cases {
        for slot in [HEADER, &["--query", "key"]] {
            let server = Server::answering(1, move |asked| match authorization(asked).as_str() {
                "nobody" => answer(asked.split(['=', ' ']).nth(2).unwrap_or_default()),
                sent => answer(sent),
            });
            let desk = echoing(server.port);
            bind_slot(&desk, "echoing", server.port, slot);
            let url = format!("http://127.0.0.1:{}/issues", server.port);
            let mut run = desk.command(&["run", "echoing", "--grant", "grant.toml", "-v", "--", "send", "GET", &url]);
            let said =
                Running::start(run.env("REMIT_LOG", "warn,remit=trace,hyper=trace,rustls=trace")).said().ends(code::OK);
            assert!(server.asked().contains(CANARY), "{what}: the secret was sent");
            let shown = ["show last --json --calls", "show last --calls", "replay last --json", "runs --json"];
            let shown = shown.map(|args| desk.remit(&args.split(' ').collect::<Vec<_>>()).ends(code::OK));
            for said in [said].iter().chain(&shown) {
                holds_none(what, said.stdout.as_bytes());
                holds_none(what, said.stderr.as_bytes());
            }
            look_through(&desk.home());
        }
    }
}

/// What the guest has in the field that the secret goes into does not reach the server, however it spells the field.
#[test]
fn a_guest_cannot_stand_in_for_the_secret_in_a_query() {
    let server = Server::answering(1, |_| vec![b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()]);
    let desk = echoing(server.port);
    bind_slot(&desk, "echoing", server.port, &["--query", "key"]);
    let url = format!("http://127.0.0.1:{}/issues?key=mine&a=1&%6bey=mine&k%65y", server.port);
    desk.remit(&["run", "echoing", "--grant", "grant.toml", "--", "send", "GET", &url]).ends(code::OK);
    assert!(server.asked().starts_with(&format!("GET /issues?a=1&key={CANARY} HTTP/1.1\r\n")));
}

/// The line that is printed for a request that is refused, granted as it stands, lets the next one through.
#[test]
fn the_line_that_a_refused_request_prints_is_accepted() {
    let server = Server::answering(1, |_| vec![b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()]);
    let desk = echoing(server.port);
    desk.write("grant.toml", "");
    desk.remit(&["install", "echoing"]).ends(code::OK);
    let url = format!("http://127.0.0.1:{}/issues", server.port);
    desk.remit(&["grant", "echoing", "capabilities.kv = { access = \"read\" }"]).ends(code::OK);
    let send = || desk.remit(&["run", "echoing", "--", "send", "GET", &url]).ends(code::OK);
    let refused = send();
    assert!(refused.stdout.contains("HttpRequestDenied"), "{}", refused.stdout);
    let typed = refused.stderr.lines().find_map(|line| line.trim().strip_prefix("to keep it: remit "));
    let typed = typed.unwrap_or_else(|| panic!("{}", refused.stderr));
    let words: Vec<_> = typed.splitn(3, ' ').map(|word| word.trim_matches('\'')).collect();
    desk.remit(&words).ends(code::OK);
    assert!(send().stdout.starts_with("204\n"));
    assert!(server.asked().starts_with("GET /issues HTTP/1.1\r\n"));
}

/// A secret is bound by the name of an installed plugin as by its folder, also once the folder is gone.
#[test]
fn a_secret_is_bound_to_an_installed_plugin_by_its_name() {
    let server = Server::answering(1, |_| vec![b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()]);
    let desk = echoing(server.port);
    desk.remit(&["install", "echoing"]).ends(code::OK);
    fs::rename(desk.path("echoing"), desk.path("elsewhere")).expect("a folder can be renamed");
    bind_slot(&desk, "echoing", server.port, HEADER);
    let url = format!("http://127.0.0.1:{}/issues", server.port);
    let run = ["run", "echoing", "--grant", "grant.toml", "--", "send", "GET", &url];
    desk.remit(&run).ends(code::OK);
    assert_eq!(authorization(&server.asked()), format!("Bearer {CANARY}"));
    // The folder that was moved is another plugin, whatever its manifest says.
    let other = ["secret", "unbind", "tracker", "--plugin", "elsewhere"];
    desk.remit(&other).fails(code::USAGE, &["is not bound for folder:", "elsewhere#echoing"]);
    desk.remit(&["secret", "unbind", "tracker", "--plugin", "echoing"]).ends(code::OK).says(&["1 binding ended"]);
    let missing = ["secret", "bind", "tracker", "--plugin", "nobody", "--to", "http://127.0.0.1/", "--query", "key"];
    desk.remit(&missing).fails(code::PLUGIN_UNFIT, &["there is no plugin nobody"]);
}

/// What opens the vault is the host's key, and a key that others can read is refused wherever it would be used.
#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_opens_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = echoing(9);
    let key = desk.home().join("identity.key");
    for mode in [0o640, 0o604, 0o660] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).expect("the mode can be set");
        for args in
            [&["secret", "list"][..], &["secret", "remove", "tracker"], &["run", "echoing", "--grant", "grant.toml"]]
        {
            desk.remit(args).fails(code::HOST_FAILED, &["identity.key", "chmod 600"]);
        }
        desk.remit_reading(&["secret", "set", "tracker"], CANARY.as_bytes()).fails(code::HOST_FAILED, &["chmod 600"]);
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("the mode can be set");
    let listed = desk.json(&["secret", "list", "--json"]);
    assert_eq!((listed.as_array().map(Vec::len), &listed[0]["name"]), (Some(1), &Json::from("tracker")));
}

#[test]
fn what_is_counted_is_held_to_by_the_next_run_too() {
    let tracker = tracker();
    let port = tracker.port;
    let desk = desk(port);
    let grant = fs::read_to_string(desk.path("grant.toml")).expect("it was written");
    desk.write("grant.toml", grant.replace("addresses =", "amount = \"1 per day\"\naddresses ="));
    fetch(&desk, port).ends(code::OK);
    tracker.asked();
    // The tracker is gone: what is refused is not sent.
    let said = fetch(&desk, port).ends(code::AGENT_FAILED);
    said.says(&["1 per day is used up: 1 used or reserved, until ", "amount = \"2 per day\""]);
    desk.last_is_whole();
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
