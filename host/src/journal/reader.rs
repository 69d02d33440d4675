//! Reading a run, entry by entry: one segment in memory at a time, the chain checked as it goes.
//!
//! Every entry handed out is covered by a head that was checked, so what is read is what was written, or an error.

use std::borrow::Cow;

use redb::{AccessGuard, ReadOnlyTable};

use super::blob;
use super::chain::{self, Seal};
use super::edge::edge;
use super::entry::{Entry, FunctionDef, Kind, Part, Raw};
use super::error::Error;
use super::index::Tail;
use super::lineage::{self, Layer};
use super::row::Extent;
use super::segment::{self, Segment};
use super::store::Store;
use super::tables;
use super::varint::Cursor;
use crate::digest::Digest;
use crate::id::RunId;

/// Reads one run as it stood when the reader was made; of a fork, first what it has of the runs that it comes from.
pub struct Reader {
    run: RunId,
    /// The run of the lineage that is being read.
    layer: Layer,
    /// Those that come after it, the next one last.
    ahead: Vec<Layer>,
    log: ReadOnlyTable<u64, &'static [u8]>,
    blobs: ReadOnlyTable<&'static [u8; 32], &'static [u8]>,
    /// The commit that is being read, and how much of it has been.
    row: Option<(AccessGuard<'static, &'static [u8]>, usize)>,
    body: Body,
    functions: Vec<FunctionDef>,
    pub(super) at: At,
    /// Segments of the runs before the one that is being read.
    segments_before: u64,
    /// The seal of the segment that was opened last, until it is taken.
    seal: Option<Sealed>,
}

/// How far a reader has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub extent: Extent,
    pub time_us: u64,
    pub head: Digest,
    pub commit: Option<u64>,
    /// The run's commit before `commit`.
    before: Option<u64>,
}

/// A signed head that a reader came across.
pub(super) struct Sealed {
    /// The run that it is of, which may be one that this one comes from.
    pub run: RunId,
    pub entries: u64,
    /// How many of them are the reader's.
    pub covers: u64,
    pub head: Digest,
    pub seal: Seal,
}

/// An entry whose payloads are as they are stored.
pub(super) struct Stored<'a> {
    pub number: u64,
    pub kind: Kind,
    pub time_us: u64,
    pub params: Part<'a>,
    pub outcome: Part<'a>,
}

/// The unpacked entries of the segment that is being read.
#[derive(Default)]
struct Body {
    bytes: Vec<u8>,
    read: usize,
    left: u64,
    /// Whether what follows the entries that are left is of no interest: a fork parted within the segment.
    is_cut: bool,
}

impl Body {
    #[inline]
    fn is_read(&self) -> bool {
        self.left == 0
    }

    #[inline]
    fn peek(&self) -> Result<Kind, Error> {
        Kind::of_tag(Cursor::new(&self.bytes[self.read..], "a segment's body").byte()?)
    }

    #[inline]
    fn next(&mut self) -> Result<Raw<'_>, Error> {
        let mut cursor = Cursor::new(&self.bytes[self.read..], "a segment's body");
        let raw = Raw::decode(&mut cursor)?;
        self.read = self.bytes.len() - cursor.rest().len();
        self.left -= 1;
        if self.left == 0 && !cursor.is_empty() && !self.is_cut {
            return Err(Error::damaged("a segment has more entries than it says"));
        }
        Ok(raw)
    }
}

impl At {
    /// Steps over an entry and returns its number.
    #[inline]
    fn step(&mut self, raw: &Raw<'_>) -> u64 {
        let number = self.extent.entries;
        self.extent.entries += 1;
        self.extent.fuel = self.extent.fuel.wrapping_add(raw.fuel);
        self.time_us = self.time_us.wrapping_add(raw.time);
        number
    }
}

impl Reader {
    pub(super) fn open(store: &Store, run: RunId) -> Result<Self, Error> {
        edge(|| {
            let (read, mut ahead) = lineage::open(store, run)?;
            let layer = ahead.pop().ok_or(Error::NoSuchRun(run))?;
            let extent = Extent { bytes: layer.header_bytes, ..Extent::default() };
            let head = layer.first_head;
            Ok(Self {
                run,
                layer,
                ahead,
                log: read.open_table(tables::LOG)?,
                blobs: read.open_table(tables::BLOBS)?,
                row: None,
                body: Body::default(),
                functions: Vec::new(),
                at: At { extent, time_us: 0, head, commit: None, before: None },
                segments_before: 0,
                seal: None,
            })
        })
    }

