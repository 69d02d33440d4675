//! The scope of typed calls to other plugins, and of those that a model may choose.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Terms;
use super::denial::with_function;
use crate::manifest::{ConnectorPattern, FunctionName, Functions, Interface, Tools};

/// Functions of one interface. Which functions an interface has is not known here, so that all of them and any list
/// of them stay different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FunctionScope {
    /// All but these.
    AllBut(BTreeSet<FunctionName>),
    /// These. Never empty in a remit.
    Only(BTreeSet<FunctionName>),
}

impl FunctionScope {
    pub(super) fn new(functions: &Functions) -> Self {
        functions.clone().map_or_else(|| Self::AllBut(BTreeSet::new()), Self::Only)
    }

    /// Tells whether `function` may be called.
    pub fn contains(&self, function: &str) -> bool {
        let named = |names: &BTreeSet<FunctionName>| names.iter().any(|name| name.as_str() == function);
        match self {
            Self::AllBut(names) => !named(names),
            Self::Only(names) => named(names),
        }
    }

    pub(super) fn intersect(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::AllBut(ours), Self::AllBut(theirs)) => Self::AllBut(ours | theirs),
            (Self::Only(ours), Self::Only(theirs)) => Self::Only(ours & theirs),
            (Self::Only(only), Self::AllBut(but)) | (Self::AllBut(but), Self::Only(only)) => Self::Only(only - but),
        }
    }

    pub(super) fn covers(&self, narrower: &Self) -> bool {
        match (self, narrower) {
            (Self::AllBut(ours), Self::AllBut(theirs)) => ours.is_subset(theirs),
            (Self::Only(ours), Self::Only(theirs)) => ours.is_superset(theirs),
            (Self::AllBut(but), Self::Only(only)) => but.is_disjoint(only),
            (Self::Only(_), Self::AllBut(_)) => false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Only(names) if names.is_empty())
    }

    /// Returns what `denied` leaves of the functions of `interface`.
    fn without(&self, interface: &Interface, denied: &BTreeSet<ConnectorPattern>) -> Self {
        let matching = denied.iter().filter(|pattern| pattern.matches(interface));
        matching.fold(self.clone(), |left, pattern| match pattern.function() {
            Some(function) => left.intersect(&Self::AllBut(BTreeSet::from([function.clone()]))),
            None => Self::Only(BTreeSet::new()),
        })
    }

    /// Returns the functions for people.
    pub(super) fn words(&self) -> String {
        let list =
            |names: &BTreeSet<FunctionName>| names.iter().map(FunctionName::as_str).collect::<Vec<_>>().join(", ");
        match self {
            Self::AllBut(names) if names.is_empty() => "every function".to_owned(),
            Self::AllBut(names) => format!("every function but {}", list(names)),
            Self::Only(names) => list(names),
        }
    }
}

/// What a run may call of one interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectorScope {
    functions: FunctionScope,
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    terms: Terms,
}

impl ConnectorScope {
    pub(super) fn new(functions: FunctionScope, terms: Terms) -> Self {
        Self { functions, terms }
    }

    /// Returns which functions.
    pub fn functions(&self) -> &FunctionScope {
        &self.functions
    }

    /// Returns how often and until when.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(super) fn intersect(&self, other: &Self) -> Option<Self> {
        Self::new(self.functions.intersect(&other.functions), self.terms.intersect(&other.terms)).normal()
    }

    pub(super) fn subsumes(&self, narrower: &Self) -> bool {
        self.functions.covers(&narrower.functions) && self.terms.cover(&narrower.terms)
    }

    pub(super) fn normal(self) -> Option<Self> {
        (!self.functions.is_empty()).then(|| Self { terms: self.terms.normal(), ..self })
    }

    pub(super) fn under(&self, interface: &Interface, denied: &BTreeSet<ConnectorPattern>) -> Option<Self> {
        Self { functions: self.functions.without(interface, denied), ..self.clone() }.normal()
    }
}

/// Which functions a model may choose from. A call of one needs its connector besides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolScope {
    /// By interface. Nothing: every function of every interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    functions: Option<BTreeMap<Interface, FunctionScope>>,
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    terms: Terms,
}

impl ToolScope {
    pub(super) fn new(tools: &Tools, terms: Terms) -> Option<Self> {
        let scope =
            |(interface, functions): (&Interface, &Functions)| (interface.clone(), FunctionScope::new(functions));
        let functions = tools.functions.as_ref().map(|functions| functions.iter().map(scope).collect());
        Self { functions, terms }.normal()
    }

    /// Tells whether `function` of `interface` may be offered to a model.
    pub fn contains(&self, interface: &Interface, function: &str) -> bool {
        let in_list = |functions: &BTreeMap<Interface, FunctionScope>| {
            functions.get(interface).is_some_and(|functions| functions.contains(function))
        };
        self.functions.as_ref().is_none_or(in_list)
    }

    /// Returns the scope with one more function; nothing where it has it, or the ceiling took it away.
    pub(super) fn with(scope: Option<&Self>, interface: &Interface, function: &FunctionName) -> Option<Self> {
        let (functions, terms) =
            scope.map_or_else(Default::default, |scope| (scope.functions.clone(), scope.terms.clone()));
        let mut functions = match (scope, functions) {
            (Some(_), None) => return None,
            (_, functions) => functions.unwrap_or_default(),
        };
        let wider = with_function(functions.get(interface), function)?;
        functions.insert(interface.clone(), wider);
        Some(Self { functions: Some(functions), terms })
    }

    /// Returns how often and until when.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(super) fn functions(&self) -> Option<&BTreeMap<Interface, FunctionScope>> {
        self.functions.as_ref()
    }

    pub(super) fn normal(self) -> Option<Self> {
        let functions = self.functions.map(|mut functions| {
            functions.retain(|_, functions| !functions.is_empty());
            functions
        });
        let nothing = functions.as_ref().is_some_and(BTreeMap::is_empty);
        (!nothing).then(|| Self { functions, terms: self.terms.normal() })
    }

    pub(super) fn intersect(&self, other: &Self) -> Option<Self> {
        let functions = match (&self.functions, &other.functions) {
            (Some(ours), Some(theirs)) => {
                let shared = |(interface, functions): (&Interface, &FunctionScope)| {
                    Some((interface.clone(), functions.intersect(theirs.get(interface)?)))
                };
                Some(ours.iter().filter_map(shared).collect())
            }
            (functions, None) | (None, functions) => functions.clone(),
        };
        Self { functions, terms: self.terms.intersect(&other.terms) }.normal()
    }

    pub(super) fn subsumes(&self, narrower: &Self) -> bool {
        let functions = match (&self.functions, &narrower.functions) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(ours), Some(theirs)) => theirs
                .iter()
                .all(|(interface, functions)| ours.get(interface).is_some_and(|ours| ours.covers(functions))),
        };
        functions && self.terms.cover(&narrower.terms)
    }
}
