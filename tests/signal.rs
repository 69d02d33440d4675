//! `remit:plugin/signal`: named events from outside, kept until the run asks, each told once and in order.

use std::time::Duration;

use remit::agent::{SendError, send};
use remit::id::RunId;
use remit::journal::{Arrival, Error, SIGNAL_MAX, SIGNALS_MAX, Signal};
use remit::lifecycle::{State, Wait};
use remit::manifest::Grant;
use remit::meter::LimitKind;
use remit::scope::Remit;
use serde_json::{Value as Json, json};

use crate::binary::{Desk, code};
use crate::harness::{NOW, Ran, Scene, component};

const WAIT: &str = "remit:plugin/signal#wait";

const GRANTED: &str = "[capabilities.signal]\nnames = [\"go\", \"stop\"]\nwhy = \"test\"";

fn run(scene: &Scene, arguments: &[&str]) -> Ran {
    scene.command("signal", arguments.iter().copied()).granted(GRANTED).run()
}

fn signal(name: &str, payload: &str) -> Signal {
    Signal { at: NOW, by: "local:ada".into(), name: name.parse().expect("a name"), payload: payload.into() }
}

#[track_caller]
fn sent(scene: &Scene, ran: &Ran, name: &str, payload: &str) -> Arrival {
    send(scene.journal(), ran.id, signal(name, payload)).unwrap_or_else(|error| panic!("{error}"))
}

fn can_go_on(scene: &Scene, run: RunId) -> bool {
    let is_due = scene.journal().due(scene.clock().now(), 10).expect("the journal can be read").contains(&run);
    let waiting = scene.journal().waiting(run).expect("the journal can be read").expect("it waits");
    assert_eq!(waiting.is_due(scene.clock().now()), is_due);
    is_due
}

#[test]
fn a_run_waits_for_a_signal_and_is_told_what_it_says_and_by_whom() {
    let scene = Scene::new();
    let ran = run(&scene, &["wait", "go"]).ended_in(WAIT).replayed();
    assert_eq!(ran.waits(), Wait::Signal { name: "go".into(), until: None });
    assert_eq!(ran.calls_of(WAIT)[0].before, Some(json!({ "for": "signal", "name": "go" })));
    assert!(!can_go_on(&scene, ran.id));
    assert_eq!(scene.journal().next_due().expect("it can be read"), None);

    // Another name is kept, and it waits on. Its record does not grow.
    assert_eq!(sent(&scene, &ran, "stop", "1"), Arrival::Kept);
    let entries = ran.entries();
    let ran = ran.resumed();
    assert_eq!((ran.waits(), ran.entries()), (Wait::Signal { name: "go".into(), until: None }, entries));
    assert!(!can_go_on(&scene, ran.id));

    assert_eq!(sent(&scene, &ran, "go", " {\"n\": 12345678901234567890123} "), Arrival::Awaited);
    assert!(can_go_on(&scene, ran.id));
    let ran = ran.resumed().printed(" {\"n\": 12345678901234567890123} \n").replayed();
    assert_eq!(ran.calls_of(WAIT)[0].class, "write-local");
    let left = scene.journal().signals(ran.id).expect("they can be read");
    assert_eq!(left, [signal("stop", "1")], "what was told is gone, what was not is there");
    let ended = send(scene.journal(), ran.id, signal("go", "1"));
    assert!(matches!(ended, Err(SendError::Ended(State::Succeeded))), "{ended:?}");
}

#[test]
fn a_signal_that_comes_first_is_kept_and_each_is_told_once_in_order() {
    let scene = Scene::new();
    let ran = run(&scene, &["wait", "go", "stop", "go", "go"]);
    for (name, payload) in [("go", "1"), ("go", "2"), ("stop", "3")] {
        sent(&scene, &ran, name, payload);
    }
    let ran = ran.resumed();
    assert_eq!(ran.text(), "1\n3\n2\n");
    assert!(!can_go_on(&scene, ran.id));
    assert_eq!(sent(&scene, &ran, "go", "4"), Arrival::Awaited);
    let scene = scene.reopened();
    let ran = ran.in_scene(&scene).resumed().printed("4\n").replayed();
    let told: Vec<_> = ran.calls_of(WAIT).iter().map(|call| call.outcome.clone()).collect();
    assert_eq!(told, ["1", "3", "2", "4"].map(|payload| json!([{ "ok": payload }])));
}

