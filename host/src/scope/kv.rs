//! The scope of kv: which keys, to do what, and how much.

use serde::{Deserialize, Serialize};

use super::{Access, bounds, lower};
use crate::manifest::{KeyPrefix, Kv};

/// What a run may do with the keys and values of its plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KvScope {
    /// Sorted, never empty, none the beginning of another.
    prefixes: Vec<KeyPrefix>,
    access: Access,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quota: Option<u64>,
}

impl KvScope {
    /// Returns the scope in normal form; nothing when it covers no key.
    pub(super) fn new(kv: &Kv) -> Option<Self> {
        Self::normal(kv.prefixes.iter().cloned().collect(), kv.access, kv.quota)
    }

    /// Returns the key prefixes: sorted, none the beginning of another.
    pub fn prefixes(&self) -> &[KeyPrefix] {
        &self.prefixes
    }

    /// Returns what may be done with the keys.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Returns the most bytes of all keys and values, if the remit bounds them.
    pub fn quota(&self) -> Option<u64> {
        self.quota
    }

    /// Tells whether `key` begins with one of the prefixes.
    pub fn covers(&self, key: &str) -> bool {
        // Of the prefixes that sort at or before the key only the last can begin it: another one that does would
        // begin that last one too, and then the two would not both be in a normal form.
        let after = self.prefixes.partition_point(|prefix| prefix.as_str() <= key);
        self.prefixes[..after].last().is_some_and(|prefix| key.starts_with(prefix.as_str()))
    }

    /// Returns the scope in normal form, whatever the order of the prefixes.
    pub(super) fn normal(mut prefixes: Vec<KeyPrefix>, access: Access, quota: Option<u64>) -> Option<Self> {
        prefixes.sort();
        // Sorted, whatever a prefix covers follows it directly.
        prefixes.dedup_by(|next, kept| kept.covers(next));
        let quota = quota.filter(|_| access == Access::ReadWrite);
        (!prefixes.is_empty()).then_some(Self { prefixes, access, quota })
    }

    /// Returns what both allow; nothing when they share no key.
    pub(super) fn intersect(&self, other: &Self) -> Option<Self> {
        let both = |(narrow, wide): (&Self, &Self)| -> Vec<KeyPrefix> {
            narrow.prefixes.iter().filter(|prefix| wide.covers(prefix.as_str())).cloned().collect()
        };
        let prefixes = [both((self, other)), both((other, self))].concat();
        Self::normal(prefixes, self.access.min(other.access), lower(self.quota, other.quota))
    }

    pub(super) fn subsumes(&self, narrower: &Self) -> bool {
        let amount = narrower.access == Access::Read || bounds(self.quota, narrower.quota);
        amount && self.access >= narrower.access && narrower.prefixes.iter().all(|prefix| self.covers(prefix.as_str()))
    }
}
