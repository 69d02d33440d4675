//! A provider's way over the network: this host's own sender, to one endpoint, with one key.
//!
//! The operator's configuration names the endpoint, so addresses off the public network are reached where it does: the
//! address itself, this machine for `localhost`, and whatever another name resolves to. The key goes to that endpoint
//! and nowhere else, and is taken out of what comes back. A guest hears what went wrong without the endpoint's address.

use std::sync::Arc;
use std::time::Duration;

use crate::digest::Digest;
use crate::manifest::{Addresses, Block, Host, Place, Slot};
use crate::model::{self, Later, RESPONSE_LEN_MAX, SecretHeader, SendError, WireRequest, WireResponse};
use crate::net::{self, ExchangeError, Failure, Partition};
use crate::scope::{HttpTarget, Remit};
use crate::secret::scrub::TooMany;
use crate::secret::{Prefix, Scrubber, Secret};

/// The most bytes of a request: the longest chat, each byte of which JSON may write as six.
const REQUEST_LEN_MAX: usize = 64 << 20;

/// The longest time until connected.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// The longest time of an exchange for which nobody set a deadline.
const EXCHANGE_TIME: Duration = Duration::from_secs(600);

/// Returns whose connections they are: those of a plugin under a remit, apart from its own requests.
pub fn partition(identity: &str, remit: &Remit) -> Partition {
    let parts = [b"remit model connections v1\0", identity.as_bytes(), b"\0", &remit.canonical()];
    Partition::new(*Digest::of_parts(&parts).as_bytes())
}

/// What carries requests to one provider.
pub struct Remote {
    sender: Arc<net::Sender>,
    partition: Partition,
    endpoint: Place,
    key: Option<Arc<Secret>>,
    scrubber: Scrubber,
}

impl Remote {
    /// Returns what reaches `endpoint`, and everything below it, through `sender`. `key` is the provider's, where it has
    /// one.
    ///
    /// # Errors
    ///
    /// [`TooMany`] when the key is too large to be looked for in answers.
    pub fn new(
        sender: Arc<net::Sender>,
        partition: Partition,
        endpoint: Place,
        key: Option<Arc<Secret>>,
    ) -> Result<Self, TooMany> {
        let scrubber = Scrubber::new(key.as_deref())?;
        Ok(Self { sender, partition, endpoint, key, scrubber })
    }

    /// Returns what finds the key.
    pub(super) fn scrubber(&self) -> &Scrubber {
        &self.scrubber
    }
}

impl model::Sender for Remote {
    fn send(&self, request: WireRequest, timeout: Option<Duration>) -> Later<'_, Result<WireResponse, SendError>> {
        Box::pin(async move {
            let target = self.target(&request)?;
            let inject = request.secret.as_ref().map(|header| self.inject(header)).transpose()?;
            let terms = self.terms(&target, inject.into_iter().collect(), timeout.unwrap_or(EXCHANGE_TIME));
            let headers = request.headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes()));
            let plain = [("accept-encoding".to_owned(), b"identity".to_vec())];
            let request = net::Request { target, headers: headers.chain(plain).collect(), body: request.body.into() };
            match self.sender.exchange(&request, &terms).await {
                Ok(response) => self.received(response),
                Err(failure) => Err(failed(&failure)),
            }
        })
    }
}

impl Remote {
    /// Returns where the request goes, which is nowhere but to the endpoint.
    fn target(&self, request: &WireRequest) -> Result<HttpTarget, SendError> {
        let refused = || SendError::Refused("this host cannot send to the address that it is configured with".into());
        let (scheme, rest) = request.url.split_once("://").ok_or_else(refused)?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let target = HttpTarget::parse(request.method, scheme, authority, path).map_err(|_| refused())?;
        if self.endpoint.covers(&target.place()) { Ok(target) } else { Err(refused()) }
    }

    fn inject(&self, header: &SecretHeader) -> Result<net::Inject, SendError> {
        let missing = || SendError::Refused("this host has no key for it".into());
        let unusable = |_| SendError::Refused("this host cannot send the key".into());
        let secret = self.key.clone().ok_or_else(missing)?;
        let prefix: Prefix = header.prefix.parse().map_err(unusable)?;
        Ok(net::Inject { slot: Slot::Header(header.header.to_owned()), prefix, secret })
    }

    fn terms(&self, target: &HttpTarget, inject: Vec<net::Inject>, time: Duration) -> net::Terms {
        let caps = net::Caps { request_body: REQUEST_LEN_MAX, response_body: RESPONSE_LEN_MAX, ..net::Caps::default() };
        let connect = time.min(CONNECT_TIME);
        let deadlines = net::Deadlines { connect, first_byte: time, between_bytes: time, whole: time };
        net::Terms { addresses: addresses(target.host()), caps, deadlines, inject, ..net::Terms::new(self.partition) }
    }

