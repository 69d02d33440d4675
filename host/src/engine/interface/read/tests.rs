//! Reads components written as text.

use super::*;
use crate::engine::{Engine, PoolSize};

fn component(text: &str) -> Component {
    let engine = Engine::new(PoolSize { runs: 1 }).unwrap();
    engine.compile(&wat::parse_str(text).unwrap()).unwrap()
}

/// A component that imports one interface with these declarations.
fn importing(name: &str, declarations: &str) -> Result<Vec<Interface>, Unsupported> {
    imports(&component(&format!(r#"(component (import "{name}" (instance {declarations})))"#)))
}

#[test]
fn functions_are_read_with_every_value_type() {
    let interfaces = importing(
        "acme:tracker/issues@1.2.0",
        r#"
        (type $label' (enum "bug" "idea"))
        (export "label" (type $label (eq $label')))
        (type $issue' (record (field "title" string) (field "labels" (list $label)) (field "data" (option (list u8)))))
        (export "issue" (type $issue (eq $issue')))
        (type $rights' (flags "read" "write"))
        (export "rights" (type $rights (eq $rights')))
        (type $state' (variant (case "open") (case "closed" (tuple s64 char))))
        (export "state" (type $state (eq $state')))
        (export "update" (func (param "id" u64) (param "rights" $rights) (result (result $state (error f32)))))
        (export "create" (func (param "issue" $issue) (result u64)))
        (export "ping" (func))
        "#,
    );
    let [interface] = &interfaces.unwrap()[..] else { panic!("one interface is imported") };
    assert_eq!(interface.name.to_string(), "acme:tracker/issues@1.2.0");
    let functions: Vec<_> =
        interface.functions.iter().map(|function| format!("{} {function}", function.name)).collect();
    assert_eq!(
        functions,
        [
            "create func(issue: record { title, labels, data }) -> u64",
            "ping func()",
            "update func(id: u64, rights: flags { read, write }) -> result<variant { open, closed }, f32>",
        ]
    );
    let Type::Record(fields) = &interface.function("create").unwrap().params[0].ty else { panic!("a record") };
    assert_eq!(fields[1].ty.to_string(), "list<enum { bug, idea }>");
    assert_eq!(interface.function("delete"), None);
}

#[test]
fn exports_are_read_and_what_belongs_to_the_host_is_not() {
    let component = component(
        r#"(component
            (import "remit:plugin/log@1.0.0" (instance))
            (import "wasi:io/poll@0.2.0" (instance (export "pollable" (type (sub resource)))))
            (import "log" (func (param "line" string)))
            (import "acme:empty/types" (instance))
            (core module $m (func (export "f") (result i32) i32.const 7))
            (core instance $i (instantiate $m))
            (func $f (result u32) (canon lift (core func $i "f")))
            (instance $e (export "seven" (func $f)))
            (export "acme:numbers/seven@0.1.0" (instance $e)))"#,
    );
    let names = |interfaces: Vec<Interface>| interfaces.into_iter().map(|i| i.name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(imports(&component).unwrap()), ["acme:empty/types"]);
    let exports = exports(&component).unwrap();
    assert_eq!(exports[0].function("seven").unwrap().to_string(), "func() -> u32");
    assert_eq!(names(exports), ["acme:numbers/seven@0.1.0"]);
}

#[test]
fn what_cannot_leave_a_store_is_refused_with_its_place() {
    let interface = |declarations: &str| importing("a:b/c", declarations).unwrap_err().to_string();
    assert_eq!(
        interface(r#"(export "file" (type (sub resource)))"#),
        "a:b/c cannot link two plugins: `file`: a resource cannot leave the plugin that owns it; pass an id instead"
    );
    let imported = component(
        r#"(component
            (import "host" (func $unused))
            (import "a:types/files" (instance $files (export "file" (type (sub resource)))))
            (alias export $files "file" (type $file))
            (import "a:b/c" (instance
                (alias outer 1 $file (type $f))
                (export "file" (type $file (eq $f)))
                (export "read" (func (param "files" (list (own $file))))))))"#,
    );
    let refused = imports(&imported).unwrap_err();
    assert_eq!(refused.why, Reason::Resource);
}

/// Types that double with each line: 2^n parts in n lines. The parts are counted before they are built.
#[test]
fn types_that_grow_without_end_are_cut_off() {
    let doubling = |levels: usize| {
        let mut text = String::from("(type $t0 (tuple u8 u8))");
        (1..levels).for_each(|n| text += &format!("(type $t{n} (tuple $t{m} $t{m}))", m = n - 1));
        importing("a:b/c", &format!(r#"{text} (export "f" (func (param "p" $t{})))"#, levels - 1))
    };
    assert!(doubling(12).is_ok());
    let refused = doubling(16).unwrap_err();
    assert_eq!(refused.why, Reason::TooLarge);
    assert!(refused.to_string().starts_with("a:b/c cannot link two plugins: `f`, param `p`."), "{refused}");

    let nested = |levels: usize| {
        let mut text = String::from("(type $t0 (list u8))");
        (1..levels).for_each(|n| text += &format!("(type $t{n} (list $t{m}))", m = n - 1));
        importing("a:b/c", &format!(r#"{text} (export "f" (func (param "p" $t{})))"#, levels - 1))
    };
    assert!(nested(DEPTH_MAX - 1).is_ok());
    assert_eq!(nested(DEPTH_MAX).unwrap_err().why, Reason::TooDeep);
}

#[test]
fn names_are_held_to_their_length() {
    let name = "n".repeat(NAME_LEN_MAX + 1);
    assert_eq!(importing("a:b/c", &format!(r#"(export "{name}" (func))"#)).unwrap_err().why, Reason::NameTooLong);
    assert_eq!(importing(&format!("a:b/{name}"), "").unwrap_err().why, Reason::NameTooLong);
}

#[test]
fn cases_are_held_to_their_number() {
    let cases = |count: usize| (0..count).map(|n| format!("\"c{n}\"")).collect::<Vec<_>>().join(" ");
    let declared = |count| format!(r#"(type $e' (enum {})) (export "e" (type $e (eq $e')))"#, cases(count));
    let read = |count| importing("a:b/c", &format!(r#"{} (export "f" (func (param "p" $e)))"#, declared(count)));
    assert!(read(CASES_MAX).is_ok());
    assert_eq!(read(CASES_MAX + 1).unwrap_err().why, Reason::TooManyCases);
}
