//! Stored grants: what an operator answered, to which build of which plugin, until when.
//!
//! A grant is the answer to one thing that a plugin asks for: one section of a grant file. Rows are never removed, so
//! that a run's header can name them for ever; a grant that was revoked or replaced says so and holds no more. Every
//! change is one transaction, and it is counted before whoever made it is answered: what was permitted under an earlier
//! count has to be judged again.

mod id;
mod rows;
mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::WriteTransaction;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::id::{GrantId, NotAGrantId};
pub(super) use self::rows::{check, end_all};
pub use self::watch::Watch;

use super::error::Error;
use super::{Journal, tables};
use crate::digest::Digest;
use crate::manifest::LastDay;
use crate::time::Timestamp;

/// What an operator answered to one thing that a plugin asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// Whether it was granted.
    pub answer: Answer,
    /// Who answered.
    pub by: String,
    /// The build of the plugin that it holds for.
    pub component: Digest,
    /// When and why it ceased to hold, if it did before it expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// The last day on which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<LastDay>,
    /// When it was given.
    pub given: Timestamp,
    /// Whose it is.
    pub identity: String,
    /// The plugin's name, for people.
    pub plugin: String,
    /// The section as canonical TOML: a grant file of its own.
    pub scope: String,
    /// Which section it is, by what it grants: `kv`, `files.notes`, `http GET https://api.example.com/*`. At most one
    /// yes and one no to a section stands for a build.
    pub section: String,
    /// Fields of newer versions.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// The two answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Yes: what the section says is allowed.
    Granted,
    /// No, and the question need not be asked again.
    Refused,
}

/// How a grant ceased to hold before it expired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// The grant that took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<GrantId>,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A grant and its name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoredGrant {
    /// Its name.
    pub id: GrantId,
    /// What it says.
    #[serde(flatten)]
    pub grant: Grant,
}

/// A grant to store, and those whose place it takes besides the one of its own section.
#[derive(Clone, Debug)]
pub struct NewGrant {
    /// What it says.
    pub grant: Grant,
    /// Grants of other sections that it makes superfluous.
    pub replaces: Vec<GrantId>,
}

/// Counts the changes of grants, as a cheap handle: an unchanged count says that no grant has changed.
#[derive(Clone, Debug)]
pub struct Generation(Arc<AtomicU64>);

impl Generation {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    /// Returns the count. It has gone up before a command that changes a grant returns.
    #[inline]
    pub fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    pub(super) fn advance(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

impl Grant {
    /// Tells whether this answer takes the place of an earlier one: that to the same question for the same build. No
    /// to more than was granted leaves what was granted.
    fn replaces(&self, earlier: &Self) -> bool {
        let is_same =
            (&self.identity, self.component, &self.section) == (&earlier.identity, earlier.component, &earlier.section);
        is_same && (self.answer == Answer::Granted || earlier.answer == Answer::Refused)
    }

    /// Tells whether the answer holds at `now`.
    pub fn stands(&self, now: Timestamp) -> bool {
        self.ended.is_none() && self.expires.is_none_or(|last| now < last.end())
    }
}

impl Journal {
    /// Stores grants, all or none, and returns their names in the same order. Each takes the place of what stands for
    /// its section and of what it names. Durable when this returns; it blocks for one commit.
    ///
    /// # Errors
    /// [`Error::NoSuchGrant`] and [`Error::GrantEnded`] for one that should be replaced.
    pub fn give(&self, grants: Vec<NewGrant>) -> Result<Vec<GrantId>, Error> {
        self.change_grants(move |write| rows::give(write, &grants))
    }

    /// Ends a grant and returns what it was. No effect that needs it begins after this has returned: the count has gone
    /// up, and an intent that claims under it is refused in the transaction that would store it.
    ///
    /// # Errors
    /// [`Error::NoSuchGrant`]; [`Error::GrantEnded`] when it did not hold any more.
    pub fn revoke(&self, id: GrantId, ended: Ended) -> Result<StoredGrant, Error> {
        self.change_grants(move |write| rows::end(write, id, &ended))
    }

    fn change_grants<T: Send + 'static>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<Result<T, Error>, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let changed = self.0.edit(change);
        self.0.store.grants_changed();
        changed
    }

    /// Returns every grant that was ever given, oldest first.
    ///
    /// # Errors
    /// What keeps the file from being read; a damaged row.
    pub fn grants(&self) -> Result<Vec<StoredGrant>, Error> {
        self.0.store.reading(|read| match tables::if_there(read, tables::GRANTS)? {
            Some(table) => rows::all(&table),
            None => Ok(Vec::new()),
        })
    }

    /// Returns a grant.
    ///
    /// # Errors
    /// [`Error::NoSuchGrant`]; a damaged row.
    pub fn grant(&self, id: GrantId) -> Result<StoredGrant, Error> {
        self.0.store.reading(|read| match tables::if_there(read, tables::GRANTS)? {
            Some(table) => rows::load(&table, id)?,
            None => Err(Error::NoSuchGrant(id)),
        })
    }

    /// Returns the answers that stand for a build of a plugin at `now`, oldest first.
    ///
    /// # Errors
    /// As [`Journal::grants`].
    pub fn standing_grants(
        &self,
        identity: &str,
        component: Digest,
        now: Timestamp,
    ) -> Result<Vec<StoredGrant>, Error> {
        let mut grants = self.grants()?;
        grants.retain(|StoredGrant { grant, .. }| {
            grant.identity == identity && grant.component == component && grant.stands(now)
        });
        Ok(grants)
    }

    /// Returns the count of changes of grants, for whoever judges calls.
    pub fn grants_generation(&self) -> Generation {
        self.0.store.generation()
    }
}
