//! The writing end of one run: entries go into the open segment, segments to the writer thread.
//!
//! Recording a call takes no lock and, once buffers have grown, allocates nothing. What has been recorded is durable
//! when [`RunWriter::durable`] says so, and in any case soon after [`RunWriter::flush`].

mod claim;
mod death;
mod kv;
mod long;
mod state;
mod together;
mod wait;

use std::borrow::Cow;
use std::collections::HashSet;
use std::mem;
use std::sync::Arc;

use self::claim::Trial;
pub use self::death::Death;
pub use self::together::Together;
pub(super) use self::wait::Told;
use self::wait::Waits;
use super::amounts::Settlement;
use super::blob::{Blob, Kept};
use super::entry::{FunctionDef, FunctionId, Part, Raw, Record};
use super::error::Error;
use super::message::{Append, Claiming, Message, Promise};
use super::overlay::Overlay;
use super::progress::{Durable, Progress};
use super::reader::Reader;
use super::row::StateBody;
use super::{Core, INLINE_MAX};
use crate::digest::Digest;
use crate::id::RunId;
use crate::lifecycle::State;

/// A segment is handed over before its entries take more than this many bytes. Several make a row of the log, which
/// they fill the better the smaller they are; each costs about 75 bytes of its own.
const SEGMENT_BYTES: usize = 16 * 1024;
/// What an entry takes at most beside its payloads.
const ENTRY_OVERHEAD: usize = 64;
/// A segment is handed over when its new blobs take this many bytes.
const BLOB_BYTES: u64 = 1024 * 1024;

/// The writing end of one run. Dropping it hands over what is buffered and gives up the run.
pub struct RunWriter {
    core: Arc<Core>,
    run: RunId,
    epoch: u64,
    progress: Progress,
    functions: Vec<Function>,
    /// How many functions entries have named so far.
    defined: u64,
    open: Open,
    next_entry: u64,
    fuel: u64,
    time_us: u64,
    blobs_used: HashSet<Digest>,
    /// The payloads that were cut last.
    kept: Kept,
    kv: Overlay,
    scratch: Vec<u8>,
    /// The namespace of the plugin's identity.
    owner: Digest,
    /// What the segment that is handed over next claims.
    claiming: Option<Claiming>,
    /// An intent whose claims may be refused.
    trial: Option<Trial>,
    /// The intent whose claims were made last, until it is settled.
    unsettled: Option<u64>,
    /// What became of claims, not handed over yet.
    settlements: Vec<(u64, Settlement)>,
    waits: Waits,
    /// After which entry the process dies, where its crashes are tried out; else after none.
    dies_after: u64,
    is_dying: bool,
    death: Death,
    /// What was handed over of a run that is not there yet: it is committed together with the run.
    held: Option<Vec<Append>>,
}

/// A function and its number in entries, 0 until one names it.
struct Function {
    definition: FunctionDef,
    number: u64,
}

/// The segment that is being filled.
#[derive(Default)]
struct Open {
    body: Vec<u8>,
    first_entry: u64,
    fuel: u64,
    time_us: u64,
    definitions: Vec<FunctionDef>,
    blobs: Vec<Blob>,
    blob_bytes: u64,
}

/// Where a writer goes on.
pub(super) struct Start {
    pub run: RunId,
    pub epoch: u64,
    pub progress: Progress,
    pub entries: u64,
    pub fuel: u64,
    pub time_us: u64,
    pub functions: Vec<FunctionDef>,
    pub blobs_used: HashSet<Digest>,
    pub namespace: Digest,
    /// Whether the journal says that the run waits.
    pub is_waiting: bool,
}

