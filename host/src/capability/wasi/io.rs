//! `wasi:io`: streams over the run's input, its output and its files, and pollables.
//!
//! Every stream is ready at once, because local work is done inside the call and a message's body is whole before it is
//! read; only a deadline and a response to come make a guest wait.
//! What a stream moves at once, and when it is closed, is as under wasmtime.

mod input;
mod output;
mod poll;

use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sync::io::streams::{Error, StreamError};

use super::filesystem::ErrorCode;
use super::http::{self, Exchanging};
use crate::capability::link::{Call, Link};
use crate::capability::{Caps, FailureCode, StreamFailure, files};
use crate::gate::{Class, Halt, Turn};

/// What `check-write` permits, and what one read returns at most: as wasmtime. It bounds the host's buffer for a
/// guest-chosen length.
const PERMIT: u64 = 64 << 10;

type Bytes = Result<Vec<u8>, StreamError>;
type Count = Result<u64, StreamError>;

pub(super) use poll::subscribe;

pub(super) fn link(link: &mut Link<'_>, exchanging: &Exchanging) -> wasmtime::Result<()> {
    link_error(link)?;
    poll::link(link, exchanging)?;
    input::link(link)?;
    output::link(link)
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

fn open_file(turn: &Turn<'_, Caps>, ordinal: u32) -> Result<Arc<files::File>, Halt> {
    let file = turn.caps.open.get(&ordinal).and_then(|descriptor| descriptor.file().ok());
    file.cloned().ok_or_else(|| Halt::Misuse("the stream's file is not open".into()))
}

/// Makes the error handle that a failed operation on a file's stream hands to the guest.
fn failed(turn: &mut Turn<'_, Caps>, code: ErrorCode) -> Result<StreamError, Halt> {
    failed_as(turn, StreamFailure { message: code.message().to_owned(), code: FailureCode::File(code) })
}

/// Makes the error handle that a failed operation on a body's stream hands to the guest.
fn failed_message(turn: &mut Turn<'_, Caps>, code: http::ErrorCode) -> Result<StreamError, Halt> {
    failed_as(turn, StreamFailure { message: format!("{code:?}"), code: FailureCode::Http(code) })
}

fn failed_as(turn: &mut Turn<'_, Caps>, failure: StreamFailure) -> Result<StreamError, Halt> {
    let ordinal = turn.ordinals.create()?;
    turn.caps.errors.insert(ordinal, failure);
    Ok(StreamError::LastOperationFailed(Resource::new_own(ordinal)))
}
