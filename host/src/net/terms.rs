//! What holds for an exchange whatever the guest asks: sizes, times, addresses, pace, and what the host adds.

use std::num::NonZeroU32;
use std::time::Duration;

use super::inject::Inject;
use crate::manifest::Addresses;

/// The most header lines of a response. A grant cannot raise it.
pub const RESPONSE_HEADERS_MAX: usize = 100;
/// The most bytes in the head of a response, and in its trailers. A grant cannot raise it.
pub const RESPONSE_HEADER_BYTES_MAX: usize = 64 * 1024;
/// The most bytes in a request's path, query and headers, those that the host adds included.
pub const REQUEST_HEADER_BYTES_MAX: usize = 64 * 1024;

/// Whose connections these are: a plugin under a remit. Connections, rates and holds are not shared across partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Partition([u8; 32]);

impl Partition {
    /// Wraps a digest of the plugin and its remit.
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

/// The largest sizes, in bytes but for the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// The request's body.
    pub request_body: usize,
    /// How many header lines a response has, and how many trailers; at most [`RESPONSE_HEADERS_MAX`].
    pub response_headers: usize,
    /// The names and values of a response's headers, and of its trailers; at most [`RESPONSE_HEADER_BYTES_MAX`].
    pub response_header_bytes: usize,
    /// The response's body.
    pub response_body: usize,
}

impl Default for Caps {
    /// Returns 8 MiB for each body, and the most that a grant can name for headers.
    fn default() -> Self {
        Self {
            request_body: 8 * 1024 * 1024,
            response_headers: RESPONSE_HEADERS_MAX,
            response_header_bytes: RESPONSE_HEADER_BYTES_MAX,
            response_body: 8 * 1024 * 1024,
        }
    }
}

/// The longest times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// To a place among the exchanges under way, and from there to a connection: name, address, TLS.
    pub connect: Duration,
    /// From a connection to the whole head of a response, the sending of the request included.
    pub first_byte: Duration,
    /// From the head of a response to the first part of its body, and from each part to the next.
    pub between_bytes: Duration,
    /// From the start to the last byte, waiting for a rate or a `Retry-After` included.
    pub whole: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(10), first_byte: seconds(30), between_bytes: seconds(60), whole: seconds(60) }
    }
}

/// How often exchanges with one destination may start: `burst` at once, and one more every `interval`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The time in which one exchange is earned.
    pub interval: Duration,
    /// How many can be saved up.
    pub burst: NonZeroU32,
}

impl RateLimit {
    /// Returns a limit of so many exchanges a second.
    pub fn per_second(count: NonZeroU32, burst: NonZeroU32) -> Self {
        Self { interval: Duration::from_secs(1) / count.get(), burst }
    }
}

/// What holds for an exchange.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Whose connections it uses.
    pub partition: Partition,
    /// The addresses it may reach besides those of the public Internet.
    pub addresses: Addresses,
    /// The largest sizes.
    pub caps: Caps,
    /// The longest times.
    pub deadlines: Deadlines,
    /// How often it may start.
    pub rate: Option<RateLimit>,
    /// What the host adds to the request.
    pub inject: Vec<Inject>,
    /// Whether the request may reach the server twice: its effect class is read-remote or write-idempotent. Where it may
    /// not, a request that was lost on a kept connection is an error, unless not one byte of it was sent.
    pub is_repeatable: bool,
}

impl Terms {
    /// Returns default sizes and times, no special addresses, no rate, nothing added, nothing sent twice.
    pub fn new(partition: Partition) -> Self {
        Self {
            partition,
            addresses: Addresses::default(),
            caps: Caps::default(),
            deadlines: Deadlines::default(),
            rate: None,
            inject: Vec::new(),
            is_repeatable: false,
        }
    }
}
