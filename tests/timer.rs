//! `remit:plugin/timer`, and the sleep of the standard library: a long sleep suspends the run, which goes on once its moment
//! has come, whoever was there meanwhile.

use std::time::Duration;

use remit::journal::Journal;
use remit::lifecycle::Wait;
use remit::manifest::Grant;
use remit::meter::LimitKind;
use remit::scope::Remit;
use remit::time::Timestamp;
use serde_json::json;

use crate::binary::{Desk, code};
use crate::harness::{NOW, Ran, Scene, component};

const SLEEP: &str = "remit:plugin/timer#sleep";
const BLOCK: &str = "wasi:io/poll#[method]pollable.block";

const MINUTE: Duration = Duration::from_secs(60);

fn granted(max: &str) -> String {
    format!("[capabilities.timer]\nmax = \"{max}\"\nwhy = \"test\"")
}

fn later(by: Duration) -> Timestamp {
    Timestamp::from_micros(NOW.as_micros() + by.as_micros() as u64)
}

fn run(scene: &Scene, arguments: &[&'static str]) -> Ran {
    scene.command("timer", arguments.iter().copied()).granted(&granted("1h")).run()
}

#[track_caller]
fn expect_due(journal: &Journal, now: Timestamp, due: &[&Ran], next: Option<Timestamp>) {
    let found = journal.due(now, 10).expect("the journal can be read");
    assert_eq!(found, due.iter().map(|ran| ran.id).collect::<Vec<_>>());
    assert_eq!(journal.next_due().expect("the journal can be read"), next);
}

#[test]
fn a_run_that_sleeps_is_suspended_and_goes_on_when_its_moment_has_come() {
    let scene = Scene::new();
    let ran = run(&scene, &["sleep", "60000"]);
    assert_eq!((ran.waits(), ran.text()), (Wait::Time { until: later(MINUTE) }, "before\n"));
    let ran = ran.ended_in(SLEEP).replayed();
    let call = ran.calls_of(SLEEP)[0].clone();
    assert_eq!((call.class, call.is_answered, &call.params), ("read-local", false, &json!([60000])));
    assert_eq!(call.before, Some(json!({ "for": "time", "until-us": later(MINUTE).as_micros() })));
    expect_due(scene.journal(), NOW, &[], Some(later(MINUTE)));

    // Too early: it waits on, and the record does not grow.
    let entries = ran.entries();
    scene.clock().advance(MINUTE - Duration::from_micros(1));
    let ran = ran.resumed();
    assert_eq!((ran.waits(), ran.entries(), ran.text()), (Wait::Time { until: later(MINUTE) }, entries, ""));
    expect_due(scene.journal(), scene.clock().now(), &[], Some(later(MINUTE)));

    scene.clock().advance(Duration::from_micros(1));
    expect_due(scene.journal(), scene.clock().now(), &[&ran], Some(later(MINUTE)));
    let ran = ran.resumed().printed("slept\n").replayed();
    assert_eq!(ran.calls_of(SLEEP)[0].outcome, json!([{ "ok": [] }]));
    expect_due(scene.journal(), scene.clock().now(), &[], None);
    assert_eq!(scene.journal().waiting(ran.id).expect("it can be read"), None);
}

#[test]
fn every_sleep_of_a_run_is_one_of_its_own() {
    let scene = Scene::new();
    let mut ran = run(&scene, &["sleep", "1000", "0", "2000"]);
    for text in ["slept\nslept\n", "slept\n"] {
        let Wait::Time { until } = ran.waits() else { panic!("it sleeps") };
        scene.clock().advance(until.since(scene.clock().now()));
        ran = ran.replayed().resumed();
        assert_eq!(ran.text(), text);
    }
    assert_eq!(ran.succeeded().replayed().calls_of(SLEEP).len(), 3);
}

#[test]
fn the_standard_librarys_sleep_suspends_where_the_remit_allows_it() {
    let scene = Scene::new();
    let ran = run(&scene, &["std", "60000"]).ended_in(BLOCK).replayed();
    let Wait::Time { until } = ran.waits() else { panic!("it sleeps") };
    assert_eq!(until.since(NOW).as_millis(), 60_000);
    let entries = ran.entries();
    let ran = ran.resumed();
    assert_eq!((ran.waits(), ran.entries()), (Wait::Time { until }, entries));
    scene.clock().advance(until.since(NOW));
    ran.resumed().printed("slept\n").replayed();
}

/// It can say no refusal: where no timer is granted, or none so long, the guest sleeps in memory as ever.
#[test]
fn the_standard_librarys_sleep_is_held_to_the_wall_time_where_it_is_not_allowed() {
    for grant in [String::new(), granted("59s")] {
        let play = Scene::ticking().command("timer", ["std", "60000"]).granted(&grant);
        play.limit(LimitKind::WallTime, 20).run().ended_in(BLOCK).replayed().limited_by(LimitKind::WallTime);
    }
}

#[test]
fn a_short_sleep_and_a_moment_that_has_passed_suspend_nobody() {
    let ran = Scene::ticking().command("timer", ["sleep", "20", "0"]).granted(&granted("1s")).run();
    let ran = ran.printed("before\nslept\nslept\n").replayed();
    assert!(ran.calls_of(SLEEP).iter().all(|call| call.is_answered && call.before.is_none()));
    run(&Scene::new(), &["until", "1000"]).printed("before\nslept\n").replayed();
}

#[test]
fn a_sleep_that_the_remit_does_not_allow_is_refused_and_the_guest_reads_on() {
    let scene = Scene::new();
    let refused = "before\nerror: the remit does not allow a timer so long\n";
    let ran = scene.command("timer", ["sleep", "60000"]).run().printed(refused).replayed();
    let grant = ran.refused_once(SLEEP, "timer is not granted").expect("a grant would allow it");
    assert_eq!(grant, "[capabilities.timer]\nmax = \"1m\"\n");
    Remit::from_grant(&Grant::parse("grant.toml", &grant).expect("the suggestion is a grant"));
    for (arguments, max) in [(["sleep", "60001"], "1m"), (["sleep", "18446744073709551615"], "3650d")] {
        let ran = scene.command("timer", arguments).granted(&granted(max)).run().printed(refused).replayed();
        ran.refused_once(SLEEP, "is longer than the");
    }
    let ran = scene.command("timer", ["until", "1772368556790"]).granted(&granted("1m")).run();
    ran.printed(refused).refused_once("remit:plugin/timer#sleep-until", "a sleep of 1m is longer than the 1m granted");
}

#[test]
fn sleeping_is_metered_like_any_call() {
    let use_of = |arguments: &[&'static str]| {
        let scene = Scene::new();
        let ran = run(&scene, arguments);
        scene.clock().advance(MINUTE);
        (if ran.calls_of(SLEEP).iter().all(|call| call.is_answered) { ran } else { ran.resumed() }).succeeded().usage()
    };
    let (at_once, suspended) = (use_of(&["sleep", "0", "0"]), use_of(&["sleep", "0", "60000"]));
    assert_eq!(at_once.calls, suspended.calls);
    // Sixty thousand takes three bytes, and nought one.
    assert_eq!((suspended.bytes_in - at_once.bytes_in, suspended.bytes_out), (2, at_once.bytes_out));
    let few =
        Scene::new().command("timer", ["sleep", "0", "0"]).granted(&granted("1s")).limit(LimitKind::Calls, 3).run();
    few.limited_by(LimitKind::Calls);
}

#[test]
fn those_that_are_due_are_found_in_the_order_of_their_moments_and_removed_ones_are_not() {
    let scene = Scene::new();
    let [late, early, never] = ["120000", "60000", "90000"].map(|time| run(&scene, &["sleep", time]));
    expect_due(scene.journal(), later(MINUTE), &[&early], Some(later(MINUTE)));
    scene.journal().remove(never.id).expect("nobody writes it");
    expect_due(scene.journal(), later(2 * MINUTE), &[&early, &late], Some(later(MINUTE)));
    let scene = scene.reopened();
    expect_due(scene.journal(), later(2 * MINUTE), &[&early, &late], Some(later(MINUTE)));
}

const MANIFEST: &str = r#"
[plugin]
name = "sleeper"
version = "0.1.0"
kind = "command"

[capabilities.timer]
max = "30d"
why = "to look again later"
"#;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("sleeper/remit.toml", MANIFEST);
    desk.write("sleeper/sleeper.wasm", component("timer"));
    desk
}

