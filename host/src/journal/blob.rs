//! Blobs: bytes kept by content, once however many runs use them.
//!
//! A long payload is cut into chunks ([`Cut`]), so that a transcript that grows stores only what is new. A blob is counted once for each run that uses it, and goes when the last of them is removed.

mod cut;

use redb::{ReadTransaction, ReadableTable, WriteTransaction};

use super::PAYLOAD_MAX;
use super::entry::Part;
use super::error::Error;
use super::packed::Packed;
use super::tables;
use super::varint::{self, Cursor};
use crate::digest::{Content, Digest};

pub(super) use cut::{Cut, Kept};

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

/// Refuses a payload that is longer than the journal stores.
pub(super) fn check_len(what: &'static str, payload: &[u8]) -> Result<(), Error> {
    if payload.len() <= PAYLOAD_MAX {
        return Ok(());
    }
    Err(Error::TooLarge { what, len: payload.len() as u64, max: PAYLOAD_MAX as u64 })
}

/// Takes apart a list of [`Cut::list`].
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
