//! `remit:plugin/tools`: what is listed, what a call needs, what it answers, and what a model may get wrong.
//!
//! A stub stands for the connectors, so that a case that must be refused can assert that none was asked.

pub mod stub;

use std::sync::{Arc, OnceLock};

use remit::digest::Digest;
use remit::gate::Outcome;
use remit::manifest::Grant;
use remit::meter::LimitKind;
use remit::model::{Chat, Message, Tool};
use remit::scope::Remit;
use serde_json::{Value as Json, json};

use self::stub::{Stub, Why};
use crate::connectors::world::{self, ISSUES, KV, Part};
use crate::harness::{Play, Scene, component};

const GRANTED: &str = "remit:plugin/tools#granted";
const CALL: &str = "remit:plugin/tools#call";

const ALL: &str = "
[capabilities.connectors.\"acme:tracker/issues@1.2.0\"]
why = \"test\"
[capabilities.tools]
why = \"test\"";

const CREATE: &str = "acme_tracker_issues_create";

/// Returns what has every function called: the guest's arguments, and what it was granted.
pub fn every_function() -> [(&'static [&'static str], &'static str); 2] {
    let chosen: &[&str] = &["chosen", "acme_tracker_issues_count", "{}"];
    let called: &[&str] = &["call", "acme_tracker_issues_count", "{}"];
    [(chosen, ALL), (called, "")]
}

/// Begins a run of the guest that reaches the stub.
fn play<'a>(stub: &Arc<Stub>, arguments: impl IntoIterator<Item = &'a str>) -> Play {
    Scene::new().command("tools", arguments).routed(stub)
}

#[test]
fn what_is_granted_is_listed_by_name_with_its_schema_and_digest() {
    let stub = Stub::new(|_, _| unreachable!("a list asks nobody"));
    let ran = play(&stub, ["granted"]).granted(ALL).run().replayed();
    let names = ["add", "attach", "count", "create", "empty", "find", "text"];
    assert_eq!(ran.text(), names.map(|name| format!("acme_tracker_issues_{name}\n")).concat());
    assert_eq!(ran.calls_of(GRANTED)[0].class, "read-local");
    let ran = play(&stub, ["show", CREATE]).granted(ALL).run().succeeded().replayed();
    let [description, parameters, digest] = ran.text().lines().collect::<Vec<_>>()[..] else {
        panic!("{}", ran.text())
    };
    assert_eq!(
        description,
        "create of acme:tracker/issues@1.2.0, which the connector tracker answers: \
         func(title: string, kind: enum { bug, idea }, due: option<u32>) -> result<u64, string>"
    );
    assert_eq!(digest, Digest::of(parameters.as_bytes()).to_string());
    let schema: Json = serde_json::from_str(parameters).expect("it is JSON");
    assert_eq!((&schema["required"], &schema["type"]), (&json!(["title", "kind"]), &json!("object")));
    assert_eq!(schema["properties"]["kind"], json!({ "enum": ["bug", "idea"] }));
}

/// What is listed goes into a chat as it is, whatever the types are.
#[test]
fn a_model_takes_what_is_listed() {
    let stub = Stub::new(|_, _| unreachable!("a list asks nobody"));
    let ran = play(&stub, ["granted"]).granted(ALL).run().succeeded();
    let listed = ran.calls_of(GRANTED)[0].outcome[0].as_array().expect("a list").clone();
    let text = |tool: &Json, part: &str| tool[part].as_str().expect("text").to_owned();
    let tool = |tool: &Json| Tool {
        name: text(tool, "name"),
        description: text(tool, "description"),
        parameters: text(tool, "parameters"),
    };
    let tools = listed.iter().map(tool).collect();
    let messages = vec![Message::User { text: "choose".into() }];
    let chat = Chat { tier: "small".into(), messages, tools, schema: None, max_tokens: 100, deadline_ms: None };
    chat.check().expect("every schema is one that providers take");
}

