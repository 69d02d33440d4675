//! How much a run may use, and how much it has used.
//!
//! [`Limits`] are always on and always concrete: what the manifest asks for, or a default, bounded by the grant and
//! by the operator's ceiling. [`Usage`] is what entries and runs hold. Nothing here stops anything: the gate and the
//! engine compare one with the other, and end the run with [`Crossed`].

mod usage;

use std::fmt;
use std::ops::Index;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::manifest::{FILE_NAME, LimitValues};

pub use usage::Usage;

pub use crate::manifest::{LimitKind, Unit, quantity};

/// Returns the limit of a run whose manifest says nothing, and names the attack it stops.
pub const fn default_of(kind: LimitKind) -> u64 {
    match kind {
        // A guest that allocates until the host has no memory left. Python and its libraries take about 60 MiB.
        LimitKind::Memory => 256 << 20,
        // An endless loop. About a minute or two of computing.
        LimitKind::Fuel => 100_000_000_000,
        // A guest that stays for ever, computing slowly or waiting.
        LimitKind::WallTime => 5 * 60_000,
        // One call that never returns: a slow disk, a server that sends a byte a minute.
        LimitKind::CallTime => 30_000,
        // A journal filled with cheap calls: 13 bytes each make this about 1.3 GB.
        LimitKind::Calls => 100_000_000,
        // `table.grow` in a loop. Every element takes 8 bytes or more of the host's memory.
        LimitKind::Tables => 100_000,
        // A component that is all instances: each has a fixed cost. componentize-py makes a few dozen.
        LimitKind::Instances => 200,
        // The same with memories, each of which reserves address space.
        LimitKind::Memories => 16,
        // The same with tables.
        LimitKind::TableCount => 200,
        // Handles opened and never dropped. The engine's own default is a million.
        LimitKind::Handles => 10_000,
        // A string of 4 GiB, which the host would have to copy and to record.
        LimitKind::Payload => 16 << 20,
        // A terminal and a journal flooded with lines.
        LimitKind::Output => 16 << 20,
        // One value that fills the database.
        LimitKind::KvValue => 1 << 20,
        // Many values that do.
        LimitKind::KvTotal => 64 << 20,
        // A disk filled through a read-write mount.
        LimitKind::FileWrites => 1 << 30,
        // A disk filled through the journal, by reading the same bytes again and again.
        LimitKind::Recorded => 4 << 30,
    }
}

/// A value for every limit, in the limit's unit. Serialises as a map from key to number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits([u64; LimitKind::ALL.len()]);

impl Limits {
    /// The most that any host accepts.
    pub const MAX: Self = {
        let mut values = [0; LimitKind::ALL.len()];
        let mut index = 0;
        while index < values.len() {
            values[index] = LimitKind::ALL[index].most();
            index += 1;
        }
        Self(values)
    };

    /// Returns what a manifest asks for: its values, and the defaults for the rest.
    pub fn requested(values: &LimitValues) -> Self {
        let mut limits = Self::default();
        for (kind, value) in values {
            limits.0[*kind as usize] = (*value).min(kind.most());
        }
        limits
    }

    /// Returns these limits, none above those that `values` names: a grant's `[limits]`.
    pub fn bounded_by(mut self, values: &LimitValues) -> Self {
        for (kind, value) in values {
            self.0[*kind as usize] = self[*kind].min(*value);
        }
        self
    }

    /// Returns the lower of both for every limit.
    pub fn min(mut self, ceiling: &Self) -> Self {
        for (value, bound) in self.0.iter_mut().zip(ceiling.0) {
            *value = bound.min(*value);
        }
        self
    }

    /// Returns these limits with `value` for `kind`, but never more than [`Limits::MAX`].
    pub fn with(mut self, kind: LimitKind, value: u64) -> Self {
        self.0[kind as usize] = value.min(kind.most());
        self
    }

    /// Returns how long a run may take while it is running.
    pub fn wall_time(&self) -> Duration {
        Duration::from_millis(self[LimitKind::WallTime])
    }

    /// Returns how long one host call may take.
    pub fn call_time(&self) -> Duration {
        Duration::from_millis(self[LimitKind::CallTime])
    }

    /// Checks that `wanted`, the whole amount and not the increase, is within the limit.
    ///
    /// # Errors
    ///
    /// Returns which limit would be crossed, and by what.
    #[inline]
    pub fn check(&self, limit: LimitKind, wanted: u64) -> Result<(), Crossed> {
        let max = self[limit];
        if wanted <= max { Ok(()) } else { Err(Crossed { limit, max, wanted }) }
    }

    /// Returns every limit with its value.
    pub fn iter(&self) -> impl Iterator<Item = (LimitKind, u64)> {
        LimitKind::ALL.into_iter().zip(self.0)
    }
}

impl Default for Limits {
    /// Returns what holds for a run whose manifest, grant and operator say nothing.
    fn default() -> Self {
        Self(LimitKind::ALL.map(default_of))
    }
}

impl Index<LimitKind> for Limits {
    type Output = u64;

    fn index(&self, kind: LimitKind) -> &u64 {
        &self.0[kind as usize]
    }
}

