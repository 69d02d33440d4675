//! The scope of HTTP: which requests, and what holds for each.
//!
//! The entries of a remit share no request: those of a declaration do not, and intersecting keeps it so. Each entry
//! is a product of one-method sets, of host patterns, ports and paths of which none is a finite union of others. So
//! an entry is within a remit exactly when, method by method, it is within one entry of it, and subsumption is exact.
//! What the ceiling denies is kept as holes: hosts that an entry does not reach. A ceiling makes the same holes in
//! every entry, so that no entry fills a hole of another.

mod merged;
mod rule;
mod written;

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::target::HttpTarget;
use super::{Terms, bounds};
use crate::manifest::{Addresses, Block, Caps, Ceiling, GrantedHttp, HostPattern, Http, Method, Place, RemoteClass};
use merged::Merged;

pub use rule::HttpRule;
pub(super) use written::grant_of;

/// Requests of which all that holds is the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpScope {
    place: Place,
    methods: BTreeSet<Method>,
    /// Hosts of the place that are not reached: sorted, none within another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    except: Vec<HostPattern>,
    /// The class, where it is not the method's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class: Option<RemoteClass>,
    #[serde(default, skip_serializing_if = "is_default")]
    caps: Caps,
    #[serde(default, skip_serializing_if = "Addresses::is_empty")]
    addresses: Addresses,
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    terms: Terms,
}

fn is_default(caps: &Caps) -> bool {
    *caps == Caps::default()
}

impl HttpScope {
    /// Returns the methods. Never empty.
    pub fn methods(&self) -> &BTreeSet<Method> {
        &self.methods
    }

    /// Returns where requests go.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Returns the hosts of the place that the ceiling denies.
    pub fn except(&self) -> &[HostPattern] {
        &self.except
    }

