//! What a home takes on disk. Needs no lock: the numbers are a glance, not an account.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;

use super::HomeError;

/// Bytes in a home's files, by what they hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// The journal: runs and the plugins' kv.
    pub journal: u64,
    /// Compiled components, which may be deleted.
    pub cache: u64,
    /// Everything else.
    pub other: u64,
}

impl Sizes {
    /// Returns the bytes in all files.
    pub fn total(&self) -> u64 {
        self.journal + self.cache + self.other
    }
}

/// Returns what the home at `home` takes on disk: nothing where there is none.
///
/// # Errors
///
/// When a folder in it cannot be read.
pub fn sizes(home: &Path) -> Result<Sizes, HomeError> {
    let of = |path: &Path| bytes_in(path).map_err(|source| HomeError::at(path, "measure", source));
    let (journal, cache) = (of(&super::journal_path(home))?, of(&super::cache_dir(home))?);
    Ok(Sizes { journal, cache, other: of(home)?.saturating_sub(journal + cache) })
}

/// Returns the bytes of a file or of the files in a folder. Follows no link but `path` itself; what goes away
/// meanwhile counts nothing.
fn bytes_in(path: &Path) -> io::Result<u64> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_dir() => return Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        _ => {}
    }
    let mut total = 0;
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                Ok(metadata) => total += metadata.len(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(total)
}
