//! What is encoded is read back, shown, and read from what is shown; hostile bytes and another type's JSON are refused.

use super::*;

fn check<T: Value + PartialEq + std::fmt::Debug>(value: T, shown: Json) {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    assert_eq!(T::decode(&mut bytes.as_slice()).as_ref(), Ok(&value));
    assert_eq!(render::<T>(&bytes), shown);
    assert_eq!(read::<T>(&shown, None).as_ref(), Ok(&bytes));
    for cut in 0..bytes.len() {
        assert!(T::decode(&mut &bytes[..cut]).is_err(), "{value:?} decodes from its first {cut} bytes");
    }
}

#[test]
fn values_survive_and_are_shown() {
    check((), json!([]));
    check(u64::MAX, json!(u64::MAX));
    check(-7_i32, json!(-7));
    check(i64::MIN, json!(i64::MIN));
    check(i64::MAX, json!(i64::MAX));
    check(-0.5_f64, json!(-0.5));
    check((String::from("key"), true), json!(["key", true]));
    check(b"text".to_vec(), json!("text"));
    check(vec![0xff_u8, 0xfe, 1, 2], json!({ "base64": "//4BAg==" }));
    check(vec![1_u32, 300], json!([1, 300]));
    check(Some(String::new()), json!(""));
    check::<Result<Option<u64>, u8>>(Ok(None), json!({ "ok": null }));
    check::<Result<(), u8>>(Err(3), json!({ "err": 3 }));
}

#[test]
fn json_of_another_type_is_refused_and_says_where() {
    type Answer = (Result<(u16, Vec<u8>), bool>,);
    let refused = |json: Json| read::<Answer>(&json, None).unwrap_err().to_string();
    assert_eq!(refused(json!([])), "expected an array of 1, found []");
    assert_eq!(refused(json!([{"ok": [70_000, ""]}])), "at 0.ok.0: expected a number from 0 to 65535, found 70000");
    assert_eq!(
        refused(json!([{"ok": [7, {"base64": "?"}]}])),
        "at 0.ok.1: expected text, or {\"base64\": TEXT}, found {\"base64\":\"?\"}"
    );
    assert_eq!(refused(json!([{"err": "x"}])), "at 0.err: expected true or false, found \"x\"");
    assert!(refused(json!([{"ok": [7, ""], "err": true}])).contains("expected {\"ok\": VALUE}"));
}

#[test]
fn hostile_bytes_are_malformed_and_reserve_nothing() {
    let endless = [0xff; 11];
    assert_eq!(take_uint(&mut &endless[..]), Err(Malformed));
    let huge_count = [0xff, 0xff, 0xff, 0xff, 0x7f];
    assert_eq!(Vec::<String>::decode(&mut &huge_count[..]), Err(Malformed));
    assert_eq!(Vec::<u8>::decode(&mut &huge_count[..]), Err(Malformed));
    assert_eq!(String::decode(&mut &[1, 0xff][..]), Err(Malformed));
    assert_eq!(u16::decode(&mut &[0x80, 0x80, 0x04][..]), Err(Malformed));
}
