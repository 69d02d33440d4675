//! The lattice of remits, part by part; what the ceiling and the calendar leave of one.

use std::collections::BTreeMap;

use super::{
    ApprovalScope, ConnectorScope, FilesScope, HttpScope, KvScope, ModelScope, Relation, Remit, SecretScope,
    SignalScope, Terms, TimerScope, ToolScope,
};
use crate::manifest::{Ceiling, LastDay, Request};
use crate::time::Timestamp;

impl Remit {
    /// Returns what holds: what is asked for and `granted`, under the ceiling.
    ///
    /// Differs from `from_request(request).intersect(granted)` in what only an operator can say, and a request
    /// therefore leaves open: addresses off the public network, and which places honour our idempotency key. An
    /// operator who grants all that is asked for, and no more, passes [`Remit::from_request`] as `granted`.
    pub fn effective(request: &Request, granted: &Self, ceiling: &Ceiling) -> Self {
        Self::open(request).intersect(granted).under(ceiling)
    }

    /// Returns what both allow.
    pub fn intersect(&self, other: &Self) -> Self {
        let shared = |ours: &FilesScope| other.files_named(ours).and_then(|theirs| ours.intersect(theirs));
        Self {
            files: self.files.iter().filter_map(shared).collect(),
            kv: both(&self.kv, &other.kv, KvScope::intersect),
            log: &self.log & &other.log,
            imports: &self.imports & &other.imports,
            config: &self.config & &other.config,
            http: HttpScope::intersect_all(&self.http, &other.http),
            secrets: in_both(&self.secrets, &other.secrets, SecretScope::intersect),
            model: both(&self.model, &other.model, ModelScope::intersect),
            connectors: in_both(&self.connectors, &other.connectors, ConnectorScope::intersect),
            tools: both(&self.tools, &other.tools, ToolScope::intersect),
            timer: both(&self.timer, &other.timer, TimerScope::intersect),
            signal: both(&self.signal, &other.signal, SignalScope::intersect),
            approval: both(&self.approval, &other.approval, ApprovalScope::intersect),
        }
    }

    /// Tells whether everything that `narrower` allows is allowed here.
    pub fn subsumes(&self, narrower: &Self) -> bool {
        let has_files = |theirs: &FilesScope| self.files_named(theirs).is_some_and(|ours| ours.subsumes(theirs));
        narrower.files.iter().all(has_files)
            && within(&narrower.kv, &self.kv, KvScope::subsumes)
            && self.log.is_superset(&narrower.log)
            && self.imports.is_superset(&narrower.imports)
            && self.config.is_superset(&narrower.config)
            && HttpScope::subsume(&self.http, &narrower.http)
            && all_within(&narrower.secrets, &self.secrets, SecretScope::subsumes)
            && within(&narrower.model, &self.model, ModelScope::subsumes)
            && all_within(&narrower.connectors, &self.connectors, ConnectorScope::subsumes)
            && within(&narrower.tools, &self.tools, ToolScope::subsumes)
            && within(&narrower.timer, &self.timer, TimerScope::subsumes)
            && within(&narrower.signal, &self.signal, SignalScope::subsumes)
            && within(&narrower.approval, &self.approval, ApprovalScope::subsumes)
    }

    /// Returns how this remit stands to `other`.
    pub fn compare(&self, other: &Self) -> Relation {
        match (self.subsumes(other), other.subsumes(self)) {
            (true, true) => Relation::Equal,
            (true, false) => Relation::Wider,
            (false, true) => Relation::Narrower,
            (false, false) => Relation::Incomparable,
        }
    }

