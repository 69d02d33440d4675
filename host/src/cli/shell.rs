//! What every command is given: the global flags, the clock, and the way to the home.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::report::{self, Result};
use crate::home::{self, Home, Wait};
use crate::time::Clock;

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
#[derive(Debug)]
pub struct Shell {
    globals: Globals,
    clock: Clock,
}

impl Shell {
    pub(super) fn new(globals: Globals) -> Self {
        let choice = match globals.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        Self { globals, clock: Clock::system() }
    }

    /// Returns an invocation that keeps its state in this folder.
    #[cfg(test)]
    pub(super) fn at(home: &std::path::Path) -> Self {
        Self::new(Globals { home: Some(home.to_owned()), no_wait: true, verbose: false, color: Color::Never })
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
        Ok(home::locate(self.globals.home.as_deref())?)
    }

    /// Opens the home, waiting for another process that holds it unless `--no-wait` was given. `command` is what
    /// others who wait are told, such as `remit run brief`.
    ///
    /// # Errors
    ///
    /// When the home is busy or cannot be used.
    pub fn open_home(&self, command: &str) -> Result<Home> {
        let path = self.home_path()?;
        let mut tell = |holder: &home::Holder| {
            report::note(format_args!("waiting for {holder}, which uses home {}", path.display()));
        };
        let wait = if self.globals.no_wait { Wait::No } else { Wait::Yes(&mut tell) };
        Ok(Home::open(&path, command, &self.clock, wait)?)
    }
}
