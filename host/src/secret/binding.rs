//! What a secret may be used for: by which plugin, towards where, and in which place of the request.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Secret;
use crate::manifest::{Host, HostPattern, Malformed, Place, Scheme, Slot};

/// One use of a secret that the operator allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// The identity of the plugin with whose requests it goes.
    pub plugin: String,
    /// Where those requests go.
    pub place: Place,
    /// The header or the query field that it is put into.
    pub slot: Slot,
    /// What stands there before it.
    #[serde(default, skip_serializing_if = "Prefix::is_empty")]
    pub prefix: Prefix,
}

impl Binding {
    /// Returns what the slot holds with `secret` in it: prefix and secret, with nothing escaped.
    pub fn value(&self, secret: &Secret) -> Zeroizing<Vec<u8>> {
        self.prefix.before(secret)
    }

    /// Tells whether some request would need a value of both in one slot.
    pub(super) fn collides_with(&self, other: &Self) -> bool {
        self.plugin == other.plugin && self.slot == other.slot && self.place.intersect(&other.place).is_some()
    }
}

/// Tells whether what is sent to `place` can be read on the way: it is plain HTTP, and not to this machine.
pub fn is_exposed(place: &Place) -> bool {
    let is_here = match &place.host {
        HostPattern::Exact(Host::Name(name)) => name == "localhost",
        HostPattern::Exact(Host::Address(address)) => address.is_loopback(),
        HostPattern::Below(_) => false,
    };
    place.scheme == Scheme::Http && !is_here
}

/// What stands before a secret, such as `Bearer `: at most 128 visible ASCII characters and spaces, not beginning with
/// a space.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Prefix(String);

impl Prefix {
    /// Bytes in a prefix.
    pub const LEN_MAX: usize = 128;

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what a field holds: the prefix and the secret, with nothing escaped.
    pub fn before(&self, secret: &Secret) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([self.0.as_bytes(), secret.expose()].concat())
    }

    /// Tells whether nothing stands before the secret.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Prefix {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let is_shown = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if is_shown && text.len() <= Self::LEN_MAX && !text.starts_with(' ') {
            return Ok(Self(text.to_owned()));
        }
        let found = format!("{:?}", text.chars().take(48).collect::<String>());
        let expected = "at most 128 visible ASCII characters and spaces, such as \"Bearer \"".to_owned();
        Err(Malformed { found, expected, hint: None })
    }
}

impl From<Prefix> for String {
    fn from(prefix: Prefix) -> Self {
        prefix.0
    }
}

impl TryFrom<String> for Prefix {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_cannot_begin_another_header() {
        for text in ["", "Bearer ", "token=", "Token token=\"", &"x".repeat(128)] {
            assert_eq!(text.parse::<Prefix>().unwrap().as_str(), text);
        }
        for text in [" Bearer", "Bearer\r\n", "\t", "\0", "\u{e9}", &"x".repeat(129)] {
            assert!(text.parse::<Prefix>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_others_can_read_on_the_way_is_known() {
        for (url, exposed) in [
            ("http://example.com", true),
            ("http://10.0.0.1", true),
            ("http://*.localhost", true),
            ("http://127.0.0.53:1", false),
            ("http://[::1]:1", false),
            ("http://localhost", false),
            ("https://example.com", false),
        ] {
            assert_eq!(is_exposed(&super::super::tests::place(url)), exposed, "{url}");
        }
    }

    #[test]
    fn the_secret_stands_behind_the_prefix() {
        let secret = Secret::new(Zeroizing::new(b"a+b/c=%7e~".to_vec())).unwrap();
        let binding = Binding {
            plugin: "folder:/x#brief".into(),
            place: super::super::tests::place("https://api.example.com/"),
            slot: "header authorization".parse().unwrap(),
            prefix: "Bearer ".parse().unwrap(),
        };
        assert_eq!(binding.value(&secret).as_slice(), b"Bearer a+b/c=%7e~");
    }
}
