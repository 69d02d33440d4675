//! Checking a run against its chain and signatures.

use ed25519_dalek::VerifyingKey;

use super::chain;
use super::error::Error;
use super::reader::{Reader, Sealed};
use crate::digest::Digest;

/// What the check of a run found. Entries, chain and blobs are whole, or there would be an error instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many entries the run has.
    pub entries: u64,
    /// How many segments they are stored in.
    pub segments: u64,
    /// The head of the chain.
    pub head: Digest,
    /// How many heads the key has signed.
    pub signed_heads: u64,
    /// How many entries the last head signed by the key covers; what comes after them is chained but not signed.
    pub signed_entries: u64,
    /// Whether the key signed what is signed.
    pub signer: Signer,
}

/// Who signed a run, as far as the key that was asked about tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// Nothing is signed yet.
    Nobody,
    /// The key signed every head that is signed.
    Known,
    /// Somebody else signed at least one head. That proves nothing about the run.
    Unknown,
}

/// Reads a run to its end, of a fork also what it has of the runs that it comes from. Without a key, nobody who signed it is known.
pub(super) fn verify(mut reader: Reader, key: Option<&VerifyingKey>) -> Result<Verified, Error> {
    let mut verified = Verified {
        entries: 0,
        segments: 0,
        head: reader.at.head,
        signed_heads: 0,
        signed_entries: 0,
        signer: Signer::Nobody,
    };
    while reader.next()?.is_some() {
        if let Some(sealed) = reader.take_seal() {
            verified.add(&sealed, key)?;
        }
    }
    Ok(Verified { entries: reader.taken(), segments: reader.segments(), head: reader.at.head, ..verified })
}

impl Verified {
    fn add(&mut self, sealed: &Sealed, key: Option<&VerifyingKey>) -> Result<(), Error> {
        let Sealed { run, entries, covers, head, seal } = sealed;
        let Some(key) = key.filter(|key| seal.key == chain::key_id(key)) else {
            self.signer = Signer::Unknown;
            return Ok(());
        };
        if !seal.holds(key, *run, *entries, head) {
            return Err(Error::BadSignature { run: *run, entry: entries.saturating_sub(1) });
        }
        self.signed_heads += 1;
        self.signed_entries = *covers;
        if self.signer == Signer::Nobody {
            self.signer = Signer::Known;
        }
        Ok(())
    }
}
