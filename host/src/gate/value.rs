//! The canonical encoding of what crosses between guest and host.
//!
//! Params and outcomes are recorded in this form, compared as bytes at replay, and shown as JSON. One value has
//! one encoding: lengths and unsigned integers are LEB128, floats their bits with one NaN for all, a handle is its
//! creation ordinal (never a table index, because freed indices are reused). The types themselves stay with the capabilities.

mod composite;
mod mismatch;
mod numbers;

pub use self::mismatch::{Mismatch, case_of, fields_of};

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

    /// Reads the form that [`Value::json`] returns. What is only ever a param need not be read.
    ///
    /// # Errors
    /// [`Mismatch`] says where it is not of the type.
    fn from_json(json: &Json) -> Result<Self, Mismatch> {
        Err(Mismatch::new("nothing that can be written as JSON", json))
    }

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

    /// Reads many values; bytes override it with text or base64.
    ///
    /// # Errors
    /// As [`Value::from_json`].
    fn all_from_json(json: &Json) -> Result<Vec<Self>, Mismatch> {
        let items = json.as_array().ok_or_else(|| Mismatch::new("an array", json))?;
        items.iter().enumerate().map(|(at, item)| Self::from_json(item).map_err(|error| error.under(at))).collect()
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
            fn from_json(json: &Json) -> Result<Self, Mismatch> {
                let number = json.as_u64().and_then(|number| Self::try_from(number).ok());
                number.ok_or_else(|| Mismatch::new(format_args!("a number from 0 to {}", Self::MAX), json))
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

    fn from_json(json: &Json) -> Result<Self, Mismatch> {
        let number = json.as_u64().and_then(|number| Self::try_from(number).ok());
        number.ok_or_else(|| Mismatch::new("a number from 0 to 255", json))
    }

    fn all_from_json(json: &Json) -> Result<Vec<Self>, Mismatch> {
        if let Some(text) = json.as_str() {
            return Ok(text.as_bytes().to_vec());
        }
        let coded = case_of(json).filter(|(name, _)| *name == "base64").and_then(|(_, text)| text.as_str());
        let bytes = coded.and_then(|text| base64::prelude::BASE64_STANDARD.decode(text).ok());
        bytes.ok_or_else(|| Mismatch::new("text, or {\"base64\": TEXT}", json))
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

    fn from_json(json: &Json) -> Result<Self, Mismatch> {
        json.as_bool().ok_or_else(|| Mismatch::new("true or false", json))
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

    fn from_json(json: &Json) -> Result<Self, Mismatch> {
        json.as_str().map(str::to_owned).ok_or_else(|| Mismatch::new("text", json))
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

    fn from_json(json: &Json) -> Result<Self, Mismatch> {
        T::all_from_json(json)
    }

    fn handles(&self, see: &mut impl FnMut(u32)) {
        self.iter().for_each(|item| item.handles(see));
    }
}

/// Decodes a whole recorded value and shows it; bytes that do not decode are shown as they are.
pub fn render<T: Value>(bytes: &[u8]) -> Json {
    let mut rest = bytes;
    match T::decode(&mut rest) {
        Ok(value) if rest.is_empty() => value.json(),
        _ => json!({ "malformed": base64(bytes) }),
    }
}

/// Encodes the form that is shown, for an outcome. Where the value holds handles, they have to be those of the recorded
/// outcome, if there is one: nobody but the run gives out others.
///
/// # Errors
/// [`Mismatch`] says where it is not of the type.
pub fn read<T: Value>(json: &Json, recorded: Option<&[u8]>) -> Result<Vec<u8>, Mismatch> {
    let handles = |value: &T| {
        let mut all = Vec::new();
        value.handles(&mut |ordinal| all.push(ordinal));
        all
    };
    let (value, recorded) = (T::from_json(json)?, recorded.and_then(|mut bytes| T::decode(&mut bytes).ok()));
    let given = handles(&value);
    if !given.is_empty() && Some(given) != recorded.as_ref().map(handles) {
        return Err(Mismatch::because("a handle can only be the one that was recorded there"));
    }
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    Ok(bytes)
}

fn base64(bytes: &[u8]) -> String {
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests;
