//! JSON Schemas that come from guests: read with limits, compiled once, and asked whether an answer fits.
//!
//! Nothing is fetched, no schema goes round for ever, and no pair of schema and answer takes more than a bounded number
//! of steps. `format` is a note for the model and not checked: that is the standard's default, and some of the checks
//! would compile what the answer holds.

mod cost;
mod parts;
mod rules;

use std::fmt;
use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::error::quote;

pub(super) use rules::is_closed;

/// The longest schema in bytes.
const SCHEMA_LEN_MAX: usize = 64 << 10;

/// The most memory in bytes that one compiled `pattern` may take, and the same again while it is matched. Patterns such
/// as `\w{1000}` are short to write.
const PATTERN_SIZE_MAX: usize = 256 << 10;

/// The longest JSON that is checked, in bytes. Parsed, it takes up to thirty times as much memory.
const JSON_LEN_MAX: usize = 1 << 20;

/// The most problems that are told about one answer.
const PROBLEMS_MAX: usize = 5;

/// A schema that can be asked.
#[derive(Clone)]
pub struct Schema {
    source: Arc<Value>,
    validator: Arc<Validator>,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({})", self.source)
    }
}

impl Schema {
    /// Reads a schema, whose root has to be for objects: providers take no other.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with it, in words that follow "the schema".
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > SCHEMA_LEN_MAX {
            return Err(format!("has {} bytes, at most {SCHEMA_LEN_MAX}", text.len()));
        }
        let source: Value = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
        rules::check(&source)?;
        let patterns = PatternOptions::regex().size_limit(PATTERN_SIZE_MAX).dfa_size_limit(PATTERN_SIZE_MAX);
        let options = jsonschema::options().offline().should_validate_formats(false).with_pattern_options(patterns);
        let validator = options.build(&source).map_err(|error| format!("is no JSON Schema: {}", said(&error)))?;
        Ok(Self { source: Arc::new(source), validator: Arc::new(validator) })
    }

    /// Checks JSON text against the schema.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with it, at most five sentences, each short enough to be shown to a model.
    pub fn check(&self, text: &str) -> Result<(), Vec<String>> {
        let one = |problem: String| vec![problem];
        if text.len() > JSON_LEN_MAX {
            return Err(one(format!("it has {} bytes, at most {JSON_LEN_MAX}", text.len())));
        }
        let value: Value = serde_json::from_str(text).map_err(|error| one(format!("it is not JSON: {error}")))?;
        cost::check(&self.source, &value).map_err(one)?;
        let problems: Vec<_> =
            self.validator.iter_errors(&value).take(PROBLEMS_MAX).map(|error| said(&error)).collect();
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

/// Returns where something is wrong, and what.
fn said(error: &jsonschema::ValidationError<'_>) -> String {
    let place = error.instance_path().to_string();
    let place = if place.is_empty() { "the root".to_owned() } else { place };
    quote(&format!("at {place}: {error}"))
}

#[cfg(test)]
mod tests;
