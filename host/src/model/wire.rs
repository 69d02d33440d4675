//! The edge to the network: what a provider wants sent, what came back, and who carries it.
//!
//! Providers translate and never send. A [`Sender`] is handed in by whoever has a way out; it alone sees keys.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::Serialize;

use crate::manifest::Name;

/// The longest answer in bytes: a provider, or somebody in its place, that never stops talking.
pub const RESPONSE_LEN_MAX: usize = 16 << 20;

/// A future on the heap, so that the traits can be objects.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One request as HTTP has it. The key is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireRequest {
    /// The method.
    pub method: &'static str,
    /// Where to.
    pub url: String,
    /// Headers, with names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Where the sender puts the key, if the provider wants one.
    pub secret: Option<SecretHeader>,
    /// The body.
    pub body: Vec<u8>,
}

impl WireRequest {
    /// Returns a request that posts JSON.
    pub(super) fn post(url: String, body: &impl Serialize) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { method: "POST", url, headers, secret: None, body: json(body) }
    }
}

/// A placeholder for a header with a key: the sender fills in `prefix` and the secret of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretHeader {
    /// The header's name in lower case.
    pub header: &'static str,
    /// What stands before the secret, such as `Bearer `.
    pub prefix: &'static str,
    /// The operator's name for the secret.
    pub secret: Name,
}

/// One response, read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireResponse {
    /// The status.
    pub status: u16,
    /// Headers, in the order received.
    pub headers: Vec<(String, String)>,
    /// The body, decoded from any transfer coding.
    pub body: Vec<u8>,
}

impl WireResponse {
    /// Returns the value of a header; its name is compared without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether the body is shorter than its header promised. A careful sender has noticed that already.
    pub(super) fn is_short(&self) -> bool {
        let is_coded = self.header("content-encoding").is_some();
        let promised = self.header("content-length").and_then(|value| value.trim().parse::<u64>().ok());
        !is_coded && promised.is_some_and(|promised| promised > self.body.len() as u64)
    }

    /// Whether the body is a stream of events.
    pub(super) fn is_stream(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.trim_start().starts_with("text/event-stream"))
    }
}

/// Why there is no response. The texts say what happened to which host, for a person; they never hold a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Nothing was sent: the name does not resolve, nobody listens, TLS failed.
    #[error("{0}")]
    Unreachable(String),
    /// The connection broke after the request was sent, or the response ended early.
    #[error("{0}")]
    Interrupted(String),
    /// The time given ran out.
    #[error("the time given ran out")]
    Deadline,
    /// The response is longer than [`RESPONSE_LEN_MAX`].
    #[error("the response is longer than {RESPONSE_LEN_MAX} bytes")]
    TooLarge,
    /// Nothing was sent, because the provider asked earlier to be left alone for so long.
    #[error("the provider asked to be left alone")]
    HeldBack(Duration),
    /// What came back is no response that can be read.
    #[error("{0}")]
    Garbled(String),
    /// The host will not send this: the key is missing, the address is not allowed.
    #[error("{0}")]
    Refused(String),
}

/// Carries a request to a provider and brings back the response.
pub trait Sender: Send + Sync {
    /// Sends the request with the secret filled in, follows no redirect, and reads at most [`RESPONSE_LEN_MAX`] bytes
    /// of body to the end, all within `timeout` if there is one.
    fn send(&self, request: WireRequest, timeout: Option<Duration>) -> Later<'_, Result<WireResponse, SendError>>;

    /// Whether what is sent leaves this host, and counts as sent.
    fn reaches_out(&self) -> bool {
        true
    }
}

/// Waits, so that nothing here reads a clock of its own.
pub trait Sleeper: Send + Sync {
    /// Returns after this long.
    fn sleep(&self, time: Duration) -> Later<'_, ()>;
}

/// Returns a value of ours as JSON.
pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts, numbers, and lists and structs of them always have JSON")
}
