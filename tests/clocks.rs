//! `wasi:clocks`: the wall clock, a monotonic clock that begins with the run, and waiting.

use remit::meter::LimitKind;
use serde_json::json;

use crate::harness::{HOST, NOW, Scene};

#[test]
fn a_guest_reads_the_hosts_clock_and_a_replay_the_recorded_time() {
    let scene = Scene::new();
    let ran = scene.command("clocks", ["now"]).run().printed("1772368496 789000000\n").replayed();
    let now = ran.calls_of("wasi:clocks/wall-clock#now")[0];
    assert_eq!(now.class, "read-local");
    assert_eq!(now.outcome[0]["seconds"], json!(NOW.as_micros() / 1_000_000));
    // The system's clock has gone on between a run and its replay.
    Scene::ticking().command("clocks", ["now"]).run().succeeded().replayed();
}

#[test]
fn the_monotonic_clock_begins_with_the_run_and_never_goes_back() {
    let scene = Scene::ticking();
    let ran = scene.command("clocks", ["order", "1000"]).run().printed("ok\n").replayed();
    let readings = ran.calls_of("wasi:clocks/monotonic-clock#now");
    let nanos: Vec<_> = readings.iter().filter_map(|call| call.outcome[0].as_u64()).collect();
    assert_eq!(nanos.len(), 1000);
    assert!(nanos.is_sorted());
    // A minute is far more than 1000 readings take, and far less than since the machine started.
    assert!(nanos[0] < 60_000_000_000, "{}", nanos[0]);
}

#[test]
fn resolutions_are_those_of_the_record() {
    Scene::new().command("clocks", ["resolution"]).run().printed("1 1\n").replayed();
}

#[test]
fn a_guest_waits_live_and_not_in_replay() {
    let scene = Scene::ticking();
    let ran = scene.command("clocks", ["sleep", "20"]).run().printed("ok\n").replayed();
    let slept = ran.calls_of("wasi:clocks/monotonic-clock#now");
    let nanos: Vec<_> = slept.iter().filter_map(|call| call.outcome[0].as_u64()).collect();
    assert!(nanos.last().zip(nanos.first()).is_some_and(|(last, first)| last - first >= 20_000_000), "{nanos:?}");
}

#[test]
fn an_instant_that_has_passed_is_not_waited_for() {
    Scene::new().command("clocks", ["past"]).run().printed("ok\n").replayed();
}

#[test]
fn no_remit_refuses_a_clock() {
    let clocks = HOST.functions().iter().filter(|function| function.name.starts_with("wasi:clocks/"));
    let governed: Vec<_> = clocks.map(|function| (&*function.name, function.governed)).collect();
    assert_eq!(governed.len(), 6);
    assert!(governed.iter().all(|(_, governed)| !governed), "{governed:?}");
}

#[test]
fn readings_are_counted() {
    let run = |count: &str| Scene::new().command("clocks", ["calls", count]).run().printed("ok\n").replayed();
    let usage = run("100").usage();
    assert_eq!(usage, run("100").usage());
    assert_eq!(run("300").usage().calls, usage.calls + 200);
}

#[test]
fn more_calls_than_the_limit_end_the_run_at_the_call() {
    let scene = Scene::new();
    let ran = scene.command("clocks", ["calls", "1000"]).limit(LimitKind::Calls, 500).run();
    let ran = ran.ended_in("wasi:clocks/monotonic-clock#now").replayed();
    assert_eq!(ran.limited_by(LimitKind::Calls).wanted, 501);
    assert_eq!(ran.calls.len(), 500);
}
