//! Between the recorded form and wasmtime's dynamic [`Val`], by type.
//!
//! A `Val` is 40 bytes and more, also for a byte, so both directions count values against one [`Budget`]. Nesting is
//! bounded by the type's.

use wasmtime::component::Val;

use super::wire::{self, Budget, ValueError};
use crate::engine::interface::{Case, Field, Type};
use crate::gate::Value as _;
use crate::gate::value::put_uint;

type Result<T> = std::result::Result<T, ValueError>;

/// Appends the params of a call.
///
/// # Errors
/// [`ValueError`] when a param is not of its type, or they are too many values.
pub fn encode_params(params: &[Field], vals: &[Val], out: &mut Vec<u8>) -> Result<()> {
    if params.len() != vals.len() {
        return Err(ValueError::mismatch(params.len(), vals.len()).within("params"));
    }
    let mut budget = Budget::default();
    params
        .iter()
        .zip(vals)
        .try_for_each(|(param, val)| encode(&param.ty, val, &mut budget, out).map_err(|error| error.under(&param.name)))
}

/// Reads the params of a call, and all of `input`.
///
/// # Errors
/// [`ValueError`] when the bytes are not such params, or they are too many values.
pub fn decode_params(params: &[Field], mut input: &[u8]) -> Result<Vec<Val>> {
    let mut budget = Budget::default();
    let vals = params.iter().map(|param| decode(&param.ty, &mut input, &mut budget)).collect::<Result<_>>()?;
    wire::finish(input)?;
    Ok(vals)
}

/// Appends the result of a call, if it has one.
///
/// # Errors
/// [`ValueError`] when the result is not of its type, or it is too many values.
pub fn encode_result(ty: Option<&Type>, vals: &[Val], out: &mut Vec<u8>) -> Result<()> {
    match (ty, vals) {
        (None, []) => Ok(()),
        (Some(ty), [val]) => encode(ty, val, &mut Budget::default(), out).map_err(|error| error.under("result")),
        _ => Err(ValueError::mismatch(ty.iter().len(), vals.len()).within("results")),
    }
}

/// Reads the result of a call, and all of `input`.
///
/// # Errors
/// [`ValueError`] when the bytes are not such a result, or it is too many values.
pub fn decode_result(ty: Option<&Type>, mut input: &[u8]) -> Result<Option<Val>> {
    let result = ty.map(|ty| decode(ty, &mut input, &mut Budget::default())).transpose()?;
    wire::finish(input)?;
    Ok(result)
}

/// Appends one value.
fn encode(ty: &Type, val: &Val, budget: &mut Budget, out: &mut Vec<u8>) -> Result<()> {
    budget.take(1)?;
    match (ty, val) {
        (Type::Bool, Val::Bool(value)) => value.encode(out),
        (Type::S8, Val::S8(value)) => out.push(*value as u8),
        (Type::U8, Val::U8(value)) => out.push(*value),
        (Type::S16, Val::S16(value)) => wire::put_signed(i64::from(*value), out),
        (Type::U16, Val::U16(value)) => value.encode(out),
        (Type::S32, Val::S32(value)) => wire::put_signed(i64::from(*value), out),
        (Type::U32, Val::U32(value)) => value.encode(out),
        (Type::S64, Val::S64(value)) => wire::put_signed(*value, out),
        (Type::U64, Val::U64(value)) => value.encode(out),
        (Type::F32, Val::Float32(value)) => wire::put_f32(*value, out),
        (Type::F64, Val::Float64(value)) => wire::put_f64(*value, out),
        (Type::Char, Val::Char(value)) => put_uint(u64::from(*value), out),
        (Type::String, Val::String(value)) => value.encode(out),
        (Type::List(element), Val::List(vals)) => return encode_list(element, vals, budget, out),
        (Type::Record(fields), Val::Record(vals)) => return encode_record(fields, vals, budget, out),
        (Type::Tuple(types), Val::Tuple(vals)) if types.len() == vals.len() => {
            return types.iter().zip(vals).enumerate().try_for_each(|(index, (ty, val))| {
                encode(ty, val, budget, out).map_err(|error| error.under(format_args!("[{index}]")))
            });
        }
        (Type::Variant(cases), Val::Variant(name, payload)) => {
            return encode_variant(cases, name, payload.as_deref(), budget, out);
        }
        (Type::Enum(names), Val::Enum(name)) => put_uint(position(names, name, |name| name)?, out),
        (Type::Option(inner), Val::Option(value)) => {
            out.push(u8::from(value.is_some()));
            return encode_payload(value.as_ref().map(|_| &**inner), value.as_deref(), budget, out);
        }
        (Type::Result { ok, err }, Val::Result(value)) => {
            let (tag, ty, value) = match value {
                Ok(value) => (0, ok, value),
                Err(value) => (1, err, value),
            };
            out.push(tag);
            return encode_payload(ty.as_deref(), value.as_deref(), budget, out);
        }
        (Type::Flags(names), Val::Flags(set)) => {
            let positions = set.iter().map(|flag| position(names, flag, |name| name).map(|position| position as usize));
            wire::put_flags(positions.collect::<Result<Vec<_>>>()?, out);
        }
        _ => return Err(ValueError::mismatch(ty, kind(val))),
    }
    Ok(())
}

