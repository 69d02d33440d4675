//! A source read with the escapes of one syntax undone.
//!
//! A reading sleeps until the first escape may begin: up to there it is the same as what it reads from, its parent. As
//! far behind the last escape as the longest form is long, it is again, and goes back to sleep.

use super::cursor::Cursor;
use super::escape::{Syntax, Unescape, Unit};
use super::forms::Forms;
use super::search::Found;

#[derive(Clone)]
pub(super) struct Reading {
    unescape: Unescape,
    cursor: Cursor,
    /// What reads from this one.
    child: Option<Box<Reading>>,
    is_awake: bool,
    /// The cursor's count when the last escape was undone.
    last_escape: usize,
}

impl Reading {
    pub(super) fn new(forms: &Forms, syntax: Syntax) -> Self {
        let (unescape, cursor) = (Unescape::new(syntax), Cursor::new(forms));
        Self { unescape, cursor, child: None, is_awake: false, last_escape: 0 }
    }

    pub(super) fn is_awake(&self) -> bool {
        self.is_awake
    }

    /// Takes the next character of the parent, which the parent's cursor has not accepted yet.
    pub(super) fn follow(&mut self, forms: &Forms, parent: &Cursor, unit: Unit, found: &mut Found) {
        if !self.is_awake && self.wakes_at(unit) {
            self.wake(parent);
        }
        if self.is_awake {
            self.feed(forms, unit, found);
            self.is_awake = !self.is_as_parent(forms);
        }
    }

    /// Tells whether an escape can begin with this character.
    pub(super) fn wakes_at(&self, unit: Unit) -> bool {
        self.unescape.begins_with(unit.byte)
    }

    /// Goes on from where `parent` is.
    fn wake(&mut self, parent: &Cursor) {
        self.cursor.clone_from(parent);
        self.last_escape = self.cursor.count();
        self.is_awake = true;
    }

    /// Puts a reading of the same syntax in the child's place: one of our parent, while we are as our parent is.
    pub(super) fn adopt(&mut self, sibling: &Self) {
        self.child = Some(Box::new(sibling.clone()));
    }

    /// Ends the source: what is held is no escape.
    pub(super) fn end(&mut self, forms: &Forms, found: &mut Found) {
        let Self { unescape, cursor, child, .. } = self;
        unescape.flush(&mut |unit| accept(forms, cursor, child, unit, found));
        if let Some(child) = child {
            child.end(forms, found);
        }
        self.is_awake = false;
    }

    /// Returns the first byte of the source that what this reading finds later, and its parent does not, can begin with.
    pub(super) fn oldest(&self) -> u64 {
        match &self.child {
            _ if !self.is_awake => u64::MAX,
            Some(child) => self.cursor.oldest().min(child.oldest()),
            None => self.cursor.oldest(),
        }
    }

    fn feed(&mut self, forms: &Forms, unit: Unit, found: &mut Found) {
        let Self { unescape, cursor, child, last_escape, .. } = self;
        unescape.feed(unit, &mut |read| {
            accept(forms, cursor, child, read, found);
            if read.to == unit.to && read.from < unit.from {
                *last_escape = cursor.count();
            }
        });
    }

    /// Tells whether the parent's cursor is in the same state: no state depends on more than the longest form's length.
    fn is_as_parent(&self, forms: &Forms) -> bool {
        let is_child_awake = self.child.as_ref().is_some_and(|child| child.is_awake);
        self.unescape.is_idle() && !is_child_awake && self.cursor.count() - self.last_escape >= forms.len_max()
    }
}

fn accept(forms: &Forms, cursor: &mut Cursor, child: &mut Option<Box<Reading>>, unit: Unit, found: &mut Found) {
    if let Some(child) = child {
        child.follow(forms, cursor, unit, found);
    }
    if let Some(range) = cursor.accept(forms, unit) {
        found.add(range);
    }
}
