//! The configuration's file: where it is, reading it, and writing the first one.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::Config;
use crate::manifest::{Errors, SIZE_MAX};

const FILE_NAME: &str = "config.toml";

/// What the first file says: every key, commented out, so that it sets nothing.
pub const INITIAL: &str = include_str!("initial.toml");

/// The configuration cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is wrong.
    #[error(transparent)]
    Wrong(#[from] Errors),
    /// There is one already.
    #[error("there is a configuration already: {}", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Something other than a file with text is there.
    #[error("configuration {} is not a text file", .path.display())]
    NotText {
        /// What is there.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("cannot {action} configuration {}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

/// Returns the configuration's file in the home at `home`.
pub fn path(home: &Path) -> PathBuf {
    home.join(FILE_NAME)
}

/// Reads the configuration of the home at `home`. Where there is none, the defaults hold.
///
/// # Errors
///
/// [`ConfigError`] when there is one that cannot be read or is wrong.
pub fn read(home: &Path) -> Result<Config, ConfigError> {
    let path = path(home);
    match read_text(&path)? {
        Some(text) => Ok(Config::parse(&path.to_string_lossy(), &text, home)?),
        None => Ok(Config::default()),
    }
}

/// Writes [`INITIAL`] as the configuration of the home at `home`, and returns its file.
///
/// # Errors
///
/// [`ConfigError::Exists`] when there is one, which stays as it is.
pub fn init(home: &Path) -> Result<PathBuf, ConfigError> {
    let path = path(home);
    let failed = |source| ConfigError::Io { action: "write", path: path.clone(), source };
    let mut file = tempfile::Builder::new().prefix(".config-").tempfile_in(home).map_err(failed)?;
    file.write_all(INITIAL.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    match file.persist_noclobber(&path) {
        Ok(_) => Ok(path),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(ConfigError::Exists { path }),
        Err(error) => Err(failed(error.error)),
    }
}

/// Returns the text of a regular file, if there is one: a pipe could keep the host waiting for ever. Of a file that is
/// too large, one byte more than is accepted, so that the parser refuses it by its size.
fn read_text(path: &Path) -> Result<Option<String>, ConfigError> {
    let failed = |source| ConfigError::Io { action: "read", path: path.to_owned(), source };
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(ConfigError::NotText { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(SIZE_MAX as u64 + 1).read_to_end(&mut bytes)).map_err(failed)?;
    String::from_utf8(bytes).map(Some).map_err(|_| ConfigError::NotText { path: path.to_owned() })
}
