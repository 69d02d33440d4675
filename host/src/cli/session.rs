//! What the commands that touch runs share: the home, the journal, the engine and its cache, each made when first
//! needed.

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::Shell;
use super::args::RunRef;
use super::caller;
use super::exit::Exit;
use super::loaded::Loaded;
use super::report::{Failure, Result};
use super::seats::Seats;
use super::signals;
use crate::agent::{Connected, Host, PrepareError, SEATS_MAX, Stop};
use crate::digest::{Content, Digest};
use crate::engine::{Cache, Engine, PoolSize};
use crate::gate::Functions;
use crate::home::{Home, cache_key};
use crate::id::RunId;
use crate::journal::{self, Header, Journal};
use crate::manifest::Kind;
use crate::scope::Remit;
use crate::supervisor::Supervisor;
use crate::time::Clock;

/// One command's view of a home. In a host that lives long, all commands share one.
#[derive(Clone)]
pub struct Session {
    shared: Arc<Shared>,
    clock: Clock,
    /// All runs, in a host that lives long.
    supervisor: Option<Supervisor>,
}

/// An open home.
struct Shared {
    home: Arc<Home>,
    records: Records,
}

/// One command's view of recorded runs: those of a home, or those of a bundle.
pub struct Records {
    journal: Journal,
    cache: Cache,
    /// Left to the end of the process, as agents are: taking engine, pool and linked functions apart takes longer than
    /// a short run.
    host: LazyHost,
    /// For connectors, which live at the same time as their caller. Only a run that has some pays for their pool.
    callees: LazyHost,
    /// How many runs may be live at once.
    runs_max: u32,
    /// Whether the process goes on after this command.
    is_lasting: bool,
    /// Those of them that commands drive themselves.
    seats: Seats,
    /// Whether the signals that end a run are heeded.
    heeded: OnceLock<()>,
}

type LazyHost = OnceLock<ManuallyDrop<Host>>;

impl Session {
    /// Opens home and journal. `command` is what others who wait for the home are told.
    ///
    /// # Errors
    /// When the home is busy, or the key or the journal cannot be opened.
    pub fn open(shell: &Shell, command: &str) -> Result<Self> {
        Self::open_beside(shell, command, 1, || Ok(LazyHost::new()))
    }

    /// As [`Session::open`], for a command that needs the engine: it starts while the disk opens the journal.
    ///
    /// # Errors
    /// Also when the platform cannot run the engine.
    pub fn with_host(shell: &Shell, command: &str) -> Result<Self> {
        Self::open_beside(shell, command, 1, || Ok(LazyHost::from(start_host(1)?)))
    }

    /// As [`Session::with_host`], for a host that lives long and drives so many runs at once.
    ///
    /// # Errors
    /// As [`Session::with_host`].
    pub fn lasting(shell: &Shell, command: &str, runs_max: u32) -> Result<Self> {
        let runs_max = runs_max + Seats::MAX;
        Self::open_beside(shell, command, runs_max, || Ok(LazyHost::from(start_host(runs_max)?)))
    }

    fn open_beside(
        shell: &Shell,
        command: &str,
        runs_max: u32,
        host: impl FnOnce() -> Result<LazyHost>,
    ) -> Result<Self> {
        if let Some(session) = shell.session() {
            return Ok(session.clone());
        }
        let home = shell.open_home(command)?;
        let key = home.signing_key()?;
        let cache = Cache::new(home.cache_dir(), cache_key(&key));
        let path = home.journal_path();
        let opening = Journal::begin_open(&path, key, &journal::Options::default())?;
        let host = host();
        let journal = opening.finish().map_err(|error| unopened(error, &path))?;
        let records = Records {
            journal,
            cache,
            host: host?,
            callees: LazyHost::new(),
            runs_max,
            is_lasting: runs_max > 1,
            seats: Seats::default(),
            heeded: OnceLock::new(),
        };
        Ok(Self { shared: Arc::new(Shared { home, records }), clock: shell.clock().clone(), supervisor: None })
    }

    /// Returns the home.
    pub fn home(&self) -> &Home {
        &self.shared.home
    }

    /// Tells whether the process goes on after a command.
    pub fn is_lasting(&self) -> bool {
        self.is_lasting
    }

    /// Returns the home, for who needs no more than that.
    pub fn shared_home(&self) -> Arc<Home> {
        self.shared.home.clone()
    }

    /// Says who drives the runs of this home.
    #[must_use]
    pub fn supervised_by(mut self, supervisor: &Supervisor) -> Self {
        self.supervisor = Some(supervisor.clone());
        self
    }

    /// Returns who drives the runs of this home, in a host that lives long.
    pub fn supervisor(&self) -> Option<&Supervisor> {
        self.supervisor.as_ref()
    }

    /// Returns where time comes from.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Closes the journal, so that the next command opens it without looking for a crash. One that others share stays open.
    ///
    /// # Errors
    /// When the last commit fails.
    pub fn close(self) -> Result<()> {
        match Arc::into_inner(self.shared) {
            Some(shared) => Ok(shared.records.journal.close()?),
            None => Ok(()),
        }
    }
}

impl Deref for Session {
    type Target = Records;

    fn deref(&self) -> &Records {
        &self.shared.records
    }
}

impl Records {
    /// Returns the view of a journal that belongs to no home. What is compiled for it is kept nowhere.
    pub fn of(journal: Journal) -> Self {
        Self {
            journal,
            cache: Cache::nowhere(),
            host: LazyHost::new(),
            callees: LazyHost::new(),
            runs_max: 1,
            is_lasting: false,
            seats: Seats::default(),
            heeded: OnceLock::new(),
        }
    }

