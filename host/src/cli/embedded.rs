//! The SDK and the WIT that travel inside the binary, and how a project gets them: as its folder `.remit`.
//!
//! The folder carries a mark of what is in it, so that a project built by another version of `remit` is noticed.

use std::fs;
use std::io;
use std::path::Path;

use crate::digest::Digest;

/// A project's folder for the SDK and the WIT.
pub(super) const FOLDER: &str = ".remit";

const MARK: &str = "VERSION";

/// Includes each file under the path that it has in the repository and gets in a project.
macro_rules! included {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../../", $path)))),+]
    };
}

/// Every file, with its path below the folder.
const FILES: &[(&str, &str)] = included![
    "sdk/Cargo.toml",
    "sdk/src/agent.rs",
    "sdk/src/approval.rs",
    "sdk/src/config.rs",
    "sdk/src/connector.rs",
    "sdk/src/failure.rs",
    "sdk/src/http.rs",
    "sdk/src/http/error.rs",
    "sdk/src/http/exchange.rs",
    "sdk/src/http/request.rs",
    "sdk/src/http/response.rs",
    "sdk/src/http/url.rs",
    "sdk/src/kv.rs",
    "sdk/src/lib.rs",
    "sdk/src/log.rs",
    "sdk/src/model.rs",
    "sdk/src/model/chat.rs",
    "sdk/src/model/error.rs",
    "sdk/src/model/schema.rs",
    "sdk/src/signal.rs",
    "sdk/src/timer.rs",
    "sdk/src/tools.rs",
    "wit/approval.wit",
    "wit/config.wit",
    "wit/kv.wit",
    "wit/log.wit",
    "wit/model.wit",
    "wit/signal.wit",
    "wit/timer.wit",
    "wit/tools.wit",
    "wit/types.wit",
    "wit/world.wit",
];

/// The source of the smallest agent.
pub(super) const HELLO: &str = include_str!("../../../examples/hello/src/lib.rs");

/// The source of the smallest connector.
pub(super) const GREETINGS: &str = include_str!("../../../examples/greetings/src/lib.rs");

/// Its WIT.
pub(super) const GREETINGS_WIT: &str = include_str!("../../../examples/greetings/wit/greetings.wit");

/// Why a project did not get the SDK.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnpackError {
    /// A folder of the same name that Remit did not make.
    #[error("{FOLDER} was not made by Remit: it has no {MARK}")]
    Foreign,
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Makes sure that the project's `.remit` is this binary's. Returns whether it had to be written.
///
/// The old folder is removed before the new one takes its place: after a crash in between, the next call repairs it.
pub(super) fn refresh(project: &Path) -> Result<bool, UnpackError> {
    let folder = project.join(FOLDER);
    match fs::read_to_string(folder.join(MARK)) {
        Ok(found) if found == mark() => return Ok(false),
        Err(_) if fs::symlink_metadata(&folder).is_ok() => return Err(UnpackError::Foreign),
        Ok(_) | Err(_) => {}
    }
    let mut builder = tempfile::Builder::new();
    // Readable as the rest of the project; the process's mask still applies.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    let fresh = builder.prefix(".remit-").tempdir_in(project)?;
    unpack(fresh.path())?;
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    // Kept first: the guard must not remove the folder under its new name.
    fs::rename(fresh.keep(), &folder)?;
    Ok(true)
}

fn unpack(folder: &Path) -> io::Result<()> {
    for (path, text) in FILES {
        let path = folder.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text)?;
    }
    fs::write(folder.join(MARK), mark())
}

/// Returns what stands in `.remit/VERSION`: the host's version and the digest of every file.
fn mark() -> String {
    let parts: Vec<&[u8]> =
        FILES.iter().flat_map(|(path, text)| [path.as_bytes(), b"\0", text.as_bytes(), b"\0"]).collect();
    format!("remit {} {}\n", env!("CARGO_PKG_VERSION"), Digest::of_parts(&parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the files below `folder`, relative to the repository, sorted.
    fn files_below(repository: &Path, folder: &str) -> Vec<String> {
        let mut found = Vec::new();
        for entry in fs::read_dir(repository.join(folder)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            match fs::metadata(entry.path()).unwrap().is_dir() {
                true => found.extend(files_below(repository, &path)),
                false => found.push(path),
            }
        }
        found.sort();
        found
    }

    #[test]
    fn no_file_of_the_sdk_is_forgotten() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut expected = vec!["sdk/Cargo.toml".to_owned()];
        expected.extend(files_below(&repository, "sdk/src"));
        expected.extend(files_below(&repository, "wit"));
        let embedded: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
        assert_eq!(embedded, expected, "list them in FILES");
    }

    #[test]
    fn the_sdk_stands_without_a_workspace() {
        let (_, manifest) = FILES.iter().find(|(path, _)| *path == "sdk/Cargo.toml").unwrap();
        assert!(!manifest.contains("workspace = true") && !manifest.contains("path ="), "{manifest}");
    }

    #[test]
    fn a_projects_sdk_is_written_once_and_again_when_it_is_of_another_version() {
        let project = tempfile::tempdir().unwrap();
        let sdk = project.path().join(".remit/sdk/src/lib.rs");
        let mark = project.path().join(".remit/VERSION");
        assert!(refresh(project.path()).unwrap());
        assert!(!refresh(project.path()).unwrap());
        fs::write(&mark, "remit 0.0.1 older\n").unwrap();
        fs::write(&sdk, "old").unwrap();
        assert!(refresh(project.path()).unwrap());
        assert_ne!(fs::read_to_string(&sdk).unwrap(), "old");
        assert_eq!(fs::read_dir(project.path()).unwrap().count(), 1, "no temporary folder is left");
        fs::remove_file(mark).unwrap();
        assert!(matches!(refresh(project.path()), Err(UnpackError::Foreign)));
    }
}
