//! Deciding a run's remit: what the plugin requests, what the operator grants, and where the folders are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::args::{self, LimitArg, MountArg};
use super::caller;
use super::exit::Exit;
use super::give::request_as_grant;
use super::plugin::Plugin;
use super::report::{Failure, OrFail as _, Result, note};
use super::session::Session;
use super::stored::Stored;
use crate::capability::config::Values;
use crate::config::{self, Config};
use crate::home::Home;
use crate::manifest::{self, Access, Grant, Mount, Name, Request};
use crate::meter::Limits;
use crate::scope::{Line, Remit, missing, unused};

/// What holds for a run, and the folders it stands on.
pub struct Granted {
    /// What the plugin requests; for a bare component, what it was granted.
    pub request: Request,
    /// Request ∩ grant ∩ mounts.
    pub remit: Remit,
    /// The folder of each files capability.
    pub folders: BTreeMap<Name, PathBuf>,
    /// The limits of the run.
    pub limits: Limits,
    /// What the operator set for the plugin.
    pub values: Values,
    /// What was granted: the text of the grant file, or the names of the stored grants.
    pub written: Vec<String>,
    /// What was granted and nothing asks for.
    superfluous: Vec<Line>,
}

impl Granted {
    /// Computes the remit from the plugin's request, the command line and, where it does not decide, what is stored.
    ///
    /// # Errors
    /// When a mount is unknown, missing or unfit, or the grant file is wrong.
    pub fn decide(plugin: &Plugin, args: &args::Run, session: &Session, stored: &Stored) -> Result<Self> {
        let (grant, written) = match &args.grant {
            Some(path) => read_grant(path).map(|(grant, text)| (Some(grant), vec![text]))?,
            None if stored.is_empty() => (None, Vec::new()),
            None => (Some(stored.grant()?), stored.names()),
        };
        Self::of(plugin, session, grant.as_ref(), written, (&args.mounts, &args.limits))
    }

    /// Computes the remit of a connector, which has what was granted to it before, and nothing else.
    ///
    /// # Errors
    /// As [`Granted::decide`].
    pub fn stored(plugin: &Plugin, session: &Session, stored: &Stored) -> Result<Self> {
        Self::of(plugin, session, Some(&stored.grant()?), stored.names(), (&[], &[]))
    }

    fn of(
        plugin: &Plugin,
        session: &Session,
        grant: Option<&Grant>,
        written: Vec<String>,
        (mounts, limit_args): (&[MountArg], &[LimitArg]),
    ) -> Result<Self> {
        let asked = match plugin.manifest() {
            Some(manifest) => Asked::of(manifest.request(), mounts, grant, written)?,
            None => Asked::bare(mounts, grant, written)?,
        };
        let Asked { request, folders, granted, written } = asked;
        for folder in folders.values() {
            keep_out_of_home(folder, session.home())?;
        }
        let asked = as_mounted(&request, mounts);
        let granted = granted.map_or_else(|| Remit::from_request(&asked), |granted| Remit::from_grant(&granted));
        let config = config::read(session.home().path())?;
        let remit = Remit::effective(&asked, &granted, &config.ceiling).at(session.clock().now());
        let limits = limits(&request, grant, limit_args, &config);
        let values = plugin.manifest().map(|manifest| config.values.for_plugin(&manifest.name)).unwrap_or_default();
        let mut superfluous = unused(&request, &granted);
        // A grant that says nothing about the log does not narrow it.
        superfluous.retain(|line| line.capability != "log");
        Ok(Self { request, remit, folders, limits, values, written, superfluous })
    }

