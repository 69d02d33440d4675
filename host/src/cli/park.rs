//! `remit pause` and `remit cancel`: what a person makes of a run, whoever drives it.

use super::Shell;
use super::args;
use super::exit::Exit;
use super::report::{Result, note};
use super::run::principal;
use super::session::Session;
use crate::agent::{Order, StopTo};

/// Pauses a run.
pub fn pause(shell: &Shell, args: &args::Pause) -> Result {
    let session = Session::open(shell, "remit pause")?;
    let run = session.find(&args.run)?;
    session.stop(run, &Order { to: StopTo::Paused, by: principal(), why: args.why.clone() })?;
    note(format!("run {run} is paused: `remit resume {run}` goes on with it"));
    session.close()?;
    Ok(Exit::Ok)
}

/// Ends a run.
pub fn cancel(shell: &Shell, args: &args::Cancel) -> Result {
    let session = Session::open(shell, "remit cancel")?;
    let run = session.find(&args.run)?;
    session.stop(run, &Order { to: StopTo::Cancelled, by: principal(), why: args.why.clone() })?;
    note(format!("run {run} is cancelled; what it did stays done"));
    session.close()?;
    Ok(Exit::Ok)
}
