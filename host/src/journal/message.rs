//! What the writer thread is asked to do. Whoever asks is always answered, if only by the message being dropped.

use std::sync::mpsc::SyncSender;

use redb::WriteTransaction;

use super::amounts::{Claim, Settlement};
use super::answer::Question;
use super::blob::Blob;
use super::entry::FunctionDef;
use super::error::Error;
use super::index::Tail;
use super::packed::Packed;
use super::progress::Progress;
use super::row::{Extent, StateBody};
use super::run_writer::Told;
use super::starts::Start;
use super::unfinished::Unfinished;
use super::waits;
use crate::digest::Digest;
use crate::id::RunId;
use crate::lifecycle::State;
use crate::time::Timestamp;

/// What the writer thread is asked to do.
pub(super) enum Message {
    /// Store entries.
    Append(Box<Append>),
    /// Commit what has come so far.
    Barrier,
    /// Store a new run.
    Accept(Box<Accept>),
    /// Make somebody the owner of a run that exists.
    TakeOver(Box<TakeOver>),
    /// Remove a run and what only it used.
    Remove(RunId, Reply),
    /// Change what an operator decides.
    Edit(Option<Edit>, Reply),
    /// The writer of this run, at this epoch, has gone.
    Leave(RunId, u64),
    /// Finish.
    Close,
}

impl Message {
    /// Says whether somebody waits for it.
    pub fn is_urgent(&self) -> bool {
        match self {
            Self::Append(append) => append.barrier,
            Self::Barrier | Self::Accept(_) | Self::TakeOver(_) | Self::Remove(..) | Self::Edit(..) | Self::Close => {
                true
            }
            Self::Leave(..) => false,
        }
    }

    /// Says whether it changes the file.
    pub fn changes(&self) -> bool {
        matches!(self, Self::Append(_) | Self::Accept(_) | Self::TakeOver(_) | Self::Remove(..) | Self::Edit(..))
    }

    /// Returns how much it adds to a commit, roughly.
    pub fn size(&self) -> usize {
        if let Self::Append(append) = self { append.body.len() } else { 0 }
    }
}

/// Entries of one run, and what must be committed with them.
pub(super) struct Append {
    pub run: RunId,
    pub epoch: u64,
    pub first_entry: u64,
    pub count: u64,
    pub fuel: u64,
    pub time_us: u64,
    pub fuel_used: u64,
    pub definitions: Vec<FunctionDef>,
    pub body: Vec<u8>,
    pub kv: Vec<KvWrite>,
    pub blobs: Vec<Blob>,
    /// The params of the last entry, when that is a state, and which.
    pub state: Option<(State, StateBody)>,
    /// What that state changes about the run's waiting.
    pub waits: Option<waits::Change>,
    /// What these entries told the run of.
    pub told: Vec<Told>,
    /// Whether somebody waits for it.
    pub barrier: bool,
    /// What its one entry, an intent, claims. Refused, nothing of this is stored.
    pub claiming: Option<Claiming>,
    /// What became of the claims of earlier intents.
    pub settlements: Vec<(u64, Settlement)>,
    pub promise: Promise,
}

/// What an intent claims, and where the answer goes.
pub(super) struct Claiming {
    pub claims: Vec<Claim>,
    pub owner: Digest,
    pub now: Timestamp,
    pub question: Question,
}

/// A kv entry to set, or to delete when there is no value.
pub(super) struct KvWrite {
    /// Namespace and key.
    pub key: Vec<u8>,
    pub value: Option<Vec<u8>>,
}

/// Fails the run when it is dropped unkept, so that nobody waits for ever.
pub(super) struct Promise(Option<Progress>);

impl Promise {
    pub fn new(progress: Progress) -> Self {
        Self(Some(progress))
    }

    pub fn keep(&mut self, entries: u64, buffer: Vec<u8>) {
        if let Some(progress) = self.0.take() {
            progress.give_buffer(buffer);
            progress.advance(entries);
        }
    }

    /// Forgets what was promised: who asked is told otherwise.
    pub fn release(&mut self, buffer: Vec<u8>) {
        if let Some(progress) = self.0.take() {
            progress.give_buffer(buffer);
        }
    }

    pub fn fail(&mut self, error: Error) {
        if let Some(progress) = self.0.take() {
            progress.fail(error);
        }
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.fail(Error::Closed);
    }
}

/// A run to store.
pub(super) struct Accept {
    pub run: RunId,
    pub header: Packed,
    pub key: Option<Start>,
    pub listed: Unfinished,
    pub blobs: Vec<Blob>,
    pub first_head: Digest,
    pub progress: Progress,
    /// How many entries it has of the runs that it comes from, and the fuel they used.
    pub entries: u64,
    pub fuel: u64,
    pub parent: Option<RunId>,
    pub reply: Reply,
}

/// A run to own from where a reader found its end.
pub(super) struct TakeOver {
    pub run: RunId,
    pub epoch: u64,
    pub extent: Extent,
    pub head: Digest,
    pub tail: Tail,
    pub last_commit: Option<u64>,
    pub progress: Progress,
    pub reply: Reply,
}

/// A change that an operator makes. The inner result is a refusal, which changes nothing.
pub(super) type Edit = Box<dyn FnOnce(&WriteTransaction) -> Result<Result<(), Error>, Error> + Send>;

/// Where an answer goes. Dropping it answers [`Error::Closed`].
pub(super) type Reply = SyncSender<Result<(), Error>>;
