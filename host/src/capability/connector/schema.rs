//! A function's params as JSON Schema (2020-12), for a model that chooses what to call.
//!
//! The schema describes the JSON of [`super::json`]. It follows from the types alone and is written in one way only
//! (names sorted, no spaces), so that its digest pins what a model was shown.

use serde_json::{Value as Json, json};

use super::json::is_nullable;
use crate::digest::Digest;
use crate::engine::interface::{Case, Field, Function, Type};

/// The schema of a function's params, with its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The schema in its canonical form.
    pub text: String,
    /// SHA-256 of the text.
    pub digest: Digest,
}

impl Schema {
    /// Derives the schema of the object that holds a function's params by name.
    pub fn of(function: &Function) -> Self {
        let mut schema = object(&function.params);
        schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        let mut text = String::new();
        write_sorted(&schema, &mut text);
        let digest = Digest::of(text.as_bytes());
        Self { text, digest }
    }
}

fn schema(ty: &Type) -> Json {
    match ty {
        Type::Bool => json!({ "type": "boolean" }),
        Type::S8 => integer(i8::MIN, i8::MAX),
        Type::U8 => integer(u8::MIN, u8::MAX),
        Type::S16 => integer(i16::MIN, i16::MAX),
        Type::U16 => integer(u16::MIN, u16::MAX),
        Type::S32 => integer(i32::MIN, i32::MAX),
        Type::U32 => integer(u32::MIN, u32::MAX),
        Type::S64 => long(json!(i64::MIN), json!(i64::MAX), "^(0|-?[1-9][0-9]*)$"),
        Type::U64 => long(json!(u64::MIN), json!(u64::MAX), "^(0|[1-9][0-9]*)$"),
        Type::F32 | Type::F64 => json!({ "anyOf": [{ "type": "number" }, { "enum": ["nan", "inf", "-inf"] }] }),
        Type::Char => json!({ "type": "string", "minLength": 1, "maxLength": 1 }),
        Type::String => json!({ "type": "string" }),
        Type::List(_) if ty.is_bytes() => {
            let base64 = json!({ "type": "string", "contentEncoding": "base64" });
            json!({ "anyOf": [{ "type": "string" }, single("base64", base64)] })
        }
        Type::List(element) => json!({ "type": "array", "items": schema(element) }),
        Type::Record(fields) => object(fields),
        Type::Tuple(types) => tuple(types),
        Type::Variant(cases) => json!({ "oneOf": cases.iter().map(case).collect::<Vec<_>>() }),
        Type::Enum(names) => json!({ "enum": names }),
        Type::Option(inner) => {
            let some = if is_nullable(inner) { single("some", schema(inner)) } else { schema(inner) };
            json!({ "anyOf": [some, { "type": "null" }] })
        }
        Type::Result { ok, err } => {
            json!({ "oneOf": [single("ok", payload(ok.as_deref())), single("err", payload(err.as_deref()))] })
        }
        Type::Flags(names) => json!({ "type": "array", "items": { "enum": names }, "uniqueItems": true }),
    }
}

fn integer<T: Into<i64>>(min: T, max: T) -> Json {
    json!({ "type": "integer", "minimum": min.into(), "maximum": max.into() })
}

/// A 64-bit integer, which many JSON implementations keep exactly only as text.
fn long(min: Json, max: Json, pattern: &str) -> Json {
    json!({ "type": ["integer", "string"], "minimum": min, "maximum": max, "pattern": pattern })
}