    /// Returns the journal.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Returns the engine with everything linked.
    ///
    /// # Errors
    /// When the platform cannot run the engine.
    pub fn host(&self) -> Result<&Host> {
        started(&self.host, self.runs_max)
    }

    /// Makes an agent of a component, for what is recorded of it. Compiled at most once in the life of the home.
    ///
    /// # Errors
    /// When the component cannot be started; `what` is what the message calls it.
    pub fn agent(&self, component: &Content, what: &str) -> Result<Loaded> {
        self.prepare(component, Connected::ByRecord)?.map_err(|error| unfit(error, what))
    }

    /// As [`Records::agent`], linked to connectors.
    ///
    /// # Errors
    /// When the platform cannot run the engine; within, why the component cannot be started.
    pub fn prepare(
        &self,
        component: &Content,
        connected: Connected<'_>,
    ) -> Result<std::result::Result<Loaded, PrepareError>> {
        Ok(self.prepare_on(self.host()?, component, connected))
    }

    /// As [`Records::prepare`], for a connector.
    ///
    /// # Errors
    /// As [`Records::prepare`].
    pub fn prepare_connector(
        &self,
        component: &Content,
        connected: Connected<'_>,
    ) -> Result<std::result::Result<Loaded, PrepareError>> {
        Ok(self.prepare_on(started(&self.callees, SEATS_MAX.saturating_mul(self.runs_max))?, component, connected))
    }

    fn prepare_on(
        &self,
        host: &Host,
        component: &Content,
        connected: Connected<'_>,
    ) -> std::result::Result<Loaded, PrepareError> {
        let agent = host.prepare_with(component, &self.cache, connected);
        let stats = self.cache.stats();
        tracing::debug!(hits = stats.hits, compiled = stats.compiled, "compiled-component cache");
        agent.map(|agent| Loaded::new(agent, !self.is_lasting))
    }

    /// Returns the table of the functions that a run's entries name: the host's, and those of its component's interfaces
    /// where this host can still read them.
    ///
    /// # Errors
    /// When the journal cannot be read, or the platform cannot run the engine.
    pub fn functions(&self, header: &Header) -> Result<Arc<Functions>> {
        let remit = Remit::parse(&self.blob(header.remit)?).unwrap_or_else(|_| Remit::nothing());
        if header.plugin.kind != Kind::Connector.word() && remit.connectors().is_empty() {
            return Ok(self.host()?.functions().clone());
        }
        let component = Content::of(self.blob(header.component)?);
        match self.prepare(&component, Connected::ByRecord)? {
            Ok(agent) => Ok(agent.functions().clone()),
            Err(_) => Ok(self.host()?.functions().clone()),
        }
    }

    /// Returns the run that the command line names.
    ///
    /// # Errors
    /// When there is no such run, or more than one.
    pub fn find(&self, name: &RunRef) -> Result<RunId> {
        let hint = "`remit runs` lists the runs of this home";
        match name {
            RunRef::Last => self.last()?.ok_or_else(|| {
                Failure::new(Exit::NoSuchRun, "there is no run yet").hint("start one with `remit run PLUGIN`")
            }),
            RunRef::Id(id) => Ok(*id),
            RunRef::Prefix(prefix) => {
                self.journal.find(prefix).map_err(|error| Failure::from_error(Exit::NoSuchRun, error).hint(hint))
            }
        }
    }

    /// Returns the run that was started last: not those that connectors had because of it.
    fn last(&self) -> Result<Option<RunId>> {
        let Some(mut run) = self.journal.last()? else { return Ok(None) };
        // A caller is older than those that it calls, so this ends. A caller that was removed has no header.
        while let Some(cause) = self.journal.header(run)?.cause.filter(|cause| cause.run < run) {
            match self.journal.header(cause.run) {
                Ok(_) => run = cause.run,
                Err(journal::Error::NoSuchRun(_)) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(run))
    }

    /// Reads a blob that a run's header names.
    ///
    /// # Errors
    /// When the journal does not hold it.
    pub fn blob(&self, digest: Digest) -> Result<Vec<u8>> {
        Ok(self.journal.blob(digest)?)
    }

    /// Drives a future to its end on this thread; from before its start, the signals that end a run go to `stop`, which is
    /// the same one for all that a command drives.
    ///
    /// # Errors
    /// When the system gives no runtime or no signals.
    pub fn block_on<T>(&self, stop: &Stop, work: impl Future<Output = T>) -> Result<T> {
        let failed = |error| Failure::from_error(Exit::HostFailed, error);
        match caller::client() {
            Some(client) => client.interrupts(stop),
            // Once: a second handler would take a first signal for a second one.
            None if self.heeded.set(()).is_ok() => signals::set(&stop.flag()).map_err(failed)?,
            None => {}
        }
        let _seat = self.seats.take();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        Ok(runtime.block_on(work))
    }
}

/// Returns a host, which is started when it is first asked for.
fn started(lazy: &LazyHost, runs: u32) -> Result<&Host> {
    if let Some(host) = lazy.get() {
        return Ok(host);
    }
    let host = start_host(runs)?;
    Ok(lazy.get_or_init(|| host))
}

/// Starts a host for so many live runs.
fn start_host(runs: u32) -> Result<ManuallyDrop<Host>> {
    let engine = Engine::new(PoolSize { runs }).map_err(|error| {
        Failure::from_error(Exit::HostFailed, error).hint("the engine reserves address space; look at `ulimit -v`")
    })?;
    Ok(ManuallyDrop::new(Host::new(engine)))
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

/// Says that a component cannot be started.
pub fn unfit(error: PrepareError, what: &str) -> Failure {
    let hint = error.hint();
    Failure::from_error(Exit::PluginUnfit, error).context(what).hint(hint)
}
