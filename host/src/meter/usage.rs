//! What has been used: the part of an entry and of a run that adds up.

use std::fmt::{self, Write as _};
use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

use super::quantity;

/// What a run, or one call of it, has used.
/// What a record does not say was not counted when it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Units of fuel.
    pub fuel: u64,
    /// Host calls.
    pub calls: u64,
    /// Bytes that came from the guest: parameters.
    pub bytes_in: u64,
    /// Bytes that went to the guest: outcomes.
    pub bytes_out: u64,
    /// Bytes of output and log.
    pub output_bytes: u64,
    /// Bytes of keys and values written to kv.
    pub kv_bytes: u64,
    /// Bytes read from files.
    pub file_bytes_read: u64,
    /// Bytes written to files.
    pub file_bytes_written: u64,
    /// Calls of something outside this host.
    pub remote_calls: u64,
    /// Bytes sent to it.
    pub sent_bytes: u64,
    /// Bytes received from it.
    pub received_bytes: u64,
    /// The most bytes of linear memory at one time. Adding keeps the larger.
    pub memory_peak: u64,
}

impl Usage {
    /// Tells whether nothing was used.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Returns what was used since `earlier`. The peak of memory is that of the whole time.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            fuel: self.fuel.saturating_sub(earlier.fuel),
            calls: self.calls.saturating_sub(earlier.calls),
            bytes_in: self.bytes_in.saturating_sub(earlier.bytes_in),
            bytes_out: self.bytes_out.saturating_sub(earlier.bytes_out),
            output_bytes: self.output_bytes.saturating_sub(earlier.output_bytes),
            kv_bytes: self.kv_bytes.saturating_sub(earlier.kv_bytes),
            file_bytes_read: self.file_bytes_read.saturating_sub(earlier.file_bytes_read),
            file_bytes_written: self.file_bytes_written.saturating_sub(earlier.file_bytes_written),
            remote_calls: self.remote_calls.saturating_sub(earlier.remote_calls),
            sent_bytes: self.sent_bytes.saturating_sub(earlier.sent_bytes),
            received_bytes: self.received_bytes.saturating_sub(earlier.received_bytes),
            memory_peak: self.memory_peak,
        }
    }

    /// Returns the usage as the JSON of an entry: what is not zero.
    pub fn to_json(&self) -> String {
        let mut json = String::with_capacity(48);
        for (name, amount) in self.parts().into_iter().filter(|(_, amount)| *amount > 0) {
            json.push_str(if json.is_empty() { "{\"" } else { ",\"" });
            json.push_str(name);
            json.push_str("\":");
            let _infallible = write!(json, "{amount}");
        }
        json.push_str(if json.is_empty() { "{}" } else { "}" });
        json
    }

    fn parts(&self) -> [(&'static str, u64); 12] {
        [
            ("fuel", self.fuel),
            ("calls", self.calls),
            ("bytes_in", self.bytes_in),
            ("bytes_out", self.bytes_out),
            ("output_bytes", self.output_bytes),
            ("kv_bytes", self.kv_bytes),
            ("file_bytes_read", self.file_bytes_read),
            ("file_bytes_written", self.file_bytes_written),
            ("remote_calls", self.remote_calls),
            ("sent_bytes", self.sent_bytes),
            ("received_bytes", self.received_bytes),
            ("memory_peak", self.memory_peak),
        ]
    }
}

impl Add for Usage {
    type Output = Self;

    /// Adds up; a sum that does not fit stays at the largest number, so that it still crosses every limit.
    fn add(self, more: Self) -> Self {
        Self {
            fuel: self.fuel.saturating_add(more.fuel),
            calls: self.calls.saturating_add(more.calls),
            bytes_in: self.bytes_in.saturating_add(more.bytes_in),
            bytes_out: self.bytes_out.saturating_add(more.bytes_out),
            output_bytes: self.output_bytes.saturating_add(more.output_bytes),
            kv_bytes: self.kv_bytes.saturating_add(more.kv_bytes),
            file_bytes_read: self.file_bytes_read.saturating_add(more.file_bytes_read),
            file_bytes_written: self.file_bytes_written.saturating_add(more.file_bytes_written),
            remote_calls: self.remote_calls.saturating_add(more.remote_calls),
            sent_bytes: self.sent_bytes.saturating_add(more.sent_bytes),
            received_bytes: self.received_bytes.saturating_add(more.received_bytes),
            memory_peak: self.memory_peak.max(more.memory_peak),
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, more: Self) {
        *self = *self + more;
    }
}

impl std::iter::Sum for Usage {
    fn sum<I: Iterator<Item = Self>>(usages: I) -> Self {
        usages.fold(Self::default(), Add::add)
    }
}

impl fmt::Display for Usage {
    /// Prints what is not zero, for people: `3.4 M fuel, 1,204 host calls, 1.2 MiB written to files`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = |count: u64, of: &str| (count > 0).then(|| format!("{} {of}", quantity::bytes(count)));
        let calls = if self.calls == 1 { "host call" } else { "host calls" };
        let remote = if self.remote_calls == 1 { "remote call" } else { "remote calls" };
        let remote = (self.remote_calls > 0).then(|| format!("{} {remote}", quantity::count(self.remote_calls)));
        let parts = [
            Some(quantity::fuel(self.fuel)),
            Some(format!("{} {calls}", quantity::count(self.calls))),
            bytes(self.output_bytes, "of output"),
            bytes(self.kv_bytes, "written to kv"),
            bytes(self.file_bytes_read, "read from files"),
            bytes(self.file_bytes_written, "written to files"),
            remote,
            bytes(self.sent_bytes, "sent"),
            bytes(self.received_bytes, "received"),
            bytes(self.memory_peak, "of memory"),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_adds_up_and_never_wraps() {
        let one = Usage { fuel: u64::MAX - 1, calls: 1, memory_peak: 10, ..Usage::default() };
        let two = Usage { fuel: 5, calls: 2, memory_peak: 7, kv_bytes: 3, ..Usage::default() };
        let sum = Usage { fuel: u64::MAX, calls: 3, memory_peak: 10, kv_bytes: 3, ..Usage::default() };
        assert_eq!([one, two].into_iter().sum::<Usage>(), sum);
        assert_eq!(sum.since(&two), Usage { fuel: u64::MAX - 5, calls: 1, ..one });
        assert_eq!(serde_json::from_str::<Usage>(&two.to_json()).unwrap(), two);
        assert_eq!(Usage::default().to_json(), "{}");
        assert_eq!(two.to_string(), "5 fuel, 2 host calls, 3 B written to kv, 7 B of memory");
    }
}
