//! `config`: values that the operator set.
//!
//! | arguments | prints |
//! |---|---|
//! | `get KEY...` | for each key the value with its type, such as `integer 3`, or `none` |
//! | `read TYPE KEY` | the value, read as `text`, `number`, `small` (0 to 255), `switch`, or `required` (a text) |
//! | `keys` | the granted keys, one per line |
//! | `env` | the environment, `NAME=VALUE` per line, as it comes |
//! | `lengths` | for each granted key the bytes of its text |
//! | `hit KEY COUNT` | `ok` after asking for the key that many times |
//!
//! A refused call prints `error: MESSAGE`, and the run goes on.

use std::{env, fmt::Display};

use guests::{arguments, number, usage};
use remit_sdk::config::{self, Value};

fn main() {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["get", ref keys @ ..] => keys.iter().for_each(|key| say(config::get(key).map(shown))),
        ["read", "text", key] => read::<String>(key),
        ["read", "number", key] => read::<f64>(key),
        ["read", "small", key] => read::<u8>(key),
        ["read", "switch", key] => read::<bool>(key),
        ["read", "required", key] => say(config::required::<String>(key)),
        ["keys"] => config::keys().iter().for_each(|key| println!("{key}")),
        ["env"] => env::vars().for_each(|(name, value)| println!("{name}={value}")),
        ["lengths"] => {
            config::keys().iter().for_each(|key| say(config::required::<String>(key).map(|text| text.len())))
        }
        ["hit", key, count] => say((0..number(count)).try_for_each(|_| hit(key)).map(|()| "ok")),
        _ => usage("config get|read|keys|env|lengths|hit ..."),
    }
}

fn say(outcome: Result<impl Display, config::Error>) {
    match outcome {
        Ok(value) => println!("{value}"),
        Err(error) => println!("error: {error}"),
    }
}

fn read<T: config::FromValue + Display>(key: &str) {
    say(config::get::<T>(key).map(|value| value.map_or_else(|| "none".to_owned(), |value| value.to_string())));
}

fn shown(value: Option<Value>) -> String {
    match value {
        None => "none".to_owned(),
        Some(Value::Text(text)) => format!("text {text}"),
        Some(Value::Integer(number)) => format!("integer {number}"),
        Some(Value::Float(number)) => format!("float {number:?}"),
        Some(Value::Boolean(is_set)) => format!("boolean {is_set}"),
    }
}

fn hit(key: &str) -> Result<(), config::Error> {
    config::get::<Value>(key).map(drop)
}
