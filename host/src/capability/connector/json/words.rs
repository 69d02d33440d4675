//! What errors say about JSON and the types it should be of. A model reads them, and writes what they quote.

use serde_json::Value as Json;

use crate::engine::interface::Type;

/// Says in JSON's words what a type asks for.
pub fn expected(ty: &Type) -> String {
    match ty {
        Type::Bool => "true or false".into(),
        Type::Char => "a string of one character".into(),
        Type::String => "a string".into(),
        Type::F32 | Type::F64 => format!("a number ({ty}), \"nan\", \"inf\" or \"-inf\""),
        Type::List(_) if ty.is_bytes() => "a string or {\"base64\": \"…\"}".into(),
        Type::List(_) => format!("an array ({ty})"),
        Type::Tuple(types) => format!("an array of {} ({ty})", types.len()),
        Type::Enum(names) => format!("one of {}", listed(names.iter())),
        Type::Flags(names) => format!("an array of names from {}", listed(names.iter())),
        Type::Result { .. } => "{\"ok\": …} or {\"err\": …}".into(),
        Type::Record(_) | Type::Variant(_) | Type::Option(_) => ty.to_string(),
        _ => format!("an integer ({ty})"),
    }
}

/// Says what is there instead, briefly.
pub fn found(json: &Json) -> String {
    match json {
        Json::Null => "null".into(),
        Json::Bool(_) => "a boolean".into(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => quoted(text),
        Json::Array(items) => format!("an array of {}", items.len()),
        Json::Object(_) => "an object".into(),
    }
}

/// Quotes text that a model wrote, cut where it is long.
pub fn quoted(text: &str) -> String {
    const LEN_MAX: usize = 60;
    match text.len() > LEN_MAX {
        true => format!("{:?}…", &text[..text.floor_char_boundary(LEN_MAX)]),
        false => format!("{text:?}"),
    }
}

/// Lists the first few names of a type.
pub fn listed<'a>(mut names: impl Iterator<Item = &'a String>) -> String {
    const SHOWN_MAX: usize = 12;
    let mut shown: Vec<_> = names.by_ref().take(SHOWN_MAX).map(String::as_str).collect();
    shown.extend(names.next().map(|_| "…"));
    shown.join(", ")
}
