//! `remit pause` and `remit cancel`: what a person makes of a run.

use super::Shell;
use super::args;
use super::exit::Exit;
use super::report::{Failure, Result, note};
use super::run::principal;
use super::session::Session;
use crate::agent::{ParkError, cancel as cancel_parked, pause as pause_parked};
use crate::lifecycle::State;

/// Pauses a run.
pub fn pause(shell: &Shell, args: &args::Pause) -> Result {
    let session = Session::open(shell, "remit pause")?;
    let run = session.find(&args.run)?;
    let why = args.why.as_deref().unwrap_or("asked for");
    pause_parked(session.journal(), run, &principal(), why, session.clock()).map_err(not_parked)?;
    note(format!("run {run} is paused: `remit resume {run}` goes on with it"));
    session.close()?;
    Ok(Exit::Ok)
}

/// Ends a run.
pub fn cancel(shell: &Shell, args: &args::Cancel) -> Result {
    let session = Session::open(shell, "remit cancel")?;
    let run = session.find(&args.run)?;
    cancel_parked(session.journal(), run, &principal(), args.why.as_deref(), session.clock()).map_err(not_parked)?;
    note(format!("run {run} is cancelled; what it did stays done"));
    session.close()?;
    Ok(Exit::Ok)
}

fn not_parked(error: ParkError) -> Failure {
    match error {
        ParkError::Recall(error) => error.into(),
        ParkError::Called { cause, .. } => {
            let hint = format!("pause or cancel run {}, which called it", cause.run);
            Failure::from_error(Exit::NotResumable, error).hint(hint)
        }
        ParkError::Unlawful { run, now, .. } => {
            let hint = match now {
                State::InDoubt => format!("`remit show {run}` says what is in doubt, and `remit decide` decides it"),
                State::Paused => format!("`remit resume {run}` goes on with it, and `remit cancel {run}` ends it"),
                _ => "`remit runs` lists the runs and their states".to_owned(),
            };
            Failure::from_error(Exit::NotResumable, error).hint(hint)
        }
    }
}
