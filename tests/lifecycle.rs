//! States of a run, and what a person makes of one: queued, paused, cancelled. Here nobody serves the home.
#![cfg(unix)]

use remit::agent::{Again, Order, Stop, StopTo, pause, recall, resume, state_of};
use remit::capability::config::Values;
use remit::gate::Outcome;
use remit::lifecycle::State;
use serde_json::json;

use crate::binary::{Desk, code};
use crate::harness::{Guest, HOST, Scene};

/// Starts a run that prints its arguments, and returns its id.
fn started(desk: &Desk, more: &[&str]) -> String {
    let start = ["start", "cli.wasm"];
    let args: Vec<_> = start.iter().chain(more).chain(&["--", "args", "x"]).copied().collect();
    desk.remit(&args).ends(code::OK).stdout.trim().to_owned()
}

fn state(desk: &Desk, run: &str) -> String {
    let shown = desk.json(&["show", run, "--json"]);
    shown["state"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_run_that_was_started_waits_and_then_runs_like_any_other() {
    let desk = Desk::with(&["cli"]);
    let run = started(&desk, &["--priority", "-3"]);
    assert_eq!(state(&desk, &run), "queued");
    assert_eq!(desk.json(&["show", &run, "--json"])["header"]["priority"], -3);
    assert!(desk.remit(&["show", &run]).ends(code::OK).stdout.contains("queued: `remit serve` runs it"));
    desk.remit(&["verify", &run]).ends(code::OK);
    assert_eq!(desk.json(&["replay", &run, "--json"])["verdict"], "unfinished");
    let said = desk.remit(&["resume", &run]).ends(code::OK);
    assert_eq!(said.stdout, "args\nx\n");
    assert_eq!(state(&desk, &run), "succeeded");
    desk.last_is_whole();
}

#[test]
fn a_key_starts_one_run() {
    let desk = Desk::with(&["cli"]);
    let run = started(&desk, &["--key", "nightly"]);
    assert_eq!(started(&desk, &["--key", "nightly"]), run);
    assert_eq!(desk.runs(), 1);
    desk.remit(&["start", "cli.wasm", "--key", "nightly", "--", "args", "y"]).fails(code::USAGE, &[&run, "nightly"]);
    assert_eq!(desk.runs(), 1);
    assert_ne!(started(&desk, &["--key", "weekly"]), run);
    desk.remit(&["start", "cli.wasm", "--key", ""]).fails(code::USAGE, &["--key"]);
}

#[test]
fn a_waiting_run_is_paused_goes_on_and_is_cancelled() {
    let desk = Desk::with(&["cli"]);
    let run = started(&desk, &[]);
    desk.remit(&["pause", &run, "--why", "lunch"]).ends(code::OK).says(&["remit resume"]);
    assert_eq!(state(&desk, &run), "paused");
    let text = desk.remit(&["show", &run]).ends(code::OK).stdout;
    assert!(text.contains("paused: lunch (by local:"), "{text}");
    desk.remit(&["pause", &run]).fails(code::NOT_RESUMABLE, &["is paused, and cannot become paused"]);
    desk.remit(&["verify", &run]).ends(code::OK);
    let other = started(&desk, &[]);
    desk.remit(&["resume", &run]).ends(code::OK);
    desk.remit(&["cancel", &run]).fails(code::NOT_RESUMABLE, &["is succeeded"]);
    desk.remit(&["cancel", &other, "--why", "not needed"]).ends(code::OK).says(&["cancelled"]);
    let shown = desk.json(&["show", &other, "--json"]);
    assert_eq!((&shown["state"], &shown["end"]["why"]), (&json!("cancelled"), &json!("not needed")), "{shown}");
    assert!(shown["end"]["by"].as_str().is_some_and(|by| by.starts_with("local:")), "{shown}");
    desk.remit(&["resume", &other]).fails(code::NOT_RESUMABLE, &["cancelled"]);
    desk.remit(&["pause", &other]).fails(code::NOT_RESUMABLE, &["is cancelled"]);
    desk.last_is_whole();
}

/// One that was killed in the middle can be paused and cancelled, too; its record replays to there.
#[test]
fn an_interrupted_run_is_cancelled_where_it_was() {
    for pause_first in [false, true] {
        let desk = Desk::with(&["limits"]);
        desk.start(&["run", "limits.wasm", "--crash-after", "20", "--", "calls"]).died();
        if pause_first {
            desk.remit(&["pause", "last"]).ends(code::OK);
            assert_eq!(state(&desk, "last"), "paused");
        }
        desk.remit(&["cancel", "last"]).ends(code::OK);
        assert_eq!(state(&desk, "last"), "cancelled");
        desk.last_is_whole();
    }
}

#[test]
fn a_running_guest_stops_as_it_was_ordered_and_the_first_order_holds() {
    for (to, state) in [(StopTo::Paused, State::Paused), (StopTo::Cancelled, State::Cancelled)] {
        let scene = Scene::new();
        let order = |to, by: &str| Order { to, by: by.into(), why: Some("enough".into()) };
        let ran = scene.command("limits", ["loop"]).run_beside(async |stop: Stop| {
            assert!(stop.order_to(order(to, "first")));
            assert!(!stop.order_to(order(StopTo::Suspended, "second")));
        });
        assert_eq!((ran.end.outcome.state(), ran.end.by.as_deref()), (state, Some("first")), "{:?}", ran.end);
        ran.replayed();
    }
}

/// A run that is stopped before it has come to the end of its record becomes what was ordered all the same.
#[test]
fn a_run_that_is_being_resumed_stops_as_it_was_ordered() {
    for (to, state) in [(StopTo::Paused, State::Paused), (StopTo::Cancelled, State::Cancelled)] {
        let scene = Scene::new();
        let run = scene.command("limits", ["loop"]).run_beside(async |stop: Stop| stop.ask()).id;
        let journal = scene.journal();
        let guest = Guest::named("limits");
        let recalled = recall(journal, run).expect("it is there");
        let (engine, values) = (HOST.engine().fingerprint(), Values::default());
        let again = Again { engine, most: recalled.remit(), values, by: "test" };
        let accepted = resume(&recalled, &guest.agent, again, journal, scene.clock().clone()).expect("it goes on");
        let stop = Stop::default();
        stop.order_to(Order { to, by: "test".into(), why: None });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let end = runtime.block_on(accepted.run(&guest.agent, &stop, &mut |_, _| {})).expect("it stops");
        let summary = journal.summary(run).expect("it is there");
        assert_eq!((end.outcome.state(), state_of(&summary)), (state, state));
        let refused = pause(journal, run, "test", "again", scene.clock());
        assert!(refused.is_err(), "{refused:?}");
        assert!(state == State::Paused || matches!(end.outcome, Outcome::Cancelled { .. }));
        journal.verify(run, None).expect("its record is whole");
    }
}
