//! What a schema may be made of, so that it can be compiled and asked without harm.

use std::collections::HashSet;
use std::ptr;

use serde_json::Value;

use super::parts::{Applies, parts, target};

/// The most subschemas.
const PARTS_MAX: usize = 2_000;

/// The most patterns: each may take [`super::PATTERN_SIZE_MAX`].
const PATTERNS_MAX: usize = 64;

/// How many schemas may be applied one within the other to the same value.
const NESTING_MAX: usize = 64;

/// Keywords that move a schema's names elsewhere or choose a schema by who asks. No provider takes them.
const REFUSED: [&str; 5] = ["$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor"];

/// Keywords outside of what providers can hold a decoder to.
const OPEN: [&str; 9] =
    ["allOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies", "patternProperties"];

/// Checks everything about a schema that the compiler does not.
///
/// # Errors
///
/// Returns what is wrong, in words that follow "the schema".
pub(super) fn check(root: &Value) -> Result<(), String> {
    if root.get("type").and_then(Value::as_str) != Some("object") {
        return Err("has no `\"type\": \"object\"` at its root".into());
    }
    let reached = reachable(root)?;
    reached.iter().try_for_each(|schema| check_keywords(root, schema))?;
    let patterns: usize = reached.iter().map(|schema| patterns_of(schema)).sum();
    if patterns > PATTERNS_MAX {
        return Err(format!("has {patterns} patterns, at most {PATTERNS_MAX}"));
    }
    let mut descent = Descent { root, done: HashSet::new() };
    reached.into_iter().try_for_each(|schema| descent.enter(schema, &mut Vec::new()))
}

/// Whether a decoder can be held to the schema: every object says all its properties and requires them. OpenAI calls
/// that strict, and refuses it for other schemas.
pub(in crate::model) fn is_closed(text: &str) -> bool {
    let Ok(root) = serde_json::from_str::<Value>(text) else { return false };
    let schemas = reachable(&root).unwrap_or_default();
    !schemas.is_empty() && schemas.into_iter().all(is_closed_part)
}

fn is_closed_part(schema: &Value) -> bool {
    let properties = schema.get("properties").and_then(Value::as_object);
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &String| required.is_some_and(|names| names.iter().any(|given| given == name.as_str()));
    let is_object = properties.is_some() || schema.get("type").is_some_and(|kind| kind == "object");
    let has_all = schema.get("additionalProperties") == Some(&Value::Bool(false))
        && properties.is_none_or(|properties| properties.keys().all(is_required));
    schema.is_object() && (!is_object || has_all) && OPEN.iter().all(|keyword| schema.get(keyword).is_none())
        || schema == &Value::Bool(false)
}

/// Returns every subschema that an answer may be held to.
fn reachable(root: &Value) -> Result<Vec<&Value>, String> {
    let mut seen = HashSet::from([ptr::from_ref(root)]);
    let (mut reached, mut open) = (Vec::new(), vec![root]);
    while let Some(schema) = open.pop() {
        reached.push(schema);
        if reached.len() > PARTS_MAX {
            return Err(format!("has more than {PARTS_MAX} subschemas"));
        }
        open.extend(
            parts(root, schema).into_iter().map(|(_, part)| part).filter(|part| seen.insert(ptr::from_ref(*part))),
        );
    }
    Ok(reached)
}

fn check_keywords(root: &Value, schema: &Value) -> Result<(), String> {
    if let Some(keyword) = REFUSED.iter().find(|keyword| schema.get(keyword).is_some()) {
        return Err(format!("uses `{keyword}`, which is not supported: refer with `$ref` and `#/$defs/NAME`"));
    }
    if schema.get("$id").is_some() && !ptr::eq(schema, root) {
        return Err("has an `$id` below its root, which is not supported".into());
    }
    match schema.get("$ref") {
        Some(Value::String(reference)) if target(root, reference).is_none() => {
            let reference: String = reference.chars().take(100).collect();
            Err(format!("refers to {reference:?}; only places in the schema itself can be: `#` or `#/$defs/NAME`"))
        }
        _ => Ok(()),
    }
}

fn patterns_of(schema: &Value) -> usize {
    let named = schema.get("patternProperties").and_then(Value::as_object).map_or(0, |patterns| patterns.len());
    named + usize::from(schema.get("pattern").is_some())
}

/// Follows what is applied to one and the same value, to find a schema that would never come to an end.
struct Descent<'a> {
    root: &'a Value,
    done: HashSet<*const Value>,
}

impl<'a> Descent<'a> {
    fn enter(&mut self, schema: &'a Value, path: &mut Vec<*const Value>) -> Result<(), String> {
        let here = ptr::from_ref(schema);
        if path.contains(&here) {
            return Err("refers to itself without a property or an item in between, and would never end".into());
        }
        if path.len() == NESTING_MAX {
            return Err(format!("nests more than {NESTING_MAX} schemas for one value"));
        }
        // What was gone through once is on no circle. How far it reaches is counted again with each answer.
        if !self.done.contains(&here) {
            path.push(here);
            let inner = parts(self.root, schema).into_iter().filter(|(applies, _)| *applies == Applies::Here);
            inner.map(|(_, part)| part).try_for_each(|part| self.enter(part, path))?;
            path.pop();
            self.done.insert(here);
        }
        Ok(())
    }
}
