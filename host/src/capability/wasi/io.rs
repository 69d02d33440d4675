//! `wasi:io`: streams over the run's input, its output and its files, and pollables.
//!
//! Every stream is ready at once, because local work is done inside the call; only a deadline makes a guest wait.
//! A stream takes at most [`PERMIT`] bytes a write and returns at most that many a read.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sync::io::streams::{Error, StreamError};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable};

use super::filesystem::{ErrorCode, spend};
use crate::capability::link::{Call, Link, Perform};
use crate::capability::{Caps, Derived, Input, Object, Output, StreamFailure, files};
use crate::gate::{Ask, Asked, Class, Halt, OutputStream, Turn};
use crate::meter::LimitKind;
use crate::scope::Access;

/// What one read or write moves at most. It bounds the host's buffer for a guest-chosen length.
const PERMIT: u64 = 1 << 20;

/// What WASI allows in one blocking write.
const BLOCKING_WRITE_MAX: usize = 4096;

type In = Resource<DynInputStream>;
type Out = Resource<DynOutputStream>;
type Poll = Resource<DynPollable>;
type Bytes = Result<Vec<u8>, StreamError>;
type Count = Result<u64, StreamError>;
type Done = Result<(), StreamError>;

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link_error(link)?;
    link_poll(link)?;
    link_input(link)?;
    link_output(link)?;
    link_splice(link)
}

fn link_error(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.resource::<Error>("wasi:io/error#[drop]error")?;
    link.sync(
        "wasi:io/error#[method]error.to-debug-string",
        Call::new(Class::ReadLocal, |turn, _, (error,): &(Resource<Error>,)| {
            Ok((turn.caps.errors.get(&error.rep()).map_or_else(String::new, |failure| failure.message.clone()),))
        }),
    )
}

fn link_poll(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.resource::<DynPollable>("wasi:io/poll#[drop]pollable")?;
    link.sync(
        "wasi:io/poll#[method]pollable.ready",
        Call::new(Class::ReadLocal, |turn, _, (pollable,): &(Poll,)| Ok((is_ready(turn, pollable),))),
    )?;
    link.waiting(
        "wasi:io/poll#[method]pollable.block",
        |caps, (pollable,): &(Poll,)| Some(deadline(caps, pollable)),
        Call::new(Class::ReadLocal, |_, _, _: &(Poll,)| Ok(())),
    )?;
    link.waiting(
        "wasi:io/poll#poll",
        |caps, (pollables,): &(Vec<Poll>,)| pollables.iter().map(|pollable| deadline(caps, pollable)).min(),
        Call::new(Class::ReadLocal, |turn, _, (pollables,): &(Vec<Poll>,)| Ok((ready_of(turn, pollables)?,))),
    )
}

fn deadline(caps: &Caps, pollable: &Poll) -> Duration {
    caps.deadlines.get(&pollable.rep()).copied().unwrap_or_default()
}

fn is_ready(turn: &Turn<'_, Caps>, pollable: &Poll) -> bool {
    deadline(turn.caps, pollable) <= turn.elapsed
}

fn ready_of(turn: &mut Turn<'_, Caps>, pollables: &[Poll]) -> Result<Vec<u32>, Halt> {
    if pollables.is_empty() {
        return Err(Halt::Misuse("empty poll list".into()));
    }
    let indexes = (0_u32..).zip(pollables);
    Ok(indexes.filter(|(_, pollable)| is_ready(turn, pollable)).map(|(index, _)| index).collect())
}

fn link_input(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.resource::<DynInputStream>("wasi:io/streams#[drop]input-stream")?;
    for name in ["wasi:io/streams#[method]input-stream.read", "wasi:io/streams#[method]input-stream.blocking-read"] {
        let call = Call::new(Class::ReadLocal, |turn, derived, (stream, len): &(In, u64)| {
            Ok((read(turn, derived, stream.rep(), *len)?,))
        });
        link.sync(
            name,
            call.applied(|derived, (stream, _), (bytes,): &(Bytes,)| advance(derived, stream, moved(bytes))),
        )?;
    }
    for name in ["wasi:io/streams#[method]input-stream.skip", "wasi:io/streams#[method]input-stream.blocking-skip"] {
        let call = Call::new(Class::ReadLocal, |turn, derived, (stream, len): &(In, u64)| {
            Ok((read(turn, derived, stream.rep(), *len)?.map(|bytes| bytes.len() as u64),))
        });
        link.sync(
            name,
            call.applied(|derived, (stream, _), (count,): &(Count,)| advance(derived, stream, counted(count))),
        )?;
    }
    link.pure("wasi:io/streams#[method]input-stream.subscribe", |_, ordinals, _: &(In,)| {
        Ok((Poll::new_own(ordinals.create()?),))
    })
}

fn moved(bytes: &Bytes) -> u64 {
    bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)
}

