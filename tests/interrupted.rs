//! A run that is ended from outside, in the middle: by Ctrl-C, by a request to terminate, by a kill.
#![cfg(unix)]

use serde_json::Value as Json;

use crate::binary::{Desk, Running, code, until};
use crate::harness::component;

/// Runs in the middle of which something can happen: arguments, and what says that they are there.
const MIDDLES: [(&str, &[&str]); 4] = [
    ("computing", &["run", "limits.wasm", "--limit", "fuel=9000000000000000000", "--", "loop"]),
    ("calling", &["run", "limits.wasm", "--limit", "calls=1000000000", "--", "calls"]),
    ("sleeping", &["run", "limits.wasm", "--", "sleep"]),
    ("being instantiated", &["run", "loop-in-start.wasm", "--limit", "fuel=9000000000000000000"]),
];

fn desk() -> Desk {
    let desk = Desk::with(&["limits", "guest_agent"]);
    desk.by_hand("loop-in-start");
    desk
}

/// Starts a run and waits until it has begun.
#[track_caller]
fn begun(desk: &Desk, args: &[&str]) -> Running {
    let running = desk.start(args);
    running.wait_for("\nrun ");
    running
}

#[track_caller]
fn interrupted(desk: &Desk, what: &str) {
    let shown = desk.json(&["show", "last", "--json"]);
    assert_eq!(shown["state"], "suspended", "{what}: {shown}");
    desk.last_is_whole();
}

#[test]
fn a_signal_ends_a_run_wherever_it_is() {
    let desk = desk();
    for (what, args) in MIDDLES {
        for signal in ["INT", "TERM"] {
            let running = begun(&desk, args);
            running.signal(signal);
            let said = running.said().ends(code::INTERRUPTED).says(&["suspended with ", "next: `remit resume last`"]);
            assert_eq!(said.stdout, "", "{what}");
            interrupted(&desk, what);
        }
    }
    desk.still_runs();
}

#[test]
fn a_signal_ends_a_run_that_writes() {
    let desk = desk();
    let args = ["run", "limits.wasm", "--limit", "output=1GiB", "--", "output"];
    let running = begun(&desk, &args);
    running.wait_for_output(100_000);
    running.signal("INT");
    let said = running.said().ends(code::INTERRUPTED);
    assert!(said.stdout.len() >= 100_000 && said.stdout.bytes().all(|byte| byte == b'x'));
    interrupted(&desk, "writing");
}

/// A full pipe holds the host up where no guest runs. A second Ctrl-C ends it all the same, and loses nothing committed.
#[test]
fn a_second_signal_ends_what_nobody_reads() {
    let desk = desk();
    let mut command = desk.command(&["run", "limits.wasm", "--limit", "output=1GiB", "--", "output"]);
    let running = Running::start_unread(&mut command);
    running.wait_for("\nrun ");
    until("the pipe to be full", || is_waiting(running.id()).then_some(()));
    let said = until("the end", {
        let mut running = Some(running);
        move || {
            running.as_ref()?.signal("INT");
            let ended = running.as_mut()?.has_ended();
            ended.then(|| running.take()).flatten()
        }
    });
    said.said().ends(code::INTERRUPTED);
    let replay = desk.json(&["replay", "last", "--json"]);
    assert!(["matched", "unfinished"].contains(&replay["verdict"].as_str().unwrap_or_default()), "{replay}");
    desk.still_runs();
}

/// Whether every thread of the process waits for something.
fn is_waiting(id: u32) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let mut states = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok());
    states.all(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" S")))
}

/// What a killed host leaves: a run without an end, whose recorded calls replay; a home that opens; a store that is as
/// it was at some entry of the run.
#[test]
fn a_kill_loses_no_more_than_the_last_moment() {
    let desk = desk();
    for (what, args) in MIDDLES {
        let running = begun(&desk, args);
        running.signal("KILL");
        running.died();
        let shown = desk.json(&["show", "last", "--json"]);
        assert_eq!(shown["state"], "interrupted", "{what}: {shown}");
        let replay = desk.remit(&["replay", "last"]).ends(code::OK);
        assert!(replay.stdout.contains("matched its"), "{what}: {}", replay.stdout);
        desk.remit(&["runs"]).ends(code::OK);
        desk.remit(&["verify", "last"]).fails(code::JOURNAL_DAMAGED, &["has not ended"]);
    }
    desk.still_runs();
}

#[test]
fn a_kill_while_output_is_shown_shows_nothing_that_is_not_recorded() {
    let desk = desk();
    let running = begun(&desk, &["run", "limits.wasm", "--limit", "output=1GiB", "--", "output"]);
    running.wait_for_output(1_000_000);
    running.signal("KILL");
    let shown = running.died();
    let calls = desk.json(&["show", "last", "--json", "--calls"]);
    let written = calls["calls"].as_array().expect("calls").iter().filter(|call| {
        call["function"].as_str().is_some_and(|function| function.ends_with("#[method]output-stream.write"))
    });
    assert!(written.count() * 4096 >= shown.len(), "{} bytes were shown", shown.len());
    desk.remit(&["replay", "last"]).ends(code::OK);
    desk.still_runs();
}

/// Counts in the store, killed at moments of no plan: each later run finds what an earlier one has committed.
#[test]
fn the_store_agrees_with_the_record_after_a_kill() {
    let desk = Desk::with(&["kv"]);
    let manifest = "[plugin]\nname = \"kv\"\nversion = \"0.1.0\"\nkind = \"command\"\n\n\
                    [capabilities.kv]\nprefixes = [\"\"]\naccess = \"read-write\"\nwhy = \"to fill it\"\n";
    desk.write("kv/remit.toml", manifest);
    desk.write("kv/kv.wasm", component("kv"));
    let run = |args: &[&'static str]| [&["run", "kv", "--allow-requested", "--"], args].concat();
    for prefix in ["a", "b", "c"] {
        let running = begun(&desk, &run(&["many", prefix, "4000000"]));
        let journal = desk.home().join("journal.redb");
        let before = std::fs::metadata(&journal).map_or(0, |metadata| metadata.len());
        until("the journal to grow", || {
            std::fs::metadata(&journal).is_ok_and(|now| now.len() > before + (1 << 20)).then_some(())
        });
        running.signal("KILL");
        running.died();
        let calls = desk.json(&["show", "last", "--json", "--calls"]);
        let set = calls["calls"].as_array().expect("calls").iter();
        let set = set.filter(|call| call["function"].as_str().is_some_and(|name| name.ends_with("kv#set"))).count();
        let keys = desk.remit(&run(&["keys", prefix])).ends(code::OK).stdout;
        assert_eq!(keys.lines().count(), set, "keys in the store, and recorded calls that set one");
        desk.last_is_whole();
    }
}

#[test]
fn an_interrupted_run_says_so_to_programs() {
    let desk = desk();
    let args = ["run", "guest_agent.wasm", "--json", "--input", r#"{"do": "sleep", "ms": 1000000}"#];
    let running = begun(&desk, &args);
    running.signal("INT");
    let said = running.said().ends(code::INTERRUPTED).json();
    assert_eq!(said["state"], Json::from("suspended"));
}
