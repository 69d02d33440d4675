//! The connectors that a run may call, and how its calls get to them.
//!
//! Each run that calls has instances of its own: one of each connector, made at the first call, each in its own store,
//! with its own remit, limits and run. They are driven within the caller's calls, so whatever stops the caller stops
//! them. A call of a connector that is in the middle of a call gets another instance, one deeper, so nobody is ever
//! entered twice.

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::drive::Driven;
use super::launch::{self, Launch, Reason};
use super::recall;
use super::resume::{Again, resume};
use super::session::{Seat, Session, within};
use super::{Agent, Outward, Returned};
use crate::capability::Caps;
use crate::capability::connector::answer::{Answered, Failed, Why};
use crate::capability::connector::import::BoxFuture;
use crate::capability::connector::route::{Closing, Linked, Outbound, Route};
use crate::digest::Digest;
use crate::gate::{Family, Live, StopReason};
use crate::id::RunId;
use crate::journal::{Cause, Journal, Summary};
use crate::lifecycle::HOST;
use crate::meter::{Crossed, LimitKind, Usage};
use crate::time::Clock;

/// How deep connectors may call each other. Each is a stack of its own, so it bounds memory, and recursion.
pub const DEPTH_MAX: usize = 8;

/// How many connectors may work for one run at the same time, those that they call included. The engine's pool has
/// room for as many.
pub const SEATS_MAX: u32 = 16;

/// An installed connector, ready to be started for whoever calls it.
pub struct Node {
    /// What decides its runs; each has a seed of its own.
    pub launch: Launch,
    /// The prepared component.
    pub agent: Agent,
    /// The ways out that its remit has.
    pub outward: Outward,
    /// What it may call itself.
    pub links: Arc<Links>,
}

/// What one plugin may call, and who answers.
#[derive(Clone, Debug, Default)]
pub struct Links {
    linked: Vec<Linked>,
    /// For each: which connector, and which of its exports.
    to: Vec<(usize, usize)>,
}

impl Links {
    /// Adds an interface: the connector's number, and which of its exports.
    pub fn add(&mut self, linked: Linked, connector: usize, export: usize) {
        self.linked.push(linked);
        self.to.push((connector, export));
    }

    /// Returns what can be called.
    pub fn linked(&self) -> &[Linked] {
        &self.linked
    }
}

/// The connectors that can be called within a run, by number.
pub struct Connectors {
    nodes: Vec<Node>,
    engine: Digest,
    journal: Journal,
    clock: Clock,
}

impl Connectors {
    /// Puts them together. `engine` is the engine's fingerprint; [`Links`] count in the order of `nodes`.
    pub fn new(nodes: Vec<Node>, engine: Digest, journal: Journal, clock: Clock) -> Self {
        Self { nodes, engine, journal, clock }
    }

    /// Gives a run that nobody called the way to those it may call. `since` is how many of the run's entries are from
    /// before it was resumed.
    pub(super) fn serve(self: &Arc<Self>, run: RunId, live: &mut Live<Caps>, links: &Arc<Links>, since: Option<u64>) {
        let family = Family::default();
        live.join(&family);
        let tree = Tree { family, taken: Arc::default(), depth: 0 };
        live.caps.connectors = self.route(run, links, tree, since);
    }

    fn route(
        self: &Arc<Self>,
        run: RunId,
        links: &Arc<Links>,
        tree: Tree,
        since: Option<u64>,
    ) -> Option<Arc<dyn Route>> {
        if links.linked.is_empty() {
            return None;
        }
        let slots = Mutex::new(self.nodes.iter().map(|_| Slot::Unused).collect());
        let (connectors, links) = (self.clone(), links.clone());
        Some(Arc::new(Callees(Arc::new(Desk { connectors, links, run, tree, since, slots }))))
    }
}

