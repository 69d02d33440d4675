//! Why a home cannot be used, by what the operator can do about it.

use std::io;
use std::path::{Path, PathBuf};

use super::lock::Holder;

/// A home cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// The platform names no data folder for this user.
    #[error("no folder for Remit's state: this user has no home directory")]
    Unknown,
    /// Something other than a folder is there.
    #[error("home {} is not a folder", .path.display())]
    NotAFolder {
        /// The home.
        path: PathBuf,
    },
    /// Another process uses the home.
    #[error("home {} is in use by {holder}", .path.display())]
    Busy {
        /// The home.
        path: PathBuf,
        /// Who uses it.
        holder: Holder,
    },
    /// The home cannot be written: its file system is mounted read-only, or its permissions forbid it.
    #[error("home {} cannot be written", .path.display())]
    ReadOnly {
        /// The home, or the file in it.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The disk, or the user's share of it, is full.
    #[error("disk full: cannot {action} {}", .path.display())]
    Full {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Others than its owner can read the signing key.
    #[error("signing key {} can be read by others (mode {mode:04o})", .path.display())]
    ExposedKey {
        /// The key's file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key's file does not hold a key.
    #[error("signing key {} is damaged: {reason}", .path.display())]
    DamagedKey {
        /// The key's file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The system gives no random bytes for a new key.
    #[error("cannot make a signing key: {0}")]
    NoRandomness(getrandom::Error),
    /// Anything else that the system refused.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

impl HomeError {
    /// Sorts what the system said about `action` on `path`.
    pub(super) fn at(path: &Path, action: &'static str, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Self::ReadOnly { path, source },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { action, path, source },
            io::ErrorKind::NotADirectory => Self::NotAFolder { path },
            _ => Self::Io { action, path, source },
        }
    }

    /// Returns what to try.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown | Self::NotAFolder { .. } | Self::ReadOnly { .. } | Self::Io { .. } => {
                format!("choose another folder with --home DIR or {}", super::VARIABLE)
            }
            Self::Busy { .. } => "leave out --no-wait to wait for it, or use another home with --home DIR".to_owned(),
            Self::Full { .. } => "free some space, for example with `remit rm RUN`, or use another --home".to_owned(),
            Self::ExposedKey { path, .. } => {
                format!("if nobody else can have read it: chmod 600 {}", path.display())
            }
            Self::DamagedKey { .. } => {
                "restore it from a backup; without it, new runs need a new home (--home DIR)".to_owned()
            }
            Self::NoRandomness(_) => "the operating system's random source has to work first".to_owned(),
        }
    }
}
