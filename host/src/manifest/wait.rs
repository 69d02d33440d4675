//! What a run may wait for: time, signals, a person's approval.

use std::collections::BTreeSet;

use serde::Serialize;

use super::capabilities::ENTRIES_MAX;
use super::errors::Problems;
use super::name::Name;
use super::quantity;
use super::section::{Malformed, Node, Section, parsed};

/// The longest sleep that can be asked for: ten years of 365 days, in milliseconds.
pub const SLEEP_MAX_MS: u64 = 10 * 365 * 86_400_000;

/// How long a plugin may sleep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Timer {
    /// The longest sleep, in milliseconds. From 1 to [`SLEEP_MAX_MS`].
    pub max: u64,
}

/// Which signals a plugin may wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signal {
    /// Their names. Never empty.
    pub names: BTreeSet<Name>,
}

/// That a plugin may ask a person. There is no more to say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Approval {}

/// Reads what the timer capability has in a request and in a grant.
pub(super) fn read_timer(section: &Section<'_>, problems: &mut Problems) -> Option<Timer> {
    section.required(problems, "max", sleep).map(|max| Timer { max })
}

/// Reads a bound on sleeping in milliseconds.
pub(super) fn sleep(node: &Node<'_>) -> Result<u64, Malformed> {
    let ms = quantity::duration(node)?;
    if (1..=SLEEP_MAX_MS).contains(&ms) {
        return Ok(ms);
    }
    let expected = "a duration from 1ms to 3650d".to_owned();
    Err(Malformed { found: quantity::duration_ms(ms), expected, hint: None })
}

/// Reads what the signal capability has in a request and in a grant.
pub(super) fn read_signal(section: &Section<'_>, problems: &mut Problems) -> Option<Signal> {
    if !section.has("names") {
        section.report_missing(problems, "names");
    }
    let names = section.some_of(problems, "names", ENTRIES_MAX, parsed::<Name>)?;
    Some(Signal { names: names.into_iter().collect() }).filter(|signal| !signal.names.is_empty())
}