/// What all runs share that serve each other.
#[derive(Clone)]
struct Tree {
    family: Family,
    taken: Arc<AtomicU32>,
    /// How deep the caller is: 0 for the run that nobody called.
    depth: usize,
}

/// The connectors of one run.
struct Callees(Arc<Desk>);

struct Desk {
    connectors: Arc<Connectors>,
    links: Arc<Links>,
    run: RunId,
    tree: Tree,
    /// In a run that was resumed: how many of its entries are from before.
    since: Option<u64>,
    slots: Mutex<Vec<Slot>>,
}

/// What has become of one connector for this caller.
enum Slot {
    /// It was not called yet.
    Unused,
    /// It waits for the next call.
    Idle(Box<Session>),
    /// It is in a call.
    Busy,
    /// Its caller was stopped in a call of it.
    Interrupted(Box<Session>),
    /// It does not answer any more.
    Ended(Failed),
}

impl Slot {
    /// Says why a connector takes no call.
    fn failed(&self, connector: &str) -> Failed {
        let failed = |run, message: &str| {
            let (connector, message) = (connector.to_owned(), message.to_owned());
            Failed { connector, run, why: Why::Ended, message }
        };
        match self {
            Self::Ended(failed) => failed.clone(),
            Self::Interrupted(session) => failed(Some(session.run), "an earlier call of it was given up"),
            Self::Unused | Self::Idle(_) | Self::Busy => failed(None, "it is in another call"),
        }
    }
}

impl Route for Callees {
    fn interfaces(&self) -> &[Linked] {
        self.0.links.linked()
    }

    fn call(&self, call: Outbound) -> BoxFuture<'static, Answered> {
        let desk = self.0.clone();
        Box::pin(async move { desk.answer(call).await })
    }

    fn close(&self, closing: Closing) -> BoxFuture<'_, Usage> {
        Box::pin(self.0.close(closing))
    }
}

impl Desk {
    async fn answer(&self, call: Outbound) -> Answered {
        let (node, export) = self.links.to[call.interface];
        let cause = Cause { run: self.run, entry: call.entry };
        let session = match self.session(node, cause) {
            Ok(session) => session,
            Err(failed) => return Answered::failed(failed),
        };
        let mut held = Held { desk: self, node, session: Some(session), is_over: false };
        let clock = &self.connectors.clock;
        let (begun, session) = (clock.elapsed(), held.session());
        let wall_left = session.wall_time.saturating_sub(session.took);
        if wall_left.is_zero() {
            let stopped = Driven::Stopped(StopReason::WallTime);
            return held.ended(stopped, Why::Ended).await;
        }
        let calling = session.call((export, call.function), &call.params, cause, self.since);
        let called = within(call.patience.min(wall_left), calling).await;
        let session = held.session();
        session.took += clock.elapsed().saturating_sub(begun);
        match called {
            Some(Ok(result)) => {
                let usage = session.newly_used();
                held.is_over = true;
                Answered { outcome: Ok(result), usage }
            }
            Some(Err(error)) => held.ended(Driven::Finished(Err(error)), Why::Ended).await,
            None if wall_left <= call.patience => held.ended(Driven::Stopped(StopReason::WallTime), Why::Ended).await,
            None => held.ended(Driven::Late(late(call.patience)), Why::Late).await,
        }
    }

    /// Takes a connector out of its slot, or starts it.
    fn session(&self, node: usize, cause: Cause) -> Result<Box<Session>, Failed> {
        // Taken first: a match on it would hold the lock to its end.
        let slot = std::mem::replace(&mut self.slots()[node], Slot::Busy);
        match slot {
            Slot::Idle(session) => return Ok(session),
            Slot::Unused => {}
            other => {
                let failed = other.failed(&self.connectors.nodes[node].launch.name);
                self.slots()[node] = other;
                return Err(failed);
            }
        }
        let Some(seat) = Seat::take(&self.tree.taken, SEATS_MAX) else {
            // Who ends gives a place back, so the next call may find one.
            self.slots()[node] = Slot::Unused;
            let message = format!("more than {SEATS_MAX} connectors would work for one run at the same time");
            return Err(self.not_started(node, Why::NotStarted, message));
        };
        let started = match self.earlier(node) {
            Ok(None) => self.start(node, cause, seat),
            Ok(Some(earlier)) => self.resume(node, &earlier, seat),
            Err(failed) => Err(failed),
        };
        let started = started.map(Box::new);
        started.inspect_err(|failed| self.slots()[node] = Slot::Ended(failed.clone()))
    }

