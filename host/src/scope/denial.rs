//! The questions of the hot path, and the answer no.
//!
//! Yes costs a comparison and allocates nothing. No carries what was asked, and is put into words only for whoever
//! reads it: the guest gets a code, the operator the rule and the smallest grant that would have allowed the call.

use std::collections::BTreeSet;
use std::fmt;

use super::{Access, KvScope, Remit, show};
use crate::manifest::{KeyPrefix, Level, Mount, Name};

/// Why a call is refused. One pointer wide, so that a permit costs nothing to return.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Denial(Box<Refused>);

/// What was asked for and is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A key, and what for.
    Kv {
        /// The key, or as much of it as a grant can name: a guest chooses its length.
        key: KeyPrefix,
        /// What the call wanted to do.
        wanted: Access,
        /// What the remit says about kv.
        has: Option<KvScope>,
    },
    /// Files that may only be read.
    FilesWrite {
        /// The logical name.
        name: Name,
        /// Where the guest sees them.
        mount: Option<Mount>,
    },
    /// A mount that the remit does not have.
    NoSuchMount {
        /// The index that was asked for.
        index: usize,
    },
    /// A line at a level at which the run may not log.
    Log {
        /// The level.
        level: Level,
        /// The levels at which it may.
        has: BTreeSet<Level>,
    },
}

impl Remit {
    /// Answers whether a call may use `key`. A call that writes asks for [`Access::ReadWrite`].
    ///
    /// # Errors
    ///
    /// Returns what was asked for and what would have allowed it.
    pub fn kv_allows(&self, key: &str, wanted: Access) -> Result<(), Denial> {
        match &self.kv {
            Some(kv) if kv.access() >= wanted && kv.covers(key) => Ok(()),
            has => Err(deny(Refused::Kv { key: KeyPrefix::of_key(key), wanted, has: has.clone() })),
        }
    }

    /// Answers whether a call may use the files at `index` of [`Remit::files`].
    ///
    /// # Errors
    ///
    /// Returns what was asked for and what would have allowed it.
    pub fn file_allows(&self, index: usize, wanted: Access) -> Result<(), Denial> {
        match self.files.get(index) {
            Some(files) if files.access() >= wanted => Ok(()),
            Some(files) => Err(deny(Refused::FilesWrite { name: files.name().clone(), mount: files.mount().cloned() })),
            None => Err(deny(Refused::NoSuchMount { index })),
        }
    }

    /// Answers whether the run may log at `level`.
    ///
    /// # Errors
    ///
    /// Returns what was asked for and what would have allowed it.
    pub fn log_allows(&self, level: Level) -> Result<(), Denial> {
        if self.log.contains(&level) {
            return Ok(());
        }
        Err(deny(Refused::Log { level, has: self.log.clone() }))
    }
}

#[cold]
fn deny(refused: Refused) -> Denial {
    Denial(Box::new(refused))
}

impl Denial {
    /// Returns what was asked for and is not allowed.
    pub fn refused(&self) -> &Refused {
        &self.0
    }

    /// Returns the rule by which the call is refused, for the operator.
    pub fn rule(&self) -> String {
        self.0.to_string()
    }

    /// Returns the smallest grant that would have allowed the call, as TOML; nothing where no grant can.
    pub fn grant(&self) -> Option<String> {
        match &*self.0 {
            Refused::Kv { key, wanted, has } => Some(kv_grant(key, *wanted, has.as_ref())),
            Refused::FilesWrite { name, .. } => Some(show::files_grant(name, None, Access::ReadWrite, None)),
            Refused::Log { level, has } => {
                let levels = has.iter().chain([level]).copied().collect();
                Some(show::log_grant(&levels))
            }
            Refused::NoSuchMount { .. } => None,
        }
    }
}

/// Returns what kv allows already, and the one key.
fn kv_grant(key: &KeyPrefix, wanted: Access, has: Option<&KvScope>) -> String {
    let mut prefixes = has.map(|kv| kv.prefixes().to_vec()).unwrap_or_default();
    prefixes.push(key.clone());
    let access = has.map_or(wanted, |kv| kv.access().max(wanted));
    KvScope::normal(prefixes, access, has.and_then(KvScope::quota)).map(|kv| show::kv_grant(&kv)).unwrap_or_default()
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kv { has: None, .. } => write!(f, "kv is not granted"),
            Self::Kv { key, wanted: Access::ReadWrite, has: Some(kv) } if kv.covers(key.as_str()) => {
                write!(f, "kv may be read and not changed")
            }
            Self::Kv { key, has: Some(kv), .. } => {
                let prefixes: Vec<&str> = kv.prefixes().iter().map(KeyPrefix::as_str).collect();
                write!(f, "key {:?} begins with none of the granted prefixes {prefixes:?}", key.as_str())
            }
            Self::FilesWrite { name, mount: Some(mount) } => {
                write!(f, "files.{name} at {mount} may be read and not changed")
            }
            Self::FilesWrite { name, mount: None } => write!(f, "files.{name} may be read and not changed"),
            Self::NoSuchMount { index } => write!(f, "there is no mount number {index}"),
            Self::Log { level, .. } => write!(f, "logging at level {} is not granted", level.word()),
        }
    }
}