fn counted(count: &Count) -> u64 {
    *count.as_ref().unwrap_or(&0)
}

/// Reads at most `len` bytes from where the stream stands.
fn read(turn: &mut Turn<'_, Caps>, derived: &Derived, stream: u32, len: u64) -> Result<Bytes, Halt> {
    let len = len.min(PERMIT).min(turn.limits[LimitKind::Payload] / 2);
    let read = match derived.objects.get(&stream) {
        Some(Object::Input(Input::Stdin)) => Ok(stdin(derived, len)),
        Some(Object::Input(Input::File { offset })) => {
            let read = files::read_at(&*open_file(turn, stream)?, len, *offset, PERMIT as usize);
            turn.usage.file_bytes_read += read.as_ref().map_or(0, |bytes| bytes.len() as u64);
            read
        }
        _ => return Err(Halt::Misuse("not an input stream".into())),
    };
    match read {
        Ok(bytes) if bytes.is_empty() && len > 0 => Ok(Err(StreamError::Closed)),
        Ok(bytes) => Ok(Ok(bytes)),
        Err(code) => Ok(Err(failed(turn, code)?)),
    }
}

fn stdin(derived: &Derived, len: u64) -> Vec<u8> {
    let rest = &derived.stdin[derived.stdin_at..];
    rest[..rest.len().min(len as usize)].to_vec()
}

fn advance(derived: &mut Derived, stream: &In, count: u64) {
    match derived.objects.get_mut(&stream.rep()) {
        Some(Object::Input(Input::Stdin)) => {
            derived.stdin_at = (derived.stdin_at + count as usize).min(derived.stdin.len());
        }
        Some(Object::Input(Input::File { offset })) => *offset = offset.saturating_add(count),
        _ => {}
    }
}

fn open_file(turn: &Turn<'_, Caps>, ordinal: u32) -> Result<Arc<files::File>, Halt> {
    let file = turn.caps.open.get(&ordinal).and_then(|descriptor| descriptor.file().ok());
    file.cloned().ok_or_else(|| Halt::Misuse("the stream's file is not open".into()))
}

/// Makes the error handle that a failed stream operation hands to the guest.
fn failed(turn: &mut Turn<'_, Caps>, code: ErrorCode) -> Result<StreamError, Halt> {
    let ordinal = turn.ordinals.create()?;
    turn.caps.errors.insert(ordinal, StreamFailure { message: code.message().to_owned(), code });
    Ok(StreamError::LastOperationFailed(Resource::new_own(ordinal)))
}

fn link_output(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.resource::<DynOutputStream>("wasi:io/streams#[drop]output-stream")?;
    link.pure("wasi:io/streams#[method]output-stream.check-write", |derived, _, (stream,): &(Out,)| {
        Ok((if is_closed(derived, stream) { Err(StreamError::Closed) } else { Ok(PERMIT) },))
    })?;
    for name in ["wasi:io/streams#[method]output-stream.flush", "wasi:io/streams#[method]output-stream.blocking-flush"]
    {
        link.pure(name, |derived, _, (stream,): &(Out,)| {
            Ok((if is_closed(derived, stream) { Err(StreamError::Closed) } else { Ok(()) },))
        })?;
    }
    link.pure("wasi:io/streams#[method]output-stream.subscribe", |_, ordinals, _: &(Out,)| {
        Ok((Poll::new_own(ordinals.create()?),))
    })?;
    link_writes(link)
}

fn link_writes(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.durable(
        "wasi:io/streams#[method]output-stream.write",
        writes(|turn, derived, (stream, bytes): &(Out, Vec<u8>)| Ok((write(turn, derived, stream, bytes, PERMIT)?,))),
    )?;
    link.durable(
        "wasi:io/streams#[method]output-stream.blocking-write-and-flush",
        writes(|turn, derived, (stream, bytes): &(Out, Vec<u8>)| {
            Ok((write(turn, derived, stream, bytes, BLOCKING_WRITE_MAX as u64)?,))
        }),
    )?;
    link.durable(
        "wasi:io/streams#[method]output-stream.write-zeroes",
        zeroes(|turn, derived, &(ref stream, len): &(Out, u64)| {
            Ok((write_zeroes(turn, derived, stream, len, PERMIT)?,))
        }),
    )?;
    link.durable(
        "wasi:io/streams#[method]output-stream.blocking-write-zeroes-and-flush",
        zeroes(|turn, derived, &(ref stream, len): &(Out, u64)| {
            Ok((write_zeroes(turn, derived, stream, len, BLOCKING_WRITE_MAX as u64)?,))
        }),
    )
}

fn writes(perform: Perform<(Out, Vec<u8>), (Done,)>) -> Call<(Out, Vec<u8>), (Done,)> {
    Call::new(Class::WriteFile, perform)
        .governed(|derived, (stream, _)| to(derived, stream), |_| (Done::Err(StreamError::Closed),))
        .applied(|derived, (stream, bytes), (done,)| wrote(derived, stream, bytes.len() as u64, done.is_ok()))
}

