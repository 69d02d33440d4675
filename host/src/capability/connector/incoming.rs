//! What a connector exports, and its functions' places in the table of its own run.

use std::sync::Arc;

use serde_json::Value as Json;
use wasmtime::Result;

use super::call::{show_params, show_result};
use crate::engine::interface::{Field, Function, Interface};
use crate::gate::function::{Linked, Render};
use crate::gate::value::Mismatch;
use crate::gate::{Class, Functions};

/// An exported interface.
#[derive(Clone, Debug)]
pub struct Exported {
    /// Its functions with their types.
    pub interface: Interface,
    /// Their places in the table, in the same order.
    pub places: Vec<Place>,
}

/// The places of one function that others call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Of what comes in.
    pub call: u16,
    /// Of what goes back.
    pub returned: u16,
}

/// Adds the functions of exported interfaces to the table.
///
/// # Errors
/// When the table has one of them already, or is full.
pub fn add(functions: &mut Functions, exports: Vec<Interface>) -> Result<Vec<Exported>> {
    let mut all = Vec::with_capacity(exports.len());
    for interface in exports {
        let places = interface.functions.iter().map(|function| place(functions, &interface, function));
        let places = places.collect::<Result<_>>()?;
        all.push(Exported { interface, places });
    }
    Ok(all)
}

fn place(functions: &mut Functions, interface: &Interface, function: &Function) -> Result<Place> {
    let call = one(functions, interface, "call", function, show_params(function))?;
    // What goes back is recorded where params are, so that a replay compares it.
    let returned = one(functions, interface, "return", function, show_result(function))?;
    Ok(Place { call, returned })
}

/// Adds `acme:tracker/issues#[call]create`; with the version in it where another version has that name.
fn one(functions: &mut Functions, interface: &Interface, what: &str, of: &Function, params: Render) -> Result<u16> {
    let name = |interface: String| format!("{interface}#[{what}]{}", of.name);
    let short = name(interface.name.path.clone());
    let name = if functions.get(&short).is_none() { short } else { name(interface.name.to_string()) };
    let outcome = show_params(&Function { name: String::new(), params: Vec::<Field>::new(), result: None });
    let reads = Arc::new(|shown: &Json| Err(Mismatch::new("no value: nothing is returned to who calls", shown)));
    let linked = Linked { name, class: Class::Pure, is_incoming: true, params, outcome, reads };
    functions.add_linked(linked).ok_or_else(|| wasmtime::format_err!("{} exports too many functions", interface.name))
}
