//! `remit run`: load, grant, run, and say what happened.

use std::collections::BTreeMap;

use super::Shell;
use super::args::{self, Input};
use super::ask;
use super::caller::{self, Stream};
use super::connectors::{self, Resolved};
use super::exit::Exit;
use super::find::Named;
use super::give::Answers;
use super::grant::Granted;
use super::loaded::Loaded;
use super::output::Output;
use super::outward::outward;
use super::plugin::Plugin;
use super::report::{Failure, Result, note};
use super::session::Session;
use super::stand_in;
use super::supervised::answered;
use super::wait::Foreground;
use crate::agent::{Agent, Launch, LaunchError, Outward, Stop, accept, cancel};
use crate::engine::World;
use crate::meter::{LimitKind, Limits};

/// Runs the plugin and returns how the process ends.
pub fn run(shell: &Shell, args: &args::Run) -> Result {
    let named = Named::read(shell, &args.plugin)?;
    let session = Session::with_host(shell, &format!("remit run {}", named.name()))?;
    let plugin = named.plugin(session.journal(), &args.plugin)?.runnable()?;
    let exit = run_in(&session, &plugin, args)?;
    session.close()?;
    Ok(exit)
}

/// A run that was decided on, and is ready to be accepted.
pub struct Prepared {
    /// Its plugin, linked.
    pub agent: Loaded,
    /// Everything that decides it.
    pub launch: Launch,
    outward: Outward,
    resolved: Resolved,
}

/// Checks a plugin, asks for what is not granted, and finds all that the run may reach.
///
/// # Errors
/// When the plugin cannot run, is not granted what it needs, or its input is wrong.
pub fn prepare(session: &Session, plugin: &Plugin, args: &args::Run) -> Result<Prepared> {
    let what = plugin.component_path.display().to_string();
    let agent = session.agent(&plugin.component, &what)?;
    check_kind(plugin, agent.world())?;
    connectors::check_requested(plugin, agent.imports())?;
    let granted = ask::decide(&Answers { session, plugin }, args)?;
    let resolved = connectors::resolve(session, plugin, agent.imports(), &granted.remit, &args.connectors)?;
    let agent = match agent.imports().is_empty() {
        true => agent,
        false => connectors::agent(session, plugin, &what, &resolved.links)?,
    };
    let outward = outward(session, &plugin.identity.to_string(), &granted.remit)?;
    let mut launch = launch(plugin, &agent, args, granted)?;
    if stand_in::file_of(session.home()).is_some() {
        launch.seed = stand_in::SEED;
    }
    Ok(Prepared { agent, launch, outward, resolved })
}

fn run_in(session: &Session, plugin: &Plugin, args: &args::Run) -> Result {
    let Prepared { agent, launch, outward, resolved } = prepare(session, plugin, args)?;
    let engine = session.host()?.engine().fingerprint();
    let by = principal();
    let stop = Stop::by_principal(&by);
    let (session, _answering) = answered(session)?;
    let (patience, crash) = (args.patience.time, &args.crash);
    let foreground = Foreground {
        session: &session,
        agent: &agent,
        outward: &outward,
        resolved: &resolved,
        by: &by,
        stop: &stop,
        patience,
        crash,
    };
    let mut shown = Output::new(agent.world(), args.json);
    let (id, end) = session.block_on(&stop, async {
        let accepted =
            accept(launch, &agent, engine, session.journal(), session.clock().clone()).map_err(not_started)?;
        let accepted = args.crash.applied_to(accepted.with(&outward));
        let connectors = resolved.connectors.iter();
        let accepted = connectors.fold(accepted, |accepted, all| accepted.calling(all, &resolved.links));
        let id = accepted.id;
        let claimed = session.claim(id, &stop);
        if claimed.is_err() {
            // Whoever asked is told to ask again, so this one is not to go on by itself. A host that ends may find it still.
            let why = Some("its host was ending when it was accepted");
            let _cancelled = cancel(session.journal(), id, &by, why, session.clock());
        }
        let _claim = claimed?;
        note(format!("run {id}"));
        let end = accepted.run(&agent, &stop, &mut |stream, bytes| shown.show(stream, bytes)).await?;
        Ok::<_, Failure>((id, foreground.see_through(id, end, &mut shown).await?))
    })??;
    shown.conclude(&session, id, &end)
}

