//! The home: the one folder in which a host keeps its state, and who may use it now.
//!
//! Whoever holds a [`Home`] holds its exclusive lock, which the operating system gives back when the process ends,
//! however it ends. What lies in the files is not known here: the journal's belongs to `journal`, the cache's to
//! `engine`.

mod error;
mod key;
mod lock;
mod place;
mod sizes;
#[cfg(test)]
mod tests;
mod vault;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ed25519_dalek::{SigningKey, VerifyingKey};

pub use error::HomeError;
pub use lock::{Holder, Wait};
pub use sizes::{Sizes, sizes};
pub use vault::{VaultFileError, vault, vault_path};

use crate::digest::Digest;
use crate::time::Clock;

/// The variable that names the home where `--home` does not.
pub const VARIABLE: &str = "REMIT_HOME";

/// A host's state folder, held by this process alone.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    _lock: fs::File,
    /// Whoever changes the vault has its turn: commands of one host may do so at the same time.
    vault_turn: Mutex<()>,
}

impl Home {
    /// Opens the home at `path`, making the folder (for its owner only) where there is none, and takes its lock.
    /// `command` is what others who wait are told about this process.
    ///
    /// # Errors
    ///
    /// [`HomeError::Busy`] when another process holds it and `wait` is [`Wait::No`]; the other variants when the
    /// folder cannot be made or written.
    pub fn open(path: &Path, command: &str, clock: &Clock, wait: Wait<'_>) -> Result<Self, HomeError> {
        let path = make_folder(path)?;
        let lock = lock::take(&path, command, clock, wait)?;
        Ok(Self { path, _lock: lock, vault_turn: Mutex::default() })
    }

    /// Returns the folder, absolute and without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the journal's file.
    pub fn journal_path(&self) -> PathBuf {
        journal_path(&self.path)
    }

    /// Returns the folder of compiled components. It may not exist yet, and may be deleted at any time.
    pub fn cache_dir(&self) -> PathBuf {
        cache_dir(&self.path)
    }

    /// Returns the key that signs this host's journal, made at the first call.
    ///
    /// # Errors
    ///
    /// [`HomeError::ExposedKey`] when others can read its file, [`HomeError::DamagedKey`] when the file does not hold
    /// a key. Neither is ever repaired by writing over it.
    pub fn signing_key(&self) -> Result<SigningKey, HomeError> {
        key::load_or_create(&self.path)
    }

    /// Returns what the home takes on disk.
    ///
    /// # Errors
    ///
    /// When a folder in the home cannot be read.
    pub fn sizes(&self) -> Result<Sizes, HomeError> {
        sizes(&self.path)
    }

    /// Tells whether `path`, which exists, is the home or lies in it.
    ///
    /// # Errors
    ///
    /// When `path` cannot be looked at.
    pub fn contains(&self, path: &Path) -> io::Result<bool> {
        place::contains(&self.path, path)
    }

    /// Tells whether `path`, which exists, is the home, lies in it or contains it. A folder that does must not be
    /// mounted: its guest would read the host's key.
    ///
    /// # Errors
    ///
    /// When `path` cannot be looked at.
    pub fn overlaps(&self, path: &Path) -> io::Result<bool> {
        Ok(place::contains(&self.path, path)? || place::contains(path, &self.path)?)
    }
}

/// Returns the home for this process: `named`, else what [`VARIABLE`] says, else the platform's data folder.
///
/// # Errors
///
/// [`HomeError::Unknown`] when the platform names no folder, for example for a user without a home directory.
pub fn locate(named: Option<&Path>) -> Result<PathBuf, HomeError> {
    if let Some(path) = named {
        return Ok(path.to_owned());
    }
    // An empty variable is an unset one.
    if let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let platform = directories::ProjectDirs::from("", "", "remit").ok_or(HomeError::Unknown)?;
    Ok(platform.data_dir().to_owned())
}

/// Returns the key that authenticates compiled components: derived from the signing key, so as secret as it is.
pub fn cache_key(signing: &SigningKey) -> [u8; 32] {
    *Digest::of_parts(&[b"remit cache key v1\0", signing.as_bytes()]).as_bytes()
}

/// Returns the public half of the key in the home at `path`, without its lock; nothing where there is no key yet.
///
/// # Errors
///
/// As [`Home::signing_key`].
pub fn public_key(path: &Path) -> Result<Option<VerifyingKey>, HomeError> {
    Ok(key::load(path)?.map(|key| key.verifying_key()))
}

/// Returns the journal's file in the home at `path`.
pub fn journal_path(path: &Path) -> PathBuf {
    path.join("journal.redb")
}

/// Returns the folder of compiled components in the home at `path`.
pub fn cache_dir(path: &Path) -> PathBuf {
    path.join("cache")
}

/// Returns the file of the signing key in the home at `path`.
pub fn key_path(path: &Path) -> PathBuf {
    path.join(key::FILE_NAME)
}

/// Makes the folder where there is none and returns its canonical path.
fn make_folder(path: &Path) -> Result<PathBuf, HomeError> {
    let failed = |source| HomeError::at(path, "open", source);
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(HomeError::NotAFolder { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => owner_only_folder(path).map_err(failed)?,
        Err(error) => return Err(failed(error)),
    }
    fs::canonicalize(path).map_err(failed)
}

fn owner_only_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}
