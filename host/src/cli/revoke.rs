//! `remit revoke`: take a grant back, before the command returns.
//!
//! One process has the home at a time, and a run holds it until it ends. So a revocation waits for the run that another
//! process has, and says for whom; once it is made, there is no process that could act on the grant. Within the process
//! that has the home, the count of changes has gone up by then, and whoever judges calls looks at it.

use super::Shell;
use super::args;
use super::exit::Exit;
use super::report::{Result, print};
use super::run::principal;
use super::session::Session;
use super::stored::words;
use crate::journal::Ended;

/// Revokes the grants; those before one that does not hold are revoked.
pub fn revoke(shell: &Shell, args: &args::Revoke) -> Result {
    let session = Session::open(shell, "remit revoke")?;
    for id in &args.grants {
        let ended = Ended { at: session.clock().now(), by: principal(), replaced_by: None, why: args.why.clone() };
        let revoked = session.journal().revoke(*id, ended)?;
        let (capability, scope) = words(&revoked.grant);
        print(format!("revoked {id} of {}: {capability}: {scope}\n", revoked.grant.plugin))?;
    }
    session.close()?;
    Ok(Exit::Ok)
}
