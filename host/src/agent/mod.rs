//! One running plugin: from a component and a remit to an outcome, live or replayed.
//!
//! Live and replay go through the same code: build the store, instantiate, call, drive in slices of fuel, judge how
//! it ended. Only the gate's side differs.

mod connectors;
mod drive;
mod ending;
mod fork;
mod launch;
mod parked;
mod prepare;
mod queued;
mod recall;
mod resume;
mod served;
mod session;
mod wait;

pub use connectors::{Connectors, DEPTH_MAX, Links, Node, SEATS_MAX};
pub use drive::{Order, Stop, StopTo};
pub use ending::{Replayed, Verdict};
pub use fork::{Fork, ForkError, fork};
pub use launch::{Accepted, Launch, LaunchError, Outward, accept};
pub use parked::{ParkError, cancel, pause, state_of};
pub use prepare::{Connected, Host, PrepareError, is_another_plugins, unknown_imports};
pub use queued::{Queueing, queue};
pub use recall::{RecallError, Recalled, recall};
pub use resume::{Again, ResumeError, resume};
pub use wait::{SendError, send, stay_until};

use std::sync::Arc;
use std::time::Duration;

use self::drive::{Shower, drive};
use self::launch::Resumed;
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use crate::capability::bindings::types::{Failure as WitFailure, FailureKind};
use crate::capability::connector::incoming::Exported;
use crate::capability::{Caps, Derived, Guest, Start};
use crate::engine::interface::Interface;
use crate::engine::{FUEL_SLICE, Growth, World};
use crate::gate::{End, Functions, Gate, Live, OutputStream, Replay, Resume, Where};
use crate::journal;
use crate::meter::{LimitKind, Limits};

/// A component that is linked and ready to be started any number of times.
#[derive(Clone)]
pub struct Agent {
    world: World,
    pre: InstancePre<Guest>,
    functions: Arc<Functions>,
    imports: Arc<[Interface]>,
    exports: Arc<[Exported]>,
}

/// What an agent's run is given besides its gate.
pub struct Given {
    /// JSON text for an agent; unused for a command, whose input is its stdin.
    pub input: String,
    /// What both sides derive state from.
    pub start: Start,
    /// The limits of the run.
    pub limits: Limits,
}

/// Handles beside the guest's own that wasmtime counts, generously.
const HANDLES_BESIDE: usize = 1_000;

/// How far the record of a run goes.
#[derive(Clone, Copy)]
pub struct Recorded<'a> {
    /// The run's last entry, where it has ended.
    pub end: Option<&'a End>,
    /// Fuel used at the last entry.
    pub fuel: u64,
}

impl Recorded<'_> {
    /// Returns how much fuel a replay is given. A run that was stopped between two slices made no call there; with
    /// just its fuel it stops there again. Where the record has no end, nothing is left to compare a slice after its
    /// last entry.
    fn fuel_max(&self, limit: u64) -> u64 {
        match self.end {
            Some(end) if end.at == Where::Slice => end.fuel,
            Some(_) => limit,
            None => limit.min(self.fuel.saturating_add(FUEL_SLICE)),
        }
    }
}

/// Receives a run's output once it is durable.
pub type Sink<'a> = &'a mut (dyn FnMut(OutputStream, &[u8]) + Send);

impl Agent {
    /// Returns the table of host functions.
    pub fn functions(&self) -> &Arc<Functions> {
        &self.functions
    }

    /// Returns what the component exports for a host to run.
    pub fn world(&self) -> World {
        self.world
    }

    /// Returns the interfaces of other plugins whose functions the component imports.
    pub fn imports(&self) -> &Arc<[Interface]> {
        &self.imports
    }

    /// Returns the interfaces that a connector exports, with its functions' places in the table.
    pub fn exports(&self) -> &[Exported] {
        &self.exports
    }

    /// Runs live and records. Output is handed to `sink` once it is durable; the end is durable when this returns.
    ///
    /// # Errors
    /// [`journal::Error`] when the journal fails underneath the run; what was recorded before stays whole.
    pub(crate) async fn run(&self, accepted: Accepted, stop: &Stop, sink: Sink<'_>) -> Result<End, journal::Error> {
        let Accepted { given, live, resumed, .. } = accepted;
        let mut shower = Shower::new(&live, sink);
        let route = live.caps.connectors.clone();
        let ran = resumed.as_ref().map_or(Duration::ZERO, |resumed| resumed.ran);
        let gate = self.gate(Derived::new(given.start), &given.limits, live, resumed);
        let mut store = self.store(gate, &given.limits, given.limits[LimitKind::Fuel]);
        let guest = self.enter(&mut store, given.input);
        let wall_time = given.limits.wall_time().saturating_sub(ran);
        let driven = drive(guest, stop, wall_time, &mut shower).await;
        if let Some(route) = route {
            let left = route.close(driven.closing()).await;
            store.data_mut().gate.recorder().expect("it is recorded").add_called(left);
        }
        let judged = ending::judge(&mut store, driven);
        // One that has not come to the end of its record has nothing to record: see `Accepted::run`.
        let judged = if store.data().gate.is_resuming() { judged } else { judged.ordered(stop) };
        let end = ending::record(&mut store, judged, stop.by()).await?;
        shower.show();
        Ok(end)
    }

