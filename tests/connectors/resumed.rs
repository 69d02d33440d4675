//! Connectors that are resumed with their caller: each is built again from its own record, and knows what it knew.
#![cfg(unix)]

use serde_json::Value as Json;

use super::killed::{desk, http};
use crate::binary::{Desk, code};
use crate::http::server::Server;

/// Checks that the last run and those of the connectors that it called ended well, and replay.
#[track_caller]
fn all_are_whole(desk: &Desk, count: usize) {
    let runs = desk.json(&["runs", "--json"]);
    let runs = runs.as_array().expect("a list");
    assert_eq!(runs.len(), count, "{runs:#?}");
    for run in runs {
        let id = run["run"].as_str().expect("an id");
        assert_eq!(run["state"], "succeeded", "{run}");
        desk.remit(&["verify", id]).ends(code::OK);
        assert_eq!(desk.json(&["replay", id, "--json"])["verdict"], "matched", "{run}");
    }
}

/// The connector counts in its own memory: so it has to be the same one, as far as it can tell.
#[test]
fn a_connector_goes_on_with_its_caller_wherever_the_host_dies() {
    let run = |more: &[&'static str]| -> Vec<&'static str> {
        let args = ["caller", "--allow-requested", "--", "count", "4"];
        [&["run"], more, &args].concat()
    };
    let desk = || {
        let kv = "[capabilities.kv]\nprefixes = [\"issue/\"]\naccess = \"read-write\"\n";
        desk(&format!("{kv}why = \"to keep\"\n"), kv)
    };
    let whole = desk();
    assert_eq!(whole.remit(&run(&[])).ends(code::OK).stdout, "1\n2\n3\n4\n");
    let last = whole.json(&["show", "last", "--json"])["entries"].as_u64().expect("a count") - 2;
    // Each second entry in one way, and the others in the other; those in between are alike.
    for entry in (0..=last).filter(|entry| entry % 3 != 2) {
        let desk = desk();
        let at: &'static str = entry.to_string().leak();
        let death: &[&'static str] = if entry % 2 == 0 { &["--crash-suddenly"] } else { &[] };
        desk.start(&run(&[&["--crash-after", at], death].concat())).died();
        let said = desk.remit(&["resume", "last"]);
        assert_eq!(said.code, code::OK, "killed at {entry}: {}", said.stderr);
        let printed = printed(&desk);
        assert_eq!(printed, "1\n2\n3\n4\n", "killed at {entry} of {last}: {}", said.stderr);
        if entry % 5 == 0 {
            all_are_whole(&desk, 2);
        }
    }
}

/// Returns what the last run wrote to its output.
fn printed(desk: &Desk) -> String {
    let calls = desk.json(&["show", "last", "--json", "--calls"])["calls"].take();
    let calls = calls.as_array().expect("a list").iter();
    let writes = calls.filter(|call| call["function"].as_str().is_some_and(|name| name.contains("output-stream.")));
    writes.filter_map(|call| call["params"][1].as_str()).collect()
}

/// Stops a host while a connector waits for an answer, and lets the run go on when there is one.
fn stopped_within(signal: &str) {
    let server = Server::silent();
    let url = format!("http://127.0.0.1:{}/", server.port);
    let desk = desk(&http(&url, "why = \"to ask\""), &http(&url, "addresses = [\"loopback\"]"));
    let get = format!("get {url}");
    let running = desk.start(&["run", "caller", "--allow-requested", "--", "misbehave-twice", "", &get]);
    server.asked();
    running.signal(signal);
    match signal {
        "KILL" => drop(running.died()),
        _ => drop(running.said().ends(code::INTERRUPTED)),
    }
    let state = if signal == "KILL" { "interrupted" } else { "suspended" };
    let runs = desk.json(&["runs", "--json"]);
    let states: Vec<&Json> = runs.as_array().expect("a list").iter().map(|run| &run["state"]).collect();
    assert_eq!(states, [state, state], "{runs}");
    let port = server.port;
    drop(server);
    let again = Server::answering_at(port, 1, |_| vec![b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()]);
    desk.remit(&["resume", "last"]).ends(code::OK);
    assert!(again.asked().starts_with("GET / "));
    assert_eq!(again.unseen(), 0);
    all_are_whole(&desk, 2);
}

#[test]
fn a_connector_that_waited_when_the_host_died_asks_again() {
    stopped_within("KILL");
}

#[test]
fn a_connector_is_suspended_with_its_caller() {
    stopped_within("INT");
}

/// What a connector may have sent is for a person to decide, in the connector's run. Its caller waits, and is never in
/// doubt because of it.
#[test]
fn a_caller_waits_while_its_connector_is_in_doubt() {
    let server = Server::silent();
    let url = format!("http://127.0.0.1:{}/", server.port);
    let http = |more: &str| http(&url, more).replace("\"GET\"", "\"GET\", \"POST\"");
    let desk = desk(&http("why = \"to ask\""), &http("addresses = [\"loopback\"]"));
    let post = format!("post {url}");
    let running = desk.start(&["run", "caller", "--allow-requested", "--", "misbehave-twice", "", &post]);
    server.asked();
    running.signal("KILL");
    running.died();
    desk.remit(&["resume", "last"]).ends(code::PARKED).says(&["paused", "in doubt"]);
    let runs = desk.json(&["runs", "--json"]);
    let connector = runs.as_array().expect("a list").iter().find(|run| run["header"]["plugin"]["kind"] == "connector");
    let connector = connector.expect("it has a run");
    assert_eq!(connector["state"], "in-doubt");
    let id = connector["run"].as_str().expect("an id");
    assert_eq!(desk.json(&["show", "last", "--json"])["state"], "paused");
    assert_eq!(server.unseen(), 0, "nothing sends it again");
    let entry = desk.json(&["show", id, "--json"])["in-doubt"][0]["entry"].to_string();
    desk.remit(&["decide", id, &entry, "--retry"]).ends(code::OK);
    let port = server.port;
    drop(server);
    let again = Server::answering_at(port, 1, |_| vec![b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()]);
    desk.remit(&["resume", "last"]).ends(code::OK);
    assert!(again.asked().starts_with("POST / "));
    all_are_whole(&desk, 2);
}
