//! The answer no.
//!
//! It carries what was asked, and is put into words only for whoever reads it: the guest gets a code, the operator the
//! rule and the smallest grant that would have allowed the call.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::show;
use super::{
    Access, ApprovalScope, ConnectorScope, FunctionScope, HttpScope, HttpTarget, KvScope, ModelScope, Remit,
    SignalScope, Terms, TimerScope, ToolScope, http,
};
use crate::manifest::{
    Ceiling, ConfigKey, FunctionName, Grant, HostPattern, Interface, KeyPrefix, LastDay, Level, Method, Mount, Name,
    SLEEP_MAX_MS,
};

/// Why a call is refused. One pointer wide, so that a permit costs nothing to return.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Denial(Box<Refused>);

/// What was asked for and is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A key, and what for.
    Kv {
        /// The key, or as much of it as a grant can name: a guest chooses its length.
        key: KeyPrefix,
        /// What the call wanted to do.
        wanted: Access,
        /// What the remit says about kv.
        has: Option<KvScope>,
        /// Whether the ceiling denies the key.
        is_denied: bool,
    },
    /// Files of the remit that the call may not use as it wanted to.
    Files {
        /// The logical name.
        name: Name,
        /// Where the guest sees them.
        mount: Option<Mount>,
        /// What the call wanted to do.
        wanted: Access,
        /// What it may do, if anything.
        has: Option<Access>,
    },
    /// A mount that the remit does not have.
    NoSuchMount {
        /// The index that was asked for.
        index: usize,
    },
    /// A line at a level at which the run may not log.
    Log {
        /// The level.
        level: Level,
        /// The levels at which it may.
        has: BTreeSet<Level>,
    },
    /// A configuration value.
    Config {
        /// The key. Nothing: what the guest gave can be none.
        key: Option<ConfigKey>,
        /// The keys that it may read.
        has: BTreeSet<ConfigKey>,
    },
    /// A request over HTTP.
    Http {
        /// Which request.
        target: HttpTarget,
        /// The hole that the ceiling made there.
        hole: Option<HostPattern>,
        /// The methods by which requests may go there.
        methods: BTreeSet<Method>,
    },
    /// An address that is not on the public network.
    Address {
        /// For which request.
        target: HttpTarget,
        /// The address.
        address: IpAddr,
        /// What the remit says about the request.
        has: Box<HttpScope>,
    },
    /// An answer of a model.
    Model {
        /// The tier. Nothing: what the guest gave can be none.
        tier: Option<Name>,
        /// The tokens it wanted at most.
        max_tokens: Option<u64>,
        /// What the remit says about models.
        has: Option<ModelScope>,
    },
    /// A function of a connector.
    Connector {
        /// The interface.
        interface: Interface,
        /// The function. Nothing: what the guest gave can be none.
        function: Option<FunctionName>,
        /// What the remit says about the interface.
        has: Option<ConnectorScope>,
    },
    /// A function as a tool.
    Tool {
        /// The interface.
        interface: Interface,
        /// The function. Nothing: what the guest gave can be none.
        function: Option<FunctionName>,
        /// What the remit says about tools.
        has: Option<ToolScope>,
    },
    /// A sleep.
    Timer {
        /// For how many milliseconds.
        wanted_ms: u64,
        /// What the remit says about sleeping.
        has: Option<TimerScope>,
    },
    /// A signal.
    Signal {
        /// Its name. Nothing: what the guest gave can be none.
        name: Option<Name>,
        /// What the remit says about signals.
        has: Option<SignalScope>,
    },
    /// A person's approval.
    Approval,
    /// Something that a grant allowed until it expired.
    Expired {
        /// What.
        what: Box<Refused>,
        /// The last day on which it was allowed.
        last: LastDay,
    },
    /// Something that a grant allowed until it ended.
    Ended {
        /// What.
        what: Box<Refused>,
        /// Which grant, and how it ended: `grant g3 was revoked`.
        how: String,
    },
    /// Something that the ceiling allowed when the run was accepted.
    Lowered {
        /// What.
        what: Box<Refused>,
    },
}

#[cold]
pub(super) fn deny(refused: Refused) -> Denial {
    Denial(Box::new(refused))
}

impl Denial {
    /// Returns what was asked for and is not allowed.
    pub fn refused(&self) -> &Refused {
        &self.0
    }

    /// Returns the rule by which the call is refused, for the operator.
    pub fn rule(&self) -> String {
        self.0.to_string()
    }

    /// Returns the smallest grant that would have allowed the call, as TOML; nothing where no grant can.
    ///
    /// A section that a grant has only once holds what is allowed already besides, so that it can replace what the
    /// grant had. Whether the ceiling would let it through, [`Denial::grant_under`] says.
    pub fn grant(&self) -> Option<String> {
        self.0.grant()
    }

    /// Returns [`Denial::grant`] if it helps under this ceiling.
    pub fn grant_under(&self, ceiling: &Ceiling) -> Option<String> {
        let grant = self.grant()?;
        let granted = Remit::from_grant(&Grant::parse("grant", &grant).ok()?);
        self.is_allowed_by(&granted.under(ceiling)).then_some(grant)
    }

    /// Tells whether `remit` allows what was asked for.
    pub fn is_allowed_by(&self, remit: &Remit) -> bool {
        self.0.ask(remit).is_some()
    }

