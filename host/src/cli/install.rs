//! `remit install`: keep a plugin in this home, by digest.

use serde_json::json;

use super::Shell;
use super::args;
use super::exit::Exit;
use super::plugin::Plugin;
use super::report::{Failure, Result, note, print, print_json};
use super::run::principal;
use super::session::Session;
use crate::digest::Digest;
use crate::engine::{ComponentError, inspect};
use crate::journal::{Installation, Release};
use crate::manifest::Kind;

/// Installs the plugin at a path, unsigned as it is.
pub fn install(shell: &Shell, args: &args::Install) -> Result {
    let plugin = Plugin::read_any(&args.plugin)?;
    let kind = check(&plugin)?;
    let session = Session::open(shell, &format!("remit install {}", plugin.name()))?;
    let release = release(&plugin, kind, &session);
    let manifest = plugin.declared.as_ref().map(|declared| declared.text.as_bytes()).unwrap_or_default();
    let done = session.journal().install(release.clone(), &plugin.component, manifest)?;
    match args.json {
        true => print_json(&json!({ "release": release, "new": matches!(done, Installation::New { .. }) }))?,
        false => say(&session, &release, &done)?,
    }
    session.close()?;
    Ok(Exit::Ok)
}

/// Refuses what could not be run or called, and returns the plugin's kind.
fn check(plugin: &Plugin) -> Result<&'static str> {
    let declared = plugin.manifest().map(|manifest| manifest.kind);
    let kind = match inspect(&plugin.component) {
        Ok(inspected) => inspected.world.kind(),
        Err(ComponentError::NoWorld { .. }) if declared == Some(Kind::Connector) => Kind::Connector.word(),
        Err(error) => {
            let hint = error.hint();
            let failure = Failure::from_error(Exit::PluginUnfit, error);
            return Err(failure.context(plugin.component_path.display()).hint(hint));
        }
    };
    match declared.map(Kind::word) {
        Some(declared) if declared != kind => {
            let message = format!("{} says it is kind {declared:?}, and its component is a {kind}", plugin.name());
            let hint = "correct `kind` in remit.toml, or build the right component";
            Err(Failure::new(Exit::PluginUnfit, message).hint(hint))
        }
        _ => Ok(kind),
    }
}

fn release(plugin: &Plugin, kind: &str, session: &Session) -> Release {
    let text = plugin.declared.as_ref().map(|declared| declared.text.as_str()).unwrap_or_default();
    let source = plugin.declared.as_ref().map_or(&plugin.component_path, |declared| &declared.folder);
    Release {
        component: plugin.component.digest(),
        identity: plugin.identity.to_string(),
        installed: session.clock().now(),
        installed_by: principal(),
        kind: kind.to_owned(),
        manifest: Digest::of(text.as_bytes()),
        name: plugin.name(),
        publisher: None,
        source: source.display().to_string(),
        version: plugin.manifest().map(|manifest| manifest.version.to_string()),
        extra: Default::default(),
    }
}

fn say(session: &Session, release: &Release, done: &Installation) -> Result<()> {
    let Release { name, identity, component, .. } = release;
    let version = release.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    match done {
        Installation::AlreadyThere(there) => {
            print(format!("{name}{version} is installed already, since {} UTC: {component}\n", there.installed))
        }
        Installation::New { earlier } => {
            print(format!("installed {name}{version}, unsigned: {component}\n"))?;
            note(format!("it is {identity}"));
            let standing = session.journal().standing_grants(identity, *component, session.clock().now())?;
            if *earlier > 0 && standing.is_empty() {
                note("grants of an earlier build do not hold for this one: `remit explain` shows what it asks for");
            }
            let then = match release.kind == Kind::Connector.word() {
                true => "then plugins that import what it exports call it".to_owned(),
                false => format!("`remit run {name}`"),
            };
            note(format!("next: `remit explain {name}`, `remit grant {name} --requested`, {then}"));
            Ok(())
        }
    }
}
