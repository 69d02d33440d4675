//! `remit fork`: a run that begins where another was once. It goes on by itself, and has no effects unless it is armed.
#![cfg(unix)]

use serde_json::{Value as Json, json};

use crate::binary::{Desk, code};
use crate::http::killed;
use crate::http::server::Server;
use crate::resume::{self, desk, durable, left, shown};

/// Returns the last run with its calls.
fn last(desk: &Desk) -> Json {
    desk.json(&["show", "last", "--json", "--calls"])
}

fn calls(run: &Json) -> &[Json] {
    run["calls"].as_array().expect("a list")
}

/// Returns the numbers of the entries of a function.
fn entries(run: &Json, function: &str) -> Vec<u64> {
    let of = |call: &&Json| call["function"].as_str().is_some_and(|name| name.contains(function));
    calls(run).iter().filter(of).filter_map(|call| call["entry"].as_u64()).collect()
}

/// Forks a run, and returns the fork's id.
#[track_caller]
fn fork(desk: &Desk, run: &str, args: &[&str]) -> String {
    let said = desk.remit(&[&["fork", run], args].concat()).ends(code::OK);
    let made = desk.json(&["show", "last", "--json"]);
    assert_eq!((&made["run"], &made["state"]), (&Json::from(said.stdout.trim()), &Json::from("paused")));
    said.stdout.trim().to_owned()
}

/// Runs the guest that appends lines and counts them, and returns its run.
fn logged(desk: &Desk) -> (String, Json) {
    desk.remit(&durable(&["log", "data", "3"])).ends(code::OK);
    let run = last(desk);
    (run["run"].as_str().expect("an id").to_owned(), run)
}

/// Returns what the store counts, as a run sees it that counts nothing.
fn counted(desk: &Desk) -> String {
    desk.remit(&durable(&["log", "data", "0"])).ends(code::OK).stdout
}

#[test]
fn a_disarmed_fork_changes_nothing_and_hears_what_its_parent_heard() {
    let desk = desk();
    let (id, parent) = logged(&desk);
    let (files, end) = (left(&desk.path("data")), calls(&parent).len() - 1);
    // What it had not stored yet is what is stored now.
    let stored = entries(&parent, "kv#set")[0] as usize + 1;
    for at in (stored..=end).step_by(5).chain([end]) {
        fork(&desk, &id, &["--at", &at.to_string()]);
        let before = last(&desk);
        assert_eq!(calls(&before)[..at], calls(&parent)[..at], "at {at}");
        let said = desk.remit(&["resume", "last"]);
        assert_eq!(said.code, code::OK, "at {at}: {}", said.stderr);
        let forked = last(&desk);
        assert_eq!((shown(&forked), left(&desk.path("data"))), (shown(&parent), files.clone()), "at {at}");
        let diff = desk.remit(&["diff", &id, "last"]);
        assert_eq!(diff.code, code::OK, "at {at}: {}", diff.stdout);
        desk.last_is_whole();
        desk.remit(&["rm", "last"]).ends(code::OK);
    }
    assert_eq!(counted(&desk), "3\n", "what a fork stores is its own");
}

#[test]
fn an_outcome_is_set_and_what_follows_is_the_forks_own() {
    let desk = desk();
    let (id, parent) = logged(&desk);
    let gets = entries(&parent, "kv#get");
    let set = |entry: u64, value: &str| format!("{entry}=[{{\"ok\": {value}}}]");
    let at = gets[1].to_string();
    // Set before it, too: then the fork begins there.
    fork(&desk, &id, &["--at", &at, "--set", &set(gets[0], "\"41\"")]);
    let made = last(&desk);
    assert_eq!(calls(&made)[gets[0] as usize]["outcome"], json!([{ "ok": "41" }]));
    assert_eq!(made["header"]["cut"], gets[0]);
    let said = desk.remit(&["resume", "last"]).ends(code::OK);
    assert_eq!(said.stdout, "44\n");
    desk.last_is_whole();
    desk.remit(&["diff", &id, "last"]).ends(code::DIVERGED);
    assert_eq!(counted(&desk), "3\n");
    // Between two that are set, the record is the parent's, and the guest has to go along with it.
    let (first, second) = (set(gets[0], "\"41\""), set(gets[1], "\"7\""));
    fork(&desk, &id, &["--at", &at, "--set", &first, "--set", &second]);
    desk.remit(&["resume", "last"]).ends(code::PARKED).says(&["what it does is not what is recorded"]);
    let (first, second) = (set(gets[0], "null"), set(gets[1], "\"7\""));
    fork(&desk, &id, &["--at", &at, "--set", &second, "--set", &first]);
    assert_eq!(desk.remit(&["resume", "last"]).ends(code::OK).stdout, "9\n");
    desk.last_is_whole();
}

