//! How often and until when a scope holds. Amounts are data here: whoever keeps the ledger reserves against them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::manifest::{self, Amounts, LastDay, RuleId, Window, amount};
use crate::time::Timestamp;

/// How often and until when a scope holds. The default: always.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Each rule's own count; a call is counted by all of them. None is empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    amounts: BTreeMap<RuleId, Amounts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<LastDay>,
}

impl Terms {
    /// Returns what a grant says about the section called `rule`.
    pub(super) fn new(rule: RuleId, written: manifest::Terms) -> Self {
        let amounts = BTreeMap::from([(rule, written.amounts)]);
        Self { amounts, expires: written.expires }.normal()
    }

    /// Returns the terms without what says nothing.
    pub(super) fn normal(self) -> Self {
        let normal = |(rule, amounts): (RuleId, Amounts)| (rule, Amounts::new(amounts.iter().collect()));
        let amounts = self.amounts.into_iter().map(normal).filter(|(_, amounts)| !amounts.is_empty()).collect();
        Self { amounts, ..self }
    }

    /// Tells whether the scope holds always.
    pub fn is_empty(&self) -> bool {
        self.amounts.is_empty() && self.expires.is_none()
    }

    /// Returns every amount against which a call has to be reserved: what it is counted against, over which span, and
    /// the most. A call that has one needs a durable intent, whatever its class.
    pub fn amounts(&self) -> impl Iterator<Item = (&RuleId, Window, u64)> {
        self.amounts.iter().flat_map(|(rule, amounts)| amounts.iter().map(move |(window, max)| (rule, window, max)))
    }

    /// Returns the last day on which the scope holds.
    pub fn expires(&self) -> Option<LastDay> {
        self.expires
    }

    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|last| last.end() <= now)
    }

    pub(super) fn intersect(&self, other: &Self) -> Self {
        let mut amounts = self.amounts.clone();
        for (rule, theirs) in &other.amounts {
            let both = amounts.get(rule).map_or_else(|| theirs.clone(), |ours| ours.intersect(theirs));
            amounts.insert(rule.clone(), both);
        }
        Self { amounts, expires: self.expires.into_iter().chain(other.expires).min() }
    }

    /// Tells whether whatever keeps to `narrower` keeps to these terms. Amounts of different rules say nothing about
    /// each other: one may be used up while the other is not.
    pub(super) fn cover(&self, narrower: &Self) -> bool {
        let in_time = self.expires.is_none_or(|ours| narrower.expires.is_some_and(|theirs| theirs <= ours));
        let bounded =
            |(rule, ours): (&RuleId, &Amounts)| narrower.amounts.get(rule).is_some_and(|theirs| ours.covers(theirs));
        in_time && self.amounts.iter().all(bounded)
    }

    /// Returns the terms for people: `at most 3 per day, until 2026-12-31`.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words: Vec<String> =
            self.amounts().map(|(_, window, max)| format!("at most {}", amount(window, max))).collect();
        words.dedup();
        words.extend(self.expires.map(|last| format!("until {last}")));
        words
    }

    /// Returns the keys of a grant that say the same.
    pub(super) fn to_toml(&self) -> String {
        let all = self.amounts.values().fold(Amounts::default(), |all, amounts| all.intersect(amounts));
        let written: Vec<String> = all.iter().map(|(window, max)| format!("\"{}\"", amount(window, max))).collect();
        let amounts = match written.as_slice() {
            [] => String::new(),
            [only] => format!("amount = {only}\n"),
            several => format!("amount = [{}]\n", several.join(", ")),
        };
        let expires = self.expires.map(|last| format!("expires = \"{last}\"\n")).unwrap_or_default();
        format!("{amounts}{expires}")
    }
}
