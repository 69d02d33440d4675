//! The exchange: one request sent and one response received, in one recorded call.
//!
//! It is made in the guest's call that waits for the response, as soon as the request's body is whole. When that is
//! follows from what both sides know, so a replay takes the exchange's entry at the same place. Exchanges of one run
//! are made one after another.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use wasmtime::StoreContextMut;

use super::body::OutgoingBody;
use super::message::{Request, Response};
use super::network::{NoResponse, Outbound, Terms};
use super::response::{self, Progress, ResponseToCome};
use super::types::ErrorCode;
use crate::capability::link::{self, Link};
use crate::capability::{Caps, Derived, Guest, Object};
use crate::digest::Digest;
use crate::gate::{Class, Halt, Outgoing, Permit, Refusal, RemoteOp, Sending, Sent};
use crate::manifest::RemoteClass;
use crate::meter::Usage;
use crate::scope::{Denial, HttpTarget, Remit};

/// What an exchange is recorded as. No guest can import it.
const NAME: &str = "wasi:http/outgoing-handler#[exchange]handle";

/// The field that carries the key of a request which may be sent again.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// How much longer than it may take an exchange is waited for, so that whoever makes it says what took so long.
const GRACE: Duration = Duration::from_millis(250);

/// The handle of the response to come, and the request.
type Params = (u32, Request);
/// What came of it.
type Outcome = Result<Response, ErrorCode>;

/// Makes exchanges. Clones are the same function of the table.
#[derive(Clone)]
pub struct Exchanging(Arc<RemoteOp<Caps, Derived, Params, Outcome>>);

impl Exchanging {
    /// Puts the exchange into the table of functions.
    pub(in crate::capability::wasi) fn new(link: &mut Link<'_>) -> Self {
        let class = Class::WriteOnce;
        let index = link.functions.add_internal::<Params, Outcome>(NAME, class);
        let refuse = |_: &Params| Err(ErrorCode::HttpRequestDenied);
        Self(Arc::new(RemoteOp { index, class, judge, refuse, send, apply: arrived, took }))
    }

    /// Makes the exchange for a response that is due, in a call of function `caller`.
    ///
    /// # Errors
    /// The halt that ends the run in this call.
    pub async fn make(
        &self,
        store: &mut StoreContextMut<'_, Guest>,
        to_come: u32,
        caller: u16,
    ) -> wasmtime::Result<()> {
        let params = begin(&mut store.data_mut().gate.derived, to_come)?;
        link::remote(store, &self.0, &params, caller).await
    }
}

/// Says whether this response needs an exchange that can be made now.
pub(super) fn due_at(derived: &mut Derived, to_come: u32) -> Option<u32> {
    match response::progress(derived, to_come)? {
        Progress::Due => Some(to_come),
        Progress::Abandoned => {
            response::settle(derived, to_come, Err(ErrorCode::HttpProtocolError));
            None
        }
        Progress::Unfinished | Progress::Settled => None,
    }
}

/// Says whether the pollable waits for a response that needs an exchange which can be made now.
pub(in crate::capability::wasi) fn due_for(derived: &mut Derived, pollable: u32) -> Option<u32> {
    due_at(derived, awaited(derived, pollable)?)
}

fn awaited(derived: &Derived, pollable: u32) -> Option<u32> {
    match derived.objects.get(&pollable) {
        Some(Object::Pollable { of }) => Some(*of),
        _ => None,
    }
}

/// Returns the first response among those waited for that needs an exchange which can be made now. Where the guest
/// waits for nothing but responses to requests whose bodies it has not finished, the first will not come: nobody else
/// could finish its body.
pub(in crate::capability::wasi) fn due_among(
    derived: &mut Derived,
    pollables: impl Iterator<Item = u32> + Clone,
) -> Option<u32> {
    if let Some(due) = pollables.clone().find_map(|pollable| due_for(derived, pollable)) {
        return Some(due);
    }
    let unfinished = |derived: &Derived, pollable| {
        awaited(derived, pollable).filter(|of| response::progress(derived, *of) == Some(Progress::Unfinished))
    };
    if pollables.clone().all(|pollable| unfinished(derived, pollable).is_some())
        && let Some(first) = pollables.clone().find_map(|pollable| unfinished(derived, pollable))
    {
        let message = "waited for the response before the request's body was finished";
        response::settle(derived, first, Err(ErrorCode::InternalError(Some(message.into()))));
    }
    None
}

