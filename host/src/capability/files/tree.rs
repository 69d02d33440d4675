//! Names in directories: making, linking, moving, removing and listing them.
//!
//! cap-std resolves every path inside its directory; what is added here is each mount's access and the walls
//! between mounts.

use std::borrow::Cow;
use std::io;

use cap_fs_ext::DirExt;
use cap_std::fs::DirEntry;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode, PathFlags};

use super::descriptor::{Descriptor, Dir};
use super::error::code;
use super::stat::{follows, type_of};

/// Answers `create-directory-at`.
pub fn create_directory_at(descriptor: &Descriptor, path: &str) -> Result<(), ErrorCode> {
    descriptor.dir()?.changeable()?.handle.create_dir(path).map_err(|error| code(&error))
}

/// Answers `remove-directory-at`.
pub fn remove_directory_at(descriptor: &Descriptor, path: &str) -> Result<(), ErrorCode> {
    descriptor.dir()?.changeable()?.handle.remove_dir(path).map_err(|error| code(&error))
}

/// Answers `unlink-file-at`; a symbolic link is removed, never what it leads to.
pub fn unlink_file_at(descriptor: &Descriptor, path: &str) -> Result<(), ErrorCode> {
    descriptor.dir()?.changeable()?.handle.remove_file_or_symlink(path).map_err(|error| code(&error))
}

/// Answers `symlink-at`: makes `path` a link to `target`. An absolute target is `not-permitted`; a target that would
/// lead out of the mount can be written, and not followed.
pub fn symlink_at(descriptor: &Descriptor, target: &str, path: &str) -> Result<(), ErrorCode> {
    DirExt::symlink(&descriptor.dir()?.changeable()?.handle, target, path).map_err(|error| code(&error))
}

/// Answers `readlink-at`. An absolute target is `not-permitted`, because it tells of the host; one that is not UTF-8
/// is `illegal-byte-sequence`.
pub fn readlink_at(descriptor: &Descriptor, path: &str) -> Result<String, ErrorCode> {
    let target = descriptor.dir()?.handle.read_link(path).map_err(|error| code(&error))?;
    target.into_os_string().into_string().map_err(|_| ErrorCode::IllegalByteSequence)
}

/// Answers `link-at`.
///
/// # Errors
/// `not-permitted` unless both mounts may be changed, `invalid` for the follow flag, `cross-device` from one mount
/// to another, which would give one file two modes.
pub fn link_at(
    old: &Descriptor,
    old_flags: PathFlags,
    old_path: &str,
    new: &Descriptor,
    new_path: &str,
) -> Result<(), ErrorCode> {
    let (old, new) = changeable_pair(old, new)?;
    if follows(old_flags) {
        return Err(ErrorCode::Invalid);
    }
    stay_in_mount(old, new)?;
    old.handle.hard_link(old_path, &new.handle, new_path).map_err(|error| code(&error))
}

/// Answers `rename-at`.
///
/// # Errors
/// `not-permitted` unless both mounts may be changed, `cross-device` from one mount to another, `not-directory` if
/// either path ends in a slash and the old one names something else than a directory.
pub fn rename_at(old: &Descriptor, old_path: &str, new: &Descriptor, new_path: &str) -> Result<(), ErrorCode> {
    let (old, new) = changeable_pair(old, new)?;
    stay_in_mount(old, new)?;
    // cap-std heeds a slash after the old path only.
    let old_path = if new_path.ends_with('/') && !old_path.is_empty() {
        Cow::Owned(format!("{old_path}/"))
    } else {
        Cow::Borrowed(old_path)
    };
    old.handle.rename(&*old_path, &new.handle, new_path).map_err(|error| code(&error))
}

/// Answers `read-directory` with everything at once, sorted by the bytes of the names, without `.` and `..`.
///
/// A name that is not UTF-8 is an `illegal-byte-sequence` in its place; what vanishes meanwhile is left out.
///
/// # Errors
/// `insufficient-memory` for more than `entries_max` entries.
pub fn read_directory(
    descriptor: &Descriptor,
    entries_max: usize,
) -> Result<Vec<Result<DirectoryEntry, ErrorCode>>, ErrorCode> {
    let listing = descriptor.dir()?.handle.entries().map_err(|error| code(&error))?;
    let mut found = Vec::new();
    for entry in listing {
        if found.len() == entries_max {
            return Err(ErrorCode::InsufficientMemory);
        }
        let entry = entry.map_err(|error| code(&error))?;
        match entry_type(&entry) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            looked => found.push((entry.file_name(), looked.map_err(|error| code(&error)))),
        }
    }
    found.sort_unstable_by(|(one, _), (other, _)| one.as_encoded_bytes().cmp(other.as_encoded_bytes()));
    let entries = found.into_iter().map(|(name, type_)| {
        let name = name.into_string().map_err(|_| ErrorCode::IllegalByteSequence)?;
        Ok(DirectoryEntry { type_: type_?, name })
    });
    Ok(entries.collect())
}

/// The listing knows most types; only where it does not is the entry itself looked at.
fn entry_type(entry: &DirEntry) -> io::Result<DescriptorType> {
    match type_of(entry.file_type()?) {
        DescriptorType::Unknown => entry.metadata().map(|metadata| type_of(metadata.file_type())),
        known => Ok(known),
    }
}

fn changeable_pair<'a>(old: &'a Descriptor, new: &'a Descriptor) -> Result<(&'a Dir, &'a Dir), ErrorCode> {
    let (old, new) = (old.dir()?, new.dir()?);
    Ok((old.changeable()?, new.changeable()?))
}

fn stay_in_mount(old: &Dir, new: &Dir) -> Result<(), ErrorCode> {
    if old.place.is_in_mount_of(&new.place) { Ok(()) } else { Err(ErrorCode::CrossDevice) }
}
