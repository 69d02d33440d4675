//! The recorded form as JSON.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value as Json, json};

use super::{EXACT_MAX, is_nullable};
use crate::capability::connector::wire::{self, Budget, ValueError};
use crate::engine::interface::{Case, Field, Type};
use crate::gate::Value as _;

type Result<T> = std::result::Result<T, ValueError>;

/// Shows recorded params as an object by name.
///
/// # Errors
/// [`ValueError`] when the bytes are not such params, or they are too many values.
pub fn params_to_json(params: &[Field], mut input: &[u8]) -> Result<Json> {
    let shown = record(params, &mut input, &mut Budget::default())?;
    wire::finish(input)?;
    Ok(shown)
}

/// Shows a recorded result; `null` for a function without one.
///
/// # Errors
/// [`ValueError`] when the bytes are not such a result, or it is too many values.
pub fn result_to_json(ty: Option<&Type>, mut input: &[u8]) -> Result<Json> {
    let shown = payload(ty, &mut input, &mut Budget::default())?;
    wire::finish(input)?;
    Ok(shown)
}

fn value(ty: &Type, input: &mut &[u8], budget: &mut Budget) -> Result<Json> {
    budget.take(1)?;
    Ok(match ty {
        Type::Bool => json!(bool::decode(input)?),
        Type::S8 => json!(u8::decode(input)? as i8),
        Type::U8 => json!(u8::decode(input)?),
        Type::S16 => json!(wire::take_signed::<i16>(input)?),
        Type::U16 => json!(u16::decode(input)?),
        Type::S32 => json!(wire::take_signed::<i32>(input)?),
        Type::U32 => json!(u32::decode(input)?),
        Type::S64 => signed(wire::take_signed(input)?),
        Type::U64 => unsigned(u64::decode(input)?),
        Type::F32 => float(f64::from(wire::take_f32(input)?)),
        Type::F64 => float(wire::take_f64(input)?),
        Type::Char => json!(wire::take_char(input)?),
        Type::String => json!(String::decode(input)?),
        Type::List(_) if ty.is_bytes() => bytes(Vec::decode(input)?),
        Type::List(element) => list(element, input, budget)?,
        Type::Record(fields) => record(fields, input, budget)?,
        Type::Tuple(types) => Json::Array(types.iter().map(|ty| value(ty, input, budget)).collect::<Result<_>>()?),
        Type::Variant(cases) => variant(cases, input, budget)?,
        Type::Enum(names) => json!(wire::take_case(names, input)?),
        Type::Option(inner) => option(inner, input, budget)?,
        Type::Result { ok, err } => match bool::decode(input)? {
            false => json!({ "ok": payload(ok.as_deref(), input, budget)? }),
            true => json!({ "err": payload(err.as_deref(), input, budget)? }),
        },
        Type::Flags(names) => wire::take_flags(names, input)?.cloned().collect(),
    })
}

fn unsigned(number: u64) -> Json {
    if number > EXACT_MAX { json!(number.to_string()) } else { json!(number) }
}

fn signed(number: i64) -> Json {
    if number.unsigned_abs() > EXACT_MAX { json!(number.to_string()) } else { json!(number) }
}

fn float(number: f64) -> Json {
    match number {
        _ if number.is_nan() => json!("nan"),
        f64::INFINITY => json!("inf"),
        f64::NEG_INFINITY => json!("-inf"),
        _ => json!(number),
    }
}

fn bytes(bytes: Vec<u8>) -> Json {
    match String::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(error) => json!({ "base64": BASE64_STANDARD.encode(error.as_bytes()) }),
    }
}

fn list(element: &Type, input: &mut &[u8], budget: &mut Budget) -> Result<Json> {
    let len = wire::take_len(input)?;
    budget.has(len)?;
    (0..len).map(|_| value(element, input, budget)).collect()
}

fn record(fields: &[Field], input: &mut &[u8], budget: &mut Budget) -> Result<Json> {
    let fields = fields.iter().map(|field| Ok((field.name.clone(), value(&field.ty, input, budget)?)));
    fields.collect::<Result<Map<_, _>>>().map(Json::Object)
}

fn variant(cases: &[Case], input: &mut &[u8], budget: &mut Budget) -> Result<Json> {
    let case = wire::take_case(cases, input)?;
    match &case.ty {
        None => Ok(json!(case.name)),
        Some(ty) => Ok(json!({ &case.name: value(ty, input, budget)? })),
    }
}

fn option(inner: &Type, input: &mut &[u8], budget: &mut Budget) -> Result<Json> {
    match bool::decode(input)? {
        false => Ok(Json::Null),
        true if is_nullable(inner) => Ok(json!({ "some": value(inner, input, budget)? })),
        true => value(inner, input, budget),
    }
}

fn payload(ty: Option<&Type>, input: &mut &[u8], budget: &mut Budget) -> Result<Json> {
    ty.map_or(Ok(Json::Null), |ty| value(ty, input, budget))
}
