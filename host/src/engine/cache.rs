//! Compiled components on disk, so that a component is compiled once per engine.
//!
//! An entry is keyed by component digest and engine fingerprint, and carries a tag that only a holder of the host's
//! key can make: loading machine code that somebody else put there would run it. Anything wrong with an entry means
//! that the component is compiled again; the cache is never the reason that a run fails.

mod code;

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wasmtime::component::Component;

use self::code::Code;
use super::{Engine, component::ComponentError};
use crate::digest::{Content, Digest};

/// The tag before the machine code: 32 bytes.
const TAG_LEN: usize = 32;

/// How much of an entry is read at a time, in bytes.
const READ_BYTES: usize = 64 * 1024;

/// The cache of one home, or of none.
pub struct Cache {
    /// Nothing: every component is compiled.
    folder: Option<PathBuf>,
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
        Self { folder: Some(folder), key, hits: AtomicU64::new(0), compiled: AtomicU64::new(0) }
    }

    /// Returns a cache that keeps nothing, for who has no home.
    pub fn nowhere() -> Self {
        Self { folder: None, key: [0; 32], hits: AtomicU64::new(0), compiled: AtomicU64::new(0) }
    }

    /// Returns what the cache did in this process.
    pub fn stats(&self) -> CacheStats {
        CacheStats { hits: self.hits.load(Ordering::Relaxed), compiled: self.compiled.load(Ordering::Relaxed) }
    }

    /// Returns the component compiled.
    ///
    /// # Errors
    /// [`ComponentError::Refused`] when the engine does not accept the component.
    pub fn load(&self, engine: &Engine, component: &Content) -> Result<Component, ComponentError> {
        let digest = component.digest();
        let Some(folder) = &self.folder else { return self.compile(engine, component) };
        let path = folder.join(format!("{digest}-{}.cwasm", engine.fingerprint().short()));
        if let Some(compiled) = self.read(engine, digest, &path) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(compiled);
        }
        let compiled = self.compile(engine, component)?;
        if let Err(error) = self.write(engine, digest, &compiled, folder, &path) {
            tracing::warn!(path = %path.display(), "compiled component is not cached: {error:#}");
        }
        Ok(compiled)
    }

    fn compile(&self, engine: &Engine, component: &Content) -> Result<Component, ComponentError> {
        let compiled = engine.compile(component)?;
        self.compiled.fetch_add(1, Ordering::Relaxed);
        Ok(compiled)
    }

    fn read(&self, engine: &Engine, digest: Digest, path: &Path) -> Option<Component> {
        let mut entry = File::open(path).ok()?;
        let mut tag = [0; TAG_LEN];
        entry.read_exact(&mut tag).ok()?;
        let mut authenticator = self.authenticator(engine, digest);
        let code = read_code(entry, &mut authenticator).ok()?;
        if authenticator.verify_slice(&tag).is_err() {
            tracing::warn!(path = %path.display(), "cache entry was not made by this host; compiling again");
            return None;
        }
        deserialize(engine, code)
    }

    fn write(
        &self,
        engine: &Engine,
        digest: Digest,
        component: &Component,
        folder: &Path,
        path: &Path,
    ) -> Result<(), WriteError> {
        let code = component.serialize().map_err(|error| WriteError::Serialize(error.to_string()))?;
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        let mut authenticator = self.authenticator(engine, digest);
        authenticator.update(&code);
        file.write_all(&authenticator.finalize().into_bytes())?;
        file.write_all(&code)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Begins the tag over everything that decides whether the code may run; the code is to follow.
    fn authenticator(&self, engine: &Engine, digest: Digest) -> Hmac<Sha256> {
        let mut tag = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        tag.update(b"remit cache v1\0");
        tag.update(engine.fingerprint().as_bytes());
        tag.update(digest.as_bytes());
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

/// Copies machine code to where only this process reaches it, and has the authenticator see what is copied.
fn read_code(mut entry: impl Read, authenticator: &mut Hmac<Sha256>) -> io::Result<Code> {
    let mut code = Code::new();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match entry.read(&mut buffer)? {
            0 => return code.sealed(),
            len => {
                authenticator.update(&buffer[..len]);
                code.write_all(&buffer[..len])?;
            }
        }
    }
}

/// Turns authenticated machine code into a component.
#[expect(unsafe_code, reason = "the only way to load precompiled code; see the proof inside")]
fn deserialize(engine: &Engine, code: Code) -> Option<Component> {
    let engine = engine.wasmtime();
    // SAFETY: the bytes carry this host's tag over themselves, the component's digest and the engine's fingerprint,
    // so they are what `Component::serialize` returned in a process with the same wasmtime and configuration. They
    // are the copy of our own that the tag was checked on: memory, or a file without a name that is sealed against
    // every change, so nobody can change them since.
    let component = match &code {
        Code::Memory(bytes) => unsafe { Component::deserialize(engine, bytes) },
        #[cfg(target_os = "linux")]
        Code::Sealed(file) => unsafe { Component::deserialize_file(engine, code::path_of(file)) },
    };
    component.inspect_err(|error| tracing::warn!("cache entry does not load; compiling again: {error:#}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::PoolSize;

    /// Loads the smallest component and returns what this cache has done since it was opened.
    fn loads(folder: &Path, key: [u8; 32], times: usize) -> CacheStats {
        let engine = Engine::new(PoolSize { runs: 1 }).unwrap();
        let (cache, component) = (Cache::new(folder.to_owned(), key), Content::of(b"\0asm\x0d\0\x01\0"));
        (0..times).for_each(|_| drop(cache.load(&engine, &component).unwrap()));
        cache.stats()
    }

    fn stats(hits: u64, compiled: u64) -> CacheStats {
        CacheStats { hits, compiled }
    }

    #[test]
    fn a_component_is_compiled_once() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(loads(folder.path(), [1; 32], 3), stats(2, 1));
        assert_eq!(loads(folder.path(), [1; 32], 1), stats(1, 0));
    }

    #[test]
    fn who_has_no_home_compiles_each_time() {
        let engine = Engine::new(PoolSize { runs: 1 }).unwrap();
        let (cache, component) = (Cache::nowhere(), Content::of(b"\0asm\x0d\0\x01\0"));
        (0..2).for_each(|_| drop(cache.load(&engine, &component).unwrap()));
        assert_eq!(cache.stats(), stats(0, 2));
    }

    #[test]
    fn what_this_host_did_not_write_is_not_run() {
        let folder = tempfile::tempdir().unwrap();
        loads(folder.path(), [1; 32], 1);
        let entry = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let good = fs::read(&entry).unwrap();
        let mut foreign = vec![Vec::new(), good[..TAG_LEN].to_vec(), good[..good.len() - 1].to_vec()];
        for at in [0, TAG_LEN, good.len() / 2, good.len() - 1] {
            let mut flipped = good.clone();
            flipped[at] ^= 1;
            foreign.push(flipped);
        }
        for bytes in foreign {
            fs::write(&entry, &bytes).unwrap();
            assert_eq!(loads(folder.path(), [1; 32], 1), stats(0, 1), "{} bytes", bytes.len());
            assert_eq!(fs::read(&entry).unwrap(), good, "and written anew");
        }
        assert_eq!(loads(folder.path(), [2; 32], 1), stats(0, 1), "by another host");
    }
}
