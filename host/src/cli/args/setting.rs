//! Small arguments: `--limit`, `--label`, `--key`, and how a run is named.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ed25519_dalek::VerifyingKey;
use serde_json::Value as Json;

use crate::cli::caller;
use crate::digest::Digest;
use crate::id::RunId;
use crate::manifest::{LimitKind, Unit, quantity};

/// Bytes in a label's key, and in its value.
const LABEL_LEN_MAX: usize = 256;

/// `--limit KEY=VALUE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitArg {
    /// Which limit.
    pub kind: LimitKind,
    /// Its value, in the limit's unit, at most what any host accepts.
    pub value: u64,
}

impl fmt::Display for LimitArg {
    /// Prints what parses to the same: `memory=512MiB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.kind.key())?;
        match self.kind.unit() {
            Unit::Bytes => f.write_str(&quantity::exact_size(self.value)),
            Unit::Millis => f.write_str(&quantity::exact_duration(self.value)),
            Unit::Fuel | Unit::Count => write!(f, "{}", self.value),
        }
    }
}

impl FromStr for LimitArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, such as memory=512MiB")?;
        let kind = LimitKind::ALL.into_iter().find(|kind| kind.key() == key).ok_or_else(|| {
            let keys = LimitKind::ALL.map(LimitKind::key).join(", ");
            format!("there is no limit `{key}`; the limits are {keys}")
        })?;
        let value = match kind.unit() {
            Unit::Bytes => quantity::parse_size(value).map_err(|wrong| wrong.to_string())?,
            Unit::Millis => quantity::parse_duration(value).map_err(|wrong| wrong.to_string())?,
            Unit::Fuel | Unit::Count => parse_number(value)?,
        };
        if value > kind.most() {
            return Err(format!("{} is more than any host accepts, which is {}", value, kind.most()));
        }
        Ok(Self { kind, value })
    }
}

/// Reads a whole number, which may have `_` or `,` between its digits.
fn parse_number(text: &str) -> Result<u64, String> {
    let digits: String = text.chars().filter(|c| !matches!(c, '_' | ',')).collect();
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = if all_digits { digits.parse().ok() } else { None };
    number.ok_or_else(|| format!("found {text:?}, expected a whole number"))
}

/// `--connector INTERFACE=PLUGIN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The interface, with or without its version.
    pub interface: String,
    /// The name or the identity of an installed connector.
    pub connector: String,
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected INTERFACE=PLUGIN, such as acme:tracker/issues=tracker";
        let (interface, connector) = text.split_once('=').ok_or(expected)?;
        if !interface.contains('/') || connector.is_empty() {
            return Err(expected.to_owned());
        }
        Ok(Self { interface: interface.to_owned(), connector: connector.to_owned() })
    }
}

/// `--set ENTRY=JSON`.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The entry.
    pub entry: u64,
    /// What is to have been its outcome.
    pub value: Json,
}

impl FromStr for Outcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (entry, value) = text.split_once('=').ok_or("expected ENTRY=JSON, such as 17=[{\"ok\": null}]")?;
        let entry = entry.parse().map_err(|_| format!("found {entry:?}, expected the number of an entry"))?;
        let value = serde_json::from_str(value).map_err(|error| format!("what follows the = is not JSON: {error}"))?;
        Ok(Self { entry, value })
    }
}

/// Bytes in the key of an idempotent start.
const START_KEY_LEN_MAX: usize = 256;

/// Reads `--key` of `remit start`.
///
/// # Errors
/// When it is empty, too long, or has control characters.
pub fn start_key(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > START_KEY_LEN_MAX || text.chars().any(char::is_control) {
        return Err(format!("a key has 1 to {START_KEY_LEN_MAX} bytes, none of them control characters"));
    }
    Ok(text.to_owned())
}

/// `--label KEY=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// What the label says something about. Not empty.
    pub key: String,
    /// What it says.
    pub value: String,
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, such as team=sales")?;
        let readable = |text: &str| text.len() <= LABEL_LEN_MAX && !text.chars().any(char::is_control);
        if key.is_empty() || !readable(key) || !readable(value) {
            return Err(format!(
                "a label has at most {LABEL_LEN_MAX} bytes on each side, none of them control characters"
            ));
        }
        Ok(Self { key: key.to_owned(), value: value.to_owned() })
    }
}

/// How a run is named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunRef {
    /// `last`: the run accepted most recently.
    Last,
    /// The whole id.
    Id(RunId),
    /// The beginning of an id: 1 to 31 hexadecimal digits in lower case.
    Prefix(String),
}

impl RunRef {
    /// Tells whether `id` may be meant; for [`RunRef::Last`] every run may.
    pub fn matches(&self, id: RunId) -> bool {
        match self {
            Self::Last => true,
            Self::Id(whole) => *whole == id,
            Self::Prefix(prefix) => id.to_string().starts_with(prefix),
        }
    }
}

