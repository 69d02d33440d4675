//! The command line: every argument of every command, parsed into types that the commands trust.

mod config;
mod input;
mod mount;
mod plugins;
mod secret;
mod setting;
mod wait;

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueHint};

pub use config::Config;
pub use input::Input;
pub use mount::MountArg;
pub use plugins::{Decision, Explain, Grant, Grants, Install, Plugins, Revoke, Uninstall};
pub use secret::{Secret, SecretBind, SecretUnbind};
pub use setting::{Choice, Label, LimitArg, Outcome, PublicKey, RecordRef, RunRef};
pub use wait::{Approve, Deny, Patience, Signal};

use crate::agent::Accepted;
use crate::journal::Death;

/// `remit check`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  remit check plugins/brief")]
pub struct Check {
    /// A folder with remit.toml, or a component file
    #[arg(value_hint = ValueHint::AnyPath)]
    pub plugin: PathBuf,
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
}

/// `remit run`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  remit run examples/hello --input '{\"name\": \"Ada\"}' --allow-requested
  remit run plugins/brief --mount notes=docs --mount out=report:rw --allow-requested
  remit run tool.wasm --mount .=data:rw -- --sort names.txt < input.txt")]
pub struct Run {
    #[command(flatten)]
    pub crash: Crash,
    /// A folder with remit.toml, a component file, or the name of an installed plugin
    #[arg(value_hint = ValueHint::AnyPath)]
    pub plugin: PathBuf,
    /// The input: text, @FILE, or @- for standard input. JSON for an agent; a command reads it on its standard input
    #[arg(long, value_name = "JSON|@FILE|@-", allow_hyphen_values = true)]
    pub input: Option<Input>,
    /// Bind files the plugin asks for to a folder, read-only unless `:rw`; for a bare component NAME is the mount point
    #[arg(long = "mount", value_name = "NAME=DIR[:rw]", value_parser = mount::parser())]
    pub mounts: Vec<MountArg>,
    /// Grant everything the manifest requests, without asking
    #[arg(long, conflicts_with = "grant")]
    pub allow_requested: bool,
    /// Grant what this file says
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub grant: Option<PathBuf>,
    /// Set a limit, such as memory=512MiB, wall-time=10m or fuel=5000000000
    #[arg(long = "limit", value_name = "KEY=VALUE")]
    pub limits: Vec<LimitArg>,
    /// Which installed connector answers an interface that several export, such as acme:tracker/issues=tracker
    #[arg(long = "connector", value_name = "INTERFACE=PLUGIN")]
    pub connectors: Vec<Choice>,
    /// Put a label on the run, for `remit show` to print
    #[arg(long = "label", value_name = "KEY=VALUE")]
    pub labels: Vec<Label>,
    #[command(flatten)]
    pub patience: Patience,
    /// Print result and usage as JSON
    #[arg(long)]
    pub json: bool,
    /// Arguments of a command, after `--`
    #[arg(last = true, value_name = "ARGS")]
    pub arguments: Vec<String>,
}

/// `remit crashtest`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  remit crashtest plugins/brief --mount notes=docs --mount out=report:rw --allow-requested
  remit crashtest triage --most 20")]
pub struct Crashtest {
    #[command(flatten)]
    pub run: Run,
    /// Kill at so many entries at most, spread evenly; at each in two ways
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub most: u64,
}

/// `remit serve`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  remit serve & remit start plugins/brief --allow-requested")]
pub struct Serve {}

/// `remit start`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  remit start plugins/brief --mount notes=docs --mount out=report:rw --allow-requested
  remit start brief --key nightly-2026-03-01 --priority 10")]
pub struct Start {
    #[command(flatten)]
    pub run: Run,
    /// Start it once: asked for again with the same key, the same run is meant, and nothing new is started
    #[arg(long, value_name = "KEY", value_parser = setting::start_key)]
    pub key: Option<String>,
    /// Where it stands among those that wait, from -100 to 100: a higher one goes first
    #[arg(long, value_name = "N", default_value_t = 0, allow_hyphen_values = true,
        value_parser = clap::value_parser!(i8).range(-100..=100))]
    pub priority: i8,
}

/// `remit pause`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  remit pause 0192f --why 'the tracker is down'")]
pub struct Pause {
    /// A run: its id, the beginning of it, or `last`
    pub run: RunRef,
    /// Why, for whoever looks at it
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
}

/// `remit cancel`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  remit cancel 0192f --why 'not needed any more'")]
pub struct Cancel {
    /// A run: its id, the beginning of it, or `last`
    pub run: RunRef,
    /// Why, for whoever looks at it
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
}

/// Where a run is killed whose crashes are tried out.
#[derive(Debug, Args)]
pub struct Crash {
    /// Kill this process once the run has recorded this entry
    #[arg(long = "crash-after", value_name = "ENTRY", hide = true)]
    pub after: Option<u64>,
    /// Kill it at once, and not when the entry is on disk
    #[arg(long = "crash-suddenly", requires = "after", hide = true)]
    pub suddenly: bool,
}

impl Crash {
    /// Has the run die where that is asked for.
    pub fn applied_to(&self, accepted: Accepted) -> Accepted {
        let death = if self.suddenly { Death::Sudden } else { Death::Durable };
        match self.after {
            Some(entry) => accepted.dying_after(entry, death),
            None => accepted,
        }
    }
}

/// `remit runs`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  remit runs --limit 5")]
pub struct Runs {
    /// Show at most this many, newest first
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// Print the runs as JSON
    #[arg(long)]
    pub json: bool,
}

