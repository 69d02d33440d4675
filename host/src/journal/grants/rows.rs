//! The rows of grants: reading them, and changing them in a transaction of the writer thread.

use redb::{ReadableTable, WriteTransaction};

use super::super::error::Error;
use super::super::{document, tables};
use super::{Ended, GrantId, NewGrant, StoredGrant};
use crate::time::Timestamp;

/// What messages call the row of a grant.
const WHAT: &str = "the row of a grant";

/// The table of grants, in whichever transaction.
pub trait GrantTable: ReadableTable<u64, &'static [u8]> {}
impl<T: ReadableTable<u64, &'static [u8]>> GrantTable for T {}

/// Stores grants in the place of those that they replace. The inner error is a refusal, which changes nothing.
pub fn give(write: &WriteTransaction, grants: &[NewGrant]) -> Result<Result<Vec<GrantId>, Error>, Error> {
    let mut table = write.open_table(tables::GRANTS)?;
    for replaced in grants.iter().flat_map(|new| &new.replaces) {
        if let Err(refusal) = standing(&table, *replaced)? {
            return Ok(Err(refusal));
        }
    }
    let mut given = Vec::with_capacity(grants.len());
    for NewGrant { grant, replaces } in grants {
        let id = next_id(&table)?;
        let ended = Ended { at: grant.given, by: grant.by.clone(), replaced_by: Some(id), why: None };
        for mut earlier in all(&table)? {
            let is_replaced = grant.replaces(&earlier.grant) || replaces.contains(&earlier.id);
            if is_replaced && earlier.grant.ended.is_none() {
                earlier.grant.ended = Some(ended.clone());
                put(&mut table, &earlier)?;
            }
        }
        put(&mut table, &StoredGrant { id, grant: grant.clone() })?;
        given.push(id);
    }
    Ok(Ok(given))
}

/// Ends a grant that has not ended, and returns what it was. The inner error is a refusal.
pub fn end(write: &WriteTransaction, id: GrantId, ended: &Ended) -> Result<Result<StoredGrant, Error>, Error> {
    let mut table = write.open_table(tables::GRANTS)?;
    let before = standing(&table, id)?;
    if let Ok(grant) = &before {
        let mut grant = grant.clone();
        grant.grant.ended = Some(ended.clone());
        put(&mut table, &grant)?;
    }
    Ok(before)
}

/// Ends every grant of an identity, whichever build it is for, and returns their names.
pub fn end_all(write: &WriteTransaction, identity: &str, ended: &Ended) -> Result<Vec<GrantId>, Error> {
    let mut table = write.open_table(tables::GRANTS)?;
    let mut grants = all(&table)?;
    grants.retain(|StoredGrant { grant, .. }| grant.identity == identity && grant.ended.is_none());
    for grant in &mut grants {
        grant.grant.ended = Some(ended.clone());
        put(&mut table, grant)?;
    }
    Ok(grants.into_iter().map(|grant| grant.id).collect())
}

/// Says why no effect may begin under a grant any more, if so.
pub fn check(write: &WriteTransaction, id: GrantId, now: Timestamp) -> Result<Result<(), Error>, Error> {
    let grant = load(&write.open_table(tables::GRANTS)?, id)?;
    Ok(grant.and_then(|StoredGrant { grant, .. }| if grant.stands(now) { Ok(()) } else { Err(Error::GrantEnded(id)) }))
}

fn next_id(table: &impl GrantTable) -> Result<GrantId, Error> {
    let last = table.last()?.map_or(0, |(last, _)| last.value());
    last.checked_add(1).map(GrantId).ok_or_else(|| Error::damaged("the grants have run out of names"))
}

/// Returns a grant that has not ended; the inner error is a refusal.
fn standing(table: &impl GrantTable, id: GrantId) -> Result<Result<StoredGrant, Error>, Error> {
    let grant = load(table, id)?;
    Ok(grant.and_then(|grant| if grant.grant.ended.is_none() { Ok(grant) } else { Err(Error::GrantEnded(id)) }))
}

/// Returns a grant. The inner error says that there is none.
pub fn load(table: &impl GrantTable, id: GrantId) -> Result<Result<StoredGrant, Error>, Error> {
    let Some(row) = table.get(id.0)? else { return Ok(Err(Error::NoSuchGrant(id))) };
    Ok(Ok(decode(id.0, row.value())?))
}

/// Returns every grant, oldest first.
pub fn all(table: &impl GrantTable) -> Result<Vec<StoredGrant>, Error> {
    let rows = table.iter()?;
    rows.map(|row| {
        let (id, row) = row?;
        decode(id.value(), row.value())
    })
    .collect()
}

fn decode(id: u64, row: &[u8]) -> Result<StoredGrant, Error> {
    Ok(StoredGrant { id: GrantId(id), grant: document::decode(WHAT, &id.to_be_bytes(), row)? })
}

fn put(table: &mut redb::Table<'_, u64, &'static [u8]>, StoredGrant { id, grant }: &StoredGrant) -> Result<(), Error> {
    table.insert(id.0, &*document::encode(&id.0.to_be_bytes(), grant)?)?;
    Ok(())
}
