//! What is wrong with a declaration, shown where it is wrong.
//!
//! Readers push [`Problem`]s and go on, so that one reading reports all of them, up to [`PROBLEMS_MAX`]. Text from
//! the file reaches a message only through [`quoted`]: shortened, and with control characters escaped.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// Problems that one reading reports; the rest are counted. Stops a file of nothing but mistakes from flooding the
/// terminal.
pub const PROBLEMS_MAX: usize = 20;

/// Characters of the file's text that a message repeats.
const QUOTED_LEN_MAX: usize = 48;

/// Bytes of source around a problem beyond which the snippet shows an excerpt and not whole lines.
const LINE_LEN_MAX: usize = 400;

/// What kind of mistake a problem is: the stable part of it, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The text is not TOML, or names a key twice.
    Syntax,
    /// A key that no version of this format has.
    UnknownKey,
    /// A value of the wrong type or outside what its key allows.
    BadValue,
    /// A required key is absent.
    Missing,
    /// Two values that cannot stand together: nested mounts, an element listed twice.
    Conflict,
    /// More text than is read at all.
    TooLarge,
}

/// One mistake and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of mistake it is.
    pub fault: Fault,
    /// What is wrong, naming the key.
    pub title: String,
    /// What stands at the marked place.
    pub label: String,
    /// What to try, where something can be said.
    pub hint: Option<String>,
    /// The bytes of the source that are marked.
    pub span: Range<usize>,
}

/// Collects problems while reading goes on.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: Vec<Problem>,
    left_out: usize,
}

impl Problems {
    pub(crate) fn push(&mut self, problem: Problem) {
        if self.found.len() < PROBLEMS_MAX {
            self.found.push(problem);
        } else {
            self.left_out += 1;
        }
    }

    /// Returns the value when nothing is wrong, and otherwise everything that is.
    pub(crate) fn finish<T>(self, value: Option<T>, source_name: &str, text: &str) -> Result<T, Errors> {
        match value {
            Some(value) if self.found.is_empty() => Ok(value),
            _ => Err(Errors::new(source_name, text, self)),
        }
    }
}

/// Everything that is wrong with one file. Displays as source snippets without colour.
#[derive(Clone, Debug)]
pub struct Errors {
    source_name: String,
    text: String,
    problems: Vec<Problem>,
    left_out: usize,
}

impl Errors {
    fn new(source_name: &str, text: &str, mut problems: Problems) -> Self {
        problems.found.sort_by_key(|problem| problem.span.start);
        Self {
            source_name: quoted_plain(source_name),
            text: text.to_owned(),
            problems: problems.found,
            left_out: problems.left_out,
        }
    }

    /// Returns the error for a file of `len` bytes, which is not read.
    pub(crate) fn too_large(source_name: &str, len: usize, max: usize) -> Self {
        let title = format!("{}: {len} bytes, more than the {max} that are read", quoted_plain(source_name));
        let problem = Problem { fault: Fault::TooLarge, title, label: String::new(), hint: None, span: 0..0 };
        Self::new(source_name, "", Problems { found: vec![problem], left_out: 0 })
    }

    /// Returns the problems in the order of the file. There is at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns the line and the column where `problem` begins, both counted from 1, columns in characters.
    pub fn position(&self, problem: &Problem) -> (usize, usize) {
        let before = self.text.get(..problem.span.start).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// Returns the problems as source snippets, with terminal colours when `styled`.
    pub fn render(&self, styled: bool) -> String {
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        let mut shown: Vec<String> = self.problems.iter().map(|problem| self.show(problem, &renderer)).collect();
        if self.left_out > 0 {
            shown.push(format!("and {} more", self.left_out));
        }
        shown.join("\n\n")
    }

    fn show(&self, problem: &Problem, renderer: &Renderer) -> String {
        let title = Level::ERROR.primary_title(problem.title.as_str());
        if problem.fault == Fault::TooLarge {
            return renderer.render(&[title.elements(None::<annotate_snippets::Message<'_>>)]);
        }
        let excerpt = excerpt(&self.text, &problem.span);
        let (line, _) = self.position(problem);
        let span = problem.span.start - excerpt.start..problem.span.end.min(excerpt.end) - excerpt.start;
        let snippet = Snippet::source(&self.text[excerpt])
            .line_start(line)
            .path(self.source_name.as_str())
            .annotation(AnnotationKind::Primary.span(span).label(problem.label.as_str()));
        let hint = problem.hint.as_deref().map(|hint| Level::HELP.message(hint));
        renderer.render(&[title.element(snippet).elements(hint)])
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Errors {}

/// Returns the line that holds the start of `span`, cut at character boundaries where it is very long.
fn excerpt(text: &str, span: &Range<usize>) -> Range<usize> {
    let line_start = text[..span.start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[span.start..].find('\n').map_or(text.len(), |newline| span.start + newline);
    if line_end - line_start <= LINE_LEN_MAX {
        return line_start..line_end;
    }
    let start = text.floor_char_boundary(span.start.saturating_sub(LINE_LEN_MAX / 4)).max(line_start);
    let end = text.ceil_char_boundary((start + LINE_LEN_MAX).min(line_end));
    start..end
}

/// Returns `text` in quotation marks for a message: shortened, with control characters escaped.
pub(crate) fn quoted(text: &str) -> String {
    let start: String = text.chars().take(QUOTED_LEN_MAX).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("{:?}{more}", start)
}

/// Returns `text` as a message can hold it, without quotation marks.
pub(crate) fn quoted_plain(text: &str) -> String {
    text.chars().flat_map(|c| if is_hidden(c) { c.escape_default().collect() } else { vec![c] }).collect()
}

/// Tells whether a character is not seen, or changes how others are seen: control characters, direction overrides,
/// line separators, byte-order marks and tags. A `why` that a person reads before granting may hold none of them,
/// or what is read would not be what was written.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{61c}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
