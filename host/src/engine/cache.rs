//! Compiled components on disk, so that a component is compiled once per engine.
//!
//! An entry is keyed by component digest and engine fingerprint, and carries a tag that only a holder of the host's
//! key can make: loading machine code that somebody else put there would run it. Anything wrong with an entry means
//! that the component is compiled again; the cache is never the reason that a run fails.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wasmtime::component::Component;

use super::{Engine, component::ComponentError};
use crate::digest::Digest;

/// The tag before the machine code: 32 bytes.
const TAG_LEN: usize = 32;

/// The cache of one home.
pub struct Cache {
    folder: PathBuf,
    key: [u8; 32],
    hits: AtomicU64,
    compiled: AtomicU64,
}

/// What the cache did in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheStats {
    /// Components loaded as machine code.
    pub hits: u64,
    /// Components compiled.
    pub compiled: u64,
}

impl Cache {
    /// Opens the cache in `folder`. `key` must be known to this host alone.
    pub fn new(folder: PathBuf, key: [u8; 32]) -> Self {
        Self { folder, key, hits: AtomicU64::new(0), compiled: AtomicU64::new(0) }
    }

    /// Returns what the cache did in this process.
    pub fn stats(&self) -> CacheStats {
        CacheStats { hits: self.hits.load(Ordering::Relaxed), compiled: self.compiled.load(Ordering::Relaxed) }
    }

    /// Returns the component with these verified bytes, compiled.
    ///
    /// # Errors
    /// [`ComponentError::Refused`] when the engine does not accept the component.
    pub fn load(&self, engine: &Engine, digest: Digest, bytes: &[u8]) -> Result<Component, ComponentError> {
        let path = self.folder.join(format!("{digest}-{}.cwasm", engine.fingerprint().short()));
        if let Some(component) = self.read(engine, digest, &path) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(component);
        }
        let component = engine.compile(bytes)?;
        self.compiled.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = self.write(engine, digest, &component, &path) {
            tracing::warn!(path = %path.display(), "compiled component is not cached: {error:#}");
        }
        Ok(component)
    }

    fn read(&self, engine: &Engine, digest: Digest, path: &Path) -> Option<Component> {
        let entry = fs::read(path).ok()?;
        let (tag, code) = entry.split_at_checked(TAG_LEN)?;
        if self.authenticator(engine, digest, code).verify_slice(tag).is_err() {
            tracing::warn!(path = %path.display(), "cache entry was not made by this host; compiling again");
            return None;
        }
        deserialize(engine, code)
    }

    fn write(&self, engine: &Engine, digest: Digest, component: &Component, path: &Path) -> Result<(), WriteError> {
        let code = component.serialize().map_err(|error| WriteError::Serialize(error.to_string()))?;
        fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&self.authenticator(engine, digest, &code).finalize().into_bytes())?;
        file.write_all(&code)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Returns the tag over everything that decides whether the code may run.
    fn authenticator(&self, engine: &Engine, digest: Digest, code: &[u8]) -> Hmac<Sha256> {
        let mut tag = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        tag.update(b"remit cache v1\0");
        tag.update(engine.fingerprint().as_bytes());
        tag.update(digest.as_bytes());
        tag.update(code);
        tag
    }
}

#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Serialize(String),
}

/// Turns authenticated machine code into a component.
#[expect(unsafe_code, reason = "the only way to load precompiled code; see the proof inside")]
fn deserialize(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: the bytes carry this host's tag over themselves, the component's digest and the engine's fingerprint,
    // so they are what `Component::serialize` returned in a process with the same wasmtime and configuration. They
    // were read into memory of our own before the tag was checked, so nobody can change them since.
    unsafe { Component::deserialize(engine.wasmtime(), code) }
        .inspect_err(|error| tracing::warn!("cache entry does not load; compiling again: {error:#}"))
        .ok()
}
