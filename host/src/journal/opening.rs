//! Opening the file, on the thread that will write it: whoever opens a journal has a disk's time for something else.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use ed25519_dalek::{SigningKey, VerifyingKey};
use redb::Database;

use super::error::Error;
use super::queue::{self, Receiver, Sender};
use super::store::Store;
use super::writer::Writer;
use super::{Core, Journal, Options, recover, tables};

/// A journal that is being opened. Dropping it closes the file again.
#[must_use = "only `finish` says whether the journal opened"]
pub struct Opening {
    path: PathBuf,
    key: VerifyingKey,
    queue: Sender,
    opened: mpsc::Receiver<Result<Arc<Store>, Error>>,
    thread: JoinHandle<Result<(), Error>>,
}

impl Opening {
    /// Begins to open the journal at `path`, or to create it.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn begin(path: &Path, signer: SigningKey, options: &Options) -> Result<Self, Error> {
        let (file, cache_bytes) = (path.to_owned(), options.cache_bytes);
        Self::begin_with(path, signer, move || tables::open(&file, cache_bytes))
    }

    /// As [`Opening::begin`], with another way to open the tables.
    pub(super) fn begin_with(
        path: &Path,
        signer: SigningKey,
        tables: impl FnOnce() -> Result<(Database, u64), Error> + Send + 'static,
    ) -> Result<Self, Error> {
        let (queue, received) = queue::queue();
        let (tell, opened) = mpsc::sync_channel(1);
        let (key, path) = (signer.verifying_key(), path.to_owned());
        let work = move || match open(tables, received, signer) {
            Ok((store, writer)) => {
                let _nobody_waits = tell.send(Ok(store));
                writer.run()
            }
            Err(error) => {
                let _nobody_waits = tell.send(Err(error));
                Ok(())
            }
        };
        let thread = thread::Builder::new().name("journal".into()).spawn(work).map_err(Error::io)?;
        Ok(Self { path, key, queue, opened, thread })
    }

    /// Waits until the journal is open.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn finish(self) -> Result<Journal, Error> {
        let store = self.opened.recv().map_err(|_| Error::damaged("the writer thread panicked"))??;
        let Self { path, key, queue, thread, .. } = self;
        Ok(Journal(Arc::new(Core {
            store,
            path,
            queue,
            thread: Mutex::new(Some(thread)),
            key: Some(key),
            last_cut: Mutex::default(),
        })))
    }
}

fn open(
    tables: impl FnOnce() -> Result<(Database, u64), Error>,
    queue: Receiver,
    signer: SigningKey,
) -> Result<(Arc<Store>, Writer), Error> {
    let (database, indexed) = tables()?;
    let next = recover::recover(&database, indexed)?;
    let store = Arc::new(Store::new(database));
    let writer = Writer::new(store.clone(), queue, signer, next)?;
    Ok((store, writer))
}
