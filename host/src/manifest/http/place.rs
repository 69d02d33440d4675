//! Where a request goes: scheme, host, port and path, as a URL or key by key.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use toml::de::DeValue;

use super::super::capabilities::word;
use super::super::errors::{Fault, Problem, Problems};
use super::super::quantity;
use super::super::section::{Malformed, Node, Section, bad_value, parsed, text, wrong_type};
use super::host::HostPattern;
use super::path::PathPattern;

/// The keys that say where.
pub(in crate::manifest) const PLACE_KEYS: [&str; 6] = ["url", "scheme", "host", "port", "path", "exact"];

/// How the far side is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Without encryption: whoever carries the bytes reads them.
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    /// Every scheme.
    pub const ALL: [Self; 2] = [Self::Http, Self::Https];

    /// Returns the word in a URL.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// Returns the port of a URL that names none.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl FromStr for Scheme {
    type Err = Malformed;

    /// Reads a scheme, which RFC 3986 lets be in any case.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let scheme = Self::ALL.into_iter().find(|scheme| scheme.word().eq_ignore_ascii_case(text));
        scheme.ok_or_else(|| Malformed::new(text, "`http` or `https`"))
    }
}

/// Some places: those of one scheme and port whose host and path fit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The host, or what its name ends with.
    pub host: HostPattern,
    /// The scheme.
    pub scheme: Scheme,
    /// The port, which is never 0.
    pub port: u16,
    /// The path, or what it begins with.
    pub path: PathPattern,
}

impl Place {
    /// Tells whether every place of `narrower` is one of ours.
    pub fn covers(&self, narrower: &Self) -> bool {
        self.scheme == narrower.scheme
            && self.port == narrower.port
            && self.host.covers(&narrower.host)
            && self.path.covers(&narrower.path)
    }

    /// Returns the places that are in both. Two patterns of one kind share something only when one covers the other.
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        if (self.scheme, self.port) != (other.scheme, other.port) {
            return None;
        }
        let host = if self.host.covers(&other.host) { &other.host } else { &self.host };
        let path = if self.path.covers(&other.path) { &other.path } else { &self.path };
        let both = Self { host: host.clone(), path: path.clone(), ..*self };
        (self.covers(&both) && other.covers(&both)).then_some(both)
    }

    /// Returns the keys of a declaration that say this place.
    pub fn to_toml(&self) -> String {
        let exact = if self.path.is_exact_folder() { "exact = true\n" } else { "" };
        let url = format!("{}{}", self.origin(), self.path.path());
        format!("url = {}\n{exact}", toml::Value::from(url))
    }

    fn origin(&self) -> String {
        let port = if self.port == self.scheme.default_port() { String::new() } else { format!(":{}", self.port) };
        format!("{}://{}{port}", self.scheme.word(), self.host)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.path)
    }
}

impl FromStr for Place {
    type Err = Malformed;

    /// Reads a URL: with a final `/`, or without a path, it stands for everything that begins with it.
    fn from_str(url: &str) -> Result<Self, Malformed> {
        read_url(url, false)
    }
}

/// Splits `host:port`, where the port may be absent. The host is not looked at.
///
/// # Errors
///
/// Refuses a port that is not written as a number from 1 to 65535 without leading zeros.
pub fn split_authority(text: &str) -> Result<(&str, Option<u16>), Malformed> {
    let after_brackets = text.rfind(']').map_or(0, |end| end + 1);
    let Some(colon) = text[after_brackets..].find(':').map(|at| at + after_brackets) else { return Ok((text, None)) };
    let (host, digits) = (&text[..colon], &text[colon + 1..]);
    let shaped = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    match digits.parse::<u16>() {
        Ok(port) if shaped => Ok((host, Some(port))),
        _ => Err(Malformed::new(text, "a host, and perhaps `:` and a port from 1 to 65535")),
    }
}

/// Reads the keys that say where a request goes: `url`, or `host` and perhaps `scheme`, `port` and `path`.
pub(in crate::manifest) fn read_place(section: &Section<'_>, problems: &mut Problems) -> Option<Place> {
    let exact = section.optional(problems, "exact", boolean).unwrap_or(false);
    let place = if section.has("url") {
        let others = ["scheme", "host", "port", "path"];
        for key in others.into_iter().filter(|key| section.has(key)) {
            problems.push(said_twice(section, key));
        }
        section.optional(problems, "url", |node| read_url(text(node)?, exact))?
    } else {
        by_keys(section, problems, exact)?
    };
    if section.has("exact") && exact && !place.path.is_exact_folder() {
        let wrong = Malformed {
            found: "true".to_owned(),
            expected: "a path that ends in `/`".to_owned(),
            hint: Some("without a final `/` it is that one path anyway".to_owned()),
        };
        problems.push(bad_value(section.path_of("exact"), wrong, section.span_of("exact")));
    }
    Some(place)
}

fn by_keys(section: &Section<'_>, problems: &mut Problems, exact: bool) -> Option<Place> {
    if !section.has("host") {
        section.report_missing(problems, "url");
    }
    let scheme = section.optional(problems, "scheme", scheme).unwrap_or(Scheme::Https);
    let port = section.optional(problems, "port", port).unwrap_or(scheme.default_port());
    let path = section.optional(problems, "path", |node| PathPattern::new(text(node)?, exact));
    let every = || if exact { PathPattern::only("/") } else { PathPattern::every_path() };
    let host = section.optional(problems, "host", parsed::<HostPattern>)?;
    Some(Place { host, scheme, port, path: path.unwrap_or_else(every) })
}

fn said_twice(section: &Section<'_>, key: &str) -> Problem {
    Problem {
        fault: Fault::Conflict,
        title: format!("`{}`: `url` says this already", section.path_of(key)),
        label: "write either `url` or its parts".to_owned(),
        hint: None,
        span: section.span_of(key),
    }
}

/// Reads `scheme://host[:port][/path]`. Without a path, it is every path.
fn read_url(url: &str, exact: bool) -> Result<Place, Malformed> {
    let wrong = || Malformed::new(url, "a URL such as \"https://api.example.com/v1/\"");
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    if let Some(strange) = rest.find(['?', '#', '\\']) {
        let hint = match rest.as_bytes()[strange] {
            b'\\' => "write `/`: some parsers take `\\` for it, others do not",
            _ => "a scope ends with the path: no query, no fragment",
        };
        return Err(wrong().hint(hint));
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let scheme: Scheme = scheme.parse()?;
    let (host, port) = split_authority(authority)?;
    let path = PathPattern::new(if path.is_empty() { "/" } else { path }, exact)?;
    Ok(Place { host: host.parse()?, scheme, port: port.unwrap_or(scheme.default_port()), path })
}

fn scheme(node: &Node<'_>) -> Result<Scheme, Malformed> {
    word(node, &Scheme::ALL, Scheme::word)
}

pub(in crate::manifest) fn port(node: &Node<'_>) -> Result<u16, Malformed> {
    let expected = "a port from 1 to 65535";
    let port = quantity::number(node).ok().and_then(|number| u16::try_from(number).ok()).filter(|port| *port != 0);
    port.ok_or_else(|| wrong_type(node.get_ref(), expected))
}

pub(crate) fn boolean(node: &Node<'_>) -> Result<bool, Malformed> {
    match node.get_ref() {
        DeValue::Boolean(value) => Ok(*value),
        other => Err(wrong_type(other, "true or false")),
    }
}