impl RunWriter {
    pub(super) fn new(core: Arc<Core>, start: Start) -> Self {
        let numbered = start.functions.into_iter().zip(1..);
        let functions: Vec<_> = numbered.map(|(definition, number)| Function { definition, number }).collect();
        let mut writer = Self {
            core,
            run: start.run,
            epoch: start.epoch,
            progress: start.progress,
            defined: functions.len() as u64,
            functions,
            open: Open::default(),
            next_entry: start.entries,
            fuel: start.fuel,
            time_us: start.time_us,
            blobs_used: start.blobs_used,
            kept: Kept::default(),
            kv: Overlay::new(start.namespace),
            scratch: Vec::new(),
            owner: start.namespace,
            claiming: None,
            trial: None,
            unsettled: None,
            settlements: Vec::new(),
            waits: Waits::new(start.is_waiting),
            dies_after: u64::MAX,
            is_dying: false,
            held: None,
            death: Death::Sudden,
        };
        writer.begin_segment();
        writer.core.store.owned(writer.run, writer.epoch);
        writer
    }

    /// Makes the writing end of a run that is not there yet: what it hands over is kept for [`RunWriter::release`].
    pub(super) fn held(core: Arc<Core>, start: Start) -> Self {
        let mut writer = Self::new(core, start);
        writer.held = Some(Vec::new());
        writer
    }

    /// Returns what was handed over of it.
    pub(super) fn release(&mut self) -> Result<impl Iterator<Item = Message>, Error> {
        self.hand_over(None, false)?;
        Ok(self.held.take().unwrap_or_default().into_iter().map(|append| Message::Append(Box::new(append))))
    }

    /// Returns the id of the run.
    pub fn id(&self) -> RunId {
        self.run
    }

    /// Returns the number that the next entry will have.
    pub fn next_entry(&self) -> u64 {
        self.next_entry
    }

    /// Returns the fuel of the last entry.
    pub fn fuel(&self) -> u64 {
        self.fuel
    }

    /// Returns the number of a function for [`Record::function`]. Asking again returns the same.
    pub fn function(&mut self, name: impl Into<Cow<'static, str>>, class: u8) -> FunctionId {
        let name = name.into();
        let same = |known: &Function| known.definition.name == name && known.definition.class == class;
        let place = self.functions.iter().position(same).unwrap_or_else(|| {
            let definition = FunctionDef { name, class };
            self.functions.push(Function { definition, number: 0 });
            self.functions.len() - 1
        });
        FunctionId(place as u32)
    }

    /// Appends an entry and returns its number. It is not durable yet.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when a payload is over [`PAYLOAD_MAX`](super::PAYLOAD_MAX) or the extension over
    /// [`EXTENSION_MAX`]; nothing is recorded then. Else why an earlier entry will not become durable.
    #[inline]
    pub fn call(&mut self, record: &Record<'_>) -> Result<u64, Error> {
        self.settle_trial()?;
        let len = record.params.len() + record.outcome.len() + ENTRY_OVERHEAD;
        if self.open.body.len() + len > SEGMENT_BYTES || self.open.blob_bytes >= BLOB_BYTES {
            self.hand_over(None, false)?;
        }
        let (fuel, time) = (record.fuel.wrapping_sub(self.fuel), record.time_us.wrapping_sub(self.time_us));
        let plain =
            record.extension.is_none() && record.params.len() <= INLINE_MAX && record.outcome.len() <= INLINE_MAX;
        if plain {
            let function = self.number(record.function);
            let (params, outcome) = (Part::Inline(record.params), Part::Inline(record.outcome));
            Raw { kind: record.kind, function, fuel, time, params, outcome, extension: None }
                .encode(&mut self.open.body);
        } else {
            self.encode_long(record, fuel, time)?;
        }
        (self.fuel, self.time_us) = (record.fuel, record.time_us);
        let entry = self.next_entry;
        self.next_entry += 1;
        self.is_dying |= entry == self.dies_after;
        Ok(entry)
    }

    /// Returns the number by which entries name a function. An id of another writer names none.
    #[inline]
    fn number(&mut self, function: FunctionId) -> u64 {
        match self.functions.get(function.0 as usize) {
            Some(Function { number: 0, .. }) => self.define(function),
            Some(known) => known.number,
            None => 0,
        }
    }

