//! What a component's imports of other plugins are linked to.

use wasmtime::component::{Component, Linker};

use super::{PrepareError, mismatch};
use crate::capability::Guest;
use crate::capability::connector::call::{self, Target};
use crate::capability::connector::route::Linked;
use crate::engine::compatible::compatible;
use crate::engine::interface::{Function, Interface, read};
use crate::gate::Functions;

/// What a component's imports of other plugins are linked to.
#[derive(Clone, Copy, Debug)]
pub enum Connected<'a> {
    /// The interfaces of a route, in its order.
    To(&'a [Linked]),
    /// Whatever it imports: its calls are answered from a record, or not made at all.
    ByRecord,
}

impl Connected<'_> {
    /// Defines what the component imports of other plugins, with its own types. Returns those that have functions.
    pub(super) fn define(
        self,
        component: &Component,
        foreign: &[String],
        linker: &mut Linker<Guest>,
        functions: &mut Functions,
    ) -> Result<Vec<Interface>, PrepareError> {
        if foreign.is_empty() {
            return Ok(Vec::new());
        }
        let mut imports = read::imports(component)?;
        imports.retain(|import| foreign.contains(&import.name.to_string()));
        let not_connected: Vec<_> = imports.iter().filter(|import| !self.has(import)).collect();
        if !not_connected.is_empty() {
            let imports = not_connected.iter().map(|import| import.name.to_string()).collect();
            return Err(PrepareError::NotConnected { imports });
        }
        for import in &imports {
            let place = self.place(import)?;
            let mut instance = linker.instance(&import.name.to_string()).map_err(mismatch)?;
            for function in &import.functions {
                let target = self.target(import, function, place)?;
                call::define(&mut instance, functions, function, target).map_err(mismatch)?;
            }
        }
        imports.retain(|import| !import.functions.is_empty());
        Ok(imports)
    }

    /// Tells whether an import is linked. One that has no functions needs nobody to call.
    fn has(self, import: &Interface) -> bool {
        match self {
            Self::To(linked) => import.functions.is_empty() || position(linked, import).is_some(),
            Self::ByRecord => true,
        }
    }

    /// Returns the place of an import in the route, where both have the same types.
    fn place(self, import: &Interface) -> Result<Option<usize>, PrepareError> {
        let Self::To(linked) = self else { return Ok(None) };
        let Some(place) = position(linked, import) else { return Ok(None) };
        let Linked { connector, interface, .. } = &linked[place];
        compatible(import, interface)
            .map_err(Box::new)
            .map_err(|difference| PrepareError::Incompatible { connector: connector.clone(), difference })?;
        Ok(Some(place))
    }

    fn target(self, import: &Interface, function: &Function, place: Option<usize>) -> Result<Target, PrepareError> {
        let interface = import.name.to_string();
        let interface = interface.parse().map_err(|error| PrepareError::Mismatch(format!("{interface}: {error}")))?;
        let place = match (self, place) {
            (Self::To(linked), Some(place)) => {
                let functions = &linked[place].interface.functions;
                let function = functions.iter().position(|exported| exported.name == function.name);
                function.map(|function| (place, function))
            }
            _ => None,
        };
        Ok(Target { interface, function: function.name.clone(), place })
    }
}

fn position(linked: &[Linked], import: &Interface) -> Option<usize> {
    let name = import.name.to_string();
    linked.iter().position(|linked| linked.granted.as_str() == name)
}
