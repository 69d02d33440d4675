//! `limits`: programs that do not stop by themselves, or ask for too much. A host's limit is to end each of them.
//!
//! | arguments | does |
//! |---|---|
//! | `loop` | computes for ever |
//! | `calls` | reads the clock for ever |
//! | `sleep` | sleeps for a year |
//! | `memory` | takes memory for ever, touching all of it |
//! | `recursion` | calls itself for ever |
//! | `output` | writes to standard output for ever |
//! | `string BYTES` | hands one string of that many bytes to the host, as a log message |
//! | `path MOUNT BYTES` | opens a path of that many bytes below a mount |
//! | `random BYTES` | asks for that many random bytes at once |
//! | `pollables` | makes pollables for ever, keeping them |
//! | `files PATH` | opens a file for ever, keeping it open; prints the count and kind when an open is refused |
//! | `polls COUNT` | waits for that many pollables at once, all but one of which are never ready |
//! | `panic` | panics with the message `as asked` |
//! | `trap` | executes `unreachable` |
//! | `abort` | aborts |

use std::{fs::File, hint::black_box, io::Write as _, path::Path, process, thread, time::Duration};

use guests::{arguments, kind, number, usage};
use remit_sdk::log;
use wasip2::{
    clocks::monotonic_clock,
    io::poll::{self, Pollable},
    random::random,
};

const YEAR_S: u64 = 365 * 24 * 60 * 60;

fn main() {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["loop"] => compute(),
        ["calls"] => call(),
        ["sleep"] => thread::sleep(Duration::from_secs(YEAR_S)),
        ["memory"] => take_memory(),
        ["recursion"] => println!("{}", recurse(1)),
        ["output"] => write(),
        ["string", bytes] => log::info("x".repeat(number(bytes))),
        ["path", mount, bytes] => open_long(mount, number(bytes)),
        ["random", bytes] => println!("{}", random::get_random_bytes(number(bytes)).len()),
        ["pollables"] => make_pollables(),
        ["files", path] => open(path),
        ["polls", count] => poll_many(number(count)),
        ["panic"] => panic!("as asked"),
        ["trap"] => trap(),
        ["abort"] => process::abort(),
        _ => usage("limits loop|calls|sleep|memory|recursion|output|string|path|random|pollables|files|polls|..."),
    }
}

fn compute() {
    let mut n: u64 = 0;
    loop {
        n = black_box(n.wrapping_add(1));
    }
}

fn call() {
    loop {
        black_box(monotonic_clock::now());
    }
}

fn take_memory() {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    loop {
        kept.push(vec![1; 1 << 20]);
        black_box(&kept);
    }
}

#[expect(unconditional_recursion, reason = "meant to end by the limit on the stack")]
fn recurse(n: u64) -> u64 {
    black_box(recurse(black_box(n + 1)) + 1)
}

fn write() {
    let chunk = [b'x'; 4096];
    while std::io::stdout().write_all(&chunk).is_ok() {}
}

fn never_ready() -> Pollable {
    monotonic_clock::subscribe_duration(YEAR_S * 1_000_000_000)
}

fn make_pollables() {
    let mut kept = Vec::new();
    loop {
        kept.push(never_ready());
    }
}

fn open(path: &str) {
    let mut kept = Vec::new();
    loop {
        match File::open(path) {
            Ok(file) => kept.push(file),
            Err(error) => return println!("{} {}", kept.len(), kind(&error)),
        }
    }
}

fn open_long(mount: &str, bytes: usize) {
    let outcome = File::open(Path::new(mount).join("x".repeat(bytes)));
    println!("{}", outcome.map_or_else(|error| kind(&error), |_| "ok".to_owned()));
}

fn poll_many(count: usize) {
    let mut pollables: Vec<_> = (1..count).map(|_| never_ready()).collect();
    pollables.push(monotonic_clock::subscribe_duration(0));
    let borrowed: Vec<_> = pollables.iter().collect();
    println!("{:?}", poll::poll(&borrowed));
}

#[cfg(target_family = "wasm")]
fn trap() {
    core::arch::wasm32::unreachable()
}

#[cfg(not(target_family = "wasm"))]
fn trap() {
    process::abort()
}
