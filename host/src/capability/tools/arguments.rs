//! Arguments as a model writes them: one JSON text, in which no name stands twice. Most parsers take the last of two and
//! some the first, so that what a person reads in the record need not be what a connector was given.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

/// Parses arguments.
///
/// # Errors
///
/// Returns what is wrong, and where.
pub fn parse(text: &str) -> Result<Json, String> {
    let Strict(json) = serde_json::from_str(text).map_err(|error| format!("the arguments are no JSON: {error}"))?;
    Ok(json)
}

/// JSON in which no object has a name twice.
struct Strict(Json);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = elements.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                let shown: String = name.chars().take(60).collect();
                return Err(A::Error::custom(format_args!("{shown:?} stands there twice")));
            }
            let Strict(value) = members.next_value()?;
            object.insert(name, value);
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_any_parser_reads() {
        for text in ["null", "[]", r#"{"a":[1,-1,0.5,18446744073709551615,true,"é\n",{"b":null}]}"#, "1e300"] {
            assert_eq!(parse(text).unwrap(), serde_json::from_str::<Json>(text).unwrap());
        }
    }

    #[test]
    fn what_two_parsers_could_read_differently_is_refused() {
        let (deep, long) = ("[".repeat(100_000), format!(r#"{{"{0}":1,"{0}":2}}"#, "é".repeat(100)));
        for (text, says) in [
            (r#"{"a":1,"a":2}"#, "\"a\" stands there twice at line 1 column 10"),
            (r#"{"x":[{"a":1,"\u0061":1}]}"#, "\"a\" stands there twice"),
            (&long, "é\" stands there twice"),
            ("{\"a\":1}\n}", "trailing characters at line 2 column 1"),
            ("", "EOF"),
            ("{'a':1}", "line 1 column 2"),
            ("1e999", "number out of range"),
            ("\"\\ud800\"", "line 1"),
            (&deep, "recursion limit exceeded"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with("the arguments are no JSON: ") && error.contains(says), "{error:.200}");
        }
    }
}
