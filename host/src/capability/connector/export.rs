//! The connector's end of a typed call: an exported interface, called with params in the recorded form.

use std::marker::PhantomData;

use wasmtime::component::{Component, Func, Instance, Val};
use wasmtime::{Error, Store};

use super::import::{BoxFuture, exhausted};
use super::typed::{Params, Returns, Visit, dispatch};
use super::val;
use super::wire::{self, ValueError};
use crate::engine::interface::{Function, InterfaceName};

/// A call that has no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The params do not have the form of the function's types. A caller's own params always have it.
    #[error("params: {0}")]
    Params(ValueError),
    /// The connector trapped, or ran into a limit of its own run.
    #[error(transparent)]
    Failed(Error),
    /// The result is more than one call carries.
    #[error("result: {0}")]
    Result(ValueError),
}

/// An instance does not export a function.
#[derive(Debug, thiserror::Error)]
#[error("the instance does not export `{function}` of {interface}")]
pub struct Missing {
    interface: String,
    function: String,
}

/// Functions of one exported interface of one instance.
pub struct Export<T: 'static> {
    functions: Vec<(Function, Target<T>)>,
}

/// How a function is called.
enum Target<T: 'static> {
    Typed(Box<dyn Call<T>>),
    Dynamic(Func),
}

impl<T: Send> Export<T> {
    /// Finds functions of the exported interface `name` in an instance of `component`: those that a caller imports,
    /// in its order, or all.
    ///
    /// # Errors
    /// [`Missing`] when one is not there, which [`compatible`](crate::engine::compatible::compatible) rules out.
    pub fn find(
        store: &mut Store<T>,
        instance: &Instance,
        component: &Component,
        name: &InterfaceName,
        functions: &[Function],
    ) -> Result<Self, Missing> {
        let exported = component.get_export_index(None, name.to_string());
        let functions = functions.iter().map(|function| {
            let index = exported.as_ref().and_then(|index| component.get_export_index(Some(index), &function.name));
            let found = index.and_then(|index| instance.get_func(&mut *store, index));
            let missing = || Missing { interface: name.to_string(), function: function.name.clone() };
            Ok((function.clone(), Target::of(function, found.ok_or_else(missing)?)))
        });
        Ok(Self { functions: functions.collect::<Result<_, _>>()? })
    }

    /// Calls the function at `index` of those that were asked for. A store is not to be used again after an error.
    ///
    /// # Errors
    /// [`CallError`] says which side did not keep to the types or to the limits.
    ///
    /// # Panics
    /// When fewer functions were asked for.
    pub async fn call(&self, store: &mut Store<T>, index: usize, params: &[u8]) -> Result<Vec<u8>, CallError> {
        let (function, target) = &self.functions[index];
        match target {
            Target::Typed(call) => call.call(store, params).await,
            Target::Dynamic(found) => dynamic(store, function, *found, params).await,
        }
    }
}

impl<T: Send> Target<T> {
    fn of(function: &Function, found: Func) -> Self {
        match dispatch(function, Hide { found, store: PhantomData }) {
            Ok(typed) => Self::Typed(typed),
            Err(_) => Self::Dynamic(found),
        }
    }
}

async fn dynamic<T: Send>(
    store: &mut Store<T>,
    function: &Function,
    found: Func,
    params: &[u8],
) -> Result<Vec<u8>, CallError> {
    let params = val::decode_params(&function.params, params).map_err(CallError::Params)?;
    let mut result = [Val::Bool(false)];
    let result = &mut result[..function.result.iter().len()];
    found.call_async(store, &params, result).await.map_err(failed)?;
    let mut encoded = Vec::new();
    val::encode_result(function.result.as_ref(), result, &mut encoded).map_err(CallError::Result)?;
    Ok(encoded)
}

fn failed(error: Error) -> CallError {
    exhausted(&error).map_or(CallError::Failed(error), CallError::Result)
}

/// A function with Rust types, its types out of sight.
trait Call<T: 'static>: Send + Sync {
    fn call<'a>(&'a self, store: &'a mut Store<T>, params: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, CallError>>;
}

/// A function with params `P` and result `R`.
struct Typed<P, R> {
    found: Func,
    types: PhantomData<fn(P) -> R>,
}

impl<T: Send + 'static, P: Params, R: Returns> Call<T> for Typed<P, R> {
    fn call<'a>(&'a self, store: &'a mut Store<T>, mut params: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, CallError>> {
        Box::pin(async move {
            let decoded = P::decode(&mut params).and_then(|decoded| wire::finish(params).map(|()| decoded));
            let decoded = decoded.map_err(|malformed| CallError::Params(malformed.into()))?;
            // The params borrow from this call, so that their types are this call's, too.
            let typed = self.found.typed::<P::Lowered<'_>, R>(&*store).map_err(CallError::Failed)?;
            typed.call_async(store, decoded).await.map(R::into_recorded).map_err(failed)
        })
    }
}

/// Hides the types of a function.
struct Hide<T> {
    found: Func,
    store: PhantomData<fn(T)>,
}

impl<T: Send + 'static> Visit for Hide<T> {
    type Out = Box<dyn Call<T>>;

    fn visit<P: Params, R: Returns>(self) -> Self::Out {
        Box::new(Typed::<P, R> { found: self.found, types: PhantomData })
    }
}