    fn not_started(&self, node: usize, why: Why, message: String) -> Failed {
        Failed { connector: self.connectors.nodes[node].launch.name.clone(), run: None, why, message }
    }

    fn start(&self, node: usize, cause: Cause, seat: Seat) -> Result<Session, Failed> {
        let Connectors { engine, journal, clock, .. } = &*self.connectors;
        let Node { launch, agent, outward, links } = &self.connectors.nodes[node];
        let not_started = |why, message| self.not_started(node, why, message);
        if self.tree.depth >= DEPTH_MAX {
            let message = format!("connectors call each other more than {DEPTH_MAX} deep");
            return Err(not_started(Why::TooDeep, message));
        }
        let launch = Launch { seed: seed(launch, cause), ..launch.clone() };
        let accepted = launch::accept_for(launch, agent, *engine, journal, clock.clone(), Reason::Called(cause));
        let accepted = accepted.map_err(|error| not_started(Why::NotStarted, format!("did not start: {error}")))?;
        let mut accepted = accepted.with(outward);
        accepted.live.join(&self.tree.family);
        let tree = Tree { depth: self.tree.depth + 1, ..self.tree.clone() };
        accepted.live.caps.connectors = self.connectors.route(accepted.id, links, tree, None);
        Ok(Session::new(agent.clone(), accepted, seat))
    }

    /// Returns the run that a connector had for this caller before it was resumed.
    fn earlier(&self, node: usize) -> Result<Option<Summary>, Failed> {
        if self.since.is_none() {
            return Ok(None);
        }
        let Connectors { nodes, journal, .. } = &*self.connectors;
        let identity = &nodes[node].launch.identity;
        let runs =
            journal.caused_by(self.run).map_err(|error| self.not_started(node, Why::Parked, error.to_string()))?;
        Ok(runs.into_iter().find(|run| run.header.plugin.identity == *identity))
    }

    /// Builds a connector again from its own record.
    fn resume(&self, node: usize, earlier: &Summary, seat: Seat) -> Result<Session, Failed> {
        let Connectors { engine, journal, clock, .. } = &*self.connectors;
        let Node { launch, agent, outward, links } = &self.connectors.nodes[node];
        let run = Some(earlier.id);
        let failed = |why, message| Failed { run, ..self.not_started(node, why, message) };
        if earlier.header.component != launch.component.digest() {
            let message = "another build of it is installed than when the run began; install that one again";
            return Err(failed(Why::Parked, message.to_owned()));
        }
        let recalled = recall::recall(journal, earlier.id).map_err(|error| failed(Why::Parked, error.to_string()))?;
        if let Some(end) = recalled.end.as_ref().filter(|end| end.outcome.state().is_end()) {
            return Err(failed(Why::Ended, end.outcome.sentence()));
        }
        let again = Again { engine: *engine, most: &launch.remit, values: launch.values.clone(), by: HOST };
        let accepted = resume(&recalled, agent, again, journal, clock.clone());
        let mut accepted = accepted.map_err(|error| failed(Why::Parked, error.to_string()))?.with(outward);
        accepted.live.join(&self.tree.family);
        let tree = Tree { depth: self.tree.depth + 1, ..self.tree.clone() };
        let since = accepted.resumed.as_ref().map(|resumed| resumed.tip.calls);
        accepted.live.caps.connectors = self.connectors.route(accepted.id, links, tree, since);
        Ok(Session::new(agent.clone(), accepted, seat))
    }

