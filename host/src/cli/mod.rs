//! The command line: parses it, hands each command its arguments, and turns what comes back into an exit code.
//!
//! `clap` is named only here and below. A command prints its result on stdout and everything else on stderr.

mod answer;
mod approvals;
pub mod args;
mod ask;
#[cfg(unix)]
mod attend;
#[cfg(unix)]
mod backend;
mod build;
mod caller;
mod check;
#[cfg(unix)]
mod commands;
mod completions;
mod config;
mod connectors;
mod crashtest;
mod diff;
mod doubt;
mod embedded;
pub mod exit;
mod explain;
mod export;
mod failures;
mod find;
#[cfg(unix)]
mod foreground;
mod fork;
#[cfg(unix)]
mod forward;
mod give;
mod grant;
mod grants;
mod home;
mod identity;
mod install;
mod loaded;
mod new;
mod outcome;
mod outfit;
mod output;
mod outward;
mod overlap;
mod park;
pub mod plugin;
mod plugins;
mod records;
mod remove;
mod replay;
pub mod report;
mod resume;
mod revoke;
mod run;
mod runs;
mod seats;
mod secret;
mod sections;
#[cfg(unix)]
mod serve;
mod session;
mod shell;
mod show;
mod signal;
mod signals;
mod stand_in;
mod start;
mod stored;
mod supervised;
mod table;
#[cfg(test)]
mod tests;
mod uninstall;
mod verify;
mod version;
mod wait;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use exit::Exit;
pub use shell::Shell;

use crate::telemetry;

/// Runs agents as WebAssembly components: inside a remit, metered, journaled and replayable.
#[derive(Debug, Parser)]
#[command(
    name = "remit",
    version = version::TEXT.as_str(),
    max_term_width = 100,
    subcommand_required = true,
    after_help = "Start with `remit new agent NAME`, or `remit help COMMAND` for one command.",
    after_long_help = exit::table()
)]
struct CommandLine {
    #[command(flatten)]
    globals: shell::Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say whether a plugin can run, what it imports and what it asks for
    Check(args::Check),
    /// Run an agent or a command
    ///
    /// Shows what the plugin asks for and, on a terminal, asks. The result goes to standard output, everything else
    /// to standard error. The run is recorded: `remit show last`, `remit replay last`.
    Run(args::Run),
    /// Serve a home: go on with every run of it, until it is ended by Ctrl-C or a request to terminate
    ///
    /// Runs that are queued, that were suspended and that an earlier host was killed under go on without being asked; those
    /// that are paused or in doubt wait for a person. When it is ended, it suspends everything, and exits with 0.
    #[cfg(unix)]
    Serve(args::Serve),
    /// Accept a run, print its id, and leave it to `remit serve` or `remit resume`
    ///
    /// It is checked and stored as `run` does it, and waits for its turn: those of a higher priority go first, and agents
    /// take turns. With --key it is started once, however often that is asked for.
    Start(args::Start),
    /// Pause a run: it goes on when somebody resumes it
    ///
    /// One that runs is paused at its next host call or slice of fuel.
    Pause(args::Pause),
    /// End a run
    ///
    /// One that runs ends at its next host call or slice of fuel. What it did stays done.
    Cancel(args::Cancel),
    /// List runs
    Runs(args::Runs),
    /// Show a run: its remit, its end, what it used
    Show(args::Show),
    /// Go on with a run that was interrupted, suspended or paused
    ///
    /// It is brought to where its record ends, and goes on from there: nothing that is recorded is done again, open
    /// files are opened again at their place, and timers keep their deadline. What its host was doing when it was killed
    /// is done again where that is harmless; else the run is in doubt, and `remit decide` says what became of it.
    Resume(args::Resume),
    /// Make a run that begins where another was once
    ///
    /// The fork's past is the other's record up to an entry, read through and not copied. From there on it is a run of its
    /// own, and parked until `remit resume`. It has no effects unless it is armed: files are read and not changed, nothing
    /// is sent, and what it stores is its own; a call that its parent made, too, is answered as that one was, and every
    /// other is refused. Prints the fork's id.
    Fork(args::Fork),
    /// Send a run a signal: a name, and JSON
    ///
    /// It is kept until the run asks for it, whether or not it waits for it now, and the run is told of it once. Those of
    /// one name come in the order in which they were sent.
    Signal(args::Signal),
    /// List what runs ask a person
    #[command(after_help = "Example:\n  remit approvals --json")]
    Approvals(args::Json),
    /// Approve what runs ask: all that is named, or nothing
    Approve(args::Approve),
    /// Deny what runs ask: all that is named, or nothing
    Deny(args::Deny),
    /// Say what became of an effect that is in doubt
    Decide(args::Decide),
    /// Run again against the record, and compare every call
    ///
    /// Nothing is performed and nothing is written: no files, no network, no clock.
    Replay(args::Replay),
    /// Show the first difference of two runs, and what followed from it
    ///
    /// Compared are what the runs called, what they were told, how they ended, and fuel where component and engine are the
    /// same. Exits with 0 when these are equal, and with 245 when they differ.
    Diff(args::Diff),
    /// Verify that a run's record is whole and signed
    Verify(args::Verify),
    /// Kill a plugin's runs at every entry, resume them, and say whether anything was done twice or not at all
    ///
    /// It runs in a home of its own, with copies of the folders, the same grants and connectors, and stand-ins that count for
    /// everything outside: nothing is sent, and requests are answered with 200 and `{}`, chats from a script. Each run is
    /// killed once it has recorded an entry, on disk or on its way there, and goes on. It has to end as one that nobody
    /// killed: with the same files, each idempotent write under one key, no other write sent twice, and a record that
    /// replays. Or it waits for a person, who is told what is in doubt.
    Crashtest(args::Crashtest),
    /// Write a run to a file that can be replayed and verified anywhere, without a home
    ///
    /// The bundle holds the run's record and those of the connectors that it called, with components, manifests, remits,
    /// inputs and everything else that they name. Secrets are in no record, and so in no bundle; what the run read and
    /// said is.
    Export(args::Export),
    /// Remove runs from the journal
    Rm(args::Remove),
    /// Install a plugin: keep its component and manifest, by digest
    ///
    /// The plugin is marked unsigned. It is run by its name from then on, and a later release of it keeps the earlier.
    Install(args::Install),
    /// List the installed plugins
    Plugins(args::Plugins),
    /// Uninstall a plugin and end its grants; its runs stay, and so does what it stored
    Uninstall(args::Uninstall),
    /// Grant a plugin what it asks for, or some of it, and keep that
    Grant(args::Grant),
    /// List grants
    Grants(args::Grants),
    /// Take grants back
    Revoke(args::Revoke),
    /// Say what a plugin may do and why: request, grant and ceiling
    Explain(args::Explain),
    /// Print this host's public key
    #[command(after_help = "Example:\n  remit verify last --key $(remit identity)")]
    Identity(args::Json),
    /// Show where state lives and how large it is
    #[command(after_help = "Example:\n  remit home --json")]
    Home(args::Json),
    /// Store secrets, and say which requests carry them
    #[command(subcommand, after_help = "Examples:\n  remit secret set crm-token < token.txt\n  remit secret list")]
    Secret(args::Secret),
    /// Look at the operator's configuration
    #[command(subcommand, after_help = "Examples:\n  remit config init\n  remit config check")]
    Config(args::Config),
    /// Write a new project
    #[command(subcommand)]
    New(New),
    /// Build a plugin's component
    ///
    /// Runs the manifest's [build] command, or cargo for wasm32-wasip2, and puts the component where the manifest
    /// says. The WIT of the connectors' interfaces that the manifest requests is written to connectors.wit first, once:
    /// remove the file, or name a connector's folder, to have it written anew.
    Build(args::Build),
    /// Print completions for a shell
    Completions(args::Completions),
    /// Print the exit codes
    #[command(hide = true, about = exit::table())]
    ExitCodes,
}