fn encode_list(element: &Type, vals: &[Val], budget: &mut Budget, out: &mut Vec<u8>) -> Result<()> {
    put_uint(vals.len() as u64, out);
    out.reserve(vals.len());
    vals.iter().enumerate().try_for_each(|(index, val)| {
        encode(element, val, budget, out).map_err(|error| error.under(format_args!("[{index}]")))
    })
}

fn encode_record(fields: &[Field], vals: &[(String, Val)], budget: &mut Budget, out: &mut Vec<u8>) -> Result<()> {
    if !fields.iter().map(|field| &field.name).eq(vals.iter().map(|(name, _)| name)) {
        return Err(ValueError::mismatch("the record's fields", "others"));
    }
    fields.iter().zip(vals).try_for_each(|(field, (_, val))| {
        encode(&field.ty, val, budget, out).map_err(|error| error.under(format_args!(".{}", field.name)))
    })
}

fn encode_variant(
    cases: &[Case],
    name: &str,
    payload: Option<&Val>,
    budget: &mut Budget,
    out: &mut Vec<u8>,
) -> Result<()> {
    let position = position(cases, name, |case| &case.name)?;
    put_uint(position, out);
    encode_payload(cases[position as usize].ty.as_ref(), payload, budget, out)
        .map_err(|error| error.under(format_args!(".{name}")))
}

fn encode_payload(ty: Option<&Type>, payload: Option<&Val>, budget: &mut Budget, out: &mut Vec<u8>) -> Result<()> {
    match (ty, payload) {
        (Some(ty), Some(payload)) => encode(ty, payload, budget, out),
        (None, None) => Ok(()),
        (Some(ty), None) => Err(ValueError::mismatch(ty, "nothing")),
        (None, Some(payload)) => Err(ValueError::mismatch("nothing", kind(payload))),
    }
}

fn position<T>(parts: &[T], name: &str, name_of: impl Fn(&T) -> &String) -> Result<u64> {
    let position = parts.iter().position(|part| name_of(part) == name);
    position.map(|position| position as u64).ok_or_else(|| ValueError::mismatch("one of the type's names", name))
}

