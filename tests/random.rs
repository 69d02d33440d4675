//! `wasi:random`: numbers that follow from the run's seed.

use remit::meter::LimitKind;
use serde_json::Value as Json;

use crate::harness::{HOST, Scene};

#[test]
fn numbers_follow_from_the_seed() {
    let scene = Scene::new();
    for arguments in [["bytes", "32"], ["u64", "4"], ["insecure", "32"]] {
        let draw = |seed| scene.command("random", arguments).seed(seed).run().succeeded().replayed().text().to_owned();
        assert_eq!(draw(1), draw(1), "{arguments:?}");
        assert_ne!(draw(1), draw(2), "{arguments:?}");
    }
    for argument in ["seed", "map"] {
        let draw = |seed| scene.command("random", [argument]).seed(seed).run().succeeded().replayed().text().to_owned();
        assert_eq!(draw(1), draw(1), "{argument}");
        assert_ne!(draw(1), draw(2), "{argument}");
    }
}

#[test]
fn a_run_draws_each_number_once() {
    let ran = Scene::new().command("random", ["u64", "100"]).run().succeeded().replayed();
    let mut numbers: Vec<_> = ran.text().lines().collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 100);
}

#[test]
fn insecure_numbers_are_others() {
    let scene = Scene::new();
    let draw = |kind| scene.command("random", [kind, "8"]).run().succeeded().text()[..16].to_owned();
    assert_ne!(draw("bytes"), draw("insecure"));
}

#[test]
fn numbers_are_derived_and_not_recorded() {
    let ran = Scene::new().command("random", ["bytes", "1000"]).run().succeeded().replayed();
    let call = ran.calls_of("wasi:random/random#get-random-bytes")[0];
    assert_eq!((call.class, &call.outcome), ("pure", &Json::Null));
}

#[test]
fn no_remit_refuses_randomness() {
    let random = HOST.functions().iter().filter(|function| function.name.starts_with("wasi:random/"));
    let governed: Vec<_> = random.map(|function| (&*function.name, function.governed)).collect();
    assert_eq!(governed.len(), 5);
    assert!(governed.iter().all(|(_, governed)| !governed), "{governed:?}");
}

#[test]
fn draws_are_counted() {
    let run = |count: &str| Scene::new().command("random", ["u64", count]).run().succeeded().replayed().usage();
    let usage = run("10");
    assert_eq!(usage, run("10"));
    // Each number is drawn by one call and printed by another that leaves three entries of its own.
    assert!(run("20").calls >= usage.calls + 20);
}

#[test]
fn one_call_gives_at_most_a_payload() {
    let scene = Scene::new();
    let length = |bytes| scene.command("random", ["length", bytes]).limit(LimitKind::Payload, 1 << 20).run();
    length("1048576").printed("1048576\n").replayed();
    for bytes in ["1048577", "18446744073709551615"] {
        let ran = length(bytes).ended_in("wasi:random/random#get-random-bytes").replayed();
        assert_eq!(ran.limited_by(LimitKind::Payload).max, 1 << 20);
    }
}
