//! One script of calls, two worlds that answer it: ours and wasmtime's. Answers are compared as text.

use std::fmt::Debug;

use wasmtime_wasi::p2::bindings::sync::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, ErrorCode, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};

use super::super::{self as files, Descriptor};

/// A call on the descriptors opened so far; number 0 is the mount's root.
#[derive(Clone, Debug)]
pub enum Call {
    Open(usize, PathFlags, String, OpenFlags, DescriptorFlags),
    GetFlags(usize),
    GetType(usize),
    Stat(usize),
    StatAt(usize, PathFlags, String),
    SetTimes(usize, NewTimestamp, NewTimestamp),
    SetTimesAt(usize, PathFlags, String, NewTimestamp, NewTimestamp),
    Read(usize, u64, u64),
    Write(usize, Vec<u8>, u64),
    SetSize(usize, u64),
    ReadDirectory(usize),
    CreateDirectory(usize, String),
    RemoveDirectory(usize, String),
    Unlink(usize, String),
    Symlink(usize, String, String),
    Readlink(usize, String),
    Link(usize, PathFlags, String, usize, String),
    Rename(usize, String, usize, String),
    Advise(usize, u64, u64),
    Sync(usize),
    SyncData(usize),
    SameObject(usize, usize),
    /// Whether an object's hash is that of what a path names, which is all a guest may rely on.
    SameHash(usize, usize, PathFlags, String),
    ReadViaStream(usize),
    WriteViaStream(usize),
    AppendViaStream(usize),
}

pub trait World {
    fn answer(&mut self, call: &Call) -> String;
}

/// Renders an answer for comparison.
pub fn show<T: Debug>(result: Result<T, ErrorCode>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("error {}", error.name()),
    }
}

/// Leaves out of a stat what differs between two folders made one after the other.
pub fn show_stat(result: Result<DescriptorStat, ErrorCode>) -> String {
    show(result.map(|stat| {
        let modified = stat.data_modification_timestamp.filter(|time| time.seconds < 1_000_000_000);
        (stat.type_, stat.link_count, stat.size, modified.map(|time| (time.seconds, time.nanoseconds)))
    }))
}

pub fn pair(hash: MetadataHashValue) -> (u64, u64) {
    (hash.lower, hash.upper)
}

pub struct Ours {
    pub open: Vec<Descriptor>,
}

impl World for Ours {
    fn answer(&mut self, call: &Call) -> String {
        let fd = |index: &usize| &self.open[*index];
        match call {
            Call::Open(dir, path_flags, path, open_flags, flags) => {
                let opened = files::open_at(fd(dir), *path_flags, path, *open_flags, *flags);
                show(opened.map(|descriptor| self.open.push(descriptor)))
            }
            Call::GetFlags(one) => show(Ok(fd(one).get_flags())),
            Call::GetType(one) => show(Ok(fd(one).get_type())),
            Call::Stat(one) => show_stat(files::stat(fd(one))),
            Call::StatAt(dir, flags, path) => show_stat(files::stat_at(fd(dir), *flags, path)),
            Call::SetTimes(one, accessed, modified) => {
                show(files::set_times(fd(one), *accessed, *modified, super::now()))
            }
            Call::SetTimesAt(dir, flags, path, accessed, modified) => {
                show(files::set_times_at(fd(dir), *flags, path, *accessed, *modified, super::now()))
            }
            Call::Read(one, len, offset) => show(files::read(fd(one), *len, *offset, 64 * 1024)),
            Call::Write(one, bytes, offset) => show(files::write(fd(one), bytes, *offset)),
            Call::SetSize(one, size) => show(files::set_size(fd(one), *size).map(drop)),
            Call::ReadDirectory(dir) => show(files::read_directory(fd(dir), 1000).map(|entries| {
                entries.into_iter().map(|entry| show(entry.map(|entry| (entry.name, entry.type_)))).collect::<Vec<_>>()
            })),
            Call::CreateDirectory(dir, path) => show(files::create_directory_at(fd(dir), path)),
            Call::RemoveDirectory(dir, path) => show(files::remove_directory_at(fd(dir), path)),
            Call::Unlink(dir, path) => show(files::unlink_file_at(fd(dir), path)),
            Call::Symlink(dir, target, path) => show(files::symlink_at(fd(dir), target, path)),
            Call::Readlink(dir, path) => show(files::readlink_at(fd(dir), path)),
            Call::Link(old, flags, old_path, new, new_path) => {
                show(files::link_at(fd(old), *flags, old_path, fd(new), new_path))
            }
            Call::Rename(old, old_path, new, new_path) => show(files::rename_at(fd(old), old_path, fd(new), new_path)),
            Call::Advise(one, offset, len) => show(files::advise(fd(one), *offset, *len, Advice::Normal)),
            Call::Sync(one) => show(files::sync(fd(one))),
            Call::SyncData(one) => show(files::sync_data(fd(one))),
            Call::SameObject(one, other) => show(fd(one).is_same_object(fd(other))),
            Call::SameHash(one, dir, flags, path) => {
                let own = files::metadata_hash(fd(one)).expect("an open object has a hash");
                show(files::metadata_hash_at(fd(dir), *flags, path).map(|hash| pair(hash) == pair(own)))
            }
            Call::ReadViaStream(one) => show(fd(one).readable().map(drop)),
            Call::WriteViaStream(one) | Call::AppendViaStream(one) => show(fd(one).writable().map(drop)),
        }
    }
}
