//! The header of a run: everything that was decided before its first instruction. Replay starts from it alone.
//!
//! It is stored as canonical JSON (keys sorted, no spaces), and the chain of the run starts at the hash of those bytes.
//! Fields of newer versions are kept in [`Header::extra`].

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::INLINE_MAX;
use super::error::Error;
use crate::digest::Digest;
use crate::id::RunId;
use crate::time::Timestamp;

/// Everything that was decided before a run's first instruction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// When the run was accepted.
    pub accepted: Timestamp,
    /// In a fork: whether it may have effects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub armed: Option<bool>,
    /// Arguments of a command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// In a connector's run: the call that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Digest of the component.
    pub component: Digest,
    /// In a fork: how many of the parent's entries are its own past.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<u64>,
    /// Fingerprint of the engine: wasmtime's version and configuration.
    pub engine: String,
    /// Fuel between two yields.
    pub fuel_slice: u64,
    /// The grants in force: the names of those that are stored, the text of the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<String>,
    /// Version of the host that accepted the run.
    pub host_version: String,
    /// The input.
    pub input: Payload,
    /// Labels for people and queries.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The limits of the run, as the meter writes them.
    pub limits: Value,
    /// Digest of the manifest's text, kept as a blob.
    pub manifest: Digest,
    /// The operator's folder for each of the remit's files, by name; without those whose path is not text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mounts: BTreeMap<String, String>,
    /// The run this one was forked from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<RunId>,
    /// In a fork: the head of the parent's chain after the segment that holds the last entry of its past.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_head: Option<Digest>,
    /// The plugin that runs.
    pub plugin: Plugin,
    /// Who asked.
    pub principal: String,
    /// Where it stands among queued runs: a higher one goes first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i8,
    /// Digest of the remit's text, kept as a blob.
    pub remit: Digest,
    /// Seed of the run's random numbers.
    #[serde(with = "hex_seed")]
    pub seed: [u8; 32],
    /// Key of an idempotent start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_key: Option<String>,
    /// On whose account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Fields of newer versions.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(priority: &i8) -> bool {
    *priority == 0
}

/// The entry of another run because of which something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The run.
    pub run: RunId,
    /// The number of the entry.
    pub entry: u64,
}

impl fmt::Display for Cause {
    /// Prints `RUN:ENTRY`, as entries name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.run, self.entry)
    }
}

/// The text names no entry of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cause is RUN:ENTRY")]
pub struct NotACause;

impl FromStr for Cause {
    type Err = NotACause;

    fn from_str(text: &str) -> Result<Self, NotACause> {
        let (run, entry) = text.split_once(':').ok_or(NotACause)?;
        Ok(Self { run: run.parse().map_err(|_| NotACause)?, entry: entry.parse().map_err(|_| NotACause)? })
    }
}

/// Which plugin a run runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plugin {
    /// What kv, memory and grants belong to.
    pub identity: String,
    /// `agent`, `command` or `connector`.
    pub kind: String,
    /// The name in the manifest.
    pub name: String,
    /// The version in the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// An input: in the header when it is small text, else a blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payload {
    /// The text itself.
    Inline(String),
    /// A blob of the journal.
    Blob {
        /// Its digest.
        digest: Digest,
        /// Its length in bytes.
        len: u64,
    },
}

impl Payload {
    /// Returns how `bytes` are named in a header. When that is [`Payload::Blob`], the bytes belong among the blobs
    /// given to [`Journal::accept`](super::Journal::accept).
    pub fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) if bytes.len() <= INLINE_MAX => Self::Inline(text.to_owned()),
            _ => Self::Blob { digest: Digest::of(bytes), len: bytes.len() as u64 },
        }
    }
}

impl Header {
    /// Tells whether the run has no effects: a fork that nobody armed.
    pub fn is_disarmed(&self) -> bool {
        self.parent.is_some() && self.armed != Some(true)
    }

    /// Returns the namespace of kv that belongs to the plugin's identity.
    pub fn namespace(&self) -> Digest {
        namespace(&self.plugin.identity)
    }

    /// Returns the canonical bytes.
    pub(super) fn encode(&self) -> Result<Vec<u8>, Error> {
        canonical(self)
    }

    /// Reads a header, of this version or a newer one.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|error| Error::damaged(format_args!("a run header: {error}")))
    }
}

/// Returns the namespace of an identity: of its kv, and of what is counted for it.
pub(super) fn namespace(identity: &str) -> Digest {
    Digest::of_parts(&[b"remit kv namespace 1\0", identity.as_bytes()])
}

/// Returns `value` as JSON with sorted keys and no spaces.
pub(super) fn canonical(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let not_json = |error: serde_json::Error| Error::NotJson(error.to_string().into());
    let sorted = sorted(serde_json::to_value(value).map_err(not_json)?);
    serde_json::to_vec(&sorted).map_err(not_json)
}

/// Sorts the keys of every object, also where another crate makes `serde_json` keep their order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> = fields.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(fields.into_iter().collect())
        }
        plain => plain,
    }
}

mod hex_seed {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::digest::Digest;

    pub fn serialize<S: Serializer>(seed: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Digest::from_bytes(*seed))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        Digest::deserialize(deserializer).map(|seed| *seed.as_bytes())
    }
}
