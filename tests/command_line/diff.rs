//! `remit diff`: where two runs part, what each did since, and when they count as equal.

use serde_json::{Value as Json, json};

use crate::binary::{Desk, code};
use crate::harness::component;

const KV: &str = r#"
[plugin]
name = "counter"
version = "1.0.0"
kind = "command"

[capabilities.kv]
prefixes = ["a/"]
access = "read-write"
why = "counts"
"#;

/// Runs a command and returns its run's id.
fn run(desk: &Desk, args: &[&str]) -> String {
    let line = [&["run", "cli.wasm", "--json", "--"], args].concat();
    let said = desk.remit(&line);
    said.json()["run"].as_str().expect("a run has an id").to_owned()
}

/// Compares two runs that differ, and returns what is found.
#[track_caller]
fn differ(desk: &Desk, left: &str, right: &str) -> Json {
    desk.remit(&["diff", left, right, "--json"]).ends(code::DIVERGED).json()
}

#[test]
fn runs_that_did_the_same_are_equal() {
    let desk = Desk::with(&["cli"]);
    let (left, right) = (run(&desk, &["args", "x"]), run(&desk, &["args", "x"]));
    let found = desk.json(&["diff", &left, &right, "--json"]);
    assert_eq!((&found["first"], &found["functions"]), (&Json::Null, &json!({})), "{found}");
    assert_eq!((found["equal"].as_u64() > Some(1), &found["fuel-compared"]), (true, &json!(true)), "{found}");
    let fields: Vec<_> = found["header"].as_object().expect("fields").keys().collect();
    assert_eq!(fields, ["seed"], "the seeds differ, and nothing else that decides a run");
    let said = desk.remit(&["diff", &left, &right]).ends(code::OK).stdout;
    assert!(said.contains("equal      ") && said.contains("fuel for fuel"), "{said}");
    assert_eq!(desk.json(&["diff", &left, &left, "--json"])["header"], json!({}));
}

#[test]
fn the_first_difference_is_named_with_both_sides() {
    let desk = Desk::with(&["cli"]);
    let (left, right) = (run(&desk, &["args", "x"]), run(&desk, &["args", "y"]));
    let found = differ(&desk, &left, &right);
    assert_eq!((&found["first"]["what"], &found["parted"]), (&json!("params"), &Json::Null), "{found}");
    assert_eq!(found["first"]["entry"], found["equal"]);
    assert_eq!(found["header"]["args"], json!([["cli.wasm", "args", "x"], ["cli.wasm", "args", "y"]]));
    let [one, other] = [0, 1].map(|side| &found["first"]["sides"][side]);
    assert_eq!(one["function"], other["function"]);
    assert_ne!(one["params"], other["params"]);
    assert_eq!(found["functions"], json!({}), "they called the same, with other params");
    assert_eq!((found["effects"][0].as_array().map(Vec::len), &found["effects-total"]), (Some(1), &json!([1, 1])));
    let said = desk.remit(&["diff", &left, &right]).ends(code::DIVERGED).stdout;
    for part in
        ["differs    at entry ", ": other params\n  left     ", "\n  right    ", "\n  at       params", "alone: entry"]
    {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
}

#[test]
fn an_end_and_a_longer_run_are_differences() {
    let desk = Desk::with(&["cli"]);
    let [three, four] = ["3", "4"].map(|exit| run(&desk, &["exit-with-code", exit]));
    let found = differ(&desk, &three, &four);
    assert_eq!(found["first"]["what"], "end", "{found}");
    assert_eq!(found["first"]["sides"][1]["params"]["code"], 4, "{found}");
    let [short, long] = ["2", "3"].map(|lines| run(&desk, &["stderr", lines]));
    let found = differ(&desk, &short, &long);
    let [left, right] = [0, 1].map(|side| found["entries"][side].as_u64().expect("a number"));
    assert!(left < right, "{found}");
    let more = found["functions"].as_object().expect("functions").values().next().expect("one is called more often");
    assert!(more[0].as_u64() < more[1].as_u64(), "{found}");
    assert_eq!(found["effects-total"][0], 0, "{found}");
}

/// A guest that is told something else goes on alike for a while; where it does something else is told besides.
#[test]
fn what_a_guest_was_told_is_kept_apart_from_what_it_did() {
    let desk = Desk::new();
    desk.write("counter/remit.toml", KV);
    desk.write("counter/counter.wasm", component("kv"));
    let count = ["run", "counter", "--allow-requested", "--json", "--", "count", "a/n"];
    let [left, right] = [0, 1].map(|_| desk.json(&count)["run"].as_str().expect("an id").to_owned());
    let found = differ(&desk, &left, &right);
    assert_eq!((&found["first"]["what"], &found["parted"]["what"]), (&json!("outcome"), &json!("params")), "{found}");
    assert!(found["first"]["entry"].as_u64() < found["parted"]["entry"].as_u64(), "{found}");
    let alone = |side: usize| found["effects"][side].as_array().expect("effects").clone();
    let sets = |side| alone(side).iter().any(|effect| effect["function"] == "remit:plugin/kv#set");
    assert!(sets(0) && sets(1), "{found}");

    // The same of bundles, and of one run here and one there.
    desk.remit(&["export", &left, "-o", "left.remit"]).ends(code::OK);
    desk.remit(&["export", &right, "-o", "right.remit"]).ends(code::OK);
    for (left, right) in [("left.remit", "last"), (left.as_str(), "right.remit"), ("left.remit", "right.remit")] {
        assert_eq!(differ(&desk, left, right), found);
    }
    desk.remit(&["rm", &left, &right]).ends(code::OK);
    assert_eq!(differ(&desk, "left.remit", "right.remit"), found);
    desk.remit(&["diff", "left.remit", &right]).fails(code::NO_SUCH_RUN, &["no run"]);
    desk.remit(&["diff", "left.remit"]).fails(code::USAGE, &["<RUN|FILE>"]);
}
