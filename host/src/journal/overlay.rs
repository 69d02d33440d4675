//! A run's own view of its kv: what is committed, and over it what the run has written and not committed yet.

use std::collections::BTreeMap;

use super::error::Error;
use super::kv;
use super::message::KvWrite;
use super::store::Store;
use crate::digest::Digest;

/// What a run has written and not committed yet.
pub(super) struct Overlay {
    namespace: Digest,
    pending: BTreeMap<String, Pending>,
    /// Writes that have not been handed to the writer thread, in order, with their entries.
    unsent: Vec<(u64, KvWrite)>,
    /// The namespace's size when the first of the pending writes was made, and what they added since.
    committed: u64,
    added: i64,
    /// Whether nothing is handed over: the run's writes are its own.
    is_kept: bool,
}

struct Pending {
    entry: u64,
    value: Option<Vec<u8>>,
}

impl Overlay {
    pub fn new(namespace: Digest) -> Self {
        Self { namespace, pending: BTreeMap::new(), unsent: Vec::new(), committed: 0, added: 0, is_kept: false }
    }

    /// Keeps what is written from here on.
    pub fn keep(&mut self) {
        self.is_kept = true;
    }

    pub fn is_kept(&self) -> bool {
        self.is_kept
    }

    pub fn get(&self, store: &Store, key: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.pending.get(key) {
            Some(pending) => Ok(pending.value.clone()),
            None => store.reading(|read| kv::get(read, &self.namespace, key)),
        }
    }

    /// Sets a key, or deletes it, because of the entry with this number.
    pub fn put(&mut self, store: &Store, entry: u64, key: &str, value: Option<&[u8]>) -> Result<(), Error> {
        let size = |value: &[u8]| (key.len() + value.len()) as i64;
        let before = self.get(store, key)?.as_deref().map_or(0, size);
        if self.pending.is_empty() {
            (self.committed, self.added) = (self.committed_total(store)?, 0);
        }
        self.added += value.map_or(0, size) - before;
        if !self.is_kept {
            let write = KvWrite { key: kv::key(&self.namespace, key), value: value.map(<[u8]>::to_vec) };
            self.unsent.push((entry, write));
        }
        self.pending.insert(key.to_owned(), Pending { entry, value: value.map(<[u8]>::to_vec) });
        Ok(())
    }

    /// Returns the first `max` keys that start with `prefix` and come after `after`, in order.
    pub fn keys(&self, store: &Store, prefix: &str, after: Option<&str>, max: usize) -> Result<Vec<String>, Error> {
        let mut keys = Vec::new();
        store.reading(|read| {
            kv::each_key(read, &self.namespace, prefix, after, |key| {
                if !self.pending.contains_key(key) && keys.len() < max {
                    keys.push(key.to_owned());
                }
                keys.len() < max
            })
        })?;
        let in_range = |key: &str| key.starts_with(prefix) && after.is_none_or(|after| key > after);
        let set = self.pending.iter().filter(|(key, pending)| pending.value.is_some() && in_range(key));
        keys.extend(set.map(|(key, _)| key.clone()));
        keys.sort_unstable();
        keys.truncate(max);
        Ok(keys)
    }

    /// Returns the size of the namespace in bytes: keys and values. What other runs write to it meanwhile is counted
    /// once nothing is pending here.
    pub fn total(&self, store: &Store) -> Result<u64, Error> {
        if self.pending.is_empty() {
            return self.committed_total(store);
        }
        Ok(self.committed.saturating_add_signed(self.added))
    }

    fn committed_total(&self, store: &Store) -> Result<u64, Error> {
        store.reading(|read| kv::total(read, &self.namespace))
    }

    /// Returns the writes to hand over with the entries below `entry`.
    pub fn take(&mut self, entry: u64) -> Vec<KvWrite> {
        let recorded = self.unsent.iter().take_while(|(of, _)| *of < entry).count();
        self.unsent.drain(..recorded).map(|(_, write)| write).collect()
    }

    /// Drops the writes that no entry was recorded for.
    pub fn drop_from(&mut self, entry: u64) {
        self.unsent.retain(|(of, _)| *of < entry);
    }

    /// Forgets what has become durable, of which `entries` entries have.
    pub fn forget(&mut self, entries: u64) {
        if !self.pending.is_empty() && !self.is_kept {
            self.pending.retain(|_, pending| pending.entry >= entries);
        }
    }
}
