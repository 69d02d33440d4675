//! A run's ways out: to servers and to models, through one sender, with the operator's roots, the secrets that are bound
//! for the plugin, and the providers that the configuration names.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use super::exit::Exit;
use super::report::{Failure, OrFail as _, Result, note};
use super::session::Session;
use super::stand_in;
use crate::agent::Outward;
use crate::capability::model::{Models, Remote, Tier, partition};
use crate::capability::wasi::http::{Network, Secrets, Through};
use crate::config::{self, Config, Model, Provider};
use crate::digest::Digest;
use crate::home;
use crate::manifest::{Name, Place};
use crate::model::{Anthropic, Endpoint, OpenAi, Script};
use crate::net::{ExtraRoots, Options, Partition, Sender};
use crate::scope::Remit;
use crate::secret::Vault;

/// Returns the ways out of a run with this remit; none for one that may neither send nor ask.
///
/// # Errors
/// When the configuration, a file that it names or the vault cannot be read.
pub(super) fn outward(session: &Session, identity: &str, remit: &Remit) -> Result<Outward> {
    if remit.http().is_empty() && remit.model().is_none() {
        return Ok(Outward::default());
    }
    if let Some(file) = stand_in::file_of(session.home()) {
        return stand_in::outward(session, &file, remit);
    }
    let config = config::read(session.home().path())?;
    let sender = Arc::new(Sender::new(Options::system(roots(&config.extra_roots)?, session.clock().clone())));
    let network = network(session, identity, remit, &sender)?;
    let models = Asked { session, identity, remit, config: &config, sender }.models()?;
    Ok(Outward { network, models })
}

fn network(session: &Session, identity: &str, remit: &Remit, sender: &Arc<Sender>) -> Result<Option<Arc<dyn Network>>> {
    if remit.http().is_empty() {
        return Ok(None);
    }
    let partition = Digest::of_parts(&[identity.as_bytes(), &remit.canonical()]);
    let secrets = secrets(session, identity, remit)?;
    Ok(Some(Arc::new(Through { sender: sender.clone(), partition: Partition::new(*partition.as_bytes()), secrets })))
}

/// What the models of a run are put together from.
struct Asked<'a> {
    session: &'a Session,
    identity: &'a str,
    remit: &'a Remit,
    config: &'a Config,
    sender: Arc<Sender>,
}

impl Asked<'_> {
    /// Returns who answers for each granted tier; nothing where none is granted. A tier that nobody answers for is no
    /// reason not to start, since the run may do without it: it is told here, and to the guest when it asks.
    fn models(&self) -> Result<Option<Arc<Models>>> {
        let Some(scope) = self.remit.model() else { return Ok(None) };
        let has_key =
            scope.tiers().iter().any(|name| self.config.models.get(name).is_some_and(|m| m.secret().is_some()));
        let vault = if has_key { home::vault(self.session.home().path())? } else { Vault::default() };
        let mut models = Models::new(self.session.clock().clone());
        for name in scope.tiers() {
            match self.config.models.get(name) {
                Some(model) => models = models.with(name.clone(), self.tier(name, model, &vault)?),
                None if self.config.models.is_empty() => {
                    note(format_args!("model {name}: nothing is configured, so the embedded script answers"));
                    models = models.with(name.clone(), Tier::scripted(Script::embedded()));
                }
                None => {
                    note(format_args!("model {name}: the configuration has no such tier, so asking it fails"));
                    note(format_args!("  hint: add [models.{name}] to the file that `remit config path` prints"));
                }
            }
        }
        Ok(Some(Arc::new(models)))
    }

    fn tier(&self, name: &Name, model: &Model, vault: &Vault) -> Result<Tier> {
        let tier = match &model.provider {
            Provider::Scripted { script } => {
                let script = config::read_script(script.as_deref());
                Tier::scripted(script.or_fail(Exit::Usage, format!("models.{name}.script"))?)
            }
            Provider::OpenAi(endpoint) => {
                Tier::remote(OpenAi::new(endpoint.clone()), self.remote(name, endpoint, vault)?)
            }
            Provider::Anthropic(endpoint) => {
                Tier::remote(Anthropic::new(endpoint.clone()), self.remote(name, endpoint, vault)?)
            }
        };
        Ok(tier.bounded(model.max_tokens))
    }

    fn remote(&self, name: &Name, endpoint: &Endpoint, vault: &Vault) -> Result<Remote> {
        // What is below it, whatever it ends with.
        let place = format!("{}/", endpoint.base_url).parse::<Place>();
        let place = place.or_fail(Exit::Usage, format!("models.{name}.base-url"))?;
        let key = endpoint.secret.as_ref().and_then(|secret| vault.get(secret)).cloned();
        if let Some(secret) = endpoint.secret.as_ref().filter(|_| key.is_none()) {
            note(format_args!("model {name}: there is no secret {secret}, so asking it fails"));
            note(format_args!("  hint: `remit secret set {secret}`"));
        }
        let remote = Remote::new(self.sender.clone(), partition(self.identity, self.remit), place, key);
        remote.map_err(|error| Failure::from_error(Exit::HostFailed, error))
    }
}

fn roots(files: &[PathBuf]) -> Result<ExtraRoots> {
    let mut all = ExtraRoots::default();
    for file in files {
        let what = || format!("cannot use the roots in {}, which the configuration names", file.display());
        let pem = fs::read(file).or_fail(Exit::HostFailed, what())?;
        all.extend(ExtraRoots::from_pem(&pem).or_fail(Exit::HostFailed, what())?);
    }
    Ok(all)
}

/// Returns the secrets that are bound for the plugin, and says which of those that it may use are not.
fn secrets(session: &Session, identity: &str, remit: &Remit) -> Result<Secrets> {
    if remit.secrets().is_empty() {
        return Ok(Secrets::default());
    }
    let vault = home::vault(session.home().path())?;
    let bound: Vec<_> = vault.bindings_for(identity).map(|one| (one.binding.clone(), one.secret.clone())).collect();
    for (name, scope) in remit.secrets() {
        let serves = bound
            .iter()
            .any(|(binding, _)| binding.slot == *scope.slot() && binding.place.intersect(scope.place()).is_some());
        if !serves {
            note(format_args!(
                "secret {name}: nothing is bound for {} to {}, so requests go without it",
                scope.slot(),
                scope.place()
            ));
            note("  hint: `remit secret set NAME`, then `remit secret bind NAME --plugin PLUGIN --to URL`");
        }
    }
    Secrets::new(bound).map_err(|error| Failure::from_error(Exit::HostFailed, error))
}
