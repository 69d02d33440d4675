//! What the writer thread knows of a run that has an owner.

use redb::WriteTransaction;

use super::super::error::Error;
use super::super::index::Tail;
use super::super::message::{Append, TakeOver};
use super::super::progress::Progress;
use super::super::row::{self, Extent, Row, StateBody};
use super::super::segment::Position;
use super::super::store::Published;
use super::super::{tables, unfinished};
use crate::digest::Digest;
use crate::id::RunId;
use crate::lifecycle::State;

/// A run that has an owner.
pub(super) struct Live {
    pub epoch: u64,
    pub extent: Extent,
    pub head: Digest,
    pub progress: Progress,
    pub tail: Tail,
    last_commit: Option<u64>,
    /// Whether index and row say less than is known here.
    unsettled: bool,
    /// Whether the owner has gone.
    pub left: bool,
}

impl Live {
    pub fn accepted(extent: Extent, head: Digest, progress: Progress) -> Self {
        Self {
            epoch: 1,
            extent,
            head,
            progress,
            tail: Tail::default(),
            last_commit: None,
            unsettled: false,
            left: false,
        }
    }

    pub fn taken_over(take: &TakeOver) -> Self {
        Self {
            epoch: take.epoch,
            extent: take.extent,
            head: take.head,
            progress: take.progress.clone(),
            tail: take.tail.clone(),
            last_commit: take.last_commit,
            unsettled: false,
            left: false,
        }
    }

    /// Returns the same run with another owner.
    pub fn handed_to(self, take: &TakeOver) -> Self {
        Self { epoch: take.epoch, progress: take.progress.clone(), left: false, ..self }
    }

    pub fn is_settled(&self) -> bool {
        !self.unsettled
    }

    /// Says whether the run has no owner and nothing is left to write about it.
    pub fn is_over(&self) -> bool {
        self.left && self.is_settled()
    }

    /// Tells readers how far the run is.
    pub fn publish(&self, published: &mut Published) {
        published.extent = self.extent;
        published.tail.block = self.tail.block;
        published.tail.commits.clone_from(&self.tail.commits);
    }

    /// Refuses an append of an earlier owner, or one that would leave a gap.
    pub fn check(&self, append: &Append) -> Result<(), Error> {
        if (append.epoch, append.first_entry) == (self.epoch, self.extent.entries) {
            return Ok(());
        }
        Err(Error::Fenced {
            run: append.run,
            epoch: self.epoch,
            entry: self.extent.entries,
            claimed_epoch: append.epoch,
            claimed_entry: append.first_entry,
        })
    }

    /// Returns where the segment of `append` stands when it goes into `commit`.
    pub fn position(&self, append: &Append) -> Position {
        Position {
            run: append.run,
            number: self.extent.segments,
            first_entry: append.first_entry,
            count: append.count,
            previous_commit: self.last_commit,
            fuel: append.fuel,
            time_us: append.time_us,
            fuel_used: append.fuel_used,
        }
    }

    /// Takes note of a segment that was added to `commit`, and says whether a block of the index is complete.
    pub fn advance(&mut self, append: &Append, commit: u64, head: Digest, bytes: u64) -> bool {
        self.extent.entries += append.count;
        self.extent.segments += 1;
        self.extent.fuel = append.fuel.wrapping_add(append.fuel_used);
        self.extent.bytes += bytes;
        self.head = head;
        self.unsettled = true;
        if self.last_commit.replace(commit) == Some(commit) {
            return false;
        }
        self.tail.push(commit);
        self.tail.is_complete()
    }

    /// Writes what is known here into index and row.
    pub fn settle(
        &mut self,
        write: &WriteTransaction,
        run: RunId,
        state: Option<(State, StateBody)>,
    ) -> Result<(), Error> {
        if let Some((state, _)) = &state {
            unfinished::settled(write, run, *state)?;
        }
        self.tail.write(write, run)?;
        let extent = self.extent;
        update_row(write, run, |row| {
            row.extent = extent;
            if let Some((_, body)) = state {
                row.state = Some(body);
            }
        })?;
        self.unsettled = false;
        Ok(())
    }
}

/// Changes the row of a run.
pub(super) fn update_row(write: &WriteTransaction, run: RunId, change: impl FnOnce(&mut Row)) -> Result<(), Error> {
    let mut runs = write.open_table(tables::RUNS)?;
    let mut row = row::load(&runs, run)?;
    change(&mut row);
    runs.insert(run.as_bytes(), &*row.encode(run))?;
    Ok(())
}
