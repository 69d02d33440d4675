//! Splicing: from an input stream to an output stream, without the guest seeing the bytes.

use wasmtime_wasi::p2::bindings::sync::io::streams::StreamError;

use super::super::input::{self, Empty, In};
use super::super::{Count, PERMIT, failed_message};
use super::{Out, is_closed, is_to_body, to, write, wrote, wrote_before};
use crate::capability::link::{Call, Link};
use crate::capability::wasi::http;
use crate::capability::{Caps, Derived, Input, Object};
use crate::gate::{Class, Halt, Turn};

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    for name in
        ["wasi:io/streams#[method]output-stream.splice", "wasi:io/streams#[method]output-stream.blocking-splice"]
    {
        let call = Call::new(Class::WriteFile, |turn, derived, (to, from, len): &(Out, In, u64)| {
            Ok((splice(turn, derived, to, from, *len)?,))
        });
        let call = call.governed(|derived, (stream, _, _)| to(derived, stream), |_| (Count::Err(StreamError::Closed),));
        let call = call.restored(|again, derived, (stream, _, _), (count,)| {
            wrote_before(again, derived, stream, count.as_ref().copied().unwrap_or_default(), count.is_ok());
        });
        link.durable(name, call.applied(|derived, (to, from, _), (count,)| spliced(derived, to, from, count)))?;
    }
    Ok(())
}

fn splice(turn: &mut Turn<'_, Caps>, derived: &Derived, to: &Out, from: &In, len: u64) -> Result<Count, Halt> {
    if is_closed(derived, to) {
        return Ok(Err(StreamError::Closed));
    }
    if len == 0 {
        return Ok(Ok(0));
    }
    if is_to_body(derived, to) && !is_recorded(derived, from) {
        let message = "a file cannot be spliced to a message: read from one and write to the other";
        let code = http::ErrorCode::InternalError(Some(message.into()));
        return Ok(Err(failed_message(turn, code)?));
    }
    let bytes = match input::read(turn, derived, from, len.min(PERMIT), Empty::Answered)? {
        Ok(bytes) => bytes,
        Err(error) => return Ok(Err(error)),
    };
    Ok(write(turn, derived, to, &bytes)?.map(|()| bytes.len() as u64))
}

/// Whether both sides know what the stream will give. A message's bytes have to be known on both.
fn is_recorded(derived: &Derived, from: &In) -> bool {
    !matches!(derived.objects.get(&from.rep()), Some(Object::Input(Input::File { .. })))
}

/// Moves both streams on. Where the sink was open, `closed` is the source's; which of the two failed an operation is
/// not recorded, so after that both stay as they are, and the next call on either tells.
fn spliced(derived: &mut Derived, to: &Out, from: &In, count: &Count) {
    match count {
        Ok(count) => {
            let bytes = if is_to_body(derived, to) { input::recorded(derived, from, *count) } else { Vec::new() };
            input::advance(derived, from, Ok(*count));
            wrote(derived, to, *count, &bytes, true);
        }
        Err(error @ StreamError::Closed) if !is_closed(derived, to) => input::advance(derived, from, Err(error)),
        Err(_) => {}
    }
}
