//! `remit:plugin/model`: chats with scripts, and with a provider on loopback that speaks each vendor's wire format.

mod canary;
mod command_line;
mod provider;
mod stopped;

use remit::capability::model::{Models, Tier};
use remit::manifest::Grant;
use remit::model::Script;
use remit::scope::Remit;
use remit::time::Clock;
use serde_json::{Value as Json, json};

use crate::harness::{Call, NOW, Ran, Scene};

const COMPLETE: &str = "remit:plugin/model#complete";

const SMALL: &str = "[capabilities.model]\ntiers = [\"small\"]\nmax-tokens = 1024\nwhy = \"test\"";

/// Returns models whose only tier, `small`, plays this script; the embedded one, if it is empty.
pub fn scripted(script: &str) -> Models {
    let script = if script.is_empty() { Ok(Script::embedded()) } else { Script::parse("answers.toml", script) };
    let tier = Tier::scripted(script.expect("the script can be read"));
    models(tier)
}

fn models(small: Tier) -> Models {
    Models::new(Clock::fixed(NOW)).with("small".parse().expect("a name"), small)
}

fn run(arguments: &[&str], models: Models) -> Ran {
    Scene::new().command("model", arguments.iter().copied()).granted(SMALL).asking(models).run()
}

/// Asks with a chat as the guest `model` reads it.
fn raw(chat: &Json, models: Models) -> Ran {
    Scene::ticking().command("model", ["raw"]).granted(SMALL).asking(models).input(chat.to_string()).run()
}

fn only_call(ran: &Ran) -> &Call {
    let [call] = ran.calls_of(COMPLETE)[..] else { panic!("one call is expected: {:#?}", ran.calls) };
    call
}

#[test]
fn an_answer_is_one_entry_with_the_chat_and_what_it_took() {
    let script = "[[answer]]\ntext = \"Hello, Ada\"\nusage = { input = 7, cached-input = 5, output = 3 }";
    let ran = run(&["ask", "small", "Say hello"], scripted(script)).printed("Hello, Ada\n").replayed();
    let call = only_call(&ran);
    assert_eq!(call.class, "read-remote");
    assert_eq!(call.params[0]["messages"], json!([{ "user": "Say hello" }]));
    assert_eq!((&call.params[0]["tier"], &call.params[0]["max-tokens"]), (&json!("small"), &json!(1024)));
    let answer = &call.outcome[0]["ok"];
    assert_eq!((&answer["text"], &answer["stop"]), (&json!("Hello, Ada"), &json!("end")));
    assert_eq!(answer["usage"], json!({ "input": 7, "cached-input": 5, "output": 3 }));
    let used = call.usage.as_ref().expect("the entry says what it took");
    assert_eq!((&used["input-tokens"], &used["cached-input-tokens"]), (&json!(7), &json!(5)));
    assert_eq!((&used["output-tokens"], used["exchanges"].as_array().map(Vec::len)), (&json!(3), Some(1)));
    let usage = ran.usage();
    assert_eq!((usage.input_tokens, usage.cached_input_tokens, usage.output_tokens), (7, 5, 3));
    assert_eq!((usage.remote_calls, usage.sent_bytes), (0, 0), "a script is not outside this host");
    assert!(usage.to_string().contains("12 tokens read, 5 of them cached, 3 written"), "{usage}");
}

#[test]
fn a_conversation_sends_what_was_said_before() {
    let script = "[[answer]]\nturn = 0\ntext = \"one\"\n[[answer]]\nturn = 1\ntext = \"two\"";
    let ran = run(&["twice", "small", "First?", "Second?"], scripted(script)).printed("one\ntwo\n").replayed();
    let [_, second] = ran.calls_of(COMPLETE)[..] else { panic!("two calls") };
    let said = json!([
        { "system": "Be brief." },
        { "user": "First?" },
        { "assistant": { "text": "one", "tool-calls": [] } },
        { "user": "Second?" },
    ]);
    assert_eq!(second.params[0]["messages"], said);
}

