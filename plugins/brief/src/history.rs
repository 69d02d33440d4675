//! What changed between the last run and this one.

use std::{borrow::Cow, collections::BTreeSet};

use serde::{Deserialize, Serialize};

use crate::finding::Finding;

/// Findings that are remembered, to bound what is stored. Beyond them, a finding counts as new each time.
const REMEMBERED_LEN_MAX: usize = 5_000;

/// What is kept from one run to the next.
#[derive(Debug, Serialize, Deserialize)]
pub struct Snapshot<'a> {
    findings: Cow<'a, [Finding]>,
}

impl<'a> Snapshot<'a> {
    /// Returns what to keep of these findings.
    pub fn new(findings: &'a [Finding]) -> Self {
        Self { findings: Cow::Borrowed(&findings[..findings.len().min(REMEMBERED_LEN_MAX)]) }
    }
}

/// The difference between two runs.
#[derive(Debug, Default)]
pub struct Changes {
    /// Whether there was nothing to compare with: then nothing counts as new.
    pub is_first_run: bool,
    /// Ids of the findings that the last run did not have.
    pub new: BTreeSet<String>,
    /// Findings of the last run that are gone.
    pub fixed: Vec<Finding>,
}

impl Changes {
    /// Compares the last run's findings, if there was one, with this run's.
    pub fn between(last: Option<&Snapshot<'_>>, findings: &[Finding]) -> Self {
        let Some(last) = last else {
            return Self { is_first_run: true, ..Self::default() };
        };
        let before: BTreeSet<&str> = last.findings.iter().map(|finding| finding.id.as_str()).collect();
        let now: BTreeSet<&str> = findings.iter().map(|finding| finding.id.as_str()).collect();
        Self {
            is_first_run: false,
            new: now.difference(&before).map(|id| (*id).to_owned()).collect(),
            fixed: last.findings.iter().filter(|finding| !now.contains(finding.id.as_str())).cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Kind;

    fn findings(ids: &[&str]) -> Vec<Finding> {
        let finding = |id: &&str| Finding {
            id: (*id).to_owned(),
            kind: Kind::Todo,
            file: "a.md".to_owned(),
            line: Some(1),
            text: String::new(),
        };
        ids.iter().map(finding).collect()
    }

    #[test]
    fn on_the_first_run_nothing_is_new() {
        let changes = Changes::between(None, &findings(&["a"]));
        assert!(changes.is_first_run && changes.new.is_empty() && changes.fixed.is_empty());
    }

    #[test]
    fn later_runs_tell_new_from_fixed() {
        let before = findings(&["a", "b"]);
        let stored = serde_json::to_string(&Snapshot::new(&before)).expect("plain data");
        let last: Snapshot<'_> = serde_json::from_str(&stored).expect("what was stored");
        let changes = Changes::between(Some(&last), &findings(&["b", "c"]));
        assert_eq!(changes.new.iter().collect::<Vec<_>>(), ["c"]);
        assert_eq!(changes.fixed.iter().map(|f| f.id.as_str()).collect::<Vec<_>>(), ["a"]);
        assert!(!changes.is_first_run);
    }
}
