//! Starting a run: between a plugin with its remit, the journal's header, and an [`Agent`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::parked;
use super::queued::Queueing;
use super::{Agent, Connectors, Given, Links, Sink, Stop};
use crate::capability::config;
use crate::capability::connector::route::Route;
use crate::capability::files::{self, MountSpec, Mounts};
use crate::capability::model::Models;
use crate::capability::wasi::http::Network;
use crate::capability::{Caps, Start};
use crate::digest::{Content, Digest};
use crate::engine::{FUEL_SLICE, World};
use crate::gate::{End, FuelRule, Live, Outcome, Standing, Tip};
use crate::id::RunId;
use crate::journal::{self, Cause, Header, Journal, Payload, Plugin};
use crate::manifest::Name;
use crate::meter::{LimitKind, Limits};
use crate::scope::{Access, Remit};
use crate::time::Clock;

/// Everything that decides a run, checked and ready.
#[derive(Clone)]
pub struct Launch {
    /// Who the plugin is: kv belongs to this identity.
    pub identity: String,
    /// The plugin's name, for people.
    pub name: String,
    /// The plugin's version, where it has a manifest.
    pub version: Option<String>,
    /// The component, which the journal keeps so that the run can be replayed.
    pub component: Content,
    /// The manifest's text; empty for a bare component.
    pub manifest: String,
    /// The grants that the remit came from, as the operator wrote them.
    pub grants: Vec<String>,
    /// What the run may do.
    pub remit: Remit,
    /// The operator's folder for each of the remit's files, by name.
    pub mounts: BTreeMap<Name, PathBuf>,
    /// What the operator set for the plugin, granted or not.
    pub values: config::Values,
    /// The run's limits.
    pub limits: Limits,
    /// JSON for an agent, standard input for a command.
    pub input: Vec<u8>,
    /// A command's arguments, its name first.
    pub arguments: Vec<String>,
    /// Who asked for the run.
    pub principal: String,
    /// Labels that the operator put on the run.
    pub labels: BTreeMap<String, String>,
    /// The run's random seed.
    pub seed: [u8; 32],
}