#[test]
fn a_call_is_one_entry_and_the_connector_gets_typed_params() {
    let stub = Stub::new(|function, params| match function {
        "create" => {
            assert_eq!(params, json!({ "title": "It is slow", "kind": "bug", "due": null }));
            Ok(json!({ "ok": u64::MAX.to_string() }))
        }
        "count" => Ok(json!(3)),
        "empty" => Ok(Json::Null),
        other => panic!("{other}"),
    });
    let arguments = r#"{"title":"It is slow","kind":"bug"}"#;
    let calls = ["chosen", CREATE, arguments, "acme_tracker_issues_count", "{}", "acme_tracker_issues_empty", "{}"];
    let ran = play(&stub, calls).granted(ALL).run().printed("\"18446744073709551615\"\n3\nnull\n");
    let asked = stub.asked();
    let calls: Vec<_> = ran.calls_of(CALL).into_iter().cloned().collect();
    assert_eq!((calls.len(), asked.len()), (3, 3));
    let schema = calls[0].params[1].as_str().expect("the digest of what was listed");
    assert_eq!(calls[0].params, json!([CREATE, schema, arguments]));
    assert_eq!((calls[0].class, &calls[0].outcome), ("read-remote", &json!([{ "ok": "\"18446744073709551615\"" }])));
    assert!(asked[0].entry > 0 && asked[1].entry > asked[0].entry, "each says which entry it is for");
    ran.replayed();
    assert_eq!(stub.asked().len(), 3, "a replay asks nobody");
}

#[test]
fn a_result_is_read_as_a_type() {
    let stub = Stub::new(|_, _| Ok(json!(7)));
    play(&stub, ["typed", "acme_tracker_issues_count"]).granted(ALL).run().printed("7\n").replayed();
}

#[test]
fn a_tool_takes_both_grants_and_without_one_nobody_is_asked() {
    let stub = Stub::new(|_, _| unreachable!("it is refused"));
    let connector = |functions: &str| {
        format!("[capabilities.connectors.\"acme:tracker/issues@1.2.0\"]\nfunctions = [{functions}]\nwhy = \"test\"\n")
    };
    let tools = |functions: &str| format!("[capabilities.tools]\nfunctions = [{functions}]\nwhy = \"test\"\n");
    let issues = "\"acme:tracker/issues@1.2.0#count\"";
    for (granted, rule) in [
        (connector("\"create\", \"count\"") + &tools(issues), "tools: acme:tracker/issues@1.2.0#create is not granted"),
        (connector("\"count\"") + "[capabilities.tools]\nwhy = \"test\"", ": function create is not granted"),
        (connector("\"create\", \"count\""), "tools: acme:tracker/issues@1.2.0#create is not granted"),
    ] {
        let ran = play(&stub, ["call", CREATE, "not even JSON"]).granted(&granted).run();
        let ran = ran.printed("error: denied\n").replayed();
        assert_eq!(ran.calls_of(CALL)[0].outcome, json!([{ "err": "denied" }]));
        let grant = ran.refused_once(CALL, rule).expect("a grant would allow it");
        Remit::from_grant(&Grant::parse("grant.toml", &grant).expect("the suggestion is a grant"));
        let listed = play(&stub, ["granted"]).granted(&granted).run().succeeded().replayed();
        assert!(!listed.text().contains("create"), "{}", listed.text());
    }
    assert!(stub.asked().is_empty());
}

/// A model is not offered what a call would be refused.
#[test]
fn what_is_revoked_within_the_run_is_not_listed_any_more() {
    let (scene, to) = (Scene::new(), Arc::new(OnceLock::new()));
    let (operator, revoked) = (scene.clone(), to.clone());
    let stub = Stub::new(move |_, _| {
        operator.revoke(*revoked.get().expect("it was granted"));
        Ok(json!(3))
    });
    let interface = "connectors.\"acme:tracker/issues@1.2.0\"";
    let connector = format!("[capabilities.{interface}]\nfunctions = [\"count\"]\n");
    let connector = scene.grant("tools", interface, &connector);
    let tools = scene.grant("tools", "tools", "[capabilities.tools]\n");
    to.set(tools).expect("it is set once");
    let count = "acme_tracker_issues_count";
    let ran = scene.command("tools", ["around", count]).routed(&stub).under(&[connector, tools]).run();
    let ran = ran.printed(&format!("{count}\n3\nerror: unknown: there is no tool \"\", nor any other\n")).replayed();
    let listed: Vec<_> = ran.calls_of(GRANTED).iter().map(|call| call.outcome[0].as_array().map(Vec::len)).collect();
    assert_eq!(listed, [Some(1), Some(0)]);
}

