//! Connectors through the real binary: installed, granted, called, shown and replayed.

use crate::binary::{Desk, code};
use crate::harness::component;

const TRACKER: &str = r#"
[plugin]
name = "tracker"
version = "1.0.0"
kind = "connector"

[capabilities.kv]
prefixes = ["issue/"]
access = "read-write"
why = "the issues"
"#;

const CALLER: &str = r#"
[plugin]
name = "caller"
version = "1.0.0"
kind = "command"

[capabilities.connectors."test:tracker/issues@1.2.0"]
why = "to keep what it finds"
"#;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("tracker/remit.toml", TRACKER);
    desk.write("tracker/tracker.wasm", component("guest_connector"));
    desk.write("caller/remit.toml", CALLER);
    desk.write("caller/caller.wasm", component("connector"));
    desk
}

const RUN: [&str; 6] = ["run", "caller", "--allow-requested", "--", "create", "broken"];

/// A disarmed fork is told what the connector answered its parent, and starts none. One that is armed would need the
/// connector as it was.
#[test]
fn a_fork_calls_no_connector() {
    let desk = desk();
    desk.remit(&["install", "tracker"]).ends(code::OK);
    desk.remit(&["grant", "tracker", "--requested"]).ends(code::OK);
    let said = desk.remit(&RUN).ends(code::OK);
    let shown = desk.json(&["show", "last", "--json", "--calls"]);
    let parent = shown["run"].as_str().expect("an id");
    let calls = shown["calls"].as_array().expect("a list");
    let is_call = |call: &&serde_json::Value| call["function"] == "test:tracker/issues#create";
    let entry = calls.iter().find(is_call).and_then(|call| call["entry"].as_u64()).expect("it was called");
    let after = (entry + 1).to_string();
    for at in ["0", &entry.to_string(), &after] {
        desk.remit(&["fork", parent, "--at", at]).ends(code::OK);
        assert_eq!(desk.remit(&["resume", "last"]).ends(code::OK).stdout, said.stdout, "at {at}");
        desk.last_is_whole();
    }
    assert_eq!(desk.runs(), 5, "the parent, its connector, and three forks");
    let set = format!("{entry}={{\"ok\": 42}}");
    desk.remit(&["fork", parent, "--at", &after, "--set", &set]).ends(code::OK);
    assert_eq!(desk.remit(&["resume", "last"]).ends(code::OK).stdout, "Ok(42)\n");
    let wrong = format!("{entry}={{\"ok\": \"x\"}}");
    desk.remit(&["fork", parent, "--at", &after, "--set", &wrong]).fails(code::USAGE, &["ok"]);
    desk.remit(&["fork", parent, "--at", &after, "--armed"]).fails(code::USAGE, &["has called a connector"]);
    let runs = desk.json(&["runs", "--json"]);
    let callee = runs.as_array().into_iter().flatten().find(|run| run["header"]["plugin"]["kind"] == "connector");
    let callee = callee.and_then(|run| run["run"].as_str()).expect("the connector's run");
    desk.remit(&["fork", callee, "--at", "0"]).fails(code::USAGE, &["fork that one"]);
}

