//! After a crash: bringing index and rows up to the log.
//!
//! The index and the rows of runs are written behind the log. Every segment names its run, so what they miss is found by
//! reading the commits that the index does not know yet, of which there are at most about a thousand.

use std::collections::HashMap;

use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};

use super::edge::edge;
use super::error::Error;
use super::index::Tail;
use super::row::{self, Extent, Row};
use super::segment::{self, Segment};
use super::tables;
use crate::id::RunId;

/// Completes the index from commit `indexed` on, and returns the number of the next commit.
pub(super) fn recover(database: &Database, indexed: u64) -> Result<u64, Error> {
    edge(|| {
        let read = database.begin_read()?;
        let next = tables::next_commit(&read, indexed)?;
        if indexed >= next {
            return Ok(next);
        }
        let write = database.begin_write()?;
        let mut found = Found { write: &write, runs: HashMap::new() };
        for commit in read.open_table(tables::LOG)?.range(indexed..)? {
            let (commit, segments) = commit?;
            found.commit(&read, commit.value(), segments.value())?;
        }
        found.write()?;
        write.open_table(tables::META)?.insert(tables::INDEXED, next)?;
        write.commit()?;
        Ok(next)
    })
}

struct Found<'a> {
    write: &'a WriteTransaction,
    /// `None` for a run that has been removed.
    runs: HashMap<RunId, Option<Late>>,
}

/// A run whose index or row is behind the log.
struct Late {
    row: Row,
    tail: Tail,
    /// The last commit in index or tail.
    indexed: Option<u64>,
}

impl Found<'_> {
    fn commit(&mut self, read: &ReadTransaction, commit: u64, segments: &[u8]) -> Result<(), Error> {
        for segment in segment::of_commit(segments) {
            // A damaged segment is reported by whoever reads its run; the other runs are whole.
            let Ok(segment) = segment else { break };
            let Ok(taken) = Segment::decode(segment) else { continue };
            let run = taken.position.run;
            if let std::collections::hash_map::Entry::Vacant(unseen) = self.runs.entry(run) {
                unseen.insert(Late::load(read, run)?);
            }
            if let Some(Some(late)) = self.runs.get_mut(&run) {
                late.add(commit, segment.len(), &taken);
                if late.tail.is_complete() {
                    late.tail.write(self.write, run)?;
                }
            }
        }
        Ok(())
    }

    fn write(self) -> Result<(), Error> {
        let mut runs = self.write.open_table(tables::RUNS)?;
        for (run, late) in self.runs {
            let Some(mut late) = late else { continue };
            late.tail.write(self.write, run)?;
            runs.insert(run.as_bytes(), &*late.row.encode(run))?;
        }
        Ok(())
    }
}

impl Late {
    fn load(read: &ReadTransaction, run: RunId) -> Result<Option<Self>, Error> {
        let row = match row::load(&read.open_table(tables::RUNS)?, run) {
            Ok(row) => row,
            Err(Error::NoSuchRun(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let (tail, indexed) = Tail::load(&read.open_table(tables::INDEX)?, run)?;
        Ok(Some(Self { row, tail, indexed }))
    }

    fn add(&mut self, commit: u64, len: usize, segment: &Segment<'_>) {
        if self.indexed.is_none_or(|indexed| commit > indexed) {
            self.indexed = Some(commit);
            self.tail.push(commit);
        }
        let position = &segment.position;
        if position.number >= self.row.extent.segments {
            self.row.extent = Extent {
                entries: position.first_entry.saturating_add(position.count),
                segments: position.number.saturating_add(1),
                fuel: position.fuel.wrapping_add(position.fuel_used),
                bytes: self.row.extent.bytes + len as u64,
            };
        }
    }
}
