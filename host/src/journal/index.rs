//! The index: which commits hold segments of a run, 64 commits to a row, so that a commit of 64 runs touches no index
//! page in most cases. What is not yet in a row (the tail) is in memory, and is rebuilt from the log after a crash.

use redb::{ReadableTable, WriteTransaction};

use super::error::Error;
use super::tables;
use super::varint::{self, Cursor};
use crate::id::RunId;

/// How many commits one row holds.
pub(super) const BLOCK_LEN: usize = 64;

/// The commits of a run from the start of its last, incomplete block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tail {
    pub block: u32,
    pub commits: Vec<u64>,
}

impl Tail {
    /// Adds a commit that comes after all others.
    pub fn push(&mut self, commit: u64) {
        self.commits.push(commit);
    }

    /// Says whether the block is complete.
    pub fn is_complete(&self) -> bool {
        self.commits.len() == BLOCK_LEN
    }

    /// Writes the row of the block, and begins the next one if it is complete.
    pub fn write(&mut self, write: &WriteTransaction, run: RunId) -> Result<(), Error> {
        if self.commits.is_empty() {
            return Ok(());
        }
        let mut index = write.open_table(tables::INDEX)?;
        index.insert(&key(run, self.block), &*encode(&self.commits))?;
        if self.commits.len() == BLOCK_LEN {
            self.commits.clear();
            self.block += 1;
        }
        Ok(())
    }

    /// Returns the tail as the index has it.
    pub fn load(
        index: &impl ReadableTable<&'static [u8; 20], &'static [u8]>,
        run: RunId,
    ) -> Result<(Self, Option<u64>), Error> {
        let last = index.range::<&[u8; 20]>(&key(run, 0)..=&key(run, u32::MAX))?.next_back().transpose()?;
        let Some((last_key, row)) = last else { return Ok((Self::default(), None)) };
        let [.., a, b, c, d] = *last_key.value();
        let (block, commits) = (u32::from_be_bytes([a, b, c, d]), decode(row.value())?);
        let newest = commits.last().copied();
        if commits.len() < BLOCK_LEN {
            return Ok((Self { block, commits }, newest));
        }
        let block = block.checked_add(1).ok_or_else(|| Error::damaged("an index has too many blocks"))?;
        Ok((Self { block, commits: Vec::new() }, newest))
    }
}

/// Returns the key of a block of a run.
pub(super) fn key(run: RunId, block: u32) -> [u8; 20] {
    let mut key = [0; 20];
    key[..16].copy_from_slice(run.as_bytes());
    key[16..].copy_from_slice(&block.to_be_bytes());
    key
}

/// Each commit as its distance from the one before.
fn encode(commits: &[u64]) -> Vec<u8> {
    let mut row = Vec::with_capacity(2 * BLOCK_LEN);
    let mut before = 0;
    for commit in commits {
        varint::put(&mut row, commit - before);
        before = *commit;
    }
    row
}

/// Reads a row: at least one commit, at most 64, each after the one before.
pub(super) fn decode(row: &[u8]) -> Result<Vec<u64>, Error> {
    let mut cursor = Cursor::new(row, "an index row");
    let mut commits: Vec<u64> = Vec::new();
    while !cursor.is_empty() {
        let before = commits.last().copied();
        let commit = before.unwrap_or(0).checked_add(cursor.number()?);
        let commit = commit.filter(|commit| before.is_none_or(|before| before < *commit));
        commits.push(commit.ok_or_else(|| Error::damaged("the commits of an index row are out of order"))?);
    }
    if (1..=BLOCK_LEN).contains(&commits.len()) {
        return Ok(commits);
    }
    Err(Error::damaged(format_args!("an index row holds {} commits", commits.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_and_disorder_is_refused() {
        for commits in [vec![0], vec![7, 8, 300], (5..5 + 64).collect()] {
            assert_eq!(decode(&encode(&commits)).unwrap(), commits);
        }
        for row in [&[][..], &[1, 0], &[1; 65], &[0x80], &[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]]
        {
            assert!(decode(row).is_err(), "{row:?}");
        }
    }
}