#[test]
fn an_installed_connector_answers_and_both_runs_are_whole() {
    let desk = desk();
    desk.remit(&["install", "tracker"]).ends(code::OK);
    desk.remit(&["grant", "tracker", "--requested"]).ends(code::OK);
    let said = desk.remit(&RUN).ends(code::OK).says(&["its connectors used"]);
    assert_eq!(said.stdout, "Ok(1)\n");
    desk.last_is_whole();

    let shown = desk.remit(&["show", "last", "--calls"]).ends(code::OK);
    assert!(shown.stdout.contains(r#"test:tracker/issues#create{"issue":{"#), "{}", shown.stdout);
    let runs = desk.json(&["runs", "--json"]);
    let runs = runs.as_array().expect("a list");
    let callee = runs.iter().find(|run| run["header"]["plugin"]["kind"] == "connector").expect("the connector's run");
    let id = callee["run"].as_str().expect("an id");
    let shown = desk.remit(&["show", id, "--calls"]).ends(code::OK);
    assert!(shown.stdout.contains("test:tracker/issues#[call]create"), "{}", shown.stdout);
    desk.remit(&["replay", id]).ends(code::OK).says(&["it succeeded"]);

    desk.remit(&["uninstall", "tracker"]).ends(code::OK);
    desk.remit(&["replay", "last"]).ends(code::OK);
    desk.remit(&["replay", id]).ends(code::OK);
}

#[test]
fn a_bundle_holds_the_connectors_run_too() {
    let desk = desk();
    desk.remit(&["install", "tracker"]).ends(code::OK);
    desk.remit(&["grant", "tracker", "--requested"]).ends(code::OK);
    desk.remit(&RUN).ends(code::OK);
    let key = desk.remit(&["identity"]).ends(code::OK).stdout;
    let exported = desk.json(&["export", "last", "-o", "family.remit", "--json"]);
    let runs = exported["runs"].as_array().expect("a list");
    assert_eq!((runs.len(), &runs[0]), (2, &exported["run"]), "{exported}");

    std::fs::remove_dir_all(desk.home()).expect("the home can go");
    let shown = desk.remit(&["show", "family.remit", "--calls"]).ends(code::OK);
    assert!(shown.stdout.contains(r#"test:tracker/issues#create{"issue":{"#), "{}", shown.stdout);
    assert!(shown.stdout.contains(&format!("with it    {}", runs[1].as_str().expect("an id"))), "{}", shown.stdout);
    desk.remit(&["replay", "family.remit"]).ends(code::OK).says(&["it succeeded"]);
    let verified = desk.json(&["verify", "family.remit", "--key", key.trim(), "--json"]);
    assert_eq!((&verified["others"][0]["run"], &verified["others"][0]["signer"]), (&runs[1], &"known".into()));
    assert!(!desk.home().exists());
}

#[test]
fn what_is_missing_is_named_with_the_way_out() {
    let desk = desk();
    let issues = "test:tracker/issues@1.2.0";
    desk.remit(&RUN).fails(code::PLUGIN_UNFIT, &[issues, "no installed connector exports it", "remit install PATH"]);
    desk.write("caller/remit.toml", CALLER.split("[capabilities").next().expect("a manifest"));
    desk.remit(&RUN).fails(code::PLUGIN_UNFIT, &[issues, "does not request", "[capabilities.connectors."]);
    desk.write("caller/remit.toml", CALLER);
    desk.write("grant.toml", "");
    let refused = ["run", "caller", "--grant", "grant.toml", "--", "create", "broken"];
    desk.remit(&refused).fails(code::NOT_GRANTED, &[issues, "is not granted", "remit grant ", "caller"]);
}

#[test]
fn two_connectors_for_one_interface_are_named_and_one_is_chosen() {
    let desk = desk();
    desk.write("other/remit.toml", TRACKER.replace("\"tracker\"", "\"other\""));
    desk.write("other/other.wasm", component("guest_connector"));
    desk.remit(&["install", "tracker"]).ends(code::OK);
    desk.remit(&["install", "other"]).ends(code::OK);
    let parts = ["2 installed connectors export", "tracker (", "other (", "--connector 'test:tracker/issues=other'"];
    desk.remit(&RUN).fails(code::PLUGIN_UNFIT, &parts);
    let choice = "--connector=test:tracker/issues=tracker";
    let run = ["run", "caller", "--allow-requested", choice, "--", "count", "2"];
    assert_eq!(desk.remit(&run).ends(code::OK).stdout, "1\n2\n");
    let wrong = "--connector=test:tracker/issues=nobody";
    let run = ["run", "caller", "--allow-requested", wrong, "--", "count", "2"];
    desk.remit(&run).fails(code::USAGE, &["nobody is no installed connector"]);
}

#[test]
fn a_connector_that_fails_is_named_with_its_run_and_an_exit_code_of_its_own() {
    let desk = desk();
    desk.remit(&["install", "tracker"]).ends(code::OK);
    let run = ["run", "caller", "--allow-requested", "--", "misbehave", "trap"];
    desk.remit(&run).ends(code::CONNECTOR_FAILED).says(&["connector tracker (run ", "crashed", "remit show "]);
    desk.remit(&["run", "tracker"]).fails(code::PLUGIN_UNFIT, &["is a connector"]);
}
