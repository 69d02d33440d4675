//! Reading a bundle into a store of this process's own. Nothing in it is trusted: not a length, not an order, not a name.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read};

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Database, WriteTransaction};
use sha2::{Digest as _, Sha256};

use super::{BLOB, BUNDLE_MAX, BundleError, END, LOG, MAGIC, NAMES_BYTES_MAX, PART_MAX, RUN, RUNS_BYTES_MAX, VERSION};
use crate::digest::Digest;
use crate::id::RunId;
use crate::journal::edge::edge;
use crate::journal::header::Header;
use crate::journal::packed::Packed;
use crate::journal::row::Row;
use crate::journal::segment::{self, Segment};
use crate::journal::varint::{self, Cursor};
use crate::journal::{Error, Options, recover, tables};

/// The longest bundle that is read into memory, in bytes. A longer one goes to a temporary file.
const IN_MEMORY_MAX: u64 = 32 * 1024 * 1024;

/// What a function takes in memory besides its name, roughly, in bytes.
const FUNCTION_BYTES: usize = 48;

/// Reads a bundle and returns a database with its rows, indexed, and the run that was exported.
pub(super) fn import(file: File) -> Result<(Database, RunId), BundleError> {
    let len = file.metadata()?.len();
    if len > BUNDLE_MAX {
        return Err(BundleError::TooLarge { what: "a bundle", max: BUNDLE_MAX });
    }
    let mut source = Source::begin(BufReader::new(file), len)?;
    let (database, indexed) = scratch(len)?;
    let run = edge(|| {
        let write = database.begin_write()?;
        let filled = fill(&write, &mut source);
        if filled.is_ok() {
            write.commit()?;
        }
        Ok(filled)
    })??;
    recover::recover(&database, indexed)?;
    Ok((database, run))
}

/// Makes an empty journal for a bundle of so many bytes.
fn scratch(len: u64) -> Result<(Database, u64), BundleError> {
    let cache_bytes = Options::default().cache_bytes;
    if len <= IN_MEMORY_MAX {
        return Ok(tables::open_on(InMemoryBackend::new(), cache_bytes)?);
    }
    let backend = FileBackend::new(tempfile::tempfile()?).map_err(Error::from)?;
    Ok(tables::open_on(backend, cache_bytes)?)
}

/// Reads every part and returns the first run.
fn fill(write: &WriteTransaction, source: &mut Source<impl Read>) -> Result<RunId, BundleError> {
    let (runs_left, names_left) = (RUNS_BYTES_MAX, NAMES_BYTES_MAX);
    let mut filling = Filling { write, first: None, runs: HashSet::new(), runs_left, names_left };
    let mut before = RUN;
    loop {
        let kind = source.next()?;
        match kind {
            END => return filling.first.ok_or_else(|| BundleError::damaged("there is no run in it")),
            kind if kind < before => return Err(BundleError::damaged("its parts are out of order")),
            RUN => filling.run(&source.part)?,
            LOG => filling.log(&source.part)?,
            BLOB => filling.blob(&source.part)?,
            kind => return Err(BundleError::damaged(format_args!("it has a part of the unknown kind {kind}"))),
        }
        before = kind;
    }
}

/// The tables, as they fill.
struct Filling<'a> {
    write: &'a WriteTransaction,
    first: Option<RunId>,
    runs: HashSet<RunId>,
    runs_left: usize,
    names_left: usize,
}

