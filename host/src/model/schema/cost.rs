//! How much work an answer is, before the work is done.
//!
//! A recursive schema that tries two branches at each level doubles the work with each level of the answer. Here the
//! same steps are walked and only counted, with a limit, so that no guest can occupy the host by what it makes a model
//! say.

use serde_json::Value;

use super::parts::{Applies, parts};

/// The most applications of a subschema to a part of an answer: some tenths of a second.
const STEPS_MAX: usize = 500_000;

/// How deep one application may lie within another: the stack that is needed grows with it.
const DEPTH_MAX: usize = 256;

/// Checks that asking `schema` about `value` takes a bounded number of steps.
///
/// # Errors
///
/// Says that it does not.
pub(super) fn check(schema: &Value, value: &Value) -> Result<(), String> {
    Walk { root: schema, steps_left: STEPS_MAX }.step(schema, value, 0)
}

struct Walk<'a> {
    root: &'a Value,
    steps_left: usize,
}

impl<'a> Walk<'a> {
    fn step(&mut self, schema: &'a Value, value: &Value, depth: usize) -> Result<(), String> {
        if depth == DEPTH_MAX {
            return Err(format!("it takes more than {DEPTH_MAX} nested steps to check: make it flatter"));
        }
        self.spend(1 + schema.get("enum").and_then(Value::as_array).map_or(0, Vec::len))?;
        // What is unevaluated is found by asking everything else again.
        let is_twice = schema.get("unevaluatedProperties").or(schema.get("unevaluatedItems")).is_some();
        for (applies, part) in parts(self.root, schema) {
            let rounds = if is_twice { 2 } else { 1 };
            (0..rounds).try_for_each(|_| self.apply(applies, part, value, depth + 1))?;
        }
        Ok(())
    }

    fn apply(&mut self, applies: Applies<'_>, part: &'a Value, value: &Value, depth: usize) -> Result<(), String> {
        match (applies, value) {
            (Applies::Here, value) => self.step(part, value, depth),
            (Applies::Property(name), Value::Object(object)) => match object.get(name) {
                Some(child) => self.step(part, child, depth),
                None => Ok(()),
            },
            (Applies::Properties, Value::Object(object)) => {
                object.values().try_for_each(|child| self.step(part, child, depth))
            }
            (Applies::Names, Value::Object(object)) => {
                object.keys().try_for_each(|_| self.step(part, &Value::Null, depth))
            }
            (Applies::Items, Value::Array(items)) => items.iter().try_for_each(|child| self.step(part, child, depth)),
            _ => Ok(()),
        }
    }

    fn spend(&mut self, steps: usize) -> Result<(), String> {
        let left = self.steps_left.checked_sub(steps);
        self.steps_left =
            left.ok_or_else(|| format!("it takes more than {STEPS_MAX} steps to check: make it smaller"))?;
        Ok(())
    }
}
