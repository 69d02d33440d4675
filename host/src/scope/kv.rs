//! The scope of kv: which keys, to do what, and how much.

use serde::{Deserialize, Serialize};

use super::{Access, Terms, bounds, lower};
use crate::manifest::{Ceiling, KeyPrefix, Kv};

/// What a run may do with the keys and values of its plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KvScope {
    /// Sorted, never empty, none the beginning of another.
    prefixes: Vec<KeyPrefix>,
    /// Keys that the ceiling denies: sorted, each longer than one of the prefixes, none the beginning of another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    except: Vec<KeyPrefix>,
    access: Access,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quota: Option<u64>,
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    terms: Terms,
}

impl KvScope {
    /// Returns the scope in normal form; nothing when it covers no key.
    pub(super) fn new(kv: &Kv, terms: Terms) -> Option<Self> {
        let prefixes = kv.prefixes.iter().cloned().collect();
        Self { prefixes, except: Vec::new(), access: kv.access, quota: kv.quota, terms }.normal()
    }

    /// Returns the key prefixes: sorted, none the beginning of another.
    pub fn prefixes(&self) -> &[KeyPrefix] {
        &self.prefixes
    }

    /// Returns the prefixes of the keys that the ceiling denies.
    pub fn except(&self) -> &[KeyPrefix] {
        &self.except
    }

    /// Returns what may be done with the keys.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Returns the most bytes of all keys and values, if the remit bounds them.
    pub fn quota(&self) -> Option<u64> {
        self.quota
    }

    /// Returns how often and until when.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Tells whether `key` begins with one of the prefixes, and is not denied.
    pub fn covers(&self, key: &str) -> bool {
        begins(&self.prefixes, key) && !self.denies(key)
    }

    /// Tells whether the ceiling denies `key`.
    pub(super) fn denies(&self, key: &str) -> bool {
        !self.except.is_empty() && begins(&self.except, key)
    }

    /// Returns the scope that allows `wanted` on keys with `prefix` besides.
    pub(super) fn with(scope: Option<&Self>, prefix: &KeyPrefix, wanted: Access) -> Option<Self> {
        let fresh =
            || Self { prefixes: Vec::new(), except: Vec::new(), access: wanted, quota: None, terms: Terms::default() };
        let mut wider = scope.cloned().unwrap_or_else(fresh);
        wider.prefixes.push(prefix.clone());
        wider.access = wider.access.max(wanted);
        wider.normal()
    }

    /// Returns the scope in normal form, whatever the order of the prefixes; nothing when it covers no key.
    pub(super) fn normal(self) -> Option<Self> {
        let except = shortest(self.except);
        let mut prefixes = shortest(self.prefixes);
        prefixes.retain(|prefix| !begins(&except, prefix.as_str()));
        let except = except.into_iter().filter(|hole| begins(&prefixes, hole.as_str())).collect();
        let quota = self.quota.filter(|_| self.access == Access::ReadWrite);
        let terms = self.terms.normal();
        (!prefixes.is_empty()).then_some(Self { prefixes, except, access: self.access, quota, terms })
    }

    /// Returns what both allow; nothing when they share no key.
    pub(super) fn intersect(&self, other: &Self) -> Option<Self> {
        let both = |(narrow, wide): (&Self, &Self)| -> Vec<KeyPrefix> {
            narrow.prefixes.iter().filter(|prefix| begins(&wide.prefixes, prefix.as_str())).cloned().collect()
        };
        let shared = Self {
            prefixes: [both((self, other)), both((other, self))].concat(),
            except: [self.except.as_slice(), &other.except].concat(),
            access: self.access.min(other.access),
            quota: lower(self.quota, other.quota),
            terms: self.terms.intersect(&other.terms),
        };
        shared.normal()
    }

    pub(super) fn subsumes(&self, narrower: &Self) -> bool {
        let amount = narrower.access == Access::Read || bounds(self.quota, narrower.quota);
        let keys = narrower.prefixes.iter().all(|prefix| self.covers(prefix.as_str()));
        let holes = self.except.iter().all(|hole| narrower.denies(hole.as_str()) || !narrower.meets(hole));
        amount && keys && holes && self.access >= narrower.access && self.terms.cover(&narrower.terms)
    }

    /// Returns what the ceiling leaves.
    pub(super) fn under(&self, ceiling: &Ceiling) -> Option<Self> {
        let mut left = self.clone();
        left.except.extend(ceiling.deny.kv.iter().cloned());
        left.normal()
    }

    /// Tells whether some key that one of the prefixes begins also begins with `hole`.
    fn meets(&self, hole: &KeyPrefix) -> bool {
        begins(&self.prefixes, hole.as_str()) || self.prefixes.iter().any(|prefix| hole.covers(prefix))
    }
}

/// Tells whether one of `prefixes`, which are sorted and of which none begins another, begins `key`.
fn begins(prefixes: &[KeyPrefix], key: &str) -> bool {
    // Of the prefixes that sort at or before the key only the last can begin it: another one that does would
    // begin that last one too, and then the two would not both be in a normal form.
    let after = prefixes.partition_point(|prefix| prefix.as_str() <= key);
    prefixes[..after].last().is_some_and(|prefix| key.starts_with(prefix.as_str()))
}

/// Returns the prefixes sorted, without those that another one begins.
fn shortest(mut prefixes: Vec<KeyPrefix>) -> Vec<KeyPrefix> {
    prefixes.sort();
    // Sorted, whatever a prefix covers follows it directly.
    prefixes.dedup_by(|next, kept| kept.covers(next));
    prefixes
}
