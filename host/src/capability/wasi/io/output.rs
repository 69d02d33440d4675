//! Output streams: over the run's output, over files, and over the bodies of requests.

mod splice;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynOutputStream;
use wasmtime_wasi::p2::bindings::sync::io::streams::StreamError;

use super::{PERMIT, failed, failed_message, open_file, poll};
use crate::capability::link::{Call, Link, Perform};
use crate::capability::wasi::filesystem::{self, ErrorCode, spend};
use crate::capability::wasi::http;
use crate::capability::{Caps, Derived, Object, Output, files};
use crate::gate::{Ask, Asked, Class, Halt, OutputStream, Restore, Turn};
use crate::scope::Access;

/// What WASI allows in one blocking write.
const BLOCKING_WRITE_MAX: u64 = 4096;

pub(super) type Out = Resource<DynOutputStream>;
type Done = Result<(), StreamError>;

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
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
    link.pure("wasi:io/streams#[method]output-stream.subscribe", |derived, ordinals, (stream,): &(Out,)| {
        poll::subscribe(derived, ordinals, stream.rep())
    })?;
    link_writes(link)?;
    link_zeroes(link)?;
    splice::link(link)
}

/// `write` takes more than the permit, as wasmtime's own streams on files and standard output do; the payload limit
/// bounds it.
fn link_writes(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.durable(
        "wasi:io/streams#[method]output-stream.write",
        writes(|turn, derived, (stream, bytes): &(Out, Vec<u8>)| Ok((write(turn, derived, stream, bytes)?,))),
    )?;
    link.durable(
        "wasi:io/streams#[method]output-stream.blocking-write-and-flush",
        writes(|turn, derived, (stream, bytes): &(Out, Vec<u8>)| {
            within(bytes.len() as u64, BLOCKING_WRITE_MAX)?;
            Ok((write(turn, derived, stream, bytes)?,))
        }),
    )
}

fn link_zeroes(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.durable(
        "wasi:io/streams#[method]output-stream.write-zeroes",
        zeroes(|turn, derived, &(ref stream, len): &(Out, u64)| {
            if is_closed(derived, stream) {
                return Ok((Err(StreamError::Closed),));
            }
            within(len, PERMIT)?;
            Ok((write(turn, derived, stream, &vec![0; len as usize])?,))
        }),
    )?;
    link.durable(
        "wasi:io/streams#[method]output-stream.blocking-write-zeroes-and-flush",
        zeroes(|turn, derived, &(ref stream, len): &(Out, u64)| {
            within(len, BLOCKING_WRITE_MAX)?;
            Ok((write(turn, derived, stream, &vec![0; len as usize])?,))
        }),
    )
}

/// Holds a guest-chosen length to what the interface allows.
fn within(len: u64, max: u64) -> Result<(), Halt> {
    if len <= max { Ok(()) } else { Err(Halt::Misuse(format!("a write of {len} bytes, where {max} are allowed"))) }
}

fn writes(perform: Perform<(Out, Vec<u8>), (Done,)>) -> Call<(Out, Vec<u8>), (Done,)> {
    Call::new(Class::WriteFile, perform)
        .governed(|derived, (stream, _)| to(derived, stream), |_| (Done::Err(StreamError::Closed),))
        .restored(|again, derived, (stream, bytes), (done,)| {
            wrote_before(again, derived, stream, bytes.len() as u64, done.is_ok());
        })
        .applied(|derived, (stream, bytes), (done,)| wrote(derived, stream, bytes.len() as u64, bytes, done.is_ok()))
}

fn zeroes(perform: Perform<(Out, u64), (Done,)>) -> Call<(Out, u64), (Done,)> {
    Call::new(Class::WriteFile, perform)
        .governed(|derived, (stream, _)| to(derived, stream), |_| (Done::Err(StreamError::Closed),))
        .restored(|again, derived, (stream, len), (done,)| wrote_before(again, derived, stream, *len, done.is_ok()))
        .applied(|derived, &(ref stream, len), (done,)| {
            let zeroes = if is_to_body(derived, stream) { vec![0; len.min(PERMIT) as usize] } else { Vec::new() };
            wrote(derived, stream, len, &zeroes, done.is_ok());
        })
}

pub(super) fn is_closed(derived: &Derived, stream: &Out) -> bool {
    matches!(derived.objects.get(&stream.rep()), Some(Object::Output(Output::Closed | Output::ClosedBody { .. })))
}

