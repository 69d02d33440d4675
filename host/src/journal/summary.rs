//! What is known of runs without reading their entries: lists, headers, blobs and sizes.

use redb::{ReadableTable, ReadableTableMetadata};

use super::error::{Error, FindError};
use super::header::{Header, Payload};
use super::row::{self, Row};
use super::{Journal, blob, tables};
use crate::digest::Digest;
use crate::id::RunId;

/// How many runs an ambiguous prefix lists.
const AMBIGUOUS_MAX: usize = 8;

/// A run without its entries.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The run.
    pub id: RunId,
    /// Its header.
    pub header: Header,
    /// The JSON of its last state entry; `None` while it has none.
    pub state: Option<Vec<u8>>,
    /// How many entries are durable.
    pub entries: u64,
    /// Fuel used up to the last of them.
    pub fuel: u64,
    /// Bytes of its header and entries on disk, blobs excepted.
    pub bytes: u64,
    /// Whether this process is writing it.
    pub live: bool,
}

/// What takes how many bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// The file's length.
    pub file: u64,
    /// How many runs there are.
    pub runs: u64,
    /// Entries of all runs.
    pub log: u64,
    /// Headers of all runs, and the index.
    pub headers: u64,
    /// Blobs of all runs.
    pub blobs: u64,
    /// Keys and values of all namespaces.
    pub kv: u64,
}

impl Journal {
    /// Returns all runs, newest last.
    ///
    /// # Errors
    /// What keeps the file from being read; a damaged header.
    pub fn runs(&self) -> Result<Vec<Summary>, Error> {
        let rows = self.0.store.reading(|read| {
            let runs = read.open_table(tables::RUNS)?;
            let mut rows = Vec::new();
            for row in runs.iter()? {
                let (id, row) = row?;
                let id = RunId::from_bytes(*id.value());
                rows.push((id, Row::decode(id, row.value())?));
            }
            Ok(rows)
        })?;
        rows.into_iter().map(|(id, row)| self.summarize(id, row)).collect()
    }

    /// Returns a run without its entries.
    ///
    /// # Errors
    /// [`Error::NoSuchRun`] and what keeps the file from being read.
    pub fn summary(&self, run: RunId) -> Result<Summary, Error> {
        self.summarize(run, self.row(run)?)
    }

    /// Returns the header of a run.
    ///
    /// # Errors
    /// As [`Journal::summary`].
    pub fn header(&self, run: RunId) -> Result<Header, Error> {
        Header::decode(&self.row(run)?.header.unpack()?)
    }

    pub(super) fn row(&self, run: RunId) -> Result<Row, Error> {
        self.0.store.reading(|read| row::load(&read.open_table(tables::RUNS)?, run))
    }

    fn summarize(&self, id: RunId, row: Row) -> Result<Summary, Error> {
        let published = self.0.store.published().get(&id).map(|published| published.extent);
        let extent = published.filter(|extent| extent.entries >= row.extent.entries).unwrap_or(row.extent);
        let state = row.state.map(|state| state.json(&self.0.store)).transpose()?;
        Ok(Summary {
            id,
            header: Header::decode(&row.header.unpack()?)?,
            state,
            entries: extent.entries,
            fuel: extent.fuel,
            bytes: extent.bytes,
            live: self.0.store.has_owner(id),
        })
    }

    /// Returns the run that was accepted last; ids are in that order.
    ///
    /// # Errors
    /// What keeps the file from being read.
    pub fn last(&self) -> Result<Option<RunId>, Error> {
        self.0.store.reading(|read| {
            let runs = read.open_table(tables::RUNS)?;
            let last = runs.last()?;
            Ok(last.map(|(id, _)| RunId::from_bytes(*id.value())))
        })
    }

    /// Returns the runs that were accepted because of entries of `run`. Ids are in the order of acceptance, so only later
    /// ones are looked at.
    ///
    /// # Errors
    /// What keeps the file from being read; a damaged header.
    pub fn caused_by(&self, run: RunId) -> Result<Vec<Summary>, Error> {
        let rows = self.0.store.reading(|read| {
            let mut rows = Vec::new();
            for row in read.open_table(tables::RUNS)?.range::<&[u8; 16]>(run.as_bytes()..)? {
                let (id, row) = row?;
                let id = RunId::from_bytes(*id.value());
                let row = Row::decode(id, row.value())?;
                let header = Header::decode(&row.header.unpack()?)?;
                if header.cause.is_some_and(|cause| cause.run == run) {
                    rows.push((id, row));
                }
            }
            Ok(rows)
        })?;
        rows.into_iter().map(|(id, row)| self.summarize(id, row)).collect()
    }

    /// Returns the run whose id starts with `prefix`, in hexadecimal digits.
    ///
    /// # Errors
    /// [`FindError::None`], [`FindError::Ambiguous`].
    pub fn find(&self, prefix: &str) -> Result<RunId, FindError> {
        let wanted = prefix.to_ascii_lowercase().replace('-', "");
        let mut runs = self.0.store.reading(|read| {
            let table = read.open_table(tables::RUNS)?;
            let mut found = Vec::new();
            for row in table.iter()? {
                let id = RunId::from_bytes(*row?.0.value());
                if found.len() < AMBIGUOUS_MAX && id.to_string().starts_with(&wanted) {
                    found.push(id);
                }
            }
            Ok(found)
        })?;
        match (runs.pop(), runs.is_empty()) {
            (None, _) => Err(FindError::None(prefix.to_owned())),
            (Some(run), true) => Ok(run),
            (Some(run), false) => {
                runs.push(run);
                Err(FindError::Ambiguous { prefix: prefix.to_owned(), runs })
            }
        }
    }

    /// Returns a blob by its digest, such as the text of a manifest or a remit.
    ///
    /// # Errors
    /// [`Error::NoSuchBlob`]; [`Error::Damaged`] when its content is not what it is named for.
    pub fn blob(&self, digest: Digest) -> Result<Vec<u8>, Error> {
        self.0.store.reading(|read| blob::get(&read.open_table(tables::BLOBS)?, &digest))
    }

    /// Returns the bytes of an input.
    ///
    /// # Errors
    /// As [`Journal::blob`].
    pub fn payload(&self, payload: &Payload) -> Result<Vec<u8>, Error> {
        match payload {
            Payload::Inline(text) => Ok(text.clone().into_bytes()),
            Payload::Blob { digest, .. } => self.blob(*digest),
        }
    }

    /// Returns what takes how many bytes. Walks the file.
    ///
    /// # Errors
    /// What keeps the file from being read.
    pub fn sizes(&self) -> Result<Sizes, Error> {
        let file = std::fs::metadata(&self.0.path).map_err(Error::io)?.len();
        self.0.store.reading(|read| {
            let (runs, index) = (read.open_table(tables::RUNS)?, read.open_table(tables::INDEX)?);
            Ok(Sizes {
                file,
                runs: runs.len()?,
                log: read.open_table(tables::LOG)?.stats()?.stored_bytes(),
                headers: runs.stats()?.stored_bytes() + index.stats()?.stored_bytes(),
                blobs: read.open_table(tables::BLOBS)?.stats()?.stored_bytes(),
                kv: read.open_table(tables::KV)?.stats()?.stored_bytes(),
            })
        })
    }
}
