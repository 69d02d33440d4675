//! Where one reading of a source stands in the automaton, and where in the source its last characters came from.

use std::ops::Range;

use super::escape::Unit;
use super::forms::{Forms, StateID};

/// Line ends in a row that a secret may be broken by. More of them end it, or a body of line ends would be held back.
const BREAK_LEN_MAX: usize = 4;

/// One reading's place.
#[derive(Clone)]
pub(super) struct Cursor {
    state: StateID,
    /// Where the last characters began in the source: a ring of a power of two, at least the longest form's length.
    begins: Vec<u64>,
    window: usize,
    /// Characters accepted so far.
    count: usize,
    /// Line ends since the last of them.
    breaks: usize,
    /// Nothing before this byte of the source matters.
    floor: u64,
}

impl Cursor {
    pub(super) fn new(forms: &Forms) -> Self {
        let window = forms.len_max();
        Self {
            state: forms.start(),
            begins: vec![0; window.next_power_of_two()],
            window,
            count: 0,
            breaks: 0,
            floor: 0,
        }
    }

    /// Takes the next character, and returns the source bytes of the secret that ends with it, if one does.
    #[inline]
    pub(super) fn accept(&mut self, forms: &Forms, unit: Unit) -> Option<Range<u64>> {
        // Base64 is broken over lines, and ASCII as UTF-16 has a zero between any two characters.
        if matches!(unit.byte, b'\r' | b'\n' | 0) {
            self.pass_break(forms, unit.to);
            return None;
        }
        let mask = self.begins.len() - 1;
        self.begins[self.count & mask] = unit.from;
        self.count += 1;
        self.breaks = 0;
        self.state = forms.next(self.state, unit.byte);
        let len = forms.ending(self.state)?;
        Some(self.begins[(self.count - len) & mask]..unit.to)
    }

    /// Returns the first byte of the source that what is found later can begin with.
    pub(super) fn oldest(&self) -> u64 {
        let oldest =
            self.count.checked_sub(self.window).map_or(0, |index| self.begins[index & (self.begins.len() - 1)]);
        oldest.max(self.floor)
    }

    /// Gives up what began before byte `floor` of the source.
    pub(super) fn leave_behind(&mut self, floor: u64) {
        self.floor = floor;
    }

    /// Returns how many characters were accepted so far. Line ends are not.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    fn pass_break(&mut self, forms: &Forms, end: u64) {
        self.breaks += 1;
        if self.breaks > BREAK_LEN_MAX {
            self.state = forms.start();
            self.floor = end;
        }
    }
}
