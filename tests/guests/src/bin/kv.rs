//! `kv`: the store.
//!
//! | arguments | prints |
//! |---|---|
//! | `set KEY VALUE` | `ok` |
//! | `get KEY` | the value as text, or `none` |
//! | `delete KEY` | `ok` |
//! | `keys PREFIX` | every key, one per line |
//! | `page PREFIX AFTER MAX` | one page of keys; `AFTER` may be empty for none |
//! | `overwrite KEY` | the values read after each of two sets and a delete |
//! | `count KEY` | a number, one higher from run to run |
//! | `huge KEY BYTES` | `ok` after setting a value of that many bytes |
//! | `many PREFIX COUNT` | `ok` after setting that many keys |
//! | `hit KEY COUNT` | `ok` after setting the key to 8 bytes once and reading it that many times |
//! | `long-key BYTES` | `ok` after setting and reading a key of that length |
//! | `outside KEY` | one line per function, called on a key that the remit may not allow |
//!
//! A refused call prints `error: MESSAGE`, and the run goes on.

use std::fmt::Display;

use guests::{arguments, number, usage};
use remit_sdk::{bindings::remit::plugin::kv as raw, kv};

fn main() {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["set", key, value] => say(kv::set(key, value.as_bytes()).map(|()| "ok")),
        ["get", key] => say(kv::get(key).map(text)),
        ["delete", key] => say(kv::delete(key).map(|()| "ok")),
        ["keys", prefix] => kv::keys(prefix).for_each(say),
        ["page", prefix, after, max] => page(prefix, after, number(max)),
        ["overwrite", key] => overwrite(key),
        ["count", key] => say(count(key)),
        ["huge", key, bytes] => say(kv::set(key, &vec![b'x'; number(bytes)]).map(|()| "ok")),
        ["many", prefix, count] => say(many(prefix, number(count)).map(|()| "ok")),
        ["hit", key, count] => say(hit(key, number(count)).map(|()| "ok")),
        ["long-key", bytes] => long_key(number(bytes)),
        ["outside", key] => outside(key),
        _ => usage("kv set|get|delete|keys|page|overwrite|count|huge|many|hit|long-key|outside ..."),
    }
}

fn say(outcome: Result<impl Display, kv::Error>) {
    match outcome {
        Ok(value) => println!("{value}"),
        Err(error) => println!("error: {error}"),
    }
}

fn text(value: Option<Vec<u8>>) -> String {
    value.map_or_else(|| "none".to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn page(prefix: &str, after: &str, max: u32) {
    match raw::keys(prefix, Some(after).filter(|after| !after.is_empty()), max) {
        Ok(keys) => keys.iter().for_each(|key| println!("{key}")),
        Err(error) => println!("error: {error:?}"),
    }
}

fn overwrite(key: &str) {
    for value in ["first", "second, and longer"] {
        say(kv::set(key, value.as_bytes()).map(|()| "ok"));
        say(kv::get(key).map(text));
    }
    say(kv::delete(key).map(|()| "ok"));
    say(kv::get(key).map(text));
}

fn count(key: &str) -> Result<u64, kv::Error> {
    let count = kv::get_json::<u64>(key)?.unwrap_or_default() + 1;
    kv::set_json(key, &count)?;
    Ok(count)
}

fn many(prefix: &str, count: u32) -> Result<(), kv::Error> {
    (0..count).try_for_each(|n| kv::set(&format!("{prefix}{n:08}"), &n.to_le_bytes()))
}

fn hit(key: &str, count: u32) -> Result<(), kv::Error> {
    kv::set(key, &[7; 8])?;
    (0..count).try_for_each(|_| kv::get(key).map(drop))
}

fn long_key(bytes: usize) {
    let key = "k".repeat(bytes);
    say(kv::set(&key, b"x").map(|()| "ok"));
    say(kv::get(&key).map(text));
}

fn outside(key: &str) {
    say(kv::get(key).map(text));
    say(kv::set(key, b"x").map(|()| "ok"));
    say(kv::delete(key).map(|()| "ok"));
    say(kv::keys(key).collect::<Result<Vec<_>, _>>().map(|keys| keys.len()));
}
