//! The canonical encoding of what crosses between guest and host.
//!
//! Params and outcomes are recorded in this form, compared as bytes at replay, and shown as JSON. One value has
//! one encoding: lengths and unsigned integers are LEB128, floats their bits with one NaN for all, a handle is its
//! creation ordinal (never a table index, because freed indices are reused). The types themselves stay with the capabilities.

mod numbers;

use base64::Engine as _;
use serde_json::{Value as Json, json};

use crate::meter::Usage;

/// Recorded bytes that do not decode as the type expected at that place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("recorded value does not have the form of its type")]
pub struct Malformed;

/// A value that can be recorded, compared and shown.
pub trait Value: Sized {
    /// Appends the canonical encoding.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads one value off the front of `input`.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes end early or name a case that does not exist.
    fn decode(input: &mut &[u8]) -> Result<Self, Malformed>;

    /// Returns the form that people and `--json` see.
    fn json(&self) -> Json;

    /// Returns what others used for this outcome, where others were called.
    fn usage(&self) -> Option<&Usage> {
        None
    }

    /// Tells the ordinal of every handle inside the value.
    fn handles(&self, _see: &mut impl FnMut(u32)) {}

    /// Appends many values without a length; bytes override it with one copy.
    fn encode_all(items: &[Self], out: &mut Vec<u8>) {
        items.iter().for_each(|item| item.encode(out));
    }

    /// Reads `count` values; bytes override it with one copy.
    ///
    /// # Errors
    /// [`Malformed`] as for [`Value::decode`].
    fn decode_all(count: usize, input: &mut &[u8]) -> Result<Vec<Self>, Malformed> {
        // Each value takes at least one byte, unit excepted, so a hostile count cannot reserve more than the input.
        let mut items = Vec::with_capacity(count.min(input.len()));
        for _ in 0..count {
            items.push(Self::decode(input)?);
        }
        Ok(items)
    }

    /// Shows many values; bytes override it with text or base64.
    fn json_all(items: &[Self]) -> Json {
        Json::Array(items.iter().map(Self::json).collect())
    }
}

/// Appends an unsigned integer as LEB128.
#[inline]
pub fn put_uint(mut number: u64, out: &mut Vec<u8>) {
    if number < 0x80 {
        return out.push(number as u8);
    }
    // Collected first: one append instead of a check of the capacity for each byte.
    let (mut bytes, mut len) = ([0; 10], 0);
    while number >= 0x80 {
        bytes[len] = number as u8 | 0x80;
        len += 1;
        number >>= 7;
    }
    bytes[len] = number as u8;
    out.extend_from_slice(&bytes[..=len]);
}

/// Reads a LEB128 integer of at most 64 bits.
///
/// # Errors
/// [`Malformed`] when the bytes end early or hold more than 64 bits.
#[inline]
pub fn take_uint(input: &mut &[u8]) -> Result<u64, Malformed> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take_byte(input)?;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return Err(Malformed);
        }
        number |= bits << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Malformed)
}

#[inline]
fn take_byte(input: &mut &[u8]) -> Result<u8, Malformed> {
    let (&byte, rest) = input.split_first().ok_or(Malformed)?;
    *input = rest;
    Ok(byte)
}

fn take_bytes<'a>(count: usize, input: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let (bytes, rest) = input.split_at_checked(count).ok_or(Malformed)?;
    *input = rest;
    Ok(bytes)
}

fn take_len(input: &mut &[u8]) -> Result<usize, Malformed> {
    usize::try_from(take_uint(input)?).map_err(|_| Malformed)
}

macro_rules! unsigned {
    ($($type:ty),*) => {$(
        impl Value for $type {
            #[inline]
            fn encode(&self, out: &mut Vec<u8>) {
                put_uint(u64::from(*self), out);
            }
            #[inline]
            fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
                Self::try_from(take_uint(input)?).map_err(|_| Malformed)
            }
            fn json(&self) -> Json {
                json!(self)
            }
        }
    )*};
}

unsigned!(u16, u32, u64);

impl Value for u8 {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }

    #[inline]
    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        take_byte(input)
    }

    fn json(&self) -> Json {
        json!(self)
    }

    #[inline]
    fn encode_all(items: &[Self], out: &mut Vec<u8>) {
        out.extend_from_slice(items);
    }

    #[inline]
    fn decode_all(count: usize, input: &mut &[u8]) -> Result<Vec<Self>, Malformed> {
        take_bytes(count, input).map(<[u8]>::to_vec)
    }

    fn json_all(items: &[Self]) -> Json {
        match std::str::from_utf8(items) {
            Ok(text) => json!(text),
            Err(_) => json!({ "base64": base64(items) }),
        }
    }
}

impl Value for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        match take_byte(input)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }

    fn json(&self) -> Json {
        json!(self)
    }
}