#[test]
fn tools_are_called_by_the_agent_and_their_results_go_back() {
    let script = "[[answer]]\nturn = 0\ntool-calls = [{ name = \"add\", arguments = { a = 2, b = 3 } }]\n\
                  [[answer]]\nwhen = \"5\"\ntext = \"It is 5.\"";
    let ran = run(&["add", "small", "2 and 3?"], scripted(script)).printed("It is 5.\n").replayed();
    let [first, second] = ran.calls_of(COMPLETE)[..] else { panic!("two calls") };
    assert_eq!(first.outcome[0]["ok"]["stop"], "tool-use");
    let result = json!({ "tool": { "call-id": "call_0", "text": "5", "is-error": false } });
    assert_eq!(second.params[0]["messages"][2], result);
}

#[test]
fn what_the_remit_does_not_hold_is_refused_and_nobody_is_asked() {
    let grown = SMALL.replace("1024", "10");
    for (granted, tier, rule) in [
        ("", "small", "model is not granted"),
        (SMALL, "large", "large"),
        (&grown, "small", "1024 tokens are more than the 10 granted"),
        (SMALL, "No Name!", ""),
    ] {
        let scene = Scene::new();
        let ask = |granted: &str| {
            let play = scene.command("model", ["ask", tier, "Hi"]).granted(granted);
            play.asking(scripted("").with("large".parse().expect("a name"), Tier::scripted(Script::embedded()))).run()
        };
        let ran = ask(granted).printed(&format!("error: the remit does not allow such a chat with model {tier}\n"));
        let ran = ran.replayed();
        let grant = ran.refused_once(COMPLETE, rule);
        assert_eq!(only_call(&ran).outcome, json!([{ "err": "denied" }]));
        assert_eq!((only_call(&ran).usage.as_ref(), ran.usage().output_tokens), (None, 0));
        assert_eq!(grant.is_some(), tier != "No Name!", "a name that is none takes no grant");
        if let Some(grant) = grant {
            Remit::from_grant(&Grant::parse("grant.toml", &grant).expect("the suggestion is a grant"));
            let enough = ask(&format!("{grant}why = \"test\"")).succeeded().replayed();
            assert!(enough.refused().is_empty());
        }
    }
}

#[test]
fn a_tier_that_nobody_answers_for_is_told_to_the_agent() {
    let both = SMALL.replace("\"small\"", "\"small\", \"large\"");
    let told = "error: the operator has nobody answer for model large\n";
    let large = |scene: &Scene| scene.command("model", ["ask", "large", "Hi"]).granted(&both);
    let scene = Scene::new();
    let ran = large(&scene).asking(scripted("")).run().printed(told).replayed();
    assert_eq!(only_call(&ran).outcome, json!([{ "err": "unknown-tier" }]));
    large(&scene).run().printed(told).replayed();
}

#[test]
fn a_chat_that_breaks_a_rule_is_told_which_and_costs_nothing() {
    let recursive = json!({ "type": "object", "$defs": { "a": { "$ref": "#/$defs/a" } }, "$ref": "#/$defs/a" });
    let fetched = json!({ "type": "object", "properties": { "a": { "$ref": "https://example.com/schema" } } });
    let hungry =
        json!({ "type": "object", "properties": { "a": { "type": "string", "pattern": "(\\w{1000}){1000}" } } });
    let ask = json!([{ "user": "Hi" }]);
    for (chat, says) in [
        (json!({ "messages": [] }), "the chat has no messages"),
        (json!({ "messages": ask, "max-tokens": 0 }), "max-tokens is 0"),
        (json!({ "messages": [{ "user": "Hi" }, { "assistant": "Hello" }] }), "leaves nothing to answer"),
        (json!({ "messages": [{ "tool": "call_9", "text": "5" }] }), "is the result of no open call"),
        (json!({ "messages": ask, "schema": recursive }), "would never end"),
        (json!({ "messages": ask, "schema": fetched }), "only places in the schema itself"),
        (json!({ "messages": ask, "schema": hungry }), "is no JSON Schema"),
        (json!({ "messages": ask, "schema": { "type": "array" } }), "at its root"),
        (
            json!({ "messages": ask, "tools": [{ "name": "rm -rf", "parameters": { "type": "object" } }] }),
            "a tool cannot be called",
        ),
    ] {
        let ran = raw(&chat, scripted("")).succeeded().replayed();
        assert!(ran.text().starts_with("error: Error::InvalidRequest") && ran.text().contains(says), "{}", ran.text());
        assert_eq!((only_call(&ran).usage.as_ref(), ran.usage().input_tokens), (None, 0));
    }
    let huge = json!({ "messages": [{ "user": "x".repeat(9 << 20) }] });
    assert_eq!(raw(&huge, scripted("")).succeeded().replayed().text(), "error: Error::TooLarge\n");
}

