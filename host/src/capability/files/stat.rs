//! Looking at files without reading them, and setting their times.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, SystemTime};

use cap_fs_ext::{DirExt, FileTypeExt, MetadataExt, SystemTimeSpec};
use cap_std::fs::{FileType, Metadata};
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{
    DescriptorStat, DescriptorType, ErrorCode, MetadataHashValue, NewTimestamp, PathFlags,
};

use super::before::Identity;
use super::descriptor::{Descriptor, Dir};
use super::error::code;

/// Answers `stat`.
pub fn stat(descriptor: &Descriptor) -> Result<DescriptorStat, ErrorCode> {
    descriptor.metadata().map(|metadata| stat_of(&metadata))
}

/// Answers `stat-at`.
pub fn stat_at(descriptor: &Descriptor, path_flags: PathFlags, path: &str) -> Result<DescriptorStat, ErrorCode> {
    metadata_at(descriptor.dir()?, follows(path_flags), path).map(|metadata| stat_of(&metadata))
}

/// Answers `metadata-hash`: the same for two descriptors of one object, and nothing of the host's numbers in it.
pub fn metadata_hash(descriptor: &Descriptor) -> Result<MetadataHashValue, ErrorCode> {
    descriptor.metadata().map(|metadata| hash_of(&metadata))
}

/// Answers `metadata-hash-at`.
pub fn metadata_hash_at(
    descriptor: &Descriptor,
    path_flags: PathFlags,
    path: &str,
) -> Result<MetadataHashValue, ErrorCode> {
    metadata_at(descriptor.dir()?, follows(path_flags), path).map(|metadata| hash_of(&metadata))
}

/// Sets the times of an open object. `now` is what `new-timestamp::now` stands for.
///
/// # Errors
/// `overflow` for a time beyond the host's range, `not-permitted` in a read-only mount.
pub fn set_times(
    descriptor: &Descriptor,
    accessed: NewTimestamp,
    modified: NewTimestamp,
    now: SystemTime,
) -> Result<(), ErrorCode> {
    let mut times = std::fs::FileTimes::new();
    if let Some(time) = system_time(accessed, now)? {
        times = times.set_accessed(time);
    }
    if let Some(time) = system_time(modified, now)? {
        times = times.set_modified(time);
    }
    descriptor.place().permit_change()?;
    match descriptor {
        Descriptor::File(file) => file.handle.set_times(times),
        // A mount's root is open for path lookup only, and the operating system then answers `bad-descriptor`.
        Descriptor::Dir(dir) => dir.handle.try_clone().and_then(|dir| dir.into_std_file().set_times(times)),
    }
    .map_err(|error| code(&error))
}

/// Sets the times of what a path names. `now` is what `new-timestamp::now` stands for.
///
/// # Errors
/// As [`set_times`]; `unsupported` for a pipe, a socket or a device, which would have to be opened for it.
pub fn set_times_at(
    descriptor: &Descriptor,
    path_flags: PathFlags,
    path: &str,
    accessed: NewTimestamp,
    modified: NewTimestamp,
    now: SystemTime,
) -> Result<(), ErrorCode> {
    let dir = descriptor.dir()?;
    let spec = |time| SystemTimeSpec::Absolute(cap_std::time::SystemTime::from_std(time));
    let accessed = system_time(accessed, now)?.map(spec);
    let modified = system_time(modified, now)?.map(spec);
    let dir = dir.changeable()?;
    if !follows(path_flags) {
        return dir.handle.set_symlink_times(path, accessed, modified).map_err(|error| code(&error));
    }
    if metadata_at(dir, true, path).is_ok_and(|metadata| is_special(&metadata)) {
        return Err(ErrorCode::Unsupported);
    }
    DirExt::set_times(&dir.handle, path, accessed, modified).map_err(|error| code(&error))
}

pub(super) fn follows(path_flags: PathFlags) -> bool {
    path_flags.contains(PathFlags::SYMLINK_FOLLOW)
}

/// Looks at a path without opening what it names.
pub(super) fn metadata_at(dir: &Dir, follow: bool, path: &str) -> Result<Metadata, ErrorCode> {
    if follow { dir.handle.metadata(path) } else { dir.handle.symlink_metadata(path) }.map_err(|error| code(&error))
}

/// Whether this is neither file, directory nor symbolic link, so that opening it could block or set something off.
pub(super) fn is_special(metadata: &Metadata) -> bool {
    !metadata.is_file() && !metadata.is_dir() && !metadata.is_symlink()
}

pub(super) fn type_of(file_type: FileType) -> DescriptorType {
    if file_type.is_dir() {
        DescriptorType::Directory
    } else if file_type.is_symlink() {
        DescriptorType::SymbolicLink
    } else if file_type.is_file() {
        DescriptorType::RegularFile
    } else if file_type.is_block_device() {
        DescriptorType::BlockDevice
    } else if file_type.is_char_device() {
        DescriptorType::CharacterDevice
    } else {
        DescriptorType::Unknown
    }
}

fn stat_of(metadata: &Metadata) -> DescriptorStat {
    let datetime =
        |time: std::io::Result<cap_std::time::SystemTime>| time.ok().and_then(|time| datetime(time.into_std()));
    DescriptorStat {
        type_: type_of(metadata.file_type()),
        link_count: metadata.nlink(),
        size: metadata.len(),
        data_access_timestamp: datetime(metadata.accessed()),
        data_modification_timestamp: datetime(metadata.modified()),
        // wasmtime answers with the time of creation here, and guests have learnt to live with it.
        status_change_timestamp: datetime(metadata.created()),
    }
}

/// Returns nothing for a time before 1970, which WASI cannot express.
fn datetime(time: SystemTime) -> Option<Datetime> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Datetime { seconds: since.as_secs(), nanoseconds: since.subsec_nanos() })
}

/// Hashes as wasmtime does: 64 bits over device and inode, and the same again under a mask.
fn hash_of(metadata: &Metadata) -> MetadataHashValue {
    const MASK: u64 = 0x4009_21fb_5444_2d18;
    let Identity { device, inode } = Identity::of(metadata);
    let mut hasher = DefaultHasher::new();
    (device, inode).hash(&mut hasher);
    let lower = hasher.finish();
    MetadataHashValue { lower, upper: lower ^ MASK }
}

/// Returns the time to set, if any; guest-chosen seconds and nanoseconds may add up to more than there is.
fn system_time(timestamp: NewTimestamp, now: SystemTime) -> Result<Option<SystemTime>, ErrorCode> {
    const NANOSECONDS: u32 = 1_000_000_000;
    let Datetime { seconds, nanoseconds } = match timestamp {
        NewTimestamp::NoChange => return Ok(None),
        // cap-std takes no time before 1970.
        NewTimestamp::Now => return Ok(Some(now.max(SystemTime::UNIX_EPOCH))),
        NewTimestamp::Timestamp(datetime) => datetime,
    };
    let whole = seconds.checked_add(u64::from(nanoseconds / NANOSECONDS)).ok_or(ErrorCode::Overflow)?;
    let since = Duration::new(whole, nanoseconds % NANOSECONDS);
    SystemTime::UNIX_EPOCH.checked_add(since).map(Some).ok_or(ErrorCode::Overflow)
}