    /// Makes the gate of a run, from its beginning or from where it was left.
    fn gate(
        &self,
        derived: Derived,
        limits: &Limits,
        live: Live<Caps>,
        resumed: Option<Resumed>,
    ) -> Gate<Caps, Derived> {
        let functions = self.functions.clone();
        match resumed {
            None => Gate::live(functions, derived, live),
            Some(Resumed { reader, rule, tip, by, .. }) => {
                let resume = Resume::new(reader, rule, limits.clone(), live, tip, Caps::awaken, by);
                Gate::resume(functions, derived, resume)
            }
        }
    }

    /// Replays and compares. Nothing is performed and nothing is written.
    ///
    /// # Errors
    /// [`journal::Error`] when the record cannot be read.
    pub async fn replay(
        &self,
        given: Given,
        replay: Replay,
        recorded: Recorded<'_>,
        stop: &Stop,
    ) -> Result<Replayed, journal::Error> {
        let fuel_max = recorded.fuel_max(given.limits[LimitKind::Fuel]);
        let gate = Gate::replay(self.functions.clone(), Derived::new(given.start), replay);
        let mut store = self.store(gate, &given.limits, fuel_max);
        let guest = self.enter(&mut store, given.input);
        let driven = drive(guest, stop, Duration::MAX, &mut Shower::none()).await;
        let judged = ending::judge(&mut store, driven);
        ending::compare(&mut store, judged, recorded.end)
    }

    /// Makes the store of one run.
    pub fn store(&self, gate: Gate<Caps, Derived>, limits: &Limits, fuel_max: u64) -> Store<Guest> {
        let growth = Growth::new(limits.clone());
        let mut store = Store::new(self.pre.engine(), Guest { gate, fuel_max, waiting_in: None, growth });
        store.limiter(|guest| &mut guest.growth);
        // Wasmtime counts a handle twice while it is borrowed; our own limit is the one that is reached.
        let handles_max = usize::try_from(limits[LimitKind::Handles]).unwrap_or(usize::MAX);
        store.set_max_component_handles(handles_max.saturating_mul(2).saturating_add(HANDLES_BESIDE));
        store.set_fuel(fuel_max).expect("the configuration counts fuel");
        store.fuel_async_yield_interval(Some(FUEL_SLICE)).expect("the configuration counts fuel");
        store
    }

    /// Instantiates in a store of [`Agent::store`], without calling the export.
    ///
    /// # Errors
    /// The guest's trap, or the halt of a call that it makes while it starts.
    pub async fn instantiate(&self, store: &mut Store<Guest>) -> wasmtime::Result<Instance> {
        self.pre.instantiate_async(store).await
    }

    /// Instantiates and calls the export; journalling covers both.
    async fn enter(&self, store: &mut Store<Guest>, input: String) -> wasmtime::Result<Returned> {
        let instance = self.instantiate(store).await?;
        match self.world {
            World::Agent => call_agent(store, &instance, input).await,
            World::Command => call_command(store, &instance).await,
            World::Connector => served::replay(self, store, &instance).await,
        }
    }
}

/// What the guest's export returned.
pub(crate) enum Returned {
    /// An agent's result or failure.
    Agent(Result<String, WitFailure>),
    /// A command's success or failure.
    Command(Result<(), ()>),
    /// A connector returns nothing: it is over when nobody calls it any more.
    Connector,
}

async fn call_agent(store: &mut Store<Guest>, instance: &Instance, input: String) -> wasmtime::Result<Returned> {
    type Run = (Result<String, WitFailure>,);
    let run = instance.get_typed_func::<(String,), Run>(&mut *store, "run")?;
    let (result,) = run.call_async(&mut *store, (input,)).await?;
    Ok(Returned::Agent(result))
}

async fn call_command(store: &mut Store<Guest>, instance: &Instance) -> wasmtime::Result<Returned> {
    let interface = prepare::command_export(store, instance)?;
    let run = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut *store, interface)?;
    let (result,) = run.call_async(&mut *store, ()).await?;
    Ok(Returned::Command(result))
}

/// Returns the kind as the journal and `--json` write it.
pub(crate) const fn kind_name(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::InvalidInput => "invalid-input",
        FailureKind::Denied => "denied",
        FailureKind::Unavailable => "unavailable",
        FailureKind::Internal => "internal",
    }
}
