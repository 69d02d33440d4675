//! A remit as bytes: canonical JSON, of which the digest names the remit, and which the journal keeps.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    ApprovalScope, ConnectorScope, FilesScope, HttpScope, KvScope, Level, ModelScope, Remit, SecretScope, SignalScope,
    TimerScope, ToolScope,
};
use crate::digest::Digest;
use crate::manifest::{ConfigKey, ImportName, Interface, Name, mount};

/// The bytes are not a remit as this host writes it.
#[derive(Debug, thiserror::Error)]
pub enum NotARemit {
    /// They are not JSON of the right shape.
    #[error("not a remit: {0}")]
    Json(#[from] serde_json::Error),
    /// Two mounts overlap.
    #[error("not a remit: {0}")]
    Overlap(#[from] mount::Overlap),
    /// They mean a remit and are not its normal form, so that one remit would have two digests.
    #[error("not a remit: not in normal form")]
    NotCanonical,
}

/// The JSON form. Fields are in the order of the names, so that the bytes do not depend on this struct. What a remit
/// does not have is left out, so that a remit without a newer capability has the bytes that it always had.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approval: Option<ApprovalScope>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    config: BTreeSet<ConfigKey>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    connectors: BTreeMap<Interface, ConnectorScope>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<FilesScope>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    http: Vec<HttpScope>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    imports: BTreeSet<ImportName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kv: Option<KvScope>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    log: BTreeSet<Level>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<ModelScope>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    secrets: BTreeMap<Name, SecretScope>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signal: Option<SignalScope>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timer: Option<TimerScope>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tools: Option<ToolScope>,
}

impl From<Remit> for Stored {
    fn from(remit: Remit) -> Self {
        let Remit { files, kv, log, imports, config, http, secrets, model, connectors, tools, timer, signal, approval } =
            remit;
        Self { approval, config, connectors, files, http, imports, kv, log, model, secrets, signal, timer, tools }
    }
}

impl Stored {
    /// Returns the remit that is meant, in normal form.
    fn normal(self) -> Remit {
        let connectors = self.connectors.into_iter();
        Remit {
            files: self.files.into_iter().map(FilesScope::normal).collect(),
            kv: self.kv.and_then(KvScope::normal),
            log: self.log,
            imports: self.imports,
            config: self.config,
            http: HttpScope::normal(self.http),
            secrets: self.secrets.into_iter().map(|(name, secret)| (name, secret.normal())).collect(),
            model: self.model.and_then(ModelScope::normal),
            connectors: connectors.filter_map(|(name, connector)| Some((name, connector.normal()?))).collect(),
            tools: self.tools.and_then(ToolScope::normal),
            timer: self.timer.and_then(TimerScope::normal),
            signal: self.signal.and_then(SignalScope::normal),
            approval: self.approval.map(ApprovalScope::normal),
        }
    }
}

impl Remit {
    /// Returns the remit as canonical JSON: equal remits, and only those, have equal bytes.
    pub fn canonical(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("sets and lists of text and numbers, all of which JSON can hold")
    }

    /// Returns the digest of [`Remit::canonical`].
    pub fn digest(&self) -> Digest {
        Digest::of(&self.canonical())
    }

    /// Reads what [`Remit::canonical`] returned.
    ///
    /// # Errors
    ///
    /// Refuses everything that is not the canonical form of a remit.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotARemit> {
        let stored: Stored = serde_json::from_slice(bytes)?;
        mount::check_disjoint(stored.files.iter().filter_map(FilesScope::mount))?;
        let sorted = stored.files.is_sorted_by(|a, b| a.name() < b.name());
        let apart = HttpScope::are_apart(&stored.http);
        let remit = stored.normal();
        if sorted && apart && remit.canonical() == bytes { Ok(remit) } else { Err(NotARemit::NotCanonical) }
    }
}
