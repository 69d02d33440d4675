//! A remit as bytes: canonical JSON, of which the digest names the remit, and which the journal keeps.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{FilesScope, KvScope, Level, Remit};
use crate::digest::Digest;
use crate::manifest::{ConfigKey, ImportName, mount};

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

/// The JSON form. Fields are in the order of the names, so that the bytes do not depend on this struct.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    config: BTreeSet<ConfigKey>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<FilesScope>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    imports: BTreeSet<ImportName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kv: Option<KvScope>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    log: BTreeSet<Level>,
}

impl From<Remit> for Stored {
    fn from(remit: Remit) -> Self {
        let Remit { files, kv, log, imports, config } = remit;
        Self { config, files, imports, kv, log }
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
        let Stored { config, files, imports, kv, log } = serde_json::from_slice(bytes)?;
        mount::check_disjoint(files.iter().filter_map(FilesScope::mount))?;
        let sorted = files.is_sorted_by(|a, b| a.name() < b.name());
        let normal = |files: FilesScope| {
            FilesScope::new(files.name().clone(), files.mount().cloned(), files.access(), files.quota())
        };
        let kv = kv.and_then(|kv| KvScope::normal(kv.prefixes().to_vec(), kv.access(), kv.quota()));
        let remit = Self { files: files.into_iter().map(normal).collect(), kv, log, imports, config };
        if sorted && remit.canonical() == bytes { Ok(remit) } else { Err(NotARemit::NotCanonical) }
    }
}
