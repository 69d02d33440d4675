//! Links host functions: the colours of a call, and the resources, all through the gate.
//!
//! A capability's page names each function once, `interface#function`, with its class and its closures. The generic
//! functions here give the gate what a bindgen trait would not: the store, and so the fuel at the call.

mod wait;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use wasmtime::component::{ComponentNamedList, Lift, Linker, LinkerInstance, Lower, ResourceType};
use wasmtime::{Result, StoreContextMut};

use self::wait::{sleep_shown, wait_for};
use super::wasi::http::Exchanging;
use super::{Caps, Derived, Guest};
use crate::gate::{
    Asked, Asking, Class, Functions, Halt, Op, Ordinals, Outgoing, Permit, Proposed, PureOp, Recover, Relive, RemoteOp,
    Sending, Turn, Value, WaitOp, Waited,
};
use crate::lifecycle::Wait;
use crate::meter::Usage;
use crate::scope::{Denial, Remit};
use crate::time::Timestamp;

pub use self::wait::{pause, remote, within};

/// Params of a linked function.
pub trait Params: ComponentNamedList + Lift + Value + Send + Sync + 'static {}
impl<T: ComponentNamedList + Lift + Value + Send + Sync + 'static> Params for T {}

/// What a linked function returns.
pub trait Returns: ComponentNamedList + Lower + Value + Send + Sync + 'static {}
impl<T: ComponentNamedList + Lower + Value + Send + Sync + 'static> Returns for T {}