    /// Shows the remit on stderr, each capability with its reason.
    pub fn show(&self, plugin: &Plugin) {
        note(format!("{} may, in this run:", plugin.name()));
        let lines = self.remit.describe(plugin.manifest().is_some().then_some(&self.request));
        for line in lines.iter().filter(|line| line.capability != "log" || self.request.log.is_some()) {
            let folder = self.folder_of(&line.capability).map(|folder| format!(" = {}", folder.display()));
            let why = line.why.as_ref().map(|why| format!("  ({why})")).unwrap_or_default();
            note(format!("  {}: {}{}{why}", line.capability, line.scope, folder.unwrap_or_default()));
        }
        note("  and, as every plugin: log, read the clock, draw random numbers");
        for missing in missing(&self.request, &self.remit) {
            let has = missing.has.unwrap_or_else(|| "nothing".into());
            note(format!("  not granted: {} asks for {}, and has {has}", missing.capability, missing.wanted));
        }
        for line in &self.superfluous {
            note(format!("  granted and not requested, so without effect: {}: {}", line.capability, line.scope));
        }
    }

    fn folder_of(&self, capability: &str) -> Option<&PathBuf> {
        let name = capability.strip_prefix("files.")?;
        self.folders.iter().find(|(key, _)| key.as_str() == name).map(|(_, folder)| folder)
    }

    /// Tells whether the plugin requests something that somebody has to grant.
    pub fn asks_for_anything(&self) -> bool {
        let log = Remit::from_request(&Request { log: self.request.log.clone(), ..Request::default() });
        Remit::from_request(&self.request) != log
    }
}

/// Returns what the manifest asks for, or else the configuration says, within grant and ceiling; what the command line
/// says comes before all but the ceiling.
fn limits(request: &Request, grant: Option<&Grant>, args: &[LimitArg], config: &Config) -> Limits {
    let mut asked = config.limits.clone();
    asked.extend(request.limits.clone());
    let limits = Limits::requested(&asked);
    let limits = grant.map_or(limits.clone(), |grant| limits.bounded_by(&grant.limits));
    let limits = args.iter().fold(limits, |limits, limit| limits.with(limit.kind, limit.value));
    limits.bounded_by(&config.ceiling.limits)
}

fn read_grant(path: &Path) -> Result<(Grant, String)> {
    let text = std::fs::read_to_string(caller::path(path))
        .or_fail(Exit::Usage, format!("cannot read grant {}", path.display()))?;
    let grant = Grant::parse(&path.display().to_string(), &text);
    Ok((grant.map_err(|errors| Failure::from_error(Exit::Usage, errors))?, text))
}

/// Finds the folder of each requested files capability: a `--mount`, or the grant's `dir`.
fn bind(request: &Request, mounts: &[MountArg], grant: Option<&Grant>) -> Result<BTreeMap<Name, PathBuf>> {
    if let Some(unknown) = mounts.iter().find(|mount| !request.files.keys().any(|name| name.as_str() == mount.name)) {
        let names: Vec<&str> = request.files.keys().map(Name::as_str).collect();
        let known = if names.is_empty() { "no files".to_owned() } else { names.join(", ") };
        return Err(Failure::new(Exit::Usage, format!("--mount {}: the plugin requests {known}", unknown.name))
            .hint("the name before `=` is the one after `capabilities.files.` in remit.toml"));
    }
    let mut folders = BTreeMap::new();
    for (name, asked) in &request.files {
        if grant.is_some_and(|grant| !grant.files.contains_key(name)) {
            continue;
        }
        let given = mounts.iter().find(|mount| mount.name == name.as_str()).map(|mount| caller::path(&mount.dir));
        let granted = grant.and_then(|grant| grant.files.get(name)?.dir.as_ref().map(PathBuf::from));
        let folder = given.or(granted).ok_or_else(|| {
            let write = if asked.scope.access == Access::ReadWrite { ":rw" } else { "" };
            Failure::new(Exit::NotGranted, format!("files.{name} has no folder ({})", asked.why))
                .hint(format!("give it one with --mount {name}=DIR{write}"))
        })?;
        folders.insert(name.clone(), folder);
    }
    Ok(folders)
}

