//! `remit:plugin/log`: lines for people, at the levels that the remit keeps.

use remit::meter::LimitKind;
use serde_json::json;

use crate::harness::Scene;

const WARN: &str = "[capabilities.log]\nlevels = [\"warn\"]";

#[test]
fn every_plugin_may_log_at_every_level() {
    let scene = Scene::new();
    let ran = scene.command("log", ["levels"]).run().printed("ok\n").replayed();
    let lines =
        "trace: a trace line\ndebug: a debug line\ninfo: an info line\nwarn: a warn line\nerror: an error line\n";
    assert_eq!(ran.log, lines);
    let call = ran.calls_of("remit:plugin/log#log")[4];
    assert_eq!((call.class, &call.params), ("write-local", &json!(["error", "an error line"])));
}

#[test]
fn a_level_that_the_remit_does_not_keep_is_dropped_and_recorded_as_refused() {
    let scene = Scene::new();
    let ran = scene.command("log", ["levels"]).granted(WARN).run().printed("ok\n").replayed();
    assert_eq!(ran.log, "warn: a warn line\n");
    let refused = ran.refused();
    assert_eq!(refused.len(), 4);
    let refusal = refused[0].refusal.as_ref().expect("it was refused");
    assert_eq!(refusal.rule, "logging at level trace is not granted");
    assert_eq!(refusal.grant.as_deref(), Some("[capabilities.log]\nlevels = [\"trace\", \"warn\"]\n"));
}

#[test]
fn a_guest_is_not_told_that_its_line_was_dropped() {
    let scene = Scene::new();
    let [kept, dropped] = [("", 1), (WARN, 0)].map(|(granted, lines)| {
        let ran = scene.command("log", ["text", "hello"]).granted(granted).run().printed("ok\n").replayed();
        assert_eq!(ran.log.lines().count(), lines);
        ran.usage()
    });
    assert_eq!((kept.fuel, kept.calls), (dropped.fuel, dropped.calls));
}

#[test]
fn a_message_keeps_its_line_breaks() {
    let scene = Scene::new();
    let ran = scene.command("log", ["text", "one\ntwo ✓"]).run().printed("ok\n").replayed();
    assert_eq!(ran.log, "info: one\ntwo ✓\n");
}

#[test]
fn lines_count_as_output() {
    let usage_of = |lines: &str| Scene::new().command("log", ["lines", lines]).run().printed("ok\n").replayed().usage();
    let usage = usage_of("10");
    assert_eq!(usage, usage_of("10"));
    assert_eq!(usage.output_bytes, 10 * "info: line 0\n".len() as u64 + "ok\n".len() as u64);
    assert_eq!(usage_of("20").calls, usage.calls + 10);
}

#[test]
fn a_message_over_the_payload_limit_ends_the_run() {
    let scene = Scene::new();
    let ran = scene.command("log", ["huge", "70000"]).limit(LimitKind::Payload, 65536).run();
    let ran = ran.ended_in("remit:plugin/log#log").replayed();
    ran.limited_by(LimitKind::Payload);
    assert_eq!(ran.log, "");
}