#[test]
fn what_the_parent_did_not_do_is_refused() {
    let desk = desk();
    desk.remit(&durable(&["random", "data", "1"])).ends(code::OK);
    let files = left(&desk.path("data"));
    fork(&desk, "last", &["--at", "0"]);
    // The clock is another, and so is what the guest would write.
    desk.remit(&["resume", "last"]).ends(code::CRASHED).says(&["disarmed fork", "remit fork --armed"]);
    assert_eq!(left(&desk.path("data")), files);
    desk.last_is_whole();
}

#[test]
fn a_fork_sends_nothing_until_it_is_armed_and_then_it_is_another_call() {
    let server = Server::answering(2, |_| vec![b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok".to_vec()]);
    let desk = killed::desk(server.port);
    let url = format!("http://127.0.0.1:{}/v1/items", server.port);
    let said = desk.remit(&["run", "sender", "--grant", "grant.toml", "--", "send", "PUT", &url, "a body"]);
    let (parent, first) = (said.ends(code::OK).stdout, server.asked());
    let id = last(&desk)["run"].as_str().expect("an id").to_owned();
    let intent = entries(&last(&desk), "#[exchange]handle")[0];
    let at = |entry: u64| entry.to_string();
    for entry in [0, intent, intent + 2] {
        fork(&desk, &id, &["--at", &at(entry)]);
        assert_eq!(desk.remit(&["resume", "last"]).ends(code::OK).stdout, parent, "at {entry}");
        desk.last_is_whole();
    }
    desk.remit(&["fork", &id, "--at", &at(intent + 1)]).fails(code::USAGE, &["in the middle of a call", "--at"]);
    let other = r#"{"ok":{"status":409,"headers":[],"body":"no","trailers":[]}}"#;
    for entry in [intent, intent + 1] {
        fork(&desk, &id, &["--at", &at(entry), "--set", &format!("{entry}={other}")]);
        let said = desk.remit(&["resume", "last"]).ends(code::OK);
        assert!(said.stdout.contains("409"), "{}", said.stdout);
        desk.last_is_whole();
    }
    assert_eq!(server.unseen(), 0, "nothing was sent");
    fork(&desk, &id, &["--at", &at(intent), "--armed"]);
    desk.remit(&["resume", "last"]).ends(code::OK);
    let key = |request: &str| request.lines().find(|line| line.starts_with("idempotency-key: ")).map(str::to_owned);
    let second = server.asked();
    assert!(key(&first).is_some() && key(&second).is_some() && key(&first) != key(&second), "{first}{second}");
    desk.last_is_whole();
}

/// Where nobody knows what became of an effect, a fork can be told what might have.
#[test]
fn a_run_in_doubt_is_forked_with_either_outcome() {
    let (desk, server) = resume::in_doubt();
    desk.remit(&["resume", "last"]).ends(code::PARKED);
    let parent = last(&desk);
    let id = parent["run"].as_str().expect("an id");
    let entry = parent["in-doubt"][0]["entry"].as_u64().expect("a number");
    let (at, later) = (entry.to_string(), (entry + 1).to_string());
    desk.remit(&["fork", id, "--at", &later]).fails(code::USAGE, &["in the middle of a call", &format!("--at {at}")]);
    for (outcome, says) in [
        (r#"{"ok":{"status":201,"headers":[],"body":"made","trailers":[]}}"#, "201"),
        (r#"{"err":"connection-terminated"}"#, "ConnectionTerminated"),
    ] {
        fork(&desk, id, &["--at", &at, "--set", &format!("{entry}={outcome}")]);
        let said = desk.remit(&["resume", "last"]);
        assert!(said.stdout.contains(says), "{} {}", said.stdout, said.stderr);
        assert_eq!(last(&desk)["in-doubt"], json!([]));
        desk.last_is_whole();
    }
    fork(&desk, id, &["--at", &at]);
    desk.remit(&["resume", "last"]).says(&["disarmed fork"]);
    desk.last_is_whole();
    assert_eq!(desk.json(&["show", id, "--json"])["state"], "in-doubt");
    assert_eq!(server.unseen(), 0, "nothing sends it");
}

#[test]
fn a_run_that_was_killed_is_forked_and_goes_on_armed() {
    let desk = desk();
    desk.start(&resume::killed(&durable(&["log", "data", "4"]), "30", &[])).died();
    let id = fork(&desk, "last", &["--at", "20", "--armed"]);
    desk.remit(&["resume", "last"]).ends(code::OK);
    assert_eq!(left(&desk.path("data"))["log.txt"].iter().filter(|byte| **byte == b'\n').count(), 4);
    desk.last_is_whole();
    // A fork of a fork.
    fork(&desk, &id, &["--at", "25"]);
    desk.remit(&["resume", "last"]).ends(code::OK);
    desk.last_is_whole();
}

#[test]
fn a_fork_that_is_killed_is_resumed_and_is_told_no_more_than_once() {
    let desk = desk();
    let (id, parent) = logged(&desk);
    let (files, stored) = (left(&desk.path("data")), (entries(&parent, "kv#set")[0] + 1).to_string());
    for entry in [24_u64, 28, 32] {
        fork(&desk, &id, &["--at", &stored]);
        desk.start(&["resume", "last", "--crash-after", &entry.to_string()]).died();
        desk.remit(&["resume", "last"]).ends(code::OK);
        let forked = last(&desk);
        assert_eq!((shown(&forked), left(&desk.path("data"))), (shown(&parent), files.clone()), "killed at {entry}");
        desk.last_is_whole();
    }
}

#[test]
fn what_cannot_be_forked_is_refused_and_leaves_nothing() {
    let desk = desk();
    let (_, parent) = logged(&desk);
    let (len, get) = (calls(&parent).len() as u64, entries(&parent, "kv#get")[0]);
    let pure = calls(&parent).iter().find(|call| call["class"] == "pure").expect("there is one")["entry"].clone();
    let set = |entry: &dyn ToString, value: &str| format!("{}={value}", entry.to_string());
    let (end, state) = ((len - 1).to_string(), set(&(len - 1), "[1]"));
    let (right, wrong) = (set(&get, "[{\"ok\": null}]"), set(&get, "[{\"ok\": 7}]"));
    let fails = |args: &[&str], says: &[&str]| {
        desk.remit(&[&["fork", "last"], args].concat()).fails(code::USAGE, says);
    };
    fails(&["--at", &(len + 1).to_string()], &["nothing goes on after that"]);
    fails(&["--at", &len.to_string()], &["ended at entry", &format!("--at {end}")]);
    fails(&["--at", "18446744073709551615"], &["ended at entry"]);
    fails(&["--at", &end, "--set", &wrong], &["at 0.ok", "found 7", "remit show"]);
    fails(&["--at", &end, "--set", &right, "--set", &right], &["set twice"]);
    fails(&["--at", "0", "--set", &right], &["is not before the fork"]);
    fails(&["--at", &end, "--set", &state], &["is not of a call"]);
    fails(&["--at", &end, "--set", &set(&pure, "[]")], &["holds no outcome"]);
    desk.remit(&["fork", "last", "--at", "1", "--set", "5"]).ends(code::USAGE);
    desk.remit(&["fork", "last", "--at", "1", "--set", "5=["]).ends(code::USAGE);
    desk.remit(&["fork", "last"]).ends(code::USAGE);
    desk.remit(&["fork", "0000", "--at", "1"]).ends(code::NO_SUCH_RUN);
    assert_eq!(desk.runs(), 1);
}

#[test]
fn a_bundle_of_a_fork_needs_nothing_else_and_its_parent_stays_until_it_goes() {
    let desk = desk();
    let (id, _) = logged(&desk);
    let forked = fork(&desk, &id, &["--at", "33"]);
    desk.remit(&["resume", "last"]).ends(code::OK);
    desk.remit(&["rm", &id]).fails(code::USAGE, &["is the past of run", &forked, "remove its forks first"]);
    desk.remit(&["export", "last", "-o", "fork.remit"]).ends(code::OK);
    let key = desk.remit(&["identity"]).ends(code::OK).stdout;
    desk.remit(&["rm", &forked, &id]).ends(code::OK);
    desk.remit(&["verify", "fork.remit", "--key", key.trim()]).ends(code::OK);
    let replay = desk.json(&["replay", "fork.remit", "--json"]);
    assert_eq!((&replay["verdict"], &replay["run"]), (&Json::from("matched"), &Json::from(forked)));
    let shown = desk.remit(&["show", "fork.remit"]).ends(code::OK);
    assert!(shown.stdout.contains(&format!("from {id} at its entry 33, disarmed")), "{}", shown.stdout);
}
