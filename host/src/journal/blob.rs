//! Blobs: bytes kept by content, once however many runs use them.
//!
//! A long payload is cut into chunks where its content says so (FastCDC), so that a transcript that grows stores only
//! what is new. A blob is counted once for each run that uses it, and goes when the last of them is removed.

use std::sync::Arc;

use redb::{ReadTransaction, ReadableTable, WriteTransaction};

use super::PAYLOAD_MAX;
use super::entry::Part;
use super::error::Error;
use super::packed::Packed;
use super::tables;
use super::varint::{self, Cursor};
use crate::digest::{Content, Digest};

/// Shortest, usual and longest chunk, in bytes. Part of the format only in that changing them stores known bytes anew.
const CHUNK_MIN: usize = 4 * 1024;
const CHUNK_USUAL: usize = 16 * 1024;
const CHUNK_MAX: usize = 64 * 1024;

/// The longest payload that is kept, in bytes, for the next to be compared with.
const KEPT_MAX: usize = 8 * 1024 * 1024;

/// A blob on its way to the journal.
#[derive(Clone, Debug)]
pub(super) struct Blob {
    pub digest: Digest,
    /// `None` for a blob that the journal is known to hold: compressing a component takes longer than the commit.
    packed: Option<Packed>,
}

impl Blob {
    pub fn of(content: &Content) -> Self {
        Self::with_digest(content.digest(), content)
    }

    pub fn with_digest(digest: Digest, bytes: &[u8]) -> Self {
        Self { digest, packed: Some(Packed::new(bytes)) }
    }

    /// Names a blob that was stored when somebody looked.
    pub fn stored(digest: Digest) -> Self {
        Self { digest, packed: None }
    }

    pub fn stored_len(&self) -> u64 {
        self.packed.as_ref().map_or(0, Packed::stored_len)
    }

    /// Stores the blob for a run that has not used it before.
    ///
    /// # Errors
    /// [`Error::NoSuchBlob`] when it was stored once and has gone since; [`gone`] says that before anything changes.
    pub fn put(&self, write: &WriteTransaction) -> Result<(), Error> {
        let mut uses = write.open_table(tables::USES)?;
        let users = users(&uses, &self.digest)?;
        if users == 0 {
            let packed = self.packed.as_ref().ok_or(Error::NoSuchBlob(self.digest))?;
            let mut row = Vec::with_capacity(packed.stored_len() as usize + varint::LEN_MAX);
            packed.encode(&mut row);
            write.open_table(tables::BLOBS)?.insert(self.digest.as_bytes(), &*row)?;
        }
        uses.insert(self.digest.as_bytes(), users.saturating_add(1))?;
        Ok(())
    }
}

/// Says whether the journal holds the blob.
pub(super) fn is_stored(read: &ReadTransaction, digest: &Digest) -> Result<bool, Error> {
    Ok(users(&read.open_table(tables::USES)?, digest)? > 0)
}

/// Returns the first of `blobs` that was stored when somebody looked, and has gone since.
pub(super) fn gone(write: &WriteTransaction, blobs: &[Blob]) -> Result<Option<Digest>, Error> {
    let uses = write.open_table(tables::USES)?;
    for blob in blobs.iter().filter(|blob| blob.packed.is_none()) {
        if users(&uses, &blob.digest)? == 0 {
            return Ok(Some(blob.digest));
        }
    }
    Ok(None)
}

/// Returns how many runs use a blob.
fn users(uses: &impl ReadableTable<&'static [u8; 32], u64>, digest: &Digest) -> Result<u64, Error> {
    Ok(uses.get(digest.as_bytes())?.map_or(0, |users| users.value()))
}

/// Takes away one run's use of a blob, and the blob with the last.
pub(super) fn release(write: &WriteTransaction, digest: &Digest) -> Result<(), Error> {
    let mut uses = write.open_table(tables::USES)?;
    let users = users(&uses, digest)?;
    if users > 1 {
        uses.insert(digest.as_bytes(), users - 1)?;
    } else {
        uses.remove(digest.as_bytes())?;
        write.open_table(tables::BLOBS)?.remove(digest.as_bytes())?;
    }
    Ok(())
}

