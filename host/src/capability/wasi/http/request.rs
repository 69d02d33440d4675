//! `outgoing-request` and `request-options`: a request while the guest makes it. All of it is computed on both sides.

use http::uri::{Authority, PathAndQuery, Scheme as UriScheme};
use wasmtime::component::Resource;

use super::body::{self, OutgoingBody};
use super::fields::{self, Fields};
use super::types::{ErrorCode, Method, Scheme};
use crate::capability::Derived;
use crate::capability::link::{Link, Params};
use crate::gate::{Halt, Value};
use crate::scope::{HttpTarget, NoTarget, TargetPart};

pub(super) type Handle = Resource<OutgoingRequest>;
pub(super) type OptionsHandle = Resource<Options>;
type Set = (Result<(), ()>,);

/// A request while the guest makes it.
#[derive(Debug)]
pub struct OutgoingRequest {
    method: Method,
    scheme: Option<Scheme>,
    authority: Option<String>,
    path_with_query: Option<String>,
    /// The headers.
    pub headers: Fields,
    /// The body, if the guest asked for it.
    pub body: Option<u32>,
    /// Where it would go as it is now.
    pub target: Result<HttpTarget, ErrorCode>,
}

impl OutgoingRequest {
    fn new(headers: Fields) -> Self {
        let (method, target) = (Method::Get, Err(ErrorCode::HttpRequestUriInvalid));
        Self { method, scheme: None, authority: None, path_with_query: None, headers, body: None, target }
    }

    pub(super) fn weight(&self) -> u64 {
        let words = [&self.authority, &self.path_with_query].into_iter().flatten().map(String::len);
        words.sum::<usize>() as u64 + self.headers.weight()
    }

    /// Reads anew where the request goes. What names no place is told when the request is sent.
    fn aim(&mut self) {
        let scheme = self.scheme.as_ref().map_or("https", Scheme::as_str);
        let authority = self.authority.as_deref().unwrap_or_default();
        let path_with_query = self.path_with_query.as_deref().unwrap_or_default();
        let target = HttpTarget::parse(self.method.as_str(), scheme, authority, path_with_query);
        self.target = target.map_err(|error| code_of(&error));
    }
}

/// Returns what a guest hears whose words name no target.
fn code_of(error: &NoTarget) -> ErrorCode {
    match error.part {
        TargetPart::Method => ErrorCode::HttpRequestMethodInvalid,
        TargetPart::Scheme => ErrorCode::HttpProtocolError,
        TargetPart::Authority | TargetPart::Path => ErrorCode::HttpRequestUriInvalid,
    }
}

/// How long the guest wants to wait at most, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Until connected.
    pub connect_timeout: Option<u64>,
    /// Until the response begins.
    pub first_byte_timeout: Option<u64>,
    /// Between two parts of the response's body.
    pub between_bytes_timeout: Option<u64>,
}

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.resource::<OutgoingRequest>("wasi:http/types#[drop]outgoing-request")?;
    link.resource::<Options>("wasi:http/types#[drop]request-options")?;
    link_whole(link)?;
    link_words(link)?;
    link_options(link)
}

fn link_whole(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.pure("wasi:http/types#[constructor]outgoing-request", |derived, ordinals, (headers,): &(fields::Handle,)| {
        let headers = derived.http.consume::<Fields>(headers.rep())?.frozen();
        Ok((derived.http.create(ordinals, OutgoingRequest::new(headers))?,))
    })?;
    link.pure("wasi:http/types#[method]outgoing-request.headers", |derived, ordinals, (request,): &(Handle,)| {
        let headers = derived.http.get::<OutgoingRequest>(request.rep())?.headers.clone();
        Ok((derived.http.create(ordinals, headers)?,))
    })?;
    link.pure(
        "wasi:http/types#[method]outgoing-request.body",
        |derived, ordinals, (request,): &(Handle,)| -> Result<(Result<body::Outgoing, ()>,), Halt> {
            let OutgoingRequest { headers, body, .. } = derived.http.get(request.rep())?;
            if body.is_some() {
                return Ok((Err(()),));
            }
            let made = OutgoingBody::new(headers.content_length());
            let made = derived.http.create(ordinals, made)?;
            derived.http.get_mut::<OutgoingRequest>(request.rep())?.body = Some(made.rep());
            Ok((Ok(made),))
        },
    )
}

