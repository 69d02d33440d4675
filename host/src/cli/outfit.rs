//! What a run needs besides its record to go on: its plugin, its connectors, its ways out, and what holds of the
//! configuration now.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::Choice;
use super::connectors::{self, Resolved};
use super::grant::keep_out_of_home;
use super::loaded::Loaded;
use super::outward::outward;
use super::plugin::{Declared, Identity, Plugin};
use super::report::Result;
use super::session::Session;
use crate::agent::{Agent, Outward, Recalled, recall};
use crate::capability::config::Values;
use crate::config::{self, Config};
use crate::digest::Content;
use crate::id::RunId;
use crate::manifest::{Manifest, Name};
use crate::scope::Remit;
use crate::supervisor::{Outfit, Outfitter};

/// What a run needs to go on.
pub struct Fitted {
    /// The run, as its record has it.
    pub recalled: Recalled,
    /// Its plugin, linked.
    pub agent: Loaded,
    /// Its ways out.
    pub outward: Outward,
    /// The most that it may do from here on.
    pub most: Remit,
    /// What the operator has set for its plugin.
    pub values: Values,
    /// The connectors that it may call.
    pub resolved: Resolved,
}

/// Looks up what a run needs to go on.
///
/// # Errors
/// When its record cannot be read, or something of it is not there or does not fit any more.
pub fn fit_out(session: &Session, run: RunId, choices: &[Choice]) -> Result<Fitted> {
    let recalled = recall(session.journal(), run)?;
    let remit = recalled.remit();
    let plugin = plugin_of(session, &recalled)?;
    let what = format!("component of run {run}");
    let agent = session.agent(&plugin.component, &what)?;
    let resolved = connectors::resolve(session, &plugin, agent.imports(), remit, choices)?;
    let agent = match agent.imports().is_empty() {
        true => agent,
        false => connectors::agent(session, &plugin, &what, &resolved.links)?,
    };
    let (most, values) = holds_now(session, &recalled)?;
    // A disarmed fork has no way out at all.
    let outward = match recalled.header.is_disarmed() {
        true => Outward::default(),
        false => outward(session, &recalled.header.plugin.identity, remit)?,
    };
    Ok(Fitted { recalled, agent, outward, most, values, resolved })
}

/// Returns the most that a run may do by the configuration as it is now, and what that has for its plugin.
///
/// # Errors
/// When the configuration cannot be read, or a folder of the run holds the home.
pub fn holds_now(session: &Session, recalled: &Recalled) -> Result<(Remit, Values)> {
    let config = config::read(session.home().path())?;
    recalled.header.mounts.values().try_for_each(|folder| keep_out_of_home(Path::new(folder), session.home()))?;
    Ok((recalled.remit().under(&config.ceiling), values(&config, recalled)))
}

/// Returns the plugin of a run as its record has it.
fn plugin_of(session: &Session, recalled: &Recalled) -> Result<Plugin> {
    let header = &recalled.header;
    let text = String::from_utf8_lossy(&session.blob(header.manifest)?).into_owned();
    let source = PathBuf::from(&header.plugin.name);
    let declared = match text.is_empty() {
        true => None,
        false => {
            let manifest = Manifest::parse(&format!("remit.toml of run {}", recalled.id), &text)?;
            Some(Declared { folder: source.clone(), manifest, text })
        }
    };
    Ok(Plugin {
        declared,
        identity: Identity::Installed { identity: header.plugin.identity.clone() },
        component: Content::of(session.blob(header.component)?),
        component_path: source,
    })
}

/// Returns what the operator has set for the plugin of a run.
fn values(config: &Config, recalled: &Recalled) -> Values {
    let plugin = &recalled.header.plugin;
    let name = plugin.version.as_ref().and_then(|_| plugin.name.parse::<Name>().ok());
    name.map(|name| config.values.for_plugin(&name)).unwrap_or_default()
}

/// Looks up for a supervisor what runs need.
pub struct Outfits(pub Session);

impl Outfitter for Outfits {
    fn outfit(&self, run: RunId) -> std::result::Result<Outfit, String> {
        let fitted = fit_out(&self.0, run, &[]).map_err(|failure| failure.to_string())?;
        let Fitted { recalled, agent, outward, most, values, resolved } = fitted;
        let Resolved { connectors, links } = resolved;
        let connectors = connectors.map(|connectors| (connectors, Arc::clone(&links)));
        Ok(Outfit { recalled, agent: Agent::clone(&agent), outward, most, values, connectors })
    }
}
