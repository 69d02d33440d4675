//! A table of a declaration while it is read: every key is accounted for, and every mistake is reported where it is.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::errors::{Fault, Problem, Problems, quoted};
use super::suggest;

/// A value together with its place in the source.
pub(crate) type Node<'t> = Spanned<DeValue<'t>>;

/// Why a value does not do. Says both sides: what was found and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("found {found}, expected {expected}")]
pub struct Malformed {
    /// What stands there, shortened and escaped.
    pub found: String,
    /// What would do.
    pub expected: String,
    /// What to try.
    pub hint: Option<String>,
}

impl Malformed {
    /// Returns the error for the text `found`.
    pub fn new(found: &str, expected: impl Into<String>) -> Self {
        Self { found: quoted(found), expected: expected.into(), hint: None }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// One table, with its path for messages.
pub(crate) struct Section<'t> {
    path: String,
    span: Range<usize>,
    table: &'t DeTable<'t>,
}

impl<'t> Section<'t> {
    /// Returns the whole file as a section.
    pub(crate) fn root(table: &'t Spanned<DeTable<'t>>) -> Self {
        Self { path: String::new(), span: 0..0, table: table.get_ref() }
    }

    /// Returns `node` as a section called `path`, and reports it when it is not a table.
    pub(crate) fn open(problems: &mut Problems, path: String, span: Range<usize>, node: &'t Node<'t>) -> Option<Self> {
        match node.get_ref() {
            DeValue::Table(table) => Some(Self { path, span, table }),
            other => {
                let wrong = Malformed { found: describe(other), expected: "a table".to_owned(), hint: None };
                problems.push(bad_value(path, wrong, node.span()));
                None
            }
        }
    }

    /// Returns the table under `key`, if there is one.
    pub(crate) fn section(&self, problems: &mut Problems, key: &str) -> Option<Section<'t>> {
        let (name, node) = self.table.get_key_value(key)?;
        Self::open(problems, self.path_of(key), name.span(), node)
    }

    /// Returns the tables of the list under `key`, which TOML writes as `[[key]]`: at most `max` of them.
    pub(crate) fn tables(&self, problems: &mut Problems, key: &str, max: usize) -> Vec<Section<'t>> {
        let path = self.path_of(key);
        let listed = self.optional(problems, key, |node| match node.get_ref() {
            DeValue::Table(_) => {
                let wrong = wrong_type(node.get_ref(), "a list of tables");
                Err(wrong.hint(format!("write `[[{path}]]` above each of them")))
            }
            _ => array(node, max),
        });
        let nodes = listed.unwrap_or_default().into_iter().enumerate();
        nodes.filter_map(|(index, node)| Self::open(problems, format!("{path}[{index}]"), node.span(), node)).collect()
    }

    /// Returns every key with its path, its place and its value, in the order of the names.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'t str, String, Range<usize>, &'t Node<'t>)> {
        self.table.iter().map(|(key, node)| (key.get_ref().as_ref(), self.path_of(key.get_ref()), key.span(), node))
    }

    /// Reports every key that is not in `known`. `explain` may say more about a key that is wrong for a reason.
    pub(crate) fn allow_only(
        &self,
        problems: &mut Problems,
        known: &[&str],
        explain: impl Fn(&str) -> Option<(Fault, String)>,
    ) {
        for (key, _, span, _) in self.entries().filter(|(key, ..)| !known.contains(key)) {
            let shown = quoted(key);
            let place = if self.path.is_empty() { "the file".to_owned() } else { format!("[{}]", self.path) };
            let problem = match explain(key) {
                Some((fault, why)) => Problem {
                    fault,
                    title: format!("{shown} in {place}: {why}"),
                    label: String::new(),
                    hint: None,
                    span,
                },
                None => Problem {
                    fault: Fault::UnknownKey,
                    title: format!("unknown key {shown} in {place}"),
                    label: format!("expected {}", one_of(known)),
                    hint: suggest::nearest(key, known).map(|near| format!("did you mean `{near}`?")),
                    span,
                },
            };
            problems.push(problem);
        }
    }

    /// Returns the value under `key`, if it is there; reports it when `read` refuses it.
    pub(crate) fn optional<T>(
        &self,
        problems: &mut Problems,
        key: &str,
        read: impl FnOnce(&'t Node<'t>) -> Result<T, Malformed>,
    ) -> Option<T> {
        let node = self.table.get(key)?;
        read(node).map_err(|wrong| problems.push(bad_value(self.path_of(key), wrong, node.span()))).ok()
    }

    /// Returns the value under `key`; reports it when it is absent or refused.
    pub(crate) fn required<T>(
        &self,
        problems: &mut Problems,
        key: &str,
        read: impl FnOnce(&'t Node<'t>) -> Result<T, Malformed>,
    ) -> Option<T> {
        if self.has(key) {
            return self.optional(problems, key, read);
        }
        self.report_missing(problems, key);
        None
    }

    /// Reports that `key` is not there.
    pub(crate) fn report_missing(&self, problems: &mut Problems, key: &str) {
        problems.push(Problem {
            fault: Fault::Missing,
            title: format!("`{}` is missing", self.path_of(key)),
            label: if self.path.is_empty() { String::new() } else { format!("`{key}` is required here") },
            hint: None,
            span: self.span.clone(),
        });
    }

    /// Returns the elements under `key`, at most `max` and all different; reports each that is not.
    pub(crate) fn list<T: PartialEq>(
        &self,
        problems: &mut Problems,
        key: &str,
        max: usize,
        read: impl Fn(&'t Node<'t>) -> Result<T, Malformed>,
    ) -> Option<Vec<T>> {
        let nodes = self.optional(problems, key, |node| array(node, max))?;
        let mut elements = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            let path = || format!("{}[{index}]", self.path_of(key));
            match read(node) {
                Ok(element) if elements.contains(&element) => {
                    let title = format!("{}: listed twice", path());
                    problems.push(Problem {
                        fault: Fault::Conflict,
                        title,
                        label: "already in the list".to_owned(),
                        hint: None,
                        span: node.span(),
                    });
                }
                Ok(element) => elements.push(element),
                Err(wrong) => problems.push(bad_value(path(), wrong, node.span())),
            }
        }
        Some(elements)
    }

    /// Returns the elements as [`Section::list`] does; reports a list that was written without any.
    pub(crate) fn some_of<T: PartialEq>(
        &self,
        problems: &mut Problems,
        key: &str,
        max: usize,
        read: impl Fn(&'t Node<'t>) -> Result<T, Malformed>,
    ) -> Option<Vec<T>> {
        let elements = self.list(problems, key, max, read)?;
        let node = self.table.get(key).map(Spanned::get_ref);
        if node.and_then(DeValue::as_array).is_some_and(|nodes| nodes.is_empty()) {
            let (found, expected) = ("an empty list".to_owned(), "at least one element".to_owned());
            let wrong = Malformed { found, expected, hint: None };
            problems.push(bad_value(self.path_of(key), wrong, self.span_of(key)));
        }
        Some(elements)
    }

    /// Tells whether `key` is there.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Returns where the value under `key` stands, or the section's own place.
    pub(crate) fn span_of(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or(self.span.clone(), Spanned::span)
    }

    /// Returns the path of `key` in this section, as TOML writes it.
    pub(crate) fn path_of(&self, key: &str) -> String {
        let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let key = if bare && key.len() <= 64 { key.to_owned() } else { quoted(key) };
        if self.path.is_empty() { key } else { format!("{}.{key}", self.path) }
    }
}

