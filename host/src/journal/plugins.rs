//! Installed plugins: which releases of which plugin this host keeps, by digest.
//!
//! A release is installed whole or not at all: its row and its blobs are one transaction. A newer release of an identity
//! keeps the earlier ones. Runs keep what they need by themselves, so that uninstalling takes nothing from them.

use std::collections::BTreeMap;

use redb::{ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::blob::{self, Blob};
use super::error::Error;
use super::grants::{self, Ended, GrantId};
use super::{Journal, document, tables};
use crate::digest::Digest;
use crate::time::Timestamp;

/// What messages call the row of a release.
const WHAT: &str = "the row of a plugin";

/// A release of a plugin, as it was installed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// Digest of the component, kept as a blob.
    pub component: Digest,
    /// Who the plugin is: what its kv, grants and secrets belong to.
    pub identity: String,
    /// When it was installed.
    pub installed: Timestamp,
    /// Who installed it.
    pub installed_by: String,
    /// `agent`, `command` or `connector`.
    pub kind: String,
    /// Digest of the manifest's text, kept as a blob; the text is empty for a bare component.
    pub manifest: Digest,
    /// The name in the manifest, or that of a bare component's file.
    pub name: String,
    /// The key of the publisher who signed it. Nothing: it is unsigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// Where it came from, for people: a folder or a file of this machine.
    pub source: String,
    /// The version in the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Fields of newer versions.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// What installing did.
#[derive(Clone, Debug, PartialEq)]
pub enum Installation {
    /// The release is the newest of its identity now.
    New {
        /// How many earlier ones are kept.
        earlier: usize,
    },
    /// The newest release was this one already; nothing has changed.
    AlreadyThere(Box<Release>),
}

/// An installed plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct Installed {
    /// The release that its name stands for.
    pub newest: Release,
    /// Those before it, oldest first.
    pub earlier: Vec<Release>,
}

/// What uninstalling took away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uninstalled {
    /// How many releases.
    pub releases: usize,
    /// The grants that ended with it.
    pub grants: Vec<GrantId>,
}

impl Release {
    /// Tells whether both are the same plugin, byte for byte.
    fn is_same_as(&self, other: &Self) -> bool {
        (self.component, self.manifest, &self.publisher) == (other.component, other.manifest, &other.publisher)
    }
}

impl Journal {
    /// Installs a release with its component and its manifest's text, whose digests it names. Durable when this
    /// returns; it blocks for one commit.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when the component or the manifest is over [`PAYLOAD_MAX`](super::PAYLOAD_MAX), and whatever
    /// keeps it from being stored.
    pub fn install(&self, release: Release, component: &[u8], manifest: &[u8]) -> Result<Installation, Error> {
        blob::check_len("a component", component)?;
        blob::check_len("a manifest", manifest)?;
        let blobs = [Blob::with_digest(release.component, component), Blob::with_digest(release.manifest, manifest)];
        self.0.edit(move |write| install(write, &release, &blobs).map(Ok))
    }

    /// Returns every installed plugin, by name and then by identity.
    ///
    /// # Errors
    /// What keeps the file from being read; a damaged row.
    pub fn plugins(&self) -> Result<Vec<Installed>, Error> {
        let mut plugins = self.0.store.reading(|read| match tables::if_there(read, tables::PLUGINS)? {
            Some(table) => all(&table),
            None => Ok(Vec::new()),
        })?;
        plugins.sort_by(|a, b| (&a.newest.name, &a.newest.identity).cmp(&(&b.newest.name, &b.newest.identity)));
        Ok(plugins)
    }

    /// Uninstalls every release of an identity and ends its grants, in one transaction. What it wrote to kv stays, and
    /// so do its runs with all that replaying them takes.
    ///
    /// # Errors
    /// [`Error::NoSuchPlugin`].
    pub fn uninstall(&self, identity: &str, ended: Ended) -> Result<Uninstalled, Error> {
        let identity = identity.to_owned();
        let uninstalled = self.0.edit(move |write| uninstall(write, &identity, &ended));
        self.0.store.grants_changed();
        uninstalled
    }
}

/// Returns the key of the first release of an identity.
fn key(identity: &str, number: u64) -> [u8; 40] {
    let mut key = [0; 40];
    let (owner, place) = key.split_at_mut(32);
    owner.copy_from_slice(Digest::of_parts(&[b"remit plugin 1\0", identity.as_bytes()]).as_bytes());
    place.copy_from_slice(&number.to_be_bytes());
    key
}

fn number(key: &[u8; 40]) -> u64 {
    u64::from_be_bytes(*key.last_chunk().expect("a key has 40 bytes"))
}

fn install(write: &WriteTransaction, release: &Release, blobs: &[Blob]) -> Result<Installation, Error> {
    let mut table = write.open_table(tables::PLUGINS)?;
    let releases = of(&table, &release.identity)?;
    let newest = releases.last().map(|(_, newest)| newest);
    if let Some(newest) = newest.filter(|newest| newest.is_same_as(release)) {
        return Ok(Installation::AlreadyThere(Box::new(newest.clone())));
    }
    blobs.iter().try_for_each(|blob| blob.put(write))?;
    let number = releases.last().map_or(Some(0), |(key, _)| number(key).checked_add(1));
    let number = number.ok_or_else(|| Error::damaged("the releases have run out of numbers"))?;
    let key = key(&release.identity, number);
    table.insert(&key, &*document::encode(&key, release)?)?;
    Ok(Installation::New { earlier: releases.len() })
}

fn uninstall(write: &WriteTransaction, identity: &str, ended: &Ended) -> Result<Result<Uninstalled, Error>, Error> {
    let mut table = write.open_table(tables::PLUGINS)?;
    let releases = of(&table, identity)?;
    if releases.is_empty() {
        return Ok(Err(Error::NoSuchPlugin(identity.into())));
    }
    for (key, release) in &releases {
        table.remove(key)?;
        blob::release(write, &release.component)?;
        blob::release(write, &release.manifest)?;
    }
    let grants = grants::end_all(write, identity, ended)?;
    Ok(Ok(Uninstalled { releases: releases.len(), grants }))
}

/// Returns the releases of one identity, oldest first.
fn of(
    table: &impl ReadableTable<&'static [u8; 40], &'static [u8]>,
    identity: &str,
) -> Result<Vec<([u8; 40], Release)>, Error> {
    let (first, last) = (key(identity, 0), key(identity, u64::MAX));
    let rows = table.range::<&[u8; 40]>(&first..=&last)?;
    rows.map(|row| {
        let (key, row) = row?;
        Ok((*key.value(), document::decode(WHAT, key.value(), row.value())?))
    })
    .collect()
}

fn all(table: &impl ReadableTable<&'static [u8; 40], &'static [u8]>) -> Result<Vec<Installed>, Error> {
    let mut plugins: Vec<Installed> = Vec::new();
    for row in table.iter()? {
        let (key, row) = row?;
        let release: Release = document::decode(WHAT, key.value(), row.value())?;
        match plugins.last_mut().filter(|plugin| plugin.newest.identity == release.identity) {
            Some(plugin) => plugin.earlier.push(std::mem::replace(&mut plugin.newest, release)),
            None => plugins.push(Installed { newest: release, earlier: Vec::new() }),
        }
    }
    Ok(plugins)
}
