//! Responses: `future-incoming-response`, which an exchange settles; `incoming-response`, read from what is recorded;
//! and `outgoing-response`, which a guest can make and send to nobody.

use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynPollable;

use super::body::{self, IncomingBody, OutgoingBody, Stage};
use super::exchange::{self, Exchanging};
use super::fields::{self, Fields};
use super::message::{Request, Response};
use super::types::ErrorCode;
use crate::capability::Derived;
use crate::capability::link::{First, Link};
use crate::capability::wasi::io;
use crate::gate::{Halt, Ordinals};

pub(super) type ToCome = Resource<ResponseToCome>;
pub(super) type Incoming = Resource<IncomingResponse>;
type Outgoing = Resource<OutgoingResponse>;
type Got = (Option<Result<Result<Incoming, ErrorCode>, ()>>,);

/// A response that is to come.
#[derive(Debug)]
pub enum ResponseToCome {
    /// The request has not been sent. Its body follows, if it has one.
    Waiting {
        /// The request without its body.
        request: Request,
        /// The body.
        body: Option<u32>,
    },
    /// The request is being sent.
    UnderWay,
    /// There is a response, or none will come.
    Settled(Result<Response, ErrorCode>),
    /// The guest has it.
    Taken,
}

/// How far a response is, before a guest waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The request is whole and can be sent.
    Due,
    /// The guest has yet to finish the request's body.
    Unfinished,
    /// The guest let the body go before it was whole.
    Abandoned,
    /// There is nothing to wait for.
    Settled,
}

impl ResponseToCome {
    pub(super) fn weight(&self) -> u64 {
        match self {
            Self::Waiting { request, .. } => request.weight(),
            Self::Settled(Ok(response)) => response.weight(),
            _ => 0,
        }
    }

    pub(super) fn body(&self) -> Option<u32> {
        match self {
            Self::Waiting { body, .. } => *body,
            _ => None,
        }
    }
}

/// Returns how far a response is; nothing for a handle that is none.
pub(in crate::capability::wasi) fn progress(derived: &Derived, ordinal: u32) -> Option<Progress> {
    let body = match derived.http.get::<ResponseToCome>(ordinal).ok()? {
        ResponseToCome::Waiting { body: Some(body), .. } => derived.http.get::<OutgoingBody>(*body),
        ResponseToCome::Waiting { body: None, .. } => return Some(Progress::Due),
        _ => return Some(Progress::Settled),
    };
    Some(match body.map(OutgoingBody::stage) {
        Ok(Stage::Finished) => Progress::Due,
        Ok(Stage::Open) => Progress::Unfinished,
        Ok(Stage::Abandoned) | Err(_) => Progress::Abandoned,
    })
}

/// Settles a response without an exchange.
pub(super) fn settle(derived: &mut Derived, ordinal: u32, outcome: Result<Response, ErrorCode>) {
    let Ok(was) = derived.http.take::<ResponseToCome>(ordinal) else { return };
    if let Some(body) = was.body() {
        derived.http.disown(body);
    }
    derived.http.keep(ordinal, ResponseToCome::Settled(outcome));
}

/// A response that came.
#[derive(Debug)]
pub struct IncomingResponse {
    status: u16,
    headers: Fields,
    /// The body and what is after it, until the guest takes them.
    rest: Option<(Vec<u8>, Fields)>,
}

impl IncomingResponse {
    fn new(response: Response) -> Self {
        let Response { status, headers, body, trailers } = response;
        Self { status, headers: Fields::immutable(headers), rest: Some((body, Fields::immutable(trailers))) }
    }

    pub(super) fn weight(&self) -> u64 {
        let rest = self.rest.as_ref().map_or(0, |(body, trailers)| body.len() as u64 + trailers.weight());
        self.headers.weight() + rest
    }
}

/// A response that a guest makes. Nobody asked it for one.
#[derive(Debug)]
pub struct OutgoingResponse {
    status: u16,
    headers: Fields,
    /// The body, if the guest asked for it.
    pub body: Option<u32>,
}

impl OutgoingResponse {
    pub(super) fn weight(&self) -> u64 {
        self.headers.weight()
    }
}

pub(super) fn link(link: &mut Link<'_>, exchanging: &Exchanging) -> wasmtime::Result<()> {
    link.resource::<ResponseToCome>("wasi:http/types#[drop]future-incoming-response")?;
    link.resource::<IncomingResponse>("wasi:http/types#[drop]incoming-response")?;
    link.resource::<OutgoingResponse>("wasi:http/types#[drop]outgoing-response")?;
    link_to_come(link, exchanging)?;
    link_incoming(link)?;
    link_outgoing(link)
}

