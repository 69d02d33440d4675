//! Entries stored together: the bytes of a segment, and of a commit, which is segments one after the other.
//!
//! A segment says where it stands (run, number, first entry, the run's commit before), carries what its entries count
//! from and the functions they name first, then the entries, then its head. FORMAT.md draws it byte by byte.

use std::borrow::Cow;

use super::chain::{self, Seal};
use super::entry::FunctionDef;
use super::error::Error;
use super::varint::{self, Cursor};
use crate::digest::Digest;
use crate::id::RunId;

/// The format of the segments this build writes.
const VERSION: u8 = 1;
const COMPRESSED: u8 = 0b0000_0001;
const SEALED: u8 = 0b0000_0010;
const KNOWN_FLAGS: u8 = COMPRESSED | SEALED;

/// The longest body a reader unpacks. The largest entry has two lists of 16,384 chunks and a full extension.
pub(super) const BODY_MAX: usize = 4 * 1024 * 1024;

/// A row of the log takes another segment while it stays within this many bytes: one of redb's pages of 64 KiB, less what
/// redb adds.
pub(super) const ROW_BYTES: usize = 64 * 1024 - 64;

/// Bodies below this are not worth compressing.
const COMPRESS_MIN: usize = 256;

/// Where a segment stands in its run, and what its entries count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub run: RunId,
    pub number: u64,
    pub first_entry: u64,
    pub count: u64,
    /// The commit of the run's segments before those of this commit.
    pub previous_commit: Option<u64>,
    pub fuel: u64,
    pub time_us: u64,
    /// Fuel used between the first and the last entry.
    pub fuel_used: u64,
}

/// Writes segments, reusing its buffers.
pub(super) struct Builder {
    compressor: zstd::bulk::Compressor<'static>,
    packed: Vec<u8>,
    segment: Vec<u8>,
}

impl Builder {
    pub fn new() -> Result<Self, Error> {
        let compressor = zstd::bulk::Compressor::new(-1).map_err(Error::io)?;
        Ok(Self { compressor, packed: Vec::new(), segment: Vec::new() })
    }

    /// Makes a segment, which is then [`Builder::segment`], and returns its head.
    pub fn build(
        &mut self,
        position: &Position,
        definitions: &[FunctionDef],
        body: &[u8],
        previous_head: &Digest,
        seal: Option<&dyn Fn(&Digest) -> Seal>,
    ) -> Digest {
        let compressed = self.pack(body);
        let flags = if compressed { COMPRESSED } else { 0 } | if seal.is_some() { SEALED } else { 0 };
        self.segment.clear();
        put_position(&mut self.segment, flags, position);
        put_definitions(&mut self.segment, definitions);
        varint::put(&mut self.segment, body.len() as u64);
        varint::put_bytes(&mut self.segment, if compressed { &self.packed } else { body });
        let head = chain::next(previous_head, &self.segment);
        self.segment.extend_from_slice(head.as_bytes());
        if let Some(seal) = seal.map(|seal| seal(&head)) {
            self.segment.extend_from_slice(&seal.key);
            self.segment.extend_from_slice(&seal.signature);
        }
        head
    }

    /// Returns the segment that was made last.
    pub fn segment(&self) -> &[u8] {
        &self.segment
    }

    /// Compresses `body` into `packed` and says whether that paid.
    fn pack(&mut self, body: &[u8]) -> bool {
        if body.len() < COMPRESS_MIN {
            return false;
        }
        self.packed.clear();
        self.packed.reserve(zstd::zstd_safe::compress_bound(body.len()));
        self.compressor.compress_to_buffer(body, &mut self.packed).is_ok_and(|len| len < body.len())
    }
}

fn put_position(segment: &mut Vec<u8>, flags: u8, position: &Position) {
    segment.extend_from_slice(position.run.as_bytes());
    segment.push(VERSION << 4 | flags);
    varint::put(segment, position.number);
    varint::put(segment, position.first_entry);
    varint::put(segment, position.count);
    varint::put(segment, position.previous_commit.map_or(0, |commit| commit + 1));
    varint::put(segment, position.fuel);
    varint::put(segment, position.time_us);
    varint::put(segment, position.fuel_used);
}

fn put_definitions(segment: &mut Vec<u8>, definitions: &[FunctionDef]) {
    varint::put(segment, definitions.len() as u64);
    for definition in definitions {
        segment.push(definition.class);
        varint::put_bytes(segment, definition.name.as_bytes());
    }
}

