//! Removing a run: its segments leave the log, and the blobs that only it used go.

use std::collections::BTreeSet;

use redb::{ReadableTable, WriteTransaction};

use super::super::entry::Raw;
use super::super::error::Error;
use super::super::header::Header;
use super::super::segment::{self, Segment};
use super::super::starts::Start;
use super::super::varint::{self, Cursor};
use super::super::{amounts, approvals, blob, index, lineage, row, signals, tables, unfinished, waits};
use crate::digest::Digest;
use crate::id::RunId;

/// Removes a run. The inner error is a refusal, and then nothing has changed.
pub(super) fn remove(write: &WriteTransaction, run: RunId) -> Result<Result<(), Error>, Error> {
    let row = match row::load(&write.open_table(tables::RUNS)?, run) {
        Ok(row) => row,
        Err(error) => return Ok(Err(error)),
    };
    // A header that cannot be read names no parent that could be kept from going.
    if let Ok(Some(parent)) = lineage::parent(&row) {
        write.open_table(tables::FORKS)?.remove(&lineage::key(parent, run))?;
    }
    // A damaged header hides which key it was started with; that stays taken.
    if let Ok(Some(key)) = row.header.unpack().and_then(|header| Start::of(&Header::decode(&header)?)) {
        key.give_back(write, run)?;
    }
    let mut used: BTreeSet<Digest> = row.blobs.into_iter().collect();
    for commit in take_index(write, run)? {
        remove_from_commit(write, run, commit, &mut used)?;
    }
    write.open_table(tables::RUNS)?.remove(run.as_bytes())?;
    unfinished::removed(write, run)?;
    amounts::forget_run(write, run)?;
    waits::forget(write, run)?;
    signals::forget_run(write, run)?;
    approvals::forget_run(write, run)?;
    used.iter().try_for_each(|digest| blob::release(write, digest))?;
    Ok(Ok(()))
}

/// Removes the index of a run and returns the commits it named. A damaged row is passed over.
fn take_index(write: &WriteTransaction, run: RunId) -> Result<Vec<u64>, Error> {
    let mut table = write.open_table(tables::INDEX)?;
    let (first, last) = (index::key(run, 0), index::key(run, u32::MAX));
    let mut commits = Vec::new();
    for row in table.extract_from_if::<&[u8; 20], _>(&first..=&last, |_, _| true)? {
        commits.extend(index::decode(row?.1.value()).unwrap_or_default());
    }
    Ok(commits)
}

fn remove_from_commit(
    write: &WriteTransaction,
    run: RunId,
    commit: u64,
    used: &mut BTreeSet<Digest>,
) -> Result<(), Error> {
    let mut log = write.open_table(tables::LOG)?;
    let Some(before) = log.get(commit)?.map(|row| row.value().to_vec()) else { return Ok(()) };
    let mut after = Vec::with_capacity(before.len());
    for segment in segment::of_commit(&before) {
        // What follows a damaged segment cannot be told apart any more; its run's chain ends here either way.
        let Ok(segment) = segment else { break };
        if segment::is_of(segment, run) {
            // A damaged segment hides which blobs it used; they stay.
            let _damaged = collect_blobs(segment, used);
        } else {
            varint::put_bytes(&mut after, segment);
        }
    }
    if after.is_empty() {
        log.remove(commit)?;
    } else {
        log.insert(commit, &*after)?;
    }
    Ok(())
}

fn collect_blobs(segment: &[u8], used: &mut BTreeSet<Digest>) -> Result<(), Error> {
    let mut body = Vec::new();
    Segment::decode(segment)?.unpack(&mut body)?;
    let mut entries = Cursor::new(&body, "a segment's body");
    while !entries.is_empty() {
        let entry = Raw::decode(&mut entries)?;
        blob::add_of([entry.params, entry.outcome], used)?;
    }
    Ok(())
}
