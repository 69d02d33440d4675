//! A host that is killed with `kill -9` while a request is out.
#![cfg(unix)]

use serde_json::{Value as Json, json};

use super::server::Server;
use crate::binary::{Desk, code};
use crate::harness::component;

/// Makes a plugin of the guest `http`, which may send everything to this port.
pub fn desk(port: u16) -> Desk {
    let desk = Desk::new();
    let http =
        format!("[[capabilities.http]]\nmethods = [\"GET\", \"PUT\", \"POST\"]\nurl = \"http://127.0.0.1:{port}/\"\n");
    let plugin = "[plugin]\nname = \"sender\"\nversion = \"0.1.0\"\nkind = \"command\"\n";
    desk.write("sender/remit.toml", format!("{plugin}{http}why = \"to send\"\n"));
    desk.write("sender/sender.wasm", component("http"));
    desk.write("grant.toml", format!("{http}addresses = [\"loopback\"]\n"));
    desk
}

/// Whoever looks at the run afterwards hears of each request that may have changed something, and only of those, that
/// nobody knows what became of it. It was sent once, and nothing sends it again.
#[test]
fn a_write_that_was_out_when_the_host_died_is_in_doubt() {
    for (method, count, class) in [("GET", 0, ""), ("PUT", 1, "write-idempotent"), ("POST", 1, "write-once")] {
        let server = Server::silent();
        let desk = desk(server.port);
        let url = format!("http://127.0.0.1:{}/v1/items", server.port);
        let running = desk.start(&["run", "sender", "--grant", "grant.toml", "--", "send", method, &url, "a body"]);
        // The server has it: then the intent has to be on disk, if there has to be one.
        assert!(server.asked().starts_with(&format!("{method} /v1/items HTTP/1.1\r\n")));
        running.signal("KILL");
        running.died();

        let shown = desk.json(&["show", "last", "--json"]);
        assert_eq!(shown["state"], "interrupted", "{shown}");
        let doubts = shown["in-doubt"].as_array().expect("a list");
        assert_eq!(doubts.len(), count, "{method}: {shown}");
        let text = desk.remit(&["show", "last", "--calls"]).ends(code::OK).stdout;
        if let [doubt] = &doubts[..] {
            let sent = json!({ "method": method, "url": url });
            assert_eq!((&doubt["params"][1]["target"], &doubt["params"][1]["body"]), (&sent, &Json::from("a body")));
            assert_eq!(doubt["class"], class, "{doubt}");
            let line = text.lines().find(|line| line.starts_with("in doubt ")).unwrap_or_else(|| panic!("{text}"));
            assert!(line.contains(&url) && line.contains(&format!(", {class}, ")), "{line}");
            assert!(line.ends_with("whether it was done is not known"), "{line}");
            assert!(text.contains("(intent; whether it was done is not known)\n"), "{text}");
        } else {
            assert!(!text.contains("not known"), "{text}");
        }
        let replay = desk.json(&["replay", "last", "--json"]);
        assert_eq!(replay["verdict"], "unfinished", "{replay}");
        assert_eq!(server.unseen(), 0, "nothing sends it again");
    }
}

#[test]
fn a_write_that_was_answered_is_not_in_doubt() {
    let server = Server::answering(1, |_| vec![b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()]);
    let desk = desk(server.port);
    let url = format!("http://127.0.0.1:{}/v1/items", server.port);
    desk.remit(&["run", "sender", "--grant", "grant.toml", "--", "send", "POST", &url, "a body"]).ends(code::OK);
    assert_eq!(desk.json(&["show", "last", "--json"])["in-doubt"], json!([]));
    let text = desk.remit(&["show", "last", "--calls"]).ends(code::OK).stdout;
    assert!(text.contains(" (intent)\n") && !text.contains("not known"), "{text}");
}
