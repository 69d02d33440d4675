//! `log`: lines for people.
//!
//! | arguments | logs |
//! |---|---|
//! | `levels` | one line at each level, `a LEVEL line` |
//! | `text MESSAGE` | the message, at info |
//! | `lines COUNT` | that many lines, `line N`, at info |
//! | `huge BYTES` | one message of that many bytes, at info |
//!
//! Each prints `ok` when it is done.

use guests::{arguments, number, usage};
use remit_sdk::log;

fn main() {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["levels"] => levels(),
        ["text", message] => log::info(message),
        ["lines", count] => (0..number::<u64>(count)).for_each(|n| log::info(format_args!("line {n}"))),
        ["huge", bytes] => log::info("x".repeat(number(bytes))),
        _ => usage("log levels|text|lines|huge ..."),
    }
    println!("ok");
}

fn levels() {
    log::trace("a trace line");
    log::debug("a debug line");
    log::info("an info line");
    log::warn("a warn line");
    log::error("an error line");
}
