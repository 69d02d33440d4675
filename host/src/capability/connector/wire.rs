//! How a connector call's values are recorded: the gate's encoding, driven by the interface's types.
//!
//! The bytes are those that [`crate::gate::Value`] gives for the same Rust types, so a value has one encoding whether
//! it was lifted statically, dynamically or read from JSON. Records and tuples are their parts in order; a variant or
//! enum is the position of its case, then the payload; flags are one bit a name; signed integers are folded (zigzag),
//! `s8` is one byte; a `char` is its scalar value; floats are their bits, little-endian, every NaN the canonical one.
//!
//! The encoded bytes are what travels from caller to connector and back. [`super::val`] turns them into what
//! wasmtime lifts and lowers, [`super::json`] into what people and models read.

use std::fmt;

use crate::gate::value::{Malformed, Value as _, put_uint, take_uint};

/// The most values that the params of one call may hold, and as many its result: every scalar, string, list, record,
/// field and payload is one, and so is each byte of a `list<u8>`, except for functions linked with Rust types
/// ([`super::typed`]). It bounds what a call takes in the host, where one dynamic value is 40 bytes and more.
pub const VALUES_MAX: usize = 1 << 18;

/// A value that does not have the form of its type, or that is too much for one call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The value is of another type.
    #[error("{place}: expected {expected}, found {found}")]
    Mismatch {
        /// Where, as in `issue.labels[3]`.
        place: String,
        /// What the type asks for.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The value has too many parts.
    #[error("a connector call carries at most {VALUES_MAX} values each way; a byte of a list<u8> counts as one")]
    TooManyValues,
    /// The encoding is longer than one call may carry.
    #[error("a connector call carries at most {max} bytes each way")]
    TooLarge {
        /// The most bytes.
        max: usize,
    },
    /// Recorded bytes do not decode as the type.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl ValueError {
    /// Says that a value is not what its type asks for.
    pub(super) fn mismatch(expected: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self::Mismatch { place: String::new(), expected: expected.to_string(), found: found.to_string() }
    }

    /// Puts a step in front of the place, on the way out of a value.
    pub(super) fn under(mut self, step: impl fmt::Display) -> Self {
        if let Self::Mismatch { place, .. } = &mut self {
            place.insert_str(0, &step.to_string());
        }
        self
    }

    /// Ends the place at the whole value: `.issue.id` becomes `issue.id`, and no place at all `whole`.
    pub(super) fn within(mut self, whole: &str) -> Self {
        if let Self::Mismatch { place, .. } = &mut self {
            match place.strip_prefix('.') {
                Some(inner) => *place = inner.to_owned(),
                None => place.insert_str(0, whole),
            }
        }
        self
    }
}

/// Counts the values of one side of a call.
#[derive(Debug)]
pub struct Budget {
    left: usize,
}

impl Default for Budget {
    /// Returns the budget of one side of a call.
    fn default() -> Self {
        Self { left: VALUES_MAX }
    }
}

impl Budget {
    /// Counts `values` more.
    ///
    /// # Errors
    /// [`ValueError::TooManyValues`] when they are more than one side of a call may hold.
    pub fn take(&mut self, values: usize) -> Result<(), ValueError> {
        self.left = self.left.checked_sub(values).ok_or(ValueError::TooManyValues)?;
        Ok(())
    }

    /// Tells whether `values` more would be too many.
    ///
    /// # Errors
    /// As for [`Budget::take`].
    pub fn has(&self, values: usize) -> Result<(), ValueError> {
        if values > self.left { Err(ValueError::TooManyValues) } else { Ok(()) }
    }
}

/// Appends a signed integer, folded so that small magnitudes are short.
pub(super) fn put_signed(number: i64, out: &mut Vec<u8>) {
    put_uint(((number << 1) ^ (number >> 63)) as u64, out);
}

/// Reads a signed integer of type `T`.
pub(super) fn take_signed<T: TryFrom<i64>>(input: &mut &[u8]) -> Result<T, Malformed> {
    let folded = take_uint(input)?;
    let number = (folded >> 1) as i64 ^ -((folded & 1) as i64);
    T::try_from(number).map_err(|_| Malformed)
}

/// Appends a float's bits, with one NaN for all.
pub(super) fn put_f32(number: f32, out: &mut Vec<u8>) {
    let number = if number.is_nan() { f32::NAN } else { number };
    out.extend_from_slice(&number.to_le_bytes());
}

/// Appends a float's bits, with one NaN for all.
pub(super) fn put_f64(number: f64, out: &mut Vec<u8>) {
    let number = if number.is_nan() { f64::NAN } else { number };
    out.extend_from_slice(&number.to_le_bytes());
}

/// Reads a float, whose NaN must be the canonical one.
pub(super) fn take_f32(input: &mut &[u8]) -> Result<f32, Malformed> {
    let number = f32::from_le_bytes(take_array(input)?);
    let canonical = !number.is_nan() || number.to_bits() == f32::NAN.to_bits();
    if canonical { Ok(number) } else { Err(Malformed) }
}

/// Reads a float, whose NaN must be the canonical one.
pub(super) fn take_f64(input: &mut &[u8]) -> Result<f64, Malformed> {
    let number = f64::from_le_bytes(take_array(input)?);
    let canonical = !number.is_nan() || number.to_bits() == f64::NAN.to_bits();
    if canonical { Ok(number) } else { Err(Malformed) }
}

fn take_array<const N: usize>(input: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (array, rest) = input.split_first_chunk().ok_or(Malformed)?;
    *input = rest;
    Ok(*array)
}

/// Reads a character.
pub(super) fn take_char(input: &mut &[u8]) -> Result<char, Malformed> {
    char::from_u32(u32::decode(input)?).ok_or(Malformed)
}

/// Reads a length. Every value takes at least one byte, so that a hostile length reserves no more than the input has.
pub(super) fn take_len(input: &mut &[u8]) -> Result<usize, Malformed> {
    let len = usize::try_from(take_uint(input)?).map_err(|_| Malformed)?;
    if len > input.len() { Err(Malformed) } else { Ok(len) }
}

/// Reads the position of one of `parts` and returns the part.
pub(super) fn take_case<'a, T>(parts: &'a [T], input: &mut &[u8]) -> Result<&'a T, Malformed> {
    let position = usize::try_from(take_uint(input)?).map_err(|_| Malformed)?;
    parts.get(position).ok_or(Malformed)
}

/// Appends the flags at these positions.
pub(super) fn put_flags(positions: impl IntoIterator<Item = usize>, out: &mut Vec<u8>) {
    let bit = |position: usize| 1_u64.checked_shl(position as u32).unwrap_or(0);
    put_uint(positions.into_iter().fold(0, |bits, position| bits | bit(position)), out);
}

/// Reads flags and returns the names of those that are set, in their order.
pub(super) fn take_flags<'a>(
    names: &'a [String],
    input: &mut &[u8],
) -> Result<impl Iterator<Item = &'a String>, Malformed> {
    let bits = take_uint(input)?;
    if bits.checked_shr(names.len() as u32).unwrap_or(0) != 0 {
        return Err(Malformed);
    }
    Ok(names
        .iter()
        .enumerate()
        .filter(move |(position, _)| bits.checked_shr(*position as u32).is_some_and(|rest| rest & 1 == 1))
        .map(|(_, name)| name))
}

/// Checks that nothing follows the whole value.
pub(super) fn finish(input: &[u8]) -> Result<(), Malformed> {
    if input.is_empty() { Ok(()) } else { Err(Malformed) }
}
