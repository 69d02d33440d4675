//! What a run may do: the remit, as an algebra.
//!
//! A [`Remit`] only allows; what it does not name is refused. It is always in normal form, so that two remits that
//! allow the same are equal, byte for byte. Remits form a lattice: [`Remit::intersect`] is its meet,
//! [`Remit::compare`] its order. Nothing here reads, writes or decides: the gate asks, and records the answer.
//!
//! What holds is [`Remit::effective`]: request ∩ grant, under the operator's ceiling. Deny rules are subtracted where
//! a scope names single things (tiers, functions, keys of the configuration), and kept as holes where it names
//! infinitely many (`*.example.com` except `secret.example.com`; keys with `a/` except `a/b/`). A hole is smaller than
//! what it is in, so normal forms and the order stay exact.

mod algebra;
mod ask;
mod connectors;
mod denial;
mod explain;
mod files;
mod http;
mod kv;
mod model;
mod rule;
mod secrets;
mod show;
mod stored;
mod target;
mod terms;
#[cfg(test)]
mod tests;
mod waits;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::manifest::{ConfigKey, Grant, ImportName, Interface, Level, Mount, Name, Request, RuleId};

pub use crate::manifest::Access;
pub use connectors::{ConnectorScope, FunctionScope, ToolScope};
pub use denial::{Denial, Refused};
pub use explain::{Document, Explained, explain, unused};
pub use files::FilesScope;
pub use http::{HttpRule, HttpScope};
pub use kv::KvScope;
pub use model::ModelScope;
pub use secrets::SecretScope;
pub use show::{Line, Missing, missing};
pub use stored::NotARemit;
pub use target::{HttpTarget, NoTarget, TargetPart};
pub use terms::Terms;
pub use waits::{ApprovalScope, SignalScope, TimerScope};

/// What a run may do, in normal form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "stored::Stored")]
pub struct Remit {
    /// Sorted by name, each name once, no two mounts overlapping.
    files: Vec<FilesScope>,
    kv: Option<KvScope>,
    log: BTreeSet<Level>,
    imports: BTreeSet<ImportName>,
    config: BTreeSet<ConfigKey>,
    /// Sorted, no two sharing a request.
    http: Vec<HttpScope>,
    secrets: BTreeMap<Name, SecretScope>,
    model: Option<ModelScope>,
    connectors: BTreeMap<Interface, ConnectorScope>,
    tools: Option<ToolScope>,
    timer: Option<TimerScope>,
    signal: Option<SignalScope>,
    approval: Option<ApprovalScope>,
}

/// How two remits stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Both allow the same.
    Equal,
    /// The first allows less.
    Narrower,
    /// The first allows more.
    Wider,
    /// Each allows something that the other refuses.
    Incomparable,
}

impl Remit {
    /// Returns the remit that allows nothing, not even to log.
    pub const fn nothing() -> Self {
        Self {
            files: Vec::new(),
            kv: None,
            log: BTreeSet::new(),
            imports: BTreeSet::new(),
            config: BTreeSet::new(),
            http: Vec::new(),
            secrets: BTreeMap::new(),
            model: None,
            connectors: BTreeMap::new(),
            tools: None,
            timer: None,
            signal: None,
            approval: None,
        }
    }

    /// Returns the remit that allows exactly what is asked for.
    pub fn from_request(request: &Request) -> Self {
        let files = request.files.iter().map(|(name, asked)| {
            let scope = &asked.scope;
            FilesScope::new(name.clone(), Some(scope.mount.clone()), scope.access, scope.quota)
        });
        let terms = Terms::default;
        let connectors = request.connectors.iter().map(|(interface, asked)| {
            (interface.clone(), ConnectorScope::new(FunctionScope::new(&asked.scope.functions), terms()))
        });
        let secrets = request.secrets.iter();
        Self {
            files: files.collect(),
            kv: request.kv.as_ref().and_then(|asked| KvScope::new(&asked.scope, terms())),
            log: log_levels(request.log.as_ref()),
            imports: request.imports.keys().cloned().collect(),
            config: request.config.iter().flat_map(|asked| &asked.scope.keys).cloned().collect(),
            http: HttpScope::asked(request.http.iter().map(|asked| &asked.scope)),
            secrets: secrets.map(|(name, asked)| (name.clone(), SecretScope::new(&asked.scope, terms()))).collect(),
            model: request.model.as_ref().and_then(|asked| ModelScope::new(&asked.scope, terms())),
            connectors: connectors.collect(),
            tools: request.tools.as_ref().and_then(|asked| ToolScope::new(&asked.scope, terms())),
            timer: request.timer.as_ref().and_then(|asked| TimerScope::new(&asked.scope, terms())),
            signal: request.signal.as_ref().and_then(|asked| SignalScope::new(&asked.scope, terms())),
            approval: request.approval.as_ref().map(|_| ApprovalScope::new(terms())),
        }
    }

