//! Each type's JSON in both directions, and what is refused.

use serde_json::{Value as Json, json};

use super::*;
use crate::capability::connector::wire::{VALUES_MAX, ValueError};
use crate::engine::interface::{Case, Field};

const LEN_MAX: usize = 1 << 20;

fn list(ty: Type) -> Type {
    Type::List(Box::new(ty))
}

fn option(ty: Type) -> Type {
    Type::Option(Box::new(ty))
}

fn names(names: &str) -> Vec<String> {
    names.split(' ').map(String::from).collect()
}

fn fields(fields: &[(&str, Type)]) -> Vec<Field> {
    fields.iter().map(|(name, ty)| Field { name: (*name).into(), ty: ty.clone() }).collect()
}

fn state() -> Type {
    let cases = [("open", None), ("closed", Some(Type::String)), ("maybe", Some(option(Type::U8)))];
    Type::Variant(cases.map(|(name, ty)| Case { name: name.into(), ty }).to_vec())
}

fn check(ty: Type, json: Json) {
    let bytes = value_from_json(&ty, &json, LEN_MAX).unwrap_or_else(|error| panic!("{ty} from {json}: {error}"));
    assert_eq!(result_to_json(Some(&ty), &bytes), Ok(json), "{ty}");
}

#[test]
fn every_type_goes_there_and_back() {
    check(Type::Bool, json!(true));
    check(Type::S8, json!(-128));
    check(Type::U8, json!(255));
    check(Type::S16, json!(-32768));
    check(Type::S32, json!(i32::MIN));
    check(Type::U32, json!(u32::MAX));
    check(Type::S64, json!(-EXACT_MAX_SIGNED));
    check(Type::S64, json!(i64::MIN.to_string()));
    check(Type::U64, json!(EXACT_MAX));
    check(Type::U64, json!((EXACT_MAX + 1).to_string()));
    check(Type::F32, json!(0.5));
    check(Type::F64, json!(-0.0));
    check(Type::F64, json!(1e300));
    for text in ["nan", "inf", "-inf"] {
        check(Type::F32, json!(text));
        check(Type::F64, json!(text));
    }
    check(Type::Char, json!("\u{10ffff}"));
    check(Type::String, json!("ü\0"));
    check(list(Type::U8), json!("text"));
    check(list(Type::U8), json!({ "base64": "//4BAg==" }));
    check(list(list(Type::U16)), json!([[], [1, 300]]));
    check(Type::Tuple(vec![Type::U8, Type::Char]), json!([1, "c"]));
    check(
        Type::Record(fields(&[("due-at", option(Type::U64)), ("id", Type::U32)])),
        json!({ "due-at": null, "id": 7 }),
    );
    check(state(), json!("open"));
    check(state(), json!({ "closed": "done" }));
    check(state(), json!({ "maybe": null }));
    check(Type::Enum(names("low high")), json!("high"));
    check(Type::Flags(names("read write run")), json!(["read", "run"]));
    check(Type::Flags(names("read")), json!([]));
    check(option(option(Type::U8)), json!(null));
    check(option(option(Type::U8)), json!({ "some": null }));
    check(option(option(Type::U8)), json!({ "some": 1 }));
    check(Type::Result { ok: None, err: Some(Box::new(Type::String)) }, json!({ "ok": null }));
    check(Type::Result { ok: None, err: Some(Box::new(Type::String)) }, json!({ "err": "no" }));
}

const EXACT_MAX_SIGNED: i64 = EXACT_MAX as i64;

#[test]
fn reading_is_lenient_where_nothing_can_be_mistaken() {
    let both = |ty: Type, one: Json, other: Json| {
        assert_eq!(value_from_json(&ty, &one, LEN_MAX), value_from_json(&ty, &other, LEN_MAX), "{ty}");
    };
    both(Type::U64, json!("7"), json!(7));
    both(Type::S32, json!("-7"), json!(-7));
    both(Type::F64, json!(2), json!(2.0));
    both(list(Type::U8), json!({ "base64": "dGV4dA==" }), json!("text"));
    both(Type::Record(fields(&[("a", option(Type::U8))])), json!({}), json!({ "a": null }));
    both(Type::Flags(names("a b")), json!(["b", "a"]), json!(["a", "b"]));
}

