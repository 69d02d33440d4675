//! Writing a bundle: which runs belong together, what they name, and the rows of both.

use std::collections::BTreeSet;
use std::io::Write;

use redb::{ReadTransaction, ReadableTable};
use sha2::{Digest as _, Sha256};

use super::{BLOB, BUNDLE_MAX, BundleError, END, LOG, MAGIC, PART_MAX, RUN, RUNS_BYTES_MAX, VERSION};
use crate::digest::Digest;
use crate::id::RunId;
use crate::journal::header::Header;
use crate::journal::reader::Stored;
use crate::journal::row::{Row, StateBody};
use crate::journal::varint;
use crate::journal::{Error, Journal, blob, segment, tables};

/// What a bundle was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The runs: first the one that was asked for, then those that are there because of it.
    pub runs: Vec<RunId>,
    /// How many blobs.
    pub blobs: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

impl Journal {
    /// Writes a run, as far as it is durable, to a bundle: with the runs of connectors that it caused, with the runs that
    /// it was forked from, and with every blob that these name. The same record makes the same bytes. Reads all of it,
    /// and so checks its chain.
    ///
    /// # Errors
    /// [`BundleError::Journal`] when a run cannot be read; [`BundleError::TooLarge`]; [`BundleError::File`].
    pub fn export(&self, run: RunId, to: impl Write) -> Result<Exported, BundleError> {
        let runs = self.family(run)?;
        let mut wanted = Wanted::default();
        for run in &runs {
            self.want(*run, &mut wanted)?;
        }
        let mut sink = Sink::begin(to)?;
        let read = self.0.store.read()?;
        sink.runs(&read, &runs)?;
        sink.log(&read, &wanted.segments)?;
        sink.blobs(&read, &wanted.blobs)?;
        Ok(Exported { runs, blobs: wanted.blobs.len() as u64, bytes: sink.end()? })
    }

    /// Returns a run and what belongs to it: whom it called, and what it was forked from.
    fn family(&self, run: RunId) -> Result<Vec<RunId>, Error> {
        let mut family = BTreeSet::from([run]);
        let kin = self.kin()?;
        if !kin.iter().any(|kin| kin.run == run) {
            return Err(Error::NoSuchRun(run));
        }
        loop {
            let before = family.len();
            for Kin { run, caller, parent } in &kin {
                if caller.is_some_and(|caller| family.contains(&caller)) {
                    family.insert(*run);
                }
                let parent = parent.filter(|_| family.contains(run));
                family.extend(parent.filter(|parent| kin.iter().any(|kin| kin.run == *parent)));
            }
            if family.len() == before {
                family.remove(&run);
                return Ok([run].into_iter().chain(family).collect());
            }
        }
    }

    fn kin(&self) -> Result<Vec<Kin>, Error> {
        self.0.store.reading(|read| {
            let mut kin = Vec::new();
            for row in read.open_table(tables::RUNS)?.iter()? {
                let (run, row) = row?;
                let run = RunId::from_bytes(*run.value());
                let header = Header::decode(&Row::decode(run, row.value())?.header.unpack()?)?;
                kin.push(Kin { run, caller: header.cause.map(|cause| cause.run), parent: header.parent });
            }
            Ok(kin)
        })
    }

    /// Reads a run for the rows of the log and the blobs that it needs.
    fn want(&self, run: RunId, wanted: &mut Wanted) -> Result<(), Error> {
        let row = self.row(run)?;
        wanted.blobs.extend(row.blobs);
        if let Some(StateBody::Chunked(list)) = &row.state {
            wanted.blobs.extend(blob::chunks(list)?.1);
        }
        let mut reader = self.reader(run)?;
        let mut last = None;
        while let Some(Stored { params, outcome, .. }) = reader.next_raw()? {
            blob::add_of([params, outcome], &mut wanted.blobs)?;
            if reader.at.commit != last {
                last = reader.at.commit;
                wanted.segments.extend(last.map(|commit| (commit, reader.run_read())));
            }
        }
        Ok(())
    }
}

