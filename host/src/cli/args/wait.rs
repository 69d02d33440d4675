//! What a run waits for: how long the command stays, and what it is sent.

use std::time::Duration;

use clap::Args;

use super::{Input, RunRef};
use crate::manifest::{Name, quantity};

/// How long a command in the foreground stays with a run that waits.
#[derive(Clone, Copy, Debug, Args)]
pub struct Patience {
    /// Stay for a sleep that is over within this time; for a longer one the run is left suspended
    #[arg(long = "patience", value_name = "DURATION", default_value = "1h", value_parser = duration)]
    pub time: Duration,
}

/// `remit signal`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  remit signal last paid '{\"amount\": 3}'\n  remit signal 0192f approved @answer.json"
)]
pub struct Signal {
    /// A run: its id, the beginning of it, or `last`
    pub run: RunRef,
    /// The signal's name
    pub name: Name,
    /// What it says, at most 64 KiB: text, @FILE, or @- for standard input; without it, null
    #[arg(value_name = "JSON|@FILE|@-", allow_hyphen_values = true)]
    pub payload: Option<Input>,
}

/// `remit approve`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  remit approve 3f9c2b17a0d4 81d00c")]
pub struct Approve {
    /// Proposals: their ids as `remit approvals` prints them, or the beginnings of these
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
}

/// `remit deny`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  remit deny 3f9c2b17a0d4 --why 'ask the customer first'")]
pub struct Deny {
    /// Proposals: their ids as `remit approvals` prints them, or the beginnings of these
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
    /// Why, which the agent is told
    #[arg(long, value_name = "TEXT")]
    pub why: String,
}

fn duration(text: &str) -> Result<Duration, String> {
    quantity::parse_duration(text).map(Duration::from_millis).map_err(|wrong| wrong.to_string())
}
