//! Recording the values of `wasi:http`, case by case in WIT order, and whole messages.

use serde_json::{Value as Json, json};

use super::message::{Request, Response};
use super::types::{
    DnsErrorPayload, ErrorCode, FieldSizePayload, HeaderError, Method, Scheme, TlsAlertReceivedPayload,
};
use crate::capability::wasi::values::{carries, enumeration, kebab, one_of, record, variant};
use crate::gate::Value;
use crate::gate::value::{Malformed, Mismatch, case_of, fields_of, put_uint};
use crate::net::Bytes;
use crate::scope::HttpTarget;

variant!(Method {
    0 Get,
    1 Head,
    2 Post,
    3 Put,
    4 Delete,
    5 Connect,
    6 Options,
    7 Trace,
    8 Patch,
    9 Other(method),
});
variant!(Scheme { 0 Http, 1 Https, 2 Other(scheme) });
enumeration!(HeaderError { InvalidSyntax, Forbidden, Immutable });
record!(DnsErrorPayload { rcode as "rcode", info_code as "info-code" });
record!(TlsAlertReceivedPayload { alert_id as "alert-id", alert_message as "alert-message" });
record!(FieldSizePayload { field_name as "field-name", field_size as "field-size" });
variant!(ErrorCode {
    0 DnsTimeout,
    1 DnsError(payload),
    2 DestinationNotFound,
    3 DestinationUnavailable,
    4 DestinationIpProhibited,
    5 DestinationIpUnroutable,
    6 ConnectionRefused,
    7 ConnectionTerminated,
    8 ConnectionTimeout,
    9 ConnectionReadTimeout,
    10 ConnectionWriteTimeout,
    11 ConnectionLimitReached,
    12 TlsProtocolError,
    13 TlsCertificateError,
    14 TlsAlertReceived(payload),
    15 HttpRequestDenied,
    16 HttpRequestLengthRequired,
    17 HttpRequestBodySize(size),
    18 HttpRequestMethodInvalid,
    19 HttpRequestUriInvalid,
    20 HttpRequestUriTooLong,
    21 HttpRequestHeaderSectionSize(size),
    22 HttpRequestHeaderSize(payload),
    23 HttpRequestTrailerSectionSize(size),
    24 HttpRequestTrailerSize(payload),
    25 HttpResponseIncomplete,
    26 HttpResponseHeaderSectionSize(size),
    27 HttpResponseHeaderSize(payload),
    28 HttpResponseBodySize(size),
    29 HttpResponseTrailerSectionSize(size),
    30 HttpResponseTrailerSize(payload),
    31 HttpResponseTransferCoding(coding),
    32 HttpResponseContentCoding(coding),
    33 HttpResponseTimeout,
    34 HttpUpgradeFailed,
    35 HttpProtocolError,
    36 LoopDetected,
    37 ConfigurationError,
    38 InternalError(message),
});

/// In normal form, which is read back as it is.
impl Value for HttpTarget {
    fn encode(&self, out: &mut Vec<u8>) {
        for word in [self.method().as_str(), self.scheme().word()] {
            word.to_owned().encode(out);
        }
        self.authority().encode(out);
        self.path_with_query().encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        let [method, scheme, authority, path_with_query] = {
            let mut word = || String::decode(input);
            [word()?, word()?, word()?, word()?]
        };
        Self::parse(&method, &scheme, &authority, &path_with_query).map_err(|_| Malformed)
    }

    fn json(&self) -> Json {
        let url = format!("{}://{}{}", self.scheme().word(), self.authority(), self.path_with_query());
        json!({ "method": self.method().as_str(), "url": url })
    }
}

/// As a list of bytes.
impl Value for Bytes {
    fn encode(&self, out: &mut Vec<u8>) {
        put_uint(self.len() as u64, out);
        u8::encode_all(self, out);
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        Vec::decode(input).map(Self::from)
    }

    fn json(&self) -> Json {
        u8::json_all(self)
    }

    fn from_json(json: &Json) -> Result<Self, Mismatch> {
        u8::all_from_json(json).map(Self::from)
    }
}

record!(Request {
    target as "target",
    headers as "headers",
    body as "body",
    connect_timeout as "connect-timeout",
    first_byte_timeout as "first-byte-timeout",
    between_bytes_timeout as "between-bytes-timeout",
});
record!(Response { status as "status", headers as "headers", body as "body", trailers as "trailers" });