/// Says what a write to the stream asks for: a file's mount, or nothing for the standard streams.
pub(super) fn to<'a>(derived: &Derived, stream: &Out) -> Asked<'a> {
    match derived.objects.get(&stream.rep()) {
        Some(Object::Output(Output::File { mount, .. })) => {
            Asked { ask: Ask::Mount(*mount, Access::ReadWrite), class: Class::WriteFile }
        }
        _ => Asked { ask: Ask::Nothing, class: Class::WriteLocal },
    }
}

/// Writes all of `bytes` where the stream stands.
pub(super) fn write(turn: &mut Turn<'_, Caps>, derived: &Derived, stream: &Out, bytes: &[u8]) -> Result<Done, Halt> {
    let written = match derived.objects.get(&stream.rep()) {
        Some(Object::Output(Output::Stdout)) => return turn.show(OutputStream::Stdout, bytes).map(Ok),
        Some(Object::Output(Output::Stderr)) => return turn.show(OutputStream::Stderr, bytes).map(Ok),
        Some(Object::Output(Output::Closed | Output::ClosedBody { .. })) => return Ok(Err(StreamError::Closed)),
        Some(Object::Output(Output::Body { of })) => return write_body(turn, derived, *of, bytes.len() as u64),
        Some(Object::Output(Output::File { mount, offset })) => {
            let file = open_file(turn, stream.rep())?;
            turn.caps.changed.insert(stream.rep());
            match spend(turn, Some(*mount), bytes.len() as u64)? {
                Ok(()) => write_file(turn, stream.rep(), &file, *offset, bytes),
                Err(code) => Err(code),
            }
        }
        _ => return Err(Halt::Misuse("not an output stream".into())),
    };
    match written {
        Ok(()) => Ok(Ok(())),
        Err(code) => Ok(Err(failed(turn, code)?)),
    }
}

/// Checks what is written to a body. It is kept on both sides, once the outcome is there.
fn write_body(turn: &mut Turn<'_, Caps>, derived: &Derived, body: u32, count: u64) -> Result<Done, Halt> {
    match http::check_write(derived, body, count)? {
        None => Ok(Ok(())),
        Some(http::Refusal::Closed) => Ok(Err(StreamError::Closed)),
        Some(http::Refusal::Failed(code)) => Ok(Err(failed_message(turn, code)?)),
    }
}

/// Writes all of `bytes` at the offset, or at the end of the file. Where an append went is noted: done again, it goes to
/// the same place.
fn write_file(
    turn: &mut Turn<'_, Caps>,
    stream: u32,
    file: &files::File,
    offset: Option<u64>,
    bytes: &[u8],
) -> Result<(), ErrorCode> {
    if let Some(offset) = offset {
        return files::write_all_at(file, bytes, offset).map(drop);
    }
    let appended = match turn.caps.appending.remove(&stream) {
        Some(at) if files::end(file)? > at => {
            let appended = files::append_again(file, bytes, at)?;
            // What comes next may be there, too.
            turn.caps.appending.insert(stream, appended.offset.saturating_add(bytes.len() as u64));
            appended
        }
        _ => files::append(file, bytes)?,
    };
    turn.note(appended.offset.to_string());
    Ok(())
}

/// Takes note of a recorded write, where a run is resumed.
fn wrote_before(again: &mut Restore<'_, Caps>, derived: &Derived, stream: &Out, bytes: u64, is_done: bool) {
    match derived.objects.get(&stream.rep()) {
        Some(Object::Output(Output::Stdout | Output::Stderr)) => again.usage.output_bytes += bytes,
        Some(Object::Output(Output::File { mount, .. })) if is_done => {
            filesystem::wrote(again, stream.rep(), Some(*mount), bytes);
        }
        _ => {}
    }
}

pub(super) fn is_to_body(derived: &Derived, stream: &Out) -> bool {
    matches!(derived.objects.get(&stream.rep()), Some(Object::Output(Output::Body { .. })))
}

/// Moves the stream on by what was written, and closes one that failed. Only a body needs the bytes.
pub(super) fn wrote(derived: &mut Derived, stream: &Out, count: u64, bytes: &[u8], succeeded: bool) {
    match derived.objects.get_mut(&stream.rep()) {
        Some(Object::Output(Output::File { offset: Some(offset), .. })) if succeeded => {
            *offset = offset.saturating_add(count);
        }
        Some(Object::Output(output @ Output::File { .. })) if !succeeded => *output = Output::Closed,
        Some(Object::Output(Output::Body { of })) => {
            let of = *of;
            if !succeeded {
                derived.objects.insert(stream.rep(), Object::Output(Output::ClosedBody { of }));
            }
            http::wrote(derived, of, bytes, succeeded);
        }
        _ => {}
    }
}
