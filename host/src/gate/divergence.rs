//! What replay reports when a guest does not do what it did: the entry, both sides, and where they differ.

use std::fmt;

use serde::Serialize;
use serde_json::Value as Json;

use super::halt::Shown;

/// The most differing places listed for one entry; the first few tell what happened.
const PLACES_MAX: usize = 8;

/// The first entry at which a replay left the record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Divergence {
    /// The number of the entry.
    pub entry: u64,
    /// What differs first.
    pub kind: Kind,
    /// What the journal holds.
    pub recorded: Shown,
    /// What the guest did now.
    pub replayed: Shown,
    /// Where the values differ, as `path: recorded -> replayed`.
    pub places: Vec<String>,
    /// The guest's call stack, innermost first, where the component has names.
    pub backtrace: Option<String>,
}

/// What differs between a record and its replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Another function was called.
    Function,
    /// The same function was called with other params.
    Params,
    /// The same call came after another amount of fuel.
    Fuel,
    /// The recorded outcome does not have the form of the function's type.
    Outcome,
    /// The guest went on where the record ends.
    Extra,
    /// The guest ended where the record goes on.
    Leftover,
    /// The run ended otherwise than recorded.
    End,
}

impl Divergence {
    /// Compares two sides of one entry and lists where they differ.
    pub fn new(entry: u64, kind: Kind, recorded: Shown, replayed: Shown) -> Self {
        let mut places = Vec::new();
        differences("params", &recorded.params, &replayed.params, &mut places);
        Self { entry, kind, recorded, replayed, places, backtrace: None }
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            Kind::Function => "calls another function",
            Kind::Params => "calls with other params",
            Kind::Fuel => "makes the call at another fuel count",
            Kind::Outcome => "cannot take the recorded outcome",
            Kind::Extra => "goes on where the record ends",
            Kind::Leftover => "ends where the record goes on",
            Kind::End => "ends otherwise",
        };
        writeln!(f, "replay diverged at entry {}: the guest {what}", self.entry)?;
        writeln!(f, "  recorded: {}", side(&self.recorded))?;
        write!(f, "  replayed: {}", side(&self.replayed))?;
        for place in &self.places {
            write!(f, "\n  differs at {place}")?;
        }
        if let Some(backtrace) = &self.backtrace {
            write!(f, "\n  guest backtrace:\n{backtrace}")?;
        }
        Ok(())
    }
}

fn side(shown: &Shown) -> String {
    format!("{} {} at fuel {}", shown.function, brief(&shown.params), shown.fuel)
}

/// Shows a value on one line, cut where it is too long to read.
fn brief(value: &Json) -> String {
    const LEN_MAX: usize = 160;
    let text = value.to_string();
    match text.char_indices().nth(LEN_MAX) {
        None => text,
        Some((cut, _)) => format!("{}… ({} bytes)", &text[..cut], text.len()),
    }
}

/// Lists the places where two values differ, outermost first, to [`PLACES_MAX`].
pub fn differences(path: &str, recorded: &Json, replayed: &Json, places: &mut Vec<String>) {
    if recorded == replayed || places.len() >= PLACES_MAX {
        return;
    }
    match (recorded, replayed) {
        (Json::Array(left), Json::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                differences(&format!("{path}[{index}]"), left, right, places);
            }
        }
        (Json::Object(left), Json::Object(right)) if left.keys().eq(right.keys()) => {
            for (key, value) in left {
                differences(&format!("{path}.{key}"), value, &right[key], places);
            }
        }
        _ => places.push(format!("{path}: {} -> {}", brief(recorded), brief(replayed))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(function: &str, params: Json, fuel: u64) -> Shown {
        Shown { function: function.into(), params, fuel }
    }

    #[test]
    fn names_the_entry_both_sides_and_the_place() {
        let recorded = shown("remit:plugin/kv#set", json!(["color", "red"]), 10);
        let replayed = shown("remit:plugin/kv#set", json!(["color", "blue"]), 10);
        let text = Divergence::new(7, Kind::Params, recorded, replayed).to_string();
        assert_eq!(
            text,
            "replay diverged at entry 7: the guest calls with other params\n  \
             recorded: remit:plugin/kv#set [\"color\",\"red\"] at fuel 10\n  \
             replayed: remit:plugin/kv#set [\"color\",\"blue\"] at fuel 10\n  \
             differs at params[1]: \"red\" -> \"blue\""
        );
    }

    #[test]
    fn long_values_are_cut() {
        let long = json!("x".repeat(1000));
        let text = Divergence::new(1, Kind::Params, shown("f", long, 0), shown("f", json!(1), 0)).to_string();
        assert!(text.len() < 700, "{}", text.len());
    }
}
