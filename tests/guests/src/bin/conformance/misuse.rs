//! What a host answers with a trap, or does not. Each case prints `before`; one that is no trap prints `after` too.

use std::hint::black_box;

use wasip2::{
    io::{error::Error, poll::poll, streams::StreamError},
    random::random::get_random_bytes,
};

use crate::{descriptors::root, streams::file};

/// The case is one of those in the match; the test names them all.
pub fn misuse(case: &str) {
    println!("before");
    match case {
        "poll-nothing" => drop(poll(&[])),
        "blocking-write-4097" => {
            drop(file("f").write_via_stream(0).map(|out| out.blocking_write_and_flush(&[0; 4097])))
        }
        "blocking-zeroes-4097" => {
            drop(file("f").write_via_stream(0).map(|out| out.blocking_write_zeroes_and_flush(4097)));
        }
        "zeroes-over-permit" => zeroes_over_permit(),
        "write-over-permit" => write_over_permit(),
        "many-pollables" => many_pollables(),
        "listings" => listings(),
        "open-files" => open_files(),
        "poll-millions" => poll_millions(),
        "zeroes-without-end" => drop(file("f").write_via_stream(0).map(|out| out.write_zeroes(u64::MAX))),
        "stream-before-pollable" => stream_before_pollable(),
        "input-before-pollable" => input_before_pollable(),
        "error-kept" => error_kept(),
        "drop-descriptor-with-streams" => drop_descriptor(),
        "random-without-end" => drop(black_box(get_random_bytes(1 << 40))),
        "unreachable" => std::process::abort(),
        "panic" => panic!("as asked"),
        "overflow" => println!("{}", deep(black_box(1))),
        "divide" => println!("{}", 1_i32.wrapping_div(black_box(0_i32))),
        "exit-7" => std::process::exit(7),
        "exit-255" => std::process::exit(255),
        "exit-0" => std::process::exit(0),
        "exit-flags" => wasip2::cli::exit::exit(Err(())),
        "exit-ok" => wasip2::cli::exit::exit(Ok(())),
        _ => println!("unknown case"),
    }
    println!("after");
}

fn deep(depth: u64) -> u64 {
    if depth == 0 { 0 } else { black_box(deep(black_box(depth + 1))) + 1 }
}

fn write_over_permit() {
    let output = file("f").write_via_stream(0).expect("it opens");
    println!("{} {}", output.write(&[b'w'; 100_000]).is_ok(), output.blocking_flush().is_ok());
}

fn zeroes_over_permit() {
    let file = file("f");
    let output = file.write_via_stream(0).expect("it opens");
    let permit = output.check_write().expect("it is open");
    let _ = output.write_zeroes(permit + 1);
}

fn stream_before_pollable() {
    let output = file("f").write_via_stream(0).expect("it opens");
    let pollable = output.subscribe();
    drop(output);
    pollable.block();
}

fn input_before_pollable() {
    let input = file("f").read_via_stream(0).expect("it opens");
    let pollable = input.subscribe();
    drop(input);
    println!("{}", pollable.ready());
}

/// A stream is dropped once all that waits for it is, in whatever order.
fn many_pollables() {
    let output = file("f").write_via_stream(0).expect("it opens");
    let mut waiting: Vec<_> = (0..10).map(|_| output.subscribe()).collect();
    drop(waiting.swap_remove(3));
    println!("{}", waiting.iter().all(|pollable| pollable.ready()));
    waiting.clear();
    drop(output);
}

fn error_kept() {
    let failed = |error: StreamError| match error {
        StreamError::LastOperationFailed(error) => Some(error),
        StreamError::Closed => None,
    };
    let output = file("f").write_via_stream(u64::MAX).expect("it opens");
    let error: Option<Error> = output.blocking_write_and_flush(b"x").err().and_then(failed);
    drop(output);
    println!("{}", error.is_some_and(|error| !error.to_debug_string().is_empty()));
}

fn drop_descriptor() {
    let file = file("f");
    let output = file.write_via_stream(0).expect("it opens");
    drop(file);
    drop(output);
}

/// One call with more handles in it than a payload has room for.
fn poll_millions() {
    let pollable = file("f").write_via_stream(0).expect("it opens").subscribe();
    println!("{}", poll(&vec![&pollable; 20_000_000]).len());
}

/// Lists `.` again and again and drops no listing, until there are no more.
fn listings() {
    let root = root();
    let mut open = Vec::new();
    let code = loop {
        match root.read_directory() {
            Ok(listing) => open.push(listing),
            Err(code) => break code,
        }
    };
    println!("{} {}", open.len(), code.name());
    open.pop();
    open.extend(root.read_directory());
    open.extend(root.read_directory());
    println!("{} after one is dropped", open.len());
}

/// Opens a file until the host has no more descriptors, and goes on.
fn open_files() {
    let mut open = Vec::new();
    let error = loop {
        match std::fs::File::create("f") {
            Ok(file) => open.push(file),
            Err(error) => break error,
        }
    };
    println!("{} {error}", open.len());
    open.clear();
    println!("{}", std::fs::write("f", "again").is_ok());
}