    /// Returns what is asked for, with what only an operator can say left open: it is for a grant to say.
    pub fn open(request: &Request) -> Self {
        let http = HttpScope::open(request.http.iter().map(|asked| &asked.scope));
        Self { http, ..Self::from_request(request) }
    }

    /// Returns the remit that allows exactly what an operator grants. Files without a mount hold for every mount.
    pub fn from_grant(grant: &Grant) -> Self {
        let terms = |rule: RuleId| {
            let written = grant.terms_of(&rule);
            Terms::new(rule, written)
        };
        let files = grant.files.iter().map(|(name, granted)| {
            FilesScope::new(name.clone(), granted.mount.clone(), granted.access, granted.quota)
                .on(terms(RuleId::files(name)))
        });
        let connectors = grant.connectors.iter().map(|(interface, connector)| {
            let functions = FunctionScope::new(&connector.functions);
            (interface.clone(), ConnectorScope::new(functions, terms(RuleId::connector(interface))))
        });
        let secrets = grant
            .secrets
            .iter()
            .map(|(name, secret)| (name.clone(), SecretScope::new(secret, terms(RuleId::secret(name)))));
        Self {
            files: files.collect(),
            kv: grant.kv.as_ref().and_then(|kv| KvScope::new(kv, terms(RuleId::kv()))),
            log: log_levels(grant.log.as_ref()),
            imports: grant.imports.clone(),
            config: grant.config.clone(),
            http: HttpScope::granted(&grant.http),
            secrets: secrets.collect(),
            model: grant.model.as_ref().and_then(|model| ModelScope::new(model, terms(RuleId::model()))),
            connectors: connectors.collect(),
            tools: grant.tools.as_ref().and_then(|tools| ToolScope::new(tools, terms(RuleId::tools()))),
            timer: grant.timer.as_ref().and_then(|timer| TimerScope::new(timer, terms(RuleId::timer()))),
            signal: grant.signal.as_ref().and_then(|signal| SignalScope::new(signal, terms(RuleId::signal()))),
            approval: grant.approval.map(|_| ApprovalScope::new(terms(RuleId::approval()))),
        }
    }

    /// Returns the files, sorted by name. [`Remit::file_allows`] takes an index into this slice.
    pub fn files(&self) -> &[FilesScope] {
        &self.files
    }

    /// Returns the scope of kv, if it is allowed at all.
    pub fn kv(&self) -> Option<&KvScope> {
        self.kv.as_ref()
    }

    /// Returns the levels at which the run may log.
    pub fn log(&self) -> &BTreeSet<Level> {
        &self.log
    }

    /// Returns the imports other than WASI's and Remit's own.
    pub fn imports(&self) -> &BTreeSet<ImportName> {
        &self.imports
    }

    /// Returns the configuration values the run may read.
    pub fn config(&self) -> &BTreeSet<ConfigKey> {
        &self.config
    }

    /// Returns which requests over HTTP the run may send. No two entries share one.
    pub fn http(&self) -> &[HttpScope] {
        &self.http
    }

    /// Returns the secrets that the host may add to requests.
    pub fn secrets(&self) -> &BTreeMap<Name, SecretScope> {
        &self.secrets
    }

    /// Returns the scope of models, if they are allowed at all.
    pub fn model(&self) -> Option<&ModelScope> {
        self.model.as_ref()
    }

    /// Returns the interfaces of connectors that the run may call.
    pub fn connectors(&self) -> &BTreeMap<Interface, ConnectorScope> {
        &self.connectors
    }

    /// Returns which functions a model may choose from, if it may choose at all.
    pub fn tools(&self) -> Option<&ToolScope> {
        self.tools.as_ref()
    }

    /// Returns how long the run may sleep, if it may be suspended for it at all.
    pub fn timer(&self) -> Option<&TimerScope> {
        self.timer.as_ref()
    }

    /// Returns which signals the run may wait for, if any.
    pub fn signal(&self) -> Option<&SignalScope> {
        self.signal.as_ref()
    }

    /// Returns whether the run may ask a person, and until when.
    pub fn approval(&self) -> Option<&ApprovalScope> {
        self.approval.as_ref()
    }
}

/// Returns the levels of a table that only narrows: all of them when there is none.
fn log_levels(narrowed: Option<&BTreeSet<Level>>) -> BTreeSet<Level> {
    narrowed.cloned().unwrap_or_else(|| Level::ALL.into())
}

/// Returns the lower of two bounds, of which nothing means none.
fn lower(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (bound, None) | (None, bound) => bound,
    }
}

/// Tells whether `narrower` is at most `wider`, where nothing means no bound.
fn bounds(wider: Option<u64>, narrower: Option<u64>) -> bool {
    wider.is_none_or(|wider| narrower.is_some_and(|narrower| narrower <= wider))
}
