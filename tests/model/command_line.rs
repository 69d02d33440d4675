//! Models as an operator sets them up, and as `remit` tells of them.

use std::fs;

use serde_json::json;

use super::provider::Vendor;
use crate::binary::{Desk, Said, code};
use crate::harness::{FakeModel, Reply};

const MANIFEST: &str = "[plugin]\nname = \"model\"\nversion = \"0.1.0\"\nkind = \"command\"\n\
                        [capabilities.model]\ntiers = [\"small\", \"large\"]\nwhy = \"answers\"\n";

/// Makes a plugin of the guest `model`, and a home with this configuration.
pub fn desk(config: &str) -> Desk {
    let desk = Desk::with(&["model"]);
    desk.write("remit.toml", MANIFEST);
    if !config.is_empty() {
        configure(&desk, config);
    }
    desk
}

fn configure(desk: &Desk, config: &str) {
    fs::create_dir_all(desk.home()).expect("a folder for the home");
    fs::write(desk.home().join("config.toml"), config).expect("the home can be written");
}

pub fn ask(desk: &Desk, tier: &str) -> Said {
    desk.remit(&["run", ".", "--allow-requested", "--", "ask", tier, "Hello?"])
}

#[test]
fn without_a_configuration_the_embedded_script_answers_offline() {
    let desk = desk("");
    let said = ask(&desk, "small").ends(code::OK);
    assert!(said.stdout.contains("scripted model that comes with the host"), "{}", said.stdout);
    said.says(&["model small: nothing is configured, so the embedded script answers", "models: ", "tokens read"]);
    desk.last_is_whole();
    let shown = desk.remit(&["show", "last"]).ends(code::OK).stdout;
    assert!(shown.contains("tokens read") && shown.contains("remit:plugin/model#complete"), "{shown}");
    let calls = desk.json(&["show", "last", "--calls", "--json"]);
    let call = calls["calls"].as_array().expect("a list").iter().find(|call| !call["usage"].is_null());
    let call = call.expect("a call says what it took");
    assert_eq!((&call["class"], call["usage"]["exchanges"].as_array().map(Vec::len)), (&json!("read-remote"), Some(1)));
}

#[test]
fn a_configured_tier_is_asked_with_the_key_from_the_vault() {
    let fake = FakeModel::start();
    fake.will([Reply::openai_text("From the server")]);
    let url = Vendor::OpenAi.url(&fake);
    let desk = desk(&format!(
        "[models.small]\nprovider = \"openai\"\nbase-url = \"{url}\"\nmodel = \"m-1\"\nsecret = \"openai-key\"\n\
         [models.large]\nprovider = \"scripted\"\nscript = \"answers.toml\"\n"
    ));
    fs::write(desk.home().join("answers.toml"), "[[answer]]\ntext = \"From the file\"\n").expect("it can be written");
    desk.remit(&["config", "check"]).fails(code::USAGE, &["there is no secret openai-key", "remit secret set"]);
    let missing = ask(&desk, "small").ends(code::OK).says(&["there is no secret openai-key, so asking it fails"]);
    assert!(missing.stdout.contains("this host has no key for it"), "{}", missing.stdout);
    assert_eq!(fake.count(), 0, "nothing is sent without the key");
    desk.remit_reading(&["secret", "set", "openai-key"], b"the-key-of-openai").ends(code::OK);
    desk.remit(&["config", "check"]).ends(code::OK);
    assert_eq!(ask(&desk, "small").ends(code::OK).stdout, "From the server\n");
    assert_eq!(fake.asked()[0].header("authorization"), Some("Bearer the-key-of-openai"));
    drop(fake);
    desk.last_is_whole();
    assert_eq!(ask(&desk, "large").ends(code::OK).stdout, "From the file\n");
}

#[test]
fn a_tier_that_is_not_configured_is_told_at_the_start_and_when_it_is_asked() {
    let desk = desk("[models.small]\nprovider = \"scripted\"\n");
    let said = ask(&desk, "large").ends(code::OK);
    assert_eq!(said.stdout, "error: the operator has nobody answer for model large\n");
    said.says(&["model large: the configuration has no such tier", "add [models.large]"]);
    ask(&desk, "small").ends(code::OK);
    desk.last_is_whole();
}

#[test]
fn a_script_that_is_not_there_or_wrong_is_named_before_anything_runs() {
    let desk = desk("[models.small]\nprovider = \"scripted\"\nscript = \"answers.toml\"\n");
    desk.remit(&["config", "check"]).fails(code::USAGE, &["models.small.script", "answers.toml"]);
    ask(&desk, "small").fails(code::USAGE, &["models.small.script", "answers.toml"]);
    fs::write(desk.home().join("answers.toml"), "[[answer]]\nsays = 1\n").expect("it can be written");
    desk.remit(&["config", "check"]).fails(code::USAGE, &["unknown field `says`"]);
    ask(&desk, "small").fails(code::USAGE, &["unknown field `says`"]);
    assert_eq!(desk.runs(), 0);
    configure(&desk, "[models.small]\nprovider = \"opnai\"\n");
    desk.remit(&["config", "check"]).fails(code::USAGE, &["config.toml", "did you mean \"openai\"?"]);
    ask(&desk, "small").fails(code::USAGE, &["did you mean \"openai\"?"]);
}

#[test]
fn the_ceiling_holds_whatever_is_granted() {
    let desk = desk("[ceiling.deny]\ntiers = [\"large\"]\n[ceiling.model]\nmax-tokens = 100\n");
    for tier in ["small", "large"] {
        let said = ask(&desk, tier).ends(code::OK).says(&["refused: remit:plugin/model#complete"]);
        assert_eq!(said.stdout, format!("error: the remit does not allow such a chat with model {tier}\n"));
    }
    let said = desk.remit(&["run", ".", "--allow-requested", "--", "twice", "small", "One?", "Two?"]);
    assert_eq!(said.ends(code::OK).stdout.lines().count(), 2, "50 tokens are below the ceiling");
    desk.last_is_whole();
}
