//! The subschemas of a schema, and which part of a value each is applied to.

use serde_json::Value;

/// What a subschema is applied to, seen from the value that the schema is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Applies<'a> {
    /// The value itself.
    Here,
    /// The property of this name.
    Property(&'a str),
    /// Any property.
    Properties,
    /// Any name of a property.
    Names,
    /// Any item of an array.
    Items,
}

/// Returns the schemas that `schema` applies, each with what it is applied to. A reference leads to its target.
pub(super) fn parts<'a>(root: &'a Value, schema: &'a Value) -> Vec<(Applies<'a>, &'a Value)> {
    let mut parts = Vec::new();
    for (keyword, value) in schema.as_object().into_iter().flatten() {
        match (keyword.as_str(), value) {
            ("$ref", Value::String(reference)) => {
                parts.extend(target(root, reference).map(|part| (Applies::Here, part)))
            }
            ("properties", Value::Object(properties)) => {
                parts.extend(properties.iter().map(|(name, part)| (Applies::Property(name), part)));
            }
            (keyword, value) => {
                let Some(applies) = applies(keyword) else { continue };
                parts.extend(schemas(keyword, value).into_iter().map(|part| (applies, part)));
            }
        }
    }
    parts
}

/// Returns what the schemas of a keyword are applied to, in any draft. None for a keyword that holds no schemas.
fn applies(keyword: &str) -> Option<Applies<'static>> {
    Some(match keyword {
        "allOf" | "anyOf" | "oneOf" | "not" | "if" | "then" | "else" => Applies::Here,
        "dependentSchemas" | "dependencies" | "contentSchema" => Applies::Here,
        "additionalProperties" | "unevaluatedProperties" | "patternProperties" => Applies::Properties,
        "propertyNames" => Applies::Names,
        "items" | "prefixItems" | "additionalItems" | "unevaluatedItems" | "contains" => Applies::Items,
        _ => return None,
    })
}

/// Returns the schemas of a keyword: the value itself, those of a list, or those of an object.
fn schemas<'a>(keyword: &str, value: &'a Value) -> Vec<&'a Value> {
    let is_keyed = matches!(keyword, "dependentSchemas" | "dependencies" | "patternProperties");
    let schemas = match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(keyed) if is_keyed => keyed.values().collect(),
        one => vec![one],
    };
    schemas.into_iter().filter(|part| is_schema(part)).collect()
}

fn is_schema(value: &Value) -> bool {
    value.is_object() || value.is_boolean()
}

/// Returns what a reference within the document leads to: `#`, or `#` and a JSON pointer without percent signs.
pub(super) fn target<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let pointer = reference.strip_prefix('#').filter(|pointer| !pointer.contains('%'))?;
    root.pointer(pointer).filter(|value| is_schema(value))
}