/// A run, and the runs because of which it exists.
struct Kin {
    run: RunId,
    caller: Option<RunId>,
    parent: Option<RunId>,
}

/// What a bundle needs of the journal besides the rows of its runs.
#[derive(Default)]
struct Wanted {
    /// Commits, with the runs whose segments are wanted of each. A run that is being written may have more by now.
    segments: BTreeSet<(u64, RunId)>,
    blobs: BTreeSet<Digest>,
}

/// A bundle that is being written.
struct Sink<W> {
    to: W,
    hash: Sha256,
    written: u64,
}

impl<W: Write> Sink<W> {
    fn begin(to: W) -> Result<Self, BundleError> {
        let mut sink = Self { to, hash: Sha256::new(), written: 0 };
        sink.write(MAGIC)?;
        sink.write(&[VERSION])?;
        Ok(sink)
    }

    fn runs(&mut self, read: &ReadTransaction, runs: &[RunId]) -> Result<(), BundleError> {
        let table = read.open_table(tables::RUNS).map_err(Error::from)?;
        let mut sum = 0;
        for run in runs {
            let row = table.get(run.as_bytes()).map_err(Error::from)?.ok_or(Error::NoSuchRun(*run))?;
            sum += row.value().len();
            if sum > RUNS_BYTES_MAX {
                return Err(BundleError::TooLarge { what: "the rows of its runs", max: RUNS_BYTES_MAX as u64 });
            }
            self.part(RUN, &[run.as_bytes(), row.value()])?;
        }
        Ok(())
    }

    fn log(&mut self, read: &ReadTransaction, segments: &BTreeSet<(u64, RunId)>) -> Result<(), BundleError> {
        let table = read.open_table(tables::LOG).map_err(Error::from)?;
        let mut part = Vec::new();
        let mut rest = segments.iter().peekable();
        while let Some((commit, _)) = rest.peek().copied() {
            let mut runs = Vec::new();
            while let Some((_, run)) = rest.next_if(|(next, _)| next == commit) {
                runs.push(*run);
            }
            let row = table.get(commit).map_err(Error::from)?;
            let row = row.ok_or_else(|| Error::damaged(format_args!("commit {commit} is missing")))?;
            part.clear();
            varint::put(&mut part, *commit);
            for bytes in segment::of_commit(row.value()) {
                let bytes = bytes?;
                if runs.iter().any(|run| segment::is_of(bytes, *run)) {
                    varint::put_bytes(&mut part, bytes);
                }
            }
            self.part(LOG, &[&part])?;
        }
        Ok(())
    }

    fn blobs(&mut self, read: &ReadTransaction, blobs: &BTreeSet<Digest>) -> Result<(), BundleError> {
        let table = read.open_table(tables::BLOBS).map_err(Error::from)?;
        for digest in blobs {
            let row = table.get(digest.as_bytes()).map_err(Error::from)?.ok_or(Error::NoSuchBlob(*digest))?;
            self.part(BLOB, &[digest.as_bytes(), row.value()])?;
        }
        Ok(())
    }

    /// Writes the end and returns the length of the bundle.
    fn end(mut self) -> Result<u64, BundleError> {
        let digest = self.hash.clone().finalize();
        self.part(END, &[&digest])?;
        self.to.flush()?;
        Ok(self.written)
    }

    fn part(&mut self, kind: u8, pieces: &[&[u8]]) -> Result<(), BundleError> {
        let len = pieces.iter().map(|piece| piece.len() as u64).sum();
        if len > PART_MAX {
            return Err(BundleError::TooLarge { what: "a part", max: PART_MAX });
        }
        let mut head = vec![kind];
        varint::put(&mut head, len);
        self.write(&head)?;
        pieces.iter().try_for_each(|piece| self.write(piece))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BundleError> {
        self.written += bytes.len() as u64;
        if self.written > BUNDLE_MAX {
            return Err(BundleError::TooLarge { what: "a bundle", max: BUNDLE_MAX });
        }
        self.hash.update(bytes);
        Ok(self.to.write_all(bytes)?)
    }
}