fn refuse(ty: Type, json: Json, message: &str) {
    let refused = params_from_json(&fields(&[("p", ty)]), &json!({ "p": json }), LEN_MAX);
    assert_eq!(refused.map_err(|error| error.to_string()), Err(message.to_owned()));
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    refuse(Type::U8, json!(256), "p: expected an integer (u8), found 256");
    refuse(Type::U8, json!(1.5), "p: expected an integer (u8), found 1.5");
    refuse(Type::U64, json!("007"), "p: expected an integer (u64), found \"007\"");
    refuse(Type::S64, json!("1e3"), "p: expected an integer (s64), found \"1e3\"");
    refuse(Type::Bool, json!("true"), "p: expected true or false, found \"true\"");
    refuse(Type::F32, json!(1e300), "p: expected a number in the range of f32, found 1e+300");
    refuse(Type::F64, json!("NaN"), "p: expected a number (f64), \"nan\", \"inf\" or \"-inf\", found \"NaN\"");
    refuse(Type::Char, json!("ab"), "p: expected one character, found \"ab\"");
    refuse(Type::String, json!(null), "p: expected a string, found null");
    refuse(list(Type::U8), json!([1, 2]), "p: expected a string or {\"base64\": \"…\"}, found an array of 2");
    refuse(list(Type::U8), json!({ "base64": "x" }), "p: expected standard base64 with padding, found \"x\"");
    refuse(list(Type::U8), json!({ "hex": "00" }), "p: expected a string or {\"base64\": \"…\"}, found another object");
    refuse(list(list(Type::U16)), json!([[1], [2, "x"]]), "p[1][1]: expected an integer (u16), found \"x\"");
    refuse(Type::Tuple(vec![Type::U8]), json!([]), "p: expected an array of 1 (tuple<u8>), found an array of 0");
    refuse(Type::Enum(names("a b")), json!("c"), "p: expected one of a, b, found \"c\"");
    refuse(Type::Flags(names("a b")), json!(["a", "a"]), "p: expected each flag once, found \"a\"");
    refuse(Type::Flags(names("a b")), json!(["c"]), "p: expected one of a, b, found \"c\"");
    refuse(state(), json!("done"), "p: expected one of open, closed, maybe, found \"done\"");
    refuse(state(), json!("closed"), "p.closed: expected a string, found nothing");
    refuse(state(), json!({ "open": 1 }), "p.open: expected the case's name alone, found 1");
    refuse(state(), json!({ "open": 1, "closed": "" }), "p: expected an object with one name, found one with 2");
    refuse(option(option(Type::U8)), json!(1), "p: expected null or {\"some\": …}, found 1");
    refuse(Type::Result { ok: None, err: None }, json!({ "ok": 1 }), "p.ok: expected null, found 1");
    let issue = Type::Record(fields(&[("labels", list(Type::Enum(names("bug")))), ("id", Type::U32)]));
    refuse(issue.clone(), json!({ "labels": ["idea"], "id": 1 }), "p.labels[0]: expected one of bug, found \"idea\"");
    refuse(issue.clone(), json!({ "labels": [] }), "p.id: expected an integer (u32), found nothing");
    refuse(issue.clone(), json!({ "labels": [], "id": 1, "x": 0 }), "p: expected only labels, id, found \"x\"");
    refuse(issue, json!([]), "p: expected an object, found an array of 0");
}

#[test]
fn params_are_an_object_by_name() {
    let params = fields(&[("title", Type::String), ("due", option(Type::U32))]);
    let bytes = params_from_json(&params, &json!({ "title": "t" }), LEN_MAX).unwrap();
    assert_eq!(params_to_json(&params, &bytes), Ok(json!({ "title": "t", "due": null })));
    assert_eq!(params_from_json(&[], &json!({}), LEN_MAX), Ok(vec![]));
    let error = |params: &[Field], json: Json| params_from_json(params, &json, LEN_MAX).unwrap_err().to_string();
    assert_eq!(error(&params, json!({})), "title: expected a string, found nothing");
    assert_eq!(error(&[], json!({ "a": 1 })), "params: expected no members, found \"a\"");
}

#[test]
fn sizes_are_held() {
    let many = Json::Array(vec![json!(0); VALUES_MAX]);
    assert_eq!(value_from_json(&list(Type::U16), &many, LEN_MAX), Err(ValueError::TooManyValues));
    let long = "x".repeat(100);
    assert_eq!(value_from_json(&Type::String, &json!(long), 100), Err(ValueError::TooLarge { max: 100 }));
    // Three bytes of JSON become a thousand values; the record's options are what a hostile tool call leaves out.
    let wide = Type::Record((0..1000).map(|n| Field { name: format!("f{n}"), ty: option(Type::U8) }).collect());
    let empty = Json::Array(vec![json!({}); 2000]);
    assert_eq!(value_from_json(&list(wide.clone()), &empty, 100_000), Err(ValueError::TooLarge { max: 100_000 }));
    assert_eq!(value_from_json(&list(wide), &empty, usize::MAX), Err(ValueError::TooManyValues));
}
