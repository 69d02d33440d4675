//! The journal: what every run did, durable, chained and signed, in one redb file.
//!
//! A [`Journal`] is a cheap handle on the file and its one writer thread, which commits for all runs together. Each run
//! is written through its own [`RunWriter`] and read through a [`Reader`]; nothing above this module knows how an entry
//! is stored. FORMAT.md, beside this file, draws the bytes.
//!
//! It promises: what [`Durable`] has answered for is on disk; kv writes commit with the entry that caused them; what a
//! reader hands out is what was written, or an error; a damaged file is an [`Error`] and never a panic.

mod amounts;
mod answer;
mod approvals;
mod blob;
mod bundle;
mod chain;
mod commits;
mod document;
mod edge;
mod edit;
mod entry;
mod error;
mod extension;
mod fork;
mod grants;
mod header;
mod index;
mod kv;
mod lineage;
mod message;
mod opening;
mod overlay;
mod packed;
mod plugins;
mod progress;
mod queue;
mod reader;
mod recover;
mod row;
mod run_writer;
mod segment;
mod signals;
mod starts;
mod store;
mod summary;
mod tables;
mod taken;
#[cfg(test)]
mod tests;
mod unfinished;
mod varint;
mod verify;
mod waits;
mod writer;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// The keys that sign heads and check them.
pub use ed25519_dalek::{SigningKey, VerifyingKey};

pub use self::amounts::{Claim, Settlement, Unsettled, UsedUp, span_end};
pub use self::answer::Answered;
pub use self::approvals::{Proposal, Ruling};
pub use self::bundle::{BUNDLE_MAX, Bundle, BundleError, Exported};
pub use self::entry::{Entry, FunctionDef, FunctionId, Kind, Record};
pub use self::error::{Error, FindError};
pub use self::extension::{EXTENSION_MAX, Extension};
pub use self::fork::Parted;
pub use self::grants::{Answer, Ended, Generation, Grant, GrantId, NewGrant, NotAGrantId, StoredGrant, Watch};
pub use self::header::{Cause, Header, Payload, Plugin};
pub use self::lineage::LINEAGE_MAX;
pub use self::opening::Opening;
pub use self::plugins::{Installation, Installed, Release, Uninstalled};
pub use self::progress::{Durable, Progress};
pub use self::reader::Reader;
pub use self::run_writer::{Death, RunWriter, Together};
pub use self::signals::{Arrival, SIGNAL_MAX, SIGNALS_MAX, Signal};
pub use self::summary::{Sizes, Summary};
pub use self::tables::FORMAT;
pub use self::taken::{StateEntry, TakenOver};
pub use self::unfinished::{Owner, Unfinished};
pub use self::verify::{Signer, Verified};
pub use self::waits::{Suspension, Waiting};

use self::blob::{Blob, Cut};
use self::message::{Accept, Message, Reply, TakeOver};
use self::packed::Packed;
use self::queue::Sender;
use self::run_writer::Start;
use self::store::Store;
use self::taken::Seen;
use crate::digest::{Content, Digest};
use crate::id::RunId;

/// Params, outcomes and inputs up to this many bytes are stored in place, longer ones as blobs.
pub const INLINE_MAX: usize = 4096;
/// The longest params, outcome, input or blob, in bytes.
pub const PAYLOAD_MAX: usize = 64 * 1024 * 1024;

/// How a journal is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many bytes of the file redb keeps in memory. Replay streams and the writer appends, so a larger cache buys
    /// little (BASELINES: no useful difference from 1 MiB to 1 GiB).
    pub cache_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 16 * 1024 * 1024 }
    }
}

/// A handle on the journal of a home. The last one closes the file.
#[derive(Clone)]
pub struct Journal(Arc<Core>);

/// What every handle and every [`RunWriter`] shares.
struct Core {
    store: Arc<Store>,
    path: PathBuf,
    queue: Sender,
    thread: Mutex<Option<JoinHandle<Result<(), Error>>>>,
    /// The home's own; nothing in a bundle.
    key: Option<VerifyingKey>,
    /// The payload that a run of this process recorded last: whom it was handed to records it, too.
    last_cut: Mutex<Option<Arc<Cut>>>,
}