#[derive(Debug, Subcommand)]
enum New {
    /// Write an agent in Rust that builds and runs at once
    #[command(after_help = "Example:\n  remit new agent greeter && remit build greeter")]
    Agent(args::NewPlugin),
    /// Write a connector in Rust: an interface that agents call, and what answers it
    #[command(after_help = "Example:\n  remit new connector tracker && remit build tracker && remit install tracker")]
    Connector(args::NewPlugin),
}

/// Runs the command line of this process and returns its exit code.
pub fn main() -> ExitCode {
    run_arguments(std::env::args_os().collect()).into()
}

fn run_arguments(arguments: Vec<OsString>) -> Exit {
    let line = match CommandLine::parsed(arguments.clone()) {
        Ok(line) => line,
        Err(exit) => return exit,
    };
    let arguments = if line.command.is_for_hosts() { arguments } else { Vec::new() };
    let shell = Shell::new(line.globals, arguments);
    telemetry::start(shell.verbose());
    match shell.have_done() {
        Ok(()) => run_line(&shell, line.command),
        Err(failure) => ended(&failure),
    }
}

impl CommandLine {
    /// Parses a command line, or says what is wrong with it.
    fn parsed(arguments: impl IntoIterator<Item = OsString>) -> std::result::Result<Self, Exit> {
        Self::try_parse_from(arguments).map_err(|error| {
            let stream = if error.use_stderr() { caller::Stream::Stderr } else { caller::Stream::Stdout };
            // Nobody reading it is no failure.
            let _unread = caller::write_text(stream, &error.render().ansi().to_string());
            exit_of(&error)
        })
    }
}

