//! `remit start`: accept a run that waits for its turn.

use serde_json::json;

use super::Shell;
use super::args;
use super::exit::Exit;
use super::find::Named;
use super::plugin::Plugin;
use super::report::{Failure, Result, note, print, print_json};
use super::run::{Prepared, not_started, prepare};
use super::session::Session;
use crate::agent::{LaunchError, Queueing, queue};
use crate::id::RunId;
use crate::journal;

/// Accepts the run and prints its id.
pub fn start(shell: &Shell, args: &args::Start) -> Result {
    let named = Named::read(shell, &args.run.plugin)?;
    let session = Session::with_host(shell, &format!("remit start {}", named.name()))?;
    let plugin = named.plugin(session.journal(), &args.run.plugin)?.runnable()?;
    let exit = start_in(&session, &plugin, args)?;
    session.close()?;
    Ok(exit)
}

/// A run that was asked for.
pub struct Started {
    /// The run.
    pub run: RunId,
    /// Whether it was not there before: with a key, it may have been.
    pub is_new: bool,
}

/// Accepts a run that waits for its turn.
///
/// # Errors
/// As `remit run`, before a run has begun; with [`Exit::Usage`] where the key stands for something else.
pub fn accept(session: &Session, plugin: &Plugin, args: &args::Start) -> Result<Started> {
    if let Some(supervisor) = session.supervisor() {
        supervisor.has_room()?;
    }
    let Prepared { agent, launch, .. } = prepare(session, plugin, &args.run)?;
    let queueing = Queueing { key: args.key.clone(), priority: args.priority };
    let engine = session.host()?.engine().fingerprint();
    match queue(launch, &queueing, &agent, engine, session.journal(), session.clock().clone()) {
        Ok(run) => {
            session.supervisor().map_or(Ok(()), |supervisor| supervisor.enqueue(run))?;
            Ok(Started { run, is_new: true })
        }
        Err(LaunchError::Journal(journal::Error::AlreadyStarted(run))) => Ok(Started { run, is_new: false }),
        Err(LaunchError::Journal(error @ journal::Error::StartKeyTaken { .. })) => {
            Err(Failure::from_error(Exit::Usage, error).hint("use another key for another run"))
        }
        Err(error) => Err(not_started(error)),
    }
}

fn start_in(session: &Session, plugin: &Plugin, args: &args::Start) -> Result {
    let Started { run, is_new } = accept(session, plugin, args)?;
    match args.run.json {
        true => print_json(&json!({ "run": run, "is-new": is_new }))?,
        false => print(format!("{run}\n"))?,
    }
    match is_new {
        true if session.supervisor().is_some() => note("queued: it runs when it is its turn"),
        true => note(format!("queued: `remit serve` runs it, or `remit resume {run}`")),
        false => note("started before with this key"),
    }
    Ok(Exit::Ok)
}
