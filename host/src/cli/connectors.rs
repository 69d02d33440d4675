//! Finding the installed connectors that a run may call, and those that they may call, before anything starts.
//!
//! Each interface that a remit holds is answered by the one installed connector that exports it in a version that
//! serves. Where several do, the person who starts the run says which: a choice made by name or version alone would let
//! whatever was installed last take over.

use std::sync::Arc;

use super::args::Choice;
use super::exit::Exit;
use super::find;
use super::grant::Granted;
use super::loaded::Loaded;
use super::outward::outward;
use super::plugin::Plugin;
use super::report::{Failure, Result, note};
use super::run::launch_of;
use super::session::{Session, unfit};
use super::stored::Stored;
use crate::agent::{Agent, Connected, Connectors, Links, Node};
use crate::capability::connector::route::Linked;
use crate::engine::inspect;
use crate::engine::interface::version::best;
use crate::engine::interface::{Interface, InterfaceName};
use crate::journal::Release;
use crate::manifest;
use crate::scope::{Remit, missing};

/// The connectors of one run.
#[derive(Default)]
pub struct Resolved {
    /// All that may take part; nothing where the run may call none.
    pub connectors: Option<Arc<Connectors>>,
    /// Those that the plugin itself may call.
    pub links: Arc<Links>,
}

/// Finds the connectors of a run of `plugin`, which imports these interfaces, with this remit.
///
/// # Errors
/// With [`Exit::NotGranted`]: the component imports an interface that is not requested and granted. With
/// [`Exit::PluginUnfit`]: nobody exports it, several do, or a connector cannot be called.
pub fn resolve(
    session: &Session,
    plugin: &Plugin,
    imports: &[Interface],
    remit: &Remit,
    choices: &[Choice],
) -> Result<Resolved> {
    check_granted(session, plugin, imports, remit)?;
    if remit.connectors().is_empty() {
        return Ok(Resolved::default());
    }
    let mut search = Search { session, choices, installed: installed(session)?, found: Vec::new() };
    let links = search.links(plugin, remit, imports)?;
    // Those that are found on the way are looked at in their turn.
    let mut nodes = Vec::new();
    while nodes.len() < search.found.len() {
        let found = &mut search.found[nodes.len()];
        let (plugin, granted) = found.parts.take().expect("each is looked at once");
        let imports = found.agent.imports().clone();
        check_requested(&plugin, &imports)?;
        check_granted(session, &plugin, &imports, &granted.remit)?;
        let links = search.links(&plugin, &granted.remit, &imports)?;
        nodes.push(node(session, &plugin, granted, links)?);
    }
    let (engine, clock) = (session.host()?.engine().fingerprint(), session.clock().clone());
    let connectors = Connectors::new(nodes, engine, session.journal().clone(), clock);
    Ok(Resolved { connectors: Some(Arc::new(connectors)), links: Arc::new(links) })
}

/// Refuses a component that imports what nobody granted.
fn check_granted(session: &Session, plugin: &Plugin, imports: &[Interface], remit: &Remit) -> Result<()> {
    let is_granted =
        |import: &&Interface| remit.connectors().keys().any(|interface| interface.as_str() == import.name.to_string());
    match imports.iter().find(|import| !is_granted(import)) {
        Some(import) => Err(not_granted(session, plugin, &import.name.to_string())),
        None => Ok(()),
    }
}

/// Refuses a component that imports what its manifest does not request.
///
/// # Errors
/// With [`Exit::PluginUnfit`], naming the first such import.
pub fn check_requested(plugin: &Plugin, imports: &[Interface]) -> Result<()> {
    let is_requested = |import: &&Interface| {
        let requests = plugin.manifest().map(|manifest| &manifest.request().connectors);
        requests.is_some_and(|requests| requests.keys().any(|asked| asked.as_str() == import.name.to_string()))
    };
    match imports.iter().find(|import| !is_requested(import)) {
        None => Ok(()),
        Some(Interface { name, .. }) => {
            let message = format!(
                "the component imports {name}, which this host does not offer, and remit.toml does not request"
            );
            Err(Failure::new(Exit::PluginUnfit, message)
                .context(plugin.component_path.display())
                .hint(format!("request it: [capabilities.connectors.\"{name}\"] with a `why`")))
        }
    }
}

