//! What a guest asks for, checked and turned into what is sent.
//!
//! The sender sets `Host` and `Content-Length` and nothing else of its own; fields about the connection are refused.

use std::fmt;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::uri::PathAndQuery;
use hyper::{Method, Uri};

use super::error::ExchangeError;
use super::fields::{self, Fields};
use super::inject::{self, Inject};
use super::terms::{REQUEST_HEADER_BYTES_MAX, Terms};
use crate::scope::HttpTarget;

/// What a guest asks for.
#[derive(Clone)]
pub struct Request {
    /// Method and URL, as they were judged: what is sent is their normal form.
    pub target: HttpTarget,
    /// The headers.
    pub headers: Fields,
    /// The whole body.
    pub body: Bytes,
}

impl fmt::Debug for Request {
    /// Prints neither the query nor header values nor the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({}, {} bytes)", self.target, self.body.len())
    }
}

/// Returns what is sent.
pub(super) fn build(request: &Request, terms: &Terms) -> Result<hyper::Request<Full<Bytes>>, ExchangeError> {
    if request.body.len() > terms.caps.request_body {
        let (size, max) = (request.body.len(), terms.caps.request_body);
        return Err(ExchangeError::RequestBodySize { size, max });
    }
    let uri = uri(&request.target, &terms.inject)?;
    let target_len = uri.path_and_query().map_or(0, |target| target.as_str().len());
    let method = Method::from_bytes(request.target.method().as_str().as_bytes());
    let method = method.map_err(|_| ExchangeError::Unsendable { part: "method" })?;
    let headers = headers(request, &method, &terms.inject)?;
    if target_len + fields::size(&headers) > REQUEST_HEADER_BYTES_MAX {
        return Err(too_many());
    }
    let mut sent = hyper::Request::new(Full::new(request.body.clone()));
    *sent.method_mut() = method;
    *sent.uri_mut() = uri;
    *sent.headers_mut() = headers;
    Ok(sent)
}

/// Returns path and query. What was judged is what is sent, so nothing may be cut off or change on its way.
fn uri(target: &HttpTarget, injects: &[Inject]) -> Result<Uri, ExchangeError> {
    let filled = inject::fill_query(target.path_with_query(), injects);
    if filled.len() > REQUEST_HEADER_BYTES_MAX {
        return Err(too_many());
    }
    let uri = PathAndQuery::try_from(filled.as_str()).ok().map(Uri::from);
    let is_whole = |uri: &Uri| uri.path_and_query().is_some_and(|kept| kept.as_str() == filled);
    uri.filter(is_whole).ok_or(ExchangeError::Unsendable { part: "path" })
}

fn headers(request: &Request, method: &Method, injects: &[Inject]) -> Result<HeaderMap, ExchangeError> {
    let mut headers = HeaderMap::new();
    let host = HeaderValue::try_from(request.target.authority());
    let host = host.map_err(|_| ExchangeError::Unsendable { part: "host" })?;
    append(&mut headers, header::HOST, host)?;
    for (name, value) in &request.headers {
        append_guest(&mut headers, name, value, request.body.len())?;
    }
    for inject in injects {
        if let Some((name, value)) = inject.header()? {
            headers.try_insert(name, value).map_err(|_| too_many())?;
        }
    }
    let expects_a_body = [Method::POST, Method::PUT, Method::PATCH].contains(method);
    if expects_a_body || !request.body.is_empty() {
        append(&mut headers, header::CONTENT_LENGTH, HeaderValue::from(request.body.len()))?;
    }
    Ok(headers)
}

/// Appends a header of the guest. A `Content-Length` that is right is left out, as the sender sets it.
fn append_guest(headers: &mut HeaderMap, name: &str, value: &[u8], body_len: usize) -> Result<(), ExchangeError> {
    let malformed = |reason| ExchangeError::RequestHeaderInvalid { name: shown(name), reason };
    let parsed = HeaderName::try_from(name).map_err(|_| malformed("is not a header name"))?;
    if parsed == header::CONTENT_LENGTH {
        let is_right = value == body_len.to_string().as_bytes();
        return if is_right { Ok(()) } else { Err(ExchangeError::RequestBodyLength { len: body_len }) };
    }
    if fields::is_ours(&parsed) {
        return Err(ExchangeError::HeaderForbidden { name: shown(name) });
    }
    let value = HeaderValue::from_bytes(value).map_err(|_| malformed("has a control character in its value"))?;
    append(headers, parsed, value)
}

fn append(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) -> Result<(), ExchangeError> {
    headers.try_append(name, value).map(drop).map_err(|_| too_many())
}

/// The map holds 32,768 lines at most, which are more bytes than are allowed.
fn too_many() -> ExchangeError {
    ExchangeError::RequestHeaderSize { max: REQUEST_HEADER_BYTES_MAX }
}

/// Returns the beginning of a name that the guest chose, for a message. Print it with `{:?}`.
fn shown(name: &str) -> String {
    name.chars().take(80).collect()
}