impl Filling<'_> {
    fn run(&mut self, part: &[u8]) -> Result<(), BundleError> {
        let mut cursor = Cursor::new(part, "the row of a run");
        let run = RunId::from_bytes(cursor.array().map_err(BundleError::in_part)?);
        let row = cursor.rest();
        let too_large = BundleError::TooLarge { what: "the rows of its runs", max: RUNS_BYTES_MAX as u64 };
        self.runs_left = self.runs_left.checked_sub(part.len()).ok_or(too_large)?;
        let header = Row::decode(run, row).and_then(|row| Header::decode(&row.header.unpack()?));
        header.map_err(BundleError::in_part)?;
        if !self.runs.insert(run) {
            return Err(twice(format_args!("run {run}")));
        }
        self.first.get_or_insert(run);
        self.write.open_table(tables::RUNS).map_err(Error::from)?.insert(run.as_bytes(), row).map_err(Error::from)?;
        Ok(())
    }

    fn log(&mut self, part: &[u8]) -> Result<(), BundleError> {
        let mut cursor = Cursor::new(part, "a commit");
        let commit = cursor.number().map_err(BundleError::in_part)?;
        for segment in segment::of_commit(cursor.rest()) {
            self.segment(segment.map_err(BundleError::in_part)?)?;
        }
        let mut log = self.write.open_table(tables::LOG).map_err(Error::from)?;
        if commit == u64::MAX || log.insert(commit, cursor.rest()).map_err(Error::from)?.is_some() {
            return Err(twice(format_args!("commit {commit}")));
        }
        Ok(())
    }

    fn segment(&mut self, bytes: &[u8]) -> Result<(), BundleError> {
        let segment = Segment::decode(bytes).map_err(BundleError::in_part)?;
        let run = segment.position.run;
        if !self.runs.contains(&run) {
            return Err(BundleError::damaged(format_args!("it has a segment of run {run}, which is not in it")));
        }
        let names = segment.definitions.iter().map(|function| function.name.len() + FUNCTION_BYTES).sum();
        let too_large = BundleError::TooLarge { what: "the names of functions", max: NAMES_BYTES_MAX as u64 };
        self.names_left = self.names_left.checked_sub(names).ok_or(too_large)?;
        Ok(())
    }

    fn blob(&mut self, part: &[u8]) -> Result<(), BundleError> {
        let mut cursor = Cursor::new(part, "a blob");
        let digest = Digest::from_bytes(cursor.array().map_err(BundleError::in_part)?);
        let row = cursor.rest();
        let content = Packed::decode(&mut cursor).and_then(|packed| packed.unpack()).map_err(BundleError::in_part)?;
        if Digest::of(&content) != digest {
            return Err(BundleError::damaged(format_args!("blob {digest} has other content")));
        }
        let mut blobs = self.write.open_table(tables::BLOBS).map_err(Error::from)?;
        if blobs.insert(digest.as_bytes(), row).map_err(Error::from)?.is_some() {
            return Err(twice(format_args!("blob {digest}")));
        }
        self.write.open_table(tables::USES).map_err(Error::from)?.insert(digest.as_bytes(), 1).map_err(Error::from)?;
        Ok(())
    }
}

fn twice(what: std::fmt::Arguments<'_>) -> BundleError {
    BundleError::damaged(format_args!("it has {what} twice"))
}

/// A bundle that is being read, part by part.
struct Source<R> {
    from: R,
    /// How many bytes the file still has.
    left: u64,
    hash: Sha256,
    part: Vec<u8>,
}

impl<R: Read> Source<R> {
    fn begin(from: R, left: u64) -> Result<Self, BundleError> {
        let mut source = Self { from, left, hash: Sha256::new(), part: Vec::new() };
        let mut magic = [0; MAGIC.len()];
        if left < magic.len() as u64 {
            return Err(BundleError::NotABundle);
        }
        source.read(&mut magic)?;
        if magic != *MAGIC {
            return Err(BundleError::NotABundle);
        }
        match source.byte()? {
            VERSION => Ok(source),
            0 => Err(BundleError::damaged("there is no version 0")),
            found => Err(BundleError::Newer { found }),
        }
    }

    /// Reads the next part and returns its kind. At the end, checks what came before it, and that nothing follows.
    fn next(&mut self) -> Result<u8, BundleError> {
        let before = self.hash.clone();
        let kind = self.byte()?;
        let len = self.number()?;
        if len > self.left.min(PART_MAX) {
            return Err(BundleError::damaged(format_args!("a part claims {len} bytes")));
        }
        // At most PART_MAX, and no more than the file has.
        let mut part = std::mem::take(&mut self.part);
        part.resize(len as usize, 0);
        self.read(&mut part)?;
        self.part = part;
        if kind == END {
            if *self.part != *before.finalize() {
                return Err(BundleError::damaged("it does not fit the digest at its end"));
            }
            if self.left > 0 {
                return Err(BundleError::damaged("something follows its end"));
            }
        }
        Ok(kind)
    }

    fn number(&mut self) -> Result<u64, BundleError> {
        let mut bytes = [0; varint::LEN_MAX];
        for at in 0..bytes.len() {
            bytes[at] = self.byte()?;
            if bytes[at] < 0x80 {
                return Cursor::new(&bytes[..=at], "a part").number().map_err(BundleError::in_part);
            }
        }
        Err(BundleError::damaged("the length of a part is longer than 64 bits"))
    }

    fn byte(&mut self) -> Result<u8, BundleError> {
        let mut byte = [0];
        self.read(&mut byte)?;
        Ok(byte[0])
    }

    fn read(&mut self, to: &mut [u8]) -> Result<(), BundleError> {
        let short = || BundleError::damaged("it ends early");
        self.left = self.left.checked_sub(to.len() as u64).ok_or_else(short)?;
        self.from.read_exact(to).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => short(),
            _ => error.into(),
        })?;
        self.hash.update(to);
        Ok(())
    }
}
