//! What a guest's `descriptor` stands for: an open file or directory, the place it was opened at, and its one mode.
//!
//! Opening is in `open` and `mounts`; a descriptor never gains a right after it was made.

use std::sync::Arc;

use wasmtime_wasi::p2::bindings::sync::filesystem::types::{DescriptorFlags, DescriptorType, ErrorCode};

use super::before::Identity;
use super::error::code;
use super::mounts::Mount;
use crate::scope::Access;

/// An open file or directory. Clones share the object, as the streams made from a file do.
#[derive(Clone, Debug)]
pub enum Descriptor {
    File(Arc<File>),
    Dir(Arc<Dir>),
}

/// A regular file: special files are never opened.
#[derive(Debug)]
pub struct File {
    pub(super) handle: std::fs::File,
    pub(super) place: Place,
    pub(super) mode: Mode,
}

/// A directory, and the root of every path that a guest resolves from it.
#[derive(Debug)]
pub struct Dir {
    pub(super) handle: cap_std::fs::Dir,
    pub(super) place: Place,
    pub(super) mode: Mode,
}

/// Where something was opened: its mount and the path from the mount's root as the guest named it.
///
/// A later rename does not change it.
#[derive(Clone, Debug)]
pub struct Place {
    pub(super) mount: Arc<Mount>,
    pub(super) path: String,
}

/// What the guest asked for when it opened the object; what it may do is never more than the mount's access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    pub read: bool,
    pub write: bool,
}

impl Descriptor {
    /// Returns the file, or `bad-descriptor` for a directory.
    pub fn file(&self) -> Result<&Arc<File>, ErrorCode> {
        match self {
            Self::File(file) => Ok(file),
            Self::Dir(_) => Err(ErrorCode::BadDescriptor),
        }
    }

    /// Returns the directory, or `not-directory` for a file.
    pub fn dir(&self) -> Result<&Arc<Dir>, ErrorCode> {
        match self {
            Self::Dir(dir) => Ok(dir),
            Self::File(_) => Err(ErrorCode::NotDirectory),
        }
    }

    /// Returns the file that `read-via-stream` reads; a directory is `is-directory` there.
    pub fn readable(&self) -> Result<&Arc<File>, ErrorCode> {
        match self {
            Self::File(file) => Ok(file),
            Self::Dir(_) => Err(ErrorCode::IsDirectory),
        }
    }

    /// Returns the file that `write`, `write-via-stream` and `append-via-stream` change.
    ///
    /// # Errors
    /// `bad-descriptor` for a directory, `not-permitted` in a read-only mount.
    pub fn writable(&self) -> Result<&Arc<File>, ErrorCode> {
        let file = self.file()?;
        file.place.permit_change()?;
        Ok(file)
    }

    /// Returns where the object was opened.
    pub fn place(&self) -> &Place {
        match self {
            Self::File(file) => &file.place,
            Self::Dir(dir) => &dir.place,
        }
    }

    /// Returns the answer to `get-type`.
    pub fn get_type(&self) -> DescriptorType {
        match self {
            Self::File(_) => DescriptorType::RegularFile,
            Self::Dir(_) => DescriptorType::Directory,
        }
    }

    /// Returns the answer to `get-flags`. The sync flags are never set, because no descriptor is opened with them.
    pub fn get_flags(&self) -> DescriptorFlags {
        let (mode, write) = match self {
            Self::File(file) => (file.mode, DescriptorFlags::WRITE),
            Self::Dir(dir) => (dir.mode, DescriptorFlags::MUTATE_DIRECTORY),
        };
        let mut flags = DescriptorFlags::empty();
        if mode.read {
            flags |= DescriptorFlags::READ;
        }
        if mode.write {
            flags |= write;
        }
        flags
    }

    /// Answers `is-same-object`: whether both are one object on the host's disk.
    pub fn is_same_object(&self, other: &Self) -> Result<bool, ErrorCode> {
        Ok(self.identity()? == other.identity()?)
    }

    /// Returns the object's device and inode.
    pub fn identity(&self) -> Result<Identity, ErrorCode> {
        self.metadata().map(|metadata| Identity::of(&metadata))
    }

    pub(super) fn metadata(&self) -> Result<cap_std::fs::Metadata, ErrorCode> {
        match self {
            Self::File(file) => cap_std::fs::Metadata::from_file(&file.handle),
            Self::Dir(dir) => dir.handle.dir_metadata(),
        }
        .map_err(|error| code(&error))
    }
}

impl Dir {
    /// Returns the directory itself if its mount may be changed, else `not-permitted`.
    pub(super) fn changeable(&self) -> Result<&Self, ErrorCode> {
        self.place.permit_change().map(|()| self)
    }
}

impl Place {
    /// Returns the mount.
    pub fn mount(&self) -> &Arc<Mount> {
        &self.mount
    }

    /// Returns the path from the mount's root; empty for the root itself. Links and `..` are as the guest wrote them.
    pub fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn permit_change(&self) -> Result<(), ErrorCode> {
        if self.mount.access() == Access::ReadWrite { Ok(()) } else { Err(ErrorCode::NotPermitted) }
    }

    pub(super) fn is_in_mount_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.mount, &other.mount)
    }
}
