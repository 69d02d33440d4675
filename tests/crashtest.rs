//! `remit crashtest`: what it finds out about plugins, and that nothing of it reaches the world.
#![cfg(unix)]

use crate::binary::{Desk, code};
use crate::harness::component;
use crate::http::server::Server;

/// Makes a folder to write to and a plugin of the guest `durable` that may do all it can, to this place.
fn desk(url: &str) -> Desk {
    let desk = Desk::new();
    desk.folder("data");
    desk.write("data/there.txt", "before");
    desk.write("durable/durable.wasm", component("durable"));
    let plugin = "[plugin]\nname = \"durable\"\nversion = \"0.1.0\"\nkind = \"command\"\n";
    let files = "[capabilities.files.data]\nmount = \"data\"\naccess = \"read-write\"\nwhy = \"to write\"\n";
    let kv = "[capabilities.kv]\nprefixes = [\"count\"]\naccess = \"read-write\"\nwhy = \"to count\"\n";
    let http =
        format!("[[capabilities.http]]\nmethods = [\"GET\", \"PUT\", \"POST\"]\nurl = \"{url}\"\nwhy = \"to send\"\n");
    desk.write("durable/remit.toml", format!("{plugin}{files}{kv}{http}"));
    desk
}

const MOUNT: [&str; 4] = ["--mount", "data=data:rw", "--allow-requested", "--"];

fn crashtest<'a>(more: &[&'a str], guest: &[&'a str]) -> Vec<&'a str> {
    [&["crashtest", "durable"], more, &MOUNT, guest].concat()
}

#[test]
fn appended_lines_and_counts_are_whole_wherever_the_host_dies() {
    let desk = desk("https://stub.example/");
    let said = desk.remit(&crashtest(&["--most", "8"], &["log", "data", "2"])).ends(code::OK);
    assert_eq!(said.stdout, "durable was killed 16 times: 16 runs ended as without it\n");
    said.says(&["what is compared: the end, the record, files, requests"]);
    assert_eq!(desk.runs(), 0, "the home has none of its runs");
    let left: Vec<_> = std::fs::read_dir(desk.path("data")).expect("it is there").collect();
    assert_eq!(left.len(), 1, "the folder is as it was: {left:?}");
}

/// The server is never asked. What can be sent again under one key is; what cannot waits for a person.
#[test]
fn requests_are_counted_and_never_sent() {
    let server = Server::silent();
    let url = format!("http://127.0.0.1:{}/", server.port);
    let desk = desk(&url);
    desk.write("durable/durable.wasm", component("http"));
    for (method, in_doubt) in [("PUT", 0), ("POST", 1)] {
        let said =
            desk.remit(&crashtest(&["--json"], &["send", method, &format!("{url}items"), "a body"])).ends(code::OK);
        let report = said.json();
        assert_eq!(report["broken"], serde_json::json!([]), "{method}: {report}");
        assert_eq!(report["in-doubt"].as_object().expect("a table").len(), in_doubt, "{method}: {report}");
        assert!(report["whole"].as_u64() > Some(20), "{method}: {report}");
    }
    assert_eq!(server.unseen(), 0, "nothing is sent");
}

#[test]
fn a_plugin_that_never_ends_by_itself_is_told_so() {
    let desk = desk("https://stub.example/");
    desk.remit(&["crashtest", "nobody"]).fails(code::PLUGIN_UNFIT, &["there is no plugin nobody"]);
    desk.remit(&["crashtest", "durable", "--allow-requested"]).fails(code::NOT_GRANTED, &["files.data"]);
    desk.remit(&crashtest(&["--most", "0"], &[])).fails(code::USAGE, &["--most"]);
}
