//! What the host says about itself while it works: tracing events on stderr, for whoever looks for a mistake.
//!
//! It is not the record of a run; that is the journal's.

use tracing_subscriber::EnvFilter;

/// The variable that chooses what is logged, in the syntax of tracing-subscriber's `EnvFilter`.
pub const VARIABLE: &str = "REMIT_LOG";

/// Begins to print events: what [`VARIABLE`] says; else warnings, and with `verbose` what the host does as well.
pub fn start(verbose: bool) {
    let usual = if verbose { "remit=debug" } else { "warn" };
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(usual));
    // A second start in one process keeps the first.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().try_init();
}
