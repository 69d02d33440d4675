//! Whether one folder lies in another: by canonical path and, where the platform has them, by the identities of the
//! folders above it, which a bind mount or a file system that ignores case does not change.

use std::fs;
use std::io;
use std::path::Path;

/// Tells whether `inner` is `outer` or lies in it. Both exist.
pub(super) fn contains(outer: &Path, inner: &Path) -> io::Result<bool> {
    let (outer, inner) = (fs::canonicalize(outer)?, fs::canonicalize(inner)?);
    if inner.starts_with(&outer) {
        return Ok(true);
    }
    let root = identity(&outer)?;
    Ok(root.is_some() && inner.ancestors().any(|above| identity(above).is_ok_and(|identity| identity == root)))
}

/// Returns the device and the number of the file, where the platform has them.
#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Option<(u64, u64)>> {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).map(|metadata| Some((metadata.dev(), metadata.ino())))
}

#[cfg(not(unix))]
fn identity(_path: &Path) -> io::Result<Option<(u64, u64)>> {
    Ok(None)
}
