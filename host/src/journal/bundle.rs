//! Bundles: one run and those it had connectors make, in one file that can be read anywhere, without a home.
//!
//! A bundle holds rows of the journal as they are stored: of the runs, of the log (less the segments of other runs), and
//! the blobs that these name. So what a [`Reader`](super::Reader) finds in it has the chain and the signatures that it has
//! at home, and nothing else decodes it. FORMAT.md draws the bytes.
//!
//! A bundle comes from a stranger. It is not opened as a redb file, which would be trusted to be one, but read part by
//! part into a store of this process's own, within the limits below. It names no key, because that would prove nothing.

mod error;
mod export;
mod import;

use std::fs::{self, File};
use std::path::Path;
use std::sync::{Arc, Mutex};

pub use self::error::BundleError;
pub use self::export::Exported;

use super::store::Store;
use super::{Core, Journal, PAYLOAD_MAX, queue};
use crate::id::RunId;

/// How a bundle begins. The version follows, in one byte.
const MAGIC: &[u8; 13] = b"remit bundle\n";
/// The version that this build writes. A newer one is refused; decoders for older ones stay.
const VERSION: u8 = 1;

/// The kinds of parts, in the order in which they come; the end comes last.
const RUN: u8 = 1;
const LOG: u8 = 2;
const BLOB: u8 = 3;
const END: u8 = 0;

/// The longest bundle, in bytes.
pub const BUNDLE_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// The longest part, in bytes: the longest blob, and what stands around it.
const PART_MAX: u64 = PAYLOAD_MAX as u64 + 64 * 1024;
/// How many bytes the rows of all runs may have together: they are in memory while a bundle is read.
const RUNS_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How many bytes the names of functions may take in memory, in all segments together.
const NAMES_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A bundle that was read.
pub struct Bundle {
    /// Its journal. Everything that would be written to it fails with [`Error::Closed`](super::Error::Closed).
    pub journal: Journal,
    /// The run that was exported; the others are there because of it.
    pub run: RunId,
}

impl Bundle {
    /// Reads the bundle at `path`. Every part is checked by itself; whether the chains of the runs are whole is said by
    /// whoever reads these. Takes no more memory than a few parts and [`Options::cache_bytes`](super::Options); what is
    /// longer goes to a temporary file without a name.
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        // Opening a pipe that nobody writes would wait for ever.
        if !fs::metadata(path)?.is_file() {
            return Err(BundleError::NotABundle);
        }
        let (database, run) = import::import(File::open(path)?)?;
        let (queue, nobody_writes) = queue::queue();
        drop(nobody_writes);
        let store = Arc::new(Store::new(database));
        let core = Core {
            store,
            path: path.to_owned(),
            queue,
            thread: Mutex::new(None),
            key: None,
            last_cut: Mutex::default(),
        };
        Ok(Self { journal: Journal(Arc::new(core)), run })
    }
}