#[test]
fn two_runs_are_told_of_their_own() {
    let scene = Scene::new();
    let [one, two] = [(); 2].map(|()| run(&scene, &["wait", "go"]));
    sent(&scene, &two, "go", "2");
    assert_eq!((can_go_on(&scene, one.id), can_go_on(&scene, two.id)), (false, true));
    two.resumed().printed("2\n").replayed();
    sent(&scene, &one, "go", "1");
    one.resumed().printed("1\n").replayed();
}

#[test]
fn a_timeout_ends_the_wait_and_one_of_zero_only_looks() {
    let scene = Scene::new();
    let ran = run(&scene, &["within", "go", "60000"]);
    let minute = Duration::from_secs(60);
    assert_eq!(ran.waits().until().map(|until| until.since(NOW)), Some(minute));
    scene.clock().advance(minute);
    assert!(can_go_on(&scene, ran.id));
    ran.resumed().printed("none\n").replayed();
    run(&scene, &["within", "go", "0"]).printed("none\n").replayed();
    // What came in time, or late and before anybody looked, is told.
    let ran = run(&scene, &["within", "go", "60000"]);
    scene.clock().advance(2 * minute);
    sent(&scene, &ran, "go", "7");
    ran.resumed().printed("7\n").replayed();
}

#[test]
fn a_signal_outside_the_remit_is_refused_and_the_guest_reads_on() {
    let scene = Scene::new();
    let ran = run(&scene, &["within", "other", "0"]);
    let ran = ran.printed("error: the remit does not allow the signal other\n").replayed();
    let grant = ran.refused_once(WAIT, "signal other is not granted").expect("a grant would allow it");
    assert_eq!(grant, "[capabilities.signal]\nnames = [\"go\", \"other\", \"stop\"]\n");
    Remit::from_grant(&Grant::parse("grant.toml", &grant).expect("the suggestion is a grant"));
    let long = "n".repeat(100_000);
    for name in ["", "GO", "go ", "go\u{7}", "é", "../go", &long] {
        let ran = run(&scene, &["wait", name]).succeeded().replayed();
        assert_eq!(ran.refused_once(WAIT, "is not one that a signal has"), None, "{name:.20}");
    }
}

#[test]
fn the_sdk_reads_a_signal_as_the_type_that_is_needed() {
    let scene = Scene::new();
    for (payload, printed) in [("7", "7\n"), ("\"x\"", "error: signal go does not say what is needed: ")] {
        let ran = run(&scene, &["number", "go"]);
        sent(&scene, &ran, "go", payload);
        let ran = ran.resumed().succeeded().replayed();
        assert!(ran.text().starts_with(printed), "{}", ran.text());
    }
}

#[test]
fn waiting_is_metered_by_what_was_told() {
    let use_of = |payload: &str| {
        let scene = Scene::new();
        let ran = run(&scene, &["wait", "go"]);
        sent(&scene, &ran, "go", payload);
        ran.resumed().succeeded().usage()
    };
    let (short, long) = (use_of("\"\""), use_of(&format!("\"{}\"", "x".repeat(100))));
    assert_eq!(long.calls, short.calls);
    // What it is told comes out, and what it prints of that goes in.
    assert_eq!((long.bytes_in - short.bytes_in, long.bytes_out - short.bytes_out), (100, 100));
    let scene = Scene::new();
    let play = scene.command("signal", ["wait", "go"]).granted(GRANTED).limit(LimitKind::Payload, 1_000);
    let ran = play.run();
    sent(&scene, &ran, "go", &format!("\"{}\"", "x".repeat(1_000)));
    ran.resumed().ended_in(WAIT).limited_by(LimitKind::Payload);
}

#[test]
fn what_is_no_signal_is_refused_and_nothing_is_kept() {
    let scene = Scene::new();
    let ran = run(&scene, &["wait", "go"]);
    let journal = scene.journal();
    let largest = format!("\"{}\"", "x".repeat(SIGNAL_MAX - 2));
    let refused = |payload: &str| journal.signal(ran.id, signal("go", payload)).expect_err("it is refused");
    assert!(matches!(refused(&format!("{largest} ")), Error::TooLarge { len: 65_537, max: 65_536, .. }));
    for payload in ["", "{", "1 2", "nul", "\u{0}", &"[".repeat(1_000)] {
        assert!(matches!(refused(payload), Error::NotJson(_)), "{payload:.20}");
    }
    let unknown = RunId::from_bytes([7; 16]);
    assert!(matches!(journal.signal(unknown, signal("go", "1")), Err(Error::NoSuchRun(id)) if id == unknown));
    assert!(!can_go_on(&scene, ran.id) && journal.signals(ran.id).expect("they can be read").is_empty());

    sent(&scene, &ran, "go", &largest);
    (1..SIGNALS_MAX).for_each(|_| assert_eq!(sent(&scene, &ran, "stop", "1"), Arrival::Kept));
    assert!(matches!(refused("1"), Error::TooManySignals { max: SIGNALS_MAX, .. }));
    let ran = ran.resumed().succeeded().replayed();
    assert_eq!(ran.text().trim_end(), largest);
    scene.journal().remove(ran.id).expect("nobody writes it");
    assert!(scene.journal().signals(ran.id).expect("they can be read").is_empty());
}

