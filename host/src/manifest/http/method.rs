//! HTTP methods, and what a request by each may do at the far side.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::super::name::checked_text;
use super::super::section::Malformed;

/// Bytes in a [`Method`].
const METHOD_LEN_MAX: usize = 32;

/// An HTTP method in upper case, such as `GET`.
///
/// `CONNECT` and `TRACE` are none: one opens a tunnel that no scope sees into, the other sends secrets back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Method(String);
checked_text!(Method);

impl Method {
    /// Returns the effect class that a request has where nobody says otherwise (RFC 9110, section 9.2).
    pub fn class(&self) -> RemoteClass {
        match self.0.as_str() {
            "GET" | "HEAD" => RemoteClass::ReadRemote,
            "PUT" | "DELETE" => RemoteClass::WriteIdempotent,
            _ => RemoteClass::WriteOnce,
        }
    }

    /// Returns the class at a far side that, or that does not, honour our idempotency key.
    pub fn class_where(&self, idempotent: bool) -> RemoteClass {
        let most = if idempotent { RemoteClass::WriteIdempotent } else { RemoteClass::WriteOnce };
        self.class().min(most)
    }
}

impl FromStr for Method {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let wrong = Malformed::new(text, "an HTTP method in upper case, such as \"GET\"");
        let shaped = text.bytes().all(|b| b.is_ascii_uppercase() || b == b'-') && text.len() <= METHOD_LEN_MAX;
        match text {
            "CONNECT" | "TRACE" => Err(wrong.hint("this method is never sent: no scope could hold what it does")),
            _ if shaped && text.starts_with(|c: char| c.is_ascii_uppercase()) => Ok(Self(text.to_owned())),
            _ => Err(wrong),
        }
    }
}

/// What a request may do at the far side, least strict first. A subset of the effect classes of host calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemoteClass {
    /// Only asks.
    ReadRemote,
    /// Changes something, and may be sent again with the same idempotency key.
    WriteIdempotent,
    /// Changes something each time it is sent.
    WriteOnce,
}

impl RemoteClass {
    /// Every class, least strict first.
    pub const ALL: [Self; 3] = [Self::ReadRemote, Self::WriteIdempotent, Self::WriteOnce];

    /// Returns the word in a declaration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ReadRemote => "read-remote",
            Self::WriteIdempotent => "write-idempotent",
            Self::WriteOnce => "write-once",
        }
    }
}

impl fmt::Display for RemoteClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_have_classes() {
        for (text, class) in [
            ("GET", Some(RemoteClass::ReadRemote)),
            ("HEAD", Some(RemoteClass::ReadRemote)),
            ("PUT", Some(RemoteClass::WriteIdempotent)),
            ("DELETE", Some(RemoteClass::WriteIdempotent)),
            ("POST", Some(RemoteClass::WriteOnce)),
            ("PATCH", Some(RemoteClass::WriteOnce)),
            ("OPTIONS", Some(RemoteClass::WriteOnce)),
            ("M-SEARCH", Some(RemoteClass::WriteOnce)),
            ("CONNECT", None),
            ("TRACE", None),
            ("get", None),
            ("Get", None),
            ("GE T", None),
            ("GET\r\n", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(text.parse::<Method>().ok().map(|method| method.class()), class, "{text}");
        }
    }
}
