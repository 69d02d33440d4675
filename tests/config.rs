//! `remit:plugin/config`: what the operator set, who may read it, as what, and what a record keeps of it.

use remit::capability::config::Value;
use remit::manifest::Grant;
use remit::meter::LimitKind;
use remit::scope::Remit;
use serde_json::json;

use crate::binary::{Desk, code};
use crate::harness::{Scene, component};

const GET: &str = "remit:plugin/config#get";
const ENVIRONMENT: &str = "wasi:cli/environment#get-environment";

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

/// Asks for these keys.
fn asked(keys: &[&str]) -> String {
    format!("[capabilities.config]\nkeys = {keys:?}\nwhy = \"test\"")
}

#[test]
fn a_value_keeps_the_type_that_the_operator_gave_it() {
    let values = [
        ("A", text("")),
        ("B", Value::Integer(i64::MIN)),
        ("C", Value::Float(0.1)),
        ("D", Value::Float(2.0)),
        ("E", Value::Boolean(true)),
        ("other", text("not asked for")),
    ];
    let play = Scene::new().command("config", ["get", "A", "B", "C", "D", "E", "F"]);
    let ran = play.granted(&asked(&["A", "B", "C", "D", "E", "F"])).configured(values).run();
    let ran = ran.printed("text \ninteger -9223372036854775808\nfloat 0.1\nfloat 2.0\nboolean true\nnone\n").replayed();
    assert!(ran.refused().is_empty());
    let outcomes: Vec<_> = ran.calls_of(GET).iter().map(|call| call.outcome.clone()).collect();
    let ok = |value| json!([{ "ok": value }]);
    assert_eq!(outcomes[..3], [ok(json!({"text": ""})), ok(json!({"integer": i64::MIN})), ok(json!({"float": 0.1}))]);
    assert_eq!((ran.calls_of(GET)[5].class, &outcomes[5]), ("read-local", &json!([{ "ok": null }])));
}

#[test]
fn a_key_outside_the_remit_is_refused_and_the_guest_reads_on() {
    let scene = Scene::new();
    let play = |key| scene.command("config", ["get", key, "A"]).granted(&asked(&["A"]));
    let ran = play("B").configured([("A", text("a")), ("B", text("b"))]).run();
    let ran = ran.printed("error: the remit does not allow the configuration value B\ntext a\n").replayed();
    assert_eq!(ran.calls_of(GET)[0].outcome, json!([{ "err": "denied" }]));
    let grant = ran.refused_once(GET, "configuration value B is not granted").expect("a grant would allow it");
    Remit::from_grant(&Grant::parse("grant.toml", &grant).expect("the suggestion is a grant"));
    let enough = format!("{grant}why = \"test\"");
    let again = scene.command("config", ["get", "B", "A"]).granted(&enough);
    again.configured([("B", text("b"))]).run().printed("text b\nnone\n").replayed();
}

#[test]
fn a_key_that_nobody_could_have_written_is_refused_like_any_other() {
    let scene = Scene::new();
    let long = "k".repeat(100_000);
    for key in ["", "1", "a b", "A\u{0}", "é", "../A", "A.", "a", &long] {
        let play = scene.command("config", ["get", key]).granted(&asked(&["A"]));
        let ran = play.configured([("A", text("a"))]).run().succeeded().replayed();
        assert_eq!(ran.calls_of(GET)[0].outcome, json!([{ "err": "denied" }]), "{key:.20}");
    }
    let ran = scene.command("config", ["get", &long]).limit(LimitKind::Payload, 99_999).run().ended_in(GET).replayed();
    ran.limited_by(LimitKind::Payload);
}

#[test]
fn granted_keys_are_listed_in_order_whether_or_not_they_are_set() {
    let play = |capabilities: &str| {
        let play = Scene::new().command("config", ["keys"]).granted(capabilities);
        play.configured([("B", text("b")), ("C", text("c"))]).run().succeeded().replayed()
    };
    let ran = play(&asked(&["b", "B", "A.x", "A-x"]));
    assert_eq!(ran.text(), "A-x\nA.x\nB\nb\n");
    assert_eq!(ran.calls_of("remit:plugin/config#keys")[0].class, "pure");
    assert_eq!(play("").text(), "");
}

#[test]
fn the_sdk_reads_a_value_as_the_type_that_is_needed() {
    let values =
        [("T", text("eu")), ("I", Value::Integer(300)), ("F", Value::Float(1.5)), ("B", Value::Boolean(false))];
    let scene = Scene::new();
    let read = |ty, key| {
        let play = scene.command("config", ["read", ty, key]).granted(&asked(&["T", "I", "F", "B", "N"]));
        play.configured(values.clone()).run().succeeded().replayed().text().trim_end().to_owned()
    };
    assert_eq!(["T", "N"].map(|key| read("text", key)), ["eu", "none"]);
    assert_eq!(["I", "F"].map(|key| read("number", key)), ["300", "1.5"]);
    assert_eq!([read("switch", "B"), read("required", "T")], ["false", "eu"]);
    for (ty, key, message) in [
        ("small", "I", "error: the configuration value I is 300, where a whole number from 0 to 255 is needed"),
        ("text", "I", "error: the configuration value I is 300, where a text is needed"),
        ("number", "T", "error: the configuration value T is \"eu\", where a number is needed"),
        ("switch", "I", "error: the configuration value I is 300, where true or false is needed"),
        ("required", "N", "error: the configuration value N is not set"),
    ] {
        assert_eq!(read(ty, key), message);
    }
}