/// Returns a blob, checked against its name.
pub(super) fn get(
    blobs: &impl ReadableTable<&'static [u8; 32], &'static [u8]>,
    digest: &Digest,
) -> Result<Vec<u8>, Error> {
    let row = blobs.get(digest.as_bytes())?.ok_or(Error::NoSuchBlob(*digest))?;
    let bytes = Packed::decode(&mut Cursor::new(row.value(), "a blob"))?.unpack()?;
    if Digest::of(&bytes) == *digest {
        Ok(bytes)
    } else {
        Err(Error::damaged(format_args!("blob {digest} has other content")))
    }
}

/// A payload with the chunks that it was cut into.
#[derive(Debug, Default)]
pub(super) struct Cut {
    payload: Vec<u8>,
    chunks: Vec<Chunk>,
}

#[derive(Clone, Copy, Debug)]
struct Chunk {
    digest: Digest,
    /// Where it ends in the payload.
    end: usize,
}

impl Cut {
    /// Cuts a payload. Chunks with which one of `earlier` begins as well are neither looked for nor hashed again: a
    /// transcript that grows begins with what it was, and what one run hands to another is the same bytes.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above [`PAYLOAD_MAX`].
    pub fn of(what: &'static str, payload: &[u8], earlier: &[Option<Arc<Self>>]) -> Result<Arc<Self>, Error> {
        check_len(what, payload)?;
        let shared = |earlier: &Arc<Self>| (earlier.shared_chunks(payload), earlier.clone());
        let best = earlier.iter().flatten().map(shared).max_by_key(|(count, _)| *count);
        let mut chunks = match best {
            Some((count, earlier)) if earlier.is_all(count, payload) => return Ok(earlier),
            Some((count, earlier)) => earlier.chunks[..count].to_vec(),
            None => Vec::new(),
        };
        let begun = chunks.last().map_or(0, |chunk| chunk.end);
        let rest = fastcdc::v2020::FastCDC::new(&payload[begun..], CHUNK_MIN, CHUNK_USUAL, CHUNK_MAX);
        chunks.extend(rest.map(|chunk| {
            let start = begun + chunk.offset;
            let end = start + chunk.length;
            Chunk { digest: Digest::of(&payload[start..end]), end }
        }));
        Ok(Arc::new(Self { payload: payload.to_vec(), chunks }))
    }

    /// Returns how many of the chunks a payload has at its beginning, too. The last was cut off by the end of the
    /// payload, so only one that ends there has it.
    fn shared_chunks(&self, payload: &[u8]) -> usize {
        let mut start = 0;
        let is_shared = |chunk: &&Chunk| {
            let is_whole = chunk.end < self.payload.len() || chunk.end == payload.len();
            let bytes = start..chunk.end;
            start = chunk.end;
            is_whole && payload.get(bytes.clone()) == Some(&self.payload[bytes])
        };
        self.chunks.iter().take_while(is_shared).count()
    }

    fn is_all(&self, shared: usize, payload: &[u8]) -> bool {
        shared == self.chunks.len() && payload.len() == self.payload.len()
    }

    /// Returns the chunks, each with its digest.
    pub fn chunks(&self) -> impl Iterator<Item = (Digest, &[u8])> {
        let mut start = 0;
        self.chunks.iter().map(move |chunk| {
            let bytes = &self.payload[start..chunk.end];
            start = chunk.end;
            (chunk.digest, bytes)
        })
    }

    /// Appends the list of the chunks to `list`: the payload's length, then their digests.
    pub fn list(&self, list: &mut Vec<u8>) {
        varint::put(list, self.payload.len() as u64);
        self.chunks.iter().for_each(|chunk| list.extend_from_slice(chunk.digest.as_bytes()));
    }

    /// Tells whether it is small enough to be kept for the next payload.
    pub fn is_worth_keeping(&self) -> bool {
        self.payload.len() <= KEPT_MAX
    }
}

