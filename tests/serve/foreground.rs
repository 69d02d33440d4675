//! A run in the foreground, while nobody serves the home: a second terminal lists it, shows it and stops it.

use serde_json::json;

use super::{desk, shown};
use crate::binary::{Desk, Running, code};

/// Starts a run that does not end by itself.
#[track_caller]
fn running(desk: &Desk) -> Running {
    let run = desk.start(&["run", "limits.wasm", "--limit", "fuel=9000000000000000000", "--", "loop"]);
    run.wait_for("\nrun ");
    run
}

#[test]
fn a_run_in_the_foreground_is_listed_shown_and_stopped() {
    let desk = desk();
    for (stop, code, state) in [("pause", code::PARKED, "paused"), ("cancel", code::INTERRUPTED, "cancelled")] {
        let run = running(&desk);
        // Whoever comes before there is a socket waits for it.
        let runs = desk.json(&["runs", "--json"]);
        assert_eq!(runs[0]["state"], "running", "{runs}");
        assert_eq!(shown(&desk, "last")["state"], "running");
        desk.remit(&["plugins"]).ends(code::OK);
        desk.remit(&[stop, "last", "--why", "enough"]).ends(code::OK);
        run.said().ends(code).says(&["enough"]);
        let stopped = shown(&desk, "last");
        assert_eq!((&stopped["state"], &stopped["end"]["why"]), (&json!(state), &json!("enough")), "{stopped}");
        desk.last_is_whole();
        assert!(!desk.home().join("remit.sock").exists(), "the socket goes with the run");
    }
}

/// What needs room for another guest waits for the run, as without a socket.
#[test]
fn other_guests_wait_for_a_run_in_the_foreground() {
    let desk = desk();
    let run = running(&desk);
    desk.json(&["runs", "--json"]);
    desk.remit(&["run", "cli.wasm", "--no-wait", "--", "args"]).fails(code::HOME_BUSY, &["remit run limits"]);
    let other = desk.start(&["run", "cli.wasm", "--", "args"]);
    other.wait_for("waiting for remit run limits");
    run.signal("INT");
    run.said().ends(code::INTERRUPTED).says(&["suspended"]);
    assert_eq!(other.said().ends(code::OK).stdout, "args\n");
}
