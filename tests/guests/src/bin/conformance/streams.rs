//! `wasi:io` itself: streams on files and on standard input, and pollables.
//!
//! A host may let a stream wait or not, so output streams are waited for before each step.

use wasip2::{
    cli::stdin::get_stdin,
    clocks::monotonic_clock::{now, subscribe_duration, subscribe_instant},
    filesystem::types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags, filesystem_error_code},
    io::{
        poll::poll,
        streams::{InputStream, OutputStream, StreamError},
    },
};

use crate::descriptors::root;

/// Opens a file below `.` that is new or emptied.
pub fn file(name: &str) -> Descriptor {
    let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
    root().open_at(PathFlags::empty(), name, OpenFlags::CREATE | OpenFlags::TRUNCATE, flags).expect("the file opens")
}

fn said<T: std::fmt::Debug>(name: &str, answer: Result<T, StreamError>) -> Option<T> {
    match &answer {
        Ok(value) => println!("{name}: {value:?}"),
        Err(StreamError::Closed) => println!("{name}: closed"),
        Err(StreamError::LastOperationFailed(error)) => println!("{name}: failed: {:?}", filesystem_error_code(error)),
    }
    answer.ok()
}

pub fn stdin() {
    let (one, other) = (get_stdin(), get_stdin());
    said("nothing", one.blocking_read(0));
    said("read", one.blocking_read(4));
    said("read through the other", other.blocking_read(4));
    said("skip", one.blocking_skip(2));
    drop(one);
    said("read on", other.blocking_read(4));
    println!("{:?}", drain(&other).map(|bytes| bytes.len()));
    said("at the end", other.blocking_read(1));
    said("skip at the end", other.blocking_skip(1));
    said("once more", get_stdin().blocking_read(1));
    println!("ready at the end: {}", other.subscribe().ready());
}

fn drain(input: &InputStream) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    loop {
        match input.blocking_read(u64::MAX) {
            Ok(more) => bytes.extend(more),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(error) => return Err(error.to_string()),
        }
    }
}

pub fn files() {
    writing();
    reading();
    splicing();
    appending();
    failing();
    outliving();
}

fn settle(output: &OutputStream) {
    output.subscribe().block();
}

fn writing() {
    let file = file("stream");
    let output = file.write_via_stream(3).expect("the stream opens");
    settle(&output);
    said("permit", output.check_write());
    said("write", output.write(b"abc"));
    settle(&output);
    said("permit", output.check_write());
    said("write nothing", output.write(b""));
    settle(&output);
    said("permit", output.check_write());
    said("zeroes", output.write_zeroes(2));
    said("flush", output.blocking_flush());
    said("blocking write", output.blocking_write_and_flush(b"def"));
    said("blocking zeroes", output.blocking_write_zeroes_and_flush(1));
    said("blocking write of 4096", output.blocking_write_and_flush(&[b'x'; 4096]));
    said("flush", output.flush());
    settle(&output);
    println!("{:?}", file.read(16, 0));
    println!("{:?}", file.stat().map(|stat| stat.size));
    let far = file.write_via_stream(10_000).expect("the stream opens");
    said("write past the end", far.blocking_write_and_flush(b"!"));
    println!("{:?}", file.stat().map(|stat| stat.size));
    said(
        "a permit of bytes",
        far.check_write().map(|permit| vec![b'p'; permit as usize]).and_then(|bytes| far.write(&bytes)),
    );
    said("flush", far.blocking_flush());
    println!("{:?}", file.stat().map(|stat| stat.size));
}

fn reading() {
    let file = file("stream");
    file.write(&[b'r'; 200_000], 0).expect("the write is taken");
    file.write(&[b's'; 100_000], 150_000).expect("the write is taken");
    println!("{:?}", file.read(u64::MAX, 0).map(|(bytes, end)| (bytes.len(), end)));
    println!("{:?}", file.read(u64::MAX, 240_000).map(|(bytes, end)| (bytes.len(), end)));
    println!("{:?}", file.read(u64::MAX, u64::MAX).map(|(bytes, end)| (bytes.len(), end)));
    println!("{:?}", file.read(0, 0));
    let input = file.read_via_stream(100).expect("the stream opens");
    said("nothing", input.blocking_read(0));
    said("four", input.blocking_read(4));
    said("skip", input.blocking_skip(1 << 40));
    said("much", input.blocking_read(u64::MAX).map(|bytes| bytes.len()));
    println!("{:?}", drain(&input).map(|bytes| bytes.len()));
    said("at the end", input.blocking_read(1));
    said("nothing at the end", input.blocking_read(0));
    file.write(b"more", 250_000).expect("the write is taken");
    said("after it grew", input.blocking_read(4));
    let behind = file.read_via_stream(1 << 40).expect("the stream opens");
    said("far behind the end", behind.blocking_read(4));
    let (one, other) = (file.read_via_stream(0).expect("it opens"), file.read_via_stream(250_000).expect("it opens"));
    said("one", one.blocking_read(2));
    said("other", other.blocking_read(2));
    said("one", one.blocking_read(2));
    said("before 2^64", file.read_via_stream(u64::MAX).expect("it opens").blocking_read(1));
}

