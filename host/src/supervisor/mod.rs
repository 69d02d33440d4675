//! All the runs of a long-lived host: which of them have a place, which wait for one, and which somebody stops.
//!
//! There are so many places and no more. A run that is ready waits in the [`Queue`] for its turn; whoever drives it gives the
//! place back. A run that waits for something else is not in memory: it is a row in the journal, until [`ready`] finds that
//! it can go on. What a run needs besides its record, the shell looks up ([`Outfitter`]).

mod drive;
mod places;
mod queue;
mod ready;
mod recover;
mod wake;
mod worker;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

pub use self::places::Claim;
use self::places::Places;
use self::queue::Waiting;
use self::ready::Readiness;
use self::worker::Worker;
use crate::agent::{self, Agent, Connectors, Links, Order, Outward, ParkError, Recalled, Stop, StopTo, state_of};
use crate::capability::config::Values;
use crate::digest::Digest;
use crate::id::RunId;
use crate::journal::{self, Journal};
use crate::lifecycle::{HOST, State};
use crate::scope::Remit;
use crate::time::Clock;

/// Looks up what a run needs besides its record. It may take long, and is asked on a thread that nobody waits for.
pub trait Outfitter: Send + Sync + 'static {
    /// Looks it up for a run that goes on.
    ///
    /// # Errors
    /// Why the run cannot go on, for people: it is paused with that.
    fn outfit(&self, run: RunId) -> Result<Outfit, String>;
}

/// What a run needs to go on.
pub struct Outfit {
    /// The run, as its record has it.
    pub recalled: Recalled,
    /// Its plugin, linked.
    pub agent: Agent,
    /// Its ways out.
    pub outward: Outward,
    /// The most that it may do from here on.
    pub most: Remit,
    /// What the operator has set for its plugin.
    pub values: Values,
    /// The connectors that it may call.
    pub connectors: Option<(Arc<Connectors>, Arc<Links>)>,
}

/// What bounds a supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Runs that have an instance at the same time.
    pub runs_max: usize,
    /// Runs that wait for a place; one that is started beyond that is refused.
    pub queue_max: usize,
}

/// What a supervisor stands on.
pub struct Ground {
    /// Where runs are recorded.
    pub journal: Journal,
    /// Where time comes from.
    pub clock: Clock,
    /// The engine's fingerprint.
    pub engine: Digest,
    /// Looks up what runs need.
    pub outfitter: Box<dyn Outfitter>,
}

/// Why a run was not stopped, resumed or queued.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Its state does not allow it, or its record cannot be read.
    #[error(transparent)]
    Park(#[from] ParkError),
    /// As many runs wait as may.
    #[error("{max} runs wait already")]
    Full {
        /// How many may.
        max: usize,
    },
    /// The host comes to its end, or cannot record anything any more.
    #[error("the host is shutting down, or its journal has failed")]
    Closing,
    /// It did not stop in time. It will, unless it waits for a disk that does not answer.
    #[error("run {0} has been told to stop, and has not stopped yet")]
    Slow(RunId),
}

impl From<journal::Error> for Refused {
    fn from(error: journal::Error) -> Self {
        Self::Park(error.into())
    }
}

/// How a supervisor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Runs that have a place.
    pub live: usize,
    /// Runs that wait for one.
    pub queued: usize,
    /// What bounds it.
    pub bounds: Bounds,
    /// Whether it comes to its end.
    pub is_closing: bool,
}

/// How long somebody who stops a run waits until it has stopped.
const STOP_PATIENCE: Duration = Duration::from_secs(20);

/// A handle on all the runs of this process; clones are the same.
#[derive(Clone)]
pub struct Supervisor(Arc<Shared>);

/// What its threads share.
struct Shared {
    ground: Ground,
    bounds: Bounds,
    places: Mutex<Places>,
    /// A place was given back, or the end has begun.
    changed: Condvar,
    /// Something may be due earlier than before, or the end has begun.
    wake: Condvar,
}

