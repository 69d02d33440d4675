//! What an answer, or a tool's arguments, have to look like.

use std::fmt;

use serde_json::{Value, json};

/// A JSON Schema. Objects made here are closed: they have all their properties and no others, which every provider can
/// hold a model to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema(String);

impl Schema {
    /// Returns the schema of an object with these properties, each of them required. A model fills them in in this order.
    pub fn object<N: Into<String>>(properties: impl IntoIterator<Item = (N, Schema)>) -> Self {
        let (names, properties): (Vec<String>, Vec<String>) = properties
            .into_iter()
            .map(|(name, Self(schema))| {
                let name = name.into();
                let property = format!("{}:{schema}", json!(name));
                (name, property)
            })
            .unzip();
        // Put together as text, which keeps the order.
        let (properties, required) = (properties.join(","), json!(names));
        Self(format!(
            r#"{{"type":"object","properties":{{{properties}}},"required":{required},"additionalProperties":false}}"#
        ))
    }

    fn of(schema: &Value) -> Self {
        Self(schema.to_string())
    }

    /// Returns the schema of a text.
    pub fn string(description: &str) -> Self {
        Self::of(&json!({ "type": "string", "description": description }))
    }

    /// Returns the schema of a whole number.
    pub fn integer(description: &str) -> Self {
        Self::of(&json!({ "type": "integer", "description": description }))
    }

    /// Returns the schema of a number.
    pub fn number(description: &str) -> Self {
        Self::of(&json!({ "type": "number", "description": description }))
    }

    /// Returns the schema of a yes or no.
    pub fn boolean(description: &str) -> Self {
        Self::of(&json!({ "type": "boolean", "description": description }))
    }

    /// Returns the schema of one of these words.
    pub fn one_of<'a>(description: &str, words: impl IntoIterator<Item = &'a str>) -> Self {
        let words: Vec<&str> = words.into_iter().collect();
        Self::of(&json!({ "type": "string", "enum": words, "description": description }))
    }

    /// Returns the schema of a list.
    pub fn list(description: &str, items: Schema) -> Self {
        let Self(items) = items;
        Self(format!(r#"{{"type":"array","items":{items},"description":{}}}"#, json!(description)))
    }

    /// Returns any schema. The host says where it is not one that it takes.
    pub fn from_json(schema: &Value) -> Self {
        Self::of(schema)
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_closed_and_requires_all() {
        let schema = Schema::object([
            ("tags", Schema::list("any", Schema::string("a tag"))),
            ("kind", Schema::one_of("which", ["bug", "wish"])),
        ]);
        let text = schema.to_string();
        assert!(text.find("tags") < text.find("kind"), "the order is kept: {text}");
        let schema = Schema::object([
            ("kind", Schema::one_of("which", ["bug", "wish"])),
            ("tags", Schema::list("any", Schema::string("a tag"))),
        ]);
        let expected = json!({
            "type": "object",
            "properties": {
                "kind": { "type": "string", "enum": ["bug", "wish"], "description": "which" },
                "tags": {
                    "type": "array", "description": "any", "items": { "type": "string", "description": "a tag" },
                },
            },
            "required": ["kind", "tags"],
            "additionalProperties": false,
        });
        assert_eq!(serde_json::from_str::<Value>(&schema.to_string()).expect("JSON"), expected);
    }
}
