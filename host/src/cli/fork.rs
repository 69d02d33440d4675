//! `remit fork`: a run that begins where another was once.

use super::Shell;
use super::args;
use super::exit::Exit;
use super::report::{Failure, Result, note, print};
use super::run::principal;
use super::session::Session;
use crate::agent::{Fork, ForkError, fork as make, recall};
use crate::id::RunId;
use crate::journal;

/// Makes the fork, and prints its id.
pub fn fork(shell: &Shell, args: &args::Fork) -> Result {
    let session = Session::open(shell, "remit fork")?;
    let run = session.find(&args.run)?;
    let recalled = recall(session.journal(), run)?;
    let functions = session.functions(&recalled.header)?;
    let set = args.set.iter().map(|set| (set.entry, set.value.clone())).collect();
    let asked = Fork { at: args.at, set, is_armed: args.armed, by: &principal() };
    let made = make(&recalled, &functions, asked, session.journal(), session.clock());
    let fork = made.map_err(|error| not_forked(run, error))?;
    print(format!("{fork}\n"))?;
    note(match args.armed {
        true => "it may have effects of its own: `remit resume last` goes on with it".to_owned(),
        false => format!("it has no effects, and is told what run {run} was: `remit resume last` goes on with it"),
    });
    session.close()?;
    Ok(Exit::Ok)
}

fn not_forked(run: RunId, error: ForkError) -> Failure {
    let hint = match &error {
        ForkError::InCall { begins, .. } => Some(format!("--at {begins} is before the call")),
        ForkError::Ended { end, .. } => Some(format!("--at {end} is the last place to go on from")),
        ForkError::Journal(journal::Error::NoSuchEntry { entries, .. }) => {
            Some(format!("--at is at most {entries}; `remit show {run} --calls` lists the entries"))
        }
        ForkError::NotACall(_) | ForkError::NoOutcome { .. } | ForkError::Value { .. } => {
            Some(format!("`remit show {run} --calls --json` has the outcomes that can be set, in their form"))
        }
        ForkError::SetTwice(_) | ForkError::SetLater { .. } => None,
        ForkError::Called { .. } | ForkError::HasCalled { .. } | ForkError::Journal(_) => None,
    };
    let failure = match error {
        ForkError::Journal(error) => Failure::from(error),
        error => Failure::from_error(Exit::Usage, error),
    };
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
