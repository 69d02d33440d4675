//! What a run may do: the remit, as an algebra.
//!
//! A [`Remit`] only allows; what it does not name is refused. It is always in normal form, so that two remits that
//! allow the same are equal, byte for byte. Remits form a lattice: [`Remit::intersect`] is its meet,
//! [`Remit::compare`] its order. Nothing here reads, writes or decides: the gate asks, and records the answer.

mod denial;
mod files;
mod kv;
mod show;
mod stored;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::manifest::{ConfigKey, Grant, ImportName, Level, Mount, Request};

pub use crate::manifest::Access;
pub use denial::{Denial, Refused};
pub use files::FilesScope;
pub use kv::KvScope;
pub use show::{Line, Missing, missing};
pub use stored::NotARemit;

/// What a run may do, in normal form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "stored::Stored")]
pub struct Remit {
    /// Sorted by name, each name once, no two mounts overlapping.
    files: Vec<FilesScope>,
    kv: Option<KvScope>,
    log: BTreeSet<Level>,
    imports: BTreeSet<ImportName>,
    config: BTreeSet<ConfigKey>,
}

/// How two remits stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Both allow the same.
    Equal,
    /// The first allows less.
    Narrower,
    /// The first allows more.
    Wider,
    /// Each allows something that the other refuses.
    Incomparable,
}

impl Remit {
    /// Returns the remit that allows nothing, not even to log.
    pub const fn nothing() -> Self {
        Self { files: Vec::new(), kv: None, log: BTreeSet::new(), imports: BTreeSet::new(), config: BTreeSet::new() }
    }

    /// Returns the remit that allows exactly what is asked for.
    pub fn from_request(request: &Request) -> Self {
        let files = request.files.iter().map(|(name, asked)| {
            let scope = &asked.scope;
            FilesScope::new(name.clone(), Some(scope.mount.clone()), scope.access, scope.quota)
        });
        Self {
            files: files.collect(),
            kv: request.kv.as_ref().and_then(|asked| KvScope::new(&asked.scope)),
            log: log_levels(request.log.as_ref()),
            imports: request.imports.keys().cloned().collect(),
            config: request.config.iter().flat_map(|asked| &asked.scope.keys).cloned().collect(),
        }
    }

    /// Returns the remit that allows exactly what an operator grants. Files without a mount hold for every mount.
    pub fn from_grant(grant: &Grant) -> Self {
        let files = grant
            .files
            .iter()
            .map(|(name, granted)| FilesScope::new(name.clone(), granted.mount.clone(), granted.access, granted.quota));
        Self {
            files: files.collect(),
            kv: grant.kv.as_ref().and_then(KvScope::new),
            log: log_levels(grant.log.as_ref()),
            imports: grant.imports.clone(),
            config: grant.config.clone(),
        }
    }

    /// Returns what both allow.
    pub fn intersect(&self, other: &Self) -> Self {
        let shared = |ours: &FilesScope| other.files_named(ours).and_then(|theirs| ours.intersect(theirs));
        let kv = self.kv.as_ref().zip(other.kv.as_ref());
        Self {
            files: self.files.iter().filter_map(shared).collect(),
            kv: kv.and_then(|(ours, theirs)| ours.intersect(theirs)),
            log: &self.log & &other.log,
            imports: &self.imports & &other.imports,
            config: &self.config & &other.config,
        }
    }

    /// Tells whether everything that `narrower` allows is allowed here.
    pub fn subsumes(&self, narrower: &Self) -> bool {
        let kv = match (&self.kv, &narrower.kv) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(ours), Some(theirs)) => ours.subsumes(theirs),
        };
        let has_files = |theirs: &FilesScope| self.files_named(theirs).is_some_and(|ours| ours.subsumes(theirs));
        kv && narrower.files.iter().all(has_files)
            && self.log.is_superset(&narrower.log)
            && self.imports.is_superset(&narrower.imports)
            && self.config.is_superset(&narrower.config)
    }

    /// Returns how this remit stands to `other`.
    pub fn compare(&self, other: &Self) -> Relation {
        match (self.subsumes(other), other.subsumes(self)) {
            (true, true) => Relation::Equal,
            (true, false) => Relation::Wider,
            (false, true) => Relation::Narrower,
            (false, false) => Relation::Incomparable,
        }
    }

    /// Returns the files, sorted by name. [`Remit::file_allows`] takes an index into this slice.
    pub fn files(&self) -> &[FilesScope] {
        &self.files
    }

    /// Returns the scope of kv, if it is allowed at all.
    pub fn kv(&self) -> Option<&KvScope> {
        self.kv.as_ref()
    }

    /// Returns the levels at which the run may log.
    pub fn log(&self) -> &BTreeSet<Level> {
        &self.log
    }

    /// Returns the imports other than WASI's and Remit's own.
    pub fn imports(&self) -> &BTreeSet<ImportName> {
        &self.imports
    }

    /// Returns the configuration values the run may read.
    pub fn config(&self) -> &BTreeSet<ConfigKey> {
        &self.config
    }

    fn files_named(&self, like: &FilesScope) -> Option<&FilesScope> {
        let index = self.files.binary_search_by(|files| files.name().cmp(like.name())).ok()?;
        self.files.get(index)
    }
}

/// Returns the levels of a table that only narrows: all of them when there is none.
fn log_levels(narrowed: Option<&BTreeSet<Level>>) -> BTreeSet<Level> {
    narrowed.cloned().unwrap_or_else(|| Level::ALL.into())
}

/// Returns the lower of two bounds, of which nothing means none.
fn lower(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (bound, None) | (None, bound) => bound,
    }
}

/// Tells whether `narrower` is at most `wider`, where nothing means no bound.
fn bounds(wider: Option<u64>, narrower: Option<u64>) -> bool {
    wider.is_none_or(|wider| narrower.is_some_and(|narrower| narrower <= wider))
}