fn not_granted(session: &Session, plugin: &Plugin, import: &str) -> Failure {
    let line = format!("remit grant {} '[capabilities.connectors.\"{import}\"]'", typed(session, plugin));
    Failure::new(Exit::NotGranted, format!("{} imports {import}, which is not granted", plugin.name())).hint(line)
}

/// Returns what to type for a plugin: its name where it is installed, else where it lies.
fn typed(session: &Session, plugin: &Plugin) -> String {
    let installed = find::installed(session.journal(), &plugin.identity.to_string());
    let folder = plugin.declared.as_ref().map_or(&plugin.component_path, |declared| &declared.folder);
    installed.map_or_else(|_| folder.display().to_string(), |installed| installed.newest.name)
}

/// An installed connector by what it exports.
struct Candidate {
    release: Release,
    exports: Vec<InterfaceName>,
}

fn installed(session: &Session) -> Result<Vec<Candidate>> {
    let connectors = session.journal().plugins()?.into_iter().map(|plugin| plugin.newest);
    let connectors = connectors.filter(|release| release.kind == manifest::Kind::Connector.word());
    connectors
        .map(|release| {
            let component = session.blob(release.component)?;
            let exports = inspect(&component).map(|inspected| inspected.exports).unwrap_or_default();
            Ok(Candidate { exports: exports.iter().map(|name| InterfaceName::parse(name)).collect(), release })
        })
        .collect()
}

/// A connector that takes part, by its number.
struct Found {
    identity: String,
    /// What it exports and imports. Its own calls are not linked yet.
    agent: Loaded,
    /// Until it is looked at.
    parts: Option<(Plugin, Granted)>,
}

struct Search<'a> {
    session: &'a Session,
    choices: &'a [Choice],
    installed: Vec<Candidate>,
    found: Vec<Found>,
}

