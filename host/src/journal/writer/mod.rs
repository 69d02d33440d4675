//! The writer thread: the only writer of the file.
//!
//! It waits until the [queue](super::queue) holds what is worth a commit, takes everything that is queued by then, commits once, durably, and answers all. After a failed commit it answers everything with that error:
//! what it knows of the runs is then ahead of the file, and only opening the journal anew makes them agree.

mod commit;
mod live;
mod log;
mod remove;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;

use self::live::Live;
use self::log::Log;
use super::chain::{self, KeyId};
use super::edge::edge;
use super::error::Error;
use super::message::Message;
use super::queue::{Gathered, Receiver};
use super::segment::Builder;
use super::store::Store;
use crate::id::RunId;

/// After this long without work, one commit leaves the file such that opening it after a crash is quick.
const IDLE: Duration = Duration::from_millis(250);

/// The state of the writer thread.
pub(super) struct Writer {
    store: Arc<Store>,
    queue: Receiver,
    signer: SigningKey,
    key: KeyId,
    builder: Builder,
    runs: HashMap<RunId, Live>,
    log: Log,
    /// Whether a commit was made since the last that a crash recovers from quickly.
    hasty: bool,
    /// Runs that the commit which is being made adds to.
    touched: Vec<RunId>,
    failed: Option<Error>,
}

impl Writer {
    pub fn new(store: Arc<Store>, queue: Receiver, signer: SigningKey, next: u64) -> Result<Self, Error> {
        Ok(Self {
            store,
            queue,
            key: chain::key_id(&signer.verifying_key()),
            signer,
            builder: Builder::new()?,
            runs: HashMap::new(),
            log: Log::new(next),
            hasty: false,
            touched: Vec::new(),
            failed: None,
        })
    }

    /// Works until it is told to finish or nobody is left who could.
    pub fn run(mut self) -> Result<(), Error> {
        let mut group = Vec::new();
        while self.gather(&mut group) {
            self.commit(&mut group);
        }
        self.commit(&mut group);
        self.finish()
    }

    /// Waits for work and collects what one commit shall hold. Says `false` when this is the last.
    fn gather(&mut self, group: &mut Vec<Message>) -> bool {
        let patience = (self.hasty && self.failed.is_none()).then_some(IDLE);
        let gathered = match self.queue.gather(patience, group) {
            Gathered::Nothing => {
                self.rest();
                self.queue.gather(None, group)
            }
            gathered => gathered,
        };
        gathered != Gathered::Last
    }

    /// Completes the index and leaves the file such that opening it after a crash is quick.
    fn rest(&mut self) {
        let result = edge(|| self.settle_all(true));
        self.note(result);
    }

    /// Completes the index at the end.
    fn finish(mut self) -> Result<(), Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.log.unindexed() == 0 {
            return Ok(());
        }
        edge(|| self.settle_all(false))
    }

    fn note(&mut self, result: Result<(), Error>) {
        match result {
            Ok(()) => self.hasty = false,
            Err(error) => self.failed = Some(error),
        }
    }
}
