//! The scopes of what a run may wait for: how long it may sleep, which signals, whether it may ask a person.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Terms, lower};
use crate::manifest::{Ceiling, Name, Signal, Timer};

/// How long a run may sleep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimerScope {
    /// In milliseconds, never 0.
    max: u64,
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    terms: Terms,
}

impl TimerScope {
    pub(super) fn new(timer: &Timer, terms: Terms) -> Option<Self> {
        Self { max: timer.max, terms }.normal()
    }

    /// Returns the scope that allows sleeping for so many milliseconds besides.
    pub(super) fn with(scope: Option<&Self>, wanted_ms: u64) -> Self {
        let max = scope.map_or(0, |scope| scope.max).max(wanted_ms);
        Self { max, terms: scope.map(|scope| scope.terms.clone()).unwrap_or_default() }
    }

    /// Returns the longest sleep, in milliseconds.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// Returns until when.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(super) fn normal(self) -> Option<Self> {
        (self.max > 0).then(|| Self { terms: self.terms.normal(), ..self })
    }

    pub(super) fn intersect(&self, other: &Self) -> Option<Self> {
        Self { max: self.max.min(other.max), terms: self.terms.intersect(&other.terms) }.normal()
    }

    pub(super) fn subsumes(&self, narrower: &Self) -> bool {
        self.max >= narrower.max && self.terms.cover(&narrower.terms)
    }

    pub(super) fn under(&self, ceiling: &Ceiling) -> Option<Self> {
        let max = lower(Some(self.max), ceiling.sleep).unwrap_or_default();
        Self { max, terms: self.terms.clone() }.normal()
    }
}

/// Which signals a run may wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalScope {
    /// Never empty.
    names: BTreeSet<Name>,
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    terms: Terms,
}

impl SignalScope {
    pub(super) fn new(signal: &Signal, terms: Terms) -> Option<Self> {
        Self { names: signal.names.clone(), terms }.normal()
    }

    /// Returns the scope that allows this signal besides.
    pub(super) fn with(scope: Option<&Self>, name: &Name) -> Self {
        let names = scope.iter().flat_map(|scope| &scope.names).chain([name]).cloned().collect();
        Self { names, terms: scope.map(|scope| scope.terms.clone()).unwrap_or_default() }
    }

    /// Returns the names of the signals.
    pub fn names(&self) -> &BTreeSet<Name> {
        &self.names
    }

    /// Returns until when.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(super) fn normal(self) -> Option<Self> {
        (!self.names.is_empty()).then(|| Self { terms: self.terms.normal(), ..self })
    }

    pub(super) fn intersect(&self, other: &Self) -> Option<Self> {
        Self { names: &self.names & &other.names, terms: self.terms.intersect(&other.terms) }.normal()
    }

    pub(super) fn subsumes(&self, narrower: &Self) -> bool {
        self.names.is_superset(&narrower.names) && self.terms.cover(&narrower.terms)
    }

    pub(super) fn under(&self, ceiling: &Ceiling) -> Option<Self> {
        Self { names: &self.names - &ceiling.deny.signals, terms: self.terms.clone() }.normal()
    }
}

/// That a run may ask a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalScope {
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    terms: Terms,
}

impl ApprovalScope {
    pub(super) fn new(terms: Terms) -> Self {
        Self { terms }.normal()
    }

    /// Returns until when.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(super) fn normal(self) -> Self {
        Self { terms: self.terms.normal() }
    }

    pub(super) fn intersect(&self, other: &Self) -> Option<Self> {
        Some(Self { terms: self.terms.intersect(&other.terms) }.normal())
    }

    pub(super) fn subsumes(&self, narrower: &Self) -> bool {
        self.terms.cover(&narrower.terms)
    }
}
