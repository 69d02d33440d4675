//! A vault as bytes that only this host's key opens, and that tell when they were changed.
//!
//! ```text
//!  0  12  "remit vault" and a zero byte
//! 12   2  format version, little-endian: 1
//! 14   8  key id: the beginning of the SHA-256 of "remit vault key id v1", a zero byte, and the key
//! 22  24  nonce, random at every sealing
//! 46   n  the vault, encrypted with XChaCha20-Poly1305; bytes 0 to 21 are authenticated with it
//!  +  16  authentication tag
//! ```
//!
//! Inside: the length of the index (4 bytes, little-endian), the index (JSON: names, times, lengths, bindings), and the
//! secrets' bytes, one after the other in the order of the index. The whole is sealed at once, so that nobody without
//! the key can bind a secret elsewhere, exchange two of them or take one out. An older state of the whole file cannot
//! be told from the present one.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use chacha20poly1305::aead::{AeadInPlace as _, KeyInit as _};
use chacha20poly1305::{Key, Tag, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::vault::{BINDINGS_MAX, SECRETS_MAX, Stored, Vault};
use super::{Binding, Secret};
use crate::digest::Digest;
use crate::manifest::Name;
use crate::time::Timestamp;

const MAGIC: &[u8; 12] = b"remit vault\0";
const VERSION: u16 = 1;
const KEY_ID: usize = MAGIC.len() + 2;
const NONCE: usize = KEY_ID + 8;
const BODY: usize = NONCE + NONCE_LEN;
const TAG_LEN: usize = 16;

/// Bytes of the random number that every sealing needs.
pub const NONCE_LEN: usize = 24;

/// Bytes in a sealed vault: more than the largest has. Stops a file from occupying the memory.
pub const SEALED_LEN_MAX: usize = 16 << 20;

/// The host's key for its vault. Says nothing of itself when printed.
pub struct VaultKey(Zeroizing<[u8; 32]>);

/// Bytes are not a vault that this host can open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// They do not begin like a vault.
    #[error("not a vault of Remit's")]
    NotAVault,
    /// A later Remit wrote them.
    #[error("a vault of format {found}, and this Remit knows format {VERSION}")]
    NewerFormat {
        /// The format.
        found: u16,
    },
    /// They end too early.
    #[error("the vault is cut short: {len} bytes")]
    Truncated {
        /// How many there are.
        len: usize,
    },
    /// There are more than the largest vault has.
    #[error("{len} bytes, more than the {SEALED_LEN_MAX} of the largest vault")]
    TooLarge {
        /// How many there are.
        len: usize,
    },
    /// Another host's key sealed it.
    #[error("the vault is sealed with another key ({sealed_with}) than this host's ({ours})")]
    WrongKey {
        /// The id of that key.
        sealed_with: String,
        /// The id of ours.
        ours: String,
    },
    /// They were changed after sealing, or are part of one vault and part of another.
    #[error("the vault is damaged: {0}")]
    Damaged(&'static str),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: Name,
    set: Timestamp,
    len: usize,
    bindings: Vec<Binding>,
}

impl VaultKey {
    /// Takes 32 bytes that nobody else knows.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    fn id(&self) -> [u8; 8] {
        let digest = Digest::of_parts(&[b"remit vault key id v1\0", self.0.as_slice()]);
        std::array::from_fn(|index| digest.as_bytes()[index])
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(Key::from_slice(self.0.as_slice()))
    }
}

impl std::fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VaultKey")
    }
}

