//! The redb tables, and opening the file: which format it has, and refusing what this build cannot read.

use std::fs;
use std::io;
use std::path::Path;

use redb::{
    Database, DatabaseError, ReadTransaction, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition,
    WriteTransaction,
};

use super::edge::edge;
use super::error::Error;
use super::unfinished;

/// The format this build writes. A newer one is refused; decoders for older ones stay.
pub const FORMAT: u64 = 1;

pub(super) type Table<K, V> = TableDefinition<'static, K, V>;

/// Facts about the file: see the names below.
pub(super) const META: Table<&str, u64> = Table::new("meta");
/// Run id to the run's row.
pub(super) const RUNS: Table<&[u8; 16], &[u8]> = Table::new("runs");
/// Commit number to the segments of that commit.
pub(super) const LOG: Table<u64, &[u8]> = Table::new("log");
/// Run id and block number to up to 64 commit numbers.
pub(super) const INDEX: Table<&[u8; 20], &[u8]> = Table::new("index");
/// Digest to length and compressed bytes.
pub(super) const BLOBS: Table<&[u8; 32], &[u8]> = Table::new("blobs");
/// Digest to how many runs use the blob.
pub(super) const USES: Table<&[u8; 32], u64> = Table::new("uses");
/// Namespace and key to value.
pub(super) const KV: Table<&[u8], &[u8]> = Table::new("kv");
/// Namespace to the sum of its keys' and values' lengths.
pub(super) const KV_TOTALS: Table<&[u8; 32], u64> = Table::new("kv_totals");

// The tables from here on came later: a file has each from its first row on, and without it that table is empty.

/// Digest of an identity and number of a release to the release.
pub(super) const PLUGINS: Table<&[u8; 40], &[u8]> = Table::new("plugins");
/// Number of a grant to the grant.
pub(super) const GRANTS: Table<u64, &[u8]> = Table::new("grants");
/// What is counted, in which span, to how much of it is used or reserved.
pub(super) const AMOUNTS: Table<&[u8], u64> = Table::new("amounts");
/// Run id and number of an intent to what it reserves.
pub(super) const RESERVATIONS: Table<&[u8; 24], &[u8]> = Table::new("reservations");
/// Key of an idempotent start to the run that was started with it.
pub(super) const STARTS: Table<&[u8; 32], &[u8]> = Table::new("starts");
/// Id of a run that has not ended to how it stands.
pub(super) const UNFINISHED: Table<&[u8; 16], &[u8; 20]> = Table::new("unfinished");
/// Run id to what the run waits for.
pub(super) const WAITS: Table<&[u8; 16], &[u8]> = Table::new("waits");
/// When a run that waits can go on, and its id.
pub(super) const DUE: Table<&[u8; 24], ()> = Table::new("due");
/// Run id, name, zero and number to a signal that the run has not been told of.
pub(super) const SIGNALS: Table<&[u8], &[u8]> = Table::new("signals");
/// Run id and number of an intent to the proposal that a person is asked about.
pub(super) const APPROVALS: Table<&[u8; 24], &[u8]> = Table::new("approvals");

/// Run id of a parent and of its fork, for every fork.
pub(super) const FORKS: Table<&[u8; 32], ()> = Table::new("forks");

/// In [`META`]: the format of the file.
const FORMAT_KEY: &str = "format";
/// In [`META`]: the index knows every commit below this one.
pub(super) const INDEXED: &str = "indexed_up_to";
/// In [`META`]: how many signals were sent.
pub(super) const SIGNALS_SENT: &str = "signals_sent";

/// Opens or creates the file and returns it with the first commit the index may not know.
pub(super) fn open(path: &Path, cache_bytes: usize) -> Result<(Database, u64), Error> {
    match path.try_exists().map_err(Error::io)? {
        true => opened(cache_bytes, |builder| builder.create(path)).map_err(|error| error.at(path)),
        false => make(path, cache_bytes),
    }
}

