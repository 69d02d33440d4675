//! A section of a grant with more of what it counts: what an operator gives who lets a plugin go on.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::grant::Grant;
use super::terms::{Amounts, RuleId, Terms, Window, amount};

/// Returns the section of a grant file that `rule` counts, alone, with at least this much in each of these spans;
/// nothing where the file has no such section.
pub fn with_amounts(file: &str, rule: &RuleId, least: &[(Window, u64)]) -> Option<String> {
    let whole = Grant::parse("grant", file).ok()?;
    let terms = whole.counted_by(rule)?;
    let root: Table = file.parse().ok()?;
    let mut section = sections(&root).into_iter().find(|section| {
        Grant::parse("grant", &section.document().to_string()).is_ok_and(|alone| alone.counted_by(rule).is_some())
    })?;
    section.write(terms, least);
    Some(section.document().to_string())
}

impl Grant {
    /// Returns the terms of the section that `rule` counts, if there is one.
    fn counted_by(&self, rule: &RuleId) -> Option<&Terms> {
        let mut http = self.http.iter().filter(|entry| entry.http.rule() == *rule);
        http.next().map(|entry| &entry.terms).or_else(|| self.terms.get(rule))
    }
}

/// One table below `capabilities`.
#[derive(Clone)]
struct Section {
    capability: String,
    place: Place,
    says: Table,
}

/// Where a table stands below its capability.
#[derive(Clone)]
enum Place {
    /// It is the capability.
    Own,
    /// It is one of a list.
    Listed,
    /// It has a name.
    Named(String),
}

/// Returns the sections that can be counted: an entry of a list, a table with a name, or a capability itself.
fn sections(root: &Table) -> Vec<Section> {
    let mut found = Vec::new();
    let capabilities = root.get("capabilities").and_then(Value::as_table).into_iter().flatten();
    for (capability, value) in capabilities {
        let mut push = |place, says: &Value| {
            if let Value::Table(says) = says {
                found.push(Section { capability: capability.clone(), place, says: says.clone() });
            }
        };
        match value {
            Value::Array(entries) => entries.iter().for_each(|entry| push(Place::Listed, entry)),
            Value::Table(tables) if capability == "connectors" => {
                tables.iter().for_each(|(name, says)| push(Place::Named(name.clone()), says));
            }
            says => push(Place::Own, says),
        }
    }
    found
}

impl Section {
    fn write(&mut self, terms: &Terms, least: &[(Window, u64)]) {
        let mut amounts: BTreeMap<Window, u64> = terms.amounts.iter().collect();
        for (window, least) in least {
            let max = amounts.entry(*window).or_insert(*least);
            *max = (*least).max(*max);
        }
        let amounts: Vec<Value> =
            Amounts::new(amounts).iter().map(|(window, max)| Value::from(amount(window, max))).collect();
        let amounts = if let [only] = &amounts[..] { only.clone() } else { Value::Array(amounts) };
        self.says.remove("why");
        self.says.insert("amount".into(), amounts);
        if let Some(last) = terms.expires {
            self.says.insert("expires".into(), last.to_string().into());
        }
    }

    fn document(&self) -> Table {
        let says = Value::Table(self.says.clone());
        let says = match &self.place {
            Place::Own => says,
            Place::Listed => Value::Array(vec![says]),
            Place::Named(name) => Table::from_iter([(name.clone(), says)]).into(),
        };
        Table::from_iter([("capabilities".to_owned(), Table::from_iter([(self.capability.clone(), says)]).into())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "expires = 2026-12-31\n\
        [[capabilities.http]]\nmethods = [\"GET\", \"POST\"]\nurl = \"https://a.b/v1/\"\nidempotent = true\n\
        amount = [\"3 per hour\", \"9 per day\"]\nwhy = \"x\"\n\
        [[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"https://c.d/\"\namount = \"1 per run\"\n\
        [capabilities.model]\ntiers = [\"small\"]\namount = \"2 in total\"\n\
        [capabilities.connectors.\"acme:crm/people@1.0.0\"]\namount = \"2 per run\"\n\
        [capabilities.kv]\nprefixes = [\"a\"]\n";

    #[test]
    fn the_section_of_a_rule_is_raised_and_still_counts_by_that_rule() {
        let rules =
            ["http GET,POST https://a.b/v1/*", "http GET https://c.d/*", "connectors.\"acme:crm/people@1.0.0\""];
        for (name, least, says) in [
            (rules[0], (Window::Hour, 4), "4 per hour, 9 per day"),
            (rules[0], (Window::Day, 12), "3 per hour, 12 per day"),
            (rules[1], (Window::Run, 5), "5 per run"),
            (rules[2], (Window::Run, 1), "2 per run"),
            ("model", (Window::Total, 3), "3 in total"),
        ] {
            let rule: RuleId = serde_json::from_str(&serde_json::to_string(name).unwrap()).unwrap();
            let raised = with_amounts(FILE, &rule, &[least]).unwrap_or_else(|| panic!("{name}"));
            let grant = Grant::parse("raised", &raised).unwrap_or_else(|errors| panic!("{errors}"));
            let terms = grant.counted_by(&rule).unwrap_or_else(|| panic!("{name}: {raised}"));
            assert_eq!(terms.amounts.to_string(), says, "{name}");
            assert_eq!(terms.expires, "2026-12-31".parse().ok(), "{name}");
            assert!(!raised.contains("why") && !raised.contains("kv"), "{raised}");
        }
        assert_eq!(with_amounts(FILE, &RuleId::tools(), &[(Window::Day, 1)]), None);
    }
}
