//! Hosts as URLs name them, in one spelling each, and the patterns that a scope names them with.
//!
//! What two programs could read as two hosts is refused and not repaired: user information, percent signs, letters
//! outside ASCII, `127.1`, `0x7f.0.0.1`, `2130706433`, an IPv4 address inside an IPv6 one.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::super::section::Malformed;

/// Bytes in a host name (RFC 1035, without the root's dot).
pub const HOST_LEN_MAX: usize = 253;
/// Bytes between two dots.
const LABEL_LEN_MAX: usize = 63;

/// One host: a name in lower case without the root's dot, or an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Host {
    /// A DNS name, which somebody has to resolve.
    Name(String),
    /// An address. IPv6 prints in brackets, as in a URL.
    Address(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl FromStr for Host {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if let Some(inside) = text.strip_prefix('[') {
            return in_brackets(text, inside);
        }
        let wrong = || Malformed::new(text, "a host such as \"api.example.com\"");
        if let Some(hint) = pitfall(text) {
            return Err(wrong().hint(hint));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if name.rsplit('.').next().is_some_and(is_number) {
            let hint = "an IPv4 address is four decimal numbers, such as \"192.0.2.1\"";
            return name.parse().map(|v4| Self::Address(IpAddr::V4(v4))).map_err(|_| wrong().hint(hint));
        }
        if name.len() <= HOST_LEN_MAX && name.split('.').all(is_label) { Ok(Self::Name(name)) } else { Err(wrong()) }
    }
}

/// Reads what begins with `[`: an IPv6 address that is not an IPv4 address in disguise.
fn in_brackets(text: &str, inside: &str) -> Result<Host, Malformed> {
    let wrong = Malformed::new(text, "an IPv6 address in brackets, such as \"[2001:db8::1]\"");
    let Some(address) = inside.strip_suffix(']').and_then(|inside| inside.parse::<Ipv6Addr>().ok()) else {
        return Err(wrong);
    };
    match embedded_v4(address) {
        Some(v4) => Err(wrong.hint(format!("write the IPv4 address, \"{v4}\""))),
        None => Ok(Host::Address(IpAddr::V6(address))),
    }
}

/// Returns the IPv4 address of a mapped (`::ffff:a.b.c.d`) or compatible (`::a.b.c.d`) one.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    address.to_ipv4().filter(|_| !address.is_loopback() && !address.is_unspecified())
}

/// Returns what to say about a host that is wrong in a way people, or attackers, often get it wrong.
fn pitfall(text: &str) -> Option<&'static str> {
    if text.contains('@') {
        return Some("a scope names no user; credentials are `capabilities.secrets`");
    }
    if !text.is_ascii() {
        return Some("write the name in ASCII, as DNS has it (\"xn--…\")");
    }
    text.contains('*').then_some("`*.` stands only at the beginning, and for at least one label")
}

/// Tells whether a URL parser would take the last label for a part of an IPv4 address (WHATWG URL, section 3.5).
fn is_number(label: &str) -> bool {
    let hex = label.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    hex || (!label.is_empty() && label.bytes().all(|b| b.is_ascii_digit()))
}

fn is_label(label: &str) -> bool {
    let shaped = label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
    shaped && (1..=LABEL_LEN_MAX).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
}

/// Some hosts: one, or every name below a domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum HostPattern {
    /// One host.
    Exact(Host),
    /// `*.example.com`: names with at least one label before the domain, and not the domain itself.
    Below(String),
}

impl HostPattern {
    /// Tells whether the pattern stands for `host`.
    pub fn matches(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Exact(ours), theirs) => ours == theirs,
            (Self::Below(domain), Host::Name(name)) => is_below(name, domain),
            (Self::Below(_), Host::Address(_)) => false,
        }
    }

    /// Tells whether every host of `narrower` is one of ours.
    pub fn covers(&self, narrower: &Self) -> bool {
        match (self, narrower) {
            (ours, Self::Exact(host)) => ours.matches(host),
            (Self::Exact(_), Self::Below(_)) => false,
            (Self::Below(ours), Self::Below(theirs)) => ours == theirs || is_below(theirs, ours),
        }
    }
}