#[test]
fn a_name_that_stands_for_nothing_is_told_what_there_is() {
    let stub = Stub::new(|_, _| unreachable!("it is unknown"));
    let some = "
[capabilities.connectors.\"acme:tracker/issues@1.2.0\"]
functions = [\"count\", \"find\"]
why = \"test\"
[capabilities.tools]
why = \"test\"";
    let there_are = "acme_tracker_issues_count, acme_tracker_issues_find";
    for name in ["create", "", "acme:tracker/issues@1.2.0#count", "ACME_TRACKER_ISSUES_COUNT", "x\u{0}\n"] {
        let ran = play(&stub, ["call", name, "{}"]).granted(some).run();
        ran.printed(&format!("error: unknown: there is no tool {name:?}; there are {there_are}\n")).replayed();
    }
    let long = "x".repeat(100_000);
    let ran = play(&stub, ["call", &long, "{}"]).granted(some).run().succeeded().replayed();
    assert!(ran.text().len() < 300, "{}", ran.text().len());
    let nothing = Scene::new().command("tools", ["call", CREATE, "{}"]).granted(some).run();
    nothing.printed(&format!("error: unknown: there is no tool {CREATE:?}, nor any other\n")).replayed();
    Scene::new().command("tools", ["granted"]).granted(ALL).run().printed("").replayed();
    assert!(stub.asked().is_empty());
}

#[test]
fn arguments_that_do_not_fit_are_told_where_and_what_was_expected() {
    let stub = Stub::new(|_, _| unreachable!("the arguments are wrong"));
    let add = "acme_tracker_issues_add";
    for (name, arguments, says) in [
        (CREATE, "", "the arguments are no JSON: EOF while parsing a value at line 1 column 0"),
        (CREATE, "{'title':1}", "the arguments are no JSON: key must be a string at line 1 column 2"),
        (CREATE, "{} {}", "the arguments are no JSON: trailing characters at line 1 column 4"),
        (CREATE, "[]", "params: expected an object, found an array of 0"),
        (CREATE, "null", "params: expected an object, found null"),
        (CREATE, "{}", "title: expected a string, found nothing"),
        (CREATE, r#"{"title":1,"kind":"bug"}"#, "title: expected a string, found 1"),
        (CREATE, r#"{"title":"","kind":"feature"}"#, "kind: expected one of bug, idea, found \"feature\""),
        (CREATE, r#"{"title":"","kind":"bug","due":4294967296}"#, "due: expected an integer (u32), found 4294967296"),
        (CREATE, r#"{"title":"","kind":"bug","due":-1}"#, "due: expected an integer (u32), found -1"),
        (CREATE, r#"{"title":"","kind":"bug","x":1}"#, "params: expected only title, kind, due, found \"x\""),
        (
            CREATE,
            r#"{"title":"a","title":"b","kind":"bug"}"#,
            "the arguments are no JSON: \"title\" stands there twice at line 1 column 20",
        ),
        (add, r#"{"id":1e999}"#, "the arguments are no JSON: number out of range at line 1 column 11"),
        (add, r#"{"id":18446744073709551616}"#, "id: expected an integer (u64), found 1.8446744073709552e+19"),
        (add, r#"{"id":1.5}"#, "id: expected an integer (u64), found 1.5"),
    ] {
        let ran = play(&stub, ["call", name, arguments]).granted(ALL).run();
        ran.printed(&format!("error: arguments: {says}\n")).replayed();
    }
    for depth in ["100", "127", "128", "100000"] {
        let ran = play(&stub, ["deep", CREATE, depth]).granted(ALL).run().succeeded().replayed();
        assert!(ran.text().starts_with("error: arguments: "), "{}", ran.text());
    }
    assert!(stub.asked().is_empty());
}

#[test]
fn a_tool_that_is_not_what_was_chosen_is_not_called() {
    let stub = Stub::new(|_, _| Ok(json!(3)));
    let count = "acme_tracker_issues_count";
    let shown = play(&stub, ["show", count]).granted(ALL).run().succeeded();
    let digest = shown.text().lines().nth(2).expect("the digest");
    for other in ["", "0", &digest.to_uppercase(), &digest[..63]] {
        let ran = play(&stub, ["pinned", count, other, "{}"]).granted(ALL).run();
        ran.printed(&format!("error: changed: {digest}\n")).replayed();
    }
    assert!(stub.asked().is_empty());
    play(&stub, ["pinned", count, digest, "{}"]).granted(ALL).run().printed("3\n").replayed();
}

#[test]
fn an_error_of_the_function_is_told_from_a_connector_that_fails() {
    let stub = Stub::new(|_, _| Ok(json!({ "err": "no such kind" })));
    let call = ["call", CREATE, r#"{"title":"","kind":"bug"}"#];
    let ran = play(&stub, call).granted(ALL).run().printed("error: returned: \"no such kind\"\n").replayed();
    assert_eq!(ran.calls_of(CALL)[0].outcome, json!([{ "err": { "returned": "\"no such kind\"" } }]));
    for (why, heard) in [
        (Why::Denied, "denied"),
        (Why::NotStarted, "failed: the connector tracker could not be started"),
        (Why::Ended, "failed: the connector tracker crashed, or crossed one of its limits"),
        (Why::Late, "failed: the connector tracker took longer than a call may"),
        (Why::TooDeep, "failed: the connector tracker was not called: connectors call each other too deep"),
    ] {
        let stub = Stub::new(move |_, _| Err(why));
        let ran = play(&stub, call).granted(ALL).run().printed(&format!("error: {heard}\n")).replayed();
        let outcome = ran.calls_of(CALL)[0].outcome.to_string();
        assert!(outcome.contains("what only the operator reads"), "{outcome}");
        assert!(ran.refused().is_empty() && ran.end.outcome == Outcome::Succeeded { result: None });
    }
}

#[test]
fn every_kind_of_value_goes_there_and_back() {
    let echo = json!({ "id": "9007199254740993", "mode": { "set": null }, "parts": [["a", -0.5]], "flags": ["loud"] });
    let stub = Stub::new(|_, params| Ok(params["what"].clone()));
    let arguments = json!({ "what": echo }).to_string();
    let ran = play(&stub, ["call", "acme_tracker_issues_find", &arguments]).granted(ALL).run().succeeded().replayed();
    assert_eq!(serde_json::from_str::<Json>(ran.text()).expect("it is JSON"), echo);
    let bytes = json!({ "data": { "base64": "//4BAg==" } }).to_string();
    let stub = Stub::new(|_, params| Ok(params["data"].clone()));
    let ran = play(&stub, ["call", "acme_tracker_issues_attach", &bytes]).granted(ALL).run().succeeded().replayed();
    assert_eq!(ran.text(), "{\"base64\":\"//4BAg==\"}\n");
}

#[test]
fn a_result_that_does_not_fit_is_an_error_and_arguments_over_the_limit_end_the_run() {
    let text = "acme_tracker_issues_text";
    let run = |result_len: usize, title_len: &str| {
        let stub = Stub::new(move |_, _| Ok(json!("x".repeat(result_len))));
        play(&stub, ["long", text, title_len]).granted(ALL).limit(LimitKind::Payload, 1_000).run()
    };
    assert_eq!(run(982, "1").succeeded().replayed().text().len(), 982 + 2 + 1);
    let message = "error: too large: the result has 985 bytes as JSON, at most 1000 fit\n";
    run(983, "1").printed(message).replayed();
    run(1, "1000").ended_in(CALL).replayed().limited_by(LimitKind::Payload);
}

#[test]
fn a_schema_that_is_too_long_is_not_listed_and_the_function_can_be_called() {
    let stub = Stub::wide(|_, _| Ok(json!(1)));
    play(&stub, ["granted"]).granted(ALL).run().printed("acme_tracker_issues_count\n").replayed();
    let wide = "acme_tracker_issues_wide";
    play(&stub, ["call", wide, r#"{"p":{}}"#]).granted(ALL).run().printed("1\n").replayed();
    let ran = play(&stub, ["call", wide, r#"{"p":{"x":1}}"#]).granted(ALL).run().succeeded().replayed();
    assert!(
        ran.text().starts_with("error: arguments: p: expected only f0, f1, ") && ran.text().len() < 300,
        "{}",
        ran.text()
    );
    let ran = play(&stub, ["pinned", wide, "0", r#"{"p":{}}"#]).granted(ALL).run().succeeded().replayed();
    assert!(ran.text().starts_with("error: changed: none: "), "{}", ran.text());
}

#[test]
fn calls_are_metered() {
    let use_of = |count: &str| {
        let stub = Stub::new(|_, _| Ok(json!(3)));
        let ran =
            play(&stub, ["hit", "acme_tracker_issues_count", count]).granted(ALL).run().printed("ok\n").replayed();
        ran.usage()
    };
    let (usage, more) = (use_of("10"), use_of("11"));
    assert_eq!((usage, more.calls), (use_of("10"), usage.calls + 1));
    assert!(more.fuel > usage.fuel && more.bytes_in > usage.bytes_in && more.bytes_out > usage.bytes_out);
}

#[test]
fn a_run_that_is_stopped_while_it_waits_replays_to_there() {
    let stub = Stub::silent();
    let beside = stub.clone();
    let ran = play(&stub, ["call", "acme_tracker_issues_count", "{}"]).granted(ALL).run_beside(|stop| async move {
        beside.is_asked().await;
        stop.ask();
    });
    assert_eq!(ran.end.outcome.name(), "suspended");
    ran.ended_in(CALL).replayed();
}

/// The same with a connector that runs: as one that imports its interface would call it.
#[test]
fn a_tool_is_answered_by_a_connector_in_a_run_of_its_own() {
    let issue = json!({ "title": "broken", "labels": ["red"], "level": "high", "rights": ["read"], "weight": 0.5 });
    let create = json!({ "issue": issue }).to_string();
    let nameless = create.replace("broken", "");
    let calls = [
        "chosen",
        "test_tracker_issues_create",
        &create,
        "test_tracker_issues_create",
        &nameless,
        "test_tracker_issues_misbehave",
        "{\"how\":\"trap\"}",
        "test_tracker_issues_count",
        "{}",
    ];
    let granted = ALL.replace("acme:", "test:");
    let play = world::play(&Scene::new(), component("tools"), ISSUES, vec![Part::tracker().granted(KV)]);
    let ran = play.granted(&granted).arguments(calls).run().succeeded().replayed();
    let lines: Vec<_> = ran.text().lines().collect();
    assert_eq!(lines[..2], ["1", "error: test_tracker_issues_create returned the error \"no-title\""]);
    for (line, name) in lines[2..].iter().zip(["misbehave", "count"]) {
        assert!(line.starts_with(&format!("error: test_tracker_issues_{name}: the connector ")), "{line}");
    }
    let [callee] = &ran.callees(&world::tracker())[..] else { panic!("one instance serves one caller's run") };
    let used = ran.calls_of(CALL).iter().filter_map(|call| call.used()).map(|used| used.fuel).sum::<u64>();
    assert!(used > 0 && ran.end.called.fuel == used && used <= callee.end.fuel, "{used} of {}", callee.end.fuel);
    let outcome = ran.calls_of(CALL)[2].outcome.to_string();
    assert!(outcome.contains(&callee.id.to_string()), "the operator is told which run it was: {outcome}");
}

/// An amount of a connector's function counts its calls as a tool, too, whoever makes them.
#[test]
fn an_amount_of_a_connector_holds_for_its_tools() {
    let scene = Scene::new();
    let grant = format!("[capabilities.connectors.\"{ISSUES}\"]\namount = \"2 per day\"\n[capabilities.tools]\n");
    let count = ["test_tracker_issues_count", "{}"];
    let run = |calls: usize| {
        let play = world::play(&scene, component("tools"), ISSUES, vec![Part::tracker()]).granted_by(&grant);
        play.arguments(["chosen"]).arguments(count.repeat(calls)).run().succeeded().replayed()
    };
    let ran = run(3);
    let lines: Vec<_> = ran.text().lines().collect();
    assert_eq!(lines[..2], ["1", "2"], "{lines:?}");
    assert!(lines.len() == 3 && lines[2].starts_with("error: "), "{lines:?}");
    let more = ran.refused_once(CALL, "2 per day is used up: 2 used or reserved").expect("a grant would allow it");
    assert!(more.contains("amount = \"3 per day\""), "{more}");
    let [callee] = &ran.callees(&world::tracker())[..] else { panic!("one instance serves one caller's run") };
    assert_eq!(callee.calls_of("test:tracker/issues#[call]count").len(), 2, "a refused call does not get there");
    run(1).refused_once(CALL, "2 per day is used up");
    scene.clock().advance(std::time::Duration::from_secs(12 * 3600));
    assert_eq!(run(1).text(), "1\n");
    assert!(scene.journal().unsettled().expect("the journal can be read").is_empty());
}
