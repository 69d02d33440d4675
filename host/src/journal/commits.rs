//! Which commits hold a run's segments, as a reader goes through them.

use redb::ReadOnlyTable;

use super::error::Error;
use super::index::{self, Tail};
use super::store::Published;
use crate::id::RunId;

/// The commits of a run, in order: those in the index, then those that were published since.
pub(super) struct Commits {
    index: ReadOnlyTable<&'static [u8; 20], &'static [u8]>,
    run: RunId,
    published: Vec<u64>,
    /// The block that is being read.
    tail: Tail,
    given: usize,
    indexed: bool,
    last: Option<u64>,
}

impl Commits {
    pub fn new(
        index: ReadOnlyTable<&'static [u8; 20], &'static [u8]>,
        run: RunId,
        published: Option<Published>,
    ) -> Self {
        let published = published.map_or_else(Vec::new, |published| published.tail.commits);
        Self { index, run, published, tail: Tail::default(), given: 0, indexed: true, last: None }
    }

    /// Returns the next commit.
    pub fn next(&mut self) -> Result<Option<u64>, Error> {
        if self.given == self.tail.commits.len() {
            self.fill()?;
        }
        let commit = self.tail.commits.get(self.given).copied();
        if commit.is_some() {
            self.given += 1;
            if commit <= self.last {
                return Err(Error::damaged("the commits of a run are out of order"));
            }
            self.last = commit;
        }
        Ok(commit)
    }

    fn fill(&mut self) -> Result<(), Error> {
        if self.tail.is_complete() {
            self.tail = Tail { block: self.tail.block.saturating_add(1), commits: Vec::new() };
            self.given = 0;
        }
        if self.indexed && self.given == 0 {
            self.indexed = false;
            if let Some(row) = self.index.get(&index::key(self.run, self.tail.block))? {
                self.tail.commits = index::decode(row.value())?;
                self.indexed = self.tail.is_complete();
                return Ok(());
            }
        }
        let last = self.last;
        let later = self.published.drain(..).filter(|commit| last.is_none_or(|last| *commit > last));
        self.tail.commits.extend(later);
        Ok(())
    }

    /// Returns where the index stands, for an owner who goes on.
    pub fn tail(&self) -> Tail {
        if self.tail.is_complete() {
            return Tail { block: self.tail.block.saturating_add(1), commits: Vec::new() };
        }
        self.tail.clone()
    }
}
