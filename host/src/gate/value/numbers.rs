//! Numbers with a sign or a fraction: whole ones folded so that small magnitudes are short, others as their bits.

use serde_json::{Value as Json, json};

use super::{Malformed, Mismatch, Value, put_uint, take_uint};

impl Value for i32 {
    fn encode(&self, out: &mut Vec<u8>) {
        put_uint(u64::from(((*self << 1) ^ (*self >> 31)) as u32), out);
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        let folded = u32::decode(input)?;
        Ok((folded >> 1) as i32 ^ -((folded & 1) as i32))
    }

    fn json(&self) -> Json {
        json!(self)
    }

    fn from_json(json: &Json) -> Result<Self, Mismatch> {
        let number = json.as_i64().and_then(|number| Self::try_from(number).ok());
        number.ok_or_else(|| Mismatch::new("a number of 32 bits", json))
    }
}

impl Value for i64 {
    fn encode(&self, out: &mut Vec<u8>) {
        put_uint(((*self << 1) ^ (*self >> 63)) as u64, out);
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        let folded = take_uint(input)?;
        Ok((folded >> 1) as i64 ^ -((folded & 1) as i64))
    }

    fn json(&self) -> Json {
        json!(self)
    }

    fn from_json(json: &Json) -> Result<Self, Mismatch> {
        json.as_i64().ok_or_else(|| Mismatch::new("a number of 64 bits", json))
    }
}

/// The bits, with one NaN for all.
impl Value for f64 {
    fn encode(&self, out: &mut Vec<u8>) {
        let number = if self.is_nan() { Self::NAN } else { *self };
        out.extend_from_slice(&number.to_le_bytes());
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        let (bits, rest) = input.split_first_chunk().ok_or(Malformed)?;
        *input = rest;
        Ok(Self::from_le_bytes(*bits))
    }

    fn json(&self) -> Json {
        json!(self)
    }

    /// What is no number is shown as `null`.
    fn from_json(json: &Json) -> Result<Self, Mismatch> {
        match json {
            Json::Null => Ok(Self::NAN),
            json => json.as_f64().ok_or_else(|| Mismatch::new("a number", json)),
        }
    }
}