/// A sleep that is longer than the command has patience leaves no process; the next one finds it as it was, and one
/// that stays goes on with it.
#[test]
fn a_run_sleeps_while_no_process_is_there_and_wakes_in_one_that_stays() {
    let desk = desk();
    let run = ["run", "sleeper", "--allow-requested", "--patience", "0s", "--", "sleep", "1000"];
    let said = desk.remit(&run).ends(code::WAITING).says(&["suspended until ", "next: `remit resume "]);
    assert_eq!(said.stdout, "before\n");
    desk.last_is_whole();
    let shown = desk.json(&["show", "last", "--json"]);
    assert_eq!((&shown["state"], &shown["in-doubt"]), (&json!("waiting"), &json!([])), "{shown}");
    let entry = (shown["entries"].as_u64().expect("a count") - 2).to_string();
    desk.remit(&["decide", "last", &entry, "--retry"]).fails(code::USAGE, &["is not in doubt"]);
    let said = desk.remit(&["resume", "last"]).ends(code::OK);
    assert_eq!(said.stdout, "slept\n");
    desk.last_is_whole();
}

/// Killed while it stays, and stopped by Ctrl-C while it stays: the run waits on, and its record is as it was.
#[test]
fn whoever_stays_with_a_run_that_sleeps_may_go_at_any_time() {
    let desk = desk();
    let running = desk.start(&["run", "sleeper", "--allow-requested", "--", "sleep", "3000000"]);
    running.wait_for(" waits until ");
    running.signal("KILL");
    running.died();
    let before = desk.json(&["show", "last", "--json"]);
    let running = desk.start(&["resume", "last"]);
    running.wait_for(" waits until ");
    running.signal("INT");
    running.said().ends(code::WAITING).says(&["suspended until "]);
    desk.remit(&["resume", "last", "--patience", "1m"]).ends(code::WAITING);
    assert_eq!(desk.json(&["show", "last", "--json"]), before);
    desk.last_is_whole();
    desk.remit(&["rm", "last"]).ends(code::OK);
}

/// Killed between the intent and the suspension, it is suspended by whoever takes it up.
#[test]
fn a_run_that_was_killed_when_it_began_to_sleep_sleeps_on() {
    let run = ["run", "sleeper", "--allow-requested", "--patience", "0s"];
    let guest = ["--", "sleep", "3000000"];
    let whole = desk();
    whole.remit(&[&run[..], &guest].concat()).ends(code::WAITING);
    let calls = whole.json(&["show", "last", "--json"])["entries"].as_u64().expect("a count") - 1;
    for (entry, death) in (0..calls).flat_map(|entry| [(entry, &[][..]), (entry, &["--crash-suddenly"])]) {
        let (desk, at) = (desk(), entry.to_string());
        desk.start(&[&run[..], &["--crash-after", &at], death, &guest].concat()).died();
        desk.remit(&["resume", "last", "--patience", "0s"]).ends(code::WAITING);
        let shown = desk.json(&["show", "last", "--json"]);
        assert_eq!((&shown["state"], &shown["in-doubt"]), (&json!("waiting"), &json!([])), "killed at {entry}");
        desk.last_is_whole();
    }
}
