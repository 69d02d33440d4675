//! What a person wrote as a value, and what it should have been.

use std::fmt::{self, Display};

use serde_json::Value as Json;

/// The longest text that is quoted, in characters.
const QUOTED_MAX: usize = 60;

/// JSON that is not of the type expected at a place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mismatch {
    /// Where: names and positions, the outermost first.
    path: Vec<String>,
    why: String,
}

impl Mismatch {
    /// Says what is expected, in place of `found`.
    pub fn new(expected: impl Display, found: &Json) -> Self {
        let text = found.to_string();
        let cut: String = text.chars().take(QUOTED_MAX).collect();
        let rest = if cut.len() < text.len() { "…" } else { "" };
        Self::because(format!("expected {expected}, found {cut}{rest}"))
    }

    /// Says something else that is wrong.
    pub fn because(why: impl Into<String>) -> Self {
        Self { path: Vec::new(), why: why.into() }
    }

    /// Returns the same, found at this place of what is around it.
    #[must_use]
    pub fn under(mut self, place: impl Display) -> Self {
        self.path.insert(0, place.to_string());
        self
    }
}

impl Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_slice() {
            [] => f.write_str(&self.why),
            path => write!(f, "at {}: {}", path.join("."), self.why),
        }
    }
}

/// Returns the one member of an object: how a case with a payload is written.
pub fn case_of(json: &Json) -> Option<(&str, &Json)> {
    match json.as_object() {
        Some(object) if object.len() == 1 => object.iter().next().map(|(name, value)| (name.as_str(), value)),
        _ => None,
    }
}

/// Returns the fields of a record, which must be these.
///
/// # Errors
/// [`Mismatch`] when one is missing, or there are others.
pub fn fields_of<'a>(names: &[&str], json: &'a Json) -> Result<&'a serde_json::Map<String, Json>, Mismatch> {
    let object = json.as_object().ok_or_else(|| Mismatch::new("an object", json))?;
    if let Some(missing) = names.iter().find(|name| !object.contains_key(**name)) {
        return Err(Mismatch::because(format!("the field {missing:?} is missing")));
    }
    match object.keys().find(|name| !names.contains(&name.as_str())) {
        Some(unknown) => Err(Mismatch::because(format!("there is no field {unknown:?}"))),
        None => Ok(object),
    }
}
