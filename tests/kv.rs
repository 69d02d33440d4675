//! `remit:plugin/kv`: what a plugin remembers, for whom, and what the remit and the limits say about it.

use remit::digest::Digest;
use remit::manifest::Grant;
use remit::meter::LimitKind;
use remit::scope::Remit;
use serde_json::json;

use crate::harness::{Guest, Scene, component};

const A: &str = "[capabilities.kv]\nprefixes = [\"a/\"]\naccess = \"read-write\"\nwhy = \"test\"";
const READ_A: &str = "[capabilities.kv]\nprefixes = [\"a/\"]\naccess = \"read\"\nwhy = \"test\"";
const K: &str = "[capabilities.kv]\nprefixes = [\"k\"]\naccess = \"read-write\"\nwhy = \"test\"";

#[test]
fn a_run_sees_its_own_changes_before_they_are_committed() {
    let scene = Scene::new();
    let ran = scene.command("kv", ["overwrite", "a/x"]).granted(A).run();
    let ran = ran.printed("ok\nfirst\nok\nsecond, and longer\nok\nnone\n").replayed();
    assert_eq!(ran.refused(), Vec::<&crate::harness::Call>::new());
    let set = ran.calls_of("remit:plugin/kv#set")[0];
    assert_eq!(
        (set.class, &set.params, &set.outcome),
        ("write-local", &json!(["a/x", "first"]), &json!([{ "ok": [] }]))
    );
    let get = ran.calls_of("remit:plugin/kv#get")[0];
    assert_eq!((get.class, &get.outcome), ("read-local", &json!([{ "ok": "first" }])));
}

#[test]
fn what_one_run_wrote_the_next_one_reads_also_in_another_process() {
    let scene = Scene::new();
    let count = |scene: &Scene| scene.command("kv", ["count", "a/n"]).granted(A).run().replayed().text().to_owned();
    assert_eq!([count(&scene), count(&scene)], ["1\n", "2\n"]);
    assert_eq!(count(&scene.reopened()), "3\n");
}

#[test]
fn what_a_run_wrote_before_it_crashed_is_kept() {
    let scene = Scene::new();
    let play = |task: &str| scene.agent(&format!("{{\"do\":\"{task}\",\"key\":\"a/n\"}}")).granted(A).run().replayed();
    assert_eq!(play("kv-count-then-panic").end.outcome.name(), "trapped");
    let remit::gate::Outcome::Succeeded { result } = play("kv-count").end.outcome else {
        panic!("it does not succeed")
    };
    assert_eq!(result.as_deref(), Some("2"));
}

#[test]
fn another_identity_sees_nothing_of_it_and_a_rebuild_of_the_same_sees_it_all() {
    let scene = Scene::new();
    scene.command("kv", ["set", "a/x", "mine"]).granted(A).identity("folder:/one#kv").run().printed("ok\n").replayed();
    let get = || scene.command("kv", ["get", "a/x"]).granted(A);
    get().identity("folder:/two#kv").run().printed("none\n").replayed();
    let rebuilt = Guest::of(with_custom_section(component("kv")));
    assert_ne!(Digest::of(&rebuilt.bytes), Digest::of(&component("kv")));
    get().identity("folder:/one#kv").rebuilt(rebuilt).run().printed("mine\n").replayed();
}

/// Appends a section that nobody reads, as another compiler would.
fn with_custom_section(mut component: Vec<u8>) -> Vec<u8> {
    component.extend(b"\0\x06\x05built");
    component
}

#[test]
fn keys_are_listed_in_order_page_by_page() {
    let scene = Scene::new();
    for key in ["a/b", "a/a", "a/aa", "a/é", "a/B"] {
        scene.command("kv", ["set", key, "x"]).granted(A).run().printed("ok\n");
    }
    scene.command("kv", ["keys", "a/"]).granted(A).run().printed("a/B\na/a\na/aa\na/b\na/é\n").replayed();
    scene.command("kv", ["page", "a/", "a/a", "2"]).granted(A).run().printed("a/aa\na/b\n").replayed();
    scene.command("kv", ["page", "a/a", "a/0", "9"]).granted(A).run().printed("a/a\na/aa\n").replayed();
    scene.command("kv", ["page", "a/", "", "0"]).granted(A).run().printed("").replayed();
}

#[test]
fn a_page_has_at_most_a_thousand_keys() {
    let scene = Scene::new();
    scene.command("kv", ["many", "a/", "1001"]).granted(A).run().printed("ok\n").replayed();
    let page = scene.command("kv", ["page", "a/", "", "5000"]).granted(A).run().succeeded().replayed();
    assert_eq!(page.text().lines().count(), 1000);
    let all = scene.command("kv", ["keys", "a/"]).granted(A).run().succeeded().replayed();
    assert_eq!((all.text().lines().count(), all.calls_of("remit:plugin/kv#keys").len()), (1001, 2));
}

#[test]
fn a_key_outside_the_remit_is_refused_and_nothing_happens() {
    let scene = Scene::new();
    let ran = scene.command("kv", ["outside", "b/x"]).granted(A).run();
    let ran = ran.printed(&"error: the remit does not allow this access to kv b/x\n".repeat(4)).replayed();
    let refused = ran.refused();
    let functions: Vec<_> = refused.iter().map(|call| call.function.as_str()).collect();
    assert_eq!(functions, ["get", "set", "delete", "keys"].map(|name| format!("remit:plugin/kv#{name}")));
    for call in refused {
        assert_eq!(call.outcome, json!([{ "err": "denied" }]));
        let refusal = call.refusal.as_ref().expect("it was refused");
        assert_eq!(refusal.rule, "key \"b/x\" begins with none of the granted prefixes [\"a/\"]");
        let grant = "[capabilities.kv]\nprefixes = [\"a/\", \"b/x\"]\naccess = \"read-write\"\n";
        assert_eq!(refusal.grant.as_deref(), Some(grant));
    }
    let b = A.replace("a/", "b/");
    scene.command("kv", ["get", "b/x"]).granted(&b).run().printed("none\n");
}

