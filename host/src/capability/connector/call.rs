//! A call of a connector, as its caller's gate sees it: judged, recorded and replayed like any other remote call.
//!
//! A function of an interface need not have an error to return, so a call without a result ends the caller's run.

use std::sync::Arc;

use wasmtime::component::LinkerInstance;
use wasmtime::{Result, StoreContextMut};

use super::answer::{Answered, Failed, Why};
use super::import::{self, Answer, BoxFuture};
use super::json;
use super::route::Outbound;
use crate::capability::link;
use crate::capability::{Caps, Derived, Guest};
use crate::engine::interface::Function;
use crate::gate::function::{Linked, Read, Render};
use crate::gate::value::{Malformed, Mismatch, Value};
use crate::gate::{Class, Functions, Halt, Outgoing, Permit, RemoteOp, Sending, Sent};
use crate::journal::PAYLOAD_MAX;
use crate::manifest::Interface;
use crate::meter::Usage;
use crate::scope::{Denial, Remit};

/// A function of a connector, as a caller's remit and its route name it.
#[derive(Clone, Debug)]
pub struct Target {
    /// The interface that the remit holds.
    pub interface: Interface,
    /// The function.
    pub function: String,
    /// The places of both in [`Route::interfaces`](super::route::Route::interfaces). Nothing: the run is replayed.
    pub place: Option<(usize, usize)>,
}

impl Target {
    /// Returns what messages call it: `acme:tracker/issues@1.2.0#create`.
    fn name(&self) -> String {
        format!("{}#{}", self.interface, self.function)
    }
}

/// Params on their way to a function.
pub struct Call {
    target: Arc<Target>,
    params: Vec<u8>,
}

impl Value for Call {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.params);
    }

    /// The types are the interface's, so nothing is read back without them.
    fn decode(_: &mut &[u8]) -> std::result::Result<Self, Malformed> {
        Err(Malformed)
    }

    fn json(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}

/// Defines a function of an imported interface, and gives it its place in the table.
///
/// # Errors
/// When the instance or the table has it already.
pub fn define(
    instance: &mut LinkerInstance<'_, Guest>,
    functions: &mut Functions,
    function: &Function,
    target: Target,
) -> Result<()> {
    let index = add(functions, function, &target)?;
    let apply = |_: &mut Derived, _: &Call, answered: Answered| answered.outcome;
    let op = RemoteOp { index, class: Class::ReadRemote, judge, refuse, send, apply, took: |_, _, _| Usage::default() };
    import::define(instance, Arc::new(function.clone()), Arc::new(Imported { op, target: Arc::new(target) }))
}

/// Adds a function to the table under the interface's name without its version, unless another version has that name.
fn add(functions: &mut Functions, function: &Function, target: &Target) -> Result<u16> {
    let path = target.interface.as_str().split('@').next().unwrap_or_default();
    let short = format!("{path}#{}", function.name);
    let name = if functions.get(&short).is_none() { short } else { target.name() };
    let (params, outcome) = (show_params(function), show_outcome(function));
    let linked =
        Linked { name, class: Class::ReadRemote, is_incoming: false, params, outcome, reads: read_outcome(function) };
    functions.add_linked(linked).ok_or_else(|| wasmtime::format_err!("{} is linked twice", target.name()))
}

/// Returns what shows a function's params.
pub fn show_params(function: &Function) -> Render {
    let params = function.params.clone();
    Arc::new(move |bytes| json::params_to_json(&params, bytes).unwrap_or_else(|_| malformed(bytes)))
}

/// Returns what shows a function's result.
pub fn show_result(function: &Function) -> Render {
    let result = function.result.clone();
    Arc::new(move |bytes| json::result_to_json(result.as_ref(), bytes).unwrap_or_else(|_| malformed(bytes)))
}

/// Returns what shows the outcome of a call: the result, or the failure.
fn show_outcome(function: &Function) -> Render {
    let show_result = show_result(function);
    Arc::new(move |mut bytes| match Answered::decode(&mut bytes) {
        Ok(Answered { outcome: Ok(result), .. }) => show_result(&result),
        Ok(failed) => failed.json(),
        Err(_) => malformed(bytes),
    })
}

/// Returns what reads a result as it is shown. That there is none is the host's to say.
fn read_outcome(function: &Function) -> Read {
    let result = function.result.clone();
    Arc::new(move |shown| {
        let result = match &result {
            Some(ty) => json::value_from_json(ty, shown, PAYLOAD_MAX),
            None if shown.is_null() => Ok(Vec::new()),
            None => return Err(Mismatch::new("null", shown)),
        };
        let result = result.map_err(|error| Mismatch::because(error.to_string()))?;
        let mut outcome = Vec::with_capacity(result.len() + 1);
        Answered { outcome: Ok(result), usage: Usage::default() }.encode(&mut outcome);
        Ok(outcome)
    })
}

/// Shows bytes that do not have the form of their type.
fn malformed(bytes: &[u8]) -> serde_json::Value {
    crate::gate::value::render::<Vec<u8>>(bytes)
}

/// Answers the calls of one imported function through the gate.
struct Imported {
    op: RemoteOp<Caps, Derived, Call, Answered, std::result::Result<Vec<u8>, Failed>>,
    target: Arc<Target>,
}

impl Answer<Guest> for Imported {
    fn answer<'a>(&'a self, mut store: StoreContextMut<'a, Guest>, params: Vec<u8>) -> BoxFuture<'a, Result<Vec<u8>>> {
        Box::pin(async move {
            let call = Call { target: self.target.clone(), params };
            let outcome = link::remote(&mut store, &self.op, &call, self.op.index).await?;
            let unanswered = |failed| Halt::Unanswered { function: self.target.name(), failed: Box::new(failed) };
            Ok(outcome.map_err(unanswered)?)
        })
    }
}

fn judge<'a>(remit: &'a Remit, call: &'a Call) -> std::result::Result<Permit<'a>, Denial> {
    let scope = remit.connector_allows(&call.target.interface, &call.target.function)?;
    Ok(Permit { class: Class::ReadRemote, terms: scope.terms() })
}

fn refuse(call: &Call) -> Answered {
    // Not granted, or granted and used up: the entry says which, and what would allow it.
    let message = format!("the remit does not allow {}", call.target.name());
    Answered::failed(Failed { connector: call.target.interface.to_string(), run: None, why: Why::Denied, message })
}

fn send(outgoing: Outgoing<'_, Caps>, _: &Derived, call: &Call) -> Sending<Answered> {
    let patience = outgoing.limits.call_time();
    let answering = match (&outgoing.caps.connectors, call.target.place) {
        (Some(route), Some((interface, function))) => {
            let (params, entry) = (call.params.clone(), outgoing.entry);
            route.call(Outbound { interface, function, params, entry, patience })
        }
        _ => nobody(call),
    };
    Box::pin(async move {
        let answered = answering.await;
        let (is_sent, parked) = (answered.was_asked(), answered.parked());
        Sent { is_sent, parked, ..Sent::unsent(answered) }
    })
}

/// Says that no connector was linked, which a host that resolves what it links rules out.
fn nobody(call: &Call) -> BoxFuture<'static, Answered> {
    let (connector, message) = (call.target.interface.to_string(), "no connector is linked".to_owned());
    let failed = Failed { connector, run: None, why: Why::NotStarted, message };
    Box::pin(async { Answered::failed(failed) })
}
