//! What a run set out to do, and of which no record says what became: its host was killed, or the run was stopped, between
//! the intent and the outcome.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::report::Result;
use super::session::Records;
use crate::gate::{Functions, class_name};
use crate::id::RunId;
use crate::journal::{Entry, Kind};
use crate::lifecycle::Wait;

/// The longest text and the longest list among params that are shown to people: so much that the place of a request is
/// seen, however long its body.
const TEXT_MAX: usize = 100;
const LIST_MAX: usize = 8;

/// The calls of a run of which nobody knows whether they were done, by the number of their intent.
#[derive(Default)]
pub struct Doubts(BTreeMap<u64, Doubt>);

/// One of them.
struct Doubt {
    function: String,
    class: &'static str,
    params: Json,
}

impl Doubts {
    /// Reads a run for intents that nothing answers.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn of(records: &Records, id: RunId, functions: &Functions) -> Result<Self> {
        let mut open = BTreeMap::new();
        let mut reader = records.journal().reader(id)?;
        while let Some(entry) = reader.next()? {
            match (entry.kind(), entry.function()) {
                // One that waits has begun nothing that could be in doubt.
                (Kind::Intent, Some(_)) if is_wait(&entry)? => {}
                (Kind::Intent, Some(function)) => {
                    let shown = functions.get(&function.name).map(|known| known.show_params(entry.params()));
                    let (name, class) = (function.name.to_string(), class_of(&entry)?);
                    open.insert(entry.number(), Doubt { function: name, class, params: shown.unwrap_or_default() });
                }
                (Kind::Outcome, _) => drop(entry.extension()?.answers.and_then(|intent| open.remove(&intent))),
                _ => {}
            }
        }
        Ok(Self(open))
    }

    /// Tells whether nothing answers this entry.
    pub fn holds(&self, entry: u64) -> bool {
        self.0.contains_key(&entry)
    }

    /// Returns a line for people for each of them.
    pub fn lines(&self) -> Vec<String> {
        let line = |(entry, doubt): (&u64, &Doubt)| {
            let params = brief(&doubt.params);
            let Doubt { function, class, .. } = doubt;
            format!(
                "in doubt   entry {entry}, {class}, {function}{params}: it was begun, and whether it was done is not known"
            )
        };
        self.0.iter().map(line).collect()
    }

    /// Returns them for programs.
    pub fn json(&self) -> Json {
        let one = |(entry, doubt): (&u64, &Doubt)| {
            let Doubt { function, class, params } = doubt;
            json!({ "entry": entry, "function": function, "class": class, "params": params })
        };
        Json::Array(self.0.iter().map(one).collect())
    }
}

/// Returns the class of the call that an entry holds: its own, or that of its function.
///
/// # Errors
/// When the entry is damaged.
pub fn class_of(entry: &Entry<'_>) -> Result<&'static str> {
    let own = entry.extension()?.class.and_then(|class| u8::try_from(class).ok());
    Ok(own.or(entry.function().map(|function| function.class)).map_or("", class_name))
}

/// Tells whether an intent is one to wait.
fn is_wait(entry: &Entry<'_>) -> Result<bool> {
    let before = entry.extension()?.before;
    Ok(before.is_some_and(|before| serde_json::from_str::<Wait>(&before).is_ok()))
}

/// Returns params without what says nothing, and with what is long cut off.
fn brief(params: &Json) -> Json {
    let says = |value: &Json| !value.is_null() && *value != json!([]) && *value != json!("");
    match params {
        Json::String(text) if text.chars().count() > TEXT_MAX => {
            json!(text.chars().take(TEXT_MAX).chain(['…']).collect::<String>())
        }
        Json::Array(items) => items.iter().take(LIST_MAX).map(brief).collect(),
        Json::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| says(value));
            Json::Object(kept.map(|(name, value)| (name.clone(), brief(value))).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_request_goes_is_seen_whatever_its_body() {
        let body = "x".repeat(100_000);
        let params =
            json!([3, { "body": body, "headers": [], "timeout": null, "target": { "url": "http://a.example/" } }]);
        let shown = brief(&params).to_string();
        assert!(shown.len() < 200 && shown.contains("http://a.example/"), "{shown}");
        assert!(!shown.contains("headers") && !shown.contains("timeout"), "{shown}");
    }
}