/// `remit show`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  remit show last --calls\n  remit show incident.remit")]
pub struct Show {
    /// A run: its id, the beginning of it, or `last`; or the file of a bundle
    #[arg(default_value = "last", value_name = "RUN|FILE", value_hint = ValueHint::FilePath)]
    pub run: RecordRef,
    /// List every host call
    #[arg(long)]
    pub calls: bool,
    /// Print the run as JSON
    #[arg(long)]
    pub json: bool,
}

/// `remit resume`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  remit resume last")]
pub struct Resume {
    #[command(flatten)]
    pub crash: Crash,
    /// A run: its id, the beginning of it, or `last`
    #[arg(default_value = "last")]
    pub run: RunRef,
    /// Which installed connector answers an interface that several export, such as acme:tracker/issues=tracker
    #[arg(long = "connector", value_name = "INTERFACE=PLUGIN")]
    pub connectors: Vec<Choice>,
    #[command(flatten)]
    pub patience: Patience,
    /// Print result and usage as JSON
    #[arg(long)]
    pub json: bool,
}

/// `remit fork`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  remit fork last --at 41 && remit resume last
  remit fork 0192f --at 41 --set '41=[{\"ok\": \"another answer\"}]'")]
pub struct Fork {
    /// A run: its id, the beginning of it, or `last`
    pub run: RunRef,
    /// The entry that the fork is the first to have of its own: what comes before is its past
    #[arg(long, value_name = "ENTRY")]
    pub at: u64,
    /// Have an entry up to there have this outcome, as `remit show --calls --json` prints it; what follows is the fork's own
    #[arg(long = "set", value_name = "ENTRY=JSON")]
    pub set: Vec<Outcome>,
    /// Let it have effects: without this, it is told what its parent was, or refused
    #[arg(long)]
    pub armed: bool,
}

/// `remit decide`.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("decision").required(true).args(["done", "retry", "fail"]),
    after_help = "Examples:
  remit decide last 41 --retry
  remit decide last 41 --done '{\"ok\": {\"status\": 201, \"headers\": [], \"body\": \"\", \"trailers\": null}}'
  remit decide 0192f 41 --fail"
)]
pub struct Decide {
    /// A run: its id, the beginning of it, or `last`
    pub run: RunRef,
    /// The entry that is in doubt, as `remit show` says
    pub entry: u64,
    /// It was done, with this outcome: JSON of the function's type, as `remit show --calls --json` prints outcomes
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub done: Option<String>,
    /// It was not done: it is done again when the run goes on
    #[arg(long)]
    pub retry: bool,
    /// The run ends as failed
    #[arg(long)]
    pub fail: bool,
}

/// `remit replay`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  remit replay last\n  remit replay 0192f --with target/new.wasm\n  remit replay incident.remit"
)]
pub struct Replay {
    /// A run: its id, the beginning of it, or `last`; or the file of a bundle
    #[arg(default_value = "last", value_name = "RUN|FILE", value_hint = ValueHint::FilePath)]
    pub run: RecordRef,
    /// Replay with this component instead; fuel is then reported and not compared
    #[arg(long, value_name = "COMPONENT", value_hint = ValueHint::FilePath)]
    pub with: Option<PathBuf>,
    /// Print the comparison as JSON
    #[arg(long)]
    pub json: bool,
}

/// `remit diff`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  remit diff 0192f4 last\n  remit diff incident.remit last --json")]
pub struct Diff {
    /// A run: its id, the beginning of it, or `last`; or the file of a bundle
    #[arg(value_name = "RUN|FILE", value_hint = ValueHint::FilePath)]
    pub left: RecordRef,
    /// The run that it is compared with
    #[arg(value_name = "RUN|FILE", value_hint = ValueHint::FilePath)]
    pub right: RecordRef,
    /// Print the comparison as JSON
    #[arg(long)]
    pub json: bool,
}

/// `remit verify`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  remit verify last --key $(remit identity)
  remit verify incident.remit --key ed25519:2d5c…")]
pub struct Verify {
    /// A run: its id, the beginning of it, or `last`; or the file of a bundle
    #[arg(default_value = "last", value_name = "RUN|FILE", value_hint = ValueHint::FilePath)]
    pub run: RecordRef,
    /// The public key to verify with, as `remit identity` prints it; without it, this host's, and for a bundle none
    #[arg(long, value_name = "KEY")]
    pub key: Option<PublicKey>,
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
}

/// `remit export`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  remit export last -o incident.remit")]
pub struct Export {
    /// A run: its id, the beginning of it, or `last`
    pub run: RunRef,
    /// The file to write, such as incident.remit
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
    /// Replace the file where there is one
    #[arg(long)]
    pub force: bool,
    /// Print what was written as JSON
    #[arg(long)]
    pub json: bool,
}

/// `remit rm`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  remit rm 0192f4 0192f5")]
pub struct Remove {
    /// Runs: their ids, the beginnings of them, or `last`
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<RunRef>,
}

/// `remit approvals`, `remit identity` and `remit home`.
#[derive(Debug, Args)]
pub struct Json {
    /// Print the answer as JSON
    #[arg(long)]
    pub json: bool,
}

/// `remit new agent` and `remit new connector`.
#[derive(Debug, Args)]
pub struct NewPlugin {
    /// The plugin's name: letters a-z, digits and -
    #[arg(allow_hyphen_values = true)]
    pub name: String,
    /// The folder to write; without it, one with the plugin's name
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub path: Option<PathBuf>,
}

/// `remit build`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  remit build plugins/brief\n  remit build examples/triage --connector plugins/tracker"
)]
pub struct Build {
    /// A folder with remit.toml
    #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
    pub plugin: PathBuf,
    /// Take the WIT of requested interfaces from this connector's folder, in place of connectors.wit or an installed one
    #[arg(long = "connector", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub connectors: Vec<PathBuf>,
}

/// `remit completions`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  remit completions bash > ~/.local/share/bash-completion/completions/remit")]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}
