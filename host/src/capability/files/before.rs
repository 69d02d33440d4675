//! What was there before a once-only operation, and, after a crash, whether it has happened.
//!
//! [`before`] is stored with the intent. After a crash [`standing`] looks again: nothing changed means not done, the
//! change that the operation makes means done, anything else is in doubt and a person's to judge.

use std::io::ErrorKind;
use std::time::SystemTime;

use cap_fs_ext::MetadataExt;
use cap_std::fs::Metadata;
use serde::{Deserialize, Serialize};

use super::descriptor::Dir;

/// An operation that must not happen twice, before it happens.
#[derive(Clone, Copy, Debug)]
pub enum Once<'a> {
    /// `open-at` with `create` and `exclusive`.
    Create {
        dir: &'a Dir,
        path: &'a str,
    },
    CreateDirectory {
        dir: &'a Dir,
        path: &'a str,
    },
    RemoveDirectory {
        dir: &'a Dir,
        path: &'a str,
    },
    Unlink {
        dir: &'a Dir,
        path: &'a str,
    },
    Symlink {
        dir: &'a Dir,
        target: &'a str,
        path: &'a str,
    },
    Link {
        old: &'a Dir,
        old_path: &'a str,
        new: &'a Dir,
        new_path: &'a str,
    },
    Rename {
        old: &'a Dir,
        old_path: &'a str,
        new: &'a Dir,
        new_path: &'a str,
    },
}

/// What the operation found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// At the path that is made or removed; for a link or a rename, at the new path.
    pub target: Seen,
    /// For a link or a rename, at the old path.
    pub source: Option<Seen>,
}

/// What was at a path, links not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seen {
    Absent,
    Present {
        kind: Kind,
        /// In bytes.
        size: u64,
        identity: Identity,
        /// Nanoseconds since 1970; none before, or where the host does not say.
        modified_ns: Option<u64>,
    },
    /// It could not be looked at.
    Unknown,
}

/// What sort of thing was at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    File,
    Directory,
    SymbolicLink,
    Special,
}

/// Which object on the host's disks something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    pub device: u64,
    pub inode: u64,
}

/// Whether an operation with a durable intent has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Done,
    NotDone,
    InDoubt,
}

/// Looks at what the operation is about to change.
pub fn before(once: &Once<'_>) -> Before {
    match *once {
        Once::Create { dir, path }
        | Once::CreateDirectory { dir, path }
        | Once::RemoveDirectory { dir, path }
        | Once::Unlink { dir, path }
        | Once::Symlink { dir, path, .. } => Before { target: look(dir, path), source: None },
        Once::Link { old, old_path, new, new_path } | Once::Rename { old, old_path, new, new_path } => {
            Before { target: look(new, new_path), source: Some(look(old, old_path)) }
        }
    }
}

/// Judges whether the operation has happened since `earlier` was seen.
pub fn standing(once: &Once<'_>, earlier: &Before) -> Standing {
    let now = before(once);
    if now.is_unknown() || earlier.is_unknown() {
        return Standing::InDoubt;
    }
    if now == *earlier || is_as_before(once, earlier, &now) {
        return Standing::NotDone;
    }
    if has_happened(once, earlier, &now) { Standing::Done } else { Standing::InDoubt }
}

/// Whether the operation can only have failed, or what it would have taken away or moved is still in its place, whatever
/// was written to it since.
fn is_as_before(once: &Once<'_>, earlier: &Before, now: &Before) -> bool {
    let was_taken = earlier.target != Seen::Absent;
    let is_same = |was: Option<Seen>, is: Option<Seen>| {
        was.and_then(Seen::identity).is_some_and(|was| is.and_then(Seen::identity) == Some(was))
    };
    match *once {
        Once::Create { .. } | Once::CreateDirectory { .. } | Once::Symlink { .. } => was_taken,
        Once::Link { .. } => was_taken || now.target == Seen::Absent,
        Once::RemoveDirectory { .. } | Once::Unlink { .. } => is_same(Some(earlier.target), Some(now.target)),
        Once::Rename { .. } => is_same(earlier.source, now.source),
    }
}

fn has_happened(once: &Once<'_>, earlier: &Before, now: &Before) -> bool {
    let made = |kind| earlier.target == Seen::Absent && now.target.kind() == Some(kind);
    let moved = || {
        let source = earlier.source.and_then(Seen::identity);
        source.is_some() && now.target.identity() == source
    };
    match *once {
        Once::Create { .. } => made(Kind::File) && now.target.size() == Some(0),
        Once::CreateDirectory { .. } => made(Kind::Directory),
        Once::RemoveDirectory { .. } => earlier.target.kind() == Some(Kind::Directory) && now.target == Seen::Absent,
        Once::Unlink { .. } => earlier.target.kind().is_some() && now.target == Seen::Absent,
        Once::Symlink { dir, target, path } => made(Kind::SymbolicLink) && leads_to(dir, path, target),
        Once::Link { .. } => earlier.target == Seen::Absent && moved() && now.source == earlier.source,
        Once::Rename { .. } => moved() && now.source == Some(Seen::Absent),
    }
}

fn leads_to(dir: &Dir, path: &str, target: &str) -> bool {
    dir.handle.read_link(path).is_ok_and(|found| found.as_os_str() == target)
}

fn look(dir: &Dir, path: &str) -> Seen {
    // A trailing slash would follow a link, where the operations do not.
    let path = match path.trim_end_matches('/') {
        "" => path,
        trimmed => trimmed,
    };
    match dir.handle.symlink_metadata(path) {
        Ok(metadata) => Seen::of(&metadata),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Seen::Absent,
        Err(_) => Seen::Unknown,
    }
}

impl Before {
    fn is_unknown(&self) -> bool {
        self.target == Seen::Unknown || self.source == Some(Seen::Unknown)
    }
}

impl Seen {
    fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok().map(cap_std::time::SystemTime::into_std);
        let since = modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        Self::Present {
            kind: Kind::of(metadata),
            size: metadata.len(),
            identity: Identity::of(metadata),
            modified_ns: since.and_then(|since| u64::try_from(since.as_nanos()).ok()),
        }
    }

    fn kind(self) -> Option<Kind> {
        if let Self::Present { kind, .. } = self { Some(kind) } else { None }
    }

    fn size(self) -> Option<u64> {
        if let Self::Present { size, .. } = self { Some(size) } else { None }
    }

    fn identity(self) -> Option<Identity> {
        if let Self::Present { identity, .. } = self { Some(identity) } else { None }
    }
}

impl Kind {
    fn of(metadata: &Metadata) -> Self {
        if metadata.is_file() {
            Self::File
        } else if metadata.is_dir() {
            Self::Directory
        } else if metadata.is_symlink() {
            Self::SymbolicLink
        } else {
            Self::Special
        }
    }
}

impl Identity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}
