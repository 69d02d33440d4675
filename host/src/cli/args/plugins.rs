//! The arguments of the commands for plugins and grants.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgGroup, Args, ValueHint};
use semver::VersionReq;

use super::{MountArg, RunRef, mount};
use crate::journal::{GrantId, Settlement};
use crate::manifest::LastDay;

/// `remit install`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  remit install plugins/brief")]
pub struct Install {
    /// A folder with remit.toml, or a component file
    #[arg(value_hint = ValueHint::AnyPath)]
    pub plugin: PathBuf,
    /// Print what was installed as JSON
    #[arg(long)]
    pub json: bool,
}

/// `remit plugins`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  remit plugins --json")]
pub struct Plugins {
    /// Print the plugins as JSON
    #[arg(long)]
    pub json: bool,
}

/// `remit uninstall`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  remit uninstall brief")]
pub struct Uninstall {
    /// An installed plugin: its name or its identity
    pub plugin: String,
}

/// `remit grant`.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("scope").required(true).args(["line", "file", "requested"]),
    after_help = "Examples:
  remit grant brief --requested --mount notes=docs
  remit grant brief 'capabilities.kv = { access = \"read\", prefixes = [\"seen/\"] }'
  remit grant brief --file brief.grant.toml --amount '3 per day' --expires 2026-12-31"
)]
pub struct Grant {
    /// An installed plugin, a folder with remit.toml, or a component file
    pub plugin: String,
    /// What to grant, as TOML: the line that a refusal prints
    #[arg(value_name = "LINE")]
    pub line: Option<String>,
    /// Grant what this file says
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Grant everything the manifest requests
    #[arg(long)]
    pub requested: bool,
    /// Bind granted files to a folder, read-only unless `:rw`
    #[arg(long = "mount", value_name = "NAME=DIR[:rw]", value_parser = mount::parser())]
    pub mounts: Vec<MountArg>,
    /// Count calls: "3 per run", "3 per hour", "3 per day" or "3 in total"
    #[arg(long, value_name = "AMOUNT")]
    pub amount: Option<String>,
    /// The last day on which it holds, in UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub expires: Option<LastDay>,
    /// Hold for these versions rather than for this build; takes a plugin that its publisher signed
    #[arg(long, value_name = "RANGE")]
    pub versions: Option<VersionReq>,
    /// Print the grants as JSON
    #[arg(long)]
    pub json: bool,
}

/// `remit grants`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  remit grants brief
  remit grants --settle last:17=unused

A call that is counted reserves its amount before it is sent. If its host is killed before it is settled, nobody knows
whether it was sent, and it counts as used until somebody decides.")]
pub struct Grants {
    /// Only those of this plugin: its name or its identity
    pub plugin: Option<String>,
    /// Also those that ended or expired
    #[arg(long)]
    pub all: bool,
    /// Decide whether a call was sent whose host was killed: `used` or `unused`
    #[arg(long, value_name = "RUN:ENTRY=used|unused")]
    pub settle: Vec<Decision>,
    /// Print the grants as JSON
    #[arg(long)]
    pub json: bool,
}

/// What became of a call that was not settled.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Whose call.
    pub run: RunRef,
    /// The number of its intent.
    pub intent: u64,
    /// What of its claims was used.
    pub settlement: Settlement,
}

impl FromStr for Decision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').and_then(|(call, decided)| Some((call.rsplit_once(':')?, decided)));
        let ((run, intent), decided) = parts.ok_or("expected RUN:ENTRY=used or RUN:ENTRY=unused")?;
        let settlement = match decided {
            "used" => Settlement::Used,
            "unused" => Settlement::Only(0),
            _ => return Err(format!("expected used or unused after `=`, and found {decided:?}")),
        };
        let intent = intent.parse().map_err(|_| format!("{intent:?} is not the number of an entry"))?;
        Ok(Self { run: run.parse()?, intent, settlement })
    }
}

/// `remit revoke`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  remit revoke g3 --why 'the trial is over'

No effect that a grant allowed begins after this command has returned. While a run has the home, it waits for the end of
that run; to end it at once, interrupt it.")]
pub struct Revoke {
    /// Grants, as `remit grants` names them
    #[arg(required = true, value_name = "GRANT")]
    pub grants: Vec<GrantId>,
    /// Why, for whoever looks at it later
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
}

/// `remit explain`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  remit explain brief")]
pub struct Explain {
    /// An installed plugin, a folder with remit.toml, or a component file
    pub plugin: String,
    /// Print the explanation as JSON
    #[arg(long)]
    pub json: bool,
}
