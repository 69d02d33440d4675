//! What the host adds to a request on its way out, and nobody else sees: secrets in header and query fields.

use std::fmt;

use hyper::header::{HeaderName, HeaderValue};

use super::error::ExchangeError;
use super::fields;

/// A secret's bytes. They are not printed, compared or handed out.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Wraps the bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A field that the host fills. What the guest put there is dropped.
#[derive(Clone, Debug)]
pub enum Inject {
    /// A header.
    Header {
        /// Its name.
        name: String,
        /// The whole value, with a prefix such as `Bearer ` in it.
        value: Secret,
    },
    /// A field of the query.
    Query {
        /// Its name, not yet percent-encoded.
        name: String,
        /// Its value, not yet percent-encoded.
        value: Secret,
    },
}

impl Inject {
    /// Returns the header to set; nothing when this is none.
    pub(super) fn header(&self) -> Result<Option<(HeaderName, HeaderValue)>, ExchangeError> {
        let Self::Header { name, value } = self else { return Ok(None) };
        let unusable = |reason| ExchangeError::BadInjection { field: name.clone(), reason };
        let header = HeaderName::try_from(name.as_str()).map_err(|_| unusable("is no header name"))?;
        if fields::is_ours(&header) {
            return Err(unusable("is a header that the connection itself needs"));
        }
        let value = HeaderValue::from_bytes(&value.0);
        let mut value = value.map_err(|_| unusable("is bound to a secret with a control character in it"))?;
        value.set_sensitive(true);
        Ok(Some((header, value)))
    }
}

/// Returns the path and query with the fields that the host fills.
pub(super) fn fill_query(target: String, injects: &[Inject]) -> String {
    let fields: Vec<_> = injects.iter().filter_map(query_field).collect();
    if fields.is_empty() {
        return target;
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let is_filled = |pair: &str| {
        let name = decode(pair.split('=').next().unwrap_or(pair));
        fields.iter().any(|(filled, _)| filled.as_bytes() == name)
    };
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !is_filled(pair)).map(str::to_owned);
    let added = fields.iter().map(|(name, value)| format!("{}={}", encode(name.as_bytes()), encode(&value.0)));
    format!("{path}?{}", kept.chain(added).collect::<Vec<_>>().join("&"))
}

fn query_field(inject: &Inject) -> Option<(&str, &Secret)> {
    match inject {
        Inject::Query { name, value } => Some((name, value)),
        Inject::Header { .. } => None,
    }
}

/// Percent-encodes all but unreserved characters (RFC 3986, section 2.3).
fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(byte.into());
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// Undoes percent-encoding and `+`; what is not well-formed stays.
fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let encoded = match (first, tail) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)).map(|(high, low)| (high << 4) | low),
            _ => None,
        };
        rest = if encoded.is_some() { &tail[2..] } else { tail };
        bytes.push(encoded.unwrap_or(if *first == b'+' { b' ' } else { *first }));
    }
    bytes
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(name: &str, value: &str) -> Inject {
        Inject::Query { name: name.to_owned(), value: Secret::new(value.into()) }
    }

    #[test]
    fn a_query_field_is_filled_once() {
        let check = |target: &str, expected: &str| {
            assert_eq!(fill_query(target.to_owned(), &[query("k y", "a b&c=\u{e9}")]), expected, "{target}");
        };
        let filled = "k%20y=a%20b%26c%3D%C3%A9";
        check("/p", &format!("/p?{filled}"));
        check("/p?", &format!("/p?{filled}"));
        check("/p?x=1&&y", &format!("/p?x=1&y&{filled}"));
        check("/p?k+y=guest&x=1&k%20y&%6b%20y=2", &format!("/p?x=1&{filled}"));
        check("/p?k%2=1&k%zz", &format!("/p?k%2=1&k%zz&{filled}"));
    }

    #[test]
    fn nothing_to_fill_leaves_the_target() {
        let header = Inject::Header { name: "authorization".to_owned(), value: Secret::new(b"x".to_vec()) };
        assert_eq!(fill_query("/p?a=1".to_owned(), &[header]), "/p?a=1");
    }

    #[test]
    fn a_secret_is_not_printed() {
        let printed = format!("{:?}", query("key", "hunter2"));
        assert!(printed.contains("key") && !printed.contains("hunter2"), "{printed}");
    }
}