fn link_words(link: &mut Link<'_>) -> wasmtime::Result<()> {
    reads::<Method>(link, "wasi:http/types#[method]outgoing-request.method", |request| request.method.clone())?;
    sets(link, "wasi:http/types#[method]outgoing-request.set-method", |request, method: &Method| {
        let is_valid = !matches!(method, Method::Other(other) if http::Method::from_bytes(other.as_bytes()).is_err());
        accept(is_valid, || request.method = method.clone())
    })?;
    reads::<Option<Scheme>>(link, "wasi:http/types#[method]outgoing-request.scheme", |request| request.scheme.clone())?;
    sets(link, "wasi:http/types#[method]outgoing-request.set-scheme", |request, scheme: &Option<Scheme>| {
        let other = scheme.as_ref().map_or("http", Scheme::as_str);
        accept(UriScheme::try_from(other).is_ok(), || request.scheme = scheme.clone())
    })?;
    reads::<Option<String>>(link, "wasi:http/types#[method]outgoing-request.authority", |request| {
        request.authority.clone()
    })?;
    sets(link, "wasi:http/types#[method]outgoing-request.set-authority", |request, authority: &Option<String>| {
        let is_valid = authority.as_deref().is_none_or(|authority| Authority::try_from(authority).is_ok());
        accept(is_valid, || request.authority = authority.clone())
    })?;
    reads::<Option<String>>(link, "wasi:http/types#[method]outgoing-request.path-with-query", |request| {
        request.path_with_query.clone()
    })?;
    sets(link, "wasi:http/types#[method]outgoing-request.set-path-with-query", |request, path: &Option<String>| {
        accept(path.as_deref().is_none_or(is_path_with_query), || request.path_with_query = path.clone())
    })
}

/// Whether the text can stand in a request's first line. Whether it is one path for every reader is seen when the
/// request is sent.
fn is_path_with_query(text: &str) -> bool {
    let begins = text.is_empty() || text.starts_with(['/', '?']);
    begins && PathAndQuery::try_from(text).is_ok()
}

fn accept(is_valid: bool, set: impl FnOnce()) -> Result<(), ()> {
    if !is_valid {
        return Err(());
    }
    set();
    Ok(())
}

/// Links a function that reads a word of a request.
fn reads<T>(link: &mut Link<'_>, name: &'static str, read: fn(&OutgoingRequest) -> T) -> wasmtime::Result<()>
where
    T: Value,
    (T,): crate::capability::link::Returns,
{
    link.pure_with(name, read, |derived, _, read, (request,): &(Handle,)| Ok((read(derived.http.get(request.rep())?),)))
}

/// Links a function that sets a word of a request.
fn sets<T>(
    link: &mut Link<'_>,
    name: &'static str,
    set: fn(&mut OutgoingRequest, &T) -> Result<(), ()>,
) -> wasmtime::Result<()>
where
    T: Value,
    (Handle, T): Params,
{
    link.pure_with(name, set, |derived: &mut Derived, _, set, (request, word): &(Handle, T)| -> Result<Set, Halt> {
        derived.http.change(request.rep(), |request: &mut OutgoingRequest| {
            let done = set(request, word);
            request.aim();
            Ok((done,))
        })
    })
}

fn link_options(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.pure("wasi:http/types#[constructor]request-options", |derived, ordinals, _: &()| {
        Ok((derived.http.create(ordinals, Options::default())?,))
    })?;
    link_timeout(
        link,
        "wasi:http/types#[method]request-options.connect-timeout",
        "wasi:http/types#[method]request-options.set-connect-timeout",
        |options| &mut options.connect_timeout,
    )?;
    link_timeout(
        link,
        "wasi:http/types#[method]request-options.first-byte-timeout",
        "wasi:http/types#[method]request-options.set-first-byte-timeout",
        |options| &mut options.first_byte_timeout,
    )?;
    link_timeout(
        link,
        "wasi:http/types#[method]request-options.between-bytes-timeout",
        "wasi:http/types#[method]request-options.set-between-bytes-timeout",
        |options| &mut options.between_bytes_timeout,
    )
}

fn link_timeout(
    link: &mut Link<'_>,
    get: &'static str,
    set: &'static str,
    timeout: fn(&mut Options) -> &mut Option<u64>,
) -> wasmtime::Result<()> {
    link.pure_with(get, timeout, |derived: &mut Derived, _, timeout, (options,): &(OptionsHandle,)| {
        Ok((*timeout(derived.http.get_mut(options.rep())?),))
    })?;
    link.pure_with(
        set,
        timeout,
        |derived: &mut Derived,
         _,
         timeout,
         &(ref options, value): &(OptionsHandle, Option<u64>)|
         -> Result<Set, Halt> {
            *timeout(derived.http.get_mut(options.rep())?) = value;
            Ok((Ok(()),))
        },
    )
}
