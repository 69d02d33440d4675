//! The host's signing key on disk: `identity.key`, a line that says what it is, and 32 bytes as hexadecimal digits.
//!
//! The file appears whole or not at all, readable by its owner only, and is never written over.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use ed25519_dalek::SigningKey;

use super::HomeError;
use crate::digest::Digest;

pub(super) const FILE_NAME: &str = "identity.key";

const FIRST_LINE: &str = "remit signing key v1: secret, ed25519, hexadecimal";

/// Bytes read from a key file: more than one has.
const FILE_LEN_MAX: u64 = 1_024;

/// Returns the key of the home at `home`, and makes one where there is none.
pub(super) fn load_or_create(home: &Path) -> Result<SigningKey, HomeError> {
    if let Some(key) = load(home)? {
        return Ok(key);
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(HomeError::NoRandomness)?;
    match store(home, &secret) {
        Ok(()) => Ok(SigningKey::from_bytes(&secret)),
        // Another process, without the lock, was faster: its key is the home's.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => load_or_create(home),
        Err(error) => Err(HomeError::at(&home.join(FILE_NAME), "write signing key", error)),
    }
}

/// Returns the key of the home at `home`, if it has one.
pub(super) fn load(home: &Path) -> Result<Option<SigningKey>, HomeError> {
    let path = home.join(FILE_NAME);
    let failed = |source| HomeError::Io { action: "read signing key", path: path.clone(), source };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(HomeError::NotAFolder { path: home.to_owned() });
        }
        Err(error) => return Err(failed(error)),
    };
    refuse_exposed(&file, &path)?;
    let mut text = String::new();
    match file.take(FILE_LEN_MAX).read_to_string(&mut text) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::InvalidData => text.clear(),
        Err(error) => return Err(failed(error)),
    }
    let damaged = |reason| HomeError::DamagedKey { path: path.clone(), reason };
    parse(&text).map(Some).map_err(damaged)
}

fn parse(text: &str) -> Result<SigningKey, &'static str> {
    let mut lines = text.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err("its first line is not that of a key");
    }
    // A digest and a key are written the same way: 64 hexadecimal digits.
    let secret: Digest = lines.next().unwrap_or_default().parse().map_err(|_| "its second line is not 64 digits")?;
    match lines.next() {
        None => Ok(SigningKey::from_bytes(secret.as_bytes())),
        Some(_) => Err("something follows the key"),
    }
}

/// Writes a new key beside its place, makes it durable, and moves it there unless a key has come in between.
fn store(home: &Path, secret: &[u8; 32]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(".identity-").tempfile_in(home)?;
    writeln!(file, "{FIRST_LINE}\n{}", Digest::from_bytes(*secret))?;
    file.as_file().sync_all()?;
    file.persist_noclobber(home.join(FILE_NAME)).map_err(|error| error.error)?;
    sync_folder(home)
}

#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn refuse_exposed(file: &File, path: &Path) -> Result<(), HomeError> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = file.metadata().map_err(|error| HomeError::at(path, "read signing key", error))?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(HomeError::ExposedKey { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn refuse_exposed(_file: &File, _path: &Path) -> Result<(), HomeError> {
    Ok(())
}
