//! `signal`: waits for signals.
//!
//! | arguments | prints |
//! |---|---|
//! | `wait NAME...` | for each name the JSON text of its next signal |
//! | `within NAME MILLISECONDS` | the same, or `none` where there is none for so long |
//! | `number NAME` | the next signal of the name, read as a whole number |
//!
//! A call that is refused, or a signal that is no number, prints `error: MESSAGE`.

use std::{fmt::Display, time::Duration};

use guests::{arguments, number, usage};
use remit_sdk::signal;

fn main() {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["wait", ref names @ ..] => names.iter().for_each(|name| say(signal::text(name, None).map(shown))),
        ["within", name, time] => say(signal::text(name, Some(Duration::from_millis(number(time)))).map(shown)),
        ["number", name] => say(signal::wait::<u32>(name)),
        _ => usage("signal wait|within|number ..."),
    }
}

fn shown(text: Option<String>) -> String {
    text.unwrap_or_else(|| "none".to_owned())
}

fn say(outcome: Result<impl Display, signal::Error>) {
    match outcome {
        Ok(value) => println!("{value}"),
        Err(error) => println!("error: {error}"),
    }
}
