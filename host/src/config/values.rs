//! `[values]`: what the `config` capability gives plugins: to all of them, or to those of one name.

use std::collections::BTreeMap;

use serde_json::{Number, Value};
use toml::de::DeValue;

use crate::manifest::reading::{self, Node, Problems, Section, bad_value, wrong_type};
use crate::manifest::{ConfigKey, Malformed, Name};

/// Bytes in a text.
const TEXT_LEN_MAX: usize = 64 << 10;

type Table = BTreeMap<ConfigKey, Value>;

/// The values that plugins are given. They are no secrets: a plugin of the same name from elsewhere gets the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    shared: Table,
    own: BTreeMap<Name, Table>,
}

impl Values {
    /// Returns the values for plugins of this name: its own before those for all.
    pub fn for_plugin(&self, name: &Name) -> BTreeMap<&ConfigKey, &Value> {
        let own = self.own.get(name).into_iter().flatten();
        self.shared.iter().chain(own).collect()
    }
}

pub(super) fn read(root: &Section<'_>, problems: &mut Problems) -> Values {
    let Some(section) = root.section(problems, "values") else { return Values::default() };
    let mut values = Values { shared: read_table(&section, problems), own: BTreeMap::new() };
    for (key, path, span, node) in section.entries().filter(|(.., node)| is_table(node)) {
        let table = Section::open(problems, path.clone(), span.clone(), node).map(|own| read_own(&own, problems));
        match key.parse::<Name>() {
            Ok(name) => values.own.extend(table.map(|table| (name, table))),
            Err(wrong) => {
                let hint = "a table in [values] is named after the plugin that its values are for";
                problems.push(bad_value(path, Malformed { hint: Some(hint.to_owned()), ..wrong }, span));
            }
        }
    }
    values
}

/// Reads the table of one plugin, in which there are no further tables.
fn read_own(section: &Section<'_>, problems: &mut Problems) -> Table {
    for (_, path, _, node) in section.entries().filter(|(.., node)| is_table(node)) {
        problems.push(bad_value(path, wrong_type(node.get_ref(), SCALAR), node.span()));
    }
    read_table(section, problems)
}

fn read_table(section: &Section<'_>, problems: &mut Problems) -> Table {
    let mut table = Table::new();
    for (key, path, span, node) in section.entries().filter(|(.., node)| !is_table(node)) {
        match (key.parse::<ConfigKey>(), scalar(node)) {
            (Ok(key), Ok(value)) => drop(table.insert(key, value)),
            (Err(wrong), _) => problems.push(bad_value(path, wrong, span)),
            (_, Err(wrong)) => problems.push(bad_value(path, wrong, node.span())),
        }
    }
    table
}

fn is_table(node: &Node<'_>) -> bool {
    matches!(node.get_ref(), DeValue::Table(_))
}

const SCALAR: &str = "a string, a number, true or false";

/// Returns a single value as JSON. JSON has neither dates nor infinities, and what has no one form is refused.
fn scalar(node: &Node<'_>) -> Result<Value, Malformed> {
    let wrong = || wrong_type(node.get_ref(), SCALAR);
    match node.get_ref() {
        DeValue::String(text) if text.len() <= TEXT_LEN_MAX => Ok(Value::String(text.to_string())),
        DeValue::String(text) => Err(reading::malformed(text, "a string of at most 65536 bytes")),
        DeValue::Boolean(value) => Ok(Value::Bool(*value)),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map(Value::from).map_err(|_| wrong())
        }
        DeValue::Float(number) => {
            let number = number.as_str().parse().ok().and_then(Number::from_f64);
            number.map(Value::Number).ok_or_else(wrong)
        }
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => Err(wrong()),
    }
}