    /// Returns the denial, which says that a grant has expired where `whole` allows what was asked for: the remit of
    /// which [`Remit::at`] returned the one that refused.
    pub fn or_expired(self, whole: &Remit) -> Self {
        match self.0.ask(whole).and_then(|terms| terms?.expires()) {
            Some(last) => deny(Refused::Expired { what: self.0, last }),
            None => self,
        }
    }

    /// Returns the denial, which says how the grant ended that allowed what was asked for.
    pub fn since(self, how: String) -> Self {
        deny(Refused::Ended { what: self.0, how })
    }

    /// Returns the denial, which says that the ceiling was lowered under the run.
    pub fn since_lowered(self) -> Self {
        deny(Refused::Lowered { what: self.0 })
    }
}

impl Refused {
    /// Asks `remit` the same. Returns nothing when it refuses, and the terms of the scope when it has some.
    fn ask<'r>(&self, remit: &'r Remit) -> Option<Option<&'r Terms>> {
        match self {
            Self::Kv { key, wanted, .. } => {
                remit.kv_allows(key.as_str(), *wanted).ok()?;
                Some(remit.kv().map(KvScope::terms))
            }
            Self::Files { name, wanted, .. } => {
                let files = remit.files().iter().find(|files| files.name() == name)?;
                (files.access() >= *wanted).then_some(Some(files.terms()))
            }
            Self::NoSuchMount { .. } => None,
            Self::Log { level, .. } => remit.log_allows(*level).ok().map(|()| None),
            Self::Config { key, .. } => remit.config_allows(key.as_ref()?.as_str()).ok().map(|()| None),
            Self::Http { target, .. } => Some(Some(remit.http_allows(target).ok()?.terms())),
            Self::Address { target, address, .. } => {
                let rule = remit.http_allows(target).ok()?;
                rule.special_address_allows(target, *address).ok()?;
                Some(Some(rule.terms()))
            }
            Self::Model { tier, max_tokens, .. } => {
                Some(Some(remit.model_allows(tier.as_ref()?.as_str(), *max_tokens).ok()?.terms()))
            }
            Self::Connector { interface, function, .. } => {
                Some(Some(remit.connector_allows(interface, function.as_ref()?.as_str()).ok()?.terms()))
            }
            Self::Tool { interface, function, .. } => {
                Some(Some(remit.tool_allows(interface, function.as_ref()?.as_str()).ok()?.terms()))
            }
            Self::Timer { wanted_ms, .. } => Some(Some(remit.timer_allows(*wanted_ms).ok()?.terms())),
            Self::Signal { name, .. } => Some(Some(remit.signal_allows(name.as_ref()?.as_str()).ok()?.terms())),
            Self::Approval => Some(Some(remit.approval_allows().ok()?.terms())),
            Self::Expired { what, .. } | Self::Ended { what, .. } | Self::Lowered { what } => what.ask(remit),
        }
    }

    fn grant(&self) -> Option<String> {
        match self {
            Self::NoSuchMount { .. } | Self::Lowered { .. } => None,
            Self::Kv { is_denied: true, .. } | Self::Http { hole: Some(_), .. } => None,
            Self::Kv { key, wanted, has, .. } => {
                KvScope::with(has.as_ref(), key, *wanted).map(|kv| show::kv_grant(&kv))
            }
            Self::Files { name, wanted, .. } => Some(show::files_grant(name, None, *wanted, None)),
            Self::Log { level, has } => {
                let levels = has.iter().chain([level]).copied().collect();
                Some(show::log_grant(&levels))
            }
            Self::Config { key, has } => {
                let keys: BTreeSet<ConfigKey> = has.iter().chain([key.as_ref()?]).cloned().collect();
                Some(show::config_grant(&keys))
            }
            Self::Http { target, .. } => Some(http::grant_of(target)),
            Self::Address { address, has, .. } => Some(has.reaching(*address).to_toml()),
            Self::Model { tier, max_tokens, has } => {
                Some(show::model_grant(&ModelScope::with(has.as_ref(), tier.as_ref()?, *max_tokens)))
            }
            Self::Connector { interface, function, has } => {
                let has = has.as_ref().map(|connector| (connector.functions(), connector.terms()));
                let functions = with_function(has.map(|(functions, _)| functions), function.as_ref()?)?;
                let terms = has.map(|(_, terms)| terms.clone()).unwrap_or_default();
                Some(show::connector_grant(interface, &ConnectorScope::new(functions, terms)))
            }
            Self::Tool { interface, function, has } => {
                Some(show::tools_grant(&ToolScope::with(has.as_ref(), interface, function.as_ref()?)?))
            }
            Self::Timer { wanted_ms, .. } if *wanted_ms > SLEEP_MAX_MS => None,
            Self::Timer { wanted_ms, has } => Some(show::timer_grant(&TimerScope::with(has.as_ref(), *wanted_ms))),
            Self::Signal { name, has } => Some(show::signal_grant(&SignalScope::with(has.as_ref(), name.as_ref()?))),
            Self::Approval => Some(show::approval_grant(&ApprovalScope::new(Terms::default()))),
            Self::Expired { what, .. } | Self::Ended { what, .. } => what.grant(),
        }
    }
}

/// Returns the functions with one more; nothing where the ceiling took it away.
pub(super) fn with_function(has: Option<&FunctionScope>, function: &FunctionName) -> Option<FunctionScope> {
    match has {
        None => Some(FunctionScope::Only(BTreeSet::from([function.clone()]))),
        Some(FunctionScope::Only(names)) => {
            Some(FunctionScope::Only(names.iter().chain([function]).cloned().collect()))
        }
        Some(FunctionScope::AllBut(_)) => None,
    }
}