    #[cold]
    fn define(&mut self, function: FunctionId) -> u64 {
        self.defined += 1;
        let function = &mut self.functions[function.0 as usize];
        function.number = self.defined;
        self.open.definitions.push(function.definition.clone());
        self.defined
    }

    /// Hands over what is buffered. It becomes durable within milliseconds.
    ///
    /// # Errors
    /// Why it will not become durable.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.hand_over(None, false)
    }

    /// Hands over what is buffered and returns what waits until all entries so far are on disk.
    ///
    /// # Errors
    /// Why they will not be.
    pub fn durable(&mut self) -> Result<Durable, Error> {
        self.settle_trial()?;
        if self.next_entry > self.open.first_entry {
            self.hand_over(None, true)?;
        } else if self.progress.durable_entries() < self.next_entry {
            self.core.send(Message::Barrier)?;
        }
        Ok(self.progress.until(self.next_entry))
    }

    /// Returns how many entries are on disk.
    pub fn durable_entries(&self) -> u64 {
        self.progress.durable_entries()
    }

    /// Returns what tells others how far the run is on disk.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    fn hand_over(&mut self, state: Option<(State, StateBody)>, barrier: bool) -> Result<(), Error> {
        match (self.take_buffered(state, barrier)?, &mut self.held) {
            (None, _) => Ok(()),
            (Some(Message::Append(append)), Some(held)) => {
                held.push(*append);
                Ok(())
            }
            (Some(message), _) => self.core.send(message),
        }
    }

    /// Takes what is buffered, for the writer thread.
    fn take_buffered(&mut self, state: Option<(State, StateBody)>, barrier: bool) -> Result<Option<Message>, Error> {
        let count = self.next_entry - self.open.first_entry;
        if count == 0 {
            return Ok(None);
        }
        if let Some(error) = self.progress.failure() {
            return Err(error);
        }
        let open = mem::take(&mut self.open);
        let claiming = self.claiming.take();
        // A segment that may be refused carries nothing that has to arrive.
        let settlements = if claiming.is_none() { mem::take(&mut self.settlements) } else { Vec::new() };
        let append = Append {
            run: self.run,
            epoch: self.epoch,
            first_entry: open.first_entry,
            count,
            fuel: open.fuel,
            time_us: open.time_us,
            fuel_used: self.fuel.wrapping_sub(open.fuel),
            definitions: open.definitions,
            body: open.body,
            kv: self.kv.take(self.next_entry),
            blobs: open.blobs,
            state,
            waits: self.waits.change.take(),
            told: self.waits.take_told(self.next_entry),
            barrier,
            claiming,
            settlements,
            promise: Promise::new(self.progress.clone()),
        };
        self.begin_segment();
        let durable = self.progress.durable_entries();
        self.kv.forget(durable);
        self.waits.forget_told(durable);
        Ok(Some(Message::Append(Box::new(append))))
    }

    fn begin_segment(&mut self) {
        self.open.body = self.progress.take_buffer();
        self.open.first_entry = self.next_entry;
        self.open.fuel = self.fuel;
        self.open.time_us = self.time_us;
    }
}

impl Start {
    /// Returns where a run goes on that `reader` has read to its end.
    pub(super) fn after(reader: &Reader, epoch: u64, blobs_used: HashSet<Digest>, namespace: Digest) -> Self {
        let entries = reader.at.extent.entries;
        Self {
            run: reader.run(),
            epoch,
            progress: Progress::starting_at(entries),
            entries,
            fuel: reader.at.extent.fuel,
            time_us: reader.at.time_us,
            functions: reader.functions().to_vec(),
            blobs_used,
            namespace,
            is_waiting: false,
        }
    }
}

impl Drop for RunWriter {
    /// Nobody is left to hear an error; what was promised durable is.
    fn drop(&mut self) {
        let _buffered = self.hand_over(None, false);
        let _left = self.core.send(Message::Leave(self.run, self.epoch));
        self.core.store.disowned(self.run, self.epoch);
    }
}
