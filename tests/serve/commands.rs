//! Commands while another process serves the home: the same as without it.

use std::process::Stdio;

use serde_json::{Value as Json, json};

use super::{desk, ended, served, shown, start};
use crate::binary::{Desk, Running, code, until};

const LOOP: [&str; 5] = ["limits.wasm", "--limit", "fuel=9000000000000000000", "--", "loop"];

/// Waits until a run is in a state.
#[track_caller]
fn wait_for_state(desk: &Desk, run: &str, state: &str) -> Json {
    until(state, || Some(shown(desk, run)).filter(|run| run["state"] == state))
}

#[test]
fn a_live_run_is_listed_shown_paused_resumed_and_cancelled() {
    let desk = desk();
    let host = served(&desk);
    let run = start(&desk, &LOOP);
    wait_for_state(&desk, &run, "running");
    let runs = desk.json(&["runs", "--json"]);
    assert_eq!((&runs[0]["run"], &runs[0]["state"]), (&json!(run), &json!("running")), "{runs}");
    desk.remit(&["resume", &run]).fails(code::NOT_RESUMABLE, &["is running"]);
    desk.remit(&["pause", &run, "--why", "lunch"]).ends(code::OK).says(&["paused"]);
    let paused = shown(&desk, &run);
    assert_eq!((&paused["state"], &paused["end"]["why"]), (&json!("paused"), &json!("lunch")), "{paused}");
    assert!(paused["end"]["by"].as_str().is_some_and(|by| by.starts_with("local:")), "{paused}");
    desk.remit(&["pause", &run]).fails(code::NOT_RESUMABLE, &["is paused"]);
    desk.remit(&["verify", &run]).ends(code::OK);
    desk.remit(&["replay", &run]).ends(code::OK);
    let resumed = desk.start(&["resume", &run]);
    resumed.wait_for("goes on");
    wait_for_state(&desk, &run, "running");
    desk.remit(&["cancel", &run, "--why", "enough"]).ends(code::OK);
    resumed.said().ends(code::INTERRUPTED).says(&["cancelled: enough"]);
    assert_eq!(shown(&desk, &run)["state"], "cancelled");
    desk.remit(&["cancel", &run]).fails(code::NOT_RESUMABLE, &["is cancelled"]);
    desk.last_is_whole();
    ended(host);
    desk.last_is_whole();
}

/// What commands print, read and exit with is the same with a host and without one.
#[test]
fn commands_are_the_same_with_a_host() {
    let (cold, warm) = (desk(), desk());
    let host = served(&warm);
    let grant = "[capabilities.kv]\nprefixes = [\"count\"]\naccess = \"read-write\"\n";
    for desk in [&cold, &warm] {
        desk.write("input.json", "{}");
        desk.write("grant.toml", grant);
    }
    for args in [
        &["run", "cli.wasm", "--", "args", "x y", ""][..],
        &["run", "cli.wasm", "--", "exit", "7"],
        &["run", "nothing.wasm"],
        &["run", "durable"],
        &["run", "durable", "--grant", "none.toml"],
        &["run", "durable", "--mount", "data=none", "--allow-requested", "--", "log", "data", "1"],
        &["run", "durable", "--mount", "data=data:rw", "--allow-requested", "--", "log", "data", "3"],
        &["install", "durable"],
        &["plugins"],
        &["grant", "durable", "--file", "grant.toml"],
        &["explain", "durable"],
        &["verify", "last"],
        &["replay", "last"],
        &["diff", "last", "last"],
        &["export", "last", "-o", "run.remit"],
        &["export", "last", "-o", "run.remit"],
        &["show", "run.remit"],
        &["show", "nonsense"],
        &["runs", "--limit", "x"],
        &["runs", "--help"],
        &["resume", "last"],
        &["decide", "last", "3", "--retry"],
        &["rm", "last"],
        &["config", "init"],
        &["secret", "list"],
    ] {
        let [cold, warm] = [&cold, &warm].map(|desk| desk.remit(args));
        assert_eq!(cold.code, warm.code, "{args:?}\n{}\n{}", cold.stderr, warm.stderr);
        assert_eq!(
            cold.stdout.lines().count(),
            warm.stdout.lines().count(),
            "{args:?}\n{}\n{}",
            cold.stdout,
            warm.stdout
        );
        assert_eq!(
            cold.stderr.lines().count(),
            warm.stderr.lines().count(),
            "{args:?}\n{}\n{}",
            cold.stderr,
            warm.stderr
        );
    }
    assert!(warm.path("run.remit").exists(), "paths are relative to who asks");
    ended(host);
}

/// Standard input goes to the command that wants it, and to no other.
#[test]
fn standard_input_is_lent() {
    let desk = desk();
    let host = served(&desk);
    let long = "line\n".repeat(50_000);
    let said =
        desk.remit_reading(&["run", "cli.wasm", "--limit", "output=8MiB", "--", "cat"], long.as_bytes()).ends(code::OK);
    assert!(said.stdout.ends_with(&long), "{} bytes", said.stdout.len());
    desk.remit_reading(&["secret", "set", "token"], b"s3cret-value-of-a-token\n").ends(code::OK);
    assert!(desk.remit(&["secret", "list"]).ends(code::OK).stdout.contains("token"));
    let mut command = desk.command(&["runs"]);
    command.stdin(Stdio::piped());
    Running::start(&mut command).said().ends(code::OK);
    ended(host);
}

/// Ctrl-C in the client suspends its run; a client that is killed leaves its run to the host.
#[test]
fn a_client_that_is_interrupted_suspends_its_run_and_one_that_is_killed_does_not() {
    let desk = desk();
    let host = served(&desk);
    let args: Vec<_> = ["run"].iter().chain(&LOOP).copied().collect();
    let client = desk.start(&args);
    client.wait_for("\nrun ");
    client.signal("INT");
    client.said().ends(code::INTERRUPTED).says(&["suspended with", "remit resume"]);
    assert_eq!(shown(&desk, "last")["state"], "suspended");
    let client = desk.start(&args);
    client.wait_for("\nrun ");
    client.signal("KILL");
    client.died();
    let run = shown(&desk, "last");
    assert_eq!(run["state"], "running", "{run}");
    desk.remit(&["cancel", "last"]).ends(code::OK);
    desk.last_is_whole();
    ended(host);
}

/// Who waits for a home that another process holds goes on as soon as somebody serves it.
#[test]
fn who_waits_for_the_home_is_served() {
    let desk = desk();
    let host = served(&desk);
    desk.remit(&["runs", "--no-wait"]).ends(code::OK);
    ended(host);
    let socket = desk.home().join("remit.sock");
    assert!(!socket.exists(), "a host takes its socket along");
    let host = served(&desk);
    host.signal("KILL");
    host.died();
    assert!(socket.exists(), "a host that was killed leaves it");
    desk.remit(&["runs"]).ends(code::OK);
    let host = served(&desk);
    desk.remit(&["runs"]).ends(code::OK);
    ended(host);
}
