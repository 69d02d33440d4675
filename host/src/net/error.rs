//! Why an exchange failed: what happened, whose fault it is, and what to try. Never a header's value or a body.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::address::Special;
use super::destination::Destination;

/// An exchange that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{destination}: {error}")]
pub struct Failure {
    /// Where it should have gone.
    pub destination: Destination,
    /// Whether the server may have got the request, or a part of it.
    pub is_sent: bool,
    /// What happened.
    pub error: ExchangeError,
}

/// What happened. Each has an error code of `wasi:http/types@0.2` ([`ExchangeError::code`]).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// No answer about the name before the connect deadline.
    #[error("the host's name was not resolved in time")]
    DnsTimeout,
    /// The resolver failed.
    #[error("the host's name cannot be resolved: {reason}")]
    DnsError {
        /// The resolver's words.
        reason: String,
    },
    /// The name has no address.
    #[error("no such host")]
    DestinationNotFound,
    /// The network knows no way to it.
    #[error("no route to {address}")]
    DestinationUnavailable {
        /// The address that was tried last.
        address: IpAddr,
    },
    /// Every address is one that the grant does not name. Nothing was dialled.
    #[error("address {address} is {special}, and the grant does not name it")]
    DestinationIpProhibited {
        /// The first of them.
        address: IpAddr,
        /// What is special about it.
        special: Special,
    },
    /// Nobody listens there.
    #[error("connection to {address} refused")]
    ConnectionRefused {
        /// The address that was tried last.
        address: IpAddr,
    },
    /// The connection broke before the response began.
    #[error("connection ended before a response")]
    ConnectionTerminated,
    /// No connection before the connect deadline.
    #[error("no connection in time")]
    ConnectionTimeout,
    /// No next part of the response's body in time, or not the last before the whole deadline.
    #[error("the response's body did not end in time")]
    ConnectionReadTimeout,
    /// So many exchanges are under way that none could start before the connect deadline.
    #[error("too many exchanges are under way")]
    ConnectionLimitReached,
    /// The server does not speak TLS as it should.
    #[error("TLS failed: {reason}")]
    TlsProtocolError {
        /// What is wrong.
        reason: &'static str,
    },
    /// The certificate is not one for this host that this host trusts.
    #[error("the server's certificate {reason}")]
    TlsCertificateError {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The server refused the TLS connection.
    #[error("the server refused TLS with alert {id}")]
    TlsAlertReceived {
        /// The alert's number (RFC 8446, section 6).
        id: u8,
    },
    /// The host's rules for TLS cannot be loaded.
    #[error("this host's trusted roots cannot be loaded: {reason}")]
    ConfigurationError {
        /// What is wrong.
        reason: String,
    },
    /// A field that the host fills cannot be filled.
    #[error("injected field {field:?} {reason}")]
    BadInjection {
        /// The field's name.
        field: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The destination asked to wait, or the rate is used up, for longer than the exchange may take.
    #[error("{why}: {} s to wait", .wait.as_millis().div_ceil(1000))]
    HeldBack {
        /// How long from now.
        wait: Duration,
        /// Who wants it.
        why: HeldBackBy,
    },
    /// A header that only the host sets.
    #[error("header {name:?} is set by the host alone")]
    HeaderForbidden {
        /// Its name.
        name: String,
    },
    /// A header that is none.
    #[error("header {name:?} {reason}")]
    RequestHeaderInvalid {
        /// The name's beginning.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The request's path, query and headers are over [`super::REQUEST_HEADER_BYTES_MAX`].
    #[error("the request's path and headers have more than {max} bytes")]
    RequestHeaderSize {
        /// The limit.
        max: usize,
    },
    /// The request's body is over its cap.
    #[error("the request's body has {size} bytes, and {max} are allowed")]
    RequestBodySize {
        /// Its size in bytes.
        size: usize,
        /// The cap.
        max: usize,
    },
    /// The guest's `Content-Length` is not the body's.
    #[error("content-length does not say the body's {len} bytes")]
    RequestBodyLength {
        /// The body's size in bytes.
        len: usize,
    },
    /// What was judged cannot be put into a request.
    #[error("this host judged a {part} that cannot be sent")]
    Unsendable {
        /// Which part.
        part: &'static str,
    },
    /// The response ended before its end.
    #[error("the response is incomplete")]
    ResponseIncomplete,
    /// The response's head is over its caps.
    #[error("the response's headers are more than {lines} lines or {bytes} bytes")]
    ResponseHeaderSectionSize {
        /// The cap on lines.
        lines: usize,
        /// The cap on bytes.
        bytes: usize,
    },
    /// The response's trailers are over the caps on headers.
    #[error("the response's trailers are more than {lines} lines or {bytes} bytes")]
    ResponseTrailerSectionSize {
        /// The cap on lines.
        lines: usize,
        /// The cap on bytes.
        bytes: usize,
    },
    /// The response's body is over its cap.
    #[error("the response's body has more than {max} bytes")]
    ResponseBodySize {
        /// The cap.
        max: usize,
    },
    /// The response comes in a transfer coding other than chunked.
    #[error("the response has an unknown transfer coding")]
    ResponseTransferCoding,
    /// No whole head of a response before the first-byte or the whole deadline.
    #[error("no response in time")]
    ResponseTimeout,
    /// The server changed to a protocol that nobody asked for.
    #[error("the server switched protocols unasked")]
    UpgradeFailed,
    /// What the server sent is not HTTP.
    #[error("the response is not valid HTTP/1.1")]
    ProtocolError,
    /// This host failed.
    #[error("this host failed: {reason}")]
    InternalError {
        /// What failed.
        reason: String,
    },
}

/// Who wants an exchange to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBackBy {
    /// The server, by the `Retry-After` of an earlier response.
    Server,
    /// The rate limit of the grant.
    RateLimit,
}

impl fmt::Display for HeldBackBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "the server asked to be left alone",
            Self::RateLimit => "the granted rate is used up",
        })
    }
}

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The guest asked for what cannot be asked for.
    Guest,
    /// The grant does not allow it.
    Grant,
    /// The network between.
    Network,
    /// The server.
    Server,
    /// This host, or its configuration.
    Host,
}
