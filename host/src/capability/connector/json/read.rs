//! JSON as the recorded form.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value as Json};

use super::is_nullable;
use super::words::{expected, found, listed, quoted};
use crate::capability::connector::wire::{self, Budget, ValueError};
use crate::engine::interface::{Case, Field, Type};
use crate::gate::Value as _;
use crate::gate::value::put_uint;

type Result<T> = std::result::Result<T, ValueError>;

/// Encodes a call's params from an object by name, at most `len_max` bytes.
///
/// # Errors
/// [`ValueError::Mismatch`] says where the JSON is not what the params ask for; the other errors are about size.
pub fn params_from_json(params: &[Field], json: &Json, len_max: usize) -> Result<Vec<u8>> {
    let mut writer = Writer::new(len_max);
    writer.record(params, json).map_err(|error| error.within("params"))?;
    Ok(writer.out)
}

/// Encodes one value of the type, at most `len_max` bytes.
///
/// # Errors
/// As for [`params_from_json`].
pub fn value_from_json(ty: &Type, json: &Json, len_max: usize) -> Result<Vec<u8>> {
    let mut writer = Writer::new(len_max);
    writer.value(ty, json).map_err(|error| error.within("value"))?;
    Ok(writer.out)
}

/// Encodes into a buffer of bounded length: options that are left out make records longer than their JSON.
struct Writer {
    out: Vec<u8>,
    len_max: usize,
    budget: Budget,
}

impl Writer {
    fn new(len_max: usize) -> Self {
        Self { out: Vec::new(), len_max, budget: Budget::default() }
    }

    fn value(&mut self, ty: &Type, json: &Json) -> Result<()> {
        self.budget.take(1)?;
        match (ty, json) {
            (Type::Bool, Json::Bool(value)) => value.encode(&mut self.out),
            (Type::U8, _) => self.out.push(number(ty, json)?),
            (Type::S8, _) => self.out.push(number::<i8>(ty, json)? as u8),
            (Type::U16, _) => put_uint(number::<u16>(ty, json)?.into(), &mut self.out),
            (Type::U32, _) => put_uint(number::<u32>(ty, json)?.into(), &mut self.out),
            (Type::U64, _) => put_uint(number(ty, json)?, &mut self.out),
            (Type::S16, _) => wire::put_signed(number::<i16>(ty, json)?.into(), &mut self.out),
            (Type::S32, _) => wire::put_signed(number::<i32>(ty, json)?.into(), &mut self.out),
            (Type::S64, _) => wire::put_signed(number(ty, json)?, &mut self.out),
            (Type::F32, _) => wire::put_f32(single(json)?, &mut self.out),
            (Type::F64, _) => wire::put_f64(float(ty, json)?, &mut self.out),
            (Type::Char, Json::String(text)) => put_uint(u64::from(character(text)?), &mut self.out),
            (Type::String, Json::String(text)) => text.encode(&mut self.out),
            (Type::List(_), Json::String(text)) if ty.is_bytes() => text.encode(&mut self.out),
            (Type::List(_), Json::Object(object)) if ty.is_bytes() => base64(object)?.encode(&mut self.out),
            (Type::List(element), Json::Array(items)) if !ty.is_bytes() => self.list(element, items)?,
            (Type::Record(fields), _) => self.record(fields, json)?,
            (Type::Tuple(types), Json::Array(items)) if types.len() == items.len() => self.tuple(types, items)?,
            (Type::Variant(cases), _) => self.variant(cases, json)?,
            (Type::Enum(names), Json::String(name)) => put_uint(position(names, name)?, &mut self.out),
            (Type::Flags(names), Json::Array(set)) => self.flags(names, set)?,
            (Type::Option(inner), _) => self.option(inner, json)?,
            (Type::Result { ok, err }, Json::Object(object)) => self.result(ok.as_deref(), err.as_deref(), object)?,
            _ => return Err(ValueError::mismatch(expected(ty), found(json))),
        }
        if self.out.len() > self.len_max { Err(ValueError::TooLarge { max: self.len_max }) } else { Ok(()) }
    }

    fn list(&mut self, element: &Type, items: &[Json]) -> Result<()> {
        put_uint(items.len() as u64, &mut self.out);
        items.iter().enumerate().try_for_each(|(index, item)| self.item(index, element, item))
    }

    fn tuple(&mut self, types: &[Type], items: &[Json]) -> Result<()> {
        types.iter().zip(items).enumerate().try_for_each(|(index, (ty, item))| self.item(index, ty, item))
    }

    fn item(&mut self, index: usize, ty: &Type, item: &Json) -> Result<()> {
        self.value(ty, item).map_err(|error| error.under(format_args!("[{index}]")))
    }

    fn record(&mut self, fields: &[Field], json: &Json) -> Result<()> {
        let Json::Object(object) = json else { return Err(ValueError::mismatch("an object", found(json))) };
        let mut known = 0;
        for field in fields {
            let value = object.get(&field.name);
            known += value.iter().len();
            let written = match (value, &field.ty) {
                (Some(value), ty) => self.value(ty, value),
                (None, Type::Option(_)) => self.value(&field.ty, &Json::Null),
                (None, ty) => Err(ValueError::mismatch(expected(ty), "nothing")),
            };
            written.map_err(|error| error.under(format_args!(".{}", field.name)))?;
        }
        if known < object.len() { Err(unknown(fields, object)) } else { Ok(()) }
    }

