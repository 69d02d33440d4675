//! The questions of the hot path. Yes costs a few comparisons and allocates nothing.
//!
//! Yes to a question about an outward capability comes with the scope that allows the call, because the caller needs
//! what else it says: caps, addresses, the amounts to reserve.

use std::net::IpAddr;

use super::denial::{Denial, Refused, deny};
use super::{
    Access, ApprovalScope, ConnectorScope, FilesScope, HttpRule, HttpScope, HttpTarget, ModelScope, Remit, SecretScope,
    SignalScope, Terms, TimerScope, ToolScope,
};
use crate::manifest::{Interface, KeyPrefix, Level, Name};

impl Remit {
    /// Answers whether a call may use `key`. A call that writes asks for [`Access::ReadWrite`].
    ///
    /// # Errors
    ///
    /// Returns what was asked for and what would have allowed it.
    pub fn kv_allows(&self, key: &str, wanted: Access) -> Result<(), Denial> {
        match &self.kv {
            Some(kv) if kv.access() >= wanted && kv.covers(key) => Ok(()),
            has => {
                let is_denied = has.as_ref().is_some_and(|kv| kv.denies(key));
                Err(deny(Refused::Kv { key: KeyPrefix::of_key(key), wanted, has: has.clone(), is_denied }))
            }
        }
    }

    /// Answers whether a call may use the files at `index` of [`Remit::files`].
    ///
    /// # Errors
    ///
    /// Returns what was asked for and what would have allowed it.
    pub fn file_allows(&self, index: usize, wanted: Access) -> Result<(), Denial> {
        match self.files.get(index) {
            Some(files) if files.access() >= wanted => Ok(()),
            Some(files) => Err(files.denied(wanted, Some(files.access()))),
            None => Err(deny(Refused::NoSuchMount { index })),
        }
    }

    /// Answers [`Remit::file_allows`] for what is left of the remit `whole`, into whose files `index` is.
    ///
    /// # Errors
    ///
    /// Returns what was asked for and what would have allowed it.
    pub fn file_of_allows(&self, whole: &Self, index: usize, wanted: Access) -> Result<(), Denial> {
        whole.file_allows(index, wanted)?;
        let files = &whole.files[index];
        match self.files_named(files).map(FilesScope::access) {
            Some(access) if access >= wanted => Ok(()),
            has => Err(files.denied(wanted, has)),
        }
    }

    /// Answers whether the run may log at `level`.
    ///
    /// # Errors
    ///
    /// Returns what was asked for and what would have allowed it.
    pub fn log_allows(&self, level: Level) -> Result<(), Denial> {
        if self.log.contains(&level) {
            return Ok(());
        }
        Err(deny(Refused::Log { level, has: self.log.clone() }))
    }

    /// Answers whether the run may read the configuration value `key`.
    ///
    /// # Errors
    ///
    /// Returns what was asked for and what would have allowed it.
    pub fn config_allows(&self, key: &str) -> Result<(), Denial> {
        if self.config.iter().any(|ours| ours.as_str() == key) {
            return Ok(());
        }
        Err(deny(Refused::Config { key: key.parse().ok(), has: self.config.clone() }))
    }

