//! The arguments of `remit config`.

use clap::Subcommand;

use super::Json;

/// `remit config`.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Print where the configuration is
    #[command(after_help = "Example:\n  $EDITOR \"$(remit config path)\"")]
    Path,
    /// Say what is wrong with the configuration, and what it names and is not there
    #[command(after_help = "Example:\n  remit config check --json")]
    Check(Json),
    /// Write a first configuration, in which every line is a comment
    #[command(after_help = "Example:\n  remit config init")]
    Init,
}
