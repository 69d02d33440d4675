//! The row of a run: who owns it, how far it was known to have come, and its header.

use redb::ReadableTable;

use super::entry::Part;
use super::error::Error;
use super::packed::Packed;
use super::store::Store;
use super::varint::{self, Cursor};
use super::{blob, tables};
use crate::digest::Digest;
use crate::id::RunId;

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    pub entries: u64,
    pub segments: u64,
    pub fuel: u64,
    /// Bytes of its header and segments on disk.
    pub bytes: u64,
}

/// The row of a run. `extent` is as of its last state, its writer's end, or recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Counts the owners; an append of an earlier owner is refused.
    pub epoch: u64,
    pub extent: Extent,
    /// The blobs that were given with the header.
    pub blobs: Vec<Digest>,
    pub state: Option<StateBody>,
    pub header: Packed,
}

/// The params of the last state entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StateBody {
    Inline(Vec<u8>),
    Chunked(Vec<u8>),
}

impl StateBody {
    /// Takes the params of a state entry.
    pub fn of(part: Part<'_>) -> Self {
        match part {
            Part::Inline(json) => Self::Inline(json.to_vec()),
            Part::Chunked(list) => Self::Chunked(list.to_vec()),
        }
    }

    /// Returns the JSON.
    ///
    /// # Errors
    /// What keeps the file from being read.
    pub fn json(self, store: &Store) -> Result<Vec<u8>, Error> {
        match self {
            Self::Inline(json) => Ok(json),
            Self::Chunked(list) => store.reading(|read| blob::join(&read.open_table(tables::BLOBS)?, &list)),
        }
    }
}

impl Row {
    /// Returns the bytes of the row of `run`.
    pub fn encode(&self, run: RunId) -> Vec<u8> {
        let mut row = Vec::with_capacity(256);
        let Extent { entries, segments, fuel, bytes } = self.extent;
        for number in [self.epoch, entries, segments, fuel, bytes, self.blobs.len() as u64] {
            varint::put(&mut row, number);
        }
        self.blobs.iter().for_each(|blob| row.extend_from_slice(blob.as_bytes()));
        let (tag, state) = match &self.state {
            None => (0, &[][..]),
            Some(StateBody::Inline(bytes)) => (1, &bytes[..]),
            Some(StateBody::Chunked(list)) => (2, &list[..]),
        };
        row.push(tag);
        varint::put_bytes(&mut row, state);
        self.header.encode(&mut row);
        let check = check(run, &row);
        row.extend_from_slice(&check);
        row
    }

    /// Reads the bytes of the row of `run`.
    pub fn decode(run: RunId, bytes: &[u8]) -> Result<Self, Error> {
        let (bytes, found) = bytes.split_last_chunk().ok_or_else(|| Error::damaged("the row of a run ends early"))?;
        if check(run, bytes) != *found {
            return Err(Error::damaged("the row of a run does not fit its check"));
        }
        let mut cursor = Cursor::new(bytes, "the row of a run");
        let epoch = cursor.number()?;
        let extent = Extent {
            entries: cursor.number()?,
            segments: cursor.number()?,
            fuel: cursor.number()?,
            bytes: cursor.number()?,
        };
        let mut blobs = Vec::new();
        for _ in 0..cursor.number()? {
            blobs.push(Digest::from_bytes(cursor.array()?));
        }
        let (tag, state) = (cursor.byte()?, cursor.bytes()?.to_vec());
        let state = match tag {
            0 => None,
            1 => Some(StateBody::Inline(state)),
            2 => Some(StateBody::Chunked(state)),
            _ => return Err(Error::damaged(format_args!("a run has the unknown state tag {tag}"))),
        };
        Ok(Self { epoch, extent, blobs, state, header: Packed::decode(&mut cursor)? })
    }
}

/// Returns the check at the end of a row: the beginning of the SHA-256 of run id and row. Unlike segments, rows are not chained, and a
/// flipped bit in a count or a label would otherwise be believed.
fn check(run: RunId, row: &[u8]) -> [u8; 8] {
    *Digest::of_parts(&[run.as_bytes(), row]).as_bytes().first_chunk().expect("a digest has 32 bytes")
}

/// Returns the row of a run.
pub(super) fn load(runs: &impl ReadableTable<&'static [u8; 16], &'static [u8]>, run: RunId) -> Result<Row, Error> {
    let row = runs.get(run.as_bytes())?.ok_or(Error::NoSuchRun(run))?;
    Row::decode(run, row.value())
}
