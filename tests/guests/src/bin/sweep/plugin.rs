//! `remit:plugin`.

use remit_sdk::bindings::remit::plugin::{approval, config, kv, log, model, signal, timer};

use crate::say::{answered, done};

const KEY: &str = "sweep/key";

pub fn sweep() {
    for level in [log::Level::Trace, log::Level::Debug, log::Level::Info, log::Level::Warn, log::Level::Error] {
        log::log(level, "swept");
        done("remit:plugin/log#log", ());
    }
    answered("remit:plugin/config#get", config::get("SWEEP"));
    done("remit:plugin/config#keys", config::keys());
    answered("remit:plugin/kv#get", kv::get(KEY));
    answered("remit:plugin/kv#set", kv::set(KEY, b"value"));
    answered("remit:plugin/kv#get", kv::get(KEY));
    answered("remit:plugin/kv#keys", kv::keys("sweep/", None, 10));
    answered("remit:plugin/kv#keys", kv::keys("sweep/", Some(KEY), 10));
    answered("remit:plugin/kv#delete", kv::delete(KEY));
    answered("remit:plugin/model#complete", model::complete(&chat()));
    answered("remit:plugin/timer#sleep", timer::sleep(1));
    answered("remit:plugin/timer#sleep-until", timer::sleep_until(0));
    answered("remit:plugin/signal#wait", signal::wait("sweep", Some(0)));
    answered("remit:plugin/approval#ask", approval::ask(&proposal()));
}

fn proposal() -> approval::Proposal {
    approval::Proposal {
        title: "sweep".to_owned(),
        intent: String::new(),
        details: "{}".to_owned(),
        expires: Some(0),
        default: approval::DefaultAnswer::Deny,
    }
}

fn chat() -> model::Chat {
    model::Chat {
        tier: "small".to_owned(),
        messages: vec![model::Message::User("Say something.".to_owned())],
        tools: Vec::new(),
        schema: None,
        max_tokens: 100,
        deadline_ms: None,
    }
}