    fn received(&self, response: net::Response) -> Result<WireResponse, SendError> {
        let field = |wanted: &str| {
            let found = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| String::from_utf8_lossy(&self.scrubber.bytes(value)).into_owned())
        };
        if field("content-encoding").is_some_and(|coding| !coding.trim().eq_ignore_ascii_case("identity")) {
            return Err(SendError::Garbled("its answer is compressed, which nobody asked for".into()));
        }
        let kind = field("content-type").map(|kind| ("content-type".to_owned(), kind));
        let wait = response.retry_after.map(|wait| ("retry-after".to_owned(), wait.as_secs().to_string()));
        let body = self.scrubber.bytes(&response.body).into_owned();
        Ok(WireResponse { status: response.status, headers: kind.into_iter().chain(wait).collect(), body })
    }
}

/// Returns the special addresses that an operator means who names this host.
fn addresses(host: &Host) -> Addresses {
    match host {
        Host::Address(address) => Addresses::new(vec![Block::of(*address)]),
        Host::Name(name) if name == "localhost" => Addresses::loopback(),
        Host::Name(_) => Addresses::every(),
    }
}

/// Returns what became of a failed exchange: its code, and for whoever runs this host all of it.
fn failed(failure: &Failure) -> SendError {
    tracing::warn!("model provider {failure}");
    let code = failure.error.code().replace('-', " ");
    match &failure.error {
        ExchangeError::HeldBack { wait, .. } => SendError::HeldBack(*wait),
        ExchangeError::ResponseBodySize { .. } => SendError::TooLarge,
        ExchangeError::ResponseTimeout | ExchangeError::ConnectionReadTimeout => SendError::Deadline,
        ExchangeError::ResponseHeaderSectionSize { .. }
        | ExchangeError::ResponseTrailerSectionSize { .. }
        | ExchangeError::ResponseTransferCoding
        | ExchangeError::UpgradeFailed
        | ExchangeError::ProtocolError => SendError::Garbled(code),
        ExchangeError::DestinationIpProhibited { .. }
        | ExchangeError::TlsProtocolError { .. }
        | ExchangeError::TlsCertificateError { .. }
        | ExchangeError::ConfigurationError { .. }
        | ExchangeError::BadInjection { .. }
        | ExchangeError::HeaderForbidden { .. }
        | ExchangeError::RequestHeaderInvalid { .. }
        | ExchangeError::RequestHeaderSize { .. }
        | ExchangeError::RequestBodySize { .. }
        | ExchangeError::RequestBodyLength { .. }
        | ExchangeError::Unsendable { .. } => SendError::Refused(code),
        _ if failure.is_sent => SendError::Interrupted(code),
        _ => SendError::Unreachable(code),
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::net::{ExtraRoots, Options, Sender};
    use crate::time::{Clock, Timestamp};

    fn remote(key: Option<&str>) -> Remote {
        let clock = Clock::fixed(Timestamp::default());
        let sender = Arc::new(Sender::new(Options::system(ExtraRoots::default(), clock)));
        let key = key.map(|key| Arc::new(Secret::new(Zeroizing::new(key.into())).unwrap()));
        let endpoint = "https://api.example.com/v1/".parse().unwrap();
        Remote::new(sender, Partition::new([7; 32]), endpoint, key).unwrap()
    }

    fn request(url: &str) -> WireRequest {
        let secret = Some(SecretHeader { header: "x-api-key", prefix: "", secret: "key".parse().unwrap() });
        WireRequest { method: "POST", url: url.into(), headers: Vec::new(), secret, body: Vec::new() }
    }

    #[test]
    fn a_request_goes_to_the_endpoint_and_nowhere_else() {
        let remote = remote(Some("key-of-the-vendor"));
        assert!(remote.target(&request("https://api.example.com/v1/messages")).is_ok());
        for elsewhere in [
            "http://api.example.com/v1/messages",
            "https://api.example.com:8443/v1/messages",
            "https://api.example.com.evil.example/v1/messages",
            "https://api.example.com@evil.example/v1/messages",
            "https://api.example.com/v2/messages",
            "https://api.example.com/v1/../v2/messages",
            "scripted:chat",
        ] {
            assert!(matches!(remote.target(&request(elsewhere)), Err(SendError::Refused(_))), "{elsewhere}");
        }
    }

    #[test]
    fn without_its_key_nothing_is_sent() {
        let header = request("").secret.unwrap();
        assert!(matches!(remote(None).inject(&header), Err(SendError::Refused(_))));
        let inject = remote(Some("key-of-the-vendor")).inject(&header).unwrap();
        assert!(!format!("{inject:?}").contains("vendor"));
    }

    #[test]
    fn the_operators_word_opens_the_addresses_of_that_host_alone() {
        let check = |host: &str, open: &[&str], shut: &[&str]| {
            let named = addresses(&host.parse().unwrap());
            let is_open = |address: &&str| net::check(address.parse().unwrap(), &named).is_ok();
            assert!(open.iter().all(is_open), "{host}");
            assert!(!shut.iter().any(is_open), "{host}");
        };
        check("10.1.2.3", &["10.1.2.3", "93.184.216.34"], &["10.1.2.4", "127.0.0.1"]);
        check("localhost", &["127.0.0.1", "::1"], &["10.1.2.3", "169.254.169.254"]);
        check("llm.corp.example", &["10.1.2.3", "100.64.0.1"], &["169.254.169.254", "224.0.0.1", "0.0.0.0"]);
    }
}
