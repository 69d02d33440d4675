//! `remit signal`: tells a run that something has happened.

use super::Shell;
use super::args;
use super::exit::Exit;
use super::report::{Failure, Result, note};
use super::run::principal;
use super::session::Session;
use crate::agent::{SendError, send};
use crate::journal::{self, Arrival, SIGNAL_MAX, Signal};

/// Sends the signal.
pub fn signal(shell: &Shell, args: &args::Signal) -> Result {
    let payload = match &args.payload {
        Some(input) => input.read_json(SIGNAL_MAX as u64)?,
        None => "null".to_owned(),
    };
    let session = Session::open(shell, "remit signal")?;
    let run = session.find(&args.run)?;
    let signal = Signal { at: session.clock().now(), by: principal(), name: args.name.clone(), payload };
    let arrival = send(session.journal(), run, signal).map_err(|error| match error {
        SendError::Ended(_) => Failure::from_error(Exit::NotResumable, error).context(format_args!("run {run}")),
        SendError::Journal(error @ (journal::Error::TooManySignals { .. } | journal::Error::NotJson(_))) => {
            Failure::from_error(Exit::Usage, error)
        }
        SendError::Journal(error) => error.into(),
    })?;
    let is_hosted = session.look_again();
    note(match arrival {
        Arrival::Awaited if is_hosted => format!("run {run} waited for this, and goes on"),
        Arrival::Awaited => format!("run {run} waited for this: `remit resume {run}` goes on with it"),
        Arrival::Kept => format!("kept for run {run} until it asks for signal {}", args.name),
    });
    session.close()?;
    Ok(Exit::Ok)
}
