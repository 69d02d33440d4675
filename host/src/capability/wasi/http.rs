//! `wasi:http`: requests that a guest sends.
//!
//! Always linked, because toolchains' guests import it whether they use it or not; a request that the remit does not
//! hold is refused when it is handed over. Messages are gathered and read on both sides, from what is recorded; only
//! the exchange itself reaches out. Requests do not come in, so nothing of that half is ever made.

mod body;
mod exchange;
mod fields;
mod handler;
mod message;
mod network;
mod request;
mod response;
mod secrets;
mod sender;
mod state;
mod types;
mod values;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sync::io::streams::Error as IoError;

pub(super) use self::body::{Refusal, check_write, peek, read, wrote};
pub use self::exchange::Exchanging;
pub(super) use self::exchange::{due_among, due_for, is_settled};
pub use self::message::{Headers, Request, Response};
pub use self::network::{Exchange, Network, NoResponse, Outbound, Terms};
pub use self::secrets::Secrets;
pub use self::sender::Through;
pub use self::state::State;
pub use self::types::{DnsErrorPayload, ErrorCode, FieldSizePayload, Method, Scheme, TlsAlertReceivedPayload};

use crate::capability::FailureCode;
use crate::capability::link::{Call, Link, Params, Returns};
use crate::gate::{Class, Halt};

/// Stands for a request that came in. None ever does.
pub enum IncomingRequest {}
/// Stands for the place of the answer to it.
pub enum ResponseOutparam {}

type Asked = Resource<IncomingRequest>;
type Answered = Result<Resource<response::OutgoingResponse>, ErrorCode>;

pub(super) fn link(link: &mut Link<'_>, exchanging: &Exchanging) -> wasmtime::Result<()> {
    fields::link(link)?;
    request::link(link)?;
    body::link(link)?;
    response::link(link, exchanging)?;
    handler::link(link)?;
    link_error(link)?;
    link_incoming(link)
}

fn link_error(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.sync(
        "wasi:http/types#http-error-code",
        Call::new(Class::ReadLocal, |turn, _, (error,): &(Resource<IoError>,)| {
            Ok((turn.caps.errors.get(&error.rep()).and_then(|failure| match &failure.code {
                FailureCode::Http(code) => Some(code.clone()),
                FailureCode::File(_) => None,
            }),))
        }),
    )
}

/// Links a function on a request that came in: no guest holds one.
fn never<P: Params, R: Returns>(link: &mut Link<'_>, name: &'static str) -> wasmtime::Result<()> {
    link.pure::<P, R>(name, |_, _, _| Err(Halt::Misuse("no requests come in".into())))
}

fn link_incoming(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.resource::<IncomingRequest>("wasi:http/types#[drop]incoming-request")?;
    link.resource::<ResponseOutparam>("wasi:http/types#[drop]response-outparam")?;
    never::<(Asked,), (Method,)>(link, "wasi:http/types#[method]incoming-request.method")?;
    never::<(Asked,), (Option<String>,)>(link, "wasi:http/types#[method]incoming-request.path-with-query")?;
    never::<(Asked,), (Option<Scheme>,)>(link, "wasi:http/types#[method]incoming-request.scheme")?;
    never::<(Asked,), (Option<String>,)>(link, "wasi:http/types#[method]incoming-request.authority")?;
    never::<(Asked,), (fields::Handle,)>(link, "wasi:http/types#[method]incoming-request.headers")?;
    never::<(Asked,), (Result<body::Incoming, ()>,)>(link, "wasi:http/types#[method]incoming-request.consume")?;
    never::<(Resource<ResponseOutparam>, Answered), ()>(link, "wasi:http/types#[static]response-outparam.set")
}
