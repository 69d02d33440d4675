//! Functions of a few shapes, made of bytes, strings and unsigned integers, are linked with Rust types.
//!
//! Wasmtime's dynamic values hold a `list<u8>` byte by byte, at some 25 ns and 40 bytes of memory each; its static
//! types copy it as one. Static types exist per signature, so there is a family of them: the shapes in which plugins
//! pass contents (a blob, a document, an image with its size). A function of any other shape is linked dynamically,
//! and there [`super::wire::VALUES_MAX`] bounds its lists.

mod params;
mod returns;

pub use params::{Param, Params};
pub use returns::Returns;

use self::params::{Bytes, Text};
use self::returns::Fallible;
use super::val;
use super::wire::{VALUES_MAX, ValueError};
use crate::engine::interface::Function;

/// Work to do with a function's Rust types, once they are known.
pub trait Visit {
    /// What comes out of it.
    type Out;

    /// Does the work for a function with these params and this result.
    fn visit<P: Params, R: Returns>(self) -> Self::Out;
}

/// Finds the Rust types of a function, if it is of the family, and has them visited; otherwise gives `visit` back.
///
/// # Errors
/// `visit` itself, for a function to be linked dynamically.
pub fn dispatch<V: Visit>(function: &Function, visit: V) -> std::result::Result<V::Out, V> {
    macro_rules! family {
        ($([$($params:ty),* $(,)?] -> $results:tt;)*) => { $($(family!(@with $params, $results);)*)* };
        (@with $params:ty, [$($result:ty),* $(,)?]) => {$(
            if is::<$params, $result>(function) {
                return Ok(visit.visit::<$params, $result>());
            }
        )*};
    }
    family! {
        // Contents go in: alone, under a name, at a place, or with their measures.
        [(Bytes,), (Text, Bytes), (Bytes, Text), (Text, Text, Bytes), (Text, u64, Bytes), (Bytes, u32, u32)]
        -> [(), (Vec<u8>,), (String,), (u32,), (u64,), (Fallible<()>,), (Fallible<Vec<u8>>,), (Fallible<String>,)];
        // Contents come out: by name, by number, or a part of them.
        [(), (Text,), (Text, Text), (u64,), (Text, u64, u64)]
        -> [(Vec<u8>,), (Option<Vec<u8>>,), (Fallible<Vec<u8>>,), (Fallible<Option<Vec<u8>>>,)];
    }
    Err(visit)
}

/// Checks that params in the recorded form are not more than the connector's end takes: those of a function outside the
/// family are values one by one there.
///
/// # Errors
/// [`ValueError::TooManyValues`]; what is wrong with their form.
pub fn check_params(function: &Function, params: &[u8]) -> Result<(), ValueError> {
    struct Known;
    impl Visit for Known {
        type Out = ();

        fn visit<P: Params, R: Returns>(self) {}
    }
    // A value takes a byte at least.
    if params.len() <= VALUES_MAX || dispatch(function, Known).is_ok() {
        return Ok(());
    }
    val::decode_params(&function.params, params).map(drop)
}

/// Tells whether the function has just these params and this result.
fn is<P: Params, R: Returns>(function: &Function) -> bool {
    function.params.iter().map(|param| &param.ty).eq(&P::types()) && function.result == R::ty()
}
