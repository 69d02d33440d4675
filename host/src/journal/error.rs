//! What can go wrong with a journal, by what the caller can do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::amounts::UsedUp;
use super::grants::GrantId;
use crate::digest::Digest;
use crate::id::RunId;

/// A journal could not do what it was asked. Cheap to clone, since one failed commit answers many runs.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process owns the file.
    #[error("the journal {} is in use by another process", .0.display())]
    Busy(PathBuf),
    /// A newer Remit wrote the file.
    #[error("the journal has format {found}, and this remit reads up to {supported}")]
    NewerFormat {
        /// The format of the file.
        found: u64,
        /// The newest format this build reads.
        supported: u64,
    },
    /// The file or what it stands on may not be written.
    #[error("the journal cannot be written: {0}")]
    ReadOnly(Arc<io::Error>),
    /// There is no room left.
    #[error("the disk of the journal is full")]
    DiskFull,
    /// Any other failure of the file system.
    #[error("the journal's file failed: {0}")]
    Io(Arc<io::Error>),
    /// The file does not hold what a journal holds. Nothing read from it before this error was wrong.
    #[error("the journal is damaged: {0}")]
    Damaged(Arc<str>),
    /// No run has this id.
    #[error("no run {0}")]
    NoSuchRun(RunId),
    /// A run has fewer entries.
    #[error("run {run} has no entry {entry}: it has {entries}")]
    NoSuchEntry {
        /// The run.
        run: RunId,
        /// The number that was asked for.
        entry: u64,
        /// How many entries it has.
        entries: u64,
    },
    /// A run is the past of another.
    #[error("run {run} is the past of run {fork}, which was forked from it")]
    HasFork {
        /// The run.
        run: RunId,
        /// A run that was forked from it.
        fork: RunId,
    },
    /// A run comes from as many others as one may.
    #[error("run {run} comes from {max} others, each forked from the one before, and that is the most")]
    TooDeep {
        /// The run.
        run: RunId,
        /// The limit.
        max: usize,
    },
    /// No blob has this digest.
    #[error("no blob {0}")]
    NoSuchBlob(Digest),
    /// The run is being written, so it can be neither removed nor taken over by this call.
    #[error("run {0} is still being written")]
    Live(RunId),
    /// A run was started with this key before, for the same.
    #[error("run {0} was started with this key")]
    AlreadyStarted(RunId),
    /// A run was started with this key before, for something else.
    #[error("run {run} was started with the key `{key}`, and with another plugin, input or arguments")]
    StartKeyTaken {
        /// The key.
        key: Arc<str>,
        /// The run that has it.
        run: RunId,
    },
    /// Another owner has taken the run over, or entries would leave a gap.
    #[error(
        "run {run} is at epoch {epoch}, entry {entry}; an append came for epoch {claimed_epoch}, entry {claimed_entry}"
    )]
    Fenced {
        /// The run.
        run: RunId,
        /// The owner epoch the journal holds.
        epoch: u64,
        /// The number of the next entry.
        entry: u64,
        /// The epoch of the refused append.
        claimed_epoch: u64,
        /// The first entry of the refused append.
        claimed_entry: u64,
    },
    /// No plugin with this identity is installed.
    #[error("no plugin {0} is installed")]
    NoSuchPlugin(Arc<str>),
    /// No grant has this name.
    #[error("no grant {0}")]
    NoSuchGrant(GrantId),
    /// The grant was revoked, replaced, or has expired.
    #[error("grant {0} does not hold any more")]
    GrantEnded(GrantId),
    /// As much as a grant allows is used or reserved already. Names every amount that stands in the way.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Exhausted(Arc<[UsedUp]>),
    /// The run reserved nothing with this intent, or it was settled.
    #[error("run {run} has no reservation open with intent {intent}")]
    NotReserved {
        /// The run.
        run: RunId,
        /// The number of the intent.
        intent: u64,
    },
    /// A payload is larger than the journal stores.
    #[error("{what} of {len} bytes is over the limit of {max} bytes")]
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// Its length in bytes.
        len: u64,
        /// The limit in bytes.
        max: u64,
    },
    /// A proposal cannot be decided, or not any more.
    #[error("the proposal of run {run} at its entry {entry} {why}")]
    NotOpen {
        /// The run.
        run: RunId,
        /// The number of the intent.
        entry: u64,
        /// What has become of it.
        why: &'static str,
    },
    /// A run was sent more signals than are kept for it.
    #[error("run {run} has not been told of {max} signals, and no more are kept for it")]
    TooManySignals {
        /// The run.
        run: RunId,
        /// How many are kept.
        max: usize,
    },
    /// A state, a header or a signal's payload did not serialize.
    #[error("not JSON: {0}")]
    NotJson(Arc<str>),
    /// A signature was made by the key asked about, but not over this head.
    #[error("run {run}: the signature after entry {entry} is wrong")]
    BadSignature {
        /// The run.
        run: RunId,
        /// The last entry before the signature.
        entry: u64,
    },
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
}

impl Error {
    /// Tells whether a claim was refused, so that the run goes on without it.
    pub fn refuses_claim(&self) -> bool {
        matches!(self, Self::Exhausted(_) | Self::GrantEnded(_) | Self::NoSuchGrant(_))
    }

    /// Returns the error for bytes that are not what they should be.
    #[cold]
    pub(super) fn damaged(what: impl fmt::Display) -> Self {
        Self::Damaged(what.to_string().into())
    }

    /// Returns the error for a failure of the file system.
    pub(super) fn io(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(Arc::new(error)),
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Self::damaged(error),
            _ => Self::Io(Arc::new(error)),
        }
    }

    /// Names the file where the error is about the file.
    pub(super) fn at(self, path: &Path) -> Self {
        match self {
            Self::Busy(_) => Self::Busy(path.to_owned()),
            other => other,
        }
    }
}

/// A prefix names no run, or several.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FindError {
    /// No run's id starts like this.
    #[error("no run starts with `{0}`")]
    None(String),
    /// Several do.
    #[error("`{prefix}` could be {} runs", .runs.len())]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// The first few runs it could be, oldest first.
        runs: Vec<RunId>,
    },
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] Error),
}
