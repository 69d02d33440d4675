//! One journal record: its fields and its bytes. FORMAT.md draws the layout.

use std::borrow::Cow;

use super::error::Error;
use super::extension::Extension;
use super::varint::{self, Cursor};

const KIND_BITS: u8 = 0b0000_0111;
const HAS_EXTENSION: u8 = 0b0000_1000;
const PARAMS_CHUNKED: u8 = 0b0001_0000;
const OUTCOME_CHUNKED: u8 = 0b0010_0000;
const KNOWN_BITS: u8 = KIND_BITS | HAS_EXTENSION | PARAMS_CHUNKED | OUTCOME_CHUNKED;

/// What an entry records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A host call with its outcome.
    Call = 0,
    /// A call that is about to be performed.
    Intent = 1,
    /// What became of an earlier intent.
    Outcome = 2,
    /// A change of the run's state; its params are JSON.
    State = 3,
    /// A remark that replay passes over.
    Note = 4,
}

impl Kind {
    pub(super) fn of_tag(tag: u8) -> Result<Self, Error> {
        let kinds = [Self::Call, Self::Intent, Self::Outcome, Self::State, Self::Note];
        let kind = kinds.get(usize::from(tag & KIND_BITS)).copied().filter(|_| tag & !KNOWN_BITS == 0);
        kind.ok_or_else(|| Error::damaged(format_args!("an entry has the unknown tag {tag:#04x}")))
    }
}

/// A function's number in one [`RunWriter`](super::RunWriter), from its `function`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionId(pub(super) u32);

/// A function that entries name: what it is called and its effect class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionDef {
    /// The name, such as `remit:plugin/kv#get`.
    pub name: Cow<'static, str>,
    /// The effect class, as the gate numbers it.
    pub class: u8,
}

/// What the gate hands over to be recorded.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// What it records.
    pub kind: Kind,
    /// The function that was called.
    pub function: FunctionId,
    /// Fuel used by the run so far.
    pub fuel: u64,
    /// Wall time in microseconds since the Unix epoch.
    pub time_us: u64,
    /// The canonical parameters.
    pub params: &'a [u8],
    /// The canonical outcome.
    pub outcome: &'a [u8],
    /// The fields an entry has only sometimes.
    pub extension: Option<&'a Extension>,
}

/// An entry's bytes, taken apart or about to be written. Numbers are as they are on disk: function 0 is none, and fuel
/// and time count from the entry before, modulo 2^64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Raw<'a> {
    pub kind: Kind,
    pub function: u64,
    pub fuel: u64,
    pub time: u64,
    pub params: Part<'a>,
    pub outcome: Part<'a>,
    pub extension: Option<&'a [u8]>,
}

/// Params or an outcome: the bytes, or the list of the chunks that hold them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Inline(&'a [u8]),
    Chunked(&'a [u8]),
}

impl<'a> Part<'a> {
    fn new(bytes: &'a [u8], chunked: bool) -> Self {
        if chunked { Self::Chunked(bytes) } else { Self::Inline(bytes) }
    }

    fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Inline(bytes) | Self::Chunked(bytes) => bytes,
        }
    }

    fn flag(&self, flag: u8) -> u8 {
        if matches!(self, Self::Chunked(_)) { flag } else { 0 }
    }
}

/// The numbers at the front of an entry, collected so that they are appended at once.
struct Front {
    bytes: [u8; 1 + 4 * varint::LEN_MAX],
    len: usize,
}

impl Front {
    #[inline]
    fn put(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes[self.len] = value as u8 | 0x80;
            self.len += 1;
            value >>= 7;
        }
        self.bytes[self.len] = value as u8;
        self.len += 1;
    }
}

impl<'a> Raw<'a> {
    /// Appends the entry to the body of a segment.
    #[inline]
    pub fn encode(&self, body: &mut Vec<u8>) {
        let flags = self.params.flag(PARAMS_CHUNKED) | self.outcome.flag(OUTCOME_CHUNKED);
        let extension = if self.extension.is_some() { HAS_EXTENSION } else { 0 };
        let mut front = Front { bytes: [0; 1 + 4 * varint::LEN_MAX], len: 1 };
        front.bytes[0] = self.kind as u8 | flags | extension;
        front.put(self.function);
        front.put(self.fuel);
        front.put(self.time);
        front.put(self.params.bytes().len() as u64);
        body.extend_from_slice(&front.bytes[..front.len]);
        if !self.params.bytes().is_empty() {
            body.extend_from_slice(self.params.bytes());
        }
        varint::put_bytes(body, self.outcome.bytes());
        if let Some(extension) = self.extension {
            varint::put_bytes(body, extension);
        }
    }

    /// Takes the next entry from the body of a segment.
    #[inline]
    pub fn decode(body: &mut Cursor<'a>) -> Result<Self, Error> {
        let tag = body.byte()?;
        let kind = Kind::of_tag(tag)?;
        let (function, fuel, time) = (body.number()?, body.number()?, body.number()?);
        let params = Part::new(body.bytes()?, tag & PARAMS_CHUNKED != 0);
        let outcome = Part::new(body.bytes()?, tag & OUTCOME_CHUNKED != 0);
        let extension = if tag & HAS_EXTENSION == 0 { None } else { Some(body.bytes()?) };
        Ok(Self { kind, function, fuel, time, params, outcome, extension })
    }
}

/// An entry as a reader hands it out.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    pub(super) number: u64,
    pub(super) kind: Kind,
    pub(super) function: Option<&'a FunctionDef>,
    pub(super) fuel: u64,
    pub(super) time_us: u64,
    pub(super) params: Cow<'a, [u8]>,
    pub(super) outcome: Cow<'a, [u8]>,
    pub(super) extension: Option<&'a [u8]>,
}

impl<'a> Entry<'a> {
    /// Returns the entry's number in its run, from 0.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns what the entry records.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the function that was called; states and notes have none.
    pub fn function(&self) -> Option<&'a FunctionDef> {
        self.function
    }

    /// Returns the name of the function that was called.
    pub fn function_name(&self) -> Option<&'a str> {
        self.function.map(|function| &*function.name)
    }

    /// Returns the fuel used by the run so far.
    pub fn fuel(&self) -> u64 {
        self.fuel
    }

    /// Returns the wall time in microseconds since the Unix epoch.
    pub fn time_us(&self) -> u64 {
        self.time_us
    }

    /// Returns the params; of a state entry, its JSON.
    pub fn params(&self) -> &[u8] {
        &self.params
    }

    /// Returns the outcome.
    pub fn outcome(&self) -> &[u8] {
        &self.outcome
    }

    /// Returns the fields an entry has only sometimes.
    ///
    /// # Errors
    /// [`Error::Damaged`] when their bytes are not such fields.
    pub fn extension(&self) -> Result<Extension, Error> {
        self.extension.map_or(Ok(Extension::default()), Extension::decode)
    }
}
