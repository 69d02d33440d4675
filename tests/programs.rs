//! Random programs of host calls: what was recorded replays equal, is recorded equal again, and goes on equal from any
//! entry.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use remit::journal::Kind;

use crate::harness::{Ran, Recorded, Scene};

/// How many programs are tried, and how many places of each.
const PROGRAMS: u32 = 24;
const CUTS: usize = 3;

const KEYS: [&str; 3] = ["a", "b", "c"];
const FILES: [&str; 3] = ["x", "y", "z"];
const KV: &str = "[capabilities.kv]\nprefixes = [\"\"]\naccess = \"read-write\"\nwhy = \"test\"";

/// Any step of the guest's.
fn step() -> impl Strategy<Value = String> {
    let text = "[a-z]{0,40}";
    prop_oneof![
        3 => (select(&KEYS[..]), text).prop_map(|(key, text)| format!("set:{key}:{text}")),
        3 => select(&KEYS[..]).prop_map(|key| format!("get:{key}")),
        1 => select(&KEYS[..]).prop_map(|key| format!("delete:{key}")),
        1 => Just("keys".to_owned()),
        1 => Just("chance".to_owned()),
        1 => Just("now".to_owned()),
        1 => Just("nap".to_owned()),
        1 => text.prop_map(|text| format!("log:{text}")),
        2 => (select(&FILES[..]), text).prop_map(|(file, text)| format!("write:{file}:{text}")),
        2 => (select(&FILES[..]), text).prop_map(|(file, text)| format!("append:{file}:{text}")),
        1 => "[d-h]".prop_map(|name| format!("folder:{name}")),
    ]
}

/// Runs a program in a home of its own, which has everything that it looks at set first.
fn run(steps: &[String]) -> Ran {
    let scene = Scene::new();
    let dir = scene.dir("data", &[]);
    let first = KEYS.map(|key| format!("set:{key}:first"));
    let words = ["program", "/data"].into_iter().chain(first.iter().chain(steps).map(String::as_str));
    scene.command("durable", words).granted(KV).mounted("data", &dir, "read-write").run().succeeded().replayed()
}

/// Leaves out what is no call: a fork was parked once more than its parent.
fn of_calls(entries: &[Recorded]) -> Vec<Recorded> {
    entries.iter().filter(|(kind, ..)| *kind != Kind::State).cloned().collect()
}

/// Returns the calls as function, params and outcome. A fork was answered, where its parent had to say first what it does.
fn told(ran: &Ran) -> Vec<(String, String)> {
    ran.calls.iter().map(|call| (call.function.clone(), format!("{} -> {}", call.params, call.outcome))).collect()
}

/// Returns the entries at which a run can be forked after its keys were set: those between two calls.
fn cuts(ran: &Ran, entries: &[Recorded]) -> Vec<usize> {
    let sets = |entry: &Recorded| entry.1.as_deref().is_some_and(|name| name.ends_with("kv#set"));
    let third = entries.iter().enumerate().filter(|(_, entry)| sets(entry)).nth(KEYS.len() - 1);
    let from = third.map_or(0, |(at, _)| at + 1);
    assert!(ran.calls.len() >= KEYS.len());
    (from..entries.len()).filter(|at| entries[*at].0 != Kind::Outcome).collect()
}

#[test]
fn a_program_replays_equal_and_goes_on_equal_from_any_entry() {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(PROGRAMS) });
    let program = (prop::collection::vec(step(), 0..16), prop::collection::vec(any::<prop::sample::Index>(), CUTS));
    let tried = runner.run(&program, |(steps, places)| {
        let ran = run(&steps);
        let entries = ran.record();
        prop_assert_eq!(&run(&steps).record(), &entries, "recorded again");
        let cuts = cuts(&ran, &entries);
        for place in places {
            let at = *place.get(&cuts);
            let forked = ran.forked(at as u64).succeeded().replayed();
            let own = forked.record();
            prop_assert_eq!(&own[..at], &entries[..at], "the past of a fork at {}", at);
            prop_assert_eq!(told(&forked), told(&ran), "what follows a fork at {}", at);
            prop_assert!(of_calls(&own).len() <= of_calls(&entries).len());
            prop_assert_eq!(forked.end.fuel, ran.end.fuel);
        }
        Ok(())
    });
    tried.unwrap_or_else(|failed| panic!("{failed}"));
}