impl Journal {
    /// Opens the journal at `path`, or creates it. Heads will be signed by `signer`.
    ///
    /// # Errors
    /// [`Error::Busy`] when another process has it open, [`Error::NewerFormat`], [`Error::ReadOnly`],
    /// [`Error::DiskFull`], [`Error::Damaged`] when the file is not a journal.
    pub fn open(path: &Path, signer: SigningKey, options: &Options) -> Result<Self, Error> {
        Self::begin_open(path, signer, options)?.finish()
    }

    /// As [`Journal::open`], for a caller who has something else to do meanwhile.
    ///
    /// # Errors
    /// When the system gives no thread; the others come from [`Opening::finish`].
    pub fn begin_open(path: &Path, signer: SigningKey, options: &Options) -> Result<Opening, Error> {
        Opening::begin(path, signer, options)
    }

    /// Opens a journal on something else than a file, so that a test can have it fail.
    #[cfg(test)]
    fn open_on(backend: impl redb::StorageBackend, signer: SigningKey) -> Result<Self, Error> {
        let cache_bytes = Options::default().cache_bytes;
        Opening::begin_with(Path::new("nowhere"), signer, move || tables::open_on(backend, cache_bytes))?.finish()
    }

    /// Stores a new run and what its header names, and returns its writer. The run is durable when this returns; it
    /// blocks for one commit.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when a blob is over [`PAYLOAD_MAX`]; [`Error::AlreadyStarted`] and [`Error::StartKeyTaken`] for a
    /// key that a run was started with before; and whatever keeps it from being stored.
    pub fn accept(&self, header: &Header, blobs: &[Content]) -> Result<RunWriter, Error> {
        blobs.iter().try_for_each(|content| blob::check_len("a blob", content))?;
        let run = RunId::new(header.accepted);
        let bytes = header.encode()?;
        blob::check_len("a run header", &bytes)?;
        let blobs: BTreeMap<_, _> = blobs.iter().map(|content| (content.digest(), content)).collect();
        let start = Start {
            run,
            epoch: 1,
            progress: Progress::default(),
            entries: 0,
            fuel: 0,
            time_us: header.accepted.as_micros(),
            functions: Vec::new(),
            blobs_used: blobs.keys().copied().collect(),
            namespace: header.namespace(),
            is_waiting: false,
        };
        let (key, listed) = (starts::Start::of(header)?, Unfinished::of(run, header));
        let (header, first_head) = (Packed::new(&bytes), chain::first(run, &bytes));
        let ask = |blobs| {
            let (header, key, progress) = (header.clone(), key.clone(), start.progress.clone());
            let (entries, fuel, parent) = (0, 0, None);
            let accept =
                |reply| Accept { run, header, key, listed, blobs, first_head, progress, entries, fuel, parent, reply };
            self.0.ask(|reply| Message::Accept(Box::new(accept(reply))))
        };
        match ask(self.unless_stored(&blobs)?) {
            // Its last other user was removed since we looked.
            Err(Error::NoSuchBlob(_)) => ask(blobs.values().map(|content| Blob::of(content)).collect())?,
            accepted => accepted?,
        }
        Ok(RunWriter::new(self.0.clone(), start))
    }

    /// Compresses the blobs that are not stored yet.
    fn unless_stored(&self, blobs: &BTreeMap<Digest, &Content>) -> Result<Vec<Blob>, Error> {
        let blob = |read: &_, (digest, content): (&Digest, &&Content)| match blob::is_stored(read, digest)? {
            true => Ok(Blob::stored(*digest)),
            false => Ok(Blob::of(content)),
        };
        self.0.store.reading(|read| blobs.iter().map(|named| blob(read, named)).collect())
    }

