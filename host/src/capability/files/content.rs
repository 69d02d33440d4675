//! What files hold: reading, writing, size, and getting it to the disk.
//!
//! Writing asks the mount first, the operating system second: a file opened for reading only answers
//! `bad-descriptor` to a write, in a read-write mount as under wasmtime.

use std::fs::File as Handle;
use std::io;

use cap_std::fs::OpenOptions;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{Advice, ErrorCode};

use super::descriptor::{Descriptor, Dir, File};
use super::error::code;

/// What an append did. Its offset is what makes it repeatable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    pub offset: u64,
    /// Bytes written: all of them.
    pub written: u64,
}

/// Answers `read`: at most `len` and at most `len_max` bytes from `offset`, and whether the end was reached.
///
/// The guest chooses `len`, so `len_max` is what bounds the allocation (wasmtime takes 64 KiB).
pub fn read(descriptor: &Descriptor, len: u64, offset: u64, len_max: usize) -> Result<(Vec<u8>, bool), ErrorCode> {
    let bytes = read_at(descriptor.file()?, len, offset, len_max)?;
    let at_end = bytes.is_empty();
    Ok((bytes, at_end))
}

/// Reads from a file as its stream does; nothing at the end. Limits as in [`read`].
pub fn read_at(file: &File, len: u64, offset: u64, len_max: usize) -> Result<Vec<u8>, ErrorCode> {
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX).min(len_max)];
    let read = uninterrupted(|| positioned_read(&file.handle, &mut bytes, offset))?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Answers `write`: writes at `offset` and returns the bytes written, which may be fewer than given.
pub fn write(descriptor: &Descriptor, bytes: &[u8], offset: u64) -> Result<u64, ErrorCode> {
    let file = descriptor.writable()?;
    uninterrupted(|| positioned_write(&file.handle, bytes, offset)).map(count)
}

/// Writes all of `bytes` at `offset`, as `write-via-stream` does, and returns their number.
///
/// After an error some of them may have been written; writing the same again is harmless.
pub fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> Result<u64, ErrorCode> {
    file.place.permit_change()?;
    let mut rest = bytes;
    let mut position = offset;
    loop {
        let written = uninterrupted(|| positioned_write(&file.handle, rest, position))?;
        rest = &rest[written..];
        if rest.is_empty() {
            return Ok(count(bytes.len()));
        }
        if written == 0 {
            return Err(ErrorCode::Io);
        }
        position = position.checked_add(count(written)).ok_or(ErrorCode::FileTooLarge)?;
    }
}

/// Writes all of `bytes` at the file's end, as `append-via-stream` does.
///
/// The end is looked up first and the bytes go to that offset, so that a repetition can name it. Two programs that
/// append to one file at once can therefore overwrite each other.
pub fn append(file: &File, bytes: &[u8]) -> Result<Appended, ErrorCode> {
    let offset = size(file)?;
    Ok(Appended { offset, written: write_all_at(file, bytes, offset)? })
}

/// Returns where the file ends.
pub fn end(file: &File) -> Result<u64, ErrorCode> {
    size(file)
}

/// Writes all of `bytes` where an append is due that may have been made before, at `at`: once, whatever of it is there.
/// Returns where it was made; at the end of the file, if what is there is not its own.
pub fn append_again(file: &File, bytes: &[u8], at: u64) -> Result<Appended, ErrorCode> {
    let there = size(file)?.saturating_sub(at).min(bytes.len() as u64);
    let found = read_at(file, there, at, bytes.len())?;
    match bytes.starts_with(&found) && found.len() as u64 == there {
        true => Ok(Appended { offset: at, written: write_all_at(file, bytes, at)? }),
        false => append(file, bytes),
    }
}

/// Answers `set-size` and returns by how many bytes the file grew.
pub fn set_size(descriptor: &Descriptor, size: u64) -> Result<u64, ErrorCode> {
    let file = descriptor.writable()?;
    let grown = growth(file, size)?;
    file.handle.set_len(size).map_err(|error| code(&error))?;
    Ok(grown)
}

/// Returns by how many bytes the file would grow if it reached to `end`. Holes count: a guest may fill them later
/// without the file growing again.
///
/// # Errors
/// `invalid` for an end beyond 2^63, which no file reaches: nobody should be charged for asking.
pub fn growth(file: &File, end: u64) -> Result<u64, ErrorCode> {
    i64::try_from(end).map_err(|_| ErrorCode::Invalid)?;
    size(file).map(|size| end.saturating_sub(size))
}

/// Answers `advise`: checks as Linux does, and leaves the page cache to the operating system.
pub fn advise(descriptor: &Descriptor, _offset: u64, len: u64, _advice: Advice) -> Result<(), ErrorCode> {
    descriptor.file()?;
    i64::try_from(len).map(drop).map_err(|_| ErrorCode::Invalid)
}

/// Answers `sync`: returns when data and metadata are on the disk.
pub fn sync(descriptor: &Descriptor) -> Result<(), ErrorCode> {
    flush(descriptor, Handle::sync_all)
}

/// Answers `sync-data`: returns when the data is on the disk.
pub fn sync_data(descriptor: &Descriptor) -> Result<(), ErrorCode> {
    flush(descriptor, Handle::sync_data)
}

fn flush(descriptor: &Descriptor, flush: fn(&Handle) -> io::Result<()>) -> Result<(), ErrorCode> {
    match descriptor {
        Descriptor::File(file) => flush(&file.handle),
        Descriptor::Dir(dir) => reopened(dir).and_then(|handle| flush(&handle)),
    }
    .or_else(|error| if cannot_flush_unwritable(&error) { Ok(()) } else { Err(code(&error)) })
}

/// A directory's handle may be good for path lookup only; what is flushed must be open for reading.
fn reopened(dir: &Dir) -> io::Result<Handle> {
    dir.handle.open_with(".", OpenOptions::new().read(true)).map(cap_std::fs::File::into_std)
}

/// Windows refuses to flush what is not open for writing; POSIX does not.
fn cannot_flush_unwritable(error: &io::Error) -> bool {
    cfg!(windows) && error.kind() == io::ErrorKind::PermissionDenied
}

fn size(file: &File) -> Result<u64, ErrorCode> {
    file.handle.metadata().map(|metadata| metadata.len()).map_err(|error| code(&error))
}

fn uninterrupted(mut act: impl FnMut() -> io::Result<usize>) -> Result<usize, ErrorCode> {
    loop {
        match act() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done.map_err(|error| code(&error)),
        }
    }
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(unix)]
fn positioned_read(handle: &Handle, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(handle, bytes, offset)
}

#[cfg(unix)]
fn positioned_write(handle: &Handle, bytes: &[u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::write_at(handle, bytes, offset)
}

#[cfg(windows)]
fn positioned_read(handle: &Handle, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(handle, bytes, offset)
}

#[cfg(windows)]
fn positioned_write(handle: &Handle, bytes: &[u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_write(handle, bytes, offset)
}