    /// Ends the run that a connector had before its caller was resumed, which has not called it since.
    async fn close_earlier(&self, node: usize) {
        let Ok(Some(earlier)) = self.earlier(node) else { return };
        let Some(seat) = Seat::take(&self.tree.taken, SEATS_MAX) else { return };
        if let Ok(mut session) = self.resume(node, &earlier, seat) {
            // A journal that fails tells the end of the caller's run, too.
            let _ended = session.end_unused().await;
        }
    }

    async fn close(&self, closing: Closing) -> Usage {
        let mut left = Usage::default();
        for node in 0..self.connectors.nodes.len() {
            let connector = self.connectors.nodes[node].launch.name.clone();
            let message = "its caller has ended".to_owned();
            let closed = Slot::Ended(Failed { connector, run: None, why: Why::Ended, message });
            let slot = std::mem::replace(&mut self.slots()[node], closed);
            let (mut session, driven) = match (slot, closing) {
                (Slot::Idle(session) | Slot::Interrupted(session), Closing::Parked) => {
                    (session, Driven::Stopped(StopReason::Interrupted))
                }
                (Slot::Idle(session), Closing::Ended) => (session, Driven::Finished(Ok(Returned::Connector))),
                (Slot::Interrupted(session), Closing::Ended) => (session, Driven::Stopped(StopReason::CallerEnded)),
                (Slot::Unused, Closing::Ended) => {
                    self.close_earlier(node).await;
                    continue;
                }
                (Slot::Unused, Closing::Parked) | (Slot::Busy | Slot::Ended(_), _) => continue,
            };
            // A journal that fails tells the end of the caller's run, too.
            let _ended = session.end(driven).await;
            left += session.newly_used();
        }
        left
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        // A slot is replaced as a whole, so a panic elsewhere does not spoil it.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session during a call. However the call ends, and also when it is dropped, the session is in its slot then.
struct Held<'a> {
    desk: &'a Desk,
    node: usize,
    session: Option<Box<Session>>,
    is_over: bool,
}

impl Held<'_> {
    fn session(&mut self) -> &mut Session {
        self.session.as_mut().expect("a session is held until it is dropped")
    }

    /// Ends the connector's run, and says how.
    async fn ended(mut self, driven: Driven<wasmtime::Result<Returned>>, why: Why) -> Answered {
        let session = self.session();
        let run = Some(session.run);
        let (why, message) = match session.end(driven).await {
            Ok(Some(end)) if end.outcome.is_parked() => (Why::Parked, end.outcome.sentence()),
            Ok(end) => (why, end.map_or_else(String::new, |end| end.outcome.sentence())),
            Err(error) => (why, format!("ended, and was not recorded: {error}")),
        };
        // Those that it called have ended with it, and what they used is its own now.
        let usage = session.newly_used();
        let connector = self.desk.connectors.nodes[self.node].launch.name.clone();
        let failed = Failed { connector, run, why, message };
        self.session = None;
        self.desk.slots()[self.node] = Slot::Ended(failed.clone());
        Answered { outcome: Err(failed), usage }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            let slot = if self.is_over { Slot::Idle(session) } else { Slot::Interrupted(session) };
            self.desk.slots()[self.node] = slot;
        }
    }
}

/// Returns what the caller's limit on the time of one call says.
fn late(patience: Duration) -> Crossed {
    let max = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
    Crossed { limit: LimitKind::CallTime, max, wanted: max.saturating_add(1) }
}

/// Derives the seed of a connector's run from what nobody else has.
fn seed(launch: &Launch, cause: Cause) -> [u8; 32] {
    let entry = cause.entry.to_le_bytes();
    let parts = [b"remit connector seed v1\0".as_slice(), &launch.seed, cause.run.as_bytes(), &entry];
    *Digest::of_parts(&parts).as_bytes()
}