    /// Returns how often and until when.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Returns the entries of a request as they are asked for: nothing that only an operator can say.
    pub(super) fn asked<'h>(entries: impl Iterator<Item = &'h Http>) -> Vec<Self> {
        Self::declared(entries.map(|http| (http, false, Addresses::default(), Terms::default())))
    }

    /// Returns the entries of a request with what only an operator can say left open, to be met by a grant.
    pub(super) fn open<'h>(entries: impl Iterator<Item = &'h Http>) -> Vec<Self> {
        Self::declared(entries.map(|http| (http, true, Addresses::every(), Terms::default())))
    }

    /// Returns the entries of a grant.
    pub(super) fn granted(entries: &[GrantedHttp]) -> Vec<Self> {
        Self::declared(entries.iter().map(|granted| {
            let GrantedHttp { http, idempotent, addresses, terms } = granted;
            (http, *idempotent, addresses.clone(), Terms::new(http.rule(), terms.clone()))
        }))
    }

    fn declared<'h>(entries: impl Iterator<Item = (&'h Http, bool, Addresses, Terms)>) -> Vec<Self> {
        let mut scopes = Merged::default();
        for (http, idempotent, addresses, terms) in entries {
            let (place, caps) = (http.place.clone(), http.caps.clone());
            let scope =
                Self { methods: BTreeSet::new(), place, except: Vec::new(), class: None, caps, addresses, terms };
            for method in &http.methods {
                let class = method.class_where(idempotent).max(http.class.unwrap_or(RemoteClass::ReadRemote));
                scopes.add(method, class, scope.clone());
            }
        }
        scopes.into_scopes()
    }

    /// Returns the scopes in normal form, whatever their order and the way that methods are spread over them.
    pub(super) fn normal(scopes: Vec<Self>) -> Vec<Self> {
        let mut merged = Merged::default();
        for mut scope in scopes {
            scope.terms = scope.terms.normal();
            scope.addresses = Addresses::new(scope.addresses.blocks().to_vec());
            for method in &scope.methods {
                merged.add(method, scope.class_of(method), scope.clone());
            }
        }
        merged.into_scopes()
    }

    /// Tells whether no two of the scopes share a request.
    pub(super) fn are_apart(scopes: &[Self]) -> bool {
        let shared = |a: &Self, b: &Self| !a.methods.is_disjoint(&b.methods) && a.place.intersect(&b.place).is_some();
        let earlier = |(index, scope)| scopes[..index].iter().any(|other| shared(other, scope));
        !scopes.iter().enumerate().any(earlier)
    }

    pub(super) fn intersect_all(ours: &[Self], theirs: &[Self]) -> Vec<Self> {
        let mut merged = Merged::default();
        for (a, b) in ours.iter().flat_map(|a| theirs.iter().map(move |b| (a, b))) {
            let Some(place) = a.place.intersect(&b.place) else { continue };
            let both = Self {
                methods: BTreeSet::new(),
                place,
                except: [a.except.as_slice(), &b.except].concat(),
                class: None,
                caps: a.caps.lower(&b.caps),
                addresses: a.addresses.intersect(&b.addresses),
                terms: a.terms.intersect(&b.terms),
            };
            for method in a.methods.intersection(&b.methods) {
                merged.add(method, a.class_of(method).max(b.class_of(method)), both.clone());
            }
        }
        merged.into_scopes()
    }

    pub(super) fn subsume(ours: &[Self], narrower: &[Self]) -> bool {
        narrower
            .iter()
            .all(|theirs| theirs.methods.iter().all(|method| ours.iter().any(|scope| scope.covers(theirs, method))))
    }

    /// Returns what the ceiling leaves.
    pub(super) fn under(scopes: &[Self], ceiling: &Ceiling) -> Vec<Self> {
        let mut merged = Merged::default();
        for scope in scopes {
            let addresses = ceiling.addresses.as_ref().map(|most| scope.addresses.intersect(most));
            let addresses = addresses.unwrap_or_else(|| scope.addresses.clone());
            let caps = scope.caps.lower(&ceiling.http);
            for method in &scope.methods {
                let denied = || ceiling.deny.http.iter().filter(|denied| denied.reaches(method, &scope.place));
                if denied().any(|denied| denied.host.is_none()) {
                    continue;
                }
                let mut left = Self { caps: caps.clone(), addresses: addresses.clone(), ..scope.clone() };
                left.except.extend(denied().filter_map(|denied| denied.host.clone()));
                merged.add(method, scope.class_of(method), left);
            }
        }
        merged.into_scopes()
    }

    /// Returns the entry for those of its methods that are among `methods`; nothing when none is.
    pub(super) fn by(&self, methods: &BTreeSet<Method>) -> Option<Self> {
        let methods = &self.methods & methods;
        (!methods.is_empty()).then(|| Self { methods, ..self.clone() })
    }

    /// Returns the entry with one more address.
    pub(super) fn reaching(&self, address: IpAddr) -> Self {
        Self { addresses: self.addresses.with(&Addresses::new(vec![Block::of(address)])), ..self.clone() }
    }

    pub(super) fn class_of(&self, method: &Method) -> RemoteClass {
        self.class.unwrap_or(method.class())
    }

    /// Returns the rule for `target`, if the entry reaches it.
    pub(super) fn rule_for(&self, target: &HttpTarget) -> Option<HttpRule<'_>> {
        let reached = self.reaches(target)
            && self.methods.contains(target.method())
            && !self.except.iter().any(|hole| hole.matches(target.host()));
        reached.then(|| HttpRule::new(self, self.class_of(target.method())))
    }

    /// Returns the hole that `target` is in, if but for it the entry would reach it.
    pub(super) fn hole_at(&self, target: &HttpTarget) -> Option<&HostPattern> {
        let near = self.reaches(target) && self.methods.contains(target.method());
        self.except.iter().find(|hole| near && hole.matches(target.host()))
    }

    /// Tells whether the place holds the target, whatever the method.
    pub(super) fn reaches(&self, target: &HttpTarget) -> bool {
        self.place.scheme == target.scheme()
            && self.place.port == target.port()
            && self.place.host.matches(target.host())
            && self.place.path.matches(target.path())
    }

    fn covers(&self, narrower: &Self, method: &Method) -> bool {
        let caps = self.caps.iter().zip(narrower.caps.iter()).all(|((_, ours), (_, theirs))| bounds(ours, theirs));
        self.methods.contains(method)
            && self.place.covers(&narrower.place)
            && self.except.iter().all(|hole| narrower.leaves_out(hole))
            && self.class_of(method) <= narrower.class_of(method)
            && caps
            && self.addresses.covers(&narrower.addresses)
            && self.terms.cover(&narrower.terms)
    }

    /// Tells whether none of the hosts of `hole` is reached.
    fn leaves_out(&self, hole: &HostPattern) -> bool {
        if self.place.host.covers(hole) {
            return self.except.iter().any(|ours| ours.covers(hole));
        }
        !hole.covers(&self.place.host)
    }
}
