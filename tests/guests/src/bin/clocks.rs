//! `clocks`: time, and waiting for it.
//!
//! | arguments | prints |
//! |---|---|
//! | `now` | the wall clock: seconds and nanoseconds since 1970 |
//! | `order COUNT` | `ok` if as many readings of the monotonic clock never go back, else `back` |
//! | `sleep MS` | `ok` if the monotonic clock went on by that much meanwhile, else `early` |
//! | `calls COUNT` | `ok` after as many readings of the monotonic clock |
//! | `resolution` | both clocks' resolutions, in nanoseconds |
//! | `past` | `ok` after waiting for an instant that has passed |

use std::{
    hint::black_box,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use guests::{arguments, number, usage};
use wasip2::clocks::{monotonic_clock, wall_clock};

fn main() {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["now"] => now(),
        ["order", count] => println!("{}", if is_ordered(number(count)) { "ok" } else { "back" }),
        ["sleep", ms] => sleep(Duration::from_millis(number(ms))),
        ["calls", count] => calls(number(count)),
        ["resolution"] => resolution(),
        ["past"] => past(),
        _ => usage("clocks now|order|sleep|calls|resolution|past ..."),
    }
}

fn now() {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    println!("{} {}", since.as_secs(), since.subsec_nanos());
}

fn is_ordered(count: u32) -> bool {
    let readings: Vec<_> = (0..count).map(|_| Instant::now()).collect();
    readings.is_sorted()
}

fn sleep(duration: Duration) {
    let start = Instant::now();
    thread::sleep(duration);
    println!("{}", if start.elapsed() >= duration { "ok" } else { "early" });
}

fn calls(count: u64) {
    for _ in 0..count {
        black_box(monotonic_clock::now());
    }
    println!("ok");
}

fn resolution() {
    let wall = wall_clock::resolution();
    println!("{} {}", wall.seconds * 1_000_000_000 + u64::from(wall.nanoseconds), monotonic_clock::resolution());
}

fn past() {
    monotonic_clock::subscribe_instant(0).block();
    println!("ok");
}
