//! The caller's end of a typed call: an imported function whose answer comes from somewhere else.
//!
//! The function lifts its params, hands them on in the recorded form, and lowers the answer. What lies between is
//! the [`Answer`]'s: judging, recording, replaying, and the other plugin.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use wasmtime::component::{LinkerInstance, Val};
use wasmtime::{Error, Result, StoreContextMut};

use super::typed::{Params, Returns, Visit, dispatch};
use super::val;
use super::wire::ValueError;
use crate::engine::interface::Function;

/// A boxed future, as object-safe traits return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What answers the calls of one imported function.
pub trait Answer<T: 'static>: Send + Sync + 'static {
    /// Answers a call. Params and result are in the recorded form.
    ///
    /// # Errors
    /// Whatever ends the caller's run.
    fn answer<'a>(&'a self, store: StoreContextMut<'a, T>, params: Vec<u8>) -> BoxFuture<'a, Result<Vec<u8>>>;
}

/// Defines a function of an imported interface.
///
/// Params that are too many for the host end the call with [`ValueError::TooManyValues`], unless wasmtime gives up
/// before (see [`exhausted`]).
///
/// # Errors
/// When the instance has a function of that name already.
pub fn define<T: Send>(
    instance: &mut LinkerInstance<'_, T>,
    function: Arc<Function>,
    answer: Arc<dyn Answer<T>>,
) -> Result<()> {
    let definition = Definition { instance, name: &function.name, answer };
    match dispatch(&function, definition) {
        Ok(defined) => defined,
        Err(definition) => definition.dynamic(function.clone()),
    }
}

/// Tells whether an error of a call is wasmtime's, which refuses to lift more than the store's host-call fuel allows
/// (128 MiB unless set; a dynamic value is 40 bytes and more), and returns the cap that it stands for.
pub fn exhausted(error: &Error) -> Option<ValueError> {
    let message = "fuel allocated for hostcalls has been exhausted";
    error.chain().any(|cause| cause.to_string().contains(message)).then_some(ValueError::TooManyValues)
}

struct Definition<'a, 'b, T: 'static> {
    instance: &'a mut LinkerInstance<'b, T>,
    name: &'a str,
    answer: Arc<dyn Answer<T>>,
}

impl<T: Send> Visit for Definition<'_, '_, T> {
    type Out = Result<()>;

    fn visit<P: Params, R: Returns>(self) -> Result<()> {
        let answer = self.answer;
        self.instance.func_wrap_async(self.name, move |store: StoreContextMut<'_, T>, params: P::Lifted| {
            let answer = answer.clone();
            Box::new(async move {
                let mut encoded = Vec::new();
                P::encode(&params, &store, &mut encoded)?;
                let result = answer.answer(store, encoded).await?;
                Ok(R::from_recorded(result)?)
            })
        })
    }
}

impl<T: Send> Definition<'_, '_, T> {
    fn dynamic(self, function: Arc<Function>) -> Result<()> {
        let answer = self.answer;
        self.instance.func_new_async(self.name, move |store, _, params, results| {
            let (answer, function) = (answer.clone(), function.clone());
            Box::new(async move {
                let mut encoded = Vec::new();
                val::encode_params(&function.params, params, &mut encoded)?;
                let result = answer.answer(store, encoded).await?;
                put(val::decode_result(function.result.as_ref(), &result)?, results);
                Ok(())
            })
        })
    }
}

/// Puts a function's result, if it has one, where wasmtime takes it from.
fn put(result: Option<Val>, results: &mut [Val]) {
    results.iter_mut().zip(result).for_each(|(slot, result)| *slot = result);
}