/// Makes an empty journal, under another name until it is whole: of a file that was half made when the power failed, redb
/// says that it is none of its own, and nobody can tell it from one that was damaged later.
fn make(path: &Path, cache_bytes: usize) -> Result<(Database, u64), Error> {
    let half = path.with_extension("new");
    match fs::remove_file(&half) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io(error)),
        _ => {}
    }
    let made = opened(cache_bytes, |builder| builder.create(&half)).map_err(|error| error.at(&half))?;
    fs::rename(&half, path).map_err(Error::io)?;
    #[cfg(unix)]
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io)?;
    }
    Ok(made)
}

/// As [`open`], on something else than a file with a name.
pub(super) fn open_on(backend: impl StorageBackend, cache_bytes: usize) -> Result<(Database, u64), Error> {
    opened(cache_bytes, |builder| builder.create_with_backend(backend))
}

fn opened(
    cache_bytes: usize,
    open: impl FnOnce(&redb::Builder) -> Result<Database, DatabaseError>,
) -> Result<(Database, u64), Error> {
    edge(|| {
        let database = open(redb::Builder::new().set_cache_size(cache_bytes))?;
        let indexed = match indexed_up_to(&database.begin_read()?)? {
            Some(indexed) => {
                unfinished::list_earlier(&database)?;
                indexed
            }
            None => create(&database)?,
        };
        Ok((database, indexed))
    })
}

/// Checks the format; `None` in a new file.
fn indexed_up_to(read: &ReadTransaction) -> Result<Option<u64>, Error> {
    let meta = match read.open_table(META) {
        Ok(meta) => meta,
        Err(redb::TableError::TableDoesNotExist(_)) => return new_or_foreign(read),
        Err(error) => return Err(error.into()),
    };
    let fact = |key: &str| -> Result<u64, Error> {
        let value = meta.get(key)?.map(|value| value.value());
        value.ok_or_else(|| Error::damaged(format_args!("`{key}` is missing")))
    };
    match fact(FORMAT_KEY)? {
        FORMAT => Ok(Some(fact(INDEXED)?)),
        found if found > FORMAT => Err(Error::NewerFormat { found, supported: FORMAT }),
        found => Err(Error::damaged(format_args!("there is no format {found}"))),
    }
}

/// Opens a table that may not have a row yet.
pub(super) fn if_there<K: redb::Key + 'static, V: redb::Value + 'static>(
    read: &ReadTransaction,
    table: Table<K, V>,
) -> Result<Option<redb::ReadOnlyTable<K, V>>, Error> {
    match read.open_table(table) {
        Ok(table) => Ok(Some(table)),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn new_or_foreign(read: &ReadTransaction) -> Result<Option<u64>, Error> {
    if read.list_tables()?.next().is_none() {
        return Ok(None);
    }
    Err(Error::damaged("it is a redb file, but not a journal"))
}

fn create(database: &Database) -> Result<u64, Error> {
    let write = database.begin_write()?;
    create_tables(&write)?;
    write.commit()?;
    Ok(0)
}

fn create_tables(write: &WriteTransaction) -> Result<(), Error> {
    let mut meta = write.open_table(META)?;
    meta.insert(FORMAT_KEY, FORMAT)?;
    meta.insert(INDEXED, 0)?;
    write.open_table(RUNS)?;
    write.open_table(LOG)?;
    write.open_table(INDEX)?;
    write.open_table(BLOBS)?;
    write.open_table(USES)?;
    write.open_table(KV)?;
    write.open_table(KV_TOTALS)?;
    write.open_table(UNFINISHED)?;
    Ok(())
}

/// Returns the number the next commit gets.
pub(super) fn next_commit(read: &ReadTransaction, indexed: u64) -> Result<u64, Error> {
    let log = read.open_table(LOG)?;
    let last = log.last()?.map(|(commit, _)| commit.value());
    match last.map(|commit| commit.checked_add(1)) {
        None => Ok(indexed),
        Some(Some(next)) => Ok(next.max(indexed)),
        Some(None) => Err(Error::damaged("the commits have run out of numbers")),
    }
}