    /// Returns what the ceiling leaves of this remit.
    pub fn under(&self, ceiling: &Ceiling) -> Self {
        let deny = &ceiling.deny;
        let files = self.files.iter().cloned();
        let left = self.connectors.iter().filter_map(|(interface, connector)| {
            Some((interface.clone(), connector.under(interface, &deny.connectors)?))
        });
        let mut secrets = self.secrets.clone();
        secrets.retain(|name, _| !deny.secrets.contains(name));
        Self {
            files: files.map(|files| ceiling.files.map_or(files.clone(), |most| files.at_most(most))).collect(),
            kv: self.kv.as_ref().and_then(|kv| kv.under(ceiling)),
            log: self.log.clone(),
            imports: &self.imports - &deny.imports,
            config: &self.config - &deny.config,
            http: HttpScope::under(&self.http, ceiling),
            secrets,
            model: self.model.as_ref().and_then(|model| model.under(ceiling)),
            connectors: left.collect(),
            tools: self.tools.clone(),
            timer: self.timer.as_ref().and_then(|timer| timer.under(ceiling)),
            signal: self.signal.as_ref().and_then(|signal| signal.under(ceiling)),
            approval: self.approval.clone(),
        }
    }

    /// Returns what is left of this remit at `now`: the scopes that have not expired. Log, imports and configuration
    /// have no terms: a grant of them that has expired is not used when a run starts.
    pub fn at(&self, now: Timestamp) -> Self {
        let live = |terms: &Terms| !terms.has_expired(now);
        let mut left = self.clone();
        left.files.retain(|files| live(files.terms()));
        left.kv = left.kv.filter(|kv| live(kv.terms()));
        left.http.retain(|http| live(http.terms()));
        left.secrets.retain(|_, secret| live(secret.terms()));
        left.model = left.model.filter(|model| live(model.terms()));
        left.connectors.retain(|_, connector| live(connector.terms()));
        left.tools = left.tools.filter(|tools| live(tools.terms()));
        left.timer = left.timer.filter(|timer| live(timer.terms()));
        left.signal = left.signal.filter(|signal| live(signal.terms()));
        left.approval = left.approval.filter(|approval| live(approval.terms()));
        left
    }

    /// Returns when the first scope expires, if one does: until then, [`Remit::at`] returns this remit.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.terms().filter_map(Terms::expires).min().map(LastDay::end)
    }

    /// Returns the terms of every scope that can have some.
    fn terms(&self) -> impl Iterator<Item = &Terms> {
        let files = self.files.iter().map(FilesScope::terms);
        let http = self.http.iter().map(HttpScope::terms);
        let secrets = self.secrets.values().map(SecretScope::terms);
        let connectors = self.connectors.values().map(ConnectorScope::terms);
        let kv = self.kv.iter().map(KvScope::terms);
        let model = self.model.iter().map(ModelScope::terms);
        let tools = self.tools.iter().map(ToolScope::terms);
        let timer = self.timer.iter().map(TimerScope::terms);
        let signal = self.signal.iter().map(SignalScope::terms);
        let approval = self.approval.iter().map(ApprovalScope::terms);
        let waits = timer.chain(signal).chain(approval);
        files.chain(kv).chain(http).chain(secrets).chain(model).chain(connectors).chain(tools).chain(waits)
    }

    pub(super) fn files_named(&self, like: &FilesScope) -> Option<&FilesScope> {
        let index = self.files.binary_search_by(|files| files.name().cmp(like.name())).ok()?;
        self.files.get(index)
    }
}

fn both<T>(ours: &Option<T>, theirs: &Option<T>, intersect: impl Fn(&T, &T) -> Option<T>) -> Option<T> {
    intersect(ours.as_ref()?, theirs.as_ref()?)
}

fn within<T>(narrower: &Option<T>, wider: &Option<T>, subsumes: impl Fn(&T, &T) -> bool) -> bool {
    narrower.as_ref().is_none_or(|narrower| wider.as_ref().is_some_and(|wider| subsumes(wider, narrower)))
}

fn in_both<K: Ord + Clone, T>(
    ours: &BTreeMap<K, T>,
    theirs: &BTreeMap<K, T>,
    intersect: impl Fn(&T, &T) -> Option<T>,
) -> BTreeMap<K, T> {
    ours.iter().filter_map(|(key, ours)| Some((key.clone(), intersect(ours, theirs.get(key)?)?))).collect()
}

fn all_within<K: Ord, T>(narrower: &BTreeMap<K, T>, wider: &BTreeMap<K, T>, subsumes: impl Fn(&T, &T) -> bool) -> bool {
    narrower.iter().all(|(key, narrower)| wider.get(key).is_some_and(|wider| subsumes(wider, narrower)))
}