fn link_to_come(link: &mut Link<'_>, exchanging: &Exchanging) -> wasmtime::Result<()> {
    link.pure(
        "wasi:http/types#[method]future-incoming-response.subscribe",
        |derived, ordinals, (to_come,): &(ToCome,)| -> Result<(Resource<DynPollable>,), Halt> {
            io::subscribe(derived, ordinals, to_come.rep())
        },
    )?;
    link.exchanging(
        "wasi:http/types#[method]future-incoming-response.get",
        First::new(exchanging, |derived, (to_come,): &(ToCome,)| exchange::due_at(derived, to_come.rep())),
        |derived, ordinals, (to_come,)| got(derived, ordinals, to_come.rep()),
    )
}

fn got(derived: &mut Derived, ordinals: &mut Ordinals, ordinal: u32) -> Result<Got, Halt> {
    match derived.http.get::<ResponseToCome>(ordinal)? {
        ResponseToCome::Waiting { .. } | ResponseToCome::UnderWay => return Ok((None,)),
        ResponseToCome::Taken => return Ok((Some(Err(())),)),
        ResponseToCome::Settled(_) => {}
    }
    let settled = derived.http.take::<ResponseToCome>(ordinal)?;
    derived.http.keep(ordinal, ResponseToCome::Taken);
    match settled {
        ResponseToCome::Settled(Ok(response)) => {
            Ok((Some(Ok(Ok(derived.http.create(ordinals, IncomingResponse::new(response))?))),))
        }
        ResponseToCome::Settled(Err(code)) => Ok((Some(Ok(Err(code))),)),
        _ => Ok((None,)),
    }
}

fn link_incoming(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.pure("wasi:http/types#[method]incoming-response.status", |derived, _, (response,): &(Incoming,)| {
        Ok((derived.http.get::<IncomingResponse>(response.rep())?.status,))
    })?;
    link.pure("wasi:http/types#[method]incoming-response.headers", |derived, ordinals, (response,): &(Incoming,)| {
        let headers = derived.http.get::<IncomingResponse>(response.rep())?.headers.clone();
        Ok((derived.http.create(ordinals, headers)?,))
    })?;
    link.pure(
        "wasi:http/types#[method]incoming-response.consume",
        |derived, ordinals, (response,): &(Incoming,)| -> Result<(Result<body::Incoming, ()>,), Halt> {
            let rest =
                derived.http.change(response.rep(), |response: &mut IncomingResponse| Ok(response.rest.take()))?;
            let Some((bytes, trailers)) = rest else { return Ok((Err(()),)) };
            Ok((Ok(derived.http.create(ordinals, IncomingBody::new(bytes, trailers))?),))
        },
    )
}

fn link_outgoing(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.pure(
        "wasi:http/types#[constructor]outgoing-response",
        |derived, ordinals, (headers,): &(fields::Handle,)| {
            let headers = derived.http.consume::<Fields>(headers.rep())?.frozen();
            Ok((derived.http.create(ordinals, OutgoingResponse { status: 200, headers, body: None })?,))
        },
    )?;
    link.pure("wasi:http/types#[method]outgoing-response.status-code", |derived, _, (response,): &(Outgoing,)| {
        Ok((derived.http.get::<OutgoingResponse>(response.rep())?.status,))
    })?;
    link.pure(
        "wasi:http/types#[method]outgoing-response.set-status-code",
        |derived, _, &(ref response, status): &(Outgoing, u16)| -> Result<(Result<(), ()>,), Halt> {
            if http::StatusCode::from_u16(status).is_err() {
                return Ok((Err(()),));
            }
            derived.http.get_mut::<OutgoingResponse>(response.rep())?.status = status;
            Ok((Ok(()),))
        },
    )?;
    link.pure("wasi:http/types#[method]outgoing-response.headers", |derived, ordinals, (response,): &(Outgoing,)| {
        let headers = derived.http.get::<OutgoingResponse>(response.rep())?.headers.clone();
        Ok((derived.http.create(ordinals, headers)?,))
    })?;
    link.pure(
        "wasi:http/types#[method]outgoing-response.body",
        |derived, ordinals, (response,): &(Outgoing,)| -> Result<(Result<body::Outgoing, ()>,), Halt> {
            let OutgoingResponse { headers, body, .. } = derived.http.get(response.rep())?;
            if body.is_some() {
                return Ok((Err(()),));
            }
            let made = OutgoingBody::new(headers.content_length());
            let made = derived.http.create(ordinals, made)?;
            derived.http.get_mut::<OutgoingResponse>(response.rep())?.body = Some(made.rep());
            Ok((Ok(made),))
        },
    )
}
