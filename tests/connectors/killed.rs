//! A host that is killed with `kill -9` while a connector works: what its act follows from is on disk, in every run.
#![cfg(unix)]

use serde_json::Value as Json;

use crate::binary::{Desk, Running, code, until};
use crate::harness::component;
use crate::http::server::Server;

/// Makes a caller, and a connector that is granted this.
pub fn desk(requested: &str, granted: &str) -> Desk {
    let desk = Desk::new();
    let plugin =
        |name: &str, kind: &str| format!("[plugin]\nname = \"{name}\"\nversion = \"1.0.0\"\nkind = \"{kind}\"\n");
    desk.write("tracker/remit.toml", plugin("tracker", "connector") + requested);
    desk.write("tracker/tracker.wasm", component("guest_connector"));
    let asks = "[capabilities.connectors.\"test:tracker/issues@1.2.0\"]\nwhy = \"to ask\"\n";
    desk.write("caller/remit.toml", plugin("caller", "command") + asks);
    desk.write("caller/caller.wasm", component("connector"));
    desk.write("grant.toml", granted);
    desk.remit(&["install", "tracker"]).ends(code::OK);
    desk.remit(&["grant", "tracker", "--file", "grant.toml"]).ends(code::OK);
    desk
}

/// Starts a caller that has the connector do two things, the second of which the server does not answer.
fn start(desk: &Desk, how: [&str; 2]) -> Running {
    desk.start(&["run", "caller", "--allow-requested", "--", "misbehave-twice", how[0], how[1]])
}

/// Returns the functions that the runs of the caller and of its connector have recorded. Neither has an end.
fn recorded(desk: &Desk) -> [Vec<String>; 2] {
    ["command", "connector"].map(|kind| {
        let runs = desk.json(&["runs", "--json"]);
        let mut runs = runs.as_array().expect("a list").iter();
        let run = runs.find(|run| run["header"]["plugin"]["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"));
        let id = run["run"].as_str().expect("an id");
        let shown = desk.json(&["show", id, "--json", "--calls"]);
        assert_eq!(shown["state"], "interrupted", "{shown}");
        let replay = desk.json(&["replay", id, "--json"]);
        assert_eq!(replay["verdict"], "unfinished", "{replay}");
        let calls = shown["calls"].as_array().expect("a list").iter();
        calls.filter_map(|call| call["function"].as_str()).map(str::to_owned).collect()
    })
}

/// Fails unless the first call is there, in both runs, and the second as far as it went.
#[track_caller]
fn know_both_calls([caller, connector]: &[Vec<String>; 2]) {
    let count = |functions: &[String], name: &str| {
        let name = format!("test:tracker/issues#{name}");
        functions.iter().filter(|recorded| **recorded == name).count()
    };
    let counts =
        [count(caller, "misbehave"), count(connector, "[call]misbehave"), count(connector, "[return]misbehave")];
    assert_eq!(counts, [1, 2, 1], "{caller:#?} {connector:#?}");
}

pub fn http(url: &str, more: &str) -> String {
    format!("[[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"{url}\"\n{more}\n")
}

/// What a counted call claims is on disk before it is sent, and with it what it follows from: what the connector was
/// asked, and what its caller had heard before.
#[test]
fn a_claim_of_a_connector_takes_what_its_caller_recorded_along() {
    let server = Server::silent();
    let url = format!("http://127.0.0.1:{}/", server.port);
    let granted = http(&url, "addresses = [\"loopback\"]\namount = \"3 per day\"");
    let desk = desk(&http(&url, "why = \"to ask\""), &granted);
    let running = start(&desk, ["", &format!("get {url}")]);
    server.asked();
    running.signal("KILL");
    running.died();

    let recorded = recorded(&desk);
    know_both_calls(&recorded);
    assert_eq!(recorded[1].last().map(String::as_str), Some("wasi:http/outgoing-handler#[exchange]handle"));
    let grants = desk.json(&["grants", "--json"]);
    assert_eq!(grants[0]["amounts"][0]["used"], Json::from(1), "{grants}");
}

/// What a caller asked is not to be had again, so it is on disk before the connector changes a file.
#[test]
fn what_a_connector_was_asked_is_on_disk_before_it_changes_a_file() {
    let server = Server::silent();
    let url = format!("http://127.0.0.1:{}/", server.port);
    let files = |more: &str| format!("[capabilities.files.out]\nmount = \"/out\"\naccess = \"read-write\"\n{more}\n");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = std::fs::canonicalize(folder.path()).expect("it is there");
    let requested = files("why = \"to write\"") + &http(&url, "why = \"to ask\"");
    let granted = files(&format!("dir = {:?}", dir.display().to_string())) + &http(&url, "addresses = [\"loopback\"]");
    let desk = desk(&requested, &granted);
    let running = start(&desk, ["open /out/a.txt", &format!("resize {url}")]);
    until("the file", || std::fs::read(dir.join("a.txt")).is_ok_and(|text| !text.is_empty()).then_some(()));
    running.signal("KILL");
    running.died();
    know_both_calls(&recorded(&desk));
}
