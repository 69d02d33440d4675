//! The unix socket of a home: made so that nobody but its owner can ever open it, and found again by who looks for it.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// The socket's name in its home.
pub const FILE_NAME: &str = "remit.sock";

/// The longest path that an address of a unix socket takes, in bytes: `sun_path` of Linux less its NUL.
const PATH_LEN_MAX: usize = 107;

/// A home has no socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The system's addresses do not take the path.
    #[error("the path of the socket {} has {} bytes, and the system takes {PATH_LEN_MAX}", .0.display(), .0.as_os_str().len())]
    TooLong(PathBuf),
    /// The system refuses.
    #[error("cannot make the socket {}", .path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

/// The listening end. Dropping it removes the socket.
#[derive(Debug)]
pub struct Listener {
    path: PathBuf,
    pub(super) listener: UnixListener,
}

impl Listener {
    /// Makes the socket of a home, for whoever holds the home's lock: one that is there already is of a host that has died.
    ///
    /// It is made within a folder of mode 0700 and gets its name once its own mode is 0600, so that it is never open to
    /// others, whatever the home's mode and the process's mask.
    ///
    /// # Errors
    /// [`SocketError`].
    pub fn bind(home: &Path) -> Result<Self, SocketError> {
        let path = home.join(FILE_NAME);
        let failed = |source| SocketError::Io { path: path.clone(), source };
        let mut folder = tempfile::Builder::new();
        let folder = folder.prefix(".socket-").permissions(Permissions::from_mode(0o700));
        let folder = folder.tempdir_in(home).map_err(failed)?;
        let fresh = folder.path().join("s");
        let listener = at(&fresh, UnixListener::bind)?;
        fs::set_permissions(&fresh, Permissions::from_mode(0o600)).map_err(failed)?;
        fs::rename(&fresh, &path).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Self { path, listener })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Who finds it left behind knows that nobody listens.
        let _left = fs::remove_file(&self.path);
    }
}

/// Connects to whoever serves a home; nothing where nobody does.
///
/// # Errors
/// When there is a socket, and it cannot be asked.
pub fn connect(home: &Path) -> Result<Option<UnixStream>, SocketError> {
    let path = home.join(FILE_NAME);
    if !path.exists() {
        return Ok(None);
    }
    match at(&path, UnixStream::connect) {
        Ok(stream) => Ok(Some(stream)),
        Err(SocketError::Io { source, .. })
            if matches!(source.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Does something with the address of a socket. One whose path is too long is reached through its folder, where the system
/// has names for open folders.
fn at<T>(path: &Path, act: impl FnOnce(PathBuf) -> io::Result<T>) -> Result<T, SocketError> {
    let failed = |source| SocketError::Io { path: path.to_owned(), source };
    if path.as_os_str().len() <= PATH_LEN_MAX {
        return act(path.to_owned()).map_err(failed);
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(SocketError::TooLong(path.to_owned()));
    };
    let folder = File::open(folder).map_err(failed)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
    if !short.exists() {
        return Err(SocketError::TooLong(path.to_owned()));
    }
    act(short.join(name)).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_socket_is_its_owners_and_goes_with_its_host() {
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
        assert!(connect(home.path()).unwrap().is_none());
        let listener = Listener::bind(home.path()).unwrap();
        assert_eq!(mode(&home.path().join(FILE_NAME)), 0o600);
        assert!(connect(home.path()).unwrap().is_some());
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "the folder it was made in is gone");
        drop(listener);
        assert!(connect(home.path()).unwrap().is_none());
    }

    #[test]
    fn a_socket_that_was_left_behind_is_nobodys_and_is_replaced() {
        let home = tempfile::tempdir().unwrap();
        drop(UnixListener::bind(home.path().join(FILE_NAME)).unwrap());
        assert!(home.path().join(FILE_NAME).exists());
        assert!(connect(home.path()).unwrap().is_none());
        let _listener = Listener::bind(home.path()).unwrap();
        assert!(connect(home.path()).unwrap().is_some());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_long_path_is_no_hindrance() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("x".repeat(200));
        fs::create_dir(&home).unwrap();
        let _listener = Listener::bind(&home).unwrap();
        assert!(connect(&home).unwrap().is_some());
    }
}
