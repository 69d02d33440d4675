//! The log's end: segments on their way into rows.
//!
//! A transaction adds one row, or several when it has much to add: a row takes segments while they fit into 64 KiB,
//! because redb allocates in powers of two and larger rows would waste more.

use redb::WriteTransaction;

use super::super::error::Error;
use super::super::segment::ROW_BYTES;
use super::super::{tables, varint};

/// The log's end.
pub(super) struct Log {
    /// The number of the row that is being filled.
    next: u64,
    row: Vec<u8>,
    /// Rows written since the index was last complete.
    unindexed: u64,
}

impl Log {
    pub fn new(next: u64) -> Self {
        Self { next, row: Vec::with_capacity(ROW_BYTES), unindexed: 0 }
    }

    /// Returns the number of the first row that is not written yet.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Returns how many rows the index may not know.
    pub fn unindexed(&self) -> u64 {
        self.unindexed
    }

    /// Notes that the index knows every row.
    pub fn indexed(&mut self) {
        self.unindexed = 0;
    }

    /// Adds a segment and returns the number of its row.
    pub fn add(&mut self, write: &WriteTransaction, segment: &[u8]) -> Result<u64, Error> {
        if self.row.len() + varint::LEN_MAX + segment.len() > ROW_BYTES {
            self.finish(write)?;
        }
        varint::put_bytes(&mut self.row, segment);
        Ok(self.next)
    }

    /// Writes the row that is being filled, if it holds anything.
    pub fn finish(&mut self, write: &WriteTransaction) -> Result<(), Error> {
        if self.row.is_empty() {
            return Ok(());
        }
        write.open_table(tables::LOG)?.insert(self.next, &*self.row)?;
        self.row.clear();
        self.next += 1;
        self.unindexed += 1;
        Ok(())
    }
}
