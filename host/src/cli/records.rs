//! RUN or FILE on the command line: a run of the home, or the one in a bundle, which needs no home and touches none.

use std::ops::Deref;
use std::path::Path;
use std::rc::Rc;

use super::Shell;
use super::args::RecordRef;
use super::caller;
use super::exit::Exit;
use super::report::{Failure, Result};
use super::session::{Records, Session};
use crate::id::RunId;
use crate::journal::{self, Bundle, BundleError};

/// What to try when a bundle is not whole.
const ANOTHER_COPY: &str = "ask whoever sent the bundle for another copy, and do not believe this one";

/// Where a run was found that is only read.
pub enum Place {
    /// In the home.
    Home(Box<Session>),
    /// In a bundle.
    Bundle(Box<Records>),
}

impl Place {
    /// Opens the home or the bundle, and finds the run in it. `command` is what others who wait for the home are told.
    ///
    /// # Errors
    /// As [`Session::open`] and [`Records::find`]; when the bundle cannot be read.
    pub fn open(shell: &Shell, command: &str, named: &RecordRef) -> Result<(Self, RunId)> {
        Self::open_by(named, || Session::open(shell, command))
    }

    /// As [`Place::open`], for a command that needs the engine.
    ///
    /// # Errors
    /// Also when the platform cannot run the engine.
    pub fn with_host(shell: &Shell, command: &str, named: &RecordRef) -> Result<(Self, RunId)> {
        Self::open_by(named, || Session::with_host(shell, command))
    }

    /// As [`Place::open`], for two runs. A home that both are in is opened once.
    ///
    /// # Errors
    /// As [`Place::open`].
    pub fn open_two(shell: &Shell, command: &str, named: [&RecordRef; 2]) -> Result<[(Rc<Self>, RunId); 2]> {
        let [left, right] = named;
        let (first, run) = Self::open(shell, command, left)?;
        let (second, other) = match (&first, right) {
            (Self::Home(session), RecordRef::Run(name)) => (None, session.find(name)?),
            _ => Self::open(shell, command, right).map(|(place, run)| (Some(place), run))?,
        };
        let first = Rc::new(first);
        let second = second.map_or_else(|| first.clone(), Rc::new);
        Ok([(first, run), (second, other)])
    }

    fn open_by(named: &RecordRef, home: impl FnOnce() -> Result<Session>) -> Result<(Self, RunId)> {
        match named {
            RecordRef::Run(run) => {
                let session = home()?;
                let run = session.find(run)?;
                Ok((Self::Home(Box::new(session)), run))
            }
            RecordRef::Bundle(path) => {
                let Bundle { journal, run } = Bundle::open(&caller::path(path)).map_err(|error| unread(error, path))?;
                Ok((Self::Bundle(Box::new(Records::of(journal))), run))
            }
        }
    }

    /// Returns the failure for what the journal said: of a bundle, nobody here has a backup.
    pub fn failure(&self, error: journal::Error) -> Failure {
        let failure = Failure::from(error);
        match self {
            Self::Bundle(_) if failure.exit() == Exit::JournalDamaged => failure.hint(ANOTHER_COPY),
            _ => failure,
        }
    }

    /// Returns the runs that are there because of `run`: in a bundle, all others in it.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn others(&self, run: RunId) -> Result<Vec<RunId>> {
        let Self::Bundle(records) = self else { return Ok(Vec::new()) };
        let runs = records.journal().runs()?.into_iter().map(|summary| summary.id);
        Ok(runs.filter(|other| *other != run).collect())
    }
}

impl Deref for Place {
    type Target = Records;

    fn deref(&self) -> &Records {
        match self {
            Self::Home(session) => session,
            Self::Bundle(records) => records,
        }
    }
}

fn unread(error: BundleError, path: &Path) -> Failure {
    let failure = Failure::from(error).context(format_args!("cannot read {}", path.display()));
    match failure.exit() {
        Exit::JournalDamaged => failure.hint(ANOTHER_COPY),
        _ => failure,
    }
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        use BundleError as E;
        match error {
            E::Journal(error) => error.into(),
            E::Newer { .. } => Self::from_error(Exit::JournalDamaged, error).hint("use a newer Remit"),
            E::NotABundle => Self::from_error(Exit::Usage, error).hint("`remit export RUN -o FILE` writes one"),
            E::File(_) => Self::from_error(Exit::HostFailed, error),
            E::Damaged(_) | E::TooLarge { .. } => Self::from_error(Exit::JournalDamaged, error),
        }
    }
}
