//! One exchange over `wasi:http`: send, wait, read everything.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    self as wasi, ErrorCode, Fields, IncomingBody, IncomingResponse, OutgoingBody, OutgoingRequest, RequestOptions,
    Scheme,
};
use wasip2::io::streams::StreamError;

use super::{Error, Method, Request, Response, url};

/// The most that one write hands to the host.
const WRITE_MAX: usize = 4096;
/// The most that one read asks for.
const READ_MAX: u64 = 64 * 1024;

pub(super) fn send(request: &Request) -> Result<Response, Error> {
    let parts = url::parts(&request.url)?;
    let outgoing = outgoing(request, &parts)?;
    let body = outgoing.body().expect("nobody took the body before");
    let failed = |code| failed(request, code);
    let future = outgoing_handler::handle(outgoing, options(request)).map_err(failed)?;
    write(body, &request.body).map_err(failed)?;
    future.subscribe().block();
    let answer = future.get().expect("it was waited for").expect("nobody took the response before");
    answer.and_then(|incoming| read(request, &incoming)).map_err(failed)
}

fn outgoing(request: &Request, parts: &url::Parts<'_>) -> Result<OutgoingRequest, Error> {
    let headers = Fields::new();
    for (name, value) in &request.headers {
        headers.append(name, value).map_err(|_| Error::InvalidHeader { name: name.clone() })?;
    }
    let has_length = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    if !has_length && !request.body.is_empty() {
        let length = request.body.len().to_string();
        headers.append("content-length", length.as_bytes()).expect("the host takes the length of a body");
    }
    let outgoing = OutgoingRequest::new(headers);
    let invalid = |why| move |()| Error::InvalidUrl { url: request.url.clone(), why };
    let scheme = if parts.is_https { Scheme::Https } else { Scheme::Http };
    outgoing.set_method(&method(&request.method)).map_err(invalid("its method is none that HTTP has"))?;
    outgoing.set_scheme(Some(&scheme)).map_err(invalid("its scheme is not supported"))?;
    outgoing.set_authority(Some(parts.authority)).map_err(invalid("its host or port is none"))?;
    outgoing.set_path_with_query(Some(&parts.path)).map_err(invalid("its path or query holds what a URL may not"))?;
    Ok(outgoing)
}

fn method(method: &Method) -> wasi::Method {
    match method {
        Method::Get => wasi::Method::Get,
        Method::Head => wasi::Method::Head,
        Method::Post => wasi::Method::Post,
        Method::Put => wasi::Method::Put,
        Method::Patch => wasi::Method::Patch,
        Method::Delete => wasi::Method::Delete,
        Method::Options => wasi::Method::Options,
        Method::Other(name) => wasi::Method::Other(name.clone()),
    }
}

/// Returns the timeouts, where the request has one. A host may leave any of them out.
fn options(request: &Request) -> Option<RequestOptions> {
    let timeout = u64::try_from(request.timeout?.as_nanos()).unwrap_or(u64::MAX);
    let options = RequestOptions::new();
    let _ = options.set_connect_timeout(Some(timeout));
    let _ = options.set_first_byte_timeout(Some(timeout));
    let _ = options.set_between_bytes_timeout(Some(timeout));
    Some(options)
}

fn write(body: OutgoingBody, bytes: &[u8]) -> Result<(), ErrorCode> {
    let stream = body.write().expect("nobody took the stream before");
    for chunk in bytes.chunks(WRITE_MAX) {
        stream.blocking_write_and_flush(chunk).map_err(|error| stream_failed(&error))?;
    }
    // A body is finished when its stream is gone.
    drop(stream);
    OutgoingBody::finish(body, None)
}

fn read(request: &Request, incoming: &IncomingResponse) -> Result<Response, ErrorCode> {
    let (status, headers) = (incoming.status(), incoming.headers().entries());
    let body = incoming.consume().expect("nobody took the body before");
    let body = read_body(&body)?;
    Ok(Response { request: request.to_string(), status, headers, body })
}

fn read_body(incoming: &IncomingBody) -> Result<Vec<u8>, ErrorCode> {
    let stream = incoming.stream().expect("nobody took the stream before");
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(READ_MAX) {
            Ok(bytes) => body.extend(bytes),
            Err(StreamError::Closed) => return Ok(body),
            Err(error) => return Err(stream_failed(&error)),
        }
    }
}

fn stream_failed(error: &StreamError) -> ErrorCode {
    match error {
        StreamError::LastOperationFailed(error) => {
            wasi::http_error_code(error).unwrap_or_else(|| ErrorCode::InternalError(Some(error.to_debug_string())))
        }
        StreamError::Closed => ErrorCode::InternalError(Some("the stream was closed".to_owned())),
    }
}

fn failed(request: &Request, code: ErrorCode) -> Error {
    let request = request.to_string();
    match code {
        ErrorCode::HttpRequestDenied => Error::Denied { request },
        ErrorCode::InternalError(Some(message)) => Error::Failed { request, code: message },
        code => Error::Failed { request, code: code.to_string() },
    }
}