impl Serialize for Limits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.iter().collect::<LimitValues>().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Limits {
    /// Reads a map from key to number. A limit that is not in it did not exist when it was written, and bounds
    /// nothing: it takes its value from [`Limits::MAX`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::MAX.bounded_by(&LimitValues::deserialize(deserializer)?))
    }
}

/// A run wanted more of something than it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub struct Crossed {
    /// Which limit.
    pub limit: LimitKind,
    /// What is allowed, in the limit's unit.
    pub max: u64,
    /// What was wanted in all.
    pub wanted: u64,
}

impl fmt::Display for Crossed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, max, wanted } = self;
        let (shown_max, shown_wanted) = (limit.show(*max), limit.show(*wanted));
        if shown_max == shown_wanted {
            return write!(f, "limit on {} crossed: {shown_max} allowed, a little more wanted", limit.name());
        }
        write!(f, "limit on {} crossed: {shown_max} allowed, {shown_wanted} wanted", limit.name())
    }
}

impl Crossed {
    /// Returns what the operator or the author can do about it.
    pub fn how_to_raise(&self) -> String {
        let (key, most) = (self.limit.key(), self.limit.most());
        if self.max >= most {
            return format!("no host allows more than {}; the plugin has to do with less", self.limit.show(most));
        }
        let most = self.limit.show(most);
        format!(
            "set {key} under [limits] in {FILE_NAME}, at most {most}; a grant and the operator's ceiling may allow less"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(LimitKind, u64)]) -> LimitValues {
        pairs.iter().copied().collect()
    }

    #[test]
    fn a_limit_is_where_its_number_says() {
        for (index, kind) in LimitKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index, "{kind:?}");
            let key = serde_json::to_string(&kind).unwrap();
            assert_eq!(key.trim_matches('"'), kind.key());
            assert!(default_of(kind) <= kind.most(), "{kind:?}");
        }
    }

    #[test]
    fn the_lowest_of_all_bounds_holds() {
        for (asked, granted, ceiling, effective) in [
            (None, None, None, 256 << 20),
            (Some(64 << 20), None, None, 64 << 20),
            (Some(1 << 30), None, None, 1 << 30),
            (Some(1 << 30), Some(512 << 20), None, 512 << 20),
            (None, Some(1 << 30), None, 256 << 20),
            (Some(1 << 30), Some(512 << 20), Some(128 << 20), 128 << 20),
            (Some(u64::MAX), None, None, 4 << 30),
        ] {
            let of = |value: Option<u64>| value.map(|value| (LimitKind::Memory, value)).into_iter().collect();
            let ceiling = Limits::MAX.bounded_by(&of(ceiling));
            let limits = Limits::requested(&of(asked)).bounded_by(&of(granted)).min(&ceiling);
            assert_eq!(limits[LimitKind::Memory], effective);
            assert_eq!(limits[LimitKind::Fuel], default_of(LimitKind::Fuel));
        }
    }

    #[test]
    fn limits_are_written_and_read_back() {
        let limits = Limits::default().with(LimitKind::Memory, 1 << 20);
        let json = serde_json::to_string(&limits).unwrap();
        assert!(json.starts_with(r#"{"memory":1048576,"fuel":100000000000,"wall-time":300000,"#), "{json}");
        assert_eq!(serde_json::from_str::<Limits>(&json).unwrap(), limits);
    }

    #[test]
    fn a_limit_that_was_not_recorded_bounds_nothing_and_one_too_high_is_the_maximum() {
        let read: Limits = serde_json::from_str(r#"{"fuel":7,"memory":18446744073709551615}"#).unwrap();
        assert_eq!(read, Limits::MAX.bounded_by(&values(&[(LimitKind::Fuel, 7)])));
        assert!(serde_json::from_str::<Limits>(r#"{"feul":7}"#).is_err());
    }

    #[test]
    fn crossing_names_the_limit_and_the_way_out() {
        let limits = Limits::default();
        assert_eq!(limits.check(LimitKind::Memory, 256 << 20), Ok(()));
        for (kind, wanted, message) in [
            (LimitKind::Memory, 300 << 20, "limit on memory crossed: 256 MiB allowed, 300 MiB wanted"),
            (LimitKind::WallTime, 300_001, "limit on time of the run crossed: 5m allowed, a little more wanted"),
            (LimitKind::Handles, 10_001, "limit on open handles crossed: 10,000 allowed, 10,001 wanted"),
            (LimitKind::Fuel, u64::MAX, "limit on fuel crossed: 100 G fuel allowed, 18.4 E fuel wanted"),
        ] {
            assert_eq!(limits.check(kind, wanted).unwrap_err().to_string(), message);
        }
        let crossed = limits.check(LimitKind::Memory, u64::MAX).unwrap_err();
        let hint =
            "set memory under [limits] in remit.toml, at most 4 GiB; a grant and the operator's ceiling may allow less";
        assert_eq!(crossed.how_to_raise(), hint);
        let crossed = Limits::MAX.check(LimitKind::Memory, u64::MAX).unwrap_err();
        assert_eq!(crossed.how_to_raise(), "no host allows more than 4 GiB; the plugin has to do with less");
    }
}
