//! The network: one HTTP exchange with a server, for a guest that may have it.
//!
//! A [`Sender`] resolves a name once, judges every address, dials only those that passed, and speaks HTTP/1.1 there, in
//! TLS by the host's name where the scheme says so. It does not follow redirects, reads no proxy variables, keeps
//! connections apart by partition, and holds to sizes, times, rates and `Retry-After`.
//!
//! It does not know what a guest is granted: whoever calls has judged the target, and hands in [`Terms`].

mod address;
mod blame;
mod connect;
mod connection;
mod destination;
mod dial;
mod error;
mod fields;
mod inject;
mod pace;
mod pool;
mod progress;
mod request;
mod resolve;
mod response;
mod retry_after;
mod sender;
mod terms;
#[cfg(test)]
mod tests;
mod tls;

/// The bytes of bodies.
pub use hyper::body::Bytes;

pub use self::address::{Prohibited, Special, check, special};
pub use self::destination::Destination;
pub use self::dial::{Dialler, Dialling, SystemDialler, Wire};
pub use self::error::{Blame, ExchangeError, Failure, HeldBackBy};
pub use self::fields::Fields;
pub use self::inject::Inject;
pub use self::pace::HOLD_MAX;
pub use self::pool::IdleLimits;
pub use self::request::Request;
pub use self::resolve::{ResolveError, Resolver, Resolving, SystemResolver};
pub use self::response::Response;
pub use self::sender::{Options, Sender};
pub use self::terms::{
    Caps, Deadlines, Partition, REQUEST_HEADER_BYTES_MAX, RESPONSE_HEADER_BYTES_MAX, RESPONSE_HEADERS_MAX, RateLimit,
    Terms,
};
pub use self::tls::{ExtraRoots, RootsError};
