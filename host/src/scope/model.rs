//! The scope of models: of which tiers, and how many tokens in one answer.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Terms, bounds, lower};
use crate::manifest::{Ceiling, Model, Name};

/// What a run may ask models for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelScope {
    /// Never empty.
    tiers: BTreeSet<Name>,
    #[serde(default, rename = "max-tokens", skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    terms: Terms,
}

impl ModelScope {
    pub(super) fn new(model: &Model, terms: Terms) -> Option<Self> {
        Self { tiers: model.tiers.clone(), max_tokens: model.max_tokens, terms }.normal()
    }

    /// Returns the scope that allows this much more: a tier, and tokens where they are bounded.
    pub(super) fn with(scope: Option<&Self>, tier: &Name, max_tokens: Option<u64>) -> Self {
        let Some(scope) = scope else {
            return Self { tiers: BTreeSet::from([tier.clone()]), max_tokens, terms: Terms::default() };
        };
        let tiers = scope.tiers.iter().chain([tier]).cloned().collect();
        let max_tokens = scope.max_tokens.and_then(|ours| max_tokens.map(|wanted| wanted.max(ours)));
        Self { tiers, max_tokens, terms: scope.terms.clone() }
    }

    /// Returns the tiers.
    pub fn tiers(&self) -> &BTreeSet<Name> {
        &self.tiers
    }

    /// Returns the most tokens of one answer, if the remit bounds them.
    pub fn max_tokens(&self) -> Option<u64> {
        self.max_tokens
    }

    /// Returns how often and until when.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Tells whether an answer of so many tokens may be asked of the tier. Nothing: as many as the provider gives.
    pub(super) fn allows(&self, tier: &str, max_tokens: Option<u64>) -> bool {
        self.tiers.iter().any(|ours| ours.as_str() == tier) && bounds(self.max_tokens, max_tokens)
    }

    pub(super) fn normal(self) -> Option<Self> {
        (!self.tiers.is_empty()).then(|| Self { terms: self.terms.normal(), ..self })
    }

    pub(super) fn intersect(&self, other: &Self) -> Option<Self> {
        let terms = self.terms.intersect(&other.terms);
        Self { tiers: &self.tiers & &other.tiers, max_tokens: lower(self.max_tokens, other.max_tokens), terms }.normal()
    }

    pub(super) fn subsumes(&self, narrower: &Self) -> bool {
        self.tiers.is_superset(&narrower.tiers)
            && bounds(self.max_tokens, narrower.max_tokens)
            && self.terms.cover(&narrower.terms)
    }

    pub(super) fn under(&self, ceiling: &Ceiling) -> Option<Self> {
        let tiers = &self.tiers - &ceiling.deny.tiers;
        Self { tiers, max_tokens: lower(self.max_tokens, ceiling.max_tokens), terms: self.terms.clone() }.normal()
    }
}
