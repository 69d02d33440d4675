//! A provider's key: it reaches the provider's endpoint, and is found nowhere else, also when the provider sends it back.

use base64::Engine as _;
use serde_json::json;

use super::command_line::{ask, desk};
use super::provider::Vendor;
use crate::binary::{Desk, code};
use crate::harness::{FakeModel, Reply};
use crate::secrets::{CANARY, holds_none, look_through};

fn configured(vendor: Vendor, fake: &FakeModel, more: &str) -> Desk {
    let (provider, url) = match vendor {
        Vendor::OpenAi => ("openai", fake.openai_url()),
        Vendor::Anthropic => ("anthropic", fake.url()),
    };
    let desk = desk(&format!(
        "[models.small]\nprovider = \"{provider}\"\nbase-url = \"{url}\"\nmodel = \"m\"\nsecret = \"key\"\n{more}"
    ));
    desk.remit_reading(&["secret", "set", "key"], CANARY.as_bytes()).ends(code::OK);
    desk
}

/// Returns a stream that says the key in two pieces, neither of which holds it.
fn in_pieces() -> Reply {
    let (first, rest) = CANARY.split_at(9);
    let piece =
        |text: &str| format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": { "content": text } }] }));
    let end = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
    let events = format!("{}{}data: {end}\n\ndata: [DONE]\n\n", piece(first), piece(rest));
    Reply::raw(200, "text/event-stream", events)
}

#[test]
fn a_key_reaches_the_provider_and_nobody_else() {
    let coded = base64::engine::general_purpose::STANDARD.encode(format!("Bearer {CANARY}"));
    let said = format!("You sent {CANARY}, which is {coded}");
    for (vendor, more, reply) in [
        (Vendor::OpenAi, "", Reply::openai_text(&said)),
        (Vendor::OpenAi, "", Reply::error(400, "invalid", &said)),
        (Vendor::OpenAi, "", Reply::error(401, "invalid", &said)),
        (Vendor::OpenAi, "", Reply::openai_call("call_1", "none", &json!({ "key": CANARY }))),
        (Vendor::OpenAi, "stream = true\n", in_pieces()),
        (Vendor::Anthropic, "", Reply::anthropic_text(&said)),
        (Vendor::Anthropic, "", Reply::raw(200, "application/json", said.as_str())),
        (Vendor::Anthropic, "", Reply::raw(302, "text/plain", said.as_str()).header("location", "http://127.0.0.1:9/")),
    ] {
        let fake = FakeModel::start();
        // What calls a tool that is not there is asked to correct itself, as often as it may.
        fake.will([reply.clone(), reply.clone(), reply.clone()]);
        let desk = configured(vendor, &fake, more);
        let said = ask(&desk, "small").ends(code::OK);
        let asked = fake.asked();
        let key = asked[0].header("authorization").or(asked[0].header("x-api-key"));
        assert!(key.is_some_and(|key| key.ends_with(CANARY)), "{asked:?}");
        let shown = desk.remit(&["show", "last", "--json", "--calls"]).ends(code::OK);
        let checked = desk.remit(&["config", "check", "--json"]).ends(code::OK);
        for said in [&said, &shown, &checked] {
            holds_none("stdout", said.stdout.as_bytes());
            holds_none("stderr", said.stderr.as_bytes());
        }
        look_through(&desk.home());
        drop(fake);
        desk.remit(&["secret", "remove", "key"]).ends(code::OK);
        desk.last_is_whole();
    }
}