/// The closure that does a call's work. Live only.
pub type Perform<P, R> = fn(&mut Turn<'_, Caps>, &Derived, &P) -> Result<R, Halt>;

/// The work of one recorded function, before it has its place in the table.
pub struct Call<P, R> {
    class: Class,
    judge: Option<for<'a> fn(&'a Derived, &'a P) -> Asked<'a>>,
    refuse: fn(&P) -> R,
    perform: Perform<P, R>,
    foresee: Option<fn(&Caps, &P) -> Option<Json>>,
    apply: Option<fn(&mut Derived, &P, &R)>,
    restore: Option<Relive<Caps, Derived, P, R>>,
    recover: Option<Recover<Caps, Derived, P, R>>,
}

impl<P, R> Call<P, R> {
    /// Begins a call of this class that does its work in `perform` and is never refused.
    pub fn new(class: Class, perform: Perform<P, R>) -> Self {
        let refuse = |_: &P| unreachable!("a call without a judge is never refused");
        Self { class, judge: None, refuse, perform, foresee: None, apply: None, restore: None, recover: None }
    }

    /// Has the remit asked before the call is performed, and says what a refused guest sees.
    pub fn governed(mut self, judge: for<'a> fn(&'a Derived, &'a P) -> Asked<'a>, refuse: fn(&P) -> R) -> Self {
        self.judge = Some(judge);
        self.refuse = refuse;
        self
    }

    /// Looks at what a once-only call is about to change, for its intent.
    pub fn foreseen(mut self, foresee: fn(&Caps, &P) -> Option<Json>) -> Self {
        self.foresee = Some(foresee);
        self
    }

    /// Updates what both sides know once the outcome is.
    pub fn applied(mut self, apply: fn(&mut Derived, &P, &R)) -> Self {
        self.apply = Some(apply);
        self
    }

    /// Brings what the capabilities hold to where a recorded call left it, where a run is resumed.
    pub fn restored(mut self, restore: Relive<Caps, Derived, P, R>) -> Self {
        self.restore = Some(restore);
        self
    }

    /// Looks whether a once-only call was done that found this in place, where a run is resumed.
    pub fn recovered(mut self, recover: Recover<Caps, Derived, P, R>) -> Self {
        self.recover = Some(recover);
        self
    }

    fn op(self, index: u16) -> Op<Caps, Derived, P, R> {
        let Self { class, judge, refuse, perform, foresee, apply, restore, recover } = self;
        Op { index, class, judge, refuse, perform, foresee, apply, restore, recover }
    }
}

/// The work of one function that is done outside this host, before it has its place in the table. Some remit refuses it.
pub struct Remote<P, R> {
    /// The strictest class of a call.
    pub class: Class,
    /// Judges one call, and says its class.
    pub judge: for<'a> fn(&'a Remit, &'a P) -> std::result::Result<Permit<'a>, Denial>,
    /// The outcome of a call that is refused.
    pub refuse: fn(&P) -> R,
    /// Begins to do the work. Live only.
    pub send: fn(Outgoing<'_, Caps>, &Derived, &P) -> Sending<R>,
    /// Says what a recorded call took, where a run is resumed.
    pub took: fn(&P, &R, Option<&str>) -> Usage,
}

/// The work of one function that waits for what may take long, before it has its place in the table: see [`WaitOp`]. Some
/// remit refuses it.
pub struct Waits<P, R> {
    /// Its class.
    pub class: Class,
    /// Judges one call at this time.
    pub judge: fn(&Remit, &P, Timestamp) -> std::result::Result<(), Denial>,
    /// The outcome of a call that is refused.
    pub refuse: fn(&P) -> R,
    /// Says what a call waits for, or answers one that waits for nothing.
    pub wait: fn(&P, &Asking) -> std::result::Result<Wait, R>,
    /// Says what a person is asked by a call that waits for one.
    pub propose: Option<fn(&P) -> Proposed>,
    /// Returns the outcome, if what it waits for is there.
    pub answer: fn(&mut Turn<'_, Caps>, &Wait) -> std::result::Result<Option<R>, Halt>,
    /// The outcome where the run would have to be suspended, and cannot be.
    pub unable: fn(&P) -> R,
}

/// The closure that computes a call on both sides.
pub type Computed<P, R> = fn(&mut Derived, &mut Ordinals, &P) -> std::result::Result<R, Halt>;

/// What a call does before all else: the exchange for a response that it waits for.
pub struct First<P> {
    exchanging: Exchanging,
    due: fn(&mut Derived, &P) -> Option<u32>,
}

impl<P> First<P> {
    /// Has a call make the exchange for the response that `due` names.
    pub fn new(exchanging: &Exchanging, due: fn(&mut Derived, &P) -> Option<u32>) -> Self {
        Self { exchanging: exchanging.clone(), due }
    }

    async fn make(&self, store: &mut StoreContextMut<'_, Guest>, params: &P, caller: u16) -> Result<()> {
        match (self.due)(&mut store.data_mut().gate.derived, params) {
            Some(to_come) => self.exchanging.make(store, to_come, caller).await,
            None => Ok(()),
        }
    }
}

impl<P> Clone for First<P> {
    fn clone(&self) -> Self {
        Self { exchanging: self.exchanging.clone(), due: self.due }
    }
}

/// A linker being filled, with the table of what this host can satisfy.
///
/// The table always has every function, in one order, so that an index means the same for each component. The linker
/// gets the interfaces that are wanted: defining one costs a microsecond for each of its functions, and most components
/// import a few.
pub struct Link<'a> {
    /// Wasmtime's linker.
    pub linker: &'a mut Linker<Guest>,
    /// The gate's table.
    pub functions: &'a mut Functions,
    /// Versions of the packages that are linked, as `("wasi:io", "0.2.12")`.
    pub versions: &'static [(&'static str, &'static str)],
    /// The interfaces that the component imports, without versions.
    pub wanted: HashSet<&'a str>,
}

impl Link<'_> {
    /// Links a function that waits for nothing.
    pub fn sync<P: Params, R: Returns>(&mut self, name: &'static str, call: Call<P, R>) -> Result<()> {
        let index = self.functions.add::<P, R>(name, call.class, call.judge.is_some());
        let op = call.op(index);
        let Some((mut instance, function)) = self.place(name)? else { return Ok(()) };
        instance.func_wrap(function, move |mut store: StoreContextMut<'_, Guest>, params: P| {
            let fuel = fuel_used(&store)?;
            Ok(store.data_mut().gate.call(&op, fuel, &params)?)
        })
    }

    /// Links a function that may have to wait until earlier entries, or its own intent, are durable.
    pub fn durable<P: Params, R: Returns>(&mut self, name: &'static str, call: Call<P, R>) -> Result<()> {
        let index = self.functions.add::<P, R>(name, call.class, call.judge.is_some());
        let op = Arc::new(call.op(index));
        let Some((mut instance, function)) = self.place(name)? else { return Ok(()) };
        instance.func_wrap_async(function, move |mut store: StoreContextMut<'_, Guest>, params: P| {
            let op = op.clone();
            boxed(async move {
                let fuel = fuel_used(&store)?;
                let (admission, durable) = store.data_mut().gate.prepare(&op, fuel, &params)?;
                if let Some(durable) = durable {
                    wait_for(&mut store, index, durable).await?;
                }
                Ok(store.data_mut().gate.commit(&op, fuel, &params, admission)?)
            })
        })
    }

    /// Links a function whose work is done outside this host.
    pub fn remote<P: Params, R: Returns>(&mut self, name: &'static str, work: Remote<P, R>) -> Result<()> {
        let Remote { class, judge, refuse, send, took } = work;
        let index = self.functions.add::<P, R>(name, class, true);
        let apply = |_: &mut Derived, _: &P, outcome: R| outcome;
        let op = Arc::new(RemoteOp { index, class, judge, refuse, send, apply, took });
        let Some((mut instance, function)) = self.place(name)? else { return Ok(()) };
        instance.func_wrap_async(function, move |mut store: StoreContextMut<'_, Guest>, params: P| {
            let op = op.clone();
            boxed(async move { remote(&mut store, &op, &params, index).await })
        })
    }

    /// Links a function that may have to make an exchange first, and then sleeps until `until` says that there is
    /// something to tell. `until` returns the moment, counted from the run's start; `None` when there is nothing to
    /// wait for.
    pub fn waiting<P: Params, R: Returns>(
        &mut self,
        name: &'static str,
        first: First<P>,
        until: fn(&Caps, &Derived, &P) -> Option<Duration>,
        call: Call<P, R>,
    ) -> Result<()> {
        let index = self.functions.add::<P, R>(name, call.class, call.judge.is_some());
        let op = Arc::new(call.op(index));
        let Some((mut instance, function)) = self.place(name)? else { return Ok(()) };
        instance.func_wrap_async(function, move |mut store: StoreContextMut<'_, Guest>, params: P| {
            let (op, first) = (op.clone(), first.clone());
            boxed(async move {
                first.make(&mut store, &params, index).await?;
                let fuel = fuel_used(&store)?;
                let gate = &mut store.data_mut().gate;
                if let Some(begun) = gate.take_sleep(&op, fuel, &params)? {
                    return Ok(gate.commit(&op, fuel, &params, Some(begun))?);
                }
                gate.wake(fuel)?;
                if let Some((live, derived)) = gate.as_live_with_derived()
                    && let Some(until) = until(&live.caps, derived, &params)
                    && until > live.elapsed()
                {
                    gate.sleep(&op, fuel, &params, until)?;
                    sleep_shown(&mut store, index, until).await?;
                }
                Ok(store.data_mut().gate.call(&op, fuel, &params)?)
            })
        })
    }

    /// Links a function that waits for what may take long, and may have the run suspended for it.
    pub fn long<P: Params, R: Returns>(&mut self, name: &'static str, wait: Waits<P, R>) -> Result<()> {
        let Waits { class, judge, refuse, wait, propose, answer, unable } = wait;
        let index = self.functions.add::<P, R>(name, class, true);
        let op = Arc::new(WaitOp { index, class, judge, refuse, wait, propose, answer, unable });
        let Some((mut instance, function)) = self.place(name)? else { return Ok(()) };
        instance.func_wrap_async(function, move |mut store: StoreContextMut<'_, Guest>, params: P| {
            let op = op.clone();
            boxed(async move {
                let fuel = fuel_used(&store)?;
                let gate = &mut store.data_mut().gate;
                let stay = match gate.wait(&op, fuel, &params)? {
                    Waited::Answered(outcome) => return Ok(outcome),
                    Waited::Stay(stay) => stay,
                };
                sleep_shown(&mut store, index, stay.until).await?;
                Ok(store.data_mut().gate.stayed(&op, fuel, &params, &stay)?)
            })
        })
    }

    /// Links a function that may have to make an exchange first, and that both sides compute then.
    pub fn exchanging<P: Params, R: Returns>(
        &mut self,
        name: &'static str,
        first: First<P>,
        perform: Computed<P, R>,
    ) -> Result<()> {
        let index = self.functions.add::<P, R>(name, Class::Pure, false);
        let Some((mut instance, function)) = self.place(name)? else { return Ok(()) };
        instance.func_wrap_async(function, move |mut store: StoreContextMut<'_, Guest>, params: P| {
            let first = first.clone();
            boxed(async move {
                first.make(&mut store, &params, index).await?;
                let fuel = fuel_used(&store)?;
                Ok(store.data_mut().gate.compute(index, fuel, &params, perform)?)
            })
        })
    }

    /// Links a function that waits for nothing, and that both sides compute where `is_derived` says so.
    pub fn sync_or_pure<P: Params, R: Returns>(
        &mut self,
        name: &'static str,
        call: Call<P, R>,
        is_derived: fn(&Derived, &P) -> bool,
        perform: Computed<P, R>,
    ) -> Result<()> {
        let index = self.functions.add::<P, R>(name, call.class, call.judge.is_some());
        let op = call.op(index);
        let Some((mut instance, function)) = self.place(name)? else { return Ok(()) };
        instance.func_wrap(function, move |mut store: StoreContextMut<'_, Guest>, params: P| {
            let fuel = fuel_used(&store)?;
            let gate = &mut store.data_mut().gate;
            if is_derived(&gate.derived, &params) {
                return Ok(gate.compute(index, fuel, &params, perform)?);
            }
            Ok(gate.call(&op, fuel, &params)?)
        })
    }

    /// Links a function that both sides compute.
    pub fn pure<P: Params, R: Returns>(
        &mut self,
        name: &'static str,
        perform: fn(&mut Derived, &mut Ordinals, &P) -> Result<R, Halt>,
    ) -> Result<()> {
        let index = self.functions.add::<P, R>(name, Class::Pure, false);
        let op = PureOp { index, perform };
        let Some((mut instance, function)) = self.place(name)? else { return Ok(()) };
        instance.func_wrap(function, move |mut store: StoreContextMut<'_, Guest>, params: P| {
            let fuel = fuel_used(&store)?;
            Ok(store.data_mut().gate.pure(&op, fuel, &params)?)
        })
    }

    /// Links a function that both sides compute, with what one of several such functions has of its own.
    pub fn pure_with<T: Copy + Send + Sync + 'static, P: Params, R: Returns>(
        &mut self,
        name: &'static str,
        own: T,
        perform: fn(&mut Derived, &mut Ordinals, T, &P) -> Result<R, Halt>,
    ) -> Result<()> {
        let index = self.functions.add::<P, R>(name, Class::Pure, false);
        let Some((mut instance, function)) = self.place(name)? else { return Ok(()) };
        instance.func_wrap(function, move |mut store: StoreContextMut<'_, Guest>, params: P| {
            let fuel = fuel_used(&store)?;
            let perform =
                |derived: &mut Derived, ordinals: &mut Ordinals, params: &P| perform(derived, ordinals, own, params);
            Ok(store.data_mut().gate.compute(index, fuel, &params, perform)?)
        })
    }

    /// Defines a resource whose handles are ordinals, with a recorded drop. `name` is `interface#[drop]resource`.
    pub fn resource<T: 'static>(&mut self, name: &'static str) -> Result<()> {
        let index = self.functions.add::<(u32,), ()>(name, Class::Pure, false);
        let op = PureOp {
            index,
            perform: |derived: &mut Derived, ordinals: &mut Ordinals, &(ordinal,): &(u32,)| {
                derived.forget(ordinal)?;
                ordinals.release();
                Ok(())
            },
        };
        let Some((mut instance, function)) = self.place(name)? else { return Ok(()) };
        let resource = function.trim_start_matches("[drop]");
        instance.resource(resource, ResourceType::host::<T>(), move |mut store, ordinal| {
            let fuel = fuel_used(&store)?;
            let gate = &mut store.data_mut().gate;
            gate.pure(&op, fuel, &(ordinal,))?;
            if let Some(live) = gate.recorder() {
                live.caps.close(ordinal);
            }
            Ok(())
        })
    }

    /// Splits `interface#function` and returns the linker's instance of the interface, if the interface is wanted.
    pub(super) fn place<'n>(&mut self, name: &'n str) -> Result<Option<(LinkerInstance<'_, Guest>, &'n str)>> {
        let (interface, function) = name.split_once('#').expect("linked names are interface#function");
        if !self.wanted.contains(interface) {
            return Ok(None);
        }
        let version =
            self.versions.iter().find(|(package, _)| interface.starts_with(package)).map(|(_, version)| version);
        let version = version.expect("every linked package has a version");
        // The linker accepts an instance being opened again.
        Ok(Some((self.linker.instance(&format!("{interface}@{version}"))?, function)))
    }
}

/// Returns the fuel that the run has used.
pub fn fuel_used(store: &StoreContextMut<'_, Guest>) -> Result<u64> {
    Ok(store.data().fuel_max - store.get_fuel()?)
}

fn boxed<'a, T>(
    future: impl Future<Output = Result<T>> + Send + 'a,
) -> Box<dyn Future<Output = Result<T>> + Send + 'a> {
    Box::new(future)
}
