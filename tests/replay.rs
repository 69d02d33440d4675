//! Replay: the same component repeats the record, to the unit of fuel; another one leaves it, and the report says where.

use remit::agent::Verdict;
use remit::gate::divergence::Kind;
use remit::gate::{FuelRule, Where};
use serde_json::json;

use crate::harness::{Guest, Scene, component};

const KV: &str = "[capabilities.kv]\nprefixes = [\"a/\"]\naccess = \"read-write\"\nwhy = \"test\"";
const NOW: &str = "wasi:clocks/monotonic-clock#now";

/// Makes a command that reads the clock, runs `between`, and reads it again, as often as asked; then runs `after`.
fn reader(count: usize, between: &str, after: &str) -> std::sync::Arc<Guest> {
    let body = format!("(drop (call $now)) {between} ").repeat(count);
    Guest::of_text(&format!(
        r#"(component
            (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock (export "now" (func (result u64)))))
            (core func $now (canon lower (func $clock "now")))
            (core module $m
                (import "host" "now" (func $now (result i64)))
                (func (export "run") (result i32) {body} {after} (i32.const 0)))
            (core instance $i (instantiate $m (with "host" (instance (export "now" (func $now))))))
            (func $run (result (result)) (canon lift (core func $i "run")))
            (instance $command (export "run" (func $run)))
            (export "wasi:cli/run@0.2.0" (instance $command)))"#
    ))
}

const LOOP: &str = "(loop $for-ever (br $for-ever))";

/// Returns a guest's component with one text in it changed: another build, which behaves otherwise.
fn changed(name: &str, from: &str, to: &str) -> std::sync::Arc<Guest> {
    assert_eq!(from.len(), to.len(), "a component is full of lengths");
    let mut bytes = component(name);
    let places: Vec<_> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(from.as_bytes())).collect();
    assert!(!places.is_empty(), "{from:?} is not in {name}");
    places.into_iter().for_each(|at| bytes[at..at + to.len()].copy_from_slice(to.as_bytes()));
    Guest::of(bytes)
}

#[test]
fn a_run_is_repeated_call_for_call_and_fuel_for_fuel() {
    let scene = Scene::ticking();
    let ran = scene.command("kv", ["overwrite", "a/x"]).granted(KV).run();
    for _ in 0..2 {
        let replayed = ran.replay();
        assert!(matches!(replayed.verdict, Verdict::Matched), "{:?}", replayed.verdict);
        assert_eq!((replayed.end.fuel, replayed.entries), (ran.end.fuel, ran.calls.len() as u64));
        assert_eq!((replayed.end.outcome, replayed.fuel_differences), (ran.end.outcome.clone(), 0));
    }
}

