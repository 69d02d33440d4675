//! The normal form of scopes of HTTP: each method's scope, put together where all but the method is the same.

use std::collections::{BTreeMap, BTreeSet};

use super::HttpScope;
use crate::manifest::{HostPattern, Method, RemoteClass};

/// Scopes of one method each, put together where all else is the same.
#[derive(Default)]
pub(super) struct Merged(BTreeMap<HttpScope, BTreeSet<Method>>);

impl Merged {
    /// Adds what `scope` says, for `method`; nothing when no host of it is left.
    pub(super) fn add(&mut self, method: &Method, class: RemoteClass, mut scope: HttpScope) {
        let host = &scope.place.host;
        if scope.except.iter().any(|hole| hole.covers(host)) {
            return;
        }
        let mut holes: Vec<HostPattern> = Vec::new();
        for hole in scope.except.iter().filter(|hole| host.covers(hole)) {
            if !holes.iter().any(|kept| kept.covers(hole)) {
                holes.retain(|kept| !hole.covers(kept));
                holes.push(hole.clone());
            }
        }
        holes.sort();
        scope.except = holes;
        // The methods are what differs between scopes that are put together.
        scope.methods = BTreeSet::new();
        scope.class = Some(class).filter(|class| *class != method.class());
        self.0.entry(scope).or_default().insert(method.clone());
    }

    pub(super) fn into_scopes(self) -> Vec<HttpScope> {
        let mut scopes: Vec<HttpScope> =
            self.0.into_iter().map(|(scope, methods)| HttpScope { methods, ..scope }).collect();
        scopes.sort();
        scopes
    }
}
