//! Calls from one component into another, through both ends of a link.

use std::sync::Arc;

use wasmtime::component::{Component, Instance, Linker, Val};
use wasmtime::{Result, Store, StoreContextMut};

use crate::capability::connector::export::{CallError, Export};
use crate::capability::connector::import::{self, Answer, BoxFuture};
use crate::capability::connector::wire::{VALUES_MAX, ValueError};
use crate::engine::interface::{Interface, read};
use crate::engine::{Engine, PoolSize};

/// Fuel for one store; with yields, so that calls are async as the host's are.
const FUEL: u64 = 1 << 40;

/// What both test components hold: a memory, and a `realloc` that never gives back.
const MEMORY: &str = r#"
    (core module $Memory
        (memory (export "memory") 600)
        (global $end (mut i32) (i32.const 4096))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and (i32.add (global.get $end) (i32.const 15)) (i32.const -16)))
            (global.set $end (i32.add (local.get $at) (local.get 3)))
            (local.get $at)))
    (core instance $memory (instantiate $Memory))
    (alias core export $memory "memory" (core memory $m))
    (alias core export $memory "realloc" (core func $realloc))"#;

/// A list-like type under test, and the named types it is made of.
struct Echoed<'a> {
    named: &'a [(&'a str, &'a str)],
    ty: &'a str,
}

impl Echoed<'_> {
    /// Declares the named types, `$name` each, and says after each how it gets its name.
    fn declared(&self, export: impl Fn(&str) -> String) -> String {
        self.named.iter().map(|(name, ty)| format!("(type ${name}' {ty}) {}", export(name))).collect()
    }
}

