//! `timer`: sleeps of every kind. Each has a line before it and one after.
//!
//! | arguments | sleeps |
//! |---|---|
//! | `sleep MILLISECONDS...` | for each in turn, through the SDK |
//! | `until MILLISECONDS` | until so many after the Unix epoch |
//! | `std MILLISECONDS` | through the standard library |
//!
//! Prints `before`, then for each sleep `slept`, or `error: MESSAGE` where it is refused.

use std::{
    thread,
    time::{Duration, UNIX_EPOCH},
};

use guests::{arguments, number, usage};
use remit_sdk::timer;

fn main() {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    println!("before");
    let duration = |text: &str| Duration::from_millis(number(text));
    match arguments[..] {
        ["sleep", ref times @ ..] => times.iter().for_each(|time| say(timer::sleep(duration(time)))),
        ["until", time] => say(timer::sleep_until(UNIX_EPOCH + duration(time))),
        ["std", time] => {
            thread::sleep(duration(time));
            say(Ok(()));
        }
        _ => usage("timer sleep|until|std ..."),
    }
}

fn say(slept: Result<(), timer::Error>) {
    match slept {
        Ok(()) => println!("slept"),
        Err(error) => println!("error: {error}"),
    }
}
