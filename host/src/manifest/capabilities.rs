//! What the tables under `[capabilities]` have in common, whether a plugin asks or an operator grants.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::errors::{Fault, Problem, Problems};
use super::name::{ConfigKey, KeyPrefix, Sentence};
use super::quantity;
use super::request::{Access, Kv, Level};
use super::section::{Malformed, Node, Section, bad_value, one_of, parsed, text};

/// Elements of one list, and tables of one capability: far more than a person reads before granting.
pub(super) const ENTRIES_MAX: usize = 256;

const KNOWN: [&str; 13] = [
    "files",
    "kv",
    "log",
    "imports",
    "config",
    "http",
    "secrets",
    "model",
    "connectors",
    "tools",
    "timer",
    "signal",
    "approval",
];

/// One named table of a capability, such as `[capabilities.files.notes]`.
pub(crate) struct Table<'t, N> {
    pub(crate) name: N,
    pub(crate) section: Section<'t>,
}

/// Reports capabilities that do not exist.
pub(super) fn allow_known(section: &Section<'_>, problems: &mut Problems) {
    section.allow_only(problems, &KNOWN, |_| None);
}

/// Reports keys that a request does not have, among them those that only a grant has and somebody will try.
pub(super) fn allow_in_request(section: &Section<'_>, problems: &mut Problems, known: &[&str]) {
    section.allow_only(problems, known, |key| {
        let why = match key {
            "dir" => {
                "a manifest names no host directory; the operator binds one with --mount NAME=DIR or in a grant file"
            }
            "amount" | "expires" => "how often and until when is for the operator to say, in a grant",
            "addresses" => "only a grant opens addresses that are not on the public network",
            "idempotent" => "only a grant says that a far side honours our idempotency key",
            _ => return None,
        };
        Some((Fault::UnknownKey, why.to_owned()))
    });
}

/// Returns the tables under `key`, and reports names that are none.
pub(crate) fn named_tables<'t, N: FromStr<Err = Malformed>>(
    section: &Section<'t>,
    problems: &mut Problems,
    key: &str,
) -> Vec<Table<'t, N>> {
    let Some(parent) = section.section(problems, key) else { return Vec::new() };
    let mut tables = Vec::new();
    for (index, (name, path, span, node)) in parent.entries().enumerate() {
        if index == ENTRIES_MAX {
            let title = format!("`{}`: more than {ENTRIES_MAX} entries", section.path_of(key));
            problems.push(Problem { fault: Fault::BadValue, title, label: String::new(), hint: None, span });
            break;
        }
        let section = Section::open(problems, path.clone(), span.clone(), node);
        match name.parse() {
            Ok(name) => tables.extend(section.map(|section| Table { name, section })),
            Err(wrong) => problems.push(bad_value(path, wrong, span)),
        }
    }
    tables
}

/// Reads what kv has in a request and in a grant.
pub(super) fn read_kv_scope(section: &Section<'_>, problems: &mut Problems) -> Kv {
    let listed = section.some_of(problems, "prefixes", ENTRIES_MAX, parsed::<KeyPrefix>);
    Kv {
        prefixes: listed.unwrap_or_else(|| vec![KeyPrefix::every_key()]).into_iter().collect(),
        access: section.optional(problems, "access", access).unwrap_or(Access::ReadWrite),
        quota: section.optional(problems, "quota", quantity::size),
    }
}

/// Reads the log levels, if they are narrowed.
pub(super) fn read_log(section: &Section<'_>, problems: &mut Problems) -> Option<BTreeSet<Level>> {
    section.allow_only(problems, &["levels", "why"], |_| None);
    section.optional(problems, "why", why);
    Some(section.list(problems, "levels", Level::ALL.len(), level)?.into_iter().collect())
}

/// Reads the required list of configuration keys.
pub(super) fn read_config_keys(section: &Section<'_>, problems: &mut Problems) -> Option<BTreeSet<ConfigKey>> {
    if !section.has("keys") {
        section.report_missing(problems, "keys");
    }
    let keys = section.some_of(problems, "keys", ENTRIES_MAX, parsed::<ConfigKey>)?;
    Some(keys.into_iter().collect())
}

pub(super) fn why(node: &Node<'_>) -> Result<Sentence, Malformed> {
    parsed(node)
}

pub(super) fn access(node: &Node<'_>) -> Result<Access, Malformed> {
    word(node, &[Access::Read, Access::ReadWrite], Access::word)
}

fn level(node: &Node<'_>) -> Result<Level, Malformed> {
    word(node, &Level::ALL, Level::word)
}

/// Reads one of a few words.
pub(crate) fn word<T: Copy>(node: &Node<'_>, choices: &[T], word: fn(T) -> &'static str) -> Result<T, Malformed> {
    let words: Vec<&str> = choices.iter().map(|choice| word(*choice)).collect();
    let expected = one_of(&words);
    let found = text(node).map_err(|wrong| Malformed { expected: expected.clone(), ..wrong })?;
    let choice = choices.iter().find(|choice| word(**choice) == found);
    choice.copied().ok_or_else(|| {
        let wrong = Malformed::new(found, expected);
        match super::suggest::nearest(found, &words) {
            Some(near) => wrong.hint(format!("did you mean \"{near}\"?")),
            None => wrong,
        }
    })
}