fn zeroes(perform: Perform<(Out, u64), (Done,)>) -> Call<(Out, u64), (Done,)> {
    Call::new(Class::WriteFile, perform)
        .governed(|derived, (stream, _)| to(derived, stream), |_| (Done::Err(StreamError::Closed),))
        .applied(|derived, (stream, len), (done,)| wrote(derived, stream, *len, done.is_ok()))
}

fn is_closed(derived: &Derived, stream: &Out) -> bool {
    matches!(derived.objects.get(&stream.rep()), Some(Object::Output(Output::Closed)))
}

/// Says what a write to the stream asks for: a file's mount, or nothing for the standard streams.
fn to<'a>(derived: &Derived, stream: &Out) -> Asked<'a> {
    match derived.objects.get(&stream.rep()) {
        Some(Object::Output(Output::File { mount, .. })) => {
            Asked { ask: Ask::Mount(*mount, Access::ReadWrite), class: Class::WriteFile }
        }
        _ => Asked { ask: Ask::Nothing, class: Class::WriteLocal },
    }
}

fn write(turn: &mut Turn<'_, Caps>, derived: &Derived, stream: &Out, bytes: &[u8], max: u64) -> Result<Done, Halt> {
    if bytes.len() as u64 > max {
        return Err(Halt::Misuse(format!("buffer too large for the write: {} bytes, at most {max}", bytes.len())));
    }
    let written = match derived.objects.get(&stream.rep()) {
        Some(Object::Output(Output::Stdout)) => return turn.show(OutputStream::Stdout, bytes).map(Ok),
        Some(Object::Output(Output::Stderr)) => return turn.show(OutputStream::Stderr, bytes).map(Ok),
        Some(Object::Output(Output::Closed)) => return Ok(Err(StreamError::Closed)),
        Some(Object::Output(Output::File { mount, offset })) => {
            let file = open_file(turn, stream.rep())?;
            turn.caps.changed.insert(stream.rep());
            spend(turn, Some(*mount), bytes.len() as u64)?.and_then(|()| write_file(&file, *offset, bytes))
        }
        _ => return Err(Halt::Misuse("not an output stream".into())),
    };
    match written {
        Ok(()) => Ok(Ok(())),
        Err(code) => Ok(Err(failed(turn, code)?)),
    }
}

/// Writes all of `bytes` at the offset, or at the end of the file.
fn write_file(file: &files::File, offset: Option<u64>, bytes: &[u8]) -> Result<(), ErrorCode> {
    match offset {
        Some(offset) => files::write_all_at(file, bytes, offset).map(drop),
        None => files::append(file, bytes).map(drop),
    }
}

fn write_zeroes(turn: &mut Turn<'_, Caps>, derived: &Derived, stream: &Out, len: u64, max: u64) -> Result<Done, Halt> {
    if len > max {
        return Err(Halt::Misuse(format!("buffer too large for the write: {len} bytes, at most {max}")));
    }
    write(turn, derived, stream, &vec![0; len as usize], max)
}

fn wrote(derived: &mut Derived, stream: &Out, count: u64, succeeded: bool) {
    match derived.objects.get_mut(&stream.rep()) {
        Some(Object::Output(Output::File { offset: Some(offset), .. })) if succeeded => {
            *offset = offset.saturating_add(count);
        }
        Some(Object::Output(output @ Output::File { .. })) if !succeeded => *output = Output::Closed,
        _ => {}
    }
}

fn link_splice(link: &mut Link<'_>) -> wasmtime::Result<()> {
    for name in
        ["wasi:io/streams#[method]output-stream.splice", "wasi:io/streams#[method]output-stream.blocking-splice"]
    {
        let call = Call::new(Class::WriteFile, |turn, derived, (to, from, len): &(Out, In, u64)| {
            Ok((splice(turn, derived, to, from, *len)?,))
        });
        let call = call.governed(|derived, (stream, _, _)| to(derived, stream), |_| (Count::Err(StreamError::Closed),));
        let call = call.applied(|derived, (to, from, _), (count,): &(Count,)| {
            advance(derived, from, counted(count));
            wrote(derived, to, counted(count), true);
        });
        link.durable(name, call)?;
    }
    Ok(())
}

fn splice(turn: &mut Turn<'_, Caps>, derived: &Derived, to: &Out, from: &In, len: u64) -> Result<Count, Halt> {
    if is_closed(derived, to) {
        return Ok(Err(StreamError::Closed));
    }
    let bytes = match read(turn, derived, from.rep(), len)? {
        Ok(bytes) => bytes,
        Err(error) => return Ok(Err(error)),
    };
    Ok(write(turn, derived, to, &bytes, PERMIT)?.map(|()| bytes.len() as u64))
}