const MANIFEST: &str = r#"
[plugin]
name = "listener"
version = "0.1.0"
kind = "command"

[capabilities.signal]
names = ["go", "stop"]
why = "to be told when to go on"
"#;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("listener/remit.toml", MANIFEST);
    desk.write("listener/listener.wasm", component("signal"));
    desk
}

const RUN: [&str; 3] = ["run", "listener", "--allow-requested"];

#[test]
fn an_operator_sends_a_signal_from_another_command() {
    let desk = desk();
    let said = desk.remit(&[&RUN[..], &["--", "wait", "go"]].concat()).ends(code::WAITING);
    said.says(&["suspended for signal go", "remit signal ", " go JSON"]);
    desk.last_is_whole();
    desk.remit(&["resume", "last"]).ends(code::WAITING).says(&["suspended for signal go"]);
    for (arguments, code, says) in [
        (vec!["go", "{"], code::USAGE, "not JSON"),
        (vec!["g o"], code::USAGE, "a name of 1 to 63 characters"),
        (vec!["go\u{7}", "1"], code::USAGE, "a name of 1 to 63 characters"),
        (vec!["go", "@missing.json"], code::USAGE, "missing.json"),
    ] {
        desk.remit(&[&["signal", "last"][..], &arguments].concat()).ends(code).says(&[says]);
    }
    desk.remit(&["signal", "ffff", "go"]).fails(code::NO_SUCH_RUN, &["ffff"]);
    desk.write("large.json", format!("\"{}\"", "x".repeat(SIGNAL_MAX)));
    desk.remit(&["signal", "last", "go", "@large.json"]).ends(code::USAGE);

    desk.remit(&["signal", "last", "stop"]).ends(code::OK).says(&["kept for run "]);
    let shown = desk.remit(&["show", "last"]).ends(code::OK).stdout;
    assert!(shown.contains("signal     stop, sent "), "{shown}");
    desk.remit(&["signal", "last", "go", "{\"a\": [1]}"]).ends(code::OK).says(&["waited for this"]);
    assert_eq!(desk.remit(&["resume", "last"]).ends(code::OK).stdout, "{\"a\": [1]}\n");
    desk.last_is_whole();
    let calls = desk.json(&["show", "last", "--json", "--calls"]);
    let told = calls["calls"].as_array().expect("calls").iter().find(|call| call["kind"] == "outcome");
    assert!(told.expect("it was told")["before"]["by"].as_str().is_some_and(|by| by.starts_with("local:")));
    desk.remit(&["signal", "last", "go"]).fails(code::NOT_RESUMABLE, &["the run has ended"]);
}

/// Each is told once, wherever the host dies, also when it dies while it takes the run up.
#[test]
fn a_signal_is_told_once_wherever_the_host_dies() {
    let last = |calls: &Json| {
        let calls = calls["calls"].as_array().expect("calls");
        calls
            .iter()
            .filter(|call| call["function"] == WAIT)
            .filter_map(|call| call["outcome"][0].get("ok").cloned())
            .collect()
    };
    for entry in 0..12_usize {
        let death = [&[][..], &["--crash-suddenly"]][entry % 2];
        let desk = desk();
        desk.remit(&[&RUN[..], &["--", "wait", "go", "stop", "go"]].concat()).ends(code::WAITING);
        for (name, payload) in [("go", "1"), ("stop", "2"), ("go", "3")] {
            desk.remit(&["signal", "last", name, payload]).ends(code::OK);
        }
        let at = entry.to_string();
        let crashed = desk.start(&[&["resume", "last", "--crash-after", &at], death].concat()).ended();
        if crashed.is_none() {
            desk.remit(&["resume", "last"]).ends(code::OK);
        }
        let told: Vec<Json> = last(&desk.json(&["show", "last", "--json", "--calls"]));
        assert_eq!(told, [json!("1"), json!("2"), json!("3")], "killed at {entry} {death:?}");
        if entry % 4 == 0 {
            desk.last_is_whole();
        }
    }
}
