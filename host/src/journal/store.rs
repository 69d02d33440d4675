//! The open file, shared by readers and the writer thread, and what the writer has not put into tables yet.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};

use super::edge::edge;
use super::error::Error;
use super::grants::Generation;
use super::index::Tail;
use super::row::Extent;
use crate::id::RunId;

/// The open file.
pub(super) struct Store {
    database: RwLock<Option<Database>>,
    published: Mutex<HashMap<RunId, Published>>,
    /// The runs that have a writer in this process, each with its epoch.
    owners: Mutex<HashMap<RunId, u64>>,
    generation: Generation,
}

/// What readers need to know of a run that is being written.
#[derive(Clone, Debug, Default)]
pub(super) struct Published {
    pub extent: Extent,
    pub tail: Tail,
}

impl Store {
    pub fn new(database: Database) -> Self {
        Self {
            database: RwLock::new(Some(database)),
            published: Mutex::default(),
            owners: Mutex::default(),
            generation: Generation::new(),
        }
    }

    /// Begins to read what is committed.
    pub fn read(&self) -> Result<ReadTransaction, Error> {
        self.with(|database| Ok(database.begin_read()?))
    }

    /// Reads what is committed in one go.
    pub fn reading<T>(&self, call: impl FnOnce(&ReadTransaction) -> Result<T, Error>) -> Result<T, Error> {
        self.with(|database| call(&database.begin_read()?))
    }

    /// Begins to write; for the writer thread.
    pub fn write(&self) -> Result<WriteTransaction, Error> {
        self.with(|database| Ok(database.begin_write()?))
    }

    fn with<T>(&self, call: impl FnOnce(&Database) -> Result<T, Error>) -> Result<T, Error> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        edge(|| call(database.as_ref().ok_or(Error::Closed)?))
    }

    /// Closes the file. Readers that are still there find it closed.
    pub fn close(&self) -> Result<(), Error> {
        let database = self.database.write().unwrap_or_else(PoisonError::into_inner).take();
        edge(|| {
            drop(database);
            Ok(())
        })
    }

    /// Returns how far the runs that are being written have come.
    pub fn published(&self) -> MutexGuard<'_, HashMap<RunId, Published>> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a run has a writer.
    pub fn owned(&self, run: RunId, epoch: u64) {
        self.owners().insert(run, epoch);
    }

    /// Notes that the writer of this epoch has gone. Whoever asks after this is told so.
    pub fn disowned(&self, run: RunId, epoch: u64) {
        let mut owners = self.owners();
        if owners.get(&run) == Some(&epoch) {
            owners.remove(&run);
        }
    }

    /// Tells whether a run has a writer.
    pub fn has_owner(&self, run: RunId) -> bool {
        self.owners().contains_key(&run)
    }

    fn owners(&self) -> MutexGuard<'_, HashMap<RunId, u64>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the count of changes of grants.
    pub fn generation(&self) -> Generation {
        self.generation.clone()
    }

    /// Counts a change of grants. Whoever made it is told after this.
    pub fn grants_changed(&self) {
        self.generation.advance();
    }
}