    /// Returns the next entry, or `None` after the last that was committed when the reader was made.
    ///
    /// # Errors
    /// [`Error::Damaged`] when what follows is not what was written. The reader cannot go on after an error.
    #[expect(clippy::should_implement_trait, reason = "entries borrow from the reader, which no iterator can do")]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Entry<'_>>, Error> {
        if self.body.is_read() && !self.open_segment()? {
            return Ok(None);
        }
        let raw = self.body.next()?;
        let number = self.at.step(&raw);
        Ok(Some(Entry {
            number,
            kind: raw.kind,
            function: function(&self.functions, raw.function)?,
            fuel: self.at.extent.fuel,
            time_us: self.at.time_us,
            params: resolve(&self.blobs, raw.params)?,
            outcome: resolve(&self.blobs, raw.outcome)?,
            extension: raw.extension,
        }))
    }

    /// Returns what the next entry records, without taking it.
    ///
    /// # Errors
    /// As [`Reader::next`].
    #[inline]
    pub fn peek(&mut self) -> Result<Option<Kind>, Error> {
        if self.body.is_read() && !self.open_segment()? {
            return Ok(None);
        }
        self.body.peek().map(Some)
    }

    /// Passes over the entries before `entry`.
    ///
    /// # Errors
    /// As [`Reader::next`].
    pub fn pass(&mut self, entry: u64) -> Result<(), Error> {
        while self.taken() < entry && self.next_raw()?.is_some() {}
        Ok(())
    }

    /// Returns the next entry as it is stored.
    pub(super) fn next_raw(&mut self) -> Result<Option<Stored<'_>>, Error> {
        if self.body.is_read() && !self.open_segment()? {
            return Ok(None);
        }
        let Raw { kind, params, outcome, .. } = {
            let raw = self.body.next()?;
            self.at.step(&raw);
            raw
        };
        let (number, time_us) = (self.at.extent.entries - 1, self.at.time_us);
        Ok(Some(Stored { number, kind, time_us, params, outcome }))
    }

    /// Returns how many entries were read.
    #[inline]
    pub fn taken(&self) -> u64 {
        self.at.extent.entries
    }

    pub(super) fn run(&self) -> RunId {
        self.run
    }

    /// Returns the run that the entry read last is of: this one, or one that it comes from.
    pub(super) fn run_read(&self) -> RunId {
        self.layer.run
    }

    /// Returns how many of the entries read so far are of runs that this one comes from.
    pub(super) fn own_from(&self) -> u64 {
        self.ahead.first().unwrap_or(&self.layer).from
    }

    pub(super) fn epoch(&self) -> u64 {
        self.ahead.first().unwrap_or(&self.layer).epoch
    }

    /// Returns how many segments were read.
    pub(super) fn segments(&self) -> u64 {
        self.segments_before + self.at.extent.segments
    }

    /// Returns the functions that the run's own entries read so far have named.
    pub fn functions(&self) -> &[FunctionDef] {
        &self.functions
    }

    /// Returns the seal of the segment that was opened last, once.
    pub(super) fn take_seal(&mut self) -> Option<Sealed> {
        self.seal.take()
    }

    /// Returns where the index stands, for an owner who goes on.
    pub(super) fn tail(&self) -> Tail {
        self.layer.commits.tail()
    }

    /// Opens the run's next segment. Says `false` at the end.
    #[cold]
    fn open_segment(&mut self) -> Result<bool, Error> {
        edge(|| {
            loop {
                if self.at.extent.entries >= self.layer.until {
                    self.next_layer()?;
                }
                if self.row.is_none() && !self.open_commit()? {
                    return self.check_end().map(|()| false);
                }
                if self.open_segment_of_commit()? {
                    return Ok(true);
                }
                self.row = None;
            }
        })
    }

    /// Goes on to the run that parted from the one which was read so far.
    fn next_layer(&mut self) -> Result<(), Error> {
        let Some(next) = self.ahead.pop() else { return Ok(()) };
        next.parts_from(&self.at.head)?;
        self.segments_before += self.at.extent.segments;
        self.at.extent = Extent { segments: 0, bytes: next.header_bytes, ..self.at.extent };
        (self.at.head, self.at.commit, self.at.before) = (next.first_head, None, None);
        self.functions.clear();
        (self.row, self.layer) = (None, next);
        Ok(())
    }

    fn open_commit(&mut self) -> Result<bool, Error> {
        let Some(commit) = self.layer.commits.next()? else { return Ok(false) };
        let (row, run) = (self.log.get(commit)?, self.layer.run);
        let row = row.ok_or_else(|| Error::damaged(format_args!("run {run}: commit {commit} is missing")))?;
        self.row = Some((row, 0));
        (self.at.before, self.at.commit) = (self.at.commit, Some(commit));
        Ok(true)
    }

    fn open_segment_of_commit(&mut self) -> Result<bool, Error> {
        let Some((row, read)) = &mut self.row else { return Ok(false) };
        let row = row.value();
        let mut cursor = Cursor::new(&row[*read..], "a commit");
        while !cursor.is_empty() {
            let bytes = cursor.bytes()?;
            *read = row.len() - cursor.rest().len();
            if segment::is_of(bytes, self.layer.run) {
                let segment = Segment::decode(bytes)?;
                check(&segment, &self.at, self.layer.run)?;
                segment.unpack(&mut self.body.bytes)?;
                let count = segment.position.count;
                let entries = segment.position.first_entry + count;
                let covers = entries.min(self.layer.until);
                self.body.left = count - (entries - covers);
                (self.body.read, self.body.is_cut) = (0, covers < entries);
                self.at.time_us = segment.position.time_us;
                self.at.head = segment.head;
                self.at.extent.segments += 1;
                self.at.extent.bytes += bytes.len() as u64;
                let (run, head) = (self.layer.run, segment.head);
                self.seal = segment.seal.map(|seal| Sealed { run, entries, covers, head, seal });
                self.functions.extend(segment.definitions);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn check_end(&self) -> Result<(), Error> {
        let (entries, Layer { run, promised, .. }) = (self.at.extent.entries, &self.layer);
        if !self.ahead.is_empty() {
            return Err(self.layer.ends_early(entries));
        }
        if entries >= *promised {
            return Ok(());
        }
        Err(Error::damaged(format_args!("run {run} has {entries} entries where its row promises {promised}")))
    }
}

/// Checks that a segment is the one that follows.
fn check(segment: &Segment<'_>, at: &At, run: RunId) -> Result<(), Error> {
    let position = &segment.position;
    let damaged = |what| Err(Error::damaged(format_args!("run {run}, segment {}: {what}", at.extent.segments)));
    if chain::next(&at.head, segment.covered) != segment.head {
        return damaged("the chain is broken");
    }
    let expected = (at.extent.segments, at.extent.entries, at.extent.fuel);
    if (position.number, position.first_entry, position.fuel) != expected || position.count == 0 {
        return damaged("it does not follow the one before");
    }
    if position.first_entry.checked_add(position.count).is_none() {
        return damaged("its entries have run out of numbers");
    }
    if position.previous_commit != at.before && position.previous_commit != at.commit {
        return damaged("a commit between it and the one before is missing");
    }
    Ok(())
}

#[inline]
fn function(functions: &[FunctionDef], number: u64) -> Result<Option<&FunctionDef>, Error> {
    let Some(place) = number.checked_sub(1) else { return Ok(None) };
    let function = usize::try_from(place).ok().and_then(|place| functions.get(place));
    function.map(Some).ok_or_else(|| Error::damaged(format_args!("an entry names the undefined function {number}")))
}

#[inline]
fn resolve<'a>(
    blobs: &ReadOnlyTable<&'static [u8; 32], &'static [u8]>,
    part: Part<'a>,
) -> Result<Cow<'a, [u8]>, Error> {
    match part {
        Part::Inline(bytes) => Ok(Cow::Borrowed(bytes)),
        Part::Chunked(list) => edge(|| blob::join(blobs, list)).map(Cow::Owned),
    }
}
