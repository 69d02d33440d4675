//! Bytes stored compressed when that makes them shorter: headers and blobs.

use super::PAYLOAD_MAX;
use super::error::Error;
use super::varint::{self, Cursor};

/// Bytes as they are stored: their length, then the bytes, compressed if that is shorter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    len: usize,
    stored: Vec<u8>,
}

impl Packed {
    /// Compresses `bytes` when that pays.
    pub fn new(bytes: &[u8]) -> Self {
        let stored = match zstd::bulk::compress(bytes, 1) {
            Ok(packed) if packed.len() < bytes.len() => packed,
            _ => bytes.to_vec(),
        };
        Self { len: bytes.len(), stored }
    }

    /// Returns how many bytes are stored.
    pub fn stored_len(&self) -> u64 {
        self.stored.len() as u64
    }

    pub fn encode(&self, to: &mut Vec<u8>) {
        varint::put(to, self.len as u64);
        to.extend_from_slice(&self.stored);
    }

    /// Takes all that is left of `cursor`.
    pub fn decode(cursor: &mut Cursor<'_>) -> Result<Self, Error> {
        let len = usize::try_from(cursor.number()?).ok().filter(|len| *len <= PAYLOAD_MAX);
        let len = len.ok_or_else(|| Error::damaged("something claims to be longer than a payload may be"))?;
        let stored = cursor.take(cursor.rest().len())?.to_vec();
        Ok(Self { len, stored })
    }

    /// Returns the bytes as they were.
    pub fn unpack(&self) -> Result<Vec<u8>, Error> {
        if self.stored.len() == self.len {
            return Ok(self.stored.clone());
        }
        match zstd::bulk::decompress(&self.stored, self.len) {
            Ok(bytes) if bytes.len() == self.len => Ok(bytes),
            _ => Err(Error::damaged("compressed bytes do not decompress")),
        }
    }
}
