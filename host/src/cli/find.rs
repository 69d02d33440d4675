//! PLUGIN on the command line: a path, or the name or the identity of an installed plugin. A path that exists wins.

use std::path::{Path, PathBuf};

use super::Shell;
use super::caller;
use super::exit::Exit;
use super::plugin::{Declared, Identity, Plugin};
use super::report::{Failure, OrFail as _, Result, note};
use super::session::Session;
use crate::digest::Content;
use crate::home;
use crate::journal::{self, Header, Installed, Journal, Release};
use crate::manifest::Manifest;

/// What PLUGIN may stand for, before the home is opened.
pub enum Named {
    /// A plugin on disk.
    OnDisk(Box<Plugin>),
    /// Nothing is there, so it is a name or an identity.
    Installed(String),
}

impl Named {
    /// Reads what is there. Only where nothing is, and what was typed can be a name, is it taken for one.
    ///
    /// # Errors
    /// As [`Plugin::read`]; with [`Exit::PluginUnfit`] where no home holds anything installed.
    pub fn read(shell: &Shell, typed: &Path) -> Result<Self> {
        let name = typed.to_str().filter(|name| can_be_installed(name));
        match name.filter(|_| !caller::path(typed).exists()) {
            Some(name) if home::journal_path(&shell.home_path()?).exists() => Ok(Self::Installed(name.to_owned())),
            Some(name) => Err(nothing(name)),
            None => Plugin::read_any(typed).map(|plugin| Self::OnDisk(Box::new(plugin))),
        }
    }

    /// Takes it for a path where it is an absolute one, else for a name or an identity: for who has no folder to be relative to.
    ///
    /// # Errors
    /// As [`Plugin::read`].
    pub fn of_caller(typed: &str) -> Result<Self> {
        match Path::new(typed).is_absolute() {
            true => Plugin::read_any(Path::new(typed)).map(|plugin| Self::OnDisk(Box::new(plugin))),
            false => Ok(Self::Installed(typed.to_owned())),
        }
    }

    /// Returns what others who wait for the home are told it is.
    pub fn name(&self) -> String {
        match self {
            Self::OnDisk(plugin) => plugin.name(),
            Self::Installed(name) => name.clone(),
        }
    }

    /// Returns the plugin, the newest release of it where it is installed. Says so where a path hides an installed one.
    ///
    /// # Errors
    /// With [`Exit::PluginUnfit`]: nothing installed has this name, or several have.
    pub fn plugin(self, journal: &Journal, typed: &Path) -> Result<Plugin> {
        match self {
            Self::OnDisk(plugin) => {
                tell_of_hidden(journal, typed, &plugin)?;
                Ok(*plugin)
            }
            Self::Installed(name) => load(journal, &installed(journal, &name)?.newest),
        }
    }
}

/// Opens the home and finds a plugin in it or on disk. `command` is what others who wait for the home are told.
///
/// # Errors
/// As [`Named::read`], [`Session::open`] and [`Named::plugin`].
pub fn open(shell: &Shell, command: &str, typed: &str) -> Result<(Session, Plugin)> {
    let typed = Path::new(typed);
    let named = Named::read(shell, typed)?;
    let session = Session::open(shell, &format!("{command} {}", named.name()))?;
    let plugin = named.plugin(session.journal(), typed)?;
    Ok((session, plugin))
}

/// Returns the installed plugin with this name or identity.
///
/// # Errors
/// With [`Exit::PluginUnfit`]: there is none, or several have the name.
pub fn installed(journal: &Journal, named: &str) -> Result<Installed> {
    let plugins = journal.plugins()?;
    if let Some(plugin) = plugins.iter().find(|plugin| plugin.newest.identity == named) {
        return Ok(plugin.clone());
    }
    let mut found = plugins.into_iter().filter(|plugin| plugin.newest.name == named);
    match (found.next(), found.next()) {
        (None, _) => Err(nothing(named)),
        (Some(plugin), None) => Ok(plugin),
        (Some(first), Some(second)) => {
            let others = found.map(|plugin| plugin.newest.identity);
            let identities: Vec<_> =
                [first.newest.identity, second.newest.identity].into_iter().chain(others).collect();
            let message = format!("{} installed plugins are called {named}", identities.len());
            Err(Failure::new(Exit::PluginUnfit, message).hint(format!("name one of them: {}", identities.join(" "))))
        }
    }
}

/// Reads a release out of the journal.
///
/// # Errors
/// When the journal does not hold what its row names.
pub fn load(journal: &Journal, release: &Release) -> Result<Plugin> {
    let text = String::from_utf8(journal.blob(release.manifest)?);
    let text = text.or_fail(Exit::JournalDamaged, format!("the manifest of {} is not UTF-8", release.name))?;
    let source = PathBuf::from(&release.source);
    let declared = match text.is_empty() {
        true => None,
        false => {
            let manifest = Manifest::parse(&format!("remit.toml of the installed {}", release.name), &text)?;
            Some(Declared { folder: source.clone(), manifest, text })
        }
    };
    Ok(Plugin {
        declared,
        identity: Identity::Installed { identity: release.identity.clone() },
        component: Content::of(journal.blob(release.component)?),
        component_path: source,
    })
}

/// Returns what to type for the plugin that a run ran: its name where that is enough, or its identity where it is
/// installed; else the folder that it came from, or the name of the bare component's file.
///
/// # Errors
/// When the journal cannot be read.
pub fn typed(journal: &Journal, header: &Header) -> Result<String> {
    let journal::Plugin { identity, name, .. } = &header.plugin;
    let plugins = journal.plugins()?;
    let same_name = plugins.iter().filter(|plugin| plugin.newest.name == *name).count();
    let is_this =
        |plugin: &Installed| plugin.newest.identity == *identity && plugin.newest.component == header.component;
    if plugins.iter().any(is_this) {
        let is_enough = same_name == 1 && !caller::path(Path::new(name)).exists();
        return Ok(if is_enough { name.clone() } else { identity.clone() });
    }
    let folder = identity.strip_prefix("folder:").and_then(|rest| rest.rsplit_once('#'));
    Ok(folder.map_or_else(|| format!("{name}.wasm"), |(folder, _)| folder.to_owned()))
}

/// A name is no path; an identity begins with its kind.
fn can_be_installed(typed: &str) -> bool {
    let is_identity = ["folder:", "file:"].iter().any(|kind| typed.starts_with(kind));
    let is_path = typed.is_empty() || typed.starts_with('.') || typed.contains(['/', '\\']) || typed.ends_with(".wasm");
    is_identity || !is_path
}

fn tell_of_hidden(journal: &Journal, typed: &Path, plugin: &Plugin) -> Result<()> {
    let Some(name) = typed.to_str().filter(|name| can_be_installed(name)) else { return Ok(()) };
    let identity = plugin.identity.to_string();
    for hidden in journal.plugins()? {
        if hidden.newest.name == name && hidden.newest.identity != identity {
            let other = hidden.newest.identity;
            note(format!("{name} is taken for the path; the installed plugin of this name is {other}"));
        }
    }
    Ok(())
}

fn nothing(named: &str) -> Failure {
    let message = format!("there is no plugin {named}: neither is it a path, nor is it installed");
    Failure::new(Exit::PluginUnfit, message)
        .hint("a plugin is a folder with remit.toml, or a component file; `remit plugins` lists those installed")
}