impl Search<'_> {
    /// Finds who answers each interface of a remit.
    fn links(&mut self, plugin: &Plugin, remit: &Remit, imports: &[Interface]) -> Result<Links> {
        let mut links = Links::default();
        for interface in remit.connectors().keys() {
            let import = InterfaceName::parse(interface.as_str());
            match self.choose(&import)? {
                Some((candidate, export)) => {
                    let connector = self.number(candidate)?;
                    let found = &self.found[connector];
                    let name = self.installed[candidate].release.name.clone();
                    let exports = found.agent.exports();
                    let number = exports.iter().position(|exported| exported.interface.name == export);
                    let number = number.ok_or_else(|| not_an_interface(&name, &export))?;
                    let exported = exports[number].interface.clone();
                    let linked = Linked { granted: interface.clone(), interface: exported, connector: name };
                    links.add(linked, connector, number);
                }
                None if imports.iter().any(|one| one.name == import) => {
                    return Err(self.nobody(plugin, &import));
                }
                None => note(format!("no installed connector exports {interface}, so it cannot be called")),
            }
        }
        Ok(links)
    }

    /// Returns the installed connector for an interface, and the export that serves.
    fn choose(&self, import: &InterfaceName) -> Result<Option<(usize, InterfaceName)>> {
        let choice = self
            .choices
            .iter()
            .find(|choice| choice.interface == import.path || InterfaceName::parse(&choice.interface) == *import);
        let is_chosen = |release: &Release| {
            choice.is_none_or(|choice| [&release.name, &release.identity].contains(&&choice.connector))
        };
        let serving = self.installed.iter().enumerate().filter(|(_, candidate)| is_chosen(&candidate.release));
        let serving: Vec<_> = serving
            .filter_map(|(number, candidate)| {
                let exports = candidate.exports.iter().map(|name| (name, name));
                Some((number, best(import, exports).first().map(|name| (*name).clone())?))
            })
            .collect();
        match serving.as_slice() {
            [] if choice.is_some() => {
                let connector = choice.map_or("", |choice| &choice.connector);
                let message = format!("--connector: {connector} is no installed connector that exports {import}");
                Err(Failure::new(Exit::Usage, message).hint("`remit plugins` lists what is installed"))
            }
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            several => Err(self.ambiguous(import, several)),
        }
    }

    fn ambiguous(&self, import: &InterfaceName, several: &[(usize, InterfaceName)]) -> Failure {
        let releases = || several.iter().map(|(number, _)| &self.installed[*number].release);
        let names: Vec<_> = releases().map(|release| format!("{} ({})", release.name, release.identity)).collect();
        let first = &self.installed[several[0].0].release;
        let is_enough = releases().filter(|release| release.name == first.name).count() == 1;
        let which = if is_enough { &first.name } else { &first.identity };
        let message = format!("{} installed connectors export {import}: {}", several.len(), names.join(", "));
        Failure::new(Exit::PluginUnfit, message)
            .hint(format!("choose with --connector '{}={which}', or `remit uninstall` one", import.path))
    }

    fn nobody(&self, plugin: &Plugin, import: &InterfaceName) -> Failure {
        let exports =
            self.installed.iter().flat_map(|candidate| candidate.exports.iter().map(move |name| (candidate, name)));
        let other: Vec<_> = exports
            .filter(|(_, name)| name.path == import.path)
            .map(|(candidate, name)| format!("{} exports {name}", candidate.release.name))
            .collect();
        let but =
            if other.is_empty() { String::new() } else { format!("; {}, which does not serve", other.join(", ")) };
        let message = format!("{} imports {import}, and no installed connector exports it{but}", plugin.name());
        Failure::new(Exit::PluginUnfit, message).hint("install one: `remit install PATH`")
    }

    /// Returns the number of a connector, which takes part from now on.
    fn number(&mut self, candidate: usize) -> Result<usize> {
        let release = &self.installed[candidate].release;
        if let Some(number) = self.found.iter().position(|found| found.identity == release.identity) {
            return Ok(number);
        }
        let plugin = find::load(self.session.journal(), release)?;
        let granted = granted(self.session, &plugin)?;
        let agent = self.session.agent(&plugin.component, &plugin.name())?;
        self.found.push(Found { identity: release.identity.clone(), agent, parts: Some((plugin, granted)) });
        Ok(self.found.len() - 1)
    }
}

fn not_an_interface(name: &str, export: &InterfaceName) -> Failure {
    Failure::new(Exit::PluginUnfit, format!("connector {name} exports {export}, which is not an interface"))
}

/// Decides a connector's own remit: what it requests and somebody granted to it, and nothing of its caller's.
fn granted(session: &Session, plugin: &Plugin) -> Result<Granted> {
    let identity = plugin.identity.to_string();
    let stored = Stored::of(session.journal(), &identity, plugin.component.digest(), session.clock().now())?;
    let granted = Granted::stored(plugin, session, &stored)?;
    for gap in missing(&granted.request, &granted.remit) {
        let has = gap.has.unwrap_or_else(|| "nothing".into());
        let (name, capability, wanted) = (plugin.name(), gap.capability, gap.wanted);
        note(format!("connector {name}: asks for {capability}: {wanted}, and has {has}"));
        note(format!("  hint: remit grant {name} --requested"));
    }
    Ok(granted)
}

fn node(session: &Session, plugin: &Plugin, granted: Granted, links: Links) -> Result<Node> {
    let what = format!("connector {}", plugin.name());
    let agent = session.prepare_connector(&plugin.component, Connected::To(links.linked()))?;
    let agent = agent.map_err(|error| unfit(error, &what))?;
    let outward = outward(session, &plugin.identity.to_string(), &granted.remit)?;
    let launch = launch_of(plugin, granted)?;
    Ok(Node { launch, agent: Agent::clone(&agent), outward, links: Arc::new(links) })
}

/// Makes an agent of a plugin whose calls go where `links` says.
///
/// # Errors
/// When the component cannot be started, or does not fit a connector; `what` is what the message calls it.
pub fn agent(session: &Session, plugin: &Plugin, what: &str, links: &Links) -> Result<Loaded> {
    let agent = session.prepare(&plugin.component, Connected::To(links.linked()))?;
    agent.map_err(|error| unfit(error, what))
}
