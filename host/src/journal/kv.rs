//! Key-value storage for guests, by namespace. Values commit in the transaction of the entry that caused them.

use std::ops::Bound;

use redb::{ReadTransaction, ReadableTable, WriteTransaction};

use super::error::Error;
use super::message::KvWrite;
use super::tables;
use crate::digest::Digest;

const NAMESPACE_LEN: usize = 32;

/// Returns the table's key of a guest's key.
pub(super) fn key(namespace: &Digest, key: &str) -> Vec<u8> {
    [namespace.as_bytes(), key.as_bytes()].concat()
}

/// Returns the committed value of a key.
pub(super) fn get(read: &ReadTransaction, namespace: &Digest, name: &str) -> Result<Option<Vec<u8>>, Error> {
    let table = read.open_table(tables::KV)?;
    Ok(table.get(&*key(namespace, name))?.map(|value| value.value().to_vec()))
}

/// Returns the sum of the lengths of a namespace's committed keys and values, in bytes.
pub(super) fn total(read: &ReadTransaction, namespace: &Digest) -> Result<u64, Error> {
    let totals = read.open_table(tables::KV_TOTALS)?;
    Ok(totals.get(namespace.as_bytes())?.map_or(0, |total| total.value()))
}

/// Calls `visit` with each committed key that starts with `prefix` and comes after `after`, in order, until it says
/// `false`.
pub(super) fn each_key(
    read: &ReadTransaction,
    namespace: &Digest,
    prefix: &str,
    after: Option<&str>,
    mut visit: impl FnMut(&str) -> bool,
) -> Result<(), Error> {
    let table = read.open_table(tables::KV)?;
    let first = key(namespace, prefix);
    let after = after.map(|after| key(namespace, after)).filter(|after| *after >= first);
    let start = after.as_deref().map_or(Bound::Included(&*first), Bound::Excluded);
    for pair in table.range::<&[u8]>((start, Bound::Unbounded))? {
        let (name, _) = pair?;
        if !name.value().starts_with(&first) {
            break;
        }
        let name = std::str::from_utf8(&name.value()[NAMESPACE_LEN..]);
        if !visit(name.map_err(|_| Error::damaged("a kv key is not UTF-8"))?) {
            break;
        }
    }
    Ok(())
}

/// Commits the writes of an append, in their order, and keeps the totals of their namespaces.
pub(super) fn apply(write: &WriteTransaction, writes: &[KvWrite]) -> Result<(), Error> {
    let mut table = write.open_table(tables::KV)?;
    let mut totals = write.open_table(tables::KV_TOTALS)?;
    for KvWrite { key, value } in writes {
        let Some((namespace, name)) = key.split_first_chunk::<NAMESPACE_LEN>() else { continue };
        let size = |value: &[u8]| (name.len() + value.len()) as u64;
        let before = match value {
            Some(value) => table.insert(&**key, &**value)?.map_or(0, |before| size(before.value())),
            None => table.remove(&**key)?.map_or(0, |before| size(before.value())),
        };
        let after = value.as_deref().map_or(0, size);
        let total = totals.get(namespace)?.map_or(0, |total| total.value());
        totals.insert(namespace, total.saturating_sub(before) + after)?;
    }
    Ok(())
}
