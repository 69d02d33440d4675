//! `remit rm`: forget runs, and what only they refer to.

use super::Shell;
use super::args;
use super::exit::Exit;
use super::report::{Result, note};
use super::session::Session;

/// Removes the runs; those before one that does not exist are removed.
pub fn remove(shell: &Shell, args: &args::Remove) -> Result {
    let session = Session::open(shell, "remit rm")?;
    for name in &args.runs {
        let run = session.find(name)?;
        session.journal().remove(run)?;
        note(format!("removed run {run}"));
    }
    Ok(Exit::Ok)
}