    /// Becomes the owner of a run that exists, and goes on after its last durable entry. Whoever owned it before is
    /// fenced: its next append fails with [`Error::Fenced`]. Reads the whole run, and says where it stands.
    ///
    /// # Errors
    /// [`Error::NoSuchRun`], [`Error::Damaged`], and [`Error::Fenced`] when the run moved on meanwhile: try again.
    pub fn take_over(&self, run: RunId) -> Result<TakenOver, Error> {
        let row = self.row(run)?;
        let mut reader = self.reader(run)?;
        let mut blobs_used: HashSet<_> = row.blobs.iter().copied().collect();
        let (mut seen, own_from) = (Seen::default(), reader.own_from());
        while let Some(entry) = reader.next_raw()? {
            // What its past uses is counted for the run that recorded it.
            if entry.number >= own_from {
                blob::add_of([entry.params, entry.outcome], &mut blobs_used)?;
            }
            seen.take(&entry);
        }
        let epoch = reader.epoch() + 1;
        let namespace = Header::decode(&row.header.unpack()?)?.namespace();
        let is_waiting = self.waiting(run)?.is_some();
        let start = Start { is_waiting, ..Start::after(&reader, epoch, blobs_used, namespace) };
        let (at, tail, progress) = (reader.at, reader.tail(), start.progress.clone());
        self.0.ask(|reply| {
            let (extent, head, last_commit) = (at.extent, at.head, at.commit);
            Message::TakeOver(Box::new(TakeOver { run, epoch, extent, head, tail, last_commit, progress, reply }))
        })?;
        let (calls, open) = (seen.calls, seen.open);
        let states = seen.states(&self.0.store)?;
        Ok(TakenOver { writer: RunWriter::new(self.0.clone(), start), calls, open, time_us: at.time_us, states })
    }

    /// Returns a reader of the entries that are committed now.
    ///
    /// # Errors
    /// [`Error::NoSuchRun`] and what keeps the file from being read.
    pub fn reader(&self, run: RunId) -> Result<Reader, Error> {
        Reader::open(&self.0.store, run)
    }

    /// Reads a run to its end and checks its chain, its blobs, and its signatures against `key`, or against
    /// [`Journal::key`].
    ///
    /// # Errors
    /// [`Error::Damaged`] when chain, entries or blobs are not whole; [`Error::BadSignature`].
    pub fn verify(&self, run: RunId, key: Option<&VerifyingKey>) -> Result<Verified, Error> {
        verify::verify(self.reader(run)?, key.or(self.0.key.as_ref()))
    }

    /// Returns the key that this home signs with. The journal of a bundle has none: what a stranger's file says of its
    /// signer proves nothing.
    pub fn key(&self) -> Option<VerifyingKey> {
        self.0.key
    }

    /// Removes a run, and the blobs that only it used. What it wrote to kv stays.
    ///
    /// # Errors
    /// [`Error::NoSuchRun`]; [`Error::Live`] while it has a writer; [`Error::HasFork`] while a run is there that was forked
    /// from it.
    pub fn remove(&self, run: RunId) -> Result<(), Error> {
        self.0.ask(|reply| Message::Remove(run, reply))
    }

    /// Finishes what was handed over and closes the file, for every handle. Writers of runs that are left fail with
    /// [`Error::Closed`].
    ///
    /// # Errors
    /// What kept the writer thread from finishing.
    pub fn close(self) -> Result<(), Error> {
        self.0.close()
    }
}

impl Core {
    fn send(&self, message: Message) -> Result<(), Error> {
        self.queue.send(message)
    }

    fn last_cut(&self) -> Option<Arc<Cut>> {
        self.last_cut.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep_cut(&self, cut: &Arc<Cut>) {
        *self.last_cut.lock().unwrap_or_else(PoisonError::into_inner) = Some(cut.clone());
    }

    /// Sends a message that is answered, and waits for the answer.
    fn ask(&self, message: impl FnOnce(Reply) -> Message) -> Result<(), Error> {
        let (reply, answer) = mpsc::sync_channel(1);
        self.send(message(reply))?;
        answer.recv().map_err(|_| Error::Closed)?
    }

    fn close(&self) -> Result<(), Error> {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return Ok(()) };
        // The thread may have ended by itself; then it says why below.
        let _ended = self.send(Message::Close);
        let finished = thread.join().unwrap_or_else(|_| Err(Error::damaged("the writer thread panicked")));
        finished.and(self.store.close())
    }
}

impl Drop for Core {
    /// Nobody is left to hear an error; what was promised durable is.
    fn drop(&mut self) {
        let _unheard = self.close();
    }
}
