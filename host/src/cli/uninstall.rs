//! `remit uninstall`: forget a plugin and end its grants.
//!
//! It takes nothing from a run: each keeps its own component, manifest and remit, so that it can be shown, verified and
//! replayed as before. What it wrote to kv stays too, for the identity to find when it is installed again.

use super::Shell;
use super::args;
use super::exit::Exit;
use super::find;
use super::report::{Result, note, print};
use super::run::principal;
use super::session::Session;
use crate::journal::Ended;

/// Uninstalls every release of a plugin.
pub fn uninstall(shell: &Shell, args: &args::Uninstall) -> Result {
    let session = Session::open(shell, &format!("remit uninstall {}", args.plugin))?;
    let newest = find::installed(session.journal(), &args.plugin)?.newest;
    let why = Some("uninstalled".to_owned());
    let ended = Ended { at: session.clock().now(), by: principal(), replaced_by: None, why };
    let gone = session.journal().uninstall(&newest.identity, ended)?;
    let releases = if gone.releases == 1 { "1 release".to_owned() } else { format!("{} releases", gone.releases) };
    print(format!("uninstalled {}: {releases} of {}\n", newest.name, newest.identity))?;
    if !gone.grants.is_empty() {
        let ids: Vec<String> = gone.grants.iter().map(ToString::to_string).collect();
        note(format!("its grants ended: {}", ids.join(", ")));
    }
    let unfinished = unfinished(&session, &newest.identity)?;
    if unfinished > 0 {
        note(format!("unfinished runs of it: {unfinished}; they can be replayed, and are granted nothing any more"));
    }
    session.close()?;
    Ok(Exit::Ok)
}

fn unfinished(session: &Session, identity: &str) -> Result<usize> {
    let runs = session.journal().runs()?;
    Ok(runs.iter().filter(|run| !super::runs::is_over(run) && run.header.plugin.identity == identity).count())
}
