//! A run's way out: the sender, with the operator's roots and the secrets that are bound for the plugin.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use super::exit::Exit;
use super::plugin::Plugin;
use super::report::{Failure, OrFail as _, Result, note};
use super::session::Session;
use crate::capability::wasi::http::{Network, Secrets, Through};
use crate::config;
use crate::digest::Digest;
use crate::home;
use crate::net::{ExtraRoots, Options, Partition, Sender};
use crate::scope::Remit;

/// Returns the way out of a run with this remit; nothing for one that may send nothing.
///
/// # Errors
/// When a file of roots or the vault cannot be read.
pub(super) fn network(session: &Session, plugin: &Plugin, remit: &Remit) -> Result<Option<Arc<dyn Network>>> {
    if remit.http().is_empty() {
        return Ok(None);
    }
    let roots = roots(&config::read(session.home().path())?.extra_roots)?;
    let sender = Arc::new(Sender::new(Options::system(roots, session.clock().clone())));
    let identity = plugin.identity.to_string();
    let partition = Digest::of_parts(&[identity.as_bytes(), &remit.canonical()]);
    let secrets = secrets(session, &identity, remit)?;
    Ok(Some(Arc::new(Through { sender, partition: Partition::new(*partition.as_bytes()), secrets })))
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
