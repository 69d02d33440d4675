//! Chat completion: which tiers, and how many tokens in one answer. Which provider a tier is, the operator says.

use std::collections::BTreeSet;

use serde::Serialize;

use super::errors::Problems;
use super::name::Name;
use super::quantity;
use super::section::{Malformed, Node, Section, parsed};

/// Tiers that one declaration names.
const TIERS_MAX: usize = 64;
/// Tokens that a bound can name.
const TOKENS_MAX: u64 = 1_000_000_000;

/// Models that a plugin may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Model {
    /// Of which tiers. Never empty.
    pub tiers: BTreeSet<Name>,
    /// The most tokens of one answer. Nothing: bounded only by the host's configuration.
    #[serde(rename = "max-tokens", skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
}

/// Reads what the model capability has in a request and in a grant.
pub(super) fn read_model(section: &Section<'_>, problems: &mut Problems) -> Option<Model> {
    let max_tokens = read_max_tokens(section, problems);
    if !section.has("tiers") {
        section.report_missing(problems, "tiers");
    }
    let tiers = section.some_of(problems, "tiers", TIERS_MAX, parsed::<Name>)?;
    Some(Model { tiers: tiers.into_iter().collect(), max_tokens }).filter(|model| !model.tiers.is_empty())
}

pub(crate) fn read_max_tokens(section: &Section<'_>, problems: &mut Problems) -> Option<u64> {
    section.optional(problems, "max-tokens", tokens)
}

fn tokens(node: &Node<'_>) -> Result<u64, Malformed> {
    let number = quantity::number(node)?;
    if (1..=TOKENS_MAX).contains(&number) {
        return Ok(number);
    }
    let expected = "a number of tokens from 1 to 1000000000".to_owned();
    Err(Malformed { found: number.to_string(), expected, hint: None })
}