fn splicing() {
    let (from, to) = (file("from"), file("to"));
    from.write(&[b'f'; 100_000], 0).expect("the write is taken");
    let input = from.read_via_stream(99_990).expect("the stream opens");
    let output = to.write_via_stream(0).expect("the stream opens");
    said("four", output.blocking_splice(&input, 4));
    said("nothing", output.blocking_splice(&input, 0));
    said("rest", output.blocking_splice(&input, u64::MAX));
    said("at the end", output.blocking_splice(&input, 1));
    said("nothing at the end", output.blocking_splice(&input, 0));
    said("write on", output.blocking_write_and_flush(b"on"));
    println!("{:?}", to.read(100, 0));
    let all = from.read_via_stream(0).expect("the stream opens");
    said("much", output.blocking_splice(&all, u64::MAX));
}

fn appending() {
    let file = file("append");
    file.write(b"begin ", 0).expect("the write is taken");
    let (one, other) = (file.append_via_stream().expect("it opens"), file.append_via_stream().expect("it opens"));
    for (name, output) in [("one", &one), ("other", &other), ("one", &one)] {
        said(name, output.blocking_write_and_flush(name.as_bytes()));
    }
    file.set_size(3).expect("the file shrinks");
    said("after it shrank", other.blocking_write_and_flush(b"!"));
    println!("{:?}", file.read(100, 0));
}

fn failing() {
    drop(file("reader"));
    let read = |flags| root().open_at(PathFlags::empty(), "reader", OpenFlags::empty(), flags).expect("it opens");
    let reader = read(DescriptorFlags::READ);
    println!("{:?}", reader.write(b"x", 0));
    for output in [reader.write_via_stream(0), reader.append_via_stream()] {
        let Ok(output) = output.inspect_err(|code| println!("{code:?}")) else { continue };
        said("write", output.blocking_write_and_flush(b"x"));
        said("write again", output.blocking_write_and_flush(b"x"));
        said("permit", output.check_write());
        said("flush", output.blocking_flush());
        said("zeroes", output.blocking_write_zeroes_and_flush(1));
    }
    let writer = read(DescriptorFlags::WRITE);
    println!("{:?}", writer.read(4, 0));
    if let Ok(input) = writer.read_via_stream(0).inspect_err(|code| println!("{code:?}")) {
        said("read", input.blocking_read(4));
        said("read again", input.blocking_read(4));
        said("skip", input.blocking_skip(4));
    }
    let output = file("far").write_via_stream(u64::MAX - 2).expect("it opens");
    said("before 2^64", output.blocking_write_and_flush(b"xyzabc"));
    println!("{:?} {:?}", root().read_via_stream(0).is_err(), root().append_via_stream().is_err());
    println!("{:?} {:?}", root().read_via_stream(0).err(), root().write_via_stream(0).err());
}

/// Streams go on when the descriptor they came from is dropped, or the file's name is.
fn outliving() {
    let file = file("gone");
    let (input, output) = (file.read_via_stream(0).expect("it opens"), file.write_via_stream(0).expect("it opens"));
    drop(file);
    said("write", output.blocking_write_and_flush(b"alive"));
    println!("{:?}", root().unlink_file_at("gone"));
    said("read", input.blocking_read(9));
    drop(output);
    said("read on", input.blocking_read(9));
}

pub fn polls() {
    let (past, soon, never) = (subscribe_duration(0), subscribe_duration(20_000_000), subscribe_duration(u64::MAX));
    let long_ago = subscribe_instant(now() / 2);
    println!("{:?}", poll(&[&past]));
    println!("{:?}", poll(&[&soon, &never]));
    println!("{} {}", soon.ready(), never.ready());
    let mut ready = poll(&[&never, &soon, &never, &soon, &past]);
    ready.sort_unstable();
    println!("{ready:?}");
    let file = file("polled");
    let (input, output) = (file.read_via_stream(0).expect("it opens"), file.write_via_stream(0).expect("it opens"));
    let (readable, writable, again) = (input.subscribe(), output.subscribe(), output.subscribe());
    readable.block();
    let mut ready = poll(&[&never, &writable, &again, &readable]);
    ready.sort_unstable();
    println!("{ready:?}");
    drop((readable, writable, again));
    let far = subscribe_instant(u64::MAX);
    println!("{:?}", poll(&[&far, &past, &past]));
    println!("{}", far.ready());
    long_ago.block();
    soon.block();
}
