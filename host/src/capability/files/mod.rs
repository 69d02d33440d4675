//! The file layer under our own `wasi:filesystem`: mounts, descriptors and every operation on them, on cap-std.
//!
//! Promises: a guest reaches only what lies under its mounts, whatever paths, links or renames it thinks of; a
//! read-only mount never yields a descriptor that can write; no call blocks on a pipe or a device; every length,
//! listing and path has a limit. Results and error codes are those of wasmtime-wasi's own filesystem, which the
//! tests compare call by call. The exceptions are deliberate:
//!
//! - Special files (pipes, sockets, devices) are listed and can be looked at, but not opened: `unsupported`.
//! - `rename-at` and `link-at` from one mount to another are `cross-device`.
//! - Listings are sorted by the bytes of the names, so that they do not depend on the file system.
//! - `advise` checks its arguments and does nothing else.
//! - Where wasmtime says `io` for want of a better code, we say `cross-device`, `read-only`, `quota` and so on.
//!
//! Everything here is synchronous and touches the disk. Judging, recording, quotas and streams are left to the
//! callers; what they need for it (growth, append offsets, what was there before) is answered here.

mod before;
mod content;
mod descriptor;
mod error;
mod lost;
mod mounts;
mod open;
mod stat;
mod tree;

#[cfg(all(test, unix))]
mod tests;

pub use crate::scope::Access;
pub use before::{Before, Identity, Kind, Once, Seen, Standing, before, standing};
pub use content::{
    Appended, advise, append, append_again, end, growth, read, read_at, set_size, sync, sync_data, write, write_all_at,
};
pub use descriptor::{Descriptor, Dir, File, Mode, Place};
pub use error::code;
pub use lost::{Lost, path_below};
pub use mounts::{Error, Mount, MountSpec, Mounts};
pub use open::{PLACE_BYTES_MAX, open_at};
pub use stat::{metadata_hash, metadata_hash_at, set_times, set_times_at, stat, stat_at};
pub use tree::{
    create_directory_at, link_at, read_directory, readlink_at, remove_directory_at, rename_at, symlink_at,
    unlink_file_at,
};
