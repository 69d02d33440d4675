//! `tools`: the functions of connectors, as a model would use them.
//!
//! | arguments | prints |
//! |---|---|
//! | `granted` | the tools' names, one per line |
//! | `around NAME` | the tools' names, what a call without arguments says, the names again, what a call of no name says |
//! | `show NAME` | description, parameters and digest, a line each |
//! | `call NAME ARGUMENTS` | the result as JSON |
//! | `chosen NAME ARGUMENTS ...` | the same for each pair, called as one that was listed |
//! | `pinned NAME DIGEST ARGUMENTS` | the same, for this digest |
//! | `typed NAME` | the result of a call without arguments, read as a number |
//! | `deep NAME DEPTH` | the same, with that many brackets |
//! | `long NAME BYTES` | the same, with a text of that length as `title` |
//! | `hit NAME COUNT` | `ok` after calling it without arguments that many times |
//!
//! An error is printed as `error: KIND: MESSAGE`, and the run goes on.

use std::fmt::Display;

use guests::{arguments, number, usage};
use remit_sdk::{
    bindings::remit::plugin::tools as raw,
    tools::{self, Error},
};

fn main() {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["granted"] => tools::granted().iter().for_each(|tool| println!("{}", tool.name)),
        ["around", name] => around(name),
        ["show", name] => show(name),
        ["call", name, arguments] => say(raw::call(name, None, arguments)),
        ["chosen", ref pairs @ ..] => chosen(pairs),
        ["pinned", name, digest, arguments] => say(raw::call(name, Some(digest), arguments)),
        ["typed", name] => tell(tools::call::<u32>(name, &serde_json::json!({}))),
        ["deep", name, depth] => {
            let depth = number(depth);
            say(raw::call(name, None, &format!("{}{}", "[".repeat(depth), "]".repeat(depth))));
        }
        ["long", name, bytes] => {
            say(raw::call(name, None, &format!("{{\"title\":\"{}\"}}", "x".repeat(number(bytes)))))
        }
        ["hit", name, count] => {
            (0..number::<u32>(count)).for_each(|_| drop(raw::call(name, None, "{}")));
            println!("ok");
        }
        _ => usage("tools granted|around|show|call|chosen|pinned|typed|deep|long|hit ..."),
    }
}

/// Prints nothing in between: that would be a call, too.
fn around(name: &str) {
    let names = || tools::granted().iter().map(|tool| format!("{}\n", tool.name)).collect::<String>();
    let (before, said, after) = (names(), raw::call(name, None, "{}"), names());
    let unknown = raw::call("", None, "{}");
    print!("{before}");
    say(said);
    print!("{after}");
    say(unknown);
}

fn show(name: &str) {
    match tools::granted().get(name) {
        Some(tool) => println!("{}\n{}\n{}", tool.description, tool.parameters, tool.digest),
        None => println!("none"),
    }
}

fn chosen(pairs: &[&str]) {
    let tools = tools::granted();
    for pair in pairs.chunks(2) {
        let &[name, arguments] = pair else { usage("tools chosen NAME ARGUMENTS ...") };
        tell(tools.call(name, arguments));
    }
}

fn tell(outcome: Result<impl Display, Error>) {
    match outcome {
        Ok(value) => println!("{value}"),
        Err(error) => println!("error: {error}"),
    }
}

fn say(outcome: Result<String, raw::Error>) {
    match outcome {
        Ok(json) => println!("{json}"),
        Err(raw::Error::Denied) => println!("error: denied"),
        Err(raw::Error::Unknown(message)) => println!("error: unknown: {message}"),
        Err(raw::Error::Changed(digest)) => println!("error: changed: {digest}"),
        Err(raw::Error::InvalidArguments(message)) => println!("error: arguments: {message}"),
        Err(raw::Error::Returned(json)) => println!("error: returned: {json}"),
        Err(raw::Error::Failed(message)) => println!("error: failed: {message}"),
        Err(raw::Error::TooLarge(message)) => println!("error: too large: {message}"),
    }
}