#[test]
fn the_environment_has_the_granted_values_that_are_set_and_nothing_else() {
    let values = [
        ("REGION", text("eu west")),
        ("a.b-c", Value::Integer(-3)),
        ("RATE", Value::Float(1e300)),
        ("WHOLE", Value::Float(1.0)),
        ("STRICT", Value::Boolean(true)),
        ("NUL", text("a\0b")),
        ("NOT_ASKED_FOR", text("x")),
    ];
    let keys = ["REGION", "a.b-c", "RATE", "WHOLE", "STRICT", "NUL", "UNSET"];
    let play = Scene::new().command("config", ["env"]).granted(&asked(&keys)).configured(values.clone());
    let ran = play.run().printed("RATE=1e300\nREGION=eu west\nSTRICT=true\nWHOLE=1.0\na.b-c=-3\n").replayed();
    assert_eq!(ran.calls_of(ENVIRONMENT)[0].class, "read-local");
    assert!(!ran.calls_of(ENVIRONMENT)[0].outcome.is_null(), "what was read is recorded");
    assert!(ran.refused().is_empty());
    let ran = Scene::new().command("config", ["env"]).configured(values).run().printed("").replayed();
    assert!(ran.calls_of(ENVIRONMENT).iter().all(|call| call.outcome.is_null()), "it follows from the remit");
}

/// What is set after a run was accepted is for the next one.
#[test]
fn a_value_is_recorded_when_it_is_read() {
    let scene = Scene::new();
    let run = |value: &str| {
        let play = scene.command("config", ["get", "A"]).granted(&asked(&["A"]));
        play.configured([("A", text(value))]).run()
    };
    let (before, after) = (run("before").printed("text before\n"), run("after").printed("text after\n"));
    assert_eq!(before.replayed().calls_of(GET)[0].outcome, json!([{ "ok": { "text": "before" } }]));
    after.replayed();
}

#[test]
fn reading_is_metered() {
    let use_of = |count: &str| {
        let play = Scene::new().command("config", ["hit", "A", count]).granted(&asked(&["A"]));
        play.configured([("A", text("x".repeat(100)))]).run().printed("ok\n").replayed().usage()
    };
    let (usage, more) = (use_of("100"), use_of("101"));
    assert_eq!((usage, more.calls), (use_of("100"), usage.calls + 1));
    // The text, its length, its case, and the cases of an option and of a result.
    assert_eq!(more.bytes_out - usage.bytes_out, 100 + 1 + 3);
    assert!(more.fuel > usage.fuel);
}

#[test]
fn a_huge_value_arrives_whole_or_ends_the_run() {
    let scene = Scene::new();
    let play = |arguments: &[&'static str]| {
        let play = scene.command("config", arguments.iter().copied()).granted(&asked(&["A"]));
        play.configured([("A", text("x".repeat(65_536)))])
    };
    play(&["lengths"]).run().printed("65536\n").replayed();
    for (arguments, function) in [(["get", "A"].as_slice(), GET), (&["env"], ENVIRONMENT)] {
        let ran = play(arguments).limit(LimitKind::Payload, 65_535).run().ended_in(function).replayed();
        assert!(ran.limited_by(LimitKind::Payload).wanted > 65_536);
    }
}

const MANIFEST: &str = r#"
[plugin]
name = "reader"
version = "0.1.0"
kind = "command"

[capabilities.config]
keys = ["REGION", "PAGES"]
why = "what to read, and how much of it"
"#;

/// As an operator has it: the file, a run, another value, and the replay of what was before.
#[test]
fn the_operators_file_says_what_a_plugin_of_that_name_reads() {
    let desk = Desk::new();
    desk.write("reader/remit.toml", MANIFEST);
    desk.write("reader/reader.wasm", component("config"));
    let config = desk.home().join("config.toml");
    let run = |printed: &str| {
        let run = ["run", "reader", "--allow-requested", "--", "get", "REGION", "PAGES", "SECRET"];
        let said = desk.remit(&run).ends(code::OK);
        assert_eq!(said.stdout, printed, "{}", said.stderr);
        desk.last_is_whole();
    };
    let refused = "error: the remit does not allow the configuration value SECRET\n";
    run(&format!("none\nnone\n{refused}"));
    let set = |text: &str| std::fs::write(&config, text).expect("the configuration can be written");
    set(
        "[values]\nREGION = \"eu\"\nPAGES = 20\nSECRET = \"s\"\n[values.reader]\nPAGES = 5\n[values.other]\nREGION = 1\n",
    );
    run(&format!("text eu\ninteger 5\n{refused}"));
    set("[values]\nREGION = 7\n");
    desk.remit(&["replay", "last"]).ends(code::OK);
    let calls = desk.remit(&["show", "last", "--calls"]).ends(code::OK).stdout;
    assert!(calls.contains("eu") && !calls.contains("integer 7"), "{calls}");
    run(&format!("integer 7\nnone\n{refused}"));
    set("[ceiling.deny]\nconfig = [\"REGION\"]\n[values]\nREGION = 7\nPAGES = 1\n");
    run(&format!("error: the remit does not allow the configuration value REGION\ninteger 1\n{refused}"));
    set("[values]\nREGION = [1]\n");
    let run = ["run", "reader", "--allow-requested", "--", "keys"];
    desk.remit(&run).fails(code::USAGE, &["values.REGION", "a string, a number, true or false"]);
}
