//! Connectors: typed calls from one plugin to another, each in its own run.

mod bad;
mod command_line;
mod durable;
mod killed;
mod resumed;
mod versions;
pub mod world;

use remit::gate::{Outcome, Where};
use remit::meter::LimitKind;
use serde_json::json;

use self::world::{ALL, ISSUES, KV, Part, caller, play, tracker};
use crate::harness::{Ran, Scene, component};

const CREATE: &str = "test:tracker/issues#create";
const CREATE_CALLED: &str = "test:tracker/issues#[call]create";
const CREATE_RETURNED: &str = "test:tracker/issues#[return]create";

/// Replays a caller's run and that of its one connector, each by itself.
#[track_caller]
fn both_replayed(ran: Ran) -> (Ran, Ran) {
    let ran = ran.replayed();
    let mut callees = ran.callees(&tracker());
    let callee = callees.pop().expect("the connector has a run");
    assert!(callees.is_empty(), "one instance serves one caller's run");
    (ran, callee.replayed())
}

#[test]
fn a_call_is_one_entry_here_and_two_there() {
    let scene = Scene::new();
    let ran = caller(&scene, ["create", "broken", "red", "urgent"], Part::tracker().granted(KV)).run();
    let (ran, callee) = both_replayed(ran.printed("Ok(1)\n"));

    let [call] = ran.calls_of(CREATE)[..] else { panic!("one call") };
    let issue = json!({
        "title": "broken", "labels": ["red", "urgent"], "level": "high", "rights": ["read"], "due": -1, "weight": 0.5,
    });
    assert_eq!((&call.params, &call.outcome), (&json!({ "issue": issue }), &json!({ "ok": 1 })));
    assert_eq!(call.class, "read-remote");

    let functions: Vec<_> = callee.calls.iter().map(|call| call.function.as_str()).collect();
    let at = functions.iter().position(|function| *function == CREATE_CALLED).expect("the call is recorded");
    assert_eq!(functions[at..], [CREATE_CALLED, "remit:plugin/kv#set", CREATE_RETURNED]);
    assert_eq!(callee.calls_of(CREATE_CALLED)[0].params, json!({ "issue": issue }));
    assert_eq!(callee.calls_of(CREATE_RETURNED)[0].params, json!({ "ok": 1 }));
    assert_eq!(callee.end.outcome, Outcome::Succeeded { result: None });
}

#[test]
fn a_connectors_calls_name_their_cause() {
    let scene = Scene::new();
    let ran = caller(&scene, ["count", "2"], Part::tracker()).run().printed("1\n2\n");
    let (ran, callee) = both_replayed(ran);
    let entries = entries_of(&scene, &ran, "test:tracker/issues#count");
    let causes: Vec<_> =
        callee.calls_of("test:tracker/issues#[call]count").iter().filter_map(|call| call.cause.clone()).collect();
    assert_eq!(causes, entries.iter().map(|entry| format!("{}:{entry}", ran.id)).collect::<Vec<_>>());
    let header = scene.journal().header(callee.id).expect("it has one");
    assert_eq!(header.cause.map(|cause| (cause.run, cause.entry)), Some((ran.id, entries[0])));
    assert_eq!(header.plugin.kind, "connector");
}

/// Returns the numbers of the entries of a function.
fn entries_of(scene: &Scene, ran: &Ran, function: &str) -> Vec<u64> {
    let mut reader = scene.journal().reader(ran.id).expect("the run is there");
    let mut entries = Vec::new();
    while let Some(entry) = reader.next().expect("the entries are whole") {
        if entry.function_name() == Some(function) {
            entries.push(entry.number());
        }
    }
    entries
}

#[test]
fn a_problem_of_the_interface_is_an_outcome_like_any_other() {
    for (arguments, said) in [
        (vec!["create", ""], "Err(Problem::NoTitle)\n"),
        (vec!["create", "t", "1", "2", "3", "4"], "Err(Problem::TooMany(4))\n"),
    ] {
        let ran = caller(&Scene::new(), arguments, Part::tracker().granted(KV)).run();
        both_replayed(ran.printed(said));
    }
}

/// A replay needs no connector: here it has a caller that is linked to none.
#[test]
fn a_replay_of_the_caller_calls_nobody() {
    let scene = Scene::new();
    let ran = caller(&scene, ["count", "3"], Part::tracker()).run().printed("1\n2\n3\n");
    let replayed = ran.replay_with(&world::recorded(component("connector")));
    assert!(matches!(replayed.verdict, remit::agent::Verdict::Matched), "{replayed:?}");
    assert_eq!(ran.callees(&tracker()).len(), 1, "the replay started nobody");
}

#[test]
fn a_connector_has_its_own_remit_and_nothing_of_its_callers() {
    let scene = Scene::new();
    let ran = caller(&scene, ["misbehave", "kv"], Part::tracker().granted(KV))
        .granted("[capabilities.kv]\nprefixes = [\"elsewhere\"]\naccess = \"read-write\"\nwhy = \"test\"");
    let (ran, callee) = both_replayed(ran.run().succeeded());
    callee.refused_once("remit:plugin/kv#set", "elsewhere");
    assert!(ran.refused().is_empty());
}

