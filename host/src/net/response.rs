//! What a server answers, read whole and under caps.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use hyper::StatusCode;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use tokio::time;

use super::connection::Connection;
use super::error::ExchangeError;
use super::fields::{self, Fields};
use super::terms::{Caps, Terms};

/// How much room a body of a declared length gets before its bytes are there.
const ROOM_MAX: usize = 256 * 1024;

/// A whole response.
#[derive(Clone)]
pub struct Response {
    /// The status, 200 to 999: interim responses are skipped. A redirect is one like any other.
    pub status: u16,
    /// The headers, but for those about the connection.
    pub headers: Fields,
    /// The body, without transfer coding. Its content coding is as the server sent it.
    pub body: Bytes,
    /// The trailers.
    pub trailers: Fields,
    /// How long the server wants not to be asked, whatever the status. After 429 and 503 the sender sees to it.
    pub retry_after: Option<Duration>,
    /// The address that answered.
    pub address: IpAddr,
}

impl fmt::Debug for Response {
    /// Prints neither header values nor the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} from {}, {} bytes)", self.status, self.address, self.body.len())
    }
}

/// Checks a response's head.
pub(super) fn check_head(response: &hyper::Response<Incoming>, caps: &Caps) -> Result<(), ExchangeError> {
    let headers = response.headers();
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(ExchangeError::UpgradeFailed);
    }
    if is_over(headers, caps) {
        let (lines, bytes) = (caps.response_headers, caps.response_header_bytes);
        return Err(ExchangeError::ResponseHeaderSectionSize { lines, bytes });
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    if headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH) {
        // Two lengths: somebody on the way may believe the other one (RFC 9112, section 6.3).
        return Err(ExchangeError::ProtocolError);
    }
    if !codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        return Err(ExchangeError::ResponseTransferCoding);
    }
    Ok(())
}

/// Reads a response's body to its end. Returns it with the trailers.
pub(super) async fn read_body(
    connection: &mut Connection,
    mut body: Incoming,
    terms: &Terms,
) -> Result<(Bytes, Fields), ExchangeError> {
    let (caps, patience) = (&terms.caps, terms.deadlines.between_bytes);
    let too_large = ExchangeError::ResponseBodySize { max: caps.response_body };
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if declared > caps.response_body {
        return Err(too_large);
    }
    let mut whole = Whole::default();
    let mut trailers = Fields::new();
    let late = |_| ExchangeError::ConnectionReadTimeout;
    while let Some(frame) = time::timeout(patience, connection.frame(&mut body)).await.map_err(late)?? {
        match frame.into_data() {
            Ok(data) if data.len() > caps.response_body - whole.len() => return Err(too_large),
            Ok(data) => whole.push(data, declared),
            Err(frame) => trailers = read_trailers(frame.trailers_ref(), caps)?,
        }
    }
    Ok((whole.into_bytes(), trailers))
}

fn read_trailers(trailers: Option<&HeaderMap>, caps: &Caps) -> Result<Fields, ExchangeError> {
    let Some(trailers) = trailers else { return Ok(Fields::new()) };
    if is_over(trailers, caps) {
        let (lines, bytes) = (caps.response_headers, caps.response_header_bytes);
        return Err(ExchangeError::ResponseTrailerSectionSize { lines, bytes });
    }
    Ok(fields::end_to_end(trailers))
}

fn is_over(headers: &HeaderMap, caps: &Caps) -> bool {
    headers.len() > caps.response_headers || fields::size(headers) > caps.response_header_bytes
}

/// A body that grows. One that comes in one piece is never copied.
#[derive(Default)]
struct Whole {
    only: Bytes,
    pieces: Vec<u8>,
}

impl Whole {
    fn len(&self) -> usize {
        self.only.len() + self.pieces.len()
    }

    fn push(&mut self, data: Bytes, declared: usize) {
        if self.len() == 0 {
            self.only = data;
            return;
        }
        if !self.only.is_empty() {
            self.pieces.reserve(declared.min(ROOM_MAX));
            self.pieces.extend_from_slice(&self.only);
            self.only = Bytes::new();
        }
        self.pieces.extend_from_slice(&data);
    }

    fn into_bytes(self) -> Bytes {
        if self.pieces.is_empty() { self.only } else { Bytes::from(self.pieces) }
    }
}