impl Supervisor {
    /// Starts its threads. It drives nothing before [`Supervisor::recover`] or somebody asks for a run.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn start(ground: Ground, bounds: Bounds) -> std::io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, usize::from).min(bounds.runs_max);
        let places = Mutex::new(Places::of(count));
        let shared = Arc::new(Shared { ground, bounds, places, changed: Condvar::new(), wake: Condvar::new() });
        let workers = (0..count).map(|number| Worker::start(number, &shared)).collect::<std::io::Result<Vec<_>>>()?;
        shared.places().workers = workers;
        // Where nothing is driven, nothing is woken.
        if bounds.runs_max > 0 {
            wake::start(&shared)?;
        }
        Ok(Self(shared))
    }

    /// Tells whether it drives runs itself, and not only knows of those that others drive.
    pub fn drives(&self) -> bool {
        self.0.bounds.runs_max > 0
    }

    /// Has it look again for runs that are due: one may have been suspended until an earlier time than it waits for.
    pub fn look_again(&self) {
        self.0.places().looks_again = true;
        self.0.wake.notify_all();
    }

    /// Takes up every run that can go on by itself, and pauses those that took their host down too often at one place.
    /// Returns how many there are.
    ///
    /// # Errors
    /// What keeps the journal from being read or written.
    pub fn recover(&self) -> Result<usize, journal::Error> {
        recover::recover(&self.0)
    }

    /// Returns how it stands.
    pub fn status(&self) -> Status {
        let places = self.0.places();
        let (live, queued) = (places.held(), places.queue.len());
        Status { live, queued, bounds: self.0.bounds, is_closing: places.is_closing }
    }

    /// Says whether a run may be started that waits for a place.
    ///
    /// # Errors
    /// [`Refused::Full`], [`Refused::Closing`].
    pub fn has_room(&self) -> Result<(), Refused> {
        let places = self.0.places();
        let max = self.0.bounds.queue_max;
        match () {
            () if places.is_closing || places.has_failed => Err(Refused::Closing),
            () if places.queue.len() >= max => Err(Refused::Full { max }),
            () => Ok(()),
        }
    }

    /// Has a run go on when it is its turn, if nobody has to say anything first: one that was accepted to wait, or decided
    /// about. Any other stays as it is.
    ///
    /// # Errors
    /// What keeps the journal from being read. The next host finds the run, then.
    pub fn enqueue(&self, run: RunId) -> Result<(), Refused> {
        let Ground { journal, clock, .. } = &self.0.ground;
        let Some(row) = journal.unfinished_run(run)? else { return Ok(()) };
        if ready::judge(journal, &row, clock.now())? == Readiness::Ready {
            recover::enqueue(&self.0, std::iter::once(&row));
        }
        Ok(())
    }

    /// Has a run go on when it is its turn, because `by` says so; a paused one too.
    ///
    /// # Errors
    /// [`Refused`]: it has ended, somebody drives it, or nobody has decided yet what became of an effect.
    pub fn resume(&self, run: RunId, by: &str) -> Result<(), Refused> {
        let journal = &self.0.ground.journal;
        let summary = journal.summary(run)?;
        if let Some(cause) = summary.header.cause {
            return Err(ParkError::Called { run, cause }.into());
        }
        let row = journal.unfinished_run(run)?;
        let mut places = self.0.places();
        let now = if places.holds(run) { State::Running } else { state_of(&summary) };
        let Some(row) = row.filter(|_| now.may_become(State::Running) && now != State::InDoubt) else {
            return Err(ParkError::Unlawful { run, now, next: State::Running }.into());
        };
        if places.is_closing || places.has_failed {
            return Err(Refused::Closing);
        }
        if self.0.bounds.runs_max == 0 {
            return Err(Refused::Full { max: 0 });
        }
        places.given_up.remove(&run);
        places.asked.insert(run, by.to_owned());
        places.queue.push(Waiting { run, priority: row.priority, owner: row.owner });
        self.0.fill(&mut places);
        Ok(())
    }

    /// Pauses a run, or ends it: one that is driven at its next host call or slice of fuel, and it has stopped when this
    /// returns. Blocks until then.
    ///
    /// # Errors
    /// [`Refused`]: it has ended, or stands so that it cannot be stopped.
    pub fn stop(&self, run: RunId, order: &Order) -> Result<State, Refused> {
        match self.claim(run, &Stop::default()) {
            Ok(_claim) => self.stop_parked(run, order),
            Err(Refused::Park(ParkError::Unlawful { now: State::Running, .. })) => self.stop_driven(run, order),
            Err(refused) => Err(refused),
        }
    }

    fn stop_parked(&self, run: RunId, order: &Order) -> Result<State, Refused> {
        let Ground { journal, clock, .. } = &self.0.ground;
        let Order { to, by, why } = order;
        match to {
            StopTo::Suspended => {}
            StopTo::Paused => agent::pause(journal, run, by, why.as_deref().unwrap_or("asked for"), clock)?,
            StopTo::Cancelled => drop(agent::cancel(journal, run, by, why.as_deref(), clock)?),
        }
        Ok(state_of(&journal.summary(run)?))
    }

    fn stop_driven(&self, run: RunId, order: &Order) -> Result<State, Refused> {
        let mut places = self.0.places();
        if let Some(stop) = places.stop_of(run) {
            stop.order_to(order.clone());
        }
        let goes_on = |places: &mut Places| places.holds(run);
        let waited = self.0.changed.wait_timeout_while(places, STOP_PATIENCE, goes_on);
        places = waited.unwrap_or_else(PoisonError::into_inner).0;
        if places.holds(run) {
            return Err(Refused::Slow(run));
        }
        drop(places);
        let now = state_of(&self.0.ground.journal.summary(run)?);
        let next = match order.to {
            StopTo::Suspended => State::Suspended,
            StopTo::Paused => State::Paused,
            StopTo::Cancelled => State::Cancelled,
        };
        match () {
            () if now == next => Ok(now),
            // It parked itself before it heard, or somebody stayed with it who drove nothing.
            () if !now.is_end() && now.may_become(next) => {
                let _claim = self.claim(run, &Stop::default())?;
                self.stop_parked(run, order)
            }
            // It came to its end before it heard.
            () => Err(ParkError::Unlawful { run, now, next }.into()),
        }
    }

    /// Claims a run for somebody who drives it on a thread of their own, or changes it while nobody drives it. It does not
    /// wait for a place any more. Dropping the claim gives the run back.
    ///
    /// # Errors
    /// [`Refused`]: somebody drives it.
    pub fn claim(&self, run: RunId, stop: &Stop) -> Result<Claim, Refused> {
        let mut places = self.0.places();
        if places.is_closing {
            return Err(Refused::Closing);
        }
        if places.holds(run) {
            return Err(ParkError::Unlawful { run, now: State::Running, next: State::Running }.into());
        }
        places.queue.remove(run);
        places.asked.remove(&run);
        places.given_up.remove(&run);
        places.claim(run, stop);
        Ok(Claim::new(&self.0, run))
    }

    /// Suspends everything, and waits for so long at most until all of it is recorded. Returns how many runs had not stopped
    /// by then: they are interrupted, and go on with the next host. Nothing is started any more.
    pub fn shut_down(&self, within: Duration) -> usize {
        let mut places = self.0.places();
        places.is_closing = true;
        places.stop_all();
        self.0.changed.notify_all();
        self.0.wake.notify_all();
        let goes_on = |places: &mut Places| places.held() > 0;
        let waited = self.0.changed.wait_timeout_while(places, within, goes_on);
        let mut places = waited.unwrap_or_else(PoisonError::into_inner).0;
        let (left, workers) = (places.held(), std::mem::take(&mut places.workers));
        drop(places);
        if left == 0 {
            workers.into_iter().for_each(Worker::finish);
        }
        left
    }
}

impl Shared {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives free places to the runs whose turn it is.
    fn fill(&self, places: &mut Places) {
        while let Some((run, worker)) = places.next(self.bounds.runs_max) {
            let by = places.asked.remove(&run).unwrap_or_else(|| HOST.to_owned());
            let stop = Stop::by_principal(HOST);
            places.occupy(run, &stop, worker);
            places.workers[worker].take(worker::Job { run, stop, by });
        }
    }

    /// Takes a run's place back.
    fn left(&self, run: RunId) {
        let mut places = self.places();
        places.free(run);
        // It may wait for a time from here on.
        places.looks_again = true;
        self.fill(&mut places);
        drop(places);
        self.changed.notify_all();
        self.wake.notify_all();
    }
}
