//! `[host]`: what bounds `remit serve`.

use std::time::Duration;

use crate::manifest::Malformed;
use crate::manifest::reading::{self, Node, Problems, Section};

/// The most runs at once that any host accepts: each reserves address space for its memories.
const RUNS_MAX: u64 = 64;

/// The most runs that may wait.
const QUEUE_MAX: u64 = 1_000_000;

/// How long runs may take to be suspended, in milliseconds.
const STOP_TIME_MS: std::ops::RangeInclusive<u64> = 1_000..=600_000;

/// What bounds `remit serve`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// Runs that have an instance at the same time.
    pub runs: usize,
    /// Runs that wait for a place.
    pub queue: usize,
    /// How long runs may take to be suspended when the host comes to its end.
    pub stop_time: Duration,
}

impl Default for Host {
    fn default() -> Self {
        Self { runs: 8, queue: 10_000, stop_time: Duration::from_secs(10) }
    }
}

/// Reads the section; what it does not say is as by default.
pub(super) fn read(root: &Section<'_>, problems: &mut Problems) -> Host {
    let mut host = Host::default();
    let Some(section) = root.section(problems, "host") else { return host };
    section.allow_only(problems, &["runs", "queue", "stop-time"], |_| None);
    let runs = section.optional(problems, "runs", |node| count(node, RUNS_MAX));
    let queue = section.optional(problems, "queue", |node| count(node, QUEUE_MAX));
    let stop_time = section.optional(problems, "stop-time", stop_time);
    host.runs = runs.unwrap_or(host.runs);
    host.queue = queue.unwrap_or(host.queue);
    host.stop_time = stop_time.unwrap_or(host.stop_time);
    host
}

fn count(node: &Node<'_>, most: u64) -> Result<usize, Malformed> {
    let number = reading::number(node)?;
    let wrong = || reading::malformed(&number.to_string(), &format!("a number from 1 to {most}"));
    usize::try_from(number).ok().filter(|_| (1..=most).contains(&number)).ok_or_else(wrong)
}

fn stop_time(node: &Node<'_>) -> Result<Duration, Malformed> {
    let millis = reading::duration(node)?;
    match STOP_TIME_MS.contains(&millis) {
        true => Ok(Duration::from_millis(millis)),
        false => Err(reading::malformed(&format!("{millis} ms"), "a duration from \"1s\" to \"10m\"")),
    }
}
