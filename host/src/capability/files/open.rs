//! `open-at`: the only place, besides the mounts themselves, where a guest gets something to hold.

use std::sync::Arc;

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt, OpenOptionsMaybeDirExt, OpenOptionsSyncExt};
use cap_std::fs::{Metadata, OpenOptions};
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

use super::descriptor::{Descriptor, Dir, File, Mode, Place};
use super::error::code;
use super::stat::{follows, is_special, metadata_at};

/// The longest path from a mount's root that a descriptor remembers, in bytes. A guest that opens directory from
/// directory could otherwise make it grow without end.
pub const PLACE_BYTES_MAX: usize = 16 * 1024;

/// Opens a file or directory at a path relative to `descriptor`.
///
/// # Errors
/// - `not-directory`: `descriptor` is a file, or `directory` was asked for and something else is there.
/// - `unsupported`: a sync flag, or the path names a pipe, a socket or a device.
/// - `invalid`: `directory` together with `create`, `exclusive` or `truncate`.
/// - `not-permitted`: writing, creating or truncating in a read-only mount; a path that leaves the directory.
/// - `name-too-long`: the place is more than [`PLACE_BYTES_MAX`] bytes from the root of its mount.
/// - otherwise what the operating system says.
pub fn open_at(
    descriptor: &Descriptor,
    path_flags: PathFlags,
    path: &str,
    open_flags: OpenFlags,
    flags: DescriptorFlags,
) -> Result<Descriptor, ErrorCode> {
    let dir = descriptor.dir()?;
    refuse_flags(open_flags, flags)?;
    let mode = mode(open_flags, flags);
    if mode.write {
        dir.changeable()?;
    }
    let place = place_below(dir, path)?;
    // Some devices act on being opened, so they are not. An error here is left to the opening itself to report.
    if metadata_at(dir, follows(path_flags), path).is_ok_and(|metadata| is_special(&metadata)) {
        return Err(ErrorCode::Unsupported);
    }
    let options = options(path_flags, open_flags, mode);
    let handle = dir.handle.open_with(path, &options).map_err(|error| code(&error))?.into_std();
    admit(handle, place, mode, open_flags)
}

/// Makes a descriptor of what was opened, once it is known what that is.
fn admit(handle: std::fs::File, place: Place, mode: Mode, open_flags: OpenFlags) -> Result<Descriptor, ErrorCode> {
    let metadata = Metadata::from_file(&handle).map_err(|error| code(&error))?;
    if metadata.is_dir() {
        if cfg!(windows) && mode.write {
            return Err(ErrorCode::IsDirectory);
        }
        let handle = cap_std::fs::Dir::from_std_file(handle);
        return Ok(Descriptor::Dir(Arc::new(Dir { handle, place, mode })));
    }
    if is_special(&metadata) {
        return Err(ErrorCode::Unsupported);
    }
    if open_flags.contains(OpenFlags::DIRECTORY) {
        return Err(ErrorCode::NotDirectory);
    }
    Ok(Descriptor::File(Arc::new(File { handle, place, mode })))
}

fn refuse_flags(open_flags: OpenFlags, flags: DescriptorFlags) -> Result<(), ErrorCode> {
    let sync = DescriptorFlags::FILE_INTEGRITY_SYNC
        | DescriptorFlags::DATA_INTEGRITY_SYNC
        | DescriptorFlags::REQUESTED_WRITE_SYNC;
    if (flags & sync) != DescriptorFlags::empty() {
        return Err(ErrorCode::Unsupported);
    }
    let making = OpenFlags::CREATE | OpenFlags::EXCLUSIVE | OpenFlags::TRUNCATE;
    if open_flags.contains(OpenFlags::DIRECTORY) && (open_flags & making) != OpenFlags::empty() {
        return Err(ErrorCode::Invalid);
    }
    Ok(())
}

/// What is not opened for writing is opened for reading, even if the guest asked for neither.
fn mode(open_flags: OpenFlags, flags: DescriptorFlags) -> Mode {
    let asks_write = flags.contains(DescriptorFlags::WRITE);
    Mode {
        read: flags.contains(DescriptorFlags::READ) || !asks_write,
        write: asks_write || open_flags.contains(OpenFlags::CREATE) || open_flags.contains(OpenFlags::TRUNCATE),
    }
}

fn options(path_flags: PathFlags, open_flags: OpenFlags, mode: Mode) -> OpenOptions {
    let create = open_flags.contains(OpenFlags::CREATE);
    let exclusive = open_flags.contains(OpenFlags::EXCLUSIVE);
    let mut options = OpenOptions::new();
    options
        .read(mode.read)
        .write(mode.write)
        .create(create && !exclusive)
        .create_new(create && exclusive)
        .truncate(open_flags.contains(OpenFlags::TRUNCATE))
        .follow(if follows(path_flags) { FollowSymlinks::Yes } else { FollowSymlinks::No })
        .maybe_dir(true)
        // A pipe that is swapped in after the look above must not make the host wait for its other end.
        .nonblock(cfg!(unix));
    options
}

fn place_below(dir: &Dir, path: &str) -> Result<Place, ErrorCode> {
    Ok(Place { mount: Arc::clone(&dir.place.mount), path: joined(&dir.place.path, path)? })
}

/// Returns the path of what `path` names from the folder at `folder`.
pub(super) fn joined(folder: &str, path: &str) -> Result<String, ErrorCode> {
    let mut joined = folder.to_owned();
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if joined.len() + 1 + part.len() > PLACE_BYTES_MAX {
            return Err(ErrorCode::NameTooLong);
        }
        if !joined.is_empty() {
            joined.push('/');
        }
        joined.push_str(part);
    }
    Ok(joined)
}
