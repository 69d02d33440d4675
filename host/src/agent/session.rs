//! One instance of a connector, and its run: it serves one caller, from the first call to the caller's end.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use wasmtime::Store;

use super::drive::Driven;
use super::launch::Accepted;
use super::served::{LastCall, Served, fuel_used};
use super::{Agent, Returned, ending};
use crate::capability::{Derived, Guest};
use crate::gate::{End, Halt};
use crate::id::RunId;
use crate::journal::{self, Cause};
use crate::lifecycle::HOST;
use crate::meter::{LimitKind, Usage};

/// A connector at work for one caller.
pub(super) struct Session {
    /// Its run.
    pub run: RunId,
    /// How long its calls took so far.
    pub took: Duration,
    /// Its limit on that.
    pub wall_time: Duration,
    agent: Agent,
    store: Store<Guest>,
    served: Option<Served>,
    /// What its caller was told that it used.
    told: Usage,
    is_ended: bool,
    _seat: Seat,
}

/// A place among the connectors that work for one run at the same time.
pub(super) struct Seat(Arc<AtomicU32>);

impl Seat {
    /// Takes a place, if fewer than `max` are taken.
    pub fn take(taken: &Arc<AtomicU32>, max: u32) -> Option<Self> {
        let more = |seats: u32| (seats < max).then_some(seats + 1);
        taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Self(taken.clone()))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Session {
    /// Makes the instance's store. It is instantiated by the first call.
    pub fn new(agent: Agent, accepted: Accepted, seat: Seat) -> Self {
        let Accepted { id: run, given, mut live, resumed } = accepted;
        // Its caller waits for its answer.
        live.stay();
        let took = resumed.as_ref().map_or(Duration::ZERO, |resumed| resumed.ran);
        let gate = agent.gate(Derived::new(given.start), &given.limits, live, resumed);
        let store = agent.store(gate, &given.limits, given.limits[LimitKind::Fuel]);
        let wall_time = given.limits.wall_time();
        let told = Usage::default();
        Self { run, took, wall_time, agent, store, served: None, told, is_ended: false, _seat: seat }
    }

    /// Has the connector answer a call. After an error the session can only be ended. Where its caller was resumed, the
    /// call may have been made before: the last one that came in because of an entry from `since` on, of which the caller
    /// has no record.
    pub async fn call(
        &mut self,
        place: (usize, usize),
        params: &[u8],
        cause: Cause,
        since: Option<u64>,
    ) -> wasmtime::Result<Vec<u8>> {
        let last = self.begin().await?;
        if let Some(last) = last.filter(|last| since.is_some_and(|since| entry_of(&last.cause) >= Some(since))) {
            let is_same = (last.place, &*last.params) == (place, params);
            let message = "its caller asks for something else than before its host was killed";
            return if is_same { Ok(last.result) } else { Err(Halt::Changed(message.to_owned()).into()) };
        }
        let served = self.served.as_ref().expect("it has begun");
        served.call(&self.agent, &mut self.store, place, params, cause.to_string()).await
    }

    /// Instantiates it, and makes the calls that its record has, where it has one.
    async fn begin(&mut self) -> wasmtime::Result<Option<LastCall>> {
        if self.served.is_some() {
            return Ok(None);
        }
        let instance = self.agent.instantiate(&mut self.store).await?;
        let served = self.served.insert(Served::find(&self.agent, &mut self.store, &instance)?);
        served.make_recorded(&self.agent, &mut self.store).await
    }

    /// Ends a run that nobody goes on calling, after what its record has.
    pub async fn end_unused(&mut self) -> Result<Option<End>, journal::Error> {
        let driven = match self.begin().await {
            Ok(_) => Ok(Returned::Connector),
            Err(error) => Err(error),
        };
        self.end(Driven::Finished(driven)).await
    }

    /// Returns what it has used since this was last asked, and those that it called.
    pub fn newly_used(&mut self) -> Usage {
        let fuel = fuel_used(&self.store).unwrap_or_default();
        let memory_peak = self.store.data().growth.memory_peak();
        let live = self.store.data_mut().gate.recorder().expect("a session is live");
        let used = Usage { fuel, memory_peak, ..*live.usage() } + live.called();
        used.since(&std::mem::replace(&mut self.told, used))
    }

    /// Ends its run, after those of the connectors that it called. The end is durable when this returns.
    pub async fn end(&mut self, driven: Driven<wasmtime::Result<Returned>>) -> Result<Option<End>, journal::Error> {
        if self.is_ended {
            return Ok(None);
        }
        let live = self.store.data_mut().gate.recorder().expect("a session is live");
        if let Some(route) = live.caps.connectors.clone() {
            let left = route.close(driven.closing()).await;
            self.store.data_mut().gate.recorder().expect("a session is live").add_called(left);
        }
        self.is_ended = true;
        let judged = ending::judge(&mut self.store, driven);
        ending::record(&mut self.store, judged, HOST).await.map(Some)
    }
}

/// Returns the number in `RUN:NUMBER`.
fn entry_of(cause: &str) -> Option<u64> {
    cause.rsplit_once(':').and_then(|(_, entry)| entry.parse().ok())
}

/// Waits for something for so long at most. Nothing: it took longer, and was dropped.
///
/// What is over at once needs no timer, which would cost a call as much as the rest of it.
pub(super) async fn within<T>(patience: Duration, waiting: impl Future<Output = T>) -> Option<T> {
    let mut waiting = pin!(waiting);
    let first = poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context))).await;
    match first {
        Poll::Ready(done) => Some(done),
        Poll::Pending => tokio::time::timeout(patience, waiting).await.ok(),
    }
}
