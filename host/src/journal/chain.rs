//! The chain of a run and the signatures on it.
//!
//! A head is the SHA-256 of the head before it and a segment, so it stands for everything the run recorded so far. The
//! first head stands for the run's id and header. The host signs heads; the signature covers run, entry count and head.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::digest::Digest;
use crate::id::RunId;

const HEADER_DOMAIN: &[u8] = b"remit journal header 1\0";
const SEGMENT_DOMAIN: &[u8] = b"remit journal segment 1\0";
const SIGNATURE_DOMAIN: &[u8] = b"remit journal head 1\0";
const KEY_DOMAIN: &[u8] = b"remit journal key 1\0";

/// Names a public key in a signed segment, so that a wrong signature is told apart from a stranger's.
pub(super) type KeyId = [u8; 8];

/// Returns the head before the first segment.
pub(super) fn first(run: RunId, header: &[u8]) -> Digest {
    Digest::of_parts(&[HEADER_DOMAIN, run.as_bytes(), header])
}

/// Returns the head after a segment.
pub(super) fn next(previous: &Digest, segment: &[u8]) -> Digest {
    Digest::of_parts(&[SEGMENT_DOMAIN, previous.as_bytes(), segment])
}

/// Returns the name of a public key.
pub(super) fn key_id(key: &VerifyingKey) -> KeyId {
    let digest = Digest::of_parts(&[KEY_DOMAIN, key.as_bytes()]);
    let mut id = KeyId::default();
    id.copy_from_slice(&digest.as_bytes()[..8]);
    id
}

/// A signed head, as a segment carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seal {
    pub key: KeyId,
    pub signature: [u8; 64],
}

impl Seal {
    /// Signs the head after `entries` entries of `run`.
    pub fn new(signer: &SigningKey, key: KeyId, run: RunId, entries: u64, head: &Digest) -> Self {
        let signature = signer.sign(&message(run, entries, head)).to_bytes();
        Self { key, signature }
    }

    /// Says whether `key` made this signature over this head.
    pub fn holds(&self, key: &VerifyingKey, run: RunId, entries: u64, head: &Digest) -> bool {
        let signature = Signature::from_bytes(&self.signature);
        key.verify_strict(&message(run, entries, head), &signature).is_ok()
    }
}

fn message(run: RunId, entries: u64, head: &Digest) -> Vec<u8> {
    [SIGNATURE_DOMAIN, run.as_bytes(), &entries.to_be_bytes(), head.as_bytes()].concat()
}