/// Says whether a wait for this handle is over: that of a response to come, when it is settled.
pub(in crate::capability::wasi) fn is_settled(derived: &Derived, of: u32) -> bool {
    response::progress(derived, of).is_none_or(|progress| progress == Progress::Settled)
}

/// Puts the request together.
fn begin(derived: &mut Derived, to_come: u32) -> Result<Params, Halt> {
    let ResponseToCome::Waiting { mut request, body } = derived.http.take(to_come)? else {
        return Err(Halt::Misuse("the response is not due".into()));
    };
    if let Some(body) = body {
        request.body = derived.http.take::<OutgoingBody>(body)?.into_bytes().into();
    }
    derived.http.keep(to_come, ResponseToCome::UnderWay);
    Ok((to_come, request))
}

fn judge<'a>(remit: &'a Remit, (_, request): &'a Params) -> Result<Permit<'a>, Denial> {
    let rule = remit.http_allows(&request.target)?;
    let class = match rule.class() {
        RemoteClass::ReadRemote => Class::ReadRemote,
        RemoteClass::WriteIdempotent => Class::WriteIdempotent,
        RemoteClass::WriteOnce => Class::WriteOnce,
    };
    Ok(Permit { class, terms: rule.terms() })
}

fn arrived(derived: &mut Derived, (to_come, _): &Params, outcome: Outcome) {
    response::settle(derived, *to_come, outcome);
}

/// What is not known any more counts as sent: with the idempotency key or without, the bytes of the request.
fn took((_, request): &Params, outcome: &Outcome, _: Option<&str>) -> Usage {
    let received_bytes = outcome.as_ref().map_or(0, Response::size);
    Usage { remote_calls: 1, sent_bytes: request.size(), received_bytes, ..Usage::default() }
}

fn send(outgoing: Outgoing<'_, Caps>, derived: &Derived, (_, request): &Params) -> Sending<Outcome> {
    let Outgoing { caps, remit, limits, class, key, .. } = outgoing;
    let rule = remit.http_allows(&request.target);
    let (Some(network), Ok(rule)) = (&caps.network, rule) else {
        return Box::pin(async { Sent::unsent(Err(ErrorCode::ConfigurationError)) });
    };
    let terms = Terms::new(&rule, request, limits, derived.http.room(), class);
    let patience = terms.exchange_time + GRACE;
    let keyed = with_key(request.clone(), key);
    let size = keyed.size();
    let sending = network.send(Outbound { request: keyed, terms, remit: remit.clone() });
    let (remit, target) = (remit.clone(), request.target.clone());
    Box::pin(async move {
        let late = || NoResponse::of(ErrorCode::HttpResponseTimeout);
        let response = link::within(patience, sending).await.unwrap_or_else(|| Err(late()));
        let received_bytes = response.as_ref().map_or(0, Response::size);
        let refusal = response.as_ref().err().and_then(|failed| refusal(&remit, &target, failed));
        let is_sent = response.as_ref().err().is_none_or(|failed| failed.is_sent);
        let sent_bytes = if is_sent { size } else { 0 };
        let usage = Usage { remote_calls: 1, sent_bytes, received_bytes, ..Usage::default() };
        let why = response.as_ref().err().and_then(|failed| failed.why.as_ref());
        let account = why.map(|why| json!({ "failed": why }).to_string());
        Sent { outcome: response.map_err(|failed| failed.code), refusal, is_sent, usage, account, parked: None }
    })
}

/// Adds what tells the other side that a request sent again is the same one. A key of the guest's own is recorded with
/// the request, and so the same again.
fn with_key(mut request: Request, key: Option<Digest>) -> Request {
    let has_own = || request.headers.iter().any(|(name, _)| name == IDEMPOTENCY_KEY);
    if let Some(key) = key.filter(|_| !has_own()) {
        request.headers.push((IDEMPOTENCY_KEY.to_owned(), key.to_string().into_bytes()));
    }
    request
}

/// Returns the rule and the grant for an address that the remit does not name.
fn refusal(remit: &Remit, target: &HttpTarget, failed: &NoResponse) -> Option<Box<Refusal>> {
    let denial = remit.http_allows(target).ok()?.special_address_allows(target, failed.prohibited?).err()?;
    Some(Box::new(Refusal::new(denial.rule(), denial.grant())))
}
