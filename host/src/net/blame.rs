//! What to make of an error: its code in `wasi:http`, whose fault it is, and what to try.

use super::error::{Blame, ExchangeError, Failure, HeldBackBy};

impl Failure {
    /// Returns whose fault it is.
    pub fn blame(&self) -> Blame {
        self.error.blame()
    }

    /// Returns what to try.
    pub fn hint(&self) -> &'static str {
        self.error.hint()
    }
}

impl ExchangeError {
    /// Returns the name of the `error-code` of `wasi:http/types@0.2` that tells a guest.
    pub fn code(&self) -> &'static str {
        match self {
            Self::DnsTimeout => "DNS-timeout",
            Self::DnsError { .. } => "DNS-error",
            Self::DestinationNotFound => "destination-not-found",
            Self::DestinationUnavailable { .. } => "destination-unavailable",
            Self::DestinationIpProhibited { .. } => "destination-IP-prohibited",
            Self::ConnectionRefused { .. } => "connection-refused",
            Self::ConnectionTerminated => "connection-terminated",
            Self::ConnectionTimeout => "connection-timeout",
            Self::ConnectionReadTimeout => "connection-read-timeout",
            Self::ConnectionLimitReached | Self::HeldBack { .. } => "connection-limit-reached",
            Self::TlsProtocolError { .. } => "TLS-protocol-error",
            Self::TlsCertificateError { .. } => "TLS-certificate-error",
            Self::TlsAlertReceived { .. } => "TLS-alert-received",
            Self::ConfigurationError { .. } | Self::BadInjection { .. } => "configuration-error",
            Self::RequestHeaderInvalid { .. } | Self::HeaderForbidden { .. } => "HTTP-request-header-size",
            Self::RequestHeaderSize { .. } => "HTTP-request-header-section-size",
            Self::RequestBodySize { .. } | Self::RequestBodyLength { .. } => "HTTP-request-body-size",
            Self::ResponseIncomplete => "HTTP-response-incomplete",
            Self::ResponseHeaderSectionSize { .. } => "HTTP-response-header-section-size",
            Self::ResponseTrailerSectionSize { .. } => "HTTP-response-trailer-section-size",
            Self::ResponseBodySize { .. } => "HTTP-response-body-size",
            Self::ResponseTransferCoding => "HTTP-response-transfer-coding",
            Self::ResponseTimeout => "HTTP-response-timeout",
            Self::UpgradeFailed => "HTTP-upgrade-failed",
            Self::ProtocolError => "HTTP-protocol-error",
            Self::Unsendable { .. } | Self::InternalError { .. } => "internal-error",
        }
    }

    /// Returns whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::HeaderForbidden { .. }
            | Self::RequestHeaderInvalid { .. }
            | Self::RequestHeaderSize { .. }
            | Self::RequestBodyLength { .. } => Blame::Guest,
            Self::DestinationIpProhibited { .. }
            | Self::RequestBodySize { .. }
            | Self::ResponseHeaderSectionSize { .. }
            | Self::ResponseTrailerSectionSize { .. }
            | Self::ResponseBodySize { .. }
            | Self::HeldBack { why: HeldBackBy::RateLimit, .. } => Blame::Grant,
            Self::DnsTimeout
            | Self::DnsError { .. }
            | Self::DestinationNotFound
            | Self::DestinationUnavailable { .. }
            | Self::ConnectionTimeout => Blame::Network,
            Self::ConnectionRefused { .. }
            | Self::ConnectionTerminated
            | Self::ConnectionReadTimeout
            | Self::TlsProtocolError { .. }
            | Self::TlsCertificateError { .. }
            | Self::TlsAlertReceived { .. }
            | Self::HeldBack { why: HeldBackBy::Server, .. }
            | Self::ResponseIncomplete
            | Self::ResponseTransferCoding
            | Self::ResponseTimeout
            | Self::UpgradeFailed
            | Self::ProtocolError => Blame::Server,
            Self::ConnectionLimitReached
            | Self::ConfigurationError { .. }
            | Self::BadInjection { .. }
            | Self::Unsendable { .. }
            | Self::InternalError { .. } => Blame::Host,
        }
    }

    /// Returns what to try.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::DnsTimeout | Self::DnsError { .. } => "check this host's resolver, and try again",
            Self::DestinationNotFound => "check the host's spelling",
            Self::DestinationUnavailable { .. } => "check this host's network",
            Self::DestinationIpProhibited { .. } => "if it is meant, have the grant name the address or its network",
            Self::ConnectionRefused { .. } => "check the port, and that the server runs",
            Self::ConnectionTerminated | Self::ResponseIncomplete => "try again if the request may be sent twice",
            Self::ConnectionTimeout => "check that the server can be reached from here, or grant a longer connect time",
            Self::ConnectionReadTimeout | Self::ResponseTimeout => "try again later, or grant a longer time",
            Self::ConnectionLimitReached => "try again when others are done",
            Self::TlsProtocolError { .. } | Self::TlsAlertReceived { .. } => {
                "check that the port speaks TLS 1.2 or 1.3"
            }
            Self::TlsCertificateError { .. } => "if the server is yours, add its root to this host's extra roots",
            Self::ConfigurationError { .. } => "install the system's certificates, or add extra roots",
            Self::BadInjection { .. } => "bind the secret to another field, or store it again",
            Self::HeldBack { .. } => "try again after that time",
            Self::HeaderForbidden { .. } => "leave the header out",
            Self::RequestHeaderInvalid { .. } => "send a name of letters, digits and -, and a value of one line",
            Self::RequestHeaderSize { .. } => "send fewer or shorter headers and fields",
            Self::RequestBodySize { .. } => "send less at once, or have the grant allow a larger body",
            Self::RequestBodyLength { .. } => "leave content-length out",
            Self::ResponseHeaderSectionSize { .. } | Self::ResponseTrailerSectionSize { .. } => {
                "have the grant allow larger headers"
            }
            Self::ResponseBodySize { .. } => "ask for less at once, or have the grant allow a larger body",
            Self::ResponseTransferCoding | Self::UpgradeFailed | Self::ProtocolError => {
                "check that the port speaks HTTP/1.1; tell whoever runs the server"
            }
            Self::Unsendable { .. } | Self::InternalError { .. } => "see this host's log",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::address::Special;
    use super::*;

    /// The cases of `error-code` in wasi:http/types@0.2 that an exchange can end with.
    const CODES: &[&str] = &[
        "DNS-timeout",
        "DNS-error",
        "destination-not-found",
        "destination-unavailable",
        "destination-IP-prohibited",
        "connection-refused",
        "connection-terminated",
        "connection-timeout",
        "connection-read-timeout",
        "connection-limit-reached",
        "TLS-protocol-error",
        "TLS-certificate-error",
        "TLS-alert-received",
        "HTTP-request-body-size",
        "HTTP-request-header-section-size",
        "HTTP-request-header-size",
        "HTTP-response-incomplete",
        "HTTP-response-header-section-size",
        "HTTP-response-body-size",
        "HTTP-response-trailer-section-size",
        "HTTP-response-transfer-coding",
        "HTTP-response-timeout",
        "HTTP-upgrade-failed",
        "HTTP-protocol-error",
        "configuration-error",
        "internal-error",
    ];

    #[test]
    fn an_error_says_what_whose_and_what_to_try() {
        let check = |error: ExchangeError, says: &str, blame: Blame| {
            assert_eq!((error.to_string().as_str(), error.blame()), (says, blame));
            assert!(CODES.contains(&error.code()), "{error}");
            assert!(error.hint().starts_with(char::is_lowercase) && !error.hint().ends_with('.'), "{error}");
        };
        let address = "10.0.0.1".parse().unwrap();
        let special = Special::Private;
        let prohibited = ExchangeError::DestinationIpProhibited { address, special };
        check(prohibited, "address 10.0.0.1 is private, and the grant does not name it", Blame::Grant);
        let wait = Duration::from_millis(1_001);
        let held = ExchangeError::HeldBack { wait, why: HeldBackBy::RateLimit };
        check(held, "the granted rate is used up: 2 s to wait", Blame::Grant);
        let expired = ExchangeError::TlsCertificateError { reason: "has expired" };
        check(expired, "the server's certificate has expired", Blame::Server);
        check(ExchangeError::DestinationNotFound, "no such host", Blame::Network);
        let forbidden = ExchangeError::HeaderForbidden { name: "TE\n".to_owned() };
        check(forbidden, "header \"TE\\n\" is set by the host alone", Blame::Guest);
        let field = "authorization".to_owned();
        let injection = ExchangeError::BadInjection { field, reason: "is no header name" };
        check(injection, "injected field \"authorization\" is no header name", Blame::Host);
    }
}