impl Value for String {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        put_uint(self.len() as u64, out);
        out.extend_from_slice(self.as_bytes());
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        let count = take_len(input)?;
        let text = std::str::from_utf8(take_bytes(count, input)?).map_err(|_| Malformed)?;
        Ok(text.to_owned())
    }

    fn json(&self) -> Json {
        json!(self)
    }
}

impl<T: Value> Value for Vec<T> {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        put_uint(self.len() as u64, out);
        T::encode_all(self, out);
    }

    #[inline]
    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        let count = take_len(input)?;
        T::decode_all(count, input)
    }

    fn json(&self) -> Json {
        T::json_all(self)
    }

    fn handles(&self, see: &mut impl FnMut(u32)) {
        self.iter().for_each(|item| item.handles(see));
    }
}

impl<T: Value> Value for Option<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                value.encode(out);
            }
        }
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        match take_byte(input)? {
            0 => Ok(None),
            1 => T::decode(input).map(Some),
            _ => Err(Malformed),
        }
    }

    fn json(&self) -> Json {
        self.as_ref().map_or(Json::Null, Value::json)
    }

    fn handles(&self, see: &mut impl FnMut(u32)) {
        if let Some(value) = self {
            value.handles(see);
        }
    }
}

impl<T: Value, E: Value> Value for Result<T, E> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Ok(value) => {
                out.push(0);
                value.encode(out);
            }
            Err(error) => {
                out.push(1);
                error.encode(out);
            }
        }
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        match take_byte(input)? {
            0 => T::decode(input).map(Ok),
            1 => E::decode(input).map(Err),
            _ => Err(Malformed),
        }
    }

    fn json(&self) -> Json {
        match self {
            Ok(value) => json!({ "ok": value.json() }),
            Err(error) => json!({ "err": error.json() }),
        }
    }

    fn handles(&self, see: &mut impl FnMut(u32)) {
        match self {
            Ok(value) => value.handles(see),
            Err(error) => error.handles(see),
        }
    }
}

macro_rules! tuple {
    ($($name:ident $index:tt),*) => {
        impl<$($name: Value),*> Value for ($($name,)*) {
            #[inline]
            fn encode(&self, _out: &mut Vec<u8>) {
                $(self.$index.encode(_out);)*
            }
            #[inline]
            fn decode(_input: &mut &[u8]) -> Result<Self, Malformed> {
                Ok(($($name::decode(_input)?,)*))
            }
            fn json(&self) -> Json {
                Json::Array(vec![$(self.$index.json()),*])
            }
            #[inline]
            fn handles(&self, _see: &mut impl FnMut(u32)) {
                $(self.$index.handles(_see);)*
            }
        }
    };
}

tuple!();
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

/// Decodes a whole recorded value and shows it; bytes that do not decode are shown as they are.
pub fn render<T: Value>(bytes: &[u8]) -> Json {
    let mut rest = bytes;
    match T::decode(&mut rest) {
        Ok(value) if rest.is_empty() => value.json(),
        _ => json!({ "malformed": base64(bytes) }),
    }
}

fn base64(bytes: &[u8]) -> String {
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Value + PartialEq + std::fmt::Debug>(value: T, shown: Json) {
        let mut bytes = Vec::new();
        value.encode(&mut bytes);
        assert_eq!(T::decode(&mut bytes.as_slice()).as_ref(), Ok(&value));
        assert_eq!(render::<T>(&bytes), shown);
        for cut in 0..bytes.len() {
            assert!(T::decode(&mut &bytes[..cut]).is_err(), "{value:?} decodes from its first {cut} bytes");
        }
    }

    #[test]
    fn values_survive_and_are_shown() {
        check((), json!([]));
        check(u64::MAX, json!(u64::MAX));
        check(-7_i32, json!(-7));
        check(i64::MIN, json!(i64::MIN));
        check(i64::MAX, json!(i64::MAX));
        check(-0.5_f64, json!(-0.5));
        check((String::from("key"), true), json!(["key", true]));
        check(b"text".to_vec(), json!("text"));
        check(vec![0xff_u8, 0xfe, 1, 2], json!({ "base64": "//4BAg==" }));
        check(vec![1_u32, 300], json!([1, 300]));
        check(Some(String::new()), json!(""));
        check::<Result<Option<u64>, u8>>(Ok(None), json!({ "ok": null }));
        check::<Result<(), u8>>(Err(3), json!({ "err": 3 }));
    }

    #[test]
    fn hostile_bytes_are_malformed_and_reserve_nothing() {
        let endless = [0xff; 11];
        assert_eq!(take_uint(&mut &endless[..]), Err(Malformed));
        let huge_count = [0xff, 0xff, 0xff, 0xff, 0x7f];
        assert_eq!(Vec::<String>::decode(&mut &huge_count[..]), Err(Malformed));
        assert_eq!(Vec::<u8>::decode(&mut &huge_count[..]), Err(Malformed));
        assert_eq!(String::decode(&mut &[1, 0xff][..]), Err(Malformed));
        assert_eq!(u16::decode(&mut &[0x80, 0x80, 0x04][..]), Err(Malformed));
    }
}