    /// Returns what holds for a request to `target`, if it may be sent. One entry allows it, and no other does.
    ///
    /// # Errors
    ///
    /// Returns what was asked for and what would have allowed it.
    pub fn http_allows(&self, target: &HttpTarget) -> Result<HttpRule<'_>, Denial> {
        let rule = self.http.iter().find_map(|scope| scope.rule_for(target));
        rule.ok_or_else(|| {
            let hole = self.http.iter().find_map(|scope| scope.hole_at(target)).cloned();
            let near = self.http.iter().filter(|scope| scope.reaches(target));
            let methods = near.flat_map(HttpScope::methods).cloned().collect();
            deny(Refused::Http { target: target.clone(), hole, methods })
        })
    }

    /// Returns the secrets that go with requests to `target`. No two of one declaration go into one slot.
    pub fn secrets_for<'r>(&'r self, target: &'r HttpTarget) -> impl Iterator<Item = (&'r Name, &'r SecretScope)> {
        self.secrets.iter().filter(|(_, secret)| secret.goes_to(target))
    }

    /// Returns the scope of models, if a model of `tier` may be asked for an answer of at most `max_tokens`. Nothing
    /// stands for as many as the provider gives, which only a scope without a bound allows.
    ///
    /// # Errors
    ///
    /// Returns what was asked for and what would have allowed it.
    pub fn model_allows(&self, tier: &str, max_tokens: Option<u64>) -> Result<&ModelScope, Denial> {
        match &self.model {
            Some(model) if model.allows(tier, max_tokens) => Ok(model),
            has => Err(deny(Refused::Model { tier: tier.parse().ok(), max_tokens, has: has.clone() })),
        }
    }

    /// Returns the scope of `interface`, if the run may call `function` of it.
    ///
    /// # Errors
    ///
    /// Returns what was asked for and what would have allowed it.
    pub fn connector_allows(&self, interface: &Interface, function: &str) -> Result<&ConnectorScope, Denial> {
        match self.connectors.get(interface) {
            Some(connector) if connector.functions().contains(function) => Ok(connector),
            has => {
                let (interface, function) = (interface.clone(), function.parse().ok());
                Err(deny(Refused::Connector { interface, function, has: has.cloned() }))
            }
        }
    }

    /// Returns the scope of tools, if `function` of `interface` may be offered to a model. To call it,
    /// [`Remit::connector_allows`] has to say yes besides.
    ///
    /// # Errors
    ///
    /// Returns what was asked for and what would have allowed it.
    pub fn tool_allows(&self, interface: &Interface, function: &str) -> Result<&ToolScope, Denial> {
        match &self.tools {
            Some(tools) if tools.contains(interface, function) => Ok(tools),
            has => {
                let (interface, function) = (interface.clone(), function.parse().ok());
                Err(deny(Refused::Tool { interface, function, has: has.clone() }))
            }
        }
    }
}

impl Remit {
    /// Returns the scope of timers, if the run may sleep for so many milliseconds.
    ///
    /// # Errors
    ///
    /// Returns what was asked for and what would have allowed it.
    pub fn timer_allows(&self, wanted_ms: u64) -> Result<&TimerScope, Denial> {
        match &self.timer {
            Some(timer) if timer.max() >= wanted_ms => Ok(timer),
            has => Err(deny(Refused::Timer { wanted_ms, has: has.clone() })),
        }
    }

    /// Returns the scope of signals, if the run may wait for this one.
    ///
    /// # Errors
    ///
    /// Returns what was asked for and what would have allowed it.
    pub fn signal_allows(&self, name: &str) -> Result<&SignalScope, Denial> {
        match &self.signal {
            Some(signal) if signal.names().iter().any(|ours| ours.as_str() == name) => Ok(signal),
            has => Err(deny(Refused::Signal { name: name.parse().ok(), has: has.clone() })),
        }
    }

    /// Returns the scope of approvals, if the run may ask a person.
    ///
    /// # Errors
    ///
    /// Returns what was asked for and what would have allowed it.
    pub fn approval_allows(&self) -> Result<&ApprovalScope, Denial> {
        self.approval.as_ref().ok_or_else(|| deny(Refused::Approval))
    }
}

impl FilesScope {
    #[cold]
    fn denied(&self, wanted: Access, has: Option<Access>) -> Denial {
        deny(Refused::Files { name: self.name().clone(), mount: self.mount().cloned(), wanted, has })
    }
}

impl Remit {
    /// Returns the terms under which the run may call `function` of `interface` as a tool: those of tools and those of the
    /// connector.
    ///
    /// # Errors
    ///
    /// Returns what was asked for and what would have allowed it.
    pub fn tool_call_allows(&self, interface: &Interface, function: &str) -> Result<Terms, Denial> {
        let tools = self.tool_allows(interface, function)?.terms();
        Ok(tools.intersect(self.connector_allows(interface, function)?.terms()))
    }
}

impl HttpRule<'_> {
    /// Answers whether a request to `target`, which this rule allows, may connect to `address`, which the caller found
    /// not to be on the public network.
    ///
    /// # Errors
    ///
    /// Returns what was asked for and what would have allowed it.
    pub fn special_address_allows(&self, target: &HttpTarget, address: IpAddr) -> Result<(), Denial> {
        if self.addresses().contains(address) {
            return Ok(());
        }
        Err(deny(Refused::Address { target: target.clone(), address, has: Box::new(self.scope().clone()) }))
    }
}