fn is_below(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|labels| labels.len() > 1 && labels.ends_with('.'))
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(host) => write!(f, "{host}"),
            Self::Below(domain) => write!(f, "*.{domain}"),
        }
    }
}

impl FromStr for HostPattern {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let Some(domain) = text.strip_prefix("*.") else { return Ok(Self::Exact(text.parse()?)) };
        match domain.parse()? {
            Host::Name(domain) => Ok(Self::Below(domain)),
            Host::Address(_) => Err(Malformed::new(text, "a domain after `*.`: an address has nothing below it")),
        }
    }
}

/// Gives a type with `Display` and `FromStr` its conversions for serde.
macro_rules! by_text {
    ($name:ident) => {
        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::manifest::Malformed;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
    };
}
pub(in crate::manifest) use by_text;
by_text!(Host);
by_text!(HostPattern);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_spelling() {
        for (text, normal) in [
            ("api.example.com", "api.example.com"),
            ("API.Example.COM.", "api.example.com"),
            ("localhost", "localhost"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("_dmarc.example.com", "_dmarc.example.com"),
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1.", "192.0.2.1"),
            ("[2001:DB8:0::1]", "[2001:db8::1]"),
            ("[::1]", "[::1]"),
            ("[::]", "[::]"),
            ("1.example", "1.example"),
        ] {
            assert_eq!(text.parse::<Host>().unwrap().to_string(), normal);
        }
    }

    #[test]
    fn what_could_be_two_hosts_is_none() {
        for (text, says) in [
            ("", ""),
            (".", ""),
            ("a..b", ""),
            ("a.b..", ""),
            ("-a.b", ""),
            ("a b", ""),
            ("a%2eb", ""),
            ("a/b", ""),
            ("a\\b", ""),
            ("a:80", ""),
            ("a\0", ""),
            ("user@a.b", "names no user"),
            ("bücher.example", "xn--"),
            ("example。com", "xn--"),
            ("a.*.b", "at the beginning"),
            ("127.1", "four decimal numbers"),
            ("2130706433", "four decimal numbers"),
            ("0x7f.0.0.1", "four decimal numbers"),
            ("0x7f000001", "four decimal numbers"),
            ("0177.0.0.1", "four decimal numbers"),
            ("127.0.0.0x1", "four decimal numbers"),
            ("1.2.3.4.5", "four decimal numbers"),
            ("256.0.0.1", "four decimal numbers"),
            ("a.1", "four decimal numbers"),
            ("a.0x", "four decimal numbers"),
            ("[::ffff:127.0.0.1]", "write the IPv4 address, \"127.0.0.1\""),
            ("[::7f00:1]", "write the IPv4 address, \"127.0.0.1\""),
            ("[fe80::1%eth0]", ""),
            ("[::1", ""),
            ("[::1]x", ""),
            ("::1", ""),
            (&"a".repeat(64), ""),
            (&"a.".repeat(128), ""),
        ] {
            let wrong = text.parse::<Host>().expect_err(text);
            assert!(wrong.hint.as_deref().unwrap_or_default().contains(says), "{text}: {wrong:?}");
        }
    }

    #[test]
    fn a_pattern_stands_for_at_least_one_label() {
        for (pattern, host, matches) in [
            ("*.example.com", "api.example.com", true),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "badexample.com", false),
            ("*.com", "example.com", true),
            ("example.com", "EXAMPLE.com.", true),
            ("example.com", "api.example.com", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("*.example.com", "192.0.2.1", false),
        ] {
            let pattern: HostPattern = pattern.parse().unwrap();
            assert_eq!(pattern.matches(&host.parse().unwrap()), matches, "{pattern} {host}");
        }
        for bad in ["*", "*.", "*example.com", "*.*.com", "*.192.0.2.1", "a.*", "*.[::1]"] {
            assert!(bad.parse::<HostPattern>().is_err(), "{bad}");
        }
    }
}
