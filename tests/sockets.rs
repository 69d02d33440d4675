//! `wasi:sockets`: there for the linker, and always refusing.

use crate::harness::Scene;

#[test]
fn nothing_reaches_the_network() {
    let ran = Scene::new().command("sockets", []).run().replayed();
    let steps: Vec<_> = ran.text().lines().collect();
    assert_eq!(steps.len(), 5, "{steps:?}");
    assert!(steps[..4].iter().all(|step| step.ends_with(": PermissionDenied (errno 2)")), "{steps:?}");
    // The standard library has no kind for a name that cannot be resolved.
    assert_eq!(steps[4], "lookup: Uncategorized");
}

#[test]
fn a_refusal_names_the_rule_and_no_grant_because_there_is_none() {
    let ran = Scene::new().command("sockets", []).run().succeeded().replayed();
    let refused = ran.refused();
    assert_eq!(refused.len(), 5);
    for call in refused {
        let refusal = call.refusal.as_ref().expect("it was refused");
        assert_eq!((refusal.rule.as_str(), &refusal.grant), ("no remit allows sockets", &None));
        assert_eq!(call.class, "read-remote");
        let is_lookup = call.function == "wasi:sockets/ip-name-lookup#resolve-addresses";
        let code = if is_lookup { "permanent-resolver-failure" } else { "access-denied" };
        assert_eq!(call.outcome, serde_json::json!([{ "err": code }]));
    }
}

#[test]
fn a_refused_call_is_counted_like_any_other() {
    let run = || Scene::new().command("sockets", []).run().succeeded();
    let usage = run().usage();
    assert_eq!(usage, run().usage());
    assert_eq!(usage.calls, run().calls.len() as u64);
}