#[test]
fn what_is_not_granted_is_refused_and_ends_the_run_as_denied() {
    let scene = Scene::new();
    let granted = format!("{ALL}\nfunctions = [\"create\"]");
    let play = play(&scene, component("connector"), ISSUES, vec![Part::tracker()]);
    let ran = play.granted(&granted).arguments(["join", "a", "1"]).run();
    let Outcome::Failed { failure } = &ran.end.outcome else { panic!("{:?}", ran.end) };
    assert_eq!(failure.kind, "denied");
    let told = "the remit does not allow test:tracker/issues@1.2.0#join";
    assert!(failure.message.contains(told), "{}", failure.message);
    let grant = ran.refused_once("test:tracker/issues#join", "").expect("a grant would allow it");
    assert!(grant.contains("join"), "{grant}");
    assert!(ran.replayed().callees(&tracker()).is_empty(), "nobody was started");
}

#[test]
fn what_a_connector_uses_is_its_callers_too_and_kept_apart() {
    let scene = Scene::new();
    let ran = caller(&scene, ["create", "broken"], Part::tracker().granted(KV)).run().printed("Ok(1)\n");
    let (ran, callee) = both_replayed(ran);
    let [call] = ran.calls_of(CREATE)[..] else { panic!("one call") };
    let used = call.used().expect("the entry says what the connector used");
    assert_eq!((used.fuel, used.kv_bytes), (callee.end.fuel, callee.end.usage.kv_bytes));
    assert!(used.fuel > 0 && used.kv_bytes > 0, "{used:?}");
    assert_eq!(ran.end.called, used);
    assert_eq!(ran.end.usage.kv_bytes, 0);
}

#[test]
fn bytes_go_as_bytes_and_other_lists_to_a_cap() {
    let scene = Scene::new();
    let ran = caller(&scene, ["reverse", "1048576"], Part::tracker()).run().printed("1048576\n");
    both_replayed(ran);
    for (arguments, said) in [(["sum", "262143"], "262143\n"), (["flood", "262143"], "262143\n")] {
        caller(&scene, arguments, Part::tracker()).run().printed(said).replayed();
    }
    for arguments in [["sum", "262144"], ["sum", "5000000"]] {
        let ran = caller(&scene, arguments, Part::tracker()).run();
        let Outcome::Trapped { message, .. } = &ran.end.outcome else { panic!("{:?}", ran.end) };
        assert!(message.contains("at most 262144 values"), "{message}");
        ran.replayed();
    }
}

#[test]
fn a_payload_beyond_the_callers_limit_ends_the_call() {
    let scene = Scene::new();
    let ran = caller(&scene, ["reverse", "5000"], Part::tracker()).limit(LimitKind::Payload, 4096).run();
    ran.limited_by(LimitKind::Payload);
    let ran = ran.ended_in("test:tracker/issues#reverse").replayed();
    assert!(ran.callees(&tracker()).is_empty());
    let ran = caller(&scene, ["flood", "5000"], Part::tracker()).limit(LimitKind::Payload, 4096).run();
    ran.limited_by(LimitKind::Payload);
    both_replayed(ran);
}

#[test]
fn a_payload_beyond_the_connectors_limit_ends_its_run_and_the_call() {
    let scene = Scene::new();
    let ran = caller(&scene, ["reverse", "5000"], Part::tracker().limit(LimitKind::Payload, 4096)).run();
    let (_, callee) = both_replayed(ran);
    callee.limited_by(LimitKind::Payload);
    assert_eq!(callee.end.at, Where::Call("test:tracker/issues#[call]reverse".into()));
}

/// What a file is given may follow from what a connector said, so that is on disk first; so is what the connector's
/// answer follows from.
#[test]
fn an_answer_is_durable_before_a_file_is_changed() {
    let scene = Scene::new();
    let dir = scene.dir("out", &[]);
    let ran = caller(&scene, ["write-between", "/out/a.txt"], Part::tracker()).mounted("out", &dir, "read-write").run();
    both_replayed(ran.printed("ok 1\n"));
    assert_eq!(std::fs::read_to_string(dir.join("a.txt")).expect("it was written"), "line 1");
}

#[test]
fn a_caller_that_is_stopped_stops_its_connector_first() {
    for (how, at) in [("loop", Where::Slice), ("sleep", Where::Call("wasi:io/poll#[method]pollable.block".into()))] {
        let scene = Scene::ticking();
        let ran = caller(&scene, ["misbehave", how], Part::tracker());
        let ran = ran.limit(LimitKind::WallTime, 200).run();
        ran.limited_by(LimitKind::WallTime);
        let (ran, callee) = both_replayed(ran.ended_in("test:tracker/issues#misbehave"));
        assert!(matches!(callee.end.outcome, Outcome::Interrupted { .. }), "{how}: {:?}", callee.end);
        assert_eq!(callee.end.at, at, "{how}");
        assert_eq!(ran.calls_of("test:tracker/issues#misbehave").len(), 0, "the call has no entry");
        // What was used in the call that was given up is its caller's, too.
        assert!(callee.end.fuel > 0 && ran.end.called.fuel == callee.end.fuel, "{how}: {:?}", ran.end);
    }
}

#[test]
fn calls_are_counted_against_an_amount_and_one_more_is_not_made() {
    let scene = Scene::new();
    let grant = format!("[capabilities.connectors.\"{ISSUES}\"]\namount = \"2 per run\"");
    let ran = caller(&scene, ["count", "3"], Part::tracker()).granted_by(&grant).run();
    let Outcome::Failed { failure } = &ran.end.outcome else { panic!("{:?}", ran.end) };
    assert_eq!(failure.kind, "denied");
    let more = ran.refused_once("test:tracker/issues#count", "2 per run is used up").expect("a grant would allow it");
    assert!(more.contains("amount = \"3 per run\""), "{more}");
    let (_, callee) = both_replayed(ran);
    assert_eq!(callee.calls_of("test:tracker/issues#[call]count").len(), 2);
    assert!(scene.journal().unsettled().expect("the journal can be read").is_empty());
}
