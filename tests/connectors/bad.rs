//! Connectors that do what they should not.

use remit::agent::{DEPTH_MAX, PrepareError};
use remit::gate::{Failed, Outcome, Why};
use remit::meter::{LimitKind, Usage};

use super::world::{ISSUES, Part, caller, linked, play, play_of, tracker};
use crate::harness::{Ran, Scene, component};

/// Returns why the connector did not answer, after replaying the caller.
#[track_caller]
fn failed(ran: Ran) -> (Ran, Failed) {
    let ran = ran.replayed();
    let Outcome::ConnectorFailed { failed, .. } = ran.end.outcome.clone() else { panic!("{:?}", ran.end) };
    (ran, failed)
}

#[test]
fn a_connector_that_traps_ends_the_callers_run_and_says_where() {
    let (ran, failed) = failed(caller(&Scene::new(), ["misbehave", "trap"], Part::tracker()).run());
    let [callee] = &ran.callees(&tracker())[..] else { panic!("one run") };
    assert_eq!((failed.why, failed.run, failed.connector.as_str()), (Why::Ended, Some(callee.id), "part-0"));
    assert!(failed.message.starts_with("crashed: "), "{}", failed.message);
    assert!(matches!(callee.end.outcome, Outcome::Trapped { .. }), "{:?}", callee.end);
    ran.callees(&tracker()).remove(0).replayed();
}

#[test]
fn a_connector_ends_at_its_own_limits() {
    for (how, limit, value) in [
        ("loop", LimitKind::Fuel, 10_000_000),
        ("loop", LimitKind::WallTime, 100),
        ("sleep", LimitKind::WallTime, 100),
        ("log", LimitKind::Calls, 0),
    ] {
        let part = Part::tracker().limit(limit, value);
        let (ran, failed) = failed(caller(&Scene::ticking(), ["misbehave", how], part).run());
        assert_eq!(failed.why, Why::Ended);
        assert!(failed.message.contains(limit.name()), "{}", failed.message);
        let callee = ran.callees(&tracker()).remove(0).replayed();
        callee.limited_by(limit);
    }
}

#[test]
fn a_connector_that_hangs_has_the_callers_time_for_one_call() {
    for how in ["loop", "sleep"] {
        let play = caller(&Scene::ticking(), ["misbehave", how], Part::tracker());
        let (ran, failed) = failed(play.limit(LimitKind::CallTime, 100).run());
        assert_eq!(failed.why, Why::Late);
        let callee = ran.callees(&tracker()).remove(0).replayed();
        callee.limited_by(LimitKind::CallTime);
        assert!(callee.end.fuel > 0 && ran.end.called.fuel == callee.end.fuel, "{how}: {:?}", ran.end);
    }
}

#[test]
fn an_answer_that_is_too_much_ends_the_connector_and_names_the_cap() {
    let (ran, failed) = failed(caller(&Scene::new(), ["flood", "262144"], Part::tracker()).run());
    assert!(failed.message.contains("at most 262144 values"), "{}", failed.message);
    ran.callees(&tracker()).remove(0).replayed();
}

/// A component that exports `hop: func(n: u32) -> u32`, which imports the same and hops as long as `n` is not 0.
const HOP: &str = r#"
(component
  (import "test:loop/hop@1.0.0" (instance $i (export "hop" (func (param "n" u32) (result u32)))))
  (core func $hop (canon lower (func $i "hop")))
  (core module $code
    (import "i" "hop" (func $hop (param i32) (result i32)))
    (func (export "hop") (param i32) (result i32)
      (if (result i32) (i32.eqz (local.get 0))
        (then (i32.const 0))
        (else (i32.add (i32.const 1) (call $hop (i32.sub (local.get 0) (i32.const 1))))))))
  (core instance $main (instantiate $code (with "i" (instance (export "hop" (func $hop))))))
  (func $hopped (param "n" u32) (result u32) (canon lift (core func $main "hop")))
  (instance $e (export "hop" (func $hopped)))
  (export "test:loop/hop@1.0.0" (instance $e)))"#;

const HOP_NAME: &str = "test:loop/hop@1.0.0";

