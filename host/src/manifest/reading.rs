//! How declarations are read, also for others that are written the same way: the operator's configuration.

use toml::de::DeTable;

use super::SIZE_MAX;
use super::errors::Errors;

pub(crate) use super::capabilities::{named_tables, word};
pub(crate) use super::errors::{Fault, Problem, Problems};
pub(crate) use super::http::boolean;
pub(crate) use super::limit::read_limits;
pub(crate) use super::model::read_max_tokens;
pub(crate) use super::quantity::{duration, number};
pub(crate) use super::section::{Malformed, Node, Section, bad_value, parsed, text, wrong_type};

/// Parses the TOML and hands its root to `read`.
///
/// # Errors
///
/// Everything that is wrong with it; only that it is too large when it has more than [`SIZE_MAX`] bytes.
pub(crate) fn document<T>(
    source_name: &str,
    text: &str,
    read: impl FnOnce(&Section<'_>, &mut Problems) -> Option<T>,
) -> Result<T, Errors> {
    if text.len() > SIZE_MAX {
        return Err(Errors::too_large(source_name, text.len(), SIZE_MAX));
    }
    let mut problems = Problems::default();
    let value = match DeTable::parse(text) {
        Ok(table) => read(&Section::root(&table), &mut problems),
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            let (title, hint) = (format!("not TOML: {}", error.message()), None);
            problems.push(Problem { fault: Fault::Syntax, title, label: String::new(), hint, span });
            None
        }
    };
    problems.finish(value, source_name, text)
}

/// Returns the error for text that does not do.
pub(crate) fn malformed(found: &str, expected: &str) -> Malformed {
    Malformed::new(found, expected)
}