/// A segment, taken apart but not unpacked.
#[derive(Clone, Debug)]
pub(super) struct Segment<'a> {
    pub position: Position,
    pub definitions: Vec<FunctionDef>,
    pub body_len: usize,
    pub packed: bool,
    pub stored: &'a [u8],
    /// The bytes the head covers.
    pub covered: &'a [u8],
    pub head: Digest,
    pub seal: Option<Seal>,
}

impl<'a> Segment<'a> {
    /// Takes a segment apart.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(bytes, "a segment");
        let run = RunId::from_bytes(cursor.array()?);
        let flags = flags(cursor.byte()?)?;
        let position = take_position(&mut cursor, run)?;
        let definitions = take_definitions(&mut cursor)?;
        let body_len = body_len(cursor.number()?)?;
        let stored = cursor.bytes()?;
        let covered = &bytes[..bytes.len() - cursor.rest().len()];
        let head = Digest::from_bytes(cursor.array()?);
        let seal = take_seal(&mut cursor, flags)?;
        if !cursor.is_empty() {
            return Err(Error::damaged("a segment is longer than it says"));
        }
        let packed = flags & COMPRESSED != 0;
        Ok(Self { position, definitions, body_len, packed, stored, covered, head, seal })
    }

    /// Unpacks the entries into `body`.
    pub fn unpack(&self, body: &mut Vec<u8>) -> Result<(), Error> {
        body.clear();
        if self.packed {
            body.resize(self.body_len, 0);
            let len = zstd::bulk::decompress_to_buffer(self.stored, body)
                .map_err(|error| Error::damaged(format_args!("a segment does not decompress: {error}")))?;
            body.truncate(len);
        } else {
            body.extend_from_slice(self.stored);
        }
        if body.len() == self.body_len {
            Ok(())
        } else {
            Err(Error::damaged("the body of a segment has not the length it says"))
        }
    }
}

fn flags(byte: u8) -> Result<u8, Error> {
    let (version, flags) = (byte >> 4, byte & 0x0f);
    if version > VERSION {
        return Err(Error::NewerFormat { found: version.into(), supported: VERSION.into() });
    }
    if version == VERSION && flags & !KNOWN_FLAGS == 0 {
        Ok(flags)
    } else {
        Err(Error::damaged(format_args!("a segment has the unknown tag {byte:#04x}")))
    }
}

fn take_position(cursor: &mut Cursor<'_>, run: RunId) -> Result<Position, Error> {
    Ok(Position {
        run,
        number: cursor.number()?,
        first_entry: cursor.number()?,
        count: cursor.number()?,
        previous_commit: cursor.number()?.checked_sub(1),
        fuel: cursor.number()?,
        time_us: cursor.number()?,
        fuel_used: cursor.number()?,
    })
}

fn take_definitions(cursor: &mut Cursor<'_>) -> Result<Vec<FunctionDef>, Error> {
    let mut definitions = Vec::new();
    for _ in 0..cursor.number()? {
        let class = cursor.byte()?;
        let name = std::str::from_utf8(cursor.bytes()?);
        let name = name.map_err(|_| Error::damaged("a function's name is not UTF-8"))?;
        definitions.push(FunctionDef { name: Cow::Owned(name.to_owned()), class });
    }
    Ok(definitions)
}

fn body_len(len: u64) -> Result<usize, Error> {
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    if len <= BODY_MAX { Ok(len) } else { Err(Error::damaged(format_args!("a segment claims {len} bytes of entries"))) }
}

fn take_seal(cursor: &mut Cursor<'_>, flags: u8) -> Result<Option<Seal>, Error> {
    if flags & SEALED == 0 {
        return Ok(None);
    }
    Ok(Some(Seal { key: cursor.array()?, signature: cursor.array()? }))
}

/// Goes over the segments of one commit.
pub(super) fn of_commit(row: &[u8]) -> impl Iterator<Item = Result<&[u8], Error>> {
    let mut cursor = Cursor::new(row, "a commit");
    let mut failed = false;
    std::iter::from_fn(move || {
        if failed || cursor.is_empty() {
            return None;
        }
        let segment = cursor.bytes();
        failed = segment.is_err();
        Some(segment)
    })
}

/// Says whether a segment belongs to `run`, without taking it apart.
pub(super) fn is_of(segment: &[u8], run: RunId) -> bool {
    segment.starts_with(run.as_bytes())
}
