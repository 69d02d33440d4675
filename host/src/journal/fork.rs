//! Forks: a run whose past is another's, read through and not copied.
//!
//! The fork's header names its parent, how many of the parent's entries are its past, and the head of the chain there.
//! What it begins with of its own is committed together with it. While it is there, its parent cannot be removed.

use std::sync::mpsc;

use super::blob::Blob;
use super::lineage::LINEAGE_MAX;
use super::message::{Accept, Message};
use super::packed::Packed;
use super::progress::Progress;
use super::run_writer::{RunWriter, Start};
use super::{Error, Header, Journal, Unfinished, blob, chain};
use crate::digest::Digest;
use crate::id::RunId;
use crate::time::Timestamp;

/// Where a fork parts from its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parted {
    /// Fuel used up to there.
    pub fuel: u64,
    /// The wall time of the last entry before it, in microseconds since the Unix epoch.
    pub time_us: u64,
}

impl Journal {
    /// Stores a run whose first `cut` entries are those of `parent`, with what `record` appends to it, and returns its
    /// id. All of it is durable when this returns, or nothing is there. Everything else in its header is as given; the
    /// blobs that it names are those of its parent.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`] when the parent has fewer entries; [`Error::NoSuchRun`]; [`Error::TooDeep`] when the parent
    /// comes from [`LINEAGE_MAX`] others; what `record` says.
    pub fn fork<E: From<Error>>(
        &self,
        parent: RunId,
        cut: u64,
        header: Header,
        record: impl FnOnce(&mut RunWriter, Parted) -> Result<(), E>,
    ) -> Result<RunId, E> {
        let (parted, head) = self.parted(parent, cut)?;
        let header = Header { parent: Some(parent), cut: Some(cut), parent_head: (cut > 0).then_some(head), ..header };
        let run = RunId::new(header.accepted);
        let bytes = header.encode()?;
        blob::check_len("a run header", &bytes)?;
        let blobs: Vec<Digest> = self.row(parent)?.blobs;
        let start = Start {
            run,
            epoch: 1,
            progress: Progress::starting_at(cut),
            entries: cut,
            fuel: parted.fuel,
            time_us: parted.time_us,
            functions: Vec::new(),
            blobs_used: blobs.iter().copied().collect(),
            namespace: header.namespace(),
            is_waiting: false,
        };
        let (reply, answer) = mpsc::sync_channel(1);
        let accept = Accept {
            run,
            header: Packed::new(&bytes),
            blobs: blobs.into_iter().map(Blob::stored).collect(),
            key: None,
            listed: Unfinished::of(run, &header),
            first_head: chain::first(run, &bytes),
            progress: start.progress.clone(),
            entries: cut,
            fuel: parted.fuel,
            parent: Some(parent),
            reply,
        };
        let mut writer = RunWriter::held(self.0.clone(), start);
        record(&mut writer, parted)?;
        self.0.queue.send_all(std::iter::once(Message::Accept(Box::new(accept))).chain(writer.release()?))?;
        answer.recv().map_err(|_| Error::Closed)??;
        Ok(run)
    }

    /// Reads a run to where a fork parts from it.
    fn parted(&self, parent: RunId, cut: u64) -> Result<(Parted, Digest), Error> {
        let past = self.ancestors(self.header(parent)?)?;
        if past.len() > LINEAGE_MAX {
            return Err(Error::TooDeep { run: parent, max: LINEAGE_MAX });
        }
        let mut reader = self.reader(parent)?;
        reader.pass(cut)?;
        let entries = reader.taken();
        if entries < cut {
            return Err(Error::NoSuchEntry { run: parent, entry: cut, entries });
        }
        let began = past.last().map_or(0, |first| first.accepted.as_micros());
        let time_us = if cut == 0 { began } else { reader.at.time_us };
        Ok((Parted { fuel: reader.at.extent.fuel, time_us }, reader.at.head))
    }

    /// Returns when a run began: a fork, when the first run of its lineage did.
    ///
    /// # Errors
    /// [`Error::NoSuchRun`] when a run that it comes from is not there; what keeps the file from being read.
    pub fn began(&self, header: &Header) -> Result<Timestamp, Error> {
        let past = header.parent.map(|parent| self.ancestors(self.header(parent)?)).transpose()?;
        Ok(past.as_ref().and_then(|past| past.last()).map_or(header.accepted, |first| first.accepted))
    }

    /// Returns a header and those of the runs that its run comes from, the oldest last, and no more than one too many.
    fn ancestors(&self, header: Header) -> Result<Vec<Header>, Error> {
        let mut past = vec![header];
        while let Some(parent) = past.last().and_then(|header| header.parent).filter(|_| past.len() <= LINEAGE_MAX) {
            past.push(self.header(parent)?);
        }
        Ok(past)
    }
}
