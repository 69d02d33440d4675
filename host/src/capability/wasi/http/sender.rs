//! The way out through this host's sender: what holds for an exchange in its terms, and its errors in `wasi:http`'s.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::message::{Request, Response};
use super::network::{Exchange, Network, NoResponse, Outbound, Terms};
use super::secrets::Secrets;
use super::types::{DnsErrorPayload, ErrorCode, FieldSizePayload, TlsAlertReceivedPayload};
use crate::net::{self, ExchangeError, Partition, Sender};

/// The way out of one run, through the sender that it shares with others.
#[derive(Clone)]
pub struct Through {
    /// What sends.
    pub sender: Arc<Sender>,
    /// Whose connections it uses.
    pub partition: Partition,
    /// What is added on the way, and taken out of what comes back.
    pub secrets: Secrets,
}

impl Network for Through {
    fn send(&self, outbound: Outbound) -> Exchange {
        let Outbound { request: Request { target, mut headers, body, .. }, terms, remit } = outbound;
        let terms = self.terms(&terms, self.secrets.injected(&remit, &target));
        let secrets = self.secrets.clone();
        secrets.open(&mut headers);
        let request = net::Request { target, headers, body };
        let sender = self.sender.clone();
        Box::pin(async move {
            match sender.exchange(&request, &terms).await {
                Ok(response) => secrets.scrub(received(response)),
                Err(failure) => Err(failed(&failure)),
            }
        })
    }
}

impl Through {
    fn terms(&self, terms: &Terms, inject: Vec<net::Inject>) -> net::Terms {
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let per_second = terms.per_second.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        net::Terms {
            addresses: terms.addresses.clone(),
            caps: net::Caps {
                request_body: size(terms.request_size),
                response_header_bytes: size(terms.header_size),
                response_body: size(terms.response_size),
                ..net::Caps::default()
            },
            deadlines: net::Deadlines {
                connect: terms.connect_time,
                first_byte: terms.first_byte_time,
                between_bytes: terms.between_bytes_time,
                whole: terms.exchange_time,
            },
            // As many at once as in a second.
            rate: per_second.and_then(NonZeroU32::new).map(|count| net::RateLimit::per_second(count, count)),
            inject,
            is_repeatable: terms.is_repeatable,
            ..net::Terms::new(self.partition)
        }
    }
}

fn received(response: net::Response) -> Response {
    let net::Response { status, headers, body, trailers, .. } = response;
    Response { status, headers, body: body.into(), trailers }
}

fn failed(failure: &net::Failure) -> NoResponse {
    let net::Failure { error, is_sent, .. } = failure;
    let prohibited = match error {
        ExchangeError::DestinationIpProhibited { address, .. } => Some(*address),
        _ => None,
    };
    let why = prohibited.is_none().then(|| failure.to_string());
    NoResponse { code: code_of(error), prohibited, is_sent: *is_sent, why }
}

/// Returns what the guest hears. [`ExchangeError::code`] names the same.
fn code_of(error: &ExchangeError) -> ErrorCode {
    match error {
        ExchangeError::RequestHeaderInvalid { .. }
        | ExchangeError::RequestHeaderSize { .. }
        | ExchangeError::RequestBodySize { .. }
        | ExchangeError::RequestBodyLength { .. }
        | ExchangeError::HeaderForbidden { .. }
        | ExchangeError::Unsendable { .. }
        | ExchangeError::BadInjection { .. }
        | ExchangeError::ConfigurationError { .. }
        | ExchangeError::InternalError { .. } => code_of_request(error),
        ExchangeError::ResponseIncomplete
        | ExchangeError::ResponseHeaderSectionSize { .. }
        | ExchangeError::ResponseTrailerSectionSize { .. }
        | ExchangeError::ResponseBodySize { .. }
        | ExchangeError::ResponseTransferCoding
        | ExchangeError::ResponseTimeout
        | ExchangeError::UpgradeFailed
        | ExchangeError::ProtocolError => code_of_response(error),
        ExchangeError::DnsTimeout => ErrorCode::DnsTimeout,
        ExchangeError::DnsError { .. } => ErrorCode::DnsError(DnsErrorPayload::default()),
        ExchangeError::DestinationNotFound => ErrorCode::DestinationNotFound,
        ExchangeError::DestinationUnavailable { .. } => ErrorCode::DestinationUnavailable,
        ExchangeError::DestinationIpProhibited { .. } => ErrorCode::DestinationIpProhibited,
        ExchangeError::ConnectionRefused { .. } => ErrorCode::ConnectionRefused,
        ExchangeError::ConnectionTerminated => ErrorCode::ConnectionTerminated,
        ExchangeError::ConnectionTimeout => ErrorCode::ConnectionTimeout,
        ExchangeError::ConnectionReadTimeout => ErrorCode::ConnectionReadTimeout,
        // Not `HTTP-request-denied`, which is the remit's word: later the same request may go.
        ExchangeError::ConnectionLimitReached | ExchangeError::HeldBack { .. } => ErrorCode::ConnectionLimitReached,
        ExchangeError::TlsProtocolError { .. } => ErrorCode::TlsProtocolError,
        ExchangeError::TlsCertificateError { .. } => ErrorCode::TlsCertificateError,
        ExchangeError::TlsAlertReceived { id } => {
            ErrorCode::TlsAlertReceived(TlsAlertReceivedPayload { alert_id: Some(*id), alert_message: None })
        }
    }
}

fn code_of_request(error: &ExchangeError) -> ErrorCode {
    match error {
        ExchangeError::RequestHeaderInvalid { name, .. } | ExchangeError::HeaderForbidden { name } => {
            ErrorCode::HttpRequestHeaderSize(Some(FieldSizePayload {
                field_name: Some(name.clone()),
                field_size: None,
            }))
        }
        ExchangeError::RequestHeaderSize { max } => ErrorCode::HttpRequestHeaderSectionSize(u32::try_from(*max).ok()),
        ExchangeError::RequestBodySize { size, .. } | ExchangeError::RequestBodyLength { len: size } => {
            ErrorCode::HttpRequestBodySize(Some(*size as u64))
        }
        ExchangeError::BadInjection { .. } | ExchangeError::ConfigurationError { .. } => ErrorCode::ConfigurationError,
        _ => ErrorCode::InternalError(None),
    }
}

fn code_of_response(error: &ExchangeError) -> ErrorCode {
    match error {
        ExchangeError::ResponseIncomplete => ErrorCode::HttpResponseIncomplete,
        ExchangeError::ResponseHeaderSectionSize { bytes, .. } => {
            ErrorCode::HttpResponseHeaderSectionSize(u32::try_from(*bytes).ok())
        }
        ExchangeError::ResponseTrailerSectionSize { bytes, .. } => {
            ErrorCode::HttpResponseTrailerSectionSize(u32::try_from(*bytes).ok())
        }
        ExchangeError::ResponseBodySize { max } => ErrorCode::HttpResponseBodySize(Some(*max as u64)),
        ExchangeError::ResponseTransferCoding => ErrorCode::HttpResponseTransferCoding(None),
        ExchangeError::ResponseTimeout => ErrorCode::HttpResponseTimeout,
        ExchangeError::UpgradeFailed => ErrorCode::HttpUpgradeFailed,
        _ => ErrorCode::HttpProtocolError,
    }
}
