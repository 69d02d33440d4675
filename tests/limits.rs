//! Limits: each of them ends a run with an outcome that names it, the journal stays whole, and a replay ends at the same
//! place. So does a run that somebody stops.

use std::collections::BTreeSet;
use std::time::Duration;

use remit::agent::Stop;
use remit::gate::{Outcome, StopReason, Where};
use remit::manifest::LimitValues;
use remit::meter::{LimitKind, Limits};

use crate::harness::{Guest, Play, Ran, Scene};

const KV: &str = "[capabilities.kv]\nprefixes = [\"a/\"]\naccess = \"read-write\"\nwhy = \"test\"";

/// A program that crosses a limit.
enum Program {
    /// One of the guests, with its arguments. It may use kv below `a/`, and the folder `/d`.
    Guest(&'static str, &'static [&'static str]),
    /// A component written by hand.
    Text(&'static str),
}

use Program::{Guest as G, Text as T};

const GROW_TABLE: &str = include_str!("guests/wat/grow-table.wat");
const LARGE_TABLE: &str = r#"(component
    (core module $code (table 2000 funcref) (func (export "run") (result i32) (i32.const 0)))
    (core instance $main (instantiate $code))
    (func $run (result (result)) (canon lift (core func $main "run")))
    (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#;
const GROW_MEMORY: &str = include_str!("guests/wat/grow-memory.wat");
const LARGE_MEMORY: &str = include_str!("guests/wat/large-memory.wat");
const LOOP_IN_START: &str = include_str!("guests/wat/loop-in-start.wat");

/// Limits, set to this value, and a program that crosses each.
const CASES: &[(LimitKind, u64, Program)] = &[
    (LimitKind::Memory, 16 << 20, G("limits", &["memory"])),
    (LimitKind::Memory, 16 << 20, T(GROW_MEMORY)),
    (LimitKind::Memory, 16 << 20, T(LARGE_MEMORY)),
    (LimitKind::Fuel, 5_000_000, G("limits", &["loop"])),
    (LimitKind::Fuel, 5_000_000, G("limits", &["calls"])),
    (LimitKind::Fuel, 5_000_000, T(LOOP_IN_START)),
    (LimitKind::WallTime, 30, G("limits", &["loop"])),
    (LimitKind::WallTime, 30, G("limits", &["calls"])),
    (LimitKind::WallTime, 30, G("limits", &["sleep"])),
    (LimitKind::WallTime, 30, T(LOOP_IN_START)),
    (LimitKind::CallTime, 5, G("files", &["every", "/d"])),
    (LimitKind::Calls, 200, G("limits", &["calls"])),
    (LimitKind::Tables, 1000, T(GROW_TABLE)),
    (LimitKind::Tables, 1000, T(LARGE_TABLE)),
    (LimitKind::Instances, 1, G("limits", &["calls"])),
    (LimitKind::Memories, 0, G("limits", &["calls"])),
    (LimitKind::TableCount, 0, G("limits", &["calls"])),
    (LimitKind::Handles, 40, G("limits", &["pollables"])),
    (LimitKind::Handles, 40, G("limits", &["files", "/d/a.txt"])),
    (LimitKind::Payload, 10_000, G("limits", &["string", "10000"])),
    (LimitKind::Payload, 10_000, G("limits", &["path", "/d", "10000"])),
    (LimitKind::Payload, 1 << 20, G("limits", &["random", "1048577"])),
    (LimitKind::Output, 10_000, G("limits", &["output"])),
    (LimitKind::Output, 10_000, G("log", &["huge", "10000"])),
    (LimitKind::KvValue, 10, G("kv", &["huge", "a/x", "11"])),
    (LimitKind::KvTotal, 20, G("kv", &["huge", "a/x", "18"])),
    (LimitKind::FileWrites, 1000, G("files", &["grow", "/d/x", "1001"])),
    (LimitKind::FileWrites, 1000, G("files", &["size", "/d/x", "1001"])),
    (LimitKind::Recorded, 10_000, G("limits", &["output"])),
    (LimitKind::Recorded, 10_000, G("limits", &["calls"])),
];

fn play(scene: &Scene, program: &Program) -> Play {
    let dir = scene.dir("d", &[("a.txt", "text")]);
    let play = match program {
        G(guest, arguments) => scene.command(guest, arguments.iter().copied()),
        T(text) => scene.play("text", Guest::of_text(text)),
    };
    // Nothing here may take long: what does not end by its own limit ends by this one, and fails.
    play.granted(KV).mounted("d", &dir, "read-write").limit(LimitKind::WallTime, 60_000)
}

fn check(limit: LimitKind, value: u64, program: &Program) {
    // Only a call that looks at the clock before and after its work can see it go on.
    let scene = if limit == LimitKind::CallTime { Scene::stepping(Duration::from_millis(10)) } else { Scene::new() };
    let ran = play(&scene, program).limit(limit, value).run();
    assert_eq!(ran.limited_by(limit).max, value);
    ran.replayed();
}

/// Runs the cases of these limits.
fn check_all(limits: &[LimitKind]) {
    let cases = CASES.iter().filter(|(limit, ..)| limits.contains(limit));
    cases.for_each(|(limit, value, program)| check(*limit, *value, program));
}

#[test]
fn every_limit_has_a_case() {
    let tried: BTreeSet<_> = CASES.iter().map(|(limit, ..)| *limit).collect();
    let missing: Vec<_> = LimitKind::ALL.into_iter().filter(|limit| !tried.contains(limit)).collect();
    assert_eq!(missing, [], "no program crosses these limits: add one to CASES");
}

#[test]
fn memory_and_tables_end_the_run() {
    check_all(&[LimitKind::Memory, LimitKind::Tables]);
}

#[test]
fn what_a_component_is_made_of_ends_the_run() {
    check_all(&[LimitKind::Instances, LimitKind::Memories, LimitKind::TableCount]);
}

#[test]
fn fuel_ends_the_run() {
    check_all(&[LimitKind::Fuel]);
}

#[test]
fn the_time_of_a_run_ends_it() {
    check_all(&[LimitKind::WallTime]);
}

#[test]
fn the_time_of_a_call_ends_the_run() {
    check_all(&[LimitKind::CallTime]);
}

#[test]
fn a_guests_own_waiting_is_no_slow_call() {
    // The limit leaves a slow disk the time to keep what came before the sleep.
    let sleep = Scene::ticking().command("clocks", ["sleep", "1600"]).limit(LimitKind::CallTime, 1500);
    sleep.run().printed("ok\n").replayed();
}

#[test]
fn calls_handles_and_payload_end_the_run() {
    check_all(&[LimitKind::Calls, LimitKind::Handles, LimitKind::Payload]);
}

#[test]
fn output_ends_the_run() {
    check_all(&[LimitKind::Output]);
}

#[test]
fn what_is_stored_ends_the_run() {
    check_all(&[LimitKind::KvValue, LimitKind::KvTotal, LimitKind::FileWrites, LimitKind::Recorded]);
}

#[test]
fn a_run_that_stays_within_its_limits_does_not_notice_them() {
    let run = |limits: &[(LimitKind, u64)]| {
        let scene = Scene::new();
        let play = scene.command("kv", ["hit", "a/x", "10"]).granted(KV);
        let play = limits.iter().fold(play, |play, &(limit, value)| play.limit(limit, value));
        play.run().printed("ok\n").replayed().usage()
    };
    let usage = run(&[]);
    let least = [
        (LimitKind::Fuel, usage.fuel),
        (LimitKind::Calls, usage.calls),
        (LimitKind::Output, usage.output_bytes),
        (LimitKind::KvTotal, usage.kv_bytes),
        (LimitKind::Memory, usage.memory_peak),
    ];
    assert_eq!(run(&least), usage);
    for (limit, value) in least {
        let scene = Scene::new();
        let play = scene.command("kv", ["hit", "a/x", "10"]).granted(KV);
        // Fuel is looked at where a loop or a function begins, so that the last few units may be one too many.
        let less = if limit == LimitKind::Fuel { 1000 } else { 1 };
        play.limit(limit, value - less).run().replayed().limited_by(limit);
    }
}

#[test]
fn a_manifest_sets_limits() {
    let scene = Scene::new();
    let ran = scene.command("limits", ["loop"]).granted("[limits]\nfuel = 3000000").run().replayed();
    assert_eq!(ran.limited_by(LimitKind::Fuel).max, 3_000_000);
    let asked: LimitValues = [(LimitKind::Fuel, 3_000_000)].into();
    assert_eq!(Limits::requested(&asked)[LimitKind::Fuel], 3_000_000);
}

#[test]
fn deep_recursion_traps_at_the_same_depth() {
    for program in [G("limits", &["recursion"]), T(include_str!("guests/wat/recursion.wat"))] {
        let fuel_of = || {
            let scene = Scene::new();
            let ran = play(&scene, &program).run().replayed();
            assert!(
                matches!(&ran.end.outcome, Outcome::Trapped { message, .. } if message.contains("stack")),
                "{:?}",
                ran.end
            );
            ran.end.fuel
        };
        assert_eq!(fuel_of(), fuel_of());
    }
}

#[test]
fn strings_that_are_not_there_trap() {
    for text in [include_str!("guests/wat/long-string.wat"), include_str!("guests/wat/string-out-of-bounds.wat")] {
        let scene = Scene::new();
        let ran = play(&scene, &T(text)).run().replayed();
        assert!(matches!(ran.end.outcome, Outcome::Trapped { .. } | Outcome::Limit { .. }), "{:?}", ran.end);
        assert!(ran.usage().bytes_in < 100_000, "{:?}", ran.usage());
    }
}

/// Gives up as many turns, then has another thread stop the run.
async fn stop_after(turns: u32, stop: Stop) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
    std::thread::spawn(move || stop.ask()).join().expect("asking does not fail");
}

#[track_caller]
fn interrupted(ran: Ran) -> Ran {
    assert_eq!(ran.end.outcome, Outcome::Suspended { reason: StopReason::Interrupted });
    ran.replayed()
}

#[test]
fn a_run_that_computes_is_stopped_between_two_slices() {
    for turns in [0, 1, 5] {
        let scene = Scene::new();
        let ran = interrupted(scene.command("limits", ["loop"]).run_beside(|stop| stop_after(turns, stop)));
        assert_eq!(ran.end.at, Where::Slice, "{turns}");
    }
}

#[test]
fn a_run_that_calls_is_stopped_between_two_slices() {
    let scene = Scene::new();
    let ran = interrupted(scene.command("limits", ["calls"]).run_beside(|stop| stop_after(3, stop)));
    assert_eq!(ran.end.at, Where::Slice);
    assert!(ran.calls.len() > 100, "{}", ran.calls.len());
}

#[test]
fn a_run_that_waits_is_stopped_in_its_call() {
    let scene = Scene::new();
    let ran = interrupted(scene.command("limits", ["sleep"]).run_beside(|stop| stop_after(5, stop)));
    let Where::Call(function) = &ran.end.at else { panic!("{:?}", ran.end) };
    assert!(function.starts_with("wasi:io/poll#"), "{function}");
}

#[test]
fn a_run_that_is_stopped_before_it_begins_has_an_end() {
    let scene = Scene::new();
    let ran = scene.command("limits", ["loop"]).run_beside(|stop| {
        stop.ask();
        async {}
    });
    assert!(interrupted(ran).calls.is_empty());
}

/// Also where it waits for the disk before it changes a file, its intent recorded and its effect not begun.
#[test]
fn a_run_can_be_stopped_at_any_turn() {
    for turns in (0..20).chain([50, 100, 200, 500, 1000, 2000, 5000, 10_000]) {
        let scene = Scene::new();
        let dir = scene.dir("d", &[]);
        let every = scene.command("files", ["every", "/d"]).mounted("d", &dir, "read-write");
        let ran = every.run_beside(|stop| stop_after(turns, stop));
        let ran = ran.replayed();
        if turns == 0 {
            let unanswered: Vec<_> = ran.calls.iter().filter(|call| !call.is_answered).collect();
            assert_eq!(unanswered.len(), 1, "{unanswered:#?}");
            let ran = ran.ended_in("wasi:filesystem/types#[method]descriptor.create-directory-at");
            assert!(!dir.join("every").exists(), "{:?}", ran.end);
        }
    }
}

#[test]
fn what_a_stopped_run_wrote_is_kept() {
    let scene = Scene::new();
    let dir = scene.dir("d", &[]);
    let many = scene.command("files", ["many", "/d", "100000"]).mounted("d", &dir, "read-write");
    let made = || std::fs::read_dir(&dir).expect("the folder is there").count();
    let ran = interrupted(many.run_beside(|stop| async move {
        while made() < 3 {
            tokio::task::yield_now().await;
        }
        stop.ask();
    }));
    assert!(made() < 100_000, "{} files after {} calls", made(), ran.calls.len());
}