#[test]
fn a_remit_to_read_does_not_let_write() {
    let scene = Scene::new();
    scene.command("kv", ["set", "a/x", "kept"]).granted(A).run().printed("ok\n");
    for call in ["set", "delete"] {
        let arguments = [call, "a/x", "changed"].into_iter().take(if call == "set" { 3 } else { 2 });
        let ran = scene.command("kv", arguments).granted(READ_A).run().replayed();
        let grant = ran.refused_once(&format!("remit:plugin/kv#{call}"), "kv may be read and not changed");
        assert!(grant.is_some_and(|grant| grant.contains("access = \"read-write\"")));
    }
    scene.command("kv", ["get", "a/x"]).granted(READ_A).run().printed("kept\n").replayed();
}

#[test]
fn the_grant_that_a_refusal_names_is_enough() {
    let scene = Scene::new();
    for granted in ["", READ_A, K] {
        let ran = scene.command("kv", ["set", "b/x", "1"]).granted(granted).run().replayed();
        let grant = ran.refused_once("remit:plugin/kv#set", "").expect("a grant would allow it");
        Remit::from_grant(&Grant::parse("grant.toml", &grant).expect("the suggestion is a grant"));
        let asked = format!("{grant}why = \"test\"");
        scene.command("kv", ["set", "b/x", "1"]).granted(&asked).run().printed("ok\n").replayed();
    }
}

#[test]
fn a_key_has_1_to_1024_bytes() {
    let scene = Scene::new();
    scene.command("kv", ["long-key", "1024"]).granted(K).run().printed("ok\nx\n").replayed();
    let every = K.replace("\"k\"", "\"\"");
    for length in ["0", "1025"] {
        let ran = scene.command("kv", ["long-key", length]).granted(&every).run().succeeded().replayed();
        assert_eq!(ran.calls_of("remit:plugin/kv#set")[0].outcome, json!([{ "err": "invalid-key" }]));
        assert_eq!(ran.calls_of("remit:plugin/kv#get")[0].outcome, json!([{ "err": "invalid-key" }]));
        assert!(ran.refused().is_empty());
    }
}

#[test]
fn two_runs_of_one_program_use_the_same() {
    let use_of =
        || Scene::new().command("kv", ["hit", "a/x", "100"]).granted(A).run().printed("ok\n").replayed().usage();
    let usage = use_of();
    assert_eq!(usage, use_of());
    assert_eq!(usage.kv_bytes, 3 + 8);
    // Each read answers with 8 bytes, their length, and the cases of a result and of an option.
    assert!(usage.bytes_out >= 100 * (8 + 3), "{usage:?}");
    let more = Scene::new().command("kv", ["hit", "a/x", "101"]).granted(A).run().usage();
    assert_eq!(more.calls, usage.calls + 1);
    assert!(more.fuel > usage.fuel);
}

#[test]
fn a_value_over_its_limit_ends_the_run_and_is_not_kept() {
    let scene = Scene::new();
    let huge = |bytes| scene.command("kv", ["huge", "a/x", bytes]).granted(A).limit(LimitKind::KvValue, 100).run();
    huge("100").printed("ok\n").replayed();
    let crossed = huge("101").ended_in("remit:plugin/kv#set").replayed().limited_by(LimitKind::KvValue);
    assert_eq!((crossed.max, crossed.wanted), (100, 101));
    let value = scene.command("kv", ["get", "a/x"]).granted(A).run().printed(&format!("{}\n", "x".repeat(100)));
    assert_eq!(value.usage().kv_bytes, 0);
}

#[test]
fn the_total_counts_keys_and_values_and_not_what_was_replaced() {
    let scene = Scene::new();
    let huge = |key, bytes| scene.command("kv", ["huge", key, bytes]).granted(A).limit(LimitKind::KvTotal, 100).run();
    huge("a/x", "97").printed("ok\n").replayed();
    huge("a/x", "90").printed("ok\n").replayed();
    let crossed = huge("a/y", "5").ended_in("remit:plugin/kv#set").replayed().limited_by(LimitKind::KvTotal);
    assert_eq!((crossed.max, crossed.wanted), (100, 93 + 8));
    huge("a/y", "4").printed("ok\n").replayed();
}

#[test]
fn a_granted_amount_is_held_to_like_the_limit() {
    let scene = Scene::new();
    let quota = format!("{A}\nquota = 100");
    scene.command("kv", ["huge", "a/x", "97"]).granted(&quota).run().printed("ok\n").replayed();
    let crossed =
        scene.command("kv", ["huge", "a/x", "98"]).granted(&quota).run().replayed().limited_by(LimitKind::KvTotal);
    assert_eq!(crossed.max, 100);
}

#[test]
fn a_refusal_fits_its_entry_however_much_is_granted() {
    let prefixes: Vec<String> = (0..250).map(|number| format!("{number:03}{}", "p".repeat(240))).collect();
    let granted = format!("[capabilities.kv]\nprefixes = {prefixes:?}\naccess = \"read-write\"\nwhy = \"test\"");
    let ran = Scene::new().command("kv", ["set", "zzz", "x"]).granted(&granted).run().replayed();
    assert_eq!(ran.refused_once("remit:plugin/kv#set", ""), None);
}
