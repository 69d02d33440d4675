//! A run's kv, as its writer sees and changes it.

use super::RunWriter;
use crate::journal::Error;

impl RunWriter {
    /// Returns the value of a key, as this run has written it or as it is committed.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn kv_get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.kv.get(&self.core.store, key)
    }

    /// Sets a key. The value commits together with the entry that is recorded next.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn kv_set(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.kv.put(&self.core.store, self.next_entry, key, Some(value))
    }

    /// Deletes a key, which may not exist. That commits together with the entry that is recorded next.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn kv_delete(&mut self, key: &str) -> Result<(), Error> {
        self.kv.put(&self.core.store, self.next_entry, key, None)
    }

    /// Keeps what the run writes to itself: nothing of it is stored, and nobody else sees it.
    pub fn keep_kv(&mut self) {
        self.kv.keep();
    }

    /// Writes again what the run wrote before it was resumed, where nobody but its record keeps that.
    pub fn kv_again(&mut self, key: &str, value: Option<&[u8]>) {
        if self.kv.is_kept() {
            // A store that cannot be read says so at the run's next call.
            let _unread = self.kv.put(&self.core.store, self.next_entry, key, value);
        }
    }

    /// Returns the first `max` keys that start with `prefix` and come after `after`, in byte order.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn kv_keys(&self, prefix: &str, after: Option<&str>, max: u32) -> Result<Vec<String>, Error> {
        self.kv.keys(&self.core.store, prefix, after, max as usize)
    }

    /// Returns the size of the run's namespace in bytes: the lengths of its keys and values.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn kv_total(&self) -> Result<u64, Error> {
        self.kv.total(&self.core.store)
    }
}
