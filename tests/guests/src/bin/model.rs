//! `model`: chats with language models.
//!
//! | arguments | reads | prints |
//! |---|---|---|
//! | `ask TIER TEXT` | – | the answer's text |
//! | `count TIER TEXT` | – | the number `n` of a structured answer |
//! | `add TIER TEXT` | – | the text of the answer after every call of the tool `add` was answered |
//! | `twice TIER ONE TWO` | – | both answers of one conversation |
//! | `grow TIER COUNT BYTES` | – | the bytes of a conversation of so many questions of about so many bytes each, and their answers |
//! | `raw` | a chat as JSON, with WIT's names | `STOP INPUT CACHED OUTPUT: TEXT` and a line `NAME ARGUMENTS` for each call |
//!
//! In `raw`, a message is `{"system": TEXT}`, `{"user": TEXT}`, `{"assistant": TEXT, "calls": [...]}` or
//! `{"tool": CALL, "text": TEXT, "is-error": BOOL}`. A call that fails prints `error: MESSAGE`, or for `raw` the error's
//! case, and the run goes on.

use std::fmt::Display;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::read_to_string;

use guests::{arguments, number, usage};
use remit_sdk::bindings::remit::plugin::model as wit;
use remit_sdk::model::{self, Schema, StopReason};
use serde::Deserialize;
use serde_json::Value;

fn main() {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["ask", tier, text] => say(model::ask(tier, text)),
        ["count", tier, text] => say(count(tier, text)),
        ["add", tier, text] => say(add(tier, text)),
        ["twice", tier, one, two] => {
            let mut chat = model::chat(tier).system("Be brief.").max_tokens(50);
            say(chat.ask(one));
            say(chat.ask(two));
        }
        ["grow", tier, count, bytes] => grow(tier, number(count), number(bytes)),
        ["raw"] => raw(),
        _ => usage("model ask|count|add|twice|grow TIER TEXT..., model raw"),
    }
}

fn say(outcome: Result<impl Display, model::Error>) {
    match outcome {
        Ok(value) => println!("{value}"),
        Err(error) => println!("error: {error}"),
    }
}

/// Asks in one conversation, of which each call hands over all that was said before. The words are drawn from a
/// thousand, which compress about as prose does.
fn grow(tier: &str, count: u32, bytes: usize) {
    let mut chat = model::chat(tier).max_tokens(50);
    let mut said = 0;
    for _ in 0..count {
        let mut question = String::with_capacity(bytes + 16);
        while question.len() < bytes {
            question += &word(RandomState::new().build_hasher().finish());
        }
        let answer = chat.ask(&question).expect("it is answered");
        said += question.len() + answer.len();
    }
    println!("{said}");
}

/// Returns one of a thousand words, of two to four syllables, and a space.
fn word(drawn: u64) -> String {
    let which = drawn % 1_000;
    let syllable = |at: u64| SYLLABLES[((which * 31 + at * 17 + which / 7 * at) % 20) as usize];
    (0..2 + which % 3).map(syllable).chain([" "]).collect()
}

const SYLLABLES: [&str; 20] = [
    "ba", "con", "de", "ter", "in", "lo", "mi", "ra", "ta", "per", "su", "vi", "en", "or", "al", "pre", "sti", "ness",
    "ing", "um",
];

#[derive(Deserialize)]
struct Counted {
    n: i64,
}

fn count(tier: &str, text: &str) -> Result<i64, model::Error> {
    let schema = Schema::object([("n", Schema::integer("how many"))]);
    model::chat(tier).ask_for::<Counted>(&schema, text).map(|counted| counted.n)
}

#[derive(Deserialize)]
struct Sum {
    a: i64,
    b: i64,
}

fn add(tier: &str, text: &str) -> Result<String, model::Error> {
    let parameters = Schema::object([("a", Schema::integer("one")), ("b", Schema::integer("another"))]);
    let mut chat = model::chat(tier).user(text).tool("add", "Adds two numbers.", &parameters);
    loop {
        let answer = chat.send()?;
        if answer.stop != StopReason::ToolUse {
            return Ok(answer.text);
        }
        for call in &answer.tool_calls {
            let sum = serde_json::from_str::<Sum>(&call.arguments).map(|Sum { a, b }| a + b);
            chat.tool_result(call, sum);
        }
    }
}

fn raw() {
    let input = read_to_string(std::io::stdin()).expect("the chat is text");
    let chat = chat(&serde_json::from_str(&input).expect("the chat is JSON"));
    match wit::complete(&chat) {
        Ok(wit::Completion { text, tool_calls, stop, usage }) => {
            println!("{} {} {} {}: {text}", stop_name(stop), usage.input, usage.cached_input, usage.output);
            tool_calls.iter().for_each(|call| println!("{} {}", call.name, call.arguments));
        }
        Err(error) => println!("error: {error:?}"),
    }
}

fn stop_name(stop: StopReason) -> &'static str {
    match stop {
        StopReason::End => "end",
        StopReason::MaxTokens => "max-tokens",
        StopReason::ToolUse => "tool-use",
        StopReason::Refused => "refused",
        StopReason::Other => "other",
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list<T>(value: &Value, each: fn(&Value) -> T) -> Vec<T> {
    value.as_array().into_iter().flatten().map(each).collect()
}

fn chat(said: &Value) -> wit::Chat {
    wit::Chat {
        tier: said["tier"].as_str().unwrap_or("small").to_owned(),
        messages: list(&said["messages"], message),
        tools: list(&said["tools"], |tool| wit::Tool {
            name: text(&tool["name"]),
            description: text(&tool["description"]),
            parameters: tool["parameters"].to_string(),
        }),
        schema: Some(&said["schema"]).filter(|schema| !schema.is_null()).map(Value::to_string),
        max_tokens: said["max-tokens"].as_u64().map_or(100, |max| u32::try_from(max).expect("it fits")),
        deadline_ms: said["deadline-ms"].as_u64(),
    }
}

fn message(said: &Value) -> wit::Message {
    if said["system"].is_string() {
        return wit::Message::System(text(&said["system"]));
    }
    if said["assistant"].is_string() {
        let tool_calls = list(&said["calls"], |call| wit::ToolCall {
            id: text(&call["id"]),
            name: text(&call["name"]),
            arguments: text(&call["arguments"]),
        });
        return wit::Message::Assistant(wit::AssistantMessage { text: text(&said["assistant"]), tool_calls });
    }
    if said["tool"].is_string() {
        let is_error = said["is-error"].as_bool().unwrap_or_default();
        return wit::Message::Tool(wit::ToolResult {
            call_id: text(&said["tool"]),
            text: text(&said["text"]),
            is_error,
        });
    }
    wit::Message::User(text(&said["user"]))
}
