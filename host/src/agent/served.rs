//! A connector's instance: its exports, called live by others, or by a replay as its record says.

use wasmtime::Store;
use wasmtime::component::Instance;

use super::{Agent, Returned};
use crate::capability::Guest;
use crate::capability::connector::export::{CallError, Export};
use crate::gate::Incoming;

/// The exports of one instance.
pub(super) struct Served(Vec<Export<Guest>>);

impl Served {
    /// Finds what the connector exports.
    pub fn find(agent: &Agent, store: &mut Store<Guest>, instance: &Instance) -> wasmtime::Result<Self> {
        let component = agent.pre.component();
        let exports = agent.exports().iter().map(|exported| {
            let interface = &exported.interface;
            Ok(Export::find(store, instance, component, &interface.name, &interface.functions)?)
        });
        Ok(Self(exports.collect::<wasmtime::Result<_>>()?))
    }

    /// Has the connector answer a call, which was recorded, and records the result.
    async fn answer(
        &self,
        agent: &Agent,
        store: &mut Store<Guest>,
        (export, function): (usize, usize),
        params: &[u8],
    ) -> wasmtime::Result<Vec<u8>> {
        let result = self.0[export].call(store, function, params).await.map_err(|error| match error {
            CallError::Failed(error) => error,
            error => error.into(),
        })?;
        let fuel = fuel_used(store)?;
        store.data_mut().gate.leave(agent.exports()[export].places[function].returned, fuel, &result)?;
        Ok(result)
    }

    /// Records a call that came in and has the connector answer it.
    pub async fn call(
        &self,
        agent: &Agent,
        store: &mut Store<Guest>,
        place: (usize, usize),
        params: &[u8],
        cause: String,
    ) -> wasmtime::Result<Vec<u8>> {
        let fuel = fuel_used(store)?;
        store.data_mut().gate.enter(agent.exports()[place.0].places[place.1].call, fuel, params, cause)?;
        self.answer(agent, store, place, params).await
    }
}

/// Makes the calls that the record says came in.
pub(super) async fn replay(agent: &Agent, store: &mut Store<Guest>, instance: &Instance) -> wasmtime::Result<Returned> {
    let served = Served::find(agent, store, instance)?;
    served.make_recorded(agent, store).await?;
    Ok(Returned::Connector)
}

/// The call that came in last, of those that the record has, and its result.
pub(super) struct LastCall {
    pub place: (usize, usize),
    pub params: Vec<u8>,
    /// The caller's entry, as `RUN:NUMBER`.
    pub cause: String,
    pub result: Vec<u8>,
}

impl Served {
    /// Makes the calls that the record says came in. Where the record ends in the middle of one and the run is resumed, it
    /// is finished live.
    pub async fn make_recorded(&self, agent: &Agent, store: &mut Store<Guest>) -> wasmtime::Result<Option<LastCall>> {
        let mut last = None;
        loop {
            let fuel = fuel_used(store)?;
            let Some(Incoming { index, params, cause }) = store.data_mut().gate.next_incoming(fuel)? else {
                return Ok(last);
            };
            let place = place_of(agent, index);
            let place = place.ok_or_else(|| wasmtime::format_err!("the record has a call of what is not exported"))?;
            let result = self.answer(agent, store, place, &params).await?;
            last = Some(LastCall { place, params, cause, result });
        }
    }
}

fn place_of(agent: &Agent, index: u16) -> Option<(usize, usize)> {
    let mut exports = agent.exports().iter().enumerate();
    exports.find_map(|(export, exported)| {
        let function = exported.places.iter().position(|place| place.call == index)?;
        Some((export, function))
    })
}

/// Returns the fuel that the run has used.
pub(super) fn fuel_used(store: &Store<Guest>) -> wasmtime::Result<u64> {
    Ok(store.data().fuel_max - store.get_fuel()?)
}
