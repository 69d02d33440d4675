//! The lock of a home: which process may use it.
//!
//! The operating system's file lock decides, so that a process that died holds nothing. What the file says about its
//! holder is for people only: it may be stale, half written or, where locked files cannot be read, unreadable.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::HomeError;
use crate::time::{Clock, Timestamp};

const FILE_NAME: &str = "lock";

/// Bytes read from a lock file: far more than a holder writes.
const HOLDER_LEN_MAX: u64 = 4_096;

/// What to do when another process holds the home.
pub enum Wait<'a> {
    /// Tell the callback for whom, and wait for as long as it takes.
    Yes(&'a mut dyn FnMut(&Holder)),
    /// Fail at once with [`HomeError::Busy`].
    No,
}

/// The process that holds a home, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id.
    pub pid: Option<u32>,
    /// What it does.
    pub command: Option<String>,
    /// When it took the lock.
    pub since: Option<Timestamp>,
}

impl fmt::Display for Holder {
    /// Prints `remit run (process 4711, since 2026-03-01 14:05:09 UTC)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = self.command.as_deref().unwrap_or("another process");
        command.chars().filter(|c| !c.is_control()).try_for_each(|c| write!(f, "{c}"))?;
        match (self.pid, self.since) {
            (Some(pid), Some(since)) => write!(f, " (process {pid}, since {since} UTC)"),
            (Some(pid), None) => write!(f, " (process {pid})"),
            (None, _) => Ok(()),
        }
    }
}

/// Takes the lock of the home at `home` and writes who holds it. Dropping the file gives the lock back.
pub(super) fn take(home: &Path, command: &str, clock: &Clock, wait: Wait<'_>) -> Result<File, HomeError> {
    let path = home.join(FILE_NAME);
    let failed = |action| move |source| HomeError::at(home, action, source);
    let mut file = open(&path).map_err(failed("lock"))?;
    match (file.try_lock(), wait) {
        (Ok(()), _) => {}
        (Err(TryLockError::Error(source)), _) => return Err(failed("lock")(source)),
        (Err(TryLockError::WouldBlock), Wait::No) => {
            return Err(HomeError::Busy { path: home.to_owned(), holder: read_holder(&mut file) });
        }
        (Err(TryLockError::WouldBlock), Wait::Yes(tell)) => {
            tell(&read_holder(&mut file));
            wait_for(&file).map_err(failed("wait for"))?;
        }
    }
    let holder = Holder { pid: Some(std::process::id()), command: Some(command.to_owned()), since: Some(clock.now()) };
    // On a full disk only a message lacks it: the lock is held, and removing a run may be what frees space.
    let _ = write_holder(&mut file, &holder);
    Ok(file)
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn wait_for(file: &File) -> io::Result<()> {
    loop {
        match file.lock() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            locked => return locked,
        }
    }
}

/// Returns what the file says about its holder; nothing is known where it does not say it well.
fn read_holder(file: &mut File) -> Holder {
    let mut bytes = Vec::new();
    let read = file.take(HOLDER_LEN_MAX).read_to_end(&mut bytes);
    read.ok().and_then(|_| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn write_holder(file: &mut File, holder: &Holder) -> io::Result<()> {
    let mut line = serde_json::to_vec(holder)?;
    line.push(b'\n');
    file.rewind()?;
    file.write_all(&line)?;
    // Cut to length last: emptied first, the file would give back its block and take another, at each start.
    file.set_len(line.len() as u64)
}
