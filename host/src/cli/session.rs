//! What the commands that touch runs share: the home, the journal, the engine and its cache, each made when first
//! needed.

use std::cell::OnceCell;
use std::path::Path;

use super::Shell;
use super::args::RunRef;
use super::exit::Exit;
use super::report::{Failure, Result};
use super::signals::Signals;
use crate::agent::{Agent, Host, PrepareError, RecallError, Stop};
use crate::digest::Digest;
use crate::engine::{Cache, Engine, PoolSize};
use crate::home::Home;
use crate::id::RunId;
use crate::journal::{self, Journal};
use crate::time::Clock;

/// One command's view of a home.
pub struct Session {
    home: Home,
    journal: Journal,
    clock: Clock,
    host: OnceCell<Host>,
    cache: OnceCell<Cache>,
}

impl Session {
    /// Opens home and journal. `command` is what others who wait for the home are told.
    ///
    /// # Errors
    /// When the home is busy, or the key or the journal cannot be opened.
    pub fn open(shell: &Shell, command: &str) -> Result<Self> {
        let home = shell.open_home(command)?;
        let key = home.signing_key()?;
        let path = home.journal_path();
        let journal =
            Journal::open(&path, key, &journal::Options::default()).map_err(|error| unopened(error, &path))?;
        Ok(Self { home, journal, clock: shell.clock().clone(), host: OnceCell::new(), cache: OnceCell::new() })
    }

    /// Returns the home.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Returns the journal.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Returns where time comes from.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns the engine with everything linked.
    ///
    /// # Errors
    /// When the platform cannot run the engine.
    pub fn host(&self) -> Result<&Host> {
        if let Some(host) = self.host.get() {
            return Ok(host);
        }
        let engine = Engine::new(PoolSize::default()).map_err(|error| {
            Failure::from_error(Exit::HostFailed, error).hint("the engine reserves address space; look at `ulimit -v`")
        })?;
        Ok(self.host.get_or_init(|| Host::new(engine)))
    }

    /// Makes an agent of a component, compiled at most once in the life of the home.
    ///
    /// # Errors
    /// When the component cannot be started; `what` is what the message calls it.
    pub fn agent(&self, bytes: &[u8], what: &str) -> Result<Agent> {
        let cache = match self.cache.get() {
            Some(cache) => cache,
            None => {
                let cache = Cache::new(self.home.cache_dir(), self.home.cache_key()?);
                self.cache.get_or_init(|| cache)
            }
        };
        let agent = self.host()?.prepare(bytes, cache).map_err(|error| unfit(error, what))?;
        let stats = cache.stats();
        tracing::debug!(hits = stats.hits, compiled = stats.compiled, "compiled-component cache");
        Ok(agent)
    }

    /// Returns the run that the command line names.
    ///
    /// # Errors
    /// When there is no such run, or more than one.
    pub fn find(&self, name: &RunRef) -> Result<RunId> {
        let hint = "`remit runs` lists the runs of this home";
        match name {
            RunRef::Last => self.journal.last()?.ok_or_else(|| {
                Failure::new(Exit::NoSuchRun, "there is no run yet").hint("start one with `remit run PLUGIN`")
            }),
            RunRef::Id(id) => Ok(*id),
            RunRef::Prefix(prefix) => {
                self.journal.find(prefix).map_err(|error| Failure::from_error(Exit::NoSuchRun, error).hint(hint))
            }
        }
    }

    /// Reads a blob that a run's header names.
    ///
    /// # Errors
    /// When the journal does not hold it.
    pub fn blob(&self, digest: Digest) -> Result<Vec<u8>> {
        Ok(self.journal.blob(digest)?)
    }

    /// Drives a future to its end on this thread; from before its start, the signals that end a run go to `stop`.
    ///
    /// # Errors
    /// When the system gives no runtime or no signals.
    pub fn block_on<T>(&self, stop: &Stop, work: impl Future<Output = T>) -> Result<T> {
        let failed = |error| Failure::from_error(Exit::HostFailed, error);
        // The worker hears signals also while this thread waits for somebody to read its output.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.map_err(failed)?.block_on(async {
            tokio::spawn(Signals::listen().map_err(failed)?.stop(stop.clone()));
            Ok(work.await)
        })
    }

    /// Closes the journal, so that the next command opens it without looking for a crash.
    ///
    /// # Errors
    /// When the last commit fails.
    pub fn close(self) -> Result<()> {
        Ok(self.journal.close()?)
    }
}

fn unopened(error: journal::Error, path: &Path) -> Failure {
    use journal::Error as E;
    let is_told = matches!(error, E::Busy(_) | E::NewerFormat { .. } | E::ReadOnly(_) | E::DiskFull);
    let is_damaged = matches!(error, E::Damaged(_));
    match Failure::from(error) {
        failure if is_told => failure,
        failure => {
            let failure = failure.context(format_args!("cannot open {}", path.display()));
            if is_damaged { failure.hint("restore a backup, or move the file away to begin anew") } else { failure }
        }
    }
}

fn unfit(error: PrepareError, what: &str) -> Failure {
    let hint = error.hint();
    Failure::from_error(Exit::PluginUnfit, error).context(what).hint(hint)
}

impl From<journal::Error> for Failure {
    fn from(error: journal::Error) -> Self {
        use journal::Error as E;
        let (exit, hint) = match &error {
            E::Busy(_) => (Exit::HomeBusy, Some("wait for the other process")),
            E::NewerFormat { .. } => (Exit::JournalDamaged, Some("use the Remit that wrote this home, or a newer one")),
            E::Damaged(_) | E::BadSignature { .. } => (
                Exit::JournalDamaged,
                Some("the other runs may be whole: `remit verify RUN` checks one; restore a backup"),
            ),
            E::NoSuchRun(_) => (Exit::NoSuchRun, Some("`remit runs` lists the runs of this home")),
            E::DiskFull => (Exit::HostFailed, Some("make room and run again; what was recorded is whole")),
            E::ReadOnly(_) => (Exit::HostFailed, Some("give --home a folder that can be written")),
            _ => (Exit::HostFailed, None),
        };
        let failure = Self::from_error(exit, error);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<RecallError> for Failure {
    fn from(error: RecallError) -> Self {
        match error {
            RecallError::Journal(error) => error.into(),
            error => Self::from_error(Exit::JournalDamaged, error),
        }
    }
}
