//! What starting is compared with: a process that opens the redb file it is given, or makes it, commits once and ends.
//!
//! A program of its own that links redb alone, because a process starts the slower the more its program holds.

use std::error::Error;

use redb::{Database, TableDefinition};

const TABLE: TableDefinition<u64, u64> = TableDefinition::new("commits");

/// As the journal's: redb's own default is a share of the machine's memory.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("name the file")?;
    let database = Database::builder().set_cache_size(CACHE_BYTES).create(path)?;
    let write = database.begin_write()?;
    write.open_table(TABLE)?.insert(0, u64::from(std::process::id()))?;
    Ok(write.commit()?)
}
