//! One pass over a source: which of its bytes belong to a secret, and which surely do not.

use std::mem;
use std::ops::Range;
use std::sync::Arc;

use super::MARKER;
use super::cursor::Cursor;
use super::escape::{Syntax, Unit};
use super::forms::Forms;
use super::reading::Reading;

/// The characters at which a reading may begin to differ from the plain one.
const INTRODUCERS: [u8; 3] = [Syntax::Percent.introducer(), Syntax::Json.introducer(), Syntax::Html.introducer()];

/// The search for secrets in one source: as it stands, and in the readings of it.
pub(super) struct Search {
    forms: Arc<Forms>,
    plain: Cursor,
    /// With the escapes of URLs undone.
    url: Reading,
    /// With the escapes of JSON undone, and below it those of URLs.
    json: Reading,
    /// With the escapes of HTML undone.
    html: Reading,
    is_any_awake: bool,
    /// Bytes taken so far, and bytes released so far.
    taken: u64,
    released: u64,
    found: Found,
}

/// What to take out and is not released yet.
#[derive(Default)]
pub(super) struct Found {
    ranges: Vec<Range<u64>>,
    is_any: bool,
}

impl Search {
    pub(super) fn new(forms: Arc<Forms>) -> Self {
        Self {
            plain: Cursor::new(&forms),
            url: Reading::new(&forms, Syntax::Percent),
            json: Reading::new(&forms, Syntax::Json),
            html: Reading::new(&forms, Syntax::Html),
            forms,
            is_any_awake: false,
            taken: 0,
            released: 0,
            found: Found::default(),
        }
    }

    /// Looks at the next bytes of the source.
    pub(super) fn feed(&mut self, chunk: &[u8]) {
        for &byte in chunk {
            let unit = Unit { byte, from: self.taken, to: self.taken + 1 };
            self.taken += 1;
            if self.is_any_awake || INTRODUCERS.contains(&byte) {
                self.follow(unit);
            }
            if let Some(range) = self.plain.accept(&self.forms, unit) {
                self.found.add(range);
            }
        }
    }

    fn follow(&mut self, unit: Unit) {
        if !self.json.is_awake() && self.json.wakes_at(unit) {
            // An escape of a URL may have begun already, before the first of JSON within it.
            self.json.adopt(&self.url);
        }
        self.json.follow(&self.forms, &self.plain, unit, &mut self.found);
        self.url.follow(&self.forms, &self.plain, unit, &mut self.found);
        self.html.follow(&self.forms, &self.plain, unit, &mut self.found);
        self.is_any_awake = [&self.json, &self.url, &self.html].into_iter().any(Reading::is_awake);
    }

    /// Ends the source: what looks like the beginning of an escape is none, and nothing more can be found.
    pub(super) fn end(&mut self) {
        self.json.end(&self.forms, &mut self.found);
        self.url.end(&self.forms, &mut self.found);
        self.html.end(&self.forms, &mut self.found);
        self.plain.leave_behind(self.taken);
    }

    /// Tells whether a secret was found so far.
    pub(super) fn has_found(&self) -> bool {
        self.found.is_any
    }

    /// Appends to `clean` what is decided of `held`, which begins with the first byte that was not released. Returns
    /// how many bytes of `held` that were.
    pub(super) fn release(&mut self, held: &[u8], clean: &mut Vec<u8>) -> usize {
        let start = self.released;
        let slice = |from: u64, to: u64| &held[(from - start) as usize..(to - start) as usize];
        let readings = [&self.url, &self.json, &self.html].map(Reading::oldest);
        let mut until = readings.into_iter().fold(self.plain.oldest(), u64::min);
        for range in self.found.take_merged() {
            if range.end > until {
                // It may still grow, and so may those behind it.
                until = until.min(range.start);
                self.found.ranges.push(range);
                continue;
            }
            clean.extend_from_slice(slice(self.released, range.start));
            clean.extend_from_slice(MARKER);
            self.released = range.end;
        }
        if until > self.released {
            clean.extend_from_slice(slice(self.released, until));
            self.released = until;
        }
        (self.released - start) as usize
    }
}

impl Found {
    pub(super) fn add(&mut self, range: Range<u64>) {
        self.is_any = true;
        push(&mut self.ranges, range);
    }

    /// Takes the ranges in order, those that overlap or touch as one.
    fn take_merged(&mut self) -> Vec<Range<u64>> {
        let mut ranges = mem::take(&mut self.ranges);
        ranges.sort_unstable_by_key(|range| range.start);
        let mut merged = Vec::with_capacity(ranges.len());
        ranges.into_iter().for_each(|range| push(&mut merged, range));
        merged
    }
}

/// Appends a range, or widens the last one where both overlap or touch.
fn push(ranges: &mut Vec<Range<u64>>, range: Range<u64>) {
    match ranges.last_mut() {
        Some(last) if last.start <= range.end && range.start <= last.end => {
            *last = last.start.min(range.start)..last.end.max(range.end);
        }
        _ => ranges.push(range),
    }
}