/// Refuses a payload that is longer than the journal stores.
pub(super) fn check_len(what: &'static str, payload: &[u8]) -> Result<(), Error> {
    if payload.len() <= PAYLOAD_MAX {
        return Ok(());
    }
    Err(Error::TooLarge { what, len: payload.len() as u64, max: PAYLOAD_MAX as u64 })
}

/// Takes apart a list that [`cut`] made.
pub(super) fn chunks(list: &[u8]) -> Result<(usize, impl Iterator<Item = Digest>), Error> {
    let mut cursor = Cursor::new(list, "a list of chunks");
    let len = usize::try_from(cursor.number()?).ok().filter(|len| *len <= PAYLOAD_MAX);
    let len = len.ok_or_else(|| Error::damaged("a payload claims to be longer than it may be"))?;
    let (digests, rest) = cursor.rest().as_chunks::<32>();
    if !rest.is_empty() {
        return Err(Error::damaged("a list of chunks ends in the middle of one"));
    }
    Ok((len, digests.iter().map(|digest| Digest::from_bytes(*digest))))
}

/// Adds the blobs that hold an entry's payloads to `used`.
pub(super) fn add_of(parts: [Part<'_>; 2], used: &mut impl Extend<Digest>) -> Result<(), Error> {
    for part in parts {
        if let Part::Chunked(list) = part {
            used.extend(chunks(list)?.1);
        }
    }
    Ok(())
}

/// Puts together the payload that a list names.
pub(super) fn join(
    blobs: &impl ReadableTable<&'static [u8; 32], &'static [u8]>,
    list: &[u8],
) -> Result<Vec<u8>, Error> {
    let (len, digests) = chunks(list)?;
    let mut payload = Vec::new();
    for digest in digests {
        payload.extend_from_slice(&get(blobs, &digest)?);
        if payload.len() > len {
            break;
        }
    }
    if payload.len() == len { Ok(payload) } else { Err(Error::damaged("a payload has not the length it says")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that look random, so that their chunks are of usual lengths.
    fn bytes(len: usize, seed: u64) -> Vec<u8> {
        let next = |state: &mut u64, _| {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Some((*state >> 56) as u8)
        };
        (0..len).scan(seed, next).collect()
    }

    fn list(cut: &Cut) -> Vec<u8> {
        let mut list = Vec::new();
        cut.list(&mut list);
        list
    }

    #[test]
    fn what_an_earlier_payload_says_changes_nothing_about_the_chunks() {
        let whole = bytes(300_000, 7);
        let mut other = whole.clone();
        other[100_000] ^= 1;
        let longer = [&whole[..], &bytes(100_000, 8)].concat();
        let payloads = [&whole[..], &whole[..200_000], &other, &longer, &[], &whole[..4_097], &longer[..300_001]];
        for earlier in payloads {
            let earlier = Cut::of("params", earlier, &[]).unwrap();
            for payload in payloads {
                let fresh = Cut::of("params", payload, &[]).unwrap();
                let known = Cut::of("params", payload, &[None, Some(earlier.clone())]).unwrap();
                assert_eq!(list(&known), list(&fresh), "{} after {}", payload.len(), earlier.payload.len());
                assert_eq!(known.chunks().flat_map(|(_, chunk)| chunk.to_vec()).collect::<Vec<_>>(), payload);
            }
        }
    }

    #[test]
    fn the_beginning_that_is_shared_is_not_cut_again() {
        let whole = bytes(300_000, 7);
        let earlier = Cut::of("params", &whole, &[]).unwrap();
        assert!(Arc::ptr_eq(&earlier, &Cut::of("params", &whole, &[Some(earlier.clone())]).unwrap()));
        let longer = [&whole[..], b"more"].concat();
        assert_eq!(earlier.shared_chunks(&longer), earlier.chunks.len() - 1);
        assert_eq!(earlier.shared_chunks(&whole[1..]), 0);
    }
}
