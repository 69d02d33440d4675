//! Schemas that are accepted, refused, and asked.

use serde_json::{Value, json};

use super::{Schema, is_closed};

fn object(mut more: Value) -> String {
    more["type"] = json!("object");
    more.to_string()
}

fn refused(schema: &str, part: &str) {
    let why = Schema::parse(schema).expect_err(part);
    assert!(why.contains(part), "{why}");
}

#[test]
fn ordinary_schemas_are_accepted() {
    for schema in [
        json!({}),
        json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/a" }),
        json!({ "$schema": "http://json-schema.org/draft-07/schema#", "definitions": { "a": { "type": "string" } },
            "properties": { "a": { "$ref": "#/definitions/a" } } }),
        json!({ "properties": { "$ref": { "type": "string" }, "$anchor": { "type": "string" } } }),
        json!({ "properties": { "child": { "$ref": "#" }, "more": { "type": "array", "items": { "$ref": "#" } } } }),
        json!({ "properties": { "a": { "pattern": "^\\d{4}-\\d{2}$" } } }),
    ] {
        Schema::parse(&object(schema)).unwrap();
    }
}

#[test]
fn what_is_no_schema_for_an_object_is_refused() {
    refused("", "is not JSON");
    refused("true", "has no `\"type\": \"object\"`");
    refused(r#"{"type":"array"}"#, "has no `\"type\": \"object\"`");
    refused(&object(json!({ "required": 7 })), "is no JSON Schema: at /required");
    refused(&object(json!({ "$schema": "https://example.com/own" })), "is no JSON Schema");
    refused(&object(json!({ "properties": { "a": { "pattern": "(?=a)b" } } })), "is no JSON Schema");
}

#[test]
fn nothing_is_fetched() {
    for reference in
        ["https://example.com/a", "file:///etc/passwd", "other.json", "#name", "#/$defs/none", "#/a%20b", ""]
    {
        refused(&object(json!({ "properties": { "a": { "$ref": reference } } })), "only places in the schema itself");
    }
    refused(&object(json!({ "properties": { "a": { "$dynamicRef": "#a" } } })), "uses `$dynamicRef`");
    refused(&object(json!({ "properties": { "a": { "$id": "https://example.com/b" } } })), "`$id` below its root");
}

#[test]
fn a_schema_that_goes_round_for_ever_is_refused() {
    let around = "would never end";
    refused(&object(json!({ "$ref": "#" })), around);
    refused(&object(json!({ "anyOf": [{ "not": { "$ref": "#" } }] })), around);
    let two = json!({ "a": { "$ref": "#/$defs/b" }, "b": { "allOf": [{ "$ref": "#/$defs/a" }] } });
    refused(&object(json!({ "$defs": two, "properties": { "x": { "$ref": "#/$defs/a" } } })), around);
}

#[test]
fn a_schema_has_a_size() {
    refused(&object(json!({ "title": "x".repeat(64 << 10) })), "at most 65536");
    let many: Vec<_> = (0..2_001).map(|_| json!({})).collect();
    refused(&object(json!({ "prefixItems": many })), "more than 2000 subschemas");
    let patterns: Vec<_> = (0..65).map(|_| json!({ "pattern": "a" })).collect();
    refused(&object(json!({ "anyOf": patterns })), "65 patterns, at most 64");
    refused(&object(json!({ "properties": { "a": { "pattern": "\\w{1000}{10}" } } })), "is no JSON Schema");
    let deep = (0..65).fold(json!({}), |inner, _| json!({ "not": inner }));
    let deep = serde_json::to_string(&deep).unwrap();
    let text = format!(r#"{{"type":"object","properties":{{"a":{deep}}}}}"#);
    refused(&text, "nests more than 64");
    let nested = format!("{}{}", r#"{"type":"object","a":"#.repeat(200), "}".repeat(200));
    refused(&nested, "is not JSON");
}

fn problems(schema: &str, answer: &str) -> Vec<String> {
    Schema::parse(schema).unwrap().check(answer).err().unwrap_or_default()
}

#[test]
fn answers_are_checked() {
    let schema = object(json!({ "properties": { "n": { "type": "integer" } }, "required": ["n"] }));
    assert_eq!(problems(&schema, r#"{"n": 1}"#), [] as [&str; 0]);
    assert_eq!(problems(&schema, r#"{"n": "1"}"#), [r#"at /n: "1" is not of type "integer""#]);
    assert_eq!(problems(&schema, "{}"), [r#"at the root: "n" is a required property"#]);
    assert!(problems(&schema, "no")[0].starts_with("it is not JSON"));
    assert!(
        problems(&schema, &format!("{{\"n\":1,\"x\":\"{}\"}}", "x".repeat(1 << 20)))[0].contains("at most 1048576")
    );
    assert!(
        problems(&schema, &format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)))[0].starts_with("it is not JSON")
    );
    let wrong: Vec<_> = (0..20).map(|i| (i.to_string(), json!({ "type": "null" }))).collect();
    let all = object(json!({ "properties": Value::Object(wrong.into_iter().collect()) }));
    let answer: Value =
        (0..20).map(|i| (i.to_string(), json!("x".repeat(1_000)))).collect::<serde_json::Map<_, _>>().into();
    let told = problems(&all, &answer.to_string());
    assert_eq!(told, problems(&all, &answer.to_string()));
    assert!(told.len() == 5 && told.iter().all(|line| line.len() < 400), "{told:?}");
}

/// Each level of the answer doubles the work of a schema that tries two branches: 2^100 steps, were they not counted.
#[test]
fn work_that_doubles_with_each_level_is_cut_short() {
    let twice = json!([{ "$ref": "#" }, { "$ref": "#" }]);
    let schema = object(json!({ "properties": { "a": { "anyOf": twice } }, "required": ["b"] }));
    let answer = format!("{}{}", r#"{"a":"#.repeat(100), "1") + &"}".repeat(100);
    assert!(problems(&schema, &answer)[0].contains("to check: make it"));
    let chain: serde_json::Map<_, _> = (0..40)
        .map(|i| {
            let next = json!({ "$ref": format!("#/$defs/{}", i + 1) });
            (i.to_string(), json!({ "allOf": [next, next] }))
        })
        .chain([("40".to_owned(), json!({}))])
        .collect();
    let schema = object(json!({ "$defs": chain, "properties": { "x": { "$ref": "#/$defs/0" } } }));
    match Schema::parse(&schema) {
        Ok(schema) => assert!(schema.check(r#"{"x":1}"#).unwrap_err()[0].contains("to check: make it")),
        Err(why) => assert!(why.contains("nests more than"), "{why}"),
    }
    let open = json!({ "unevaluatedProperties": false });
    let nested = (0..25).fold(open, |inner, _| json!({ "unevaluatedProperties": false, "allOf": [inner] }));
    assert!(problems(&object(nested), "{}")[0].contains("to check: make it"));
}

/// The deepest that is allowed, on the stack of a worker thread.
#[test]
fn the_deepest_answer_fits_a_small_stack() {
    let schema = object(json!({ "properties": { "a": { "anyOf": [{ "$ref": "#" }, { "type": "null" }] } } }));
    let check = move || problems(&schema, &(r#"{"a":"#.repeat(80) + "null" + &"}".repeat(80)));
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(check).unwrap();
    assert_eq!(thread.join().unwrap(), [] as [&str; 0]);
}

#[test]
fn only_closed_schemas_are_closed() {
    let closed =
        json!({ "properties": { "a": { "type": "string" } }, "required": ["a"], "additionalProperties": false });
    assert!(is_closed(&object(closed.clone())));
    let with = |key: &str, value: Value| {
        let mut changed = closed.clone();
        changed[key] = value;
        object(changed)
    };
    assert!(!is_closed(&with("required", json!([]))));
    assert!(!is_closed(&with("additionalProperties", json!(true))));
    assert!(!is_closed(&with("allOf", json!([{}]))));
    let inner = json!({ "a": { "type": "object" } });
    assert!(!is_closed(&with("properties", inner)));
    assert!(!is_closed("no"));
}