impl Vault {
    /// Returns the vault sealed with `key`. `nonce` is random, and another one every time.
    ///
    /// # Errors
    ///
    /// [`SealError::TooLarge`] when [`Vault::open`] would refuse it.
    pub fn seal(&self, key: &VaultKey, nonce: [u8; NONCE_LEN]) -> Result<Vec<u8>, SealError> {
        let row = |(name, stored): (&Name, &Stored)| Row {
            name: name.clone(),
            set: stored.set,
            len: stored.secret.expose().len(),
            bindings: stored.bindings.clone(),
        };
        let index: Vec<Row> = self.secrets.iter().map(row).collect();
        let values: usize = index.iter().map(|row| row.len).sum();
        let index = serde_json::to_vec(&index).expect("text, numbers and lists, all of which JSON can hold");
        // All the room at once: growing would leave a copy of the secrets behind.
        let len = BODY + 4 + index.len() + values + TAG_LEN;
        if len > SEALED_LEN_MAX {
            return Err(SealError::TooLarge { len });
        }
        let mut sealed = Vec::with_capacity(len);
        sealed.extend_from_slice(MAGIC);
        sealed.extend_from_slice(&VERSION.to_le_bytes());
        sealed.extend_from_slice(&key.id());
        sealed.extend_from_slice(&nonce);
        let index_len = u32::try_from(index.len()).expect("the whole is at most SEALED_LEN_MAX");
        sealed.extend_from_slice(&index_len.to_le_bytes());
        sealed.extend_from_slice(&index);
        self.secrets.values().for_each(|stored| sealed.extend_from_slice(stored.secret.expose()));
        let (head, body) = sealed.split_at_mut(BODY);
        let tag = key.cipher().encrypt_in_place_detached(XNonce::from_slice(&nonce), &head[..NONCE], body);
        sealed.extend_from_slice(&tag.expect("the whole is at most SEALED_LEN_MAX, and one nonce is good for 256 GiB"));
        Ok(sealed)
    }

    /// Opens what [`Vault::seal`] returned.
    ///
    /// # Errors
    ///
    /// [`SealError`] says whether another key, another Remit or damage is the reason. Nothing is known then.
    pub fn open(key: &VaultKey, sealed: &[u8]) -> Result<Self, SealError> {
        let (head, rest) = split(key, sealed)?;
        let (body, tag) = rest.split_at(rest.len() - TAG_LEN);
        let mut body = Zeroizing::new(body.to_vec());
        let nonce = XNonce::from_slice(&head[NONCE..]);
        key.cipher()
            .decrypt_in_place_detached(nonce, &head[..NONCE], &mut body, Tag::from_slice(tag))
            .map_err(|_| SealError::Damaged("its bytes are not those that were sealed"))?;
        read(&body).map_err(SealError::Damaged)
    }
}

/// Splits what looks like a vault sealed with `key` into its head and the rest, which has at least a tag.
fn split<'s>(key: &VaultKey, sealed: &'s [u8]) -> Result<(&'s [u8], &'s [u8]), SealError> {
    let len = sealed.len();
    let shared = len.min(MAGIC.len());
    if sealed[..shared] != MAGIC[..shared] {
        return Err(SealError::NotAVault);
    }
    if len > SEALED_LEN_MAX {
        return Err(SealError::TooLarge { len });
    }
    let version = sealed.get(MAGIC.len()..KEY_ID).ok_or(SealError::Truncated { len })?;
    match u16::from_le_bytes([version[0], version[1]]) {
        VERSION => {}
        0 => return Err(SealError::Damaged("there is no format 0")),
        found => return Err(SealError::NewerFormat { found }),
    }
    if len < BODY + TAG_LEN {
        return Err(SealError::Truncated { len });
    }
    if sealed[KEY_ID..NONCE] != key.id() {
        return Err(SealError::WrongKey {
            sealed_with: hexadecimal(&sealed[KEY_ID..NONCE]),
            ours: hexadecimal(&key.id()),
        });
    }
    Ok(sealed.split_at(BODY))
}

/// Reads the decrypted body. It is what a host with the key wrote, and checked all the same.
fn read(body: &[u8]) -> Result<Vault, &'static str> {
    let (len, rest) = body.split_first_chunk().ok_or("it has no index")?;
    let (index, mut values) =
        rest.split_at_checked(u32::from_le_bytes(*len) as usize).ok_or("its index is cut short")?;
    let index: Vec<Row> = serde_json::from_slice(index).map_err(|_| "its index is not one")?;
    if index.len() > SECRETS_MAX || index.iter().any(|row| row.bindings.len() > BINDINGS_MAX) {
        return Err("it holds more than a vault does");
    }
    let mut vault = Vault::default();
    for Row { name, set, len, bindings } in index {
        let (value, rest) = values.split_at_checked(len).ok_or("a secret is cut short")?;
        values = rest;
        let secret = Secret::new(Zeroizing::new(value.to_vec())).map_err(|_| "it holds what is no secret")?;
        let stored = Stored { secret: Arc::new(secret), set, bindings };
        if vault.secrets.insert(name, stored).is_some() {
            return Err("it names a secret twice");
        }
    }
    if values.is_empty() { Ok(vault) } else { Err("something follows the secrets") }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
