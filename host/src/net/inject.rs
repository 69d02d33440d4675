//! What the host adds to a request on its way out, and nobody else sees: secrets in header and query fields.

use std::sync::Arc;

use hyper::header::{HeaderName, HeaderValue};

use super::error::ExchangeError;
use super::fields;
use crate::manifest::Slot;
use crate::secret::{Prefix, Secret};

/// A field that the host fills. What the guest put there is dropped. Printing it shows no secret.
#[derive(Clone, Debug)]
pub struct Inject {
    /// Which header, or which field of the query.
    pub slot: Slot,
    /// What stands before the secret.
    pub prefix: Prefix,
    /// The secret.
    pub secret: Arc<Secret>,
}

impl Inject {
    /// Returns the header to set; nothing when this is none.
    pub(super) fn header(&self) -> Result<Option<(HeaderName, HeaderValue)>, ExchangeError> {
        let Slot::Header(name) = &self.slot else { return Ok(None) };
        let unusable = |reason| ExchangeError::BadInjection { field: name.clone(), reason };
        let header = HeaderName::try_from(name.as_str()).map_err(|_| unusable("is no header name"))?;
        if fields::is_ours(&header) {
            return Err(unusable("is a header that the connection itself needs"));
        }
        let value = HeaderValue::from_bytes(&self.prefix.before(&self.secret));
        let mut value = value.map_err(|_| unusable("is bound to a secret that no header can hold"))?;
        value.set_sensitive(true);
        Ok(Some((header, value)))
    }
}

/// Returns the path and query with the fields that the host fills.
pub(super) fn fill_query(target: String, injects: &[Inject]) -> String {
    let fields: Vec<_> = injects.iter().filter_map(|inject| Some((query_field(inject)?, inject))).collect();
    if fields.is_empty() {
        return target;
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let is_filled = |pair: &str| {
        let name = decode(pair.split('=').next().unwrap_or(pair));
        fields.iter().any(|(filled, _)| filled.as_bytes() == name)
    };
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !is_filled(pair)).map(str::to_owned);
    let value = |inject: &Inject| encode(&inject.prefix.before(&inject.secret));
    let added = fields.iter().map(|(name, inject)| format!("{}={}", encode(name.as_bytes()), value(inject)));
    format!("{path}?{}", kept.chain(added).collect::<Vec<_>>().join("&"))
}

fn query_field(inject: &Inject) -> Option<&str> {
    match &inject.slot {
        Slot::Query(name) => Some(name),
        Slot::Header(_) => None,
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

    fn query(name: &str, prefix: &str, secret: &str) -> Inject {
        let secret = Arc::new(Secret::new(zeroize::Zeroizing::new(secret.into())).unwrap());
        Inject { slot: Slot::Query(name.to_owned()), prefix: prefix.parse().unwrap(), secret }
    }

    #[test]
    fn a_query_field_is_filled_once() {
        let check = |target: &str, expected: &str| {
            let filled = fill_query(target.to_owned(), &[query("k y", "a b&c=", "hunter/2")]);
            assert_eq!(filled, expected, "{target}");
        };
        let filled = "k%20y=a%20b%26c%3Dhunter%2F2";
        check("/p", &format!("/p?{filled}"));
        check("/p?", &format!("/p?{filled}"));
        check("/p?x=1&&y", &format!("/p?x=1&y&{filled}"));
        check("/p?k+y=guest&x=1&k%20y&%6b%20y=2", &format!("/p?x=1&{filled}"));
        check("/p?k%2=1&k%zz", &format!("/p?k%2=1&k%zz&{filled}"));
    }

    #[test]
    fn nothing_to_fill_leaves_the_target() {
        let header = Inject { slot: Slot::Header("authorization".to_owned()), ..query("", "", "hunter-2") };
        assert_eq!(fill_query("/p?a=1".to_owned(), &[header]), "/p?a=1");
    }

    #[test]
    fn a_secret_is_not_printed() {
        let printed = format!("{:?}", query("key", "", "hunter-2"));
        assert!(printed.contains("key") && !printed.contains("hunter"), "{printed}");
    }
}