/// Returns the request for just what the mounts give: a folder mounted without `:rw` is only read.
fn as_mounted(request: &Request, mounts: &[MountArg]) -> Request {
    let mut asked = request.clone();
    for (name, files) in &mut asked.files {
        if let Some(mount) = mounts.iter().find(|mount| mount.name == name.as_str()) {
            files.scope.access = files.scope.access.min(mount.access);
        }
    }
    asked
}

/// What is asked for and what answers it, and the folders of both.
struct Asked {
    request: Request,
    folders: BTreeMap<Name, PathBuf>,
    /// Nothing: all that is requested is granted.
    granted: Option<Grant>,
    /// What was granted, for the run's header.
    written: Vec<String>,
}

impl Asked {
    fn of(request: &Request, mounts: &[MountArg], grant: Option<&Grant>, written: Vec<String>) -> Result<Self> {
        let folders = bind(request, mounts, grant)?;
        Ok(Self { request: request.clone(), folders, granted: grant.cloned(), written })
    }

    /// A bare component requests nothing, so what its operator grants is all there is to say: the grant, and the folders
    /// of the command line, of which the name is also the mount point.
    fn bare(mounts: &[MountArg], grant: Option<&Grant>, mut written: Vec<String>) -> Result<Self> {
        let (mounted, mut folders) = mounted(mounts)?;
        let Some(grant) = grant else { return Ok(Self { request: mounted, folders, granted: None, written }) };
        let mut request = Request::of_grant(grant);
        request.files.retain(|name, _| grant.files.get(name).is_some_and(|files| files.dir.is_some()));
        for name in request.files.keys() {
            let dir = grant.files.get(name).and_then(|files| files.dir.as_ref());
            folders.entry(name.clone()).or_insert_with(|| dir.map(PathBuf::from).unwrap_or_default());
        }
        request.files.extend(mounted.files.clone());
        let points = request.files.values().map(|asked| &asked.scope.mount);
        manifest::mount::check_disjoint(points).map_err(overlapping)?;
        // Written down too, so that it stays when one of the grants ends.
        let more = request_as_grant(&mounted);
        written.extend((!more.is_empty()).then_some(more.clone()));
        let more = Grant::parse("the mounts", &more).map_err(|errors| Failure::from_error(Exit::Usage, errors))?;
        let granted = grant.clone().amended_by(more).map_err(|shared| Failure::from_error(Exit::Usage, shared))?;
        Ok(Self { request, folders, granted: Some(granted), written })
    }
}

/// Returns the request for what the command line mounts, and the folders.
fn mounted(mounts: &[MountArg]) -> Result<(Request, BTreeMap<Name, PathBuf>)> {
    let mut points = Vec::new();
    for mount in mounts {
        let point: Mount = mount.name.parse().or_fail(Exit::Usage, format!("--mount {}", mount.name))?;
        points.push((point, mount.access));
    }
    let request = Request::of_mounts(points.iter().cloned()).map_err(overlapping)?;
    let mut folders = BTreeMap::new();
    for ((point, _), mount) in points.iter().zip(mounts) {
        let name = request.files.iter().find(|(_, asked)| asked.scope.mount == *point).map(|(name, _)| name.clone());
        folders.insert(name.expect("every mount is in the request made of them"), mount.dir.clone());
    }
    Ok((request, folders))
}

fn overlapping(overlap: manifest::mount::Overlap) -> Failure {
    Failure::from_error(Exit::NotGranted, overlap).hint("give each folder a mount point of its own")
}

/// Refuses a folder that holds this host's keys.
///
/// # Errors
/// When the folder is the home, lies in it or contains it.
pub fn keep_out_of_home(folder: &Path, home: &Home) -> Result<()> {
    if home.overlaps(folder).unwrap_or(false) {
        return Err(Failure::new(
            Exit::NotGranted,
            format!("{} holds this host's keys or lies among them", folder.display()),
        )
        .hint("mount a folder that neither contains the home nor lies in it; `remit home` prints where it is"));
    }
    Ok(())
}
