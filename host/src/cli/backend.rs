//! What the shell does for callers of the host's API: the commands' own work, with JSON in and out.

use std::os::unix::net::UnixStream;
use std::path::Path;

use clap::Parser as _;
use serde_json::{Value as Json, json};

use super::args::RunRef;
use super::attend::attend;
use super::commands::Commands;
use super::exit::Exit;
use super::find::Named;
use super::report::Failure;
use super::resume::{Decided, decide_in};
use super::run::principal;
use super::session::Session;
use super::start::{Started, accept};
use super::{Command, CommandLine, args, runs, show};
use crate::api::{Backend, Decide, Decision, Fault, Start};
use crate::id::RunId;

/// The shell, for a host that lives long.
pub struct Desk {
    /// The home.
    pub session: Session,
    /// What it does for clients.
    pub commands: Commands,
}

impl Backend for Desk {
    fn find(&self, named: &str) -> Result<RunId, Fault> {
        let named: RunRef = named.parse().map_err(|wrong| fault(&Failure::new(Exit::NoSuchRun, wrong)))?;
        Ok(self.session.find(&named)?)
    }

    fn runs(&self, len_max: usize) -> Result<Json, Fault> {
        let runs = self.session.journal().runs().map_err(Failure::from)?;
        Ok(runs.iter().rev().take(len_max).map(runs::json).collect())
    }

    fn show(&self, run: RunId, with_calls: bool) -> Result<Json, Fault> {
        let summary = self.session.journal().summary(run).map_err(Failure::from)?;
        Ok(show::report(&self.session, &summary, with_calls)?)
    }

    fn bundle(&self, run: RunId) -> Result<Vec<u8>, Fault> {
        let mut bundle = Vec::new();
        self.session.journal().export(run, &mut bundle).map_err(Failure::from)?;
        Ok(bundle)
    }

    fn start(&self, start: Start) -> Result<Json, Fault> {
        let args = arguments(&start)?;
        let named = Named::of_caller(&start.plugin)?;
        let plugin = named.plugin(self.session.journal(), Path::new(&start.plugin))?.runnable()?;
        let Started { run, is_new } = accept(&self.session, &plugin, &args)?;
        Ok(json!({ "run": run, "is-new": is_new }))
    }

    fn decide(&self, run: RunId, decide: Decide) -> Result<(), Fault> {
        let asked = match decide.decision {
            Decision::Done => Decided::Done(decide.value),
            Decision::Retry => Decided::Retry,
            Decision::Fail => Decided::Fail,
        };
        decide_in(&self.session, run, decide.entry, asked)?;
        Ok(())
    }

    fn attend(&self, stream: UnixStream) {
        // Whose connection ends before anything has begun looks again.
        let Some(_under_way) = self.commands.begin() else { return };
        if let Err(error) = attend(&self.session, stream) {
            tracing::debug!("a client was not attended to: {error}");
        }
    }

    fn principal(&self) -> String {
        principal()
    }
}

/// Reads what is asked for as the command line does.
fn arguments(start: &Start) -> Result<args::Start, Fault> {
    let mut line = vec!["remit".to_owned(), "start".to_owned(), start.plugin.clone()];
    let lists = [
        ("mount", &start.mounts),
        ("limit", &start.limits),
        ("label", &start.labels),
        ("connector", &start.connectors),
    ];
    line.extend(lists.iter().flat_map(|(flag, values)| values.iter().map(move |value| format!("--{flag}={value}"))));
    line.extend(start.input.iter().map(|input| format!("--input={input}")));
    line.extend(start.key.iter().map(|key| format!("--key={key}")));
    line.extend(start.allow_requested.then(|| "--allow-requested".to_owned()));
    line.extend([format!("--priority={}", start.priority), "--".to_owned()]);
    line.extend(start.arguments.iter().cloned());
    let wrong = |message: String| fault(&Failure::new(Exit::Usage, message));
    let parsed = CommandLine::try_parse_from(line).map_err(|error| wrong(first_line(&error)))?;
    let Command::Start(args) = parsed.command else { return Err(wrong("it is no start of a run".into())) };
    match args.run.mounts.iter().find(|mount| !mount.dir.is_absolute()) {
        Some(mount) => Err(wrong(format!("the folder of mount {} is not an absolute path", mount.name))),
        None => Ok(args),
    }
}

/// Returns what clap has to say, without its usage.
fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("error: ").unwrap_or(first).to_owned()
}

/// Says for a caller of the API why a command failed.
fn fault(failure: &Failure) -> Fault {
    let (message, hint) = failure.parts();
    let status = match failure.exit() {
        Exit::Usage => 400,
        Exit::NotGranted => 403,
        Exit::NoSuchRun => 404,
        Exit::NotResumable | Exit::Parked => 409,
        Exit::PluginUnfit => 422,
        Exit::HomeBusy => 503,
        _ => 500,
    };
    Fault { kind: failure.exit().name(), status, message, hint }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        fault(&failure)
    }
}