/// Refuses a component that is not what its manifest says, because a person granted what the manifest says.
fn check_kind(plugin: &Plugin, world: World) -> Result<()> {
    match plugin.manifest().map(|manifest| manifest.kind.word()) {
        None if world == World::Connector => {
            let message = format!("{} is a connector, which runs only for those who call it", plugin.name());
            Err(Failure::new(Exit::PluginUnfit, message))
        }
        Some(kind) if kind != world.kind() => {
            let message =
                format!("{} says it is kind {kind:?}, and its component is a {}", plugin.name(), world.kind());
            Err(Failure::new(Exit::PluginUnfit, message)
                .hint("correct `kind` in remit.toml, or build the right component"))
        }
        _ => Ok(()),
    }
}

fn launch(plugin: &Plugin, agent: &Agent, args: &args::Run, granted: Granted) -> Result<Launch> {
    let input = input(agent.world(), args, &granted.limits)?;
    if agent.world() == World::Agent && !args.arguments.is_empty() {
        return Err(Failure::new(Exit::Usage, "an agent takes no arguments").hint("give its input with --input JSON"));
    }
    let arguments = std::iter::once(plugin.program_name()).chain(args.arguments.iter().cloned()).collect();
    let labels = args.labels.iter().map(|label| (label.key.clone(), label.value.clone())).collect();
    Ok(Launch { input, arguments, labels, ..launch_of(plugin, granted)? })
}

/// Returns what starts a plugin with what was granted, and nothing to read.
///
/// # Errors
/// When the system has no randomness.
pub fn launch_of(plugin: &Plugin, granted: Granted) -> Result<Launch> {
    Ok(Launch {
        identity: plugin.identity.to_string(),
        name: plugin.name(),
        version: plugin.manifest().map(|manifest| manifest.version.to_string()),
        component: plugin.component.clone(),
        manifest: plugin.declared.as_ref().map(|declared| declared.text.clone()).unwrap_or_default(),
        grants: granted.written,
        remit: granted.remit,
        mounts: granted.folders,
        values: granted.values,
        limits: granted.limits,
        input: Vec::new(),
        arguments: Vec::new(),
        principal: principal(),
        labels: BTreeMap::new(),
        seed: new_seed()?,
    })
}

/// Draws the seed of a run.
///
/// # Errors
/// When the system has no randomness.
fn new_seed() -> Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Failure::new(Exit::HostFailed, format!("no randomness: {error}")))?;
    Ok(seed)
}

/// Reads an agent's JSON, or a command's standard input: what is piped in, and nothing from a terminal.
fn input(world: World, args: &args::Run, limits: &Limits) -> Result<Vec<u8>> {
    let size_max = limits[LimitKind::Payload];
    match (world, &args.input) {
        (World::Agent, Some(input)) => Ok(input.read_json(size_max)?.into_bytes()),
        (World::Agent, None) => Ok(b"{}".to_vec()),
        (World::Command, Some(input)) => input.read(size_max),
        (World::Command, None) if caller::is_terminal(Stream::Stdin) => Ok(Vec::new()),
        (World::Command, None) => Input::Stdin.read(size_max),
        (World::Connector, _) => Ok(Vec::new()),
    }
}

/// Returns who asked: the user of this process, or of the client that it does a command for, by name.
pub fn principal() -> String {
    if let Some(client) = caller::client() {
        return client.principal().to_owned();
    }
    let name = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|variable| std::env::var(variable).ok());
    format!("local:{}", name.unwrap_or_else(|| "unknown".into()))
}

/// Says why a run was not accepted.
pub fn not_started(error: LaunchError) -> Failure {
    match error {
        LaunchError::Journal(error) => error.into(),
        LaunchError::InputNotText => Failure::from_error(Exit::Usage, error),
        error => Failure::from_error(Exit::NotGranted, error)
            .hint("mounts are existing folders, not links, none inside another; see `remit help run`"),
    }
}