fn object(fields: &[Field]) -> Json {
    let properties: serde_json::Map<_, _> =
        fields.iter().map(|field| (field.name.clone(), schema(&field.ty))).collect();
    let required = fields.iter().filter(|field| !matches!(field.ty, Type::Option(_)));
    let required: Vec<_> = required.map(|field| &field.name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn tuple(types: &[Type]) -> Json {
    let items: Vec<_> = types.iter().map(schema).collect();
    json!({ "type": "array", "prefixItems": items, "items": false, "minItems": types.len() })
}

fn case(case: &Case) -> Json {
    match &case.ty {
        None => json!({ "const": case.name }),
        Some(ty) => single(&case.name, schema(ty)),
    }
}

/// An object with exactly one member.
fn single(name: &str, value: Json) -> Json {
    json!({ "type": "object", "properties": { name: value }, "required": [name], "additionalProperties": false })
}

fn payload(ty: Option<&Type>) -> Json {
    ty.map_or_else(|| json!({ "type": "null" }), schema)
}

/// Writes JSON with the names of every object sorted, whatever order serde_json keeps them in.
fn write_sorted(json: &Json, out: &mut String) {
    match json {
        Json::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            write_all("{}", members, out, |(name, value), out| {
                out.push_str(&Json::from(name.as_str()).to_string());
                out.push(':');
                write_sorted(value, out);
            });
        }
        Json::Array(items) => write_all("[]", items, out, write_sorted),
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn write_all<T>(brackets: &str, items: impl IntoIterator<Item = T>, out: &mut String, write: impl Fn(T, &mut String)) {
    let (open, close) = brackets.split_at(1);
    out.push_str(open);
    for (index, item) in items.into_iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        write(item, out);
    }
    out.push_str(close);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(params: &[(&str, Type)]) -> Function {
        let params = params.iter().map(|(name, ty)| Field { name: (*name).into(), ty: ty.clone() }).collect();
        Function { name: "f".into(), params, result: None }
    }

    fn derived(params: &[(&str, Type)]) -> Json {
        serde_json::from_str(&Schema::of(&function(params)).text).unwrap()
    }

    #[test]
    fn params_become_an_object_whose_options_are_not_required() {
        let schema = derived(&[("title", Type::String), ("due", Type::Option(Box::new(Type::U8)))]);
        assert_eq!(
            schema,
            json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": {
                    "title": { "type": "string" },
                    "due": { "anyOf": [{ "type": "integer", "minimum": 0, "maximum": 255 }, { "type": "null" }] },
                },
                "required": ["title"],
                "additionalProperties": false,
            })
        );
    }

    #[test]
    fn variants_results_and_bytes_say_what_the_json_looks_like() {
        let cases = vec![Case { name: "open".into(), ty: None }, Case { name: "closed".into(), ty: Some(Type::Char) }];
        let result = Type::Result { ok: None, err: Some(Box::new(Type::Bool)) };
        let bytes = Type::List(Box::new(Type::U8));
        let schema = derived(&[("v", Type::Variant(cases)), ("r", result), ("b", bytes)]);
        let properties = &schema["properties"];
        assert_eq!(properties["v"]["oneOf"][0], json!({ "const": "open" }));
        assert_eq!(properties["v"]["oneOf"][1]["required"], json!(["closed"]));
        assert_eq!(properties["r"]["oneOf"][0]["properties"]["ok"], json!({ "type": "null" }));
        assert_eq!(properties["b"]["anyOf"][1]["properties"]["base64"]["contentEncoding"], json!("base64"));
    }

    /// The text is what a model is shown and its digest is recorded, so neither may change with a library.
    #[test]
    fn the_text_is_canonical_and_its_digest_pins_it() {
        let schema =
            Schema::of(&function(&[("b", Type::Flags(vec!["x".into()])), ("a", Type::Tuple(vec![Type::Bool]))]));
        assert_eq!(
            schema.text,
            concat!(
                r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","additionalProperties":false,"#,
                r#""properties":{"a":{"items":false,"minItems":1,"prefixItems":[{"type":"boolean"}],"type":"array"},"#,
                r#""b":{"items":{"enum":["x"]},"type":"array","uniqueItems":true}},"required":["b","a"],"type":"object"}"#
            )
        );
        assert_eq!(schema.digest, Digest::of(schema.text.as_bytes()));
    }
}