#[test]
fn a_structured_answer_is_repaired_and_each_repair_is_billed() {
    let wrong = "[[answer]]\ntext = \"It is seven.\"\nusage = { input = 1, output = 10 }\n\
                 [[answer]]\njson = { n = \"seven\" }\nusage = { input = 2, output = 20 }\n";
    let right = format!("{wrong}[[answer]]\njson = {{ n = 7 }}\nusage = {{ input = 3, output = 30 }}");
    let ran = run(&["count", "small", "How many?"], scripted(&right)).printed("7\n").replayed();
    let used = only_call(&ran).usage.clone().expect("the entry says what it took");
    assert_eq!((&used["input-tokens"], &used["output-tokens"]), (&json!(6), &json!(60)));
    let faults: Vec<_> = used["exchanges"].as_array().expect("a list").iter().map(|one| &one["fault"]).collect();
    assert!(faults[0].as_str().is_some_and(|why| why.contains("not JSON")), "{faults:?}");
    assert!(faults[1].as_str().is_some_and(|why| why.contains("is not of type")), "{faults:?}");
    assert!(faults[2].is_null() && faults.len() == 3);
    assert_eq!((ran.usage().input_tokens, ran.usage().output_tokens), (6, 60));
    // One that is never right is billed all the same.
    let never = format!("{wrong}[[answer]]\ntext = \"Seven!\"\nusage = {{ input = 3, output = 30 }}");
    let ran = run(&["count", "small", "How many?"], scripted(&never)).succeeded().replayed();
    assert!(ran.text().starts_with("error: model small did not answer as its schema says"), "{}", ran.text());
    assert_eq!((ran.usage().input_tokens, ran.usage().output_tokens), (6, 60));
}

#[test]
fn a_script_without_an_answer_says_so() {
    let ran = run(&["ask", "small", "Anything?"], scripted("[[answer]]\nwhen = \"x\"\ntext = \"y\"")).succeeded();
    let ran = ran.replayed();
    assert!(ran.text().contains("answers.toml has no answer left for turn 0"), "{}", ran.text());
    let ran = run(&["ask", "small", "Anything?"], scripted("")).succeeded().replayed();
    assert!(ran.text().contains("the scripted model that comes with the host"), "{}", ran.text());
}

#[test]
fn chats_are_counted_against_an_amount_and_one_more_asks_nobody() {
    let scene = Scene::new();
    let play = scene.command("model", ["twice", "small", "First?", "Second?"]).granted(SMALL);
    let grant = "[capabilities.model]\ntiers = [\"small\"]\nmax-tokens = 1024\namount = \"1 per run\"";
    let script = "[[answer]]\ntext = \"one\"\nusage = { input = 7, output = 3 }";
    let ran = play.granted_by(grant).asking(scripted(script)).run().replayed();
    ran.refused_once(COMPLETE, "1 per run is used up");
    assert_eq!(ran.usage().input_tokens, 7);
    assert!(scene.journal().unsettled().expect("the journal can be read").is_empty());
}
