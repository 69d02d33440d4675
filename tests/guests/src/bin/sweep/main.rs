//! `sweep`: calls every function that the host links, and prints one line for each: `interface#function: outcome`.
//!
//! The outcome is `ok`, `error CODE`, or `not reached: WHY` where an earlier refusal leaves nothing to call it on. The
//! host's coverage test compares the journal of this run with the list of linked functions.
//!
//! | arguments | needs | does |
//! |---|---|---|
//! | `allowed [END]` | mount `.` read-write, holding nothing of its names; kv prefix `sweep/`; config `SWEEP`; model tier `small`; a timer; signal `sweep`; approval | creates what it needs, removes it |
//! | `denied [END]` | mount `.` read-only, holding `seed.txt` of 16 bytes or more and the folder `seed` | the same calls |
//!
//! `END` is how it ends: `return` (default), `exit` (through `exit`, successfully) or `exit-with-code` (with 7).
//! Standard input is read a little, and may be empty.

mod cli;
mod clocks;
mod files;
mod plugin;
mod random;
mod say;
mod sockets;
mod streams;

use std::env;

use wasip2::filesystem::types::{DescriptorFlags, OpenFlags};

/// What the calls on files are made with.
struct Names {
    /// The file, and how it is opened.
    file: &'static str,
    file_flags: DescriptorFlags,
    file_open: OpenFlags,
    /// The folder that is there or is made.
    folder: &'static str,
}

const ALLOWED: Names = Names {
    file: "sweep.txt",
    file_flags: DescriptorFlags::READ.union(DescriptorFlags::WRITE),
    file_open: OpenFlags::CREATE.union(OpenFlags::TRUNCATE),
    folder: "sweep",
};

const DENIED: Names =
    Names { file: "seed.txt", file_flags: DescriptorFlags::READ, file_open: OpenFlags::empty(), folder: "seed" };

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (names, end) = match arguments[..] {
        ["allowed"] => (&ALLOWED, "return"),
        ["allowed", end] => (&ALLOWED, end),
        ["denied"] => (&DENIED, "return"),
        ["denied", end] => (&DENIED, end),
        _ => panic!("usage: sweep allowed|denied [return|exit|exit-with-code]"),
    };
    cli::sweep();
    clocks::sweep();
    random::sweep();
    files::sweep(names);
    sockets::sweep();
    plugin::sweep();
    match end {
        "exit" => wasip2::cli::exit::exit(Ok(())),
        "exit-with-code" => wasip2::cli::exit::exit_with_code(7),
        _ => {}
    }
}
