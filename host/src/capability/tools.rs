//! `remit:plugin/tools`: the granted functions of connectors, listed as JSON Schema and called with JSON, so that a model
//! can choose.
//!
//! What can be called comes from the run's [`Route`](super::connector::route::Route), and so do the calls. The list is
//! recorded when it is asked for, and a call is one entry like any other: a replay needs no connector.

mod arguments;
mod call;
mod names;
mod outcome;
mod table;

use std::sync::Arc;

use serde_json::{Value as Json, json};

pub use self::outcome::Came;
pub use self::table::{Tool, Tools};

use super::bindings::tools as wit;
use super::connector::route::Route;
use super::link::{Link, fuel_used};
use super::{Caps, Derived, Guest};
use crate::gate::value::Malformed;
use crate::gate::{Class, Halt, Live, Op, Value};

/// The most tools of one list: twice what any chat takes.
const TOOLS_MAX: usize = 256;

const GRANTED: &str = "remit:plugin/tools#granted";

type Listed = (Vec<wit::Tool>,);

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    let index = link.functions.add::<Listing, Listed>(GRANTED, Class::ReadLocal, false);
    let op: Op<Caps, Derived, Listing, Listed> = Op {
        index,
        class: Class::ReadLocal,
        judge: None,
        refuse: |_| (Vec::new(),),
        perform: |_, _, Listing(tools)| Ok((tools.clone(),)),
        foresee: None,
        apply: None,
        restore: None,
        recover: None,
    };
    let Some((mut instance, function)) = link.place(GRANTED)? else { return call::link(link) };
    instance.func_wrap(function, move |mut store: wasmtime::StoreContextMut<'_, Guest>, (): ()| {
        let fuel = fuel_used(&store)?;
        let gate = &mut store.data_mut().gate;
        let listing = Listing(gate.as_live().map_or(Ok(Vec::new()), granted)?);
        Ok(gate.call(&op, fuel, &listing)?)
    })?;
    call::link(link)
}

/// The params of `list`, of which there are none, with what a live run answers.
struct Listing(Vec<wit::Tool>);

impl Value for Listing {
    fn encode(&self, _: &mut Vec<u8>) {}

    fn decode(_: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(Self(Vec::new()))
    }

    fn json(&self) -> Json {
        json!([])
    }
}

/// Returns the tools that the remit grants now and that can be shown.
fn granted(live: &mut Live<Caps>) -> Result<Vec<wit::Tool>, Halt> {
    let tools = live.caps.tools();
    let shown = tools.granted(live.remit_now()?).filter_map(Tool::shown);
    Ok(shown.take(TOOLS_MAX).collect())
}

impl Caps {
    /// Returns every function that could be called as a tool, whatever the remit says of it.
    fn tools(&mut self) -> Arc<Tools> {
        let interfaces = self.connectors.as_deref().map(Route::interfaces).unwrap_or_default();
        self.tools.get_or_insert_with(|| Arc::new(Tools::of(interfaces))).clone()
    }
}
