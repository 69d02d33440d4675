//! Rows that are documents: canonical JSON, and a check.
//!
//! What an operator decided is read rarely and changes rarely, so it can afford to describe itself; and a flipped bit
//! in it would be believed, so it cannot do without the check.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Error;
use super::header;
use crate::digest::Digest;

/// Returns the row of a document that is kept under `key`.
pub(super) fn encode(key: &[u8], document: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut row = header::canonical(document)?;
    let check = check(key, &row);
    row.extend_from_slice(&check);
    Ok(row)
}

/// Reads the row under `key`. `what` is what the message calls it.
pub(super) fn decode<T: DeserializeOwned>(what: &'static str, key: &[u8], row: &[u8]) -> Result<T, Error> {
    let (json, found) = row.split_last_chunk().ok_or_else(|| Error::damaged(format_args!("{what} ends early")))?;
    if check(key, json) != *found {
        return Err(Error::damaged(format_args!("{what} does not fit its check")));
    }
    serde_json::from_slice(json).map_err(|error| Error::damaged(format_args!("{what}: {error}")))
}

/// Returns the beginning of the SHA-256 of key and document.
fn check(key: &[u8], json: &[u8]) -> [u8; 8] {
    *Digest::of_parts(&[key, json]).as_bytes().first_chunk().expect("a digest has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_bit_or_another_key_is_found() {
        let row = encode(b"key", &"text").unwrap();
        assert_eq!(decode::<String>("it", b"key", &row).unwrap(), "text");
        assert!(decode::<String>("it", b"kez", &row).is_err());
        for bit in 0..row.len() * 8 {
            let mut damaged = row.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode::<String>("it", b"key", &damaged).is_err(), "{bit}");
        }
        assert!((0..row.len()).all(|len| decode::<String>("it", b"key", &row[..len]).is_err()));
    }
}