impl std::fmt::Display for RunRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Last => f.write_str("last"),
            Self::Id(id) => id.fmt(f),
            Self::Prefix(prefix) => f.write_str(prefix),
        }
    }
}

impl FromStr for RunRef {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "last" {
            return Ok(Self::Last);
        }
        let digits: String = text.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
        let shaped = (1..=32).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        match digits.parse() {
            _ if !shaped => Err("a run is `last`, or the beginning of its id: 1 to 32 hexadecimal digits"),
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => Ok(Self::Prefix(digits)),
        }
    }
}

/// How a run is named where it is only read: in the home, or by the bundle that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordRef {
    /// A run of the home.
    Run(RunRef),
    /// The file of a bundle.
    Bundle(PathBuf),
}

impl FromStr for RecordRef {
    type Err = &'static str;

    /// What has a separator in it or ends in `.remit` is a file, and so is what can name no run and exists.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_path = text.ends_with(".remit") || text.chars().any(std::path::is_separator);
        match text.parse() {
            Ok(run) if !is_path => Ok(Self::Run(run)),
            Err(_) if !is_path && !caller::path(Path::new(text)).exists() => {
                Err("a run is `last`, or the beginning of its id: 1 to 32 hexadecimal digits; or the file of a bundle")
            }
            _ => Ok(Self::Bundle(text.into())),
        }
    }
}

/// An Ed25519 public key as `remit identity` prints it: `ed25519:` and 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(pub VerifyingKey);

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ed25519:{}", Digest::from_bytes(self.0.to_bytes()))
    }
}

impl FromStr for PublicKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A digest and a key are written the same way: 64 hexadecimal digits.
        let digits = text.strip_prefix("ed25519:").unwrap_or(text).parse::<Digest>();
        let key = digits.ok().and_then(|digits| VerifyingKey::from_bytes(digits.as_bytes()).ok());
        key.map(Self).ok_or("a public key is `ed25519:` and 64 hexadecimal digits, as `remit identity` prints it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_has_the_unit_of_its_kind() {
        for (text, kind, value) in [
            ("memory=512MiB", LimitKind::Memory, 512 << 20),
            ("wall-time=10m", LimitKind::WallTime, 600_000),
            ("fuel=5_000_000", LimitKind::Fuel, 5_000_000),
            ("calls=1,000", LimitKind::Calls, 1_000),
        ] {
            assert_eq!(text.parse(), Ok(LimitArg { kind, value }), "{text}");
        }
        for text in ["memory", "memory=", "memory=x", "wall-time=10", "fuel=-1", "fuel=", "fuel=+1", "speed=1"] {
            assert!(text.parse::<LimitArg>().is_err(), "{text}");
        }
        assert!("memory=8000 GiB".parse::<LimitArg>().is_err());
    }

    #[test]
    fn a_run_is_last_or_a_prefix_or_an_id() {
        let id: RunId = "0192f4a0b1c27def8123456789abcdef".parse().unwrap();
        for text in ["last", "0", "0192F4", "0192f4a0-b1c2", "0192f4a0-b1c2-7def-8123-456789abcdef"] {
            assert!(text.parse::<RunRef>().unwrap().matches(id), "{text}");
        }
        assert_eq!(id.to_string().parse(), Ok(RunRef::Id(id)));
        assert!(!"0193".parse::<RunRef>().unwrap().matches(id));
        for text in ["", "-", "g", "LAST", "é", &"0".repeat(33)] {
            assert!(text.parse::<RunRef>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_record_is_a_run_or_a_file() {
        for text in ["a.remit", "last.remit", "./last", "0192f4/x", "/x"] {
            assert_eq!(text.parse(), Ok(RecordRef::Bundle(text.into())), "{text}");
        }
        for text in ["last", "0192F4"] {
            assert_eq!(text.parse(), Ok(RecordRef::Run(text.parse().unwrap())), "{text}");
        }
        assert!("there-is-no-such-file".parse::<RecordRef>().is_err());
        assert_eq!("Cargo.toml".parse(), Ok(RecordRef::Bundle("Cargo.toml".into())), "it exists");
    }

    #[test]
    fn labels() {
        let label = Label { key: "team".into(), value: "a=b".into() };
        assert_eq!("team=a=b".parse(), Ok(label));
        for text in ["team", "=x", "a\n=x", "a=\u{1b}"] {
            assert!(text.parse::<Label>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_public_key_parses_as_it_prints() {
        let key = PublicKey(ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key());
        assert_eq!(key.to_string().parse(), Ok(key));
        assert_eq!(key.to_string().trim_start_matches("ed25519:").parse(), Ok(key));
        assert!("ed25519:00".parse::<PublicKey>().is_err());
    }
}
