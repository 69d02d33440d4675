//! `[values]`: what the `config` capability gives plugins: to all of them, or to those of one name.

use std::collections::BTreeMap;

use toml::de::DeValue;

use crate::capability::config::{self, Value};
use crate::manifest::reading::{self, Node, Problems, Section, bad_value, wrong_type};
use crate::manifest::{ConfigKey, Malformed, Name};

/// Bytes in a text.
const TEXT_LEN_MAX: usize = 64 << 10;

/// The values that plugins are given. They are no secrets: a plugin of the same name from elsewhere gets the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    shared: config::Values,
    own: BTreeMap<Name, config::Values>,
}

impl Values {
    /// Returns the values for plugins of this name: its own before those for all.
    pub fn for_plugin(&self, name: &Name) -> config::Values {
        let own = self.own.get(name).into_iter().flat_map(config::Values::iter);
        self.shared.iter().chain(own).map(|(key, value)| (key, value.clone())).collect()
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
fn read_own(section: &Section<'_>, problems: &mut Problems) -> config::Values {
    for (_, path, _, node) in section.entries().filter(|(.., node)| is_table(node)) {
        problems.push(bad_value(path, wrong_type(node.get_ref(), SCALAR), node.span()));
    }
    read_table(section, problems)
}

fn read_table(section: &Section<'_>, problems: &mut Problems) -> config::Values {
    let mut values = Vec::new();
    for (key, path, span, node) in section.entries().filter(|(.., node)| !is_table(node)) {
        match (key.parse::<ConfigKey>(), scalar(node)) {
            (Ok(key), Ok(value)) => values.push((key, value)),
            (Err(wrong), _) => problems.push(bad_value(path, wrong, span)),
            (_, Err(wrong)) => problems.push(bad_value(path, wrong, node.span())),
        }
    }
    values.into_iter().collect()
}

fn is_table(node: &Node<'_>) -> bool {
    matches!(node.get_ref(), DeValue::Table(_))
}

const SCALAR: &str = "a string, a number, true or false";

/// Returns a single value. Dates, infinities and what is no number have no type there.
fn scalar(node: &Node<'_>) -> Result<Value, Malformed> {
    let wrong = || wrong_type(node.get_ref(), SCALAR);
    match node.get_ref() {
        DeValue::String(text) if text.len() <= TEXT_LEN_MAX => Ok(Value::Text(text.to_string())),
        DeValue::String(text) => Err(reading::malformed(text, "a string of at most 65536 bytes")),
        DeValue::Boolean(value) => Ok(Value::Boolean(*value)),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map(Value::Integer).map_err(|_| wrong())
        }
        DeValue::Float(number) => {
            let number = number.as_str().parse().ok().filter(|number: &f64| number.is_finite());
            number.map(Value::Float).ok_or_else(wrong)
        }
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => Err(wrong()),
    }
}