    fn variant(&mut self, cases: &[Case], json: &Json) -> Result<()> {
        let (name, payload) = match json {
            Json::String(name) => (name, None),
            Json::Object(object) => only(object).map(|(name, payload)| (name, Some(payload)))?,
            _ => return Err(ValueError::mismatch("a case's name, or an object with it", found(json))),
        };
        let at = cases.iter().position(|case| case.name == *name);
        let at = at.ok_or_else(|| no_such(cases.iter().map(|case| &case.name), name))?;
        put_uint(at as u64, &mut self.out);
        let written = match (&cases[at].ty, payload) {
            (Some(ty), Some(payload)) => self.value(ty, payload),
            (None, None) => Ok(()),
            (Some(ty), None) => Err(ValueError::mismatch(expected(ty), "nothing")),
            (None, Some(payload)) => Err(ValueError::mismatch("the case's name alone", found(payload))),
        };
        written.map_err(|error| error.under(format_args!(".{name}")))
    }

    fn option(&mut self, inner: &Type, json: &Json) -> Result<()> {
        self.out.push(u8::from(!json.is_null()));
        match json {
            Json::Null => Ok(()),
            Json::Object(object) if is_nullable(inner) => match only(object)? {
                (name, some) if name == "some" => self.value(inner, some),
                (name, _) => Err(ValueError::mismatch("null or {\"some\": …}", quoted(name))),
            },
            _ if is_nullable(inner) => Err(ValueError::mismatch("null or {\"some\": …}", found(json))),
            _ => self.value(inner, json),
        }
    }

    fn result(&mut self, ok: Option<&Type>, err: Option<&Type>, object: &Map<String, Json>) -> Result<()> {
        let (name, payload) = only(object)?;
        let (tag, ty) = match name.as_str() {
            "ok" => (0, ok),
            "err" => (1, err),
            _ => return Err(ValueError::mismatch("ok or err", quoted(name))),
        };
        self.out.push(tag);
        let written = match (ty, payload) {
            (Some(ty), payload) => self.value(ty, payload),
            (None, Json::Null) => Ok(()),
            (None, payload) => Err(ValueError::mismatch("null", found(payload))),
        };
        written.map_err(|error| error.under(format_args!(".{name}")))
    }

    fn flags(&mut self, names: &[String], set: &[Json]) -> Result<()> {
        let mut positions = Vec::new();
        for flag in set {
            let Json::String(flag) = flag else { return Err(ValueError::mismatch("names of flags", found(flag))) };
            let position = position(names, flag)? as usize;
            if positions.contains(&position) {
                return Err(ValueError::mismatch("each flag once", quoted(flag)));
            }
            positions.push(position);
        }
        wire::put_flags(positions, &mut self.out);
        Ok(())
    }
}

/// Reads an integer, as a number or as decimal text.
fn number<T: TryFrom<i128>>(ty: &Type, json: &Json) -> Result<T> {
    let number = match json {
        Json::Number(number) => number.as_i128(),
        Json::String(digits) => digits.parse().ok().filter(|number: &i128| number.to_string() == *digits),
        _ => None,
    };
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| ValueError::mismatch(expected(ty), found(json)))
}

fn single(json: &Json) -> Result<f32> {
    let number = float(&Type::F32, json)?;
    let single = number as f32;
    if single.is_infinite() && number.is_finite() {
        return Err(ValueError::mismatch("a number in the range of f32", found(json)));
    }
    Ok(single)
}

fn float(ty: &Type, json: &Json) -> Result<f64> {
    match json {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => match text.as_str() {
            "nan" => Some(f64::NAN),
            "inf" => Some(f64::INFINITY),
            "-inf" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
    .ok_or_else(|| ValueError::mismatch(expected(ty), found(json)))
}

fn character(text: &str) -> Result<char> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(ValueError::mismatch("one character", quoted(text))),
    }
}

fn base64(object: &Map<String, Json>) -> Result<Vec<u8>> {
    let form = || ValueError::mismatch("a string or {\"base64\": \"…\"}", "another object");
    let (name, text) = only(object).map_err(|_| form())?;
    let text = text.as_str().filter(|_| name == "base64").ok_or_else(form)?;
    BASE64_STANDARD.decode(text).map_err(|_| ValueError::mismatch("standard base64 with padding", quoted(text)))
}

/// Returns the one member of an object.
fn only(object: &Map<String, Json>) -> Result<(&String, &Json)> {
    let mut members = object.iter();
    match (members.next(), members.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(ValueError::mismatch("an object with one name", format!("one with {}", object.len()))),
    }
}

fn position(names: &[String], name: &str) -> Result<u64> {
    let at = names.iter().position(|known| known == name);
    at.map(|at| at as u64).ok_or_else(|| no_such(names.iter(), name))
}

fn no_such<'a>(known: impl Iterator<Item = &'a String>, name: &str) -> ValueError {
    ValueError::mismatch(format!("one of {}", listed(known)), quoted(name))
}

/// Names the first member of an object that is no field.
fn unknown(fields: &[Field], object: &Map<String, Json>) -> ValueError {
    let mut names = object.keys();
    let unknown = names.find(|name| !fields.iter().any(|field| field.name == **name));
    let expected = match fields {
        [] => "no members".to_owned(),
        _ => format!("only {}", listed(fields.iter().map(|field| &field.name))),
    };
    ValueError::mismatch(expected, unknown.map(|name| quoted(name)).unwrap_or_default())
}
