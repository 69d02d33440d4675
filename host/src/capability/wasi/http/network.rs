//! The way out: what an exchange asks of the network, and under which terms.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::message::{Request, Response};
use super::types::ErrorCode;
use crate::gate::Class;
use crate::manifest::Addresses;
use crate::meter::{LimitKind, Limits};
use crate::scope::{HttpRule, Remit};

/// The most bytes in a response's headers, and in its trailers, where the payload limit allows as much.
const HEADER_BYTES_MAX: u64 = 64 << 10;
/// The most bytes of a body, where the grant says nothing.
const BODY_MAX: u64 = 8 << 20;
/// The longest times, where the grant and the guest say nothing.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Sends what was judged. Only a live run has one.
pub trait Network: Send + Sync {
    /// Sends a request and receives its whole response. Dropping what this returns ends it.
    fn send(&self, outbound: Outbound) -> Exchange;
}

/// An exchange under way.
pub type Exchange = Pin<Box<dyn Future<Output = Result<Response, NoResponse>> + Send>>;

/// A request on its way out.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// The request.
    pub request: Request,
    /// What holds for the exchange.
    pub terms: Terms,
    /// What the run may do at this moment: which secrets go along.
    pub remit: Arc<Remit>,
}

/// What holds for an exchange, whatever the guest asks for.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The most bytes of the request's body.
    pub request_size: u64,
    /// The most bytes of the response's body.
    pub response_size: u64,
    /// The most bytes of the response's headers, and of its trailers.
    pub header_size: u64,
    /// The time until connected.
    pub connect_time: Duration,
    /// The time from then until the response's head is there.
    pub first_byte_time: Duration,
    /// The time between two parts of the response's body.
    pub between_bytes_time: Duration,
    /// The time of the whole exchange.
    pub exchange_time: Duration,
    /// Exchanges that may be started in a second.
    pub per_second: Option<u64>,
    /// The addresses that are not on the public network and may be connected to.
    pub addresses: Addresses,
    /// Whether the request may reach the other side twice.
    pub is_repeatable: bool,
}

impl Terms {
    /// Returns the strictest of what the rule, the run's limits and the guest say. `room` is how many bytes of
    /// messages the guest may still hold.
    pub(super) fn new(rule: &HttpRule<'_>, request: &Request, limits: &Limits, room: u64, class: Class) -> Self {
        let caps = rule.caps();
        let within = |most: Duration, cap_ms: Option<u64>, wanted_ns: Option<u64>| {
            let bounds = cap_ms.map(Duration::from_millis).into_iter().chain(wanted_ns.map(Duration::from_nanos));
            bounds.fold(most, Duration::min)
        };
        let exchange_time = within(limits.call_time(), caps.exchange_time_ms, None);
        let payload_max = limits[LimitKind::Payload].min(room);
        let header_size = HEADER_BYTES_MAX.min(payload_max / 8);
        // Headers, trailers and the body are one payload, and a field takes more room than its bytes.
        let response_size = payload_max.saturating_sub(4 * header_size);
        Self {
            request_size: caps.request_size.unwrap_or(BODY_MAX),
            response_size: caps.response_size.unwrap_or(BODY_MAX).min(response_size),
            header_size,
            connect_time: within(exchange_time.min(CONNECT_TIME), caps.connect_time_ms, request.connect_timeout),
            first_byte_time: within(exchange_time, caps.first_byte_time_ms, request.first_byte_timeout),
            between_bytes_time: within(exchange_time, None, request.between_bytes_timeout),
            exchange_time,
            per_second: caps.per_second,
            addresses: rule.addresses().clone(),
            is_repeatable: matches!(class, Class::ReadRemote | Class::WriteIdempotent),
        }
    }
}

/// Why there is no response.
#[derive(Clone, Debug)]
pub struct NoResponse {
    /// What the guest hears.
    pub code: ErrorCode,
    /// The address that the remit would have to name.
    pub prohibited: Option<IpAddr>,
    /// Whether any of the request may have reached the other side.
    pub is_sent: bool,
    /// What happened and whose fault it is, for the operator, where the code does not say all.
    pub why: Option<String>,
}

impl NoResponse {
    /// Returns a failure that no grant would have prevented, of a request that may have been sent.
    pub fn of(code: ErrorCode) -> Self {
        Self { code, prohibited: None, is_sent: true, why: None }
    }

    /// Returns the failure of a request that was not sent.
    #[must_use]
    pub fn unsent(self) -> Self {
        Self { is_sent: false, ..self }
    }

    /// Returns the failure of a request to an address that the remit would have to name.
    pub fn prohibited(address: IpAddr) -> Self {
        Self { prohibited: Some(address), ..Self::of(ErrorCode::DestinationIpProhibited).unsent() }
    }
}
