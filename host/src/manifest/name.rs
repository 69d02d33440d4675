//! The names and short texts of a declaration. Each is checked once, here; whoever holds one may print it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::errors::is_hidden;
use super::section::Malformed;

/// Gives a newtype over `String` its accessors, `Display` and serde through its own `FromStr`.
macro_rules! checked_text {
    ($name:ident) => {
        impl $name {
            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Malformed;

            fn try_from(text: String) -> Result<Self, Malformed> {
                text.parse()
            }
        }
    };
}
pub(super) use checked_text;

/// The name of a plugin or of something it asks for: `[a-z0-9][a-z0-9-]{0,62}`, a DNS label in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Name(String);
checked_text!(Name);

/// Bytes in a [`Name`].
pub const NAME_LEN_MAX: usize = 63;

impl Name {
    /// Returns the name of a mount of which nothing else can be said.
    pub(super) fn root() -> Self {
        Self("root".to_owned())
    }

    /// Returns the name with `-number` behind it, shortened so that it is still a name.
    pub(super) fn numbered(&self, number: usize) -> Self {
        let suffix = format!("-{number}");
        let kept = self.0.len().min(NAME_LEN_MAX - suffix.len());
        Self(format!("{}{suffix}", &self.0[..kept]))
    }
}

impl FromStr for Name {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let shaped = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if shaped && (1..=NAME_LEN_MAX).contains(&text.len()) && !text.starts_with('-') {
            return Ok(Self(text.to_owned()));
        }
        let expected = "a name of 1 to 63 characters from a-z, 0-9 and -, not beginning with -";
        Err(Malformed::new(text, expected))
    }
}

/// Why a plugin wants a capability, or what it is: one line that a person reads before granting.
///
/// Holds no control characters and no direction overrides, so that a terminal shows what was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Sentence(String);
checked_text!(Sentence);

/// Characters in a `why`.
pub const WHY_LEN_MAX: usize = 200;
/// Characters in a plugin's description.
pub const DESCRIPTION_LEN_MAX: usize = 500;

impl Sentence {
    /// Returns the reason for what nobody asked for and the operator gives.
    pub(super) fn given_by_operator() -> Self {
        Self("given by the operator".to_owned())
    }

    /// Checks a line of at most `max` characters.
    pub(super) fn with_max(text: &str, max: usize) -> Result<Self, Malformed> {
        let fits = text.len() <= max * 4 && text.chars().count() <= max && !text.trim().is_empty();
        if fits && !text.chars().any(is_hidden) {
            return Ok(Self(text.trim().to_owned()));
        }
        Err(Malformed::new(text, format!("one line of 1 to {max} characters, none of them control characters")))
    }
}

impl FromStr for Sentence {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::with_max(text, WHY_LEN_MAX)
    }
}

/// A component's import, as WIT names it: `acme:crm/contacts@1.2.0`, or a plain name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ImportName(String);
checked_text!(ImportName);

/// Bytes in an [`ImportName`].
pub const IMPORT_LEN_MAX: usize = 256;

impl FromStr for ImportName {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.len() <= IMPORT_LEN_MAX && (is_interface(text) || is_word(text)) {
            return Ok(Self(text.to_owned()));
        }
        Err(Malformed::new(text, "an import as WIT names it, such as \"acme:crm/contacts@1.2.0\""))
    }
}

/// Tells whether `text` is `namespace:package/interface` with an optional `@version`.
fn is_interface(text: &str) -> bool {
    let (path, version) = text.split_once('@').map_or((text, None), |(path, version)| (path, Some(version)));
    let Some((package, interface)) = path.split_once('/') else { return false };
    let Some((namespace, package)) = package.split_once(':') else { return false };
    [namespace, package, interface].into_iter().all(is_word)
        && version.is_none_or(|version| semver::Version::parse(version).is_ok())
}

/// Tells whether `text` is a kebab-case word of WIT: parts of letters and digits, each beginning with a letter.
pub(super) fn is_word(text: &str) -> bool {
    text.split('-').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

/// The key of a configuration value that the operator sets: `[A-Za-z_][A-Za-z0-9_.-]{0,127}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ConfigKey(String);
checked_text!(ConfigKey);

impl FromStr for ConfigKey {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let shaped = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        if starts && shaped && text.len() <= 128 {
            return Ok(Self(text.to_owned()));
        }
        Err(Malformed::new(text, "a key of 1 to 128 letters, digits, _, . and -, beginning with a letter or _"))
    }
}

/// The beginning of the kv keys that a scope covers. The empty prefix covers every key of the plugin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct KeyPrefix(String);
checked_text!(KeyPrefix);

/// Bytes in a [`KeyPrefix`].
pub const PREFIX_LEN_MAX: usize = 256;

impl KeyPrefix {
    /// Returns the prefix of every key.
    pub fn every_key() -> Self {
        Self(String::new())
    }

    /// Returns the longest prefix of `key` that can be written in a declaration, whatever a guest put into the key.
    pub fn of_key(key: &str) -> Self {
        let visible = key.find(is_hidden).unwrap_or(key.len());
        Self(key[..key.floor_char_boundary(visible.min(PREFIX_LEN_MAX))].to_owned())
    }

    /// Tells whether every key with the prefix `narrower` also has this one.
    pub fn covers(&self, narrower: &Self) -> bool {
        narrower.0.starts_with(&self.0)
    }
}

impl FromStr for KeyPrefix {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.len() <= PREFIX_LEN_MAX && !text.chars().any(is_hidden) {
            return Ok(Self(text.to_owned()));
        }
        Err(Malformed::new(text, "a key prefix of at most 256 bytes without control characters"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "brief", "0-x", "a--b-", &"n".repeat(63)] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a_b", "a.b", "é", "a/b", "..", "a b", "a\n", &"n".repeat(64)] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }

    #[test]
    fn imports() {
        for good in ["acme:x/y@1.0.0", "acme:x/y", "host-log", "wasi:http/types@0.2.0-rc.1", "a:HTTP-b/c2"] {
            assert!(good.parse::<ImportName>().is_ok(), "{good}");
        }
        for bad in ["", "acme:x", "acme:x/y@1", "acme:x/y@", "a:b:c/d", "a:b/c/d", "x/y", "-a", "a--b", "1a", "a b"] {
            assert!(bad.parse::<ImportName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_sentence_is_one_visible_line() {
        assert_eq!("  keeps what was seen ".parse::<Sentence>().unwrap().as_str(), "keeps what was seen");
        assert!("ü".repeat(200).parse::<Sentence>().is_ok());
        for bad in ["", "  ", "a\nb", "a\tb", "\u{1b}[2Jx", "a\u{202e}b", "a\u{2028}b", "a\u{e0041}", &"x".repeat(201)]
        {
            assert!(bad.parse::<Sentence>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn config_keys_and_prefixes() {
        for (text, good) in
            [("API_URL", true), ("a.b-c", true), ("_x", true), ("", false), ("1a", false), ("a=b", false)]
        {
            assert_eq!(text.parse::<ConfigKey>().is_ok(), good, "{text}");
        }
        for (text, good) in [("", true), ("seen/", true), ("übung ", true), ("a\0", false), ("a\n", false)] {
            assert_eq!(text.parse::<KeyPrefix>().is_ok(), good, "{text}");
        }
    }
}
