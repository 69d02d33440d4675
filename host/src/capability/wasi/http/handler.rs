//! `outgoing-handler.handle`: judges a request and promises a response. Nothing is sent yet: the exchange is made when
//! the request's body is whole and the guest waits.

use super::message::{Headers, Request};
use super::request::{self, Options, OutgoingRequest};
use super::response::{ResponseToCome, ToCome};
use super::types::ErrorCode;
use crate::capability::link::{Call, Link};
use crate::capability::{Caps, Derived};
use crate::gate::{Ask, Asked, Class, Halt, Turn};
use crate::net::Bytes;
use crate::scope::HttpTarget;

type Params = (request::Handle, Option<request::OptionsHandle>);
type Handled = (Result<ToCome, ErrorCode>,);

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    let handle = Call::<Params, Handled>::new(Class::WriteLocal, handle)
        .governed(judge, |_| (Err(ErrorCode::HttpRequestDenied),))
        .applied(handled);
    link.sync("wasi:http/outgoing-handler#handle", handle)
}

fn judge<'a>(derived: &'a Derived, (request, _): &'a Params) -> Asked<'a> {
    let ask = match derived.http.get::<OutgoingRequest>(request.rep()).map(|request| &request.target) {
        Ok(Ok(target)) => Ask::Http(target),
        // What names no target is not judged. The guest hears what is wrong with it.
        Ok(Err(_)) | Err(_) => Ask::Nothing,
    };
    Asked { ask, class: Class::WriteLocal }
}

fn handle(turn: &mut Turn<'_, Caps>, derived: &Derived, (request, _): &Params) -> Result<Handled, Halt> {
    let request = derived.http.get::<OutgoingRequest>(request.rep())?;
    if let Err(code) = &request.target {
        return Ok((Err(code.clone()),));
    }
    if request.body.is_none() && request.headers.content_length().is_some_and(|length| length > 0) {
        return Ok((Err(ErrorCode::HttpRequestBodySize(Some(0))),));
    }
    Ok((Ok(ToCome::new_own(turn.ordinals.create()?)),))
}

/// The guest gave its request away, whatever became of it.
fn handled(derived: &mut Derived, (request, options): &Params, (outcome,): &Handled) {
    let options = options.as_ref().map(|options| derived.http.consume::<Options>(options.rep()));
    let options = options.and_then(Result::ok).unwrap_or_default();
    let Ok(OutgoingRequest { headers, body, target, .. }) = derived.http.consume(request.rep()) else { return };
    if let (Ok(to_come), Ok(target)) = (outcome, target) {
        let request = without_body(target, headers.into_all(), options);
        return derived.http.keep(to_come.rep(), ResponseToCome::Waiting { request, body });
    }
    if let Some(body) = body {
        derived.http.disown(body);
    }
}

fn without_body(target: HttpTarget, headers: Headers, options: Options) -> Request {
    let Options { connect_timeout, first_byte_timeout, between_bytes_timeout } = options;
    let body = Bytes::new();
    Request { target, headers, body, connect_timeout, first_byte_timeout, between_bytes_timeout }
}
