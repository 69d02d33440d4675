//! Whole messages, as they are recorded: what is sent, and what comes back.

use super::fields::Fields;
use crate::net::Bytes;
use crate::scope::HttpTarget;

/// Header fields in the order of a message.
pub type Headers = Vec<(String, Vec<u8>)>;

/// A request, finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Method, scheme, host, port, path and query, in normal form.
    pub target: HttpTarget,
    /// The headers that the guest gave.
    pub headers: Headers,
    /// The whole body. Cloning the request does not copy it.
    pub body: Bytes,
    /// Nanoseconds until connected that the guest wants to wait at most.
    pub connect_timeout: Option<u64>,
    /// Nanoseconds until the response begins.
    pub first_byte_timeout: Option<u64>,
    /// Nanoseconds between two parts of the response's body.
    pub between_bytes_timeout: Option<u64>,
}

impl Request {
    /// Returns about how many bytes go out.
    pub fn size(&self) -> u64 {
        (self.target.to_string().len() + size(&self.headers) + self.body.len()) as u64
    }

    /// Returns how much of what a guest may hold the request takes.
    pub(super) fn weight(&self) -> u64 {
        Fields::weight_of(&self.headers) + self.body.len() as u64
    }
}

/// A response, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, but for those about the connection.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// The fields after the body.
    pub trailers: Headers,
}

impl Response {
    /// Returns about how many bytes came in.
    pub fn size(&self) -> u64 {
        (size(&self.headers) + self.body.len() + size(&self.trailers)) as u64
    }

    /// Returns how much of what a guest may hold the response takes.
    pub(super) fn weight(&self) -> u64 {
        self.body.len() as u64 + Fields::weight_of(&self.headers) + Fields::weight_of(&self.trailers)
    }
}

/// Returns the bytes of names and values.
fn size(headers: &Headers) -> usize {
    headers.iter().map(|(name, value)| name.len() + value.len()).sum()
}
