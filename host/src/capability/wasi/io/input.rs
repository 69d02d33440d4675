//! Input streams: over the run's input, over files, and over the bodies of responses.

use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynInputStream;
use wasmtime_wasi::p2::bindings::sync::io::streams::StreamError;

use super::{Bytes, Count, PERMIT, failed, open_file, poll};
use crate::capability::link::{Call, Link, Perform};
use crate::capability::wasi::http;
use crate::capability::{Caps, Derived, Input, Object, files};
use crate::gate::{Class, Halt, Turn};
use crate::meter::LimitKind;

pub(super) type In = Resource<DynInputStream>;
type Read = (In, u64);

/// What a call does that asks for no bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Empty {
    /// It gets none.
    Answered,
    /// It looks at the file, finds none, and takes that for the end, as wasmtime's blocking calls do.
    Ends,
}

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.resource::<DynInputStream>("wasi:io/streams#[drop]input-stream")?;
    link_read(link, "wasi:io/streams#[method]input-stream.read", |turn, derived, (stream, len)| {
        Ok((read(turn, derived, stream, *len, Empty::Answered)?,))
    })?;
    link_read(link, "wasi:io/streams#[method]input-stream.blocking-read", |turn, derived, (stream, len)| {
        Ok((read(turn, derived, stream, *len, Empty::Ends)?,))
    })?;
    link_skip(link, "wasi:io/streams#[method]input-stream.skip", |turn, derived, (stream, len)| {
        Ok((skip(turn, derived, stream, *len, Empty::Answered)?,))
    })?;
    link_skip(link, "wasi:io/streams#[method]input-stream.blocking-skip", |turn, derived, (stream, len)| {
        Ok((skip(turn, derived, stream, *len, Empty::Ends)?,))
    })?;
    link.pure("wasi:io/streams#[method]input-stream.subscribe", |derived, ordinals, (stream,): &(In,)| {
        poll::subscribe(derived, ordinals, stream.rep())
    })
}

fn link_read(link: &mut Link<'_>, name: &'static str, perform: Perform<Read, (Bytes,)>) -> wasmtime::Result<()> {
    let call = Call::new(Class::ReadLocal, perform).applied(|derived, (stream, _), (bytes,)| {
        advance(derived, stream, bytes.as_ref().map(|bytes| bytes.len() as u64));
    });
    link.sync_or_pure(name, call, is_of_body, |derived, _, (stream, len)| Ok((read_body(derived, stream, *len)?,)))
}

fn link_skip(link: &mut Link<'_>, name: &'static str, perform: Perform<Read, (Count,)>) -> wasmtime::Result<()> {
    let call = Call::new(Class::ReadLocal, perform);
    let call = call.applied(|derived, (stream, _), (count,)| advance(derived, stream, count.as_ref().copied()));
    link.sync_or_pure(name, call, is_of_body, |derived, _, (stream, len)| {
        Ok((read_body(derived, stream, *len)?.map(|bytes| bytes.len() as u64),))
    })
}

/// Whether the stream is of a message's body, which is recorded already.
fn is_of_body(derived: &Derived, (stream, _): &Read) -> bool {
    derived.http.inputs > 0 && matches!(derived.objects.get(&stream.rep()), Some(Object::Input(Input::Body { .. })))
}

fn read_body(derived: &mut Derived, stream: &In, len: u64) -> Result<Bytes, Halt> {
    let Some(Object::Input(Input::Body { of })) = derived.objects.get(&stream.rep()) else {
        return Err(Halt::Misuse("not a stream of a body".into()));
    };
    Ok(http::read(derived, *of, len.min(PERMIT))?.ok_or(StreamError::Closed))
}

/// Reads at most `len` bytes from where the stream stands.
pub(super) fn read(
    turn: &mut Turn<'_, Caps>,
    derived: &Derived,
    stream: &In,
    len: u64,
    empty: Empty,
) -> Result<Bytes, Halt> {
    let asks_nothing = len == 0;
    let len = len.min(PERMIT).min(turn.limits[LimitKind::Payload] / 2);
    match derived.objects.get(&stream.rep()) {
        Some(Object::Input(Input::Stdin)) => Ok(stdin(derived, len)),
        Some(Object::Input(Input::Closed)) => Ok(Err(StreamError::Closed)),
        Some(Object::Input(Input::Body { of })) => {
            let bytes = http::peek(derived, *of, len)?;
            Ok(if bytes.is_empty() && !asks_nothing { Err(StreamError::Closed) } else { Ok(bytes.to_vec()) })
        }
        Some(Object::Input(Input::File { .. })) if asks_nothing && empty == Empty::Answered => Ok(Ok(Vec::new())),
        Some(Object::Input(Input::File { offset })) => read_file(turn, stream, len, *offset),
        _ => Err(Halt::Misuse("not an input stream".into())),
    }
}

fn stdin(derived: &Derived, len: u64) -> Bytes {
    let rest = &derived.stdin[derived.stdin_at..];
    if rest.is_empty() { Err(StreamError::Closed) } else { Ok(rest[..rest.len().min(len as usize)].to_vec()) }
}

fn read_file(turn: &mut Turn<'_, Caps>, stream: &In, len: u64, offset: u64) -> Result<Bytes, Halt> {
    match files::read_at(&*open_file(turn, stream.rep())?, len, offset, PERMIT as usize) {
        Ok(bytes) if bytes.is_empty() => Ok(Err(StreamError::Closed)),
        Ok(bytes) => {
            turn.usage.file_bytes_read += bytes.len() as u64;
            Ok(Ok(bytes))
        }
        Err(code) => Ok(Err(failed(turn, code)?)),
    }
}

fn skip(turn: &mut Turn<'_, Caps>, derived: &Derived, stream: &In, len: u64, empty: Empty) -> Result<Count, Halt> {
    Ok(read(turn, derived, stream, len, empty)?.map(|bytes| bytes.len() as u64))
}

/// Returns the next `count` bytes of a stream that both sides know.
pub(super) fn recorded(derived: &Derived, stream: &In, count: u64) -> Vec<u8> {
    match derived.objects.get(&stream.rep()) {
        Some(Object::Input(Input::Stdin)) => stdin(derived, count).unwrap_or_default(),
        Some(Object::Input(Input::Body { of })) => {
            http::peek(derived, *of, count).map(<[u8]>::to_vec).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// Moves the stream on by what was read. After the end or an error there is nothing more, as under wasmtime.
pub(super) fn advance(derived: &mut Derived, stream: &In, read: Result<u64, &StreamError>) {
    match (derived.objects.get_mut(&stream.rep()), read) {
        (Some(Object::Input(Input::Stdin)), Ok(count)) => {
            derived.stdin_at = (derived.stdin_at + count as usize).min(derived.stdin.len());
        }
        (Some(Object::Input(Input::Body { of })), Ok(count)) => {
            let of = *of;
            // The stream's body is there while the stream is.
            let _ = http::read(derived, of, count);
        }
        (Some(Object::Input(Input::File { offset })), Ok(count)) => *offset = offset.saturating_add(count),
        (Some(Object::Input(input @ Input::File { .. })), Err(_)) => *input = Input::Closed,
        _ => {}
    }
}
