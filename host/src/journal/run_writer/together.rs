//! Runs that serve each other hand over together: one commit holds what all of them have recorded, or none of it.

use std::sync::Arc;

use super::{ENTRY_OVERHEAD, RunWriter, SEGMENT_BYTES};
use crate::journal::message::Message;
use crate::journal::{Core, Error, INLINE_MAX};

/// What the next entry may take in a segment.
const NEXT_ENTRY: usize = 2 * INLINE_MAX + ENTRY_OVERHEAD;

/// What several runs of one journal have buffered.
#[derive(Default)]
pub struct Together {
    core: Option<Arc<Core>>,
    messages: Vec<Message>,
}

impl Together {
    /// Takes what a run has buffered.
    ///
    /// # Errors
    /// Why it will not become durable.
    pub fn take(&mut self, writer: &mut RunWriter) -> Result<(), Error> {
        writer.settle_trial()?;
        if let Some(message) = writer.take_buffered(None, false)? {
            self.core.get_or_insert_with(|| writer.core.clone());
            self.messages.push(message);
        }
        Ok(())
    }

    /// Hands all of it over.
    ///
    /// # Errors
    /// [`Error::Closed`] when the journal is.
    pub fn hand_over(self) -> Result<(), Error> {
        match self.core {
            Some(core) => core.queue.send_all(self.messages),
            None => Ok(()),
        }
    }
}

impl RunWriter {
    /// Tells whether the next entry may not fit what is buffered, so that it would be handed over alone.
    #[inline]
    pub fn is_nearly_full(&self) -> bool {
        self.open.body.len() + NEXT_ENTRY > SEGMENT_BYTES || self.open.blob_bytes >= super::BLOB_BYTES
    }
}