/// A command that hops `n` times, and exits with an error unless it is told so.
fn hopper(n: usize) -> Vec<u8> {
    let text = format!(
        r#"(component
  (import "{HOP_NAME}" (instance $i (export "hop" (func (param "n" u32) (result u32)))))
  (core func $hop (canon lower (func $i "hop")))
  (core module $code
    (import "i" "hop" (func $hop (param i32) (result i32)))
    (func (export "run") (result i32) (i32.ne (call $hop (i32.const {n})) (i32.const {n}))))
  (core instance $main (instantiate $code (with "i" (instance (export "hop" (func $hop))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#
    );
    wat::parse_str(text).expect("the text is right")
}

fn hop(n: usize) -> Ran {
    let part = Part::of_text(HOP).calling(HOP_NAME, 0);
    let granted = format!("[capabilities.connectors.\"{HOP_NAME}\"]\nwhy = \"test\"");
    play(&Scene::new(), hopper(n), HOP_NAME, vec![part]).granted(&granted).run()
}

/// A connector that calls itself gets another instance, which is in nobody's way; and not more than so many.
#[test]
fn connectors_call_each_other_so_deep_and_no_deeper() {
    let ran = hop(DEPTH_MAX - 1).succeeded().replayed();
    let guest = Part::of_text(HOP).guest;
    let mut callees = ran.callees(&guest);
    for _ in 1..DEPTH_MAX {
        callees = callees.remove(0).replayed().callees(&guest);
    }
    assert_eq!(callees.len(), 1);

    let (ran, failed) = failed(hop(DEPTH_MAX));
    assert!(failed.message.contains("more than 8 deep"), "{}", failed.message);
    let outermost = ran.callees(&guest).remove(0).replayed();
    assert!(matches!(outermost.end.outcome, Outcome::ConnectorFailed { .. }), "{:?}", outermost.end);
    let Usage { fuel, .. } = outermost.end.called;
    assert!(fuel > 0 && ran.end.called.fuel == outermost.end.fuel + fuel, "{:?} of {:?}", ran.end, outermost.end);
}

/// As many connectors work for one run as there is room for. One that found none is not lost to the run: it is called
/// once another has ended.
#[test]
fn a_connector_that_found_no_room_is_tried_again() {
    let names = ["hop", "skip", "jump"].map(|name| format!("test:loop/{name}@1.0.0"));
    let [hop, skip, jump] = names.each_ref().map(String::as_str);
    let hopping = |name: &'static str, number| {
        let name = &*format!("test:loop/{name}@1.0.0").leak();
        Part::of_text(&HOP.replace(HOP_NAME, name)).calling(name, number)
    };
    let parts = vec![hopping("hop", 0), hopping("skip", 1), hopping("jump", 2), Part::tracker()];
    let calls = [(hop, 0), (skip, 1), (jump, 2), (ISSUES, 3)];
    let granted = calls.map(|(name, _)| format!("[capabilities.connectors.\"{name}\"]\nwhy = \"test\"\n")).concat();
    // Eight and seven of sixteen places, and the tracker's.
    let (deep, less) = (format!("{{\"n\":{}}}", DEPTH_MAX - 1), format!("{{\"n\":{}}}", DEPTH_MAX - 2));
    let chosen = [
        ["test_loop_hop_hop", &deep],
        ["test_loop_skip_hop", &less],
        ["test_tracker_issues_count", "{}"],
        ["test_loop_jump_hop", "{\"n\":0}"],
        ["test_tracker_issues_misbehave", "{\"how\":\"trap\"}"],
        ["test_loop_jump_hop", "{\"n\":0}"],
    ];
    let play = play_of(&Scene::new(), component("tools"), &calls, parts);
    let play = play.granted(&granted).granted("[capabilities.tools]\nwhy = \"test\"").arguments(["chosen"]);
    let ran = play.arguments(chosen.concat()).run().succeeded().replayed();
    let [seven, six, one, full, crashed, zero] = ran.text().lines().collect::<Vec<_>>()[..] else {
        panic!("{}", ran.text())
    };
    assert_eq!([seven, six, one, zero], ["7", "6", "1", "0"]);
    assert!(full.ends_with("the connector part-2 could not be started") && crashed.starts_with("error: "), "{full}");
    let outcome = ran.calls_of("remit:plugin/tools#call")[3].outcome.to_string();
    assert!(outcome.contains("more than 16 connectors"), "{outcome}");
}

/// A component that exports the interface of the tests with one function, `join`, of another type.
fn other_types(params: &str) -> Part {
    Part::of_text(&format!(
        r#"(component
  (core module $code (func (export "join") (param i32 i32) (result i32) unreachable)
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
  (core instance $main (instantiate $code))
  (func $join {params} (result u32)
    (canon lift (core func $main "join") (memory (core memory $main "memory")) (realloc (core func $main "realloc"))))
  (instance $e (export "join" (func $join)))
  (export "{ISSUES}" (instance $e)))"#
    ))
}

#[test]
fn an_incompatible_pair_is_refused_with_the_difference() {
    let part = other_types(r#"(param "text" string)"#);
    let refused = linked(component("connector"), &[part], ISSUES).map(drop).expect_err("they differ");
    assert!(matches!(refused, PrepareError::Incompatible { .. }), "{refused}");
    let said = refused.to_string();
    assert!(
        said.contains("part-0 does not fit: `") && said.contains(ISSUES) && said.contains("the export has"),
        "{said}"
    );
}

#[test]
fn an_import_that_nobody_is_linked_for_is_refused_with_the_way_out() {
    let refused = linked(component("connector"), &[Part::tracker()], "test:tracker/issues@1.3.0").map(drop);
    let refused = refused.expect_err("the caller imports 1.2.0");
    assert!(matches!(refused, PrepareError::NotConnected { .. }), "{refused}");
    assert!(refused.to_string().contains(ISSUES) && refused.hint().contains("remit install"), "{}", refused.hint());
}

#[test]
fn resources_do_not_cross() {
    let text = r#"(component
  (type $r' (resource (rep i32)))
  (instance $e (export "session" (type $r')))
  (export "test:own/things@1.0.0" (instance $e)))"#;
    let bytes = wat::parse_str(text).expect("the text is right");
    let refused = crate::harness::Guest::linked(bytes, remit::agent::Connected::ByRecord).map(drop);
    let refused = refused.expect_err("it exports a resource").to_string();
    assert!(refused.contains("a resource cannot leave the plugin that owns it"), "{refused}");
}