/// Returns the text of a string.
pub(crate) fn text<'n>(node: &'n Node<'_>) -> Result<&'n str, Malformed> {
    match node.get_ref() {
        DeValue::String(text) => Ok(text.as_ref()),
        other => Err(wrong_type(other, "a string")),
    }
}

/// Reads a string with the type's own parser.
pub(crate) fn parsed<T: std::str::FromStr<Err = Malformed>>(node: &Node<'_>) -> Result<T, Malformed> {
    text(node)?.parse()
}

/// Returns what a value of the wrong type says.
pub(crate) fn wrong_type(found: &DeValue<'_>, expected: &str) -> Malformed {
    Malformed { found: describe(found), expected: expected.to_owned(), hint: None }
}

fn array<'t>(node: &'t Node<'t>, max: usize) -> Result<Vec<&'t Node<'t>>, Malformed> {
    let expected = format!("a list of at most {max}");
    match node.get_ref() {
        DeValue::Array(nodes) if nodes.len() <= max => Ok(nodes.iter().collect()),
        DeValue::Array(nodes) => Err(Malformed { found: format!("a list of {}", nodes.len()), expected, hint: None }),
        other => Err(wrong_type(other, &expected)),
    }
}

/// Returns the problem of a value that does not do.
pub(crate) fn bad_value(path: String, wrong: Malformed, span: Range<usize>) -> Problem {
    Problem {
        fault: Fault::BadValue,
        title: format!("`{path}`: expected {}", wrong.expected),
        label: format!("found {}", wrong.found),
        hint: wrong.hint,
        span,
    }
}

/// Returns a value as a message names it.
fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the string {}", quoted(text)),
        DeValue::Integer(number) => format!("the number {}", shortened(&number.to_string())),
        DeValue::Float(number) => format!("the number {}", shortened(number.as_str())),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(time) => format!("the time {time}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

fn shortened(number: &str) -> String {
    quoted(number).replace('"', "")
}

/// Returns the names as a choice: "`a`, `b` or `c`".
pub(crate) fn one_of(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [only] => format!("`{only}`"),
        [most @ .., last] => {
            let most: Vec<String> = most.iter().map(|name| format!("`{name}`")).collect();
            format!("{} or `{last}`", most.join(", "))
        }
    }
}
