//! The scope of secrets: which of them the host may add to which requests.

use serde::{Deserialize, Serialize};

use super::Terms;
use super::target::HttpTarget;
use crate::manifest::{Place, Secret, Slot};

/// Where one secret may go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretScope {
    place: Place,
    slot: Slot,
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    terms: Terms,
}

impl SecretScope {
    pub(super) fn new(secret: &Secret, terms: Terms) -> Self {
        Self { place: secret.place.clone(), slot: secret.slot.clone(), terms }
    }

    /// Returns where to.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Returns in which header or query field.
    pub fn slot(&self) -> &Slot {
        &self.slot
    }

    /// Returns how often and until when.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Tells whether the secret goes with requests to `target`.
    pub fn goes_to(&self, target: &HttpTarget) -> bool {
        self.place.covers(&target.place())
    }

    pub(super) fn normal(self) -> Self {
        Self { terms: self.terms.normal(), ..self }
    }

    pub(super) fn intersect(&self, other: &Self) -> Option<Self> {
        let place = self.place.intersect(&other.place).filter(|_| self.slot == other.slot)?;
        Some(Self { place, slot: self.slot.clone(), terms: self.terms.intersect(&other.terms) })
    }

    pub(super) fn subsumes(&self, narrower: &Self) -> bool {
        self.slot == narrower.slot && self.place.covers(&narrower.place) && self.terms.cover(&narrower.terms)
    }
}
