//! The limits a declaration can name: their keys, their units and the most that any host accepts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::errors::Problems;
use super::quantity;
use super::section::{Malformed, Node, Section};

/// One of the things of which a run may use only so much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitKind {
    /// Bytes of one linear memory.
    Memory,
    /// Units of fuel in a run.
    Fuel,
    /// Milliseconds a run may take while it is running.
    WallTime,
    /// Milliseconds one host call may take.
    CallTime,
    /// Host calls in a run.
    Calls,
    /// Elements of one table.
    Tables,
    /// Core instances in the component.
    Instances,
    /// Linear memories in the component.
    Memories,
    /// Tables in the component.
    TableCount,
    /// Handles a guest holds at one time.
    Handles,
    /// Bytes of parameters, or of the outcome, of one host call.
    Payload,
    /// Bytes of output and log in a run.
    Output,
    /// Bytes of one kv value.
    KvValue,
    /// Bytes of all kv keys and values of a plugin.
    KvTotal,
    /// Bytes written to files in a run.
    FileWrites,
    /// Bytes of parameters and outcomes of a run, which are what the journal keeps of it.
    Recorded,
}

/// What a limit is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Units of fuel.
    Fuel,
    /// Milliseconds.
    Millis,
    /// Pieces.
    Count,
}

impl LimitKind {
    /// Every limit, in the order of the enum.
    pub const ALL: [Self; 16] = [
        Self::Memory,
        Self::Fuel,
        Self::WallTime,
        Self::CallTime,
        Self::Calls,
        Self::Tables,
        Self::Instances,
        Self::Memories,
        Self::TableCount,
        Self::Handles,
        Self::Payload,
        Self::Output,
        Self::KvValue,
        Self::KvTotal,
        Self::FileWrites,
        Self::Recorded,
    ];

    /// Returns the key in `[limits]`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Fuel => "fuel",
            Self::WallTime => "wall-time",
            Self::CallTime => "call-time",
            Self::Calls => "calls",
            Self::Tables => "tables",
            Self::Instances => "instances",
            Self::Memories => "memories",
            Self::TableCount => "table-count",
            Self::Handles => "handles",
            Self::Payload => "payload",
            Self::Output => "output",
            Self::KvValue => "kv-value",
            Self::KvTotal => "kv-total",
            Self::FileWrites => "file-writes",
            Self::Recorded => "recorded",
        }
    }

    /// Returns what the limit is of, for messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Fuel => "fuel",
            Self::WallTime => "time of the run",
            Self::CallTime => "time of a host call",
            Self::Calls => "host calls",
            Self::Tables => "table elements",
            Self::Instances => "core instances",
            Self::Memories => "linear memories",
            Self::TableCount => "tables",
            Self::Handles => "open handles",
            Self::Payload => "host call payload",
            Self::Output => "output",
            Self::KvValue => "size of a kv value",
            Self::KvTotal => "size of the plugin's kv",
            Self::FileWrites => "bytes written to files",
            Self::Recorded => "bytes recorded",
        }
    }

    /// Returns what the limit is counted in.
    pub const fn unit(self) -> Unit {
        match self {
            Self::Fuel => Unit::Fuel,
            Self::WallTime | Self::CallTime => Unit::Millis,
            Self::Calls | Self::Tables | Self::Instances | Self::Memories | Self::TableCount | Self::Handles => {
                Unit::Count
            }
            Self::Memory
            | Self::Payload
            | Self::Output
            | Self::KvValue
            | Self::KvTotal
            | Self::FileWrites
            | Self::Recorded => Unit::Bytes,
        }
    }

    /// Returns the most that any manifest, grant or operator can set, in the limit's unit.
    pub const fn most(self) -> u64 {
        match self {
            // A 32-bit linear memory has no more.
            Self::Memory => 4 << 30,
            Self::Fuel => quantity::NUMBER_MAX,
            // A run that runs for longer than a week should suspend.
            Self::WallTime => 7 * 24 * 3_600_000,
            Self::CallTime => 3_600_000,
            Self::Calls => 1_000_000_000_000,
            // What the engine's pool holds for one table.
            Self::Tables => 1 << 20,
            // What the engine's pool holds for one run.
            Self::Instances | Self::TableCount => 200,
            Self::Memories => 16,
            Self::Handles => 1_000_000,
            Self::Payload => 64 << 20,
            Self::Output => 1 << 30,
            // A value travels in a payload.
            Self::KvValue => 64 << 20,
            Self::KvTotal => 16 << 30,
            Self::FileWrites | Self::Recorded => 1 << 40,
        }
    }

    /// Returns `value` in the limit's unit, for people.
    pub fn show(self, value: u64) -> String {
        match self.unit() {
            Unit::Bytes => quantity::bytes(value),
            Unit::Fuel => quantity::fuel(value),
            Unit::Millis => quantity::duration_ms(value),
            Unit::Count => quantity::count(value),
        }
    }

    /// Returns the least that can be set: a run with nothing of the rest could not begin.
    const fn least(self) -> u64 {
        match self {
            Self::Output | Self::KvValue | Self::KvTotal | Self::FileWrites => 0,
            _ => 1,
        }
    }

    fn read(self, node: &Node<'_>) -> Result<u64, Malformed> {
        let value = match self.unit() {
            Unit::Bytes => quantity::size(node)?,
            Unit::Millis => quantity::duration(node)?,
            Unit::Fuel | Unit::Count => quantity::number(node)?,
        };
        if (self.least()..=self.most()).contains(&value) {
            return Ok(value);
        }
        let expected = format!("{} to {}", self.show(self.least()), self.show(self.most()));
        Err(Malformed { found: self.show(value), expected, hint: None })
    }
}

/// The `[limits]` of a declaration: only those that were written.
pub type LimitValues = BTreeMap<LimitKind, u64>;

/// Reads the table `[limits]`.
pub(crate) fn read_limits(root: &Section<'_>, problems: &mut Problems) -> LimitValues {
    let Some(section) = root.section(problems, "limits") else { return LimitValues::new() };
    section.allow_only(problems, &LimitKind::ALL.map(LimitKind::key), |_| None);
    LimitKind::ALL
        .into_iter()
        .filter_map(|kind| Some((kind, section.optional(problems, kind.key(), |node| kind.read(node))?)))
        .collect()
}