/// Reads one value off the front of `input`.
fn decode(ty: &Type, input: &mut &[u8], budget: &mut Budget) -> Result<Val> {
    budget.take(1)?;
    Ok(match ty {
        Type::Bool => Val::Bool(bool::decode(input)?),
        Type::S8 => Val::S8(u8::decode(input)? as i8),
        Type::U8 => Val::U8(u8::decode(input)?),
        Type::S16 => Val::S16(wire::take_signed(input)?),
        Type::U16 => Val::U16(u16::decode(input)?),
        Type::S32 => Val::S32(wire::take_signed(input)?),
        Type::U32 => Val::U32(u32::decode(input)?),
        Type::S64 => Val::S64(wire::take_signed(input)?),
        Type::U64 => Val::U64(u64::decode(input)?),
        Type::F32 => Val::Float32(wire::take_f32(input)?),
        Type::F64 => Val::Float64(wire::take_f64(input)?),
        Type::Char => Val::Char(wire::take_char(input)?),
        Type::String => Val::String(String::decode(input)?),
        Type::List(element) => Val::List(decode_list(element, input, budget)?),
        Type::Record(fields) => Val::Record(decode_record(fields, input, budget)?),
        Type::Tuple(types) => Val::Tuple(types.iter().map(|ty| decode(ty, input, budget)).collect::<Result<_>>()?),
        Type::Variant(cases) => {
            let case = wire::take_case(cases, input)?;
            Val::Variant(case.name.clone(), decode_payload(case.ty.as_ref(), input, budget)?)
        }
        Type::Enum(names) => Val::Enum(wire::take_case(names, input)?.clone()),
        Type::Option(inner) => {
            let inner = bool::decode(input)?.then_some(&**inner);
            Val::Option(decode_payload(inner, input, budget)?)
        }
        Type::Result { ok, err } => Val::Result(match bool::decode(input)? {
            false => Ok(decode_payload(ok.as_deref(), input, budget)?),
            true => Err(decode_payload(err.as_deref(), input, budget)?),
        }),
        Type::Flags(names) => Val::Flags(wire::take_flags(names, input)?.cloned().collect()),
    })
}

fn decode_list(element: &Type, input: &mut &[u8], budget: &mut Budget) -> Result<Vec<Val>> {
    let len = wire::take_len(input)?;
    if *element == Type::U8 {
        budget.take(len)?;
        // A length is never more than what is left.
        let (bytes, rest) = input.split_at(len);
        *input = rest;
        return Ok(bytes.iter().map(|byte| Val::U8(*byte)).collect());
    }
    // Judged before anything is reserved: the elements themselves count, too, and each is at least one.
    budget.has(len)?;
    let mut vals = Vec::with_capacity(len);
    for _ in 0..len {
        vals.push(decode(element, input, budget)?);
    }
    Ok(vals)
}

fn decode_record(fields: &[Field], input: &mut &[u8], budget: &mut Budget) -> Result<Vec<(String, Val)>> {
    fields.iter().map(|field| Ok((field.name.clone(), decode(&field.ty, input, budget)?))).collect()
}

fn decode_payload(ty: Option<&Type>, input: &mut &[u8], budget: &mut Budget) -> Result<Option<Box<Val>>> {
    ty.map(|ty| decode(ty, input, budget).map(Box::new)).transpose()
}

/// Returns WIT's word for what a dynamic value is.
fn kind(val: &Val) -> &'static str {
    match val {
        Val::Bool(_) => "bool",
        Val::S8(_) => "s8",
        Val::U8(_) => "u8",
        Val::S16(_) => "s16",
        Val::U16(_) => "u16",
        Val::S32(_) => "s32",
        Val::U32(_) => "u32",
        Val::S64(_) => "s64",
        Val::U64(_) => "u64",
        Val::Float32(_) => "f32",
        Val::Float64(_) => "f64",
        Val::Char(_) => "char",
        Val::String(_) => "string",
        Val::List(_) => "list",
        Val::Record(_) => "record",
        Val::Tuple(_) => "tuple",
        Val::Variant(..) => "variant",
        Val::Enum(_) => "enum",
        Val::Option(_) => "option",
        Val::Result(_) => "result",
        Val::Flags(_) => "flags",
        Val::Map(_) => "map",
        Val::FixedLengthList(_) => "list of fixed length",
        Val::Resource(_) => "resource",
        Val::Future(_) => "future",
        Val::Stream(_) => "stream",
        Val::ErrorContext(_) => "error-context",
    }
}