/// A component that exports `echo: func(p: ty) -> ty`.
fn echo(echoed: &Echoed<'_>) -> String {
    let ty = echoed.ty;
    let declared = echoed.declared(|name| format!(r#"(export ${name} "{name}" (type ${name}'))"#));
    format!(
        r#"(component
        {MEMORY}
        {declared}
        (core module $Main
            (import "memory" "memory" (memory 0))
            (func (export "echo") (param i32 i32) (result i32)
                (if (i32.eqz (local.get 1)) (then unreachable))
                (i32.store (i32.const 16) (local.get 0))
                (i32.store (i32.const 20) (local.get 1))
                (i32.const 16)))
        (core instance $main (instantiate $Main (with "memory" (instance $memory))))
        (func $echo (param "p" {ty}) (result {ty})
            (canon lift (core func $main "echo") (memory $m) (realloc $realloc)))
        (instance $e (export "echo" (func $echo)))
        (export "acme:echo/lists@1.0.0" (instance $e)))"#
    )
}

/// A component that imports it, and exports it again through its own memory.
fn relay(echoed: &Echoed<'_>) -> String {
    let ty = echoed.ty;
    let declared = echoed.declared(|name| format!(r#"(export "{name}" (type ${name} (eq ${name}')))"#));
    let aliases: String =
        echoed.named.iter().map(|(name, _)| format!(r#"(alias export $i "{name}" (type ${name}))"#)).collect();
    format!(
        r#"(component
        (import "acme:echo/lists@1.0.0" (instance $i {declared}
            (export "echo" (func (param "p" {ty}) (result {ty})))))
        {aliases}
        {MEMORY}
        (core func $echo (canon lower (func $i "echo") (memory $m) (realloc $realloc)))
        (core module $Main
            (import "i" "echo" (func $echo (param i32 i32 i32)))
            (func (export "echo") (param i32 i32) (result i32)
                (call $echo (local.get 0) (local.get 1) (i32.const 64))
                (i32.const 64)))
        (core instance $main (instantiate $Main (with "i" (instance (export "echo" (func $echo))))))
        (func (export "relay") (param "p" {ty}) (result {ty})
            (canon lift (core func $main "echo") (memory $m) (realloc $realloc))))"#
    )
}

/// A connector's instance.
struct Session {
    store: Store<()>,
    export: Export<()>,
}

/// Answers by calling the session in the caller's store.
struct Route(usize);

impl Answer<Session> for Route {
    fn answer<'a>(
        &'a self,
        mut store: StoreContextMut<'a, Session>,
        params: Vec<u8>,
    ) -> BoxFuture<'a, Result<Vec<u8>>> {
        Box::pin(async move {
            let session = store.data_mut();
            Ok(session.export.call(&mut session.store, self.0, &params).await?)
        })
    }
}

struct Scene {
    engine: Engine,
}

impl Scene {
    fn new() -> Self {
        Self { engine: Engine::new(PoolSize { runs: 2 }).unwrap() }
    }

    fn compile(&self, text: &str) -> Component {
        self.engine.compile(&wat::parse_str(text).unwrap()).unwrap()
    }

    fn store<T: Send>(&self, data: T) -> Store<T> {
        let mut store = Store::new(self.engine.wasmtime(), data);
        store.set_fuel(FUEL).unwrap();
        store.fuel_async_yield_interval(Some(crate::engine::FUEL_SLICE)).unwrap();
        store
    }

    async fn session(&self, connector: &Component) -> Session {
        let mut store = self.store(());
        let instance = Linker::new(self.engine.wasmtime()).instantiate_async(&mut store, connector).await.unwrap();
        let interface = read::exports(connector).unwrap().remove(0);
        let export = Export::find(&mut store, &instance, connector, &interface.name, &interface.functions).unwrap();
        Session { store, export }
    }

    /// Has a caller call the connector with `val`, and returns what the caller got.
    async fn call(&self, echoed: &Echoed<'_>, val: Val) -> Result<Val> {
        let session = self.session(&self.compile(&echo(echoed))).await;
        let caller = self.compile(&relay(echoed));
        let mut linker = Linker::new(self.engine.wasmtime());
        define_all(&mut linker, &read::imports(&caller).unwrap()[0]);
        let mut store = self.store(session);
        let instance: Instance = linker.instantiate_async(&mut store, &caller).await?;
        let relay = instance.get_func(&mut store, "relay").unwrap();
        // The test itself lifts what the caller returns, which is not what is tested.
        let mut results = [Val::Bool(false)];
        relay.call_async(&mut store, &[val], &mut results).await?;
        let [result] = results;
        Ok(result)
    }
}

fn define_all(linker: &mut Linker<Session>, interface: &Interface) {
    let mut instance = linker.instance(&interface.name.to_string()).unwrap();
    for (index, function) in interface.functions.iter().enumerate() {
        import::define(&mut instance, Arc::new(function.clone()), Arc::new(Route(index))).unwrap();
    }
}

const BYTES: Echoed<'_> = Echoed { named: &[], ty: "(list u8)" };
const SIGNED: Echoed<'_> = Echoed { named: &[], ty: "(list s8)" };

#[tokio::test]
async fn every_value_type_arrives_as_it_was_sent() {
    let named = [
        ("level", r#"(enum "low" "high")"#),
        ("rights", r#"(flags "read" "write" "run")"#),
        ("state", r#"(variant (case "open") (case "closed" (tuple s64 char)))"#),
        (
            "part",
            r#"(record (field "b" bool) (field "small" s8) (field "word" u16) (field "count" s32) (field "long" u64)
                (field "single" f32) (field "double" f64) (field "level" $level) (field "rights" $rights)
                (field "states" (list $state)) (field "data" (option (list u8)))
                (field "outcome" (result string (error u8))))"#,
        ),
    ];
    let part = |data: Option<Vec<u8>>, outcome: std::result::Result<&str, u8>| {
        let field = |name: &str, val: Val| (name.to_owned(), val);
        let states = [Val::Variant("open".into(), None), closed(i64::MIN, '𝄞')];
        let data = data.map(|bytes| Box::new(Val::List(bytes.into_iter().map(Val::U8).collect())));
        let outcome = match outcome {
            Ok(text) => Ok(Some(Box::new(Val::String(text.into())))),
            Err(code) => Err(Some(Box::new(Val::U8(code)))),
        };
        Val::Record(vec![
            field("b", Val::Bool(true)),
            field("small", Val::S8(-1)),
            field("word", Val::U16(u16::MAX)),
            field("count", Val::S32(i32::MIN)),
            field("long", Val::U64(u64::MAX)),
            field("single", Val::Float32(-0.0)),
            field("double", Val::Float64(f64::NAN)),
            field("level", Val::Enum("high".into())),
            field("rights", Val::Flags(vec!["read".into(), "run".into()])),
            field("states", Val::List(states.to_vec())),
            field("data", Val::Option(data)),
            field("outcome", Val::Result(outcome)),
        ])
    };
    let sent = Val::List(vec![part(None, Ok("")), part(Some(vec![0, 255]), Err(7))]);
    let echoed = Echoed { named: &named, ty: "(list $part)" };
    assert_eq!(Scene::new().call(&echoed, sent.clone()).await.unwrap(), sent);
}

fn closed(number: i64, letter: char) -> Val {
    Val::Variant("closed".into(), Some(Box::new(Val::Tuple(vec![Val::S64(number), Val::Char(letter)]))))
}

fn signed(len: usize) -> Val {
    Val::List(vec![Val::S8(-1); len])
}

/// A `list<u8>` of a function with Rust types is one value, whatever its length; the elements of any other list are
/// counted, and the cap that ends the call names itself.
#[tokio::test]
async fn bytes_pass_as_one_and_other_lists_are_capped() {
    let scene = Scene::new();
    let bytes = Val::List(vec![Val::U8(7); VALUES_MAX + 1]);
    assert_eq!(scene.call(&BYTES, bytes.clone()).await.unwrap(), bytes);
    let most = signed(VALUES_MAX - 1);
    assert_eq!(scene.call(&SIGNED, most.clone()).await.unwrap(), most);
    let error = scene.call(&SIGNED, signed(VALUES_MAX)).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&ValueError::TooManyValues), "{error:?}");
}

/// Wasmtime refuses what takes more than 128 MiB of its values before the host sees it; the cap is named all the same.
#[tokio::test]
async fn what_wasmtime_refuses_to_lift_names_the_cap_too() {
    let error = Scene::new().call(&SIGNED, signed((128 << 20) / size_of::<Val>() + 1)).await.unwrap_err();
    assert_eq!(error.downcast_ref::<ValueError>(), None);
    assert_eq!(import::exhausted(&error), Some(ValueError::TooManyValues));
}

#[tokio::test]
async fn a_call_that_fails_says_which_side_it_was() {
    let scene = Scene::new();
    for echoed in [&BYTES, &SIGNED] {
        let mut session = scene.session(&scene.compile(&echo(echoed))).await;
        let malformed = session.export.call(&mut session.store, 0, &[9]).await;
        assert!(matches!(malformed, Err(CallError::Params(ValueError::Malformed(_)))), "{malformed:?}");
        let left_over = session.export.call(&mut session.store, 0, &[1, 1, 1]).await;
        assert!(matches!(left_over, Err(CallError::Params(ValueError::Malformed(_)))), "{left_over:?}");
        assert_eq!(session.export.call(&mut session.store, 0, &[2, 7, 8]).await.unwrap(), [2, 7, 8]);
        // The connector traps on an empty list.
        let trapped = session.export.call(&mut session.store, 0, &[0]).await;
        let Err(CallError::Failed(error)) = trapped else { panic!("{trapped:?}") };
        assert_eq!(error.downcast_ref(), Some(&wasmtime::Trap::UnreachableCodeReached));
    }
}

/// A connector that answers with more than a call carries: first what is counted here, then what wasmtime refuses.
#[tokio::test]
async fn a_result_that_is_too_much_names_the_cap() {
    let scene = Scene::new();
    for len in [VALUES_MAX, (128 << 20) / size_of::<Val>() + 1] {
        let flood = format!(
            r#"(component {MEMORY}
            (core module $Main
                (import "memory" "memory" (memory 0))
                (func (export "flood") (result i32) (i32.store (i32.const 20) (i32.const {len})) (i32.const 16)))
            (core instance $main (instantiate $Main (with "memory" (instance $memory))))
            (func $flood (result (list s8)) (canon lift (core func $main "flood") (memory $m)))
            (instance $e (export "flood" (func $flood)))
            (export "acme:echo/lists@1.0.0" (instance $e)))"#
        );
        let mut session = scene.session(&scene.compile(&flood)).await;
        let answer = session.export.call(&mut session.store, 0, &[]).await;
        assert!(matches!(answer, Err(CallError::Result(ValueError::TooManyValues))), "{len}: {answer:?}");
    }
}

#[tokio::test]
async fn what_the_instance_does_not_export_is_missing() {
    let scene = Scene::new();
    let connector = scene.compile(&echo(&BYTES));
    let mut interface = read::exports(&connector).unwrap().remove(0);
    interface.functions[0].name = "reverse".into();
    let mut store = scene.store(());
    let instance = Linker::new(scene.engine.wasmtime()).instantiate_async(&mut store, &connector).await.unwrap();
    let found = Export::find(&mut store, &instance, &connector, &interface.name, &interface.functions);
    let missing = found.map(drop).unwrap_err();
    assert_eq!(missing.to_string(), "the instance does not export `reverse` of acme:echo/lists@1.0.0");
}

/// Every signature of up to three params is linked, with Rust types or dynamically, and wasmtime agrees with the types.
#[test]
fn every_signature_links() {
    let params = ["(list u8)", "string", "u32", "u64"];
    let results = [
        "",
        "(list u8)",
        "string",
        "u32",
        "u64",
        "(option (list u8))",
        "(result (error string))",
        "(result (list u8) (error string))",
        "(result string (error string))",
        "(result (option (list u8)) (error string))",
    ];
    let mut longest = vec![String::new()];
    let mut signatures = longest.clone();
    for name in ["a", "b", "c"] {
        let longer = longest.iter().flat_map(|shorter| params.map(|ty| format!("{shorter} (param \"{name}\" {ty})")));
        longest = longer.collect();
        signatures.extend(longest.clone());
    }
    let scene = Scene::new();
    for result in results {
        let result = if result.is_empty() { String::new() } else { format!("(result {result})") };
        let functions = signatures.iter().enumerate();
        let functions: String =
            functions.map(|(n, params)| format!(r#"(export "f{n}" (func {params} {result}))"#)).collect();
        let caller = scene.compile(&format!(r#"(component (import "a:b/c" (instance {functions})))"#));
        let mut linker = Linker::new(scene.engine.wasmtime());
        define_all(&mut linker, &read::imports(&caller).unwrap()[0]);
        linker.instantiate_pre(&caller).map(drop).unwrap();
    }
}
