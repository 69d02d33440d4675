//! What every command is given: the global flags, the clock, and the way to the home.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};

#[cfg(unix)]
use super::forward;
use super::report::{self, Result};
use super::session::Session;
use crate::home::{self, Home, HomeError, Wait};
use crate::time::Clock;

/// How long to wait before a home that is in use is looked at again.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Globals {
    /// Keep state in this folder; otherwise in REMIT_HOME, or the platform's data folder
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    home: Option<PathBuf>,
    /// Fail at once when another process uses the home, instead of waiting for it
    #[arg(long, global = true)]
    no_wait: bool,
    /// Say more about what is done
    #[arg(long, short, global = true)]
    verbose: bool,
    /// When to use colours
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    color: Color,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    /// On a terminal
    Auto,
    /// Also into files and pipes
    Always,
    /// Nowhere
    Never,
}

/// One invocation of `remit`.
pub struct Shell {
    globals: Globals,
    clock: Clock,
    /// The command line, for a host to do it; nothing where no host does it.
    arguments: Vec<OsString>,
    /// The home that the host serves that this is done by.
    session: Option<Session>,
}

impl Shell {
    pub(super) fn new(globals: Globals, arguments: Vec<OsString>) -> Self {
        let choice = match globals.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        Self { globals, clock: Clock::system(), arguments, session: None }
    }

    /// Returns what a host does for a client, in the home that it serves.
    #[cfg(unix)]
    pub(super) fn of_client(globals: Globals, session: Session) -> Self {
        Self { globals, clock: session.clock().clone(), arguments: Vec::new(), session: Some(session) }
    }

    /// Returns the home that is open already, where a host does this.
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Returns an invocation that keeps its state in this folder.
    #[cfg(test)]
    pub(super) fn at(home: &std::path::Path) -> Self {
        let globals = Globals { home: Some(home.to_owned()), no_wait: true, verbose: false, color: Color::Never };
        Self::new(globals, Vec::new())
    }

    /// Returns the process's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Tells whether the person wants to know more.
    pub fn verbose(&self) -> bool {
        self.globals.verbose
    }

    /// Returns the home's folder, which may not exist yet.
    ///
    /// # Errors
    ///
    /// When neither a flag nor the environment nor the platform names one.
    pub fn home_path(&self) -> Result<PathBuf> {
        match &self.session {
            Some(session) => Ok(session.home().path().to_owned()),
            None => Ok(home::locate(self.globals.home.as_deref())?),
        }
    }

    /// Opens the home, waiting for another process that holds it unless `--no-wait` was given. If that one serves the home
    /// meanwhile, it does the command. `command` is what others who wait are told, such as `remit run brief`.
    ///
    /// # Errors
    ///
    /// When the home is busy or cannot be used; when a host has done the command.
    pub fn open_home(&self, command: &str) -> Result<Arc<Home>> {
        if let Some(session) = &self.session {
            return Ok(session.shared_home());
        }
        let path = self.home_path()?;
        let opened = Home::open(&path, command, &self.clock, Wait::No);
        match opened {
            Err(HomeError::Busy { holder, .. }) if !self.globals.no_wait => self.wait_for(&path, command, &holder),
            opened => Ok(Arc::new(opened?)),
        }
    }

    /// Waits until whoever holds the home has given it back, or does the command.
    fn wait_for(&self, path: &Path, command: &str, holder: &home::Holder) -> Result<Arc<Home>> {
        report::note(format_args!("waiting for {holder}, which uses home {}", path.display()));
        loop {
            self.have_done()?;
            std::thread::sleep(LOOK_EVERY);
            match Home::open(path, command, &self.clock, Wait::No) {
                Err(HomeError::Busy { .. }) => {}
                opened => return Ok(Arc::new(opened?)),
            }
        }
    }

    /// Has the host of the home do the command, if there is one that does.
    ///
    /// # Errors
    /// The end of the command, if it was done; and when the host cannot be asked.
    pub(super) fn have_done(&self) -> Result<()> {
        #[cfg(unix)]
        if !self.arguments.is_empty()
            && let forward::Forwarded::Done(exit) = forward::forward(&self.home_path()?, &self.arguments)?
        {
            return Err(report::Failure::done(exit));
        }
        Ok(())
    }
}