/// Why a run was not started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// A capability of the remit has no folder.
    #[error("files.{name} is in the remit, and no folder is mounted for it")]
    NotMounted {
        /// The capability.
        name: Name,
    },
    /// A folder cannot be mounted.
    #[error(transparent)]
    Mount(#[from] files::Error),
    /// An agent's input must be text.
    #[error("the input of an agent is JSON, and this is not UTF-8")]
    InputNotText,
    /// The journal did not take the run.
    #[error(transparent)]
    Journal(#[from] journal::Error),
}

/// A run's ways out of this host. By default it has none.
#[derive(Clone, Default)]
pub struct Outward {
    /// Sends requests. Without one, what the run may send is not sent.
    pub network: Option<Arc<dyn Network>>,
    /// Answers for each tier of models. Without it, no tier is known.
    pub models: Option<Arc<Models>>,
}

/// A run that was accepted: its header is durable.
pub struct Accepted {
    /// The run.
    pub id: RunId,
    pub(super) given: Given,
    pub(super) live: Live<Caps>,
    /// Where a run that is resumed goes on.
    pub(super) resumed: Option<Resumed>,
}

/// Where a run goes on that was there before.
pub(super) struct Resumed {
    pub journal: Journal,
    pub clock: Clock,
    pub reader: journal::Reader,
    pub rule: FuelRule,
    pub tip: Tip,
    /// Who resumed it.
    pub by: String,
    /// How long it was driven before.
    pub ran: Duration,
}

/// Opens the mounts, writes the header and returns the run, ready to go.
///
/// # Errors
/// [`LaunchError`]; nothing is recorded then.
pub fn accept(
    launch: Launch,
    agent: &Agent,
    engine: Digest,
    journal: &Journal,
    clock: Clock,
) -> Result<Accepted, LaunchError> {
    accept_for(launch, agent, engine, journal, clock, Reason::Asked)
}

/// Why a run is accepted.
pub(super) enum Reason<'a> {
    /// Somebody asks for it, and drives it at once.
    Asked,
    /// Somebody asks for it, and it waits for its turn.
    Queued(&'a Queueing),
    /// A connector is called because of this entry.
    Called(Cause),
}

/// As [`accept`], for this reason.
pub(super) fn accept_for(
    launch: Launch,
    agent: &Agent,
    engine: Digest,
    journal: &Journal,
    clock: Clock,
    reason: Reason<'_>,
) -> Result<Accepted, LaunchError> {
    let launch = within_quota(launch);
    let mounts = open_mounts(&launch.remit, &launch.mounts, Access::ReadWrite)?;
    let header = header(&launch, agent.world(), engine, &clock);
    let header = match reason {
        Reason::Asked => header,
        Reason::Queued(Queueing { key, priority, .. }) => {
            Header { start_key: key.clone(), priority: *priority, ..header }
        }
        Reason::Called(cause) => Header { cause: Some(cause), ..header },
    };
    let given = given(agent.world(), &launch.remit, &header, launch.input.clone())?;
    let standing = Standing::of(journal, launch.remit.clone(), &launch.grants, &launch.manifest, header.accepted)?;
    let writer = journal.accept(&header, &blobs(&launch, &header))?;
    let id = writer.id();
    let quotas = launch.remit.files().iter().map(|files| files.quota()).collect();
    let caps = Caps { mounts, quotas, values: launch.values, ..Caps::default() };
    let live = Live::new(caps, writer, agent.functions(), standing, launch.limits, clock);
    Ok(Accepted { id, given, live, resumed: None })
}

/// Returns what the header names by digest.
fn blobs(launch: &Launch, header: &Header) -> Vec<Content> {
    let (manifest, remit) = (Content::of(launch.manifest.as_bytes()), Content::of(launch.remit.canonical()));
    let mut blobs = vec![launch.component.clone(), manifest, remit];
    if matches!(header.input, Payload::Blob { .. }) {
        blobs.push(Content::of(launch.input.as_slice()));
    }
    blobs
}

/// Bounds the kv limit by the quota in the remit.
fn within_quota(mut launch: Launch) -> Launch {
    if let Some(quota) = launch.remit.kv().and_then(|kv| kv.quota()) {
        let total = launch.limits[LimitKind::KvTotal].min(quota);
        launch.limits = launch.limits.with(LimitKind::KvTotal, total);
    }
    launch
}

impl Accepted {
    /// Gives the run a way out to the network. Without one, what it may send is not sent.
    #[must_use]
    pub fn reaching(mut self, network: Arc<dyn Network>) -> Self {
        self.live.caps.network = Some(network);
        self
    }

    /// Says who answers for each tier of models. Without it, no tier is known.
    #[must_use]
    pub fn asking(mut self, models: Arc<Models>) -> Self {
        self.live.caps.models = Some(models);
        self
    }

    /// Gives the run its ways out.
    #[must_use]
    pub fn with(mut self, outward: &Outward) -> Self {
        let Outward { network, models } = outward.clone();
        (self.live.caps.network, self.live.caps.models) = (network, models);
        self
    }

    /// Has this process be killed once the run has recorded an entry: for trying out what is left after a crash.
    #[must_use]
    pub fn dying_after(self, entry: u64, death: journal::Death) -> Self {
        self.live.journal().borrow_mut().die_after(entry, death);
        self
    }

    /// Gives the run a way to connectors that is not [`Connectors`]'.
    #[must_use]
    pub fn routed(mut self, connectors: Arc<dyn Route>) -> Self {
        self.live.caps.connectors = Some(connectors);
        self
    }

    /// Gives the run the connectors that it may call.
    #[must_use]
    pub fn calling(mut self, connectors: &Arc<Connectors>, links: &Arc<Links>) -> Self {
        let since = self.resumed.as_ref().map(|resumed| resumed.tip.calls);
        connectors.serve(self.id, &mut self.live, links, since);
        self
    }

    /// Runs to the end. See [`Agent::run`].
    ///
    /// # Errors
    /// [`journal::Error`] when the journal fails underneath the run.
    pub async fn run(self, agent: &Agent, stop: &Stop, sink: Sink<'_>) -> Result<End, journal::Error> {
        let run = self.id;
        let resumed = self.resumed.as_ref().map(|resumed| (resumed.journal.clone(), resumed.clock.clone()));
        let end = agent.run(self, stop, sink).await?;
        match (resumed, stop.order()) {
            // It was stopped on the way to the end of its record.
            (Some((journal, clock)), Some(order)) if matches!(end.outcome, Outcome::Suspended { .. }) => {
                parked::turn(&journal, run, order, end, &clock)
            }
            _ => Ok(end),
        }
    }
}

/// Opens the folders of a remit, each with what it allows, and with `most` at most.
pub(super) fn open_mounts(
    remit: &Remit,
    folders: &BTreeMap<Name, PathBuf>,
    most: Access,
) -> Result<Mounts, LaunchError> {
    let mut specs = Vec::new();
    for files in remit.files() {
        let not_mounted = || LaunchError::NotMounted { name: files.name().clone() };
        let host_dir = folders.get(files.name()).cloned().ok_or_else(not_mounted)?;
        let guest_path = files.mount().map_or_else(|| files.name().to_string(), ToString::to_string);
        let access = if most == Access::Read { most } else { files.access() };
        specs.push(MountSpec { name: files.name().to_string(), guest_path, host_dir, access });
    }
    Ok(Mounts::open(specs)?)
}

fn guest_paths(remit: &Remit) -> Vec<String> {
    let paths = remit.files().iter();
    paths.map(|files| files.mount().map_or_else(|| files.name().to_string(), ToString::to_string)).collect()
}

fn header(launch: &Launch, world: World, engine: Digest, clock: &Clock) -> Header {
    Header {
        accepted: clock.now(),
        armed: None,
        args: launch.arguments.clone(),
        cause: None,
        component: launch.component.digest(),
        cut: None,
        engine: engine.to_string(),
        fuel_slice: FUEL_SLICE,
        grants: launch.grants.clone(),
        host_version: env!("CARGO_PKG_VERSION").to_owned(),
        input: Payload::of(&launch.input),
        labels: launch.labels.clone(),
        limits: serde_json::to_value(&launch.limits).expect("limits are numbers by name"),
        manifest: Digest::of(launch.manifest.as_bytes()),
        mounts: named_folders(&launch.mounts),
        parent: None,
        parent_head: None,
        plugin: Plugin {
            identity: launch.identity.clone(),
            kind: world.kind().to_owned(),
            name: launch.name.clone(),
            version: launch.version.clone(),
        },
        principal: launch.principal.clone(),
        priority: 0,
        remit: launch.remit.digest(),
        seed: launch.seed,
        start_key: None,
        tenant: None,
        extra: BTreeMap::new(),
    }
}

/// Returns the folders as a run that is resumed elsewhere finds them.
fn named_folders(mounts: &BTreeMap<Name, PathBuf>) -> BTreeMap<String, String> {
    let named = |(name, folder): (&Name, &PathBuf)| {
        let folder = std::path::absolute(folder).ok()?.into_os_string().into_string().ok()?;
        Some((name.to_string(), folder))
    };
    mounts.iter().filter_map(named).collect()
}

pub(super) fn given(world: World, remit: &Remit, header: &Header, input: Vec<u8>) -> Result<Given, LaunchError> {
    let limits: Limits = serde_json::from_value(header.limits.clone()).unwrap_or_default();
    let (input, stdin) = match world {
        World::Agent => (String::from_utf8(input).map_err(|_| LaunchError::InputNotText)?, Vec::new()),
        World::Command | World::Connector => (String::new(), input),
    };
    let start = Start {
        seed: header.seed,
        arguments: header.args.clone(),
        stdin: stdin.into(),
        preopens: guest_paths(remit),
        config_keys: remit.config().iter().map(ToString::to_string).collect(),
        payload_max: limits[LimitKind::Payload],
    };
    Ok(Given { input, start, limits })
}
