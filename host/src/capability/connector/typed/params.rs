//! The params of a function with Rust types: views into the caller's memory at one end, into the recorded form at the
//! other.

use std::result::Result as StdResult;

use wasmtime::component::{ComponentNamedList, ComponentType, Lift, Lower, WasmList, WasmStr};
use wasmtime::{Result, StoreContextMut};

use crate::engine::interface::Type;
use crate::gate::Value;
use crate::gate::value::{Malformed, put_uint, take_uint};

/// The params of a function: a tuple of [`Param`]s.
pub trait Params: 'static {
    /// What the caller's end lifts: views into the caller's memory.
    type Lifted: ComponentNamedList + Lift + Send + Sync + 'static;
    /// What the connector's end lowers: views into the recorded form.
    type Lowered<'a>: ComponentNamedList + Lower + Send + Sync;

    /// Returns the WIT types that these are.
    fn types() -> Vec<Type>;

    /// Appends the recorded form.
    ///
    /// # Errors
    /// Wasmtime's, for a string that is not one.
    fn encode<T: 'static>(lifted: &Self::Lifted, store: &StoreContextMut<'_, T>, out: &mut Vec<u8>) -> Result<()>;

    /// Reads the recorded form off the front of `input`.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes are not such params.
    fn decode<'a>(input: &mut &'a [u8]) -> StdResult<Self::Lowered<'a>, Malformed>;
}

/// The type of one param.
pub trait Param: 'static {
    /// What the caller's end lifts.
    type Lifted: ComponentType + Lift + Send + Sync + 'static;
    /// What the connector's end lowers.
    type Lowered<'a>: ComponentType + Lower + Send + Sync;

    /// Returns the WIT type that this is.
    fn ty() -> Type;

    /// As [`Params::encode`].
    ///
    /// # Errors
    /// As there.
    fn encode<T: 'static>(lifted: &Self::Lifted, store: &StoreContextMut<'_, T>, out: &mut Vec<u8>) -> Result<()>;

    /// As [`Params::decode`].
    ///
    /// # Errors
    /// As there.
    fn decode<'a>(input: &mut &'a [u8]) -> StdResult<Self::Lowered<'a>, Malformed>;
}

/// A `list<u8>`.
pub enum Bytes {}

impl Param for Bytes {
    type Lifted = WasmList<u8>;
    type Lowered<'a> = &'a [u8];

    fn ty() -> Type {
        Type::List(Box::new(Type::U8))
    }

    fn encode<T: 'static>(lifted: &WasmList<u8>, store: &StoreContextMut<'_, T>, out: &mut Vec<u8>) -> Result<()> {
        put_slice(lifted.as_le_slice(store), out);
        Ok(())
    }

    fn decode<'a>(input: &mut &'a [u8]) -> StdResult<&'a [u8], Malformed> {
        take_slice(input)
    }
}

/// A `string`.
pub enum Text {}

impl Param for Text {
    type Lifted = WasmStr;
    type Lowered<'a> = &'a str;

    fn ty() -> Type {
        Type::String
    }

    fn encode<T: 'static>(lifted: &WasmStr, store: &StoreContextMut<'_, T>, out: &mut Vec<u8>) -> Result<()> {
        put_slice(lifted.to_str(store)?.as_bytes(), out);
        Ok(())
    }

    fn decode<'a>(input: &mut &'a [u8]) -> StdResult<&'a str, Malformed> {
        std::str::from_utf8(take_slice(input)?).map_err(|_| Malformed)
    }
}

macro_rules! integer {
    ($rust:ty => $wit:expr) => {
        impl Param for $rust {
            type Lifted = $rust;
            type Lowered<'a> = $rust;

            fn ty() -> Type {
                $wit
            }

            fn encode<T: 'static>(lifted: &$rust, _: &StoreContextMut<'_, T>, out: &mut Vec<u8>) -> Result<()> {
                Value::encode(lifted, out);
                Ok(())
            }

            fn decode(input: &mut &[u8]) -> StdResult<$rust, Malformed> {
                Value::decode(input)
            }
        }
    };
}

integer!(u32 => Type::U32);
integer!(u64 => Type::U64);

fn put_slice(bytes: &[u8], out: &mut Vec<u8>) {
    put_uint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn take_slice<'a>(input: &mut &'a [u8]) -> StdResult<&'a [u8], Malformed> {
    let len = usize::try_from(take_uint(input)?).map_err(|_| Malformed)?;
    let (bytes, rest) = input.split_at_checked(len).ok_or(Malformed)?;
    *input = rest;
    Ok(bytes)
}

macro_rules! params {
    ($($name:ident $index:tt),*) => {
        impl<$($name: Param),*> Params for ($($name,)*) {
            type Lifted = ($($name::Lifted,)*);
            type Lowered<'a> = ($($name::Lowered<'a>,)*);

            fn types() -> Vec<Type> {
                vec![$($name::ty()),*]
            }

            fn encode<T: 'static>(
                _lifted: &Self::Lifted,
                _store: &StoreContextMut<'_, T>,
                _out: &mut Vec<u8>,
            ) -> Result<()> {
                $($name::encode(&_lifted.$index, _store, _out)?;)*
                Ok(())
            }

            fn decode<'a>(_input: &mut &'a [u8]) -> StdResult<Self::Lowered<'a>, Malformed> {
                Ok(($($name::decode(_input)?,)*))
            }
        }
    };
}

params!();
params!(A 0);
params!(A 0, B 1);
params!(A 0, B 1, C 2);