impl Command {
    /// Tells whether the host of a home does it, where there is one: it needs the home for itself.
    fn is_for_hosts(&self) -> bool {
        use args::{RecordRef, Secret};
        match self {
            Self::Show(args::Show { run, .. })
            | Self::Replay(args::Replay { run, .. })
            | Self::Verify(args::Verify { run, .. }) => {
                matches!(run, RecordRef::Run(_))
            }
            Self::Secret(Secret::List(_)) => false,
            Self::Run(_)
            | Self::Start(_)
            | Self::Pause(_)
            | Self::Cancel(_)
            | Self::Runs(_)
            | Self::Resume(_)
            | Self::Decide(_)
            | Self::Fork(_)
            | Self::Signal(_)
            | Self::Approvals(_)
            | Self::Approve(_)
            | Self::Deny(_)
            | Self::Diff(_)
            | Self::Crashtest(_)
            | Self::Export(_)
            | Self::Rm(_)
            | Self::Install(_)
            | Self::Plugins(_)
            | Self::Uninstall(_)
            | Self::Grant(_)
            | Self::Grants(_)
            | Self::Revoke(_)
            | Self::Explain(_)
            | Self::Secret(_)
            | Self::Config(args::Config::Init) => true,
            #[cfg(unix)]
            Self::Serve(_) => false,
            Self::Check(_)
            | Self::Identity(_)
            | Self::Home(_)
            | Self::Config(_)
            | Self::New(_)
            | Self::Build(_)
            | Self::Completions(_)
            | Self::ExitCodes => false,
        }
    }
}

impl Command {
    /// Tells whether it has no guest to drive, so that also a host does it that has room for no more than its one run.
    #[cfg(unix)]
    fn is_light(&self) -> bool {
        !matches!(self, Self::Run(_) | Self::Start(_) | Self::Resume(_) | Self::Replay(_) | Self::Crashtest(_))
    }
}

/// Does a command, and reports its failure.
fn run_line(shell: &Shell, command: Command) -> Exit {
    dispatch(shell, command).unwrap_or_else(|failure| ended(&failure))
}

fn ended(failure: &report::Failure) -> Exit {
    report::report(failure);
    failure.exit()
}

/// Returns the end for what clap has to say: help and versions are answers, the rest is wrong usage.
fn exit_of(error: &clap::Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Ok,
        _ => Exit::Usage,
    }
}

fn dispatch(shell: &Shell, command: Command) -> report::Result {
    match command {
        Command::Check(args) => check::check(shell, &args),
        Command::Run(args) => run::run(shell, &args),
        #[cfg(unix)]
        Command::Serve(args) => serve::serve(shell, &args),
        Command::Start(args) => start::start(shell, &args),
        Command::Pause(args) => park::pause(shell, &args),
        Command::Cancel(args) => park::cancel(shell, &args),
        Command::Runs(args) => runs::runs(shell, &args),
        Command::Show(args) => show::show(shell, &args),
        Command::Resume(args) => resume::resume(shell, &args),
        Command::Fork(args) => fork::fork(shell, &args),
        Command::Signal(args) => signal::signal(shell, &args),
        Command::Approvals(args) => approvals::approvals(shell, &args),
        Command::Approve(args) => approvals::approve(shell, &args),
        Command::Deny(args) => approvals::deny(shell, &args),
        Command::Decide(args) => resume::decide(shell, &args),
        Command::Replay(args) => replay::replay(shell, &args),
        Command::Diff(args) => diff::diff(shell, &args),
        Command::Verify(args) => verify::verify(shell, &args),
        Command::Crashtest(args) => crashtest::crashtest(shell, &args),
        Command::Export(args) => export::export(shell, &args),
        Command::Rm(args) => remove::remove(shell, &args),
        Command::Install(args) => install::install(shell, &args),
        Command::Plugins(args) => plugins::plugins(shell, &args),
        Command::Uninstall(args) => uninstall::uninstall(shell, &args),
        Command::Grant(args) => give::grant(shell, &args),
        Command::Grants(args) => grants::grants(shell, &args),
        Command::Revoke(args) => revoke::revoke(shell, &args),
        Command::Explain(args) => explain::explain(shell, &args),
        Command::Identity(args) => identity::identity(shell, &args),
        Command::Home(args) => home::home(shell, &args),
        Command::Secret(command) => secret::secret(shell, &command),
        Command::Config(command) => config::config(shell, &command),
        Command::New(New::Agent(args)) => new::agent(&args),
        Command::New(New::Connector(args)) => new::connector(&args),
        Command::Build(args) => build::build(shell, &args),
        Command::Completions(args) => completions::completions::<CommandLine>(&args),
        Command::ExitCodes => report::print(exit::table()).map(|()| Exit::Ok),
    }
}