#[test]
fn an_agents_result_is_repeated() {
    let scene = Scene::ticking();
    for input in
        [r#"{"do":"sense"}"#, r#"{"do":"fail","kind":"denied","message":"no"}"#, r#"{"do":"panic","message":"!"}"#]
    {
        scene.agent(input).run().replayed();
    }
    let large = scene.agent(r#"{"do":"large","bytes":1000000}"#).run().replayed();
    let remit::gate::Outcome::Succeeded { result: Some(result) } = large.end.outcome else { panic!("no result") };
    assert_eq!(result.len(), 1_000_002);
}

#[test]
fn a_replay_writes_nothing() {
    let scene = Scene::new();
    let ran = scene.command("kv", ["count", "a/n"]).granted(KV).run().printed("1\n");
    let state = || (scene.journal().sizes().expect("sizes"), scene.journal().verify(ran.id, None).expect("whole"));
    let before = state();
    ran.replay();
    ran.replay();
    assert_eq!(state(), before);
    scene.command("kv", ["count", "a/n"]).granted(KV).run().printed("2\n");
}

#[test]
fn another_plugin_calls_another_function() {
    let scene = Scene::new();
    let ran = scene.command("kv", ["set", "a/x", "1"]).granted(KV).run().printed("ok\n");
    let place = ran.calls.iter().position(|call| call.function == "remit:plugin/kv#set").expect("it sets a key");
    let divergence = ran.diverges_with(&Guest::named("log"));
    assert_eq!((divergence.kind, divergence.entry), (Kind::Function, place as u64));
    assert_eq!(divergence.recorded.function, "remit:plugin/kv#set");
    assert_eq!(divergence.recorded.params, json!(["a/x", "1"]));
    assert!(divergence.replayed.function.starts_with("wasi:cli/"), "{divergence}");
    assert!(divergence.backtrace.as_ref().is_some_and(|frames| frames.contains("log::main")), "{divergence}");
    let text = divergence.to_string();
    for part in [
        &format!("entry {place}: the guest calls another function"),
        "recorded: remit:plugin/kv#set",
        "replayed: wasi:cli/",
    ] {
        assert!(text.contains(part), "expected {part:?} in: {text}");
    }
}

#[test]
fn other_params_are_told_place_by_place() {
    let scene = Scene::new();
    let ran = scene.command("kv", ["overwrite", "a/x"]).granted(KV).run().succeeded();
    let divergence = ran.diverges_with(&changed("kv", "second, and longer", "second, but longer"));
    assert_eq!(divergence.kind, Kind::Params);
    assert_eq!(divergence.recorded.params, json!(["a/x", "second, and longer"]));
    assert_eq!(divergence.places, ["params[1]: \"second, and longer\" -> \"second, but longer\""]);
    let sets = ran.calls.iter().enumerate().filter(|(_, call)| call.function == "remit:plugin/kv#set");
    assert_eq!(sets.map(|(place, _)| place as u64).nth(1), Some(divergence.entry));
}

#[test]
fn another_result_is_a_divergence_at_the_end() {
    let scene = Scene::new();
    let ran = scene.agent(r#"{"do":"sense"}"#).run();
    let divergence = ran.diverges_with(&changed("guest_agent", "now_ms", "new_ms"));
    assert_eq!((divergence.kind, divergence.entry), (Kind::End, ran.calls.len() as u64));
    let text = divergence.to_string();
    assert!(text.contains("now_ms") && text.contains("new_ms"), "{text}");
}

#[test]
fn more_calls_than_recorded_and_fewer_are_told_apart() {
    let scene = Scene::new();
    let ran = scene.play("reader", reader(3, "", "")).run().succeeded().replayed();
    let fewer = ran.diverges_with(&reader(2, "", ""));
    assert_eq!((fewer.kind, fewer.entry, fewer.recorded.function.as_str()), (Kind::Leftover, 2, NOW));
    let more = ran.diverges_with(&reader(4, "", ""));
    assert_eq!((more.kind, more.entry, more.replayed.function.as_str()), (Kind::Extra, 3, NOW));
}

#[test]
fn fuel_is_compared_for_the_same_component_and_counted_for_another() {
    let scene = Scene::new();
    let ran = scene.play("reader", reader(3, "", "")).run().succeeded();
    let slower = reader(3, "(nop) (drop (i32.const 1))", "");
    let reported = ran.replay_by(&slower, FuelRule::Reported);
    assert!(matches!(reported.verdict, Verdict::Matched), "{:?}", reported.verdict);
    // The first call comes before anything that costs more.
    assert_eq!(reported.fuel_differences, 2);
    let Verdict::Diverged(divergence) = ran.replay_by(&slower, FuelRule::Compared).verdict else {
        panic!("it matched")
    };
    assert_eq!((divergence.kind, divergence.entry), (Kind::Fuel, 1));
    assert_ne!(divergence.recorded.fuel, divergence.replayed.fuel);
}

/// A replay of a run that was stopped between two slices is given just that run's fuel. That it used it up says nothing
/// about whether it made the calls.
#[test]
fn a_component_that_computes_for_ever_matches_no_stopped_run_whose_calls_it_does_not_make() {
    let scene = Scene::new();
    let stopped = scene.play("reader", reader(3, "", LOOP)).run_beside(|stop| async move {
        tokio::task::yield_now().await;
        stop.ask();
    });
    assert_eq!((&stopped.end.at, stopped.calls.len()), (&Where::Slice, 3));
    let stopped = stopped.replayed();
    for calls in [0, 2] {
        let divergence = stopped.diverges_with(&reader(calls, "", LOOP));
        assert_eq!((divergence.kind, divergence.entry), (Kind::Leftover, calls as u64), "{divergence}");
    }
    assert_eq!(stopped.diverges_with(&reader(4, "", LOOP)).kind, Kind::Extra);
    assert_eq!(stopped.diverges_with(&reader(3, "", "")).kind, Kind::End);
}

#[test]
fn a_replay_can_be_stopped() {
    let scene = Scene::new();
    let ran = scene.command("kv", ["overwrite", "a/x"]).granted(KV).run();
    assert!(matches!(ran.replay_stopped().verdict, Verdict::Stopped));
}
