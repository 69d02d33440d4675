//! The writer thread: the only writer of the file.
//!
//! It waits for a message somebody waits for (or until what is buffered is old or large), takes everything that is
//! queued by then, commits once, durably, and answers all. After a failed commit it answers everything with that error:
//! what it knows of the runs is then ahead of the file, and only opening the journal anew makes them agree.

mod commit;
mod live;
mod log;
mod remove;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use ed25519_dalek::SigningKey;

use self::live::Live;
use self::log::Log;
use super::chain::{self, KeyId};
use super::edge::edge;
use super::error::Error;
use super::message::Message;
use super::segment::Builder;
use super::store::Store;
use crate::id::RunId;

/// How long a message that nobody waits for may wait for company.
const GATHER: Duration = Duration::from_millis(3);
/// How much is gathered for one commit at most, in bytes before compression.
const GATHER_BYTES: usize = 1024 * 1024;
/// How many messages one commit answers at most.
const GROUP_LEN: usize = 4 * super::message::QUEUE_LEN;
/// After this long without work, one commit leaves the file such that opening it after a crash is quick.
const IDLE: Duration = Duration::from_millis(250);

/// The state of the writer thread.
pub(super) struct Writer {
    store: Arc<Store>,
    queue: Receiver<Message>,
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
    pub fn new(store: Arc<Store>, queue: Receiver<Message>, signer: SigningKey, next: u64) -> Result<Self, Error> {
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
        let Some(first) = self.first_message() else { return false };
        let (mut urgent, mut size) = (false, 0);
        let mut next = Some(first);
        while let Some(message) = next {
            if matches!(message, Message::Close) {
                return false;
            }
            urgent |= message.is_urgent();
            size += message.size();
            group.push(message);
            if size >= GATHER_BYTES || group.len() >= GROUP_LEN {
                break;
            }
            next = if urgent { self.queue.try_recv().ok() } else { self.queue.recv_timeout(GATHER).ok() };
        }
        true
    }

    /// Waits for a message, and makes use of an idle moment. `None` when nobody is left to send one.
    fn first_message(&mut self) -> Option<Message> {
        if !self.hasty || self.failed.is_some() {
            return self.queue.recv().ok();
        }
        match self.queue.recv_timeout(IDLE) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                self.rest();
                self.queue.recv().ok()
            }
        }
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
