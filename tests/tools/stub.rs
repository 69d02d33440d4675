//! Connectors that answer as a test says, and remember what they were asked.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use remit::capability::connector::answer::{Answered, Failed};
use remit::capability::connector::import::BoxFuture;
use remit::capability::connector::json::{params_to_json, value_from_json};
use remit::capability::connector::route::{Closing, Linked, Outbound, Route};
use remit::engine::interface::{Case, Field, Function, Interface, InterfaceName, Type};
use remit::meter::Usage;
use serde_json::Value as Json;
use tokio::sync::Notify;

pub use remit::capability::connector::answer::Why;

const NAME: &str = "acme:tracker/issues@1.2.0";

type Answer = dyn Fn(&str, Json) -> Result<Json, Why> + Send + Sync;

/// A route to one connector, `tracker`.
pub struct Stub {
    interfaces: Vec<Linked>,
    /// Nothing: it never answers.
    answer: Option<Box<Answer>>,
    asked: Mutex<Vec<Outbound>>,
    waited: Notify,
}

impl Stub {
    /// Makes one that answers each function at once, params and result in JSON.
    pub fn new(answer: impl Fn(&str, Json) -> Result<Json, Why> + Send + Sync + 'static) -> Arc<Self> {
        Self::with(functions(), Some(Box::new(answer)))
    }

    /// Makes one that has a function with a type that is long to write.
    pub fn wide(answer: impl Fn(&str, Json) -> Result<Json, Why> + Send + Sync + 'static) -> Arc<Self> {
        let fields = (0..3_000).map(|n| field(&format!("f{n}"), option(Type::U64))).collect();
        let functions = vec![
            function("count", vec![], Some(Type::U32)),
            function("wide", vec![field("p", Type::Record(fields))], Some(Type::U32)),
        ];
        Self::with(functions, Some(Box::new(answer)))
    }

    /// Makes one that never answers.
    pub fn silent() -> Arc<Self> {
        Self::with(functions(), None)
    }

    fn with(functions: Vec<Function>, answer: Option<Box<Answer>>) -> Arc<Self> {
        let interface = Interface { name: InterfaceName::parse(NAME), functions };
        let granted = NAME.parse().expect("it is an interface");
        let interfaces = vec![Linked { granted, interface, connector: "tracker".into() }];
        Arc::new(Self { interfaces, answer, asked: Mutex::default(), waited: Notify::new() })
    }

    /// Returns what it was asked.
    pub fn asked(&self) -> Vec<Outbound> {
        self.asked.lock().expect("no test panicked here").clone()
    }

    /// Waits until it is asked.
    pub async fn is_asked(&self) {
        // A run that ends without asking is seen by what it left.
        let _ = tokio::time::timeout(Duration::from_secs(10), self.waited.notified()).await;
    }

    fn answer(&self, function: &Function, params: &[u8]) -> Option<Answered> {
        let answer = self.answer.as_ref()?;
        let params = params_to_json(&function.params, params).expect("they are of the function's types");
        let outcome = match answer(&function.name, params) {
            Ok(result) => Ok(function.result.as_ref().map(|ty| encoded(ty, &result)).unwrap_or_default()),
            Err(why) => {
                let message = "what only the operator reads".to_owned();
                Err(Failed { connector: "tracker".into(), run: None, why, message })
            }
        };
        Some(Answered { outcome, usage: Default::default() })
    }
}

impl Route for Stub {
    fn interfaces(&self) -> &[Linked] {
        &self.interfaces
    }

    fn call(&self, call: Outbound) -> BoxFuture<'static, Answered> {
        let function = &self.interfaces[call.interface].interface.functions[call.function];
        let answer = self.answer(function, &call.params);
        self.asked.lock().expect("no test panicked here").push(call);
        self.waited.notify_one();
        match answer {
            Some(answer) => Box::pin(async { answer }),
            None => Box::pin(pending()),
        }
    }

    fn close(&self, _: Closing) -> BoxFuture<'_, Usage> {
        Box::pin(async { Usage::default() })
    }
}

fn encoded(ty: &Type, json: &Json) -> Vec<u8> {
    value_from_json(ty, json, 1 << 20).expect("a test's results have the function's type")
}

fn functions() -> Vec<Function> {
    let text = || Type::String;
    let kind = Type::Enum(vec!["bug".into(), "idea".into()]);
    let created = Type::Result { ok: Some(Box::new(Type::U64)), err: Some(Box::new(text())) };
    let bytes = || Type::List(Box::new(Type::U8));
    let mode = Type::Variant(vec![case("keep", None), case("set", Some(option(Type::Char)))]);
    let parts = Type::List(Box::new(Type::Tuple(vec![text(), Type::F64])));
    let flags = Type::Flags(vec!["loud".into(), "late".into()]);
    let what =
        Type::Record(vec![field("id", Type::S64), field("mode", mode), field("parts", parts), field("flags", flags)]);
    vec![
        function("add", vec![field("id", Type::U64)], None),
        function("attach", vec![field("data", bytes())], Some(bytes())),
        function("count", vec![], Some(Type::U32)),
        function(
            "create",
            vec![field("title", text()), field("kind", kind), field("due", option(Type::U32))],
            Some(created),
        ),
        function("empty", vec![], None),
        function("find", vec![field("what", what.clone())], Some(what)),
        function("text", vec![field("title", text())], Some(text())),
    ]
}

fn function(name: &str, params: Vec<Field>, result: Option<Type>) -> Function {
    Function { name: name.into(), params, result }
}

fn field(name: &str, ty: Type) -> Field {
    Field { name: name.into(), ty }
}

fn case(name: &str, ty: Option<Type>) -> Case {
    Case { name: name.into(), ty }
}

fn option(ty: Type) -> Type {
    Type::Option(Box::new(ty))
}
