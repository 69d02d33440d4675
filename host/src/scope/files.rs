//! The scope of files under one name: where, to do what, and how much.

use serde::{Deserialize, Serialize};

use super::{Access, Mount, Terms, bounds, lower};
use crate::manifest::Name;

/// What a run may do with the files of one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilesScope {
    name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mount: Option<Mount>,
    access: Access,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quota: Option<u64>,
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    terms: Terms,
}

impl FilesScope {
    /// Returns the scope in normal form: a quota bounds what is written, so reading has none.
    pub(super) fn new(name: Name, mount: Option<Mount>, access: Access, quota: Option<u64>) -> Self {
        let quota = quota.filter(|_| access == Access::ReadWrite);
        Self { name, mount, access, quota, terms: Terms::default() }
    }

    /// Returns the scope with these terms.
    pub(super) fn on(self, terms: Terms) -> Self {
        Self { terms, ..self }
    }

    /// Returns the scope in normal form.
    pub(super) fn normal(self) -> Self {
        Self::new(self.name, self.mount, self.access, self.quota).on(self.terms.normal())
    }

    /// Returns the scope with at most this access.
    pub(super) fn at_most(self, access: Access) -> Self {
        Self { access: self.access.min(access), ..self }.normal()
    }

    /// Returns the logical name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Returns where the guest sees the files. A grant may leave it open; the remit of a run never does.
    pub fn mount(&self) -> Option<&Mount> {
        self.mount.as_ref()
    }

    /// Returns what may be done with the files.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Returns the most bytes written in a run, if the remit bounds them.
    pub fn quota(&self) -> Option<u64> {
        self.quota
    }

    /// Returns how often and until when.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Returns what both allow; nothing when they are for different mounts.
    pub(super) fn intersect(&self, other: &Self) -> Option<Self> {
        let mount = match (&self.mount, &other.mount) {
            (Some(ours), Some(theirs)) if ours != theirs => return None,
            (Some(mount), _) | (None, Some(mount)) => Some(mount.clone()),
            (None, None) => None,
        };
        let access = self.access.min(other.access);
        let both = Self::new(self.name.clone(), mount, access, lower(self.quota, other.quota));
        Some(both.on(self.terms.intersect(&other.terms)))
    }

    pub(super) fn subsumes(&self, narrower: &Self) -> bool {
        let place = self.mount.is_none() || self.mount == narrower.mount;
        let amount = narrower.access == Access::Read || bounds(self.quota, narrower.quota);
        place && amount && self.access >= narrower.access && self.terms.cover(&narrower.terms)
    }
}
