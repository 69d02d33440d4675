//! A tool's call: found by name, judged, its arguments read, routed to the connector, recorded once.
//!
//! A name that stands for nothing is answered without asking anybody. Everything else goes through the gate as a remote
//! call: first the remit is asked, then the arguments are read, so that a refused plugin learns nothing of the types.

use std::sync::Arc;

use serde_json::Value as Json;
use wasmtime::StoreContextMut;

use super::outcome::Came;
use super::table::{Tool, Tools};
use super::{arguments, wit};
use crate::capability::connector::json as convert;
use crate::capability::connector::route::Outbound;
use crate::capability::connector::typed::check_params;
use crate::capability::connector::wire::ValueError;
use crate::capability::link::{self, Link, fuel_used};
use crate::capability::{Caps, Derived, Guest};
use crate::gate::value::Malformed;
use crate::gate::{Class, Halt, Op, Outgoing, Permit, RemoteOp, Sending, Sent, Value};
use crate::meter::{LimitKind, Limits, Usage};
use crate::scope::{Denial, Remit, Terms};

const NAME: &str = "remit:plugin/tools#call";

/// The most names that are told to who asked for one that is not there.
const NAMES_TOLD_MAX: usize = 12;

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    let index = link.functions.add::<Params, Came>(NAME, Class::ReadRemote, true);
    let calling = Arc::new(Calling {
        unknown: Op {
            index,
            class: Class::ReadLocal,
            judge: None,
            refuse: |_| Came::told(Err(wit::Error::Denied)),
            perform: |_, _, Unknown { message, .. }| Ok(Came::told(Err(wit::Error::Unknown(message.clone())))),
            foresee: None,
            apply: None,
            restore: None,
            recover: None,
        },
        routed: RemoteOp {
            index,
            class: Class::ReadRemote,
            judge,
            refuse,
            send,
            apply: |_, _, came| came.answer(),
            took: |_, _, _| Usage::default(),
        },
    });
    let Some((mut instance, function)) = link.place(NAME)? else { return Ok(()) };
    instance.func_wrap_async(function, move |mut store: StoreContextMut<'_, Guest>, params: Params| {
        let calling = calling.clone();
        Box::new(async move { Ok((calling.answer(&mut store, params).await?,)) })
    })
}

/// The tool's name, the digest that it is to have, and the arguments.
type Params = (String, Option<String>, String);

/// The ways of a call, which are one function of the table.
struct Calling {
    /// Answers for names that stand for nothing, and replays.
    unknown: Op<Caps, Derived, Unknown, Came>,
    /// Asks a connector.
    routed: RemoteOp<Caps, Derived, Routed, Came, Result<String, wit::Error>>,
}

impl Calling {
    async fn answer(
        &self,
        store: &mut StoreContextMut<'_, Guest>,
        params: Params,
    ) -> wasmtime::Result<Result<String, wit::Error>> {
        let fuel = fuel_used(store)?;
        let gate = &mut store.data_mut().gate;
        let found = gate.as_live().map(|live| {
            let tools = live.caps.tools();
            let remit = live.remit_now()?;
            Ok::<_, Halt>(match tools.find(&params.0) {
                Some(index) => Ok(Routed::new(remit, tools, index, params.clone())),
                None => Err(no_such(&tools, remit, &params.0)),
            })
        });
        let message = match found.transpose()? {
            Some(Ok(routed)) => {
                return link::remote(store, &self.routed, &routed, self.routed.index).await;
            }
            Some(Err(message)) => message,
            // Both ways are recorded alike, and this one waits for nothing.
            None => String::new(),
        };
        Ok(store.data_mut().gate.call(&self.unknown, fuel, &Unknown { params, message })?.answer())
    }
}

/// Says which tools there are.
fn no_such(tools: &Tools, remit: &Remit, name: &str) -> String {
    let shown: String = name.chars().take(super::names::NAME_LEN_MAX).collect();
    let mut granted = tools.granted(remit).map(|tool| tool.name.as_str());
    let mut told: Vec<_> = granted.by_ref().take(NAMES_TOLD_MAX).collect();
    told.extend(granted.next().map(|_| "…"));
    match told.as_slice() {
        [] => format!("there is no tool {shown:?}, nor any other"),
        told => format!("there is no tool {shown:?}; there are {}", told.join(", ")),
    }
}

/// A call of a name that stands for nothing, or of any in a replay.
struct Unknown {
    params: Params,
    message: String,
}

/// A call of a function that is there.
struct Routed {
    params: Params,
    tools: Arc<Tools>,
    index: usize,
    /// Those of the tool and of its connector, as of when it was called.
    terms: Terms,
}

impl Routed {
    fn new(remit: &Remit, tools: Arc<Tools>, index: usize, params: Params) -> Self {
        let Tool { interface, function, .. } = tools.at(index);
        let terms = remit.tool_call_allows(interface, &function.name).unwrap_or_default();
        Self { params, index, terms, tools }
    }

    fn tool(&self) -> &Tool {
        self.tools.at(self.index)
    }

    /// Returns the params for the connector.
    fn encoded(&self, limits: &Limits) -> Result<Vec<u8>, wit::Error> {
        let (_, digest, arguments) = &self.params;
        let tool = self.tool();
        if let Some(digest) = digest {
            let present = tool
                .schema()
                .map_or_else(|| "none: the schema is too long".to_owned(), |schema| schema.digest.to_string());
            if *digest != present {
                return Err(wit::Error::Changed(present));
            }
        }
        let arguments = arguments::parse(arguments).map_err(wit::Error::InvalidArguments)?;
        let len_max = usize::try_from(limits[LimitKind::Payload]).unwrap_or(usize::MAX);
        let params = convert::params_from_json(&tool.function.params, &arguments, len_max);
        let carried = params.and_then(|params| check_params(&tool.function, &params).map(|()| params));
        carried.map_err(|error| match error {
            ValueError::TooManyValues | ValueError::TooLarge { .. } => wit::Error::TooLarge(error.to_string()),
            error => wit::Error::InvalidArguments(error.to_string()),
        })
    }
}

/// Both are recorded as what the guest gave.
macro_rules! recorded_as_params {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn encode(&self, out: &mut Vec<u8>) {
                self.params.encode(out);
            }

            /// Nothing is read back: the table shows the params.
            fn decode(_: &mut &[u8]) -> Result<Self, Malformed> {
                Err(Malformed)
            }

            fn json(&self) -> Json {
                self.params.json()
            }
        }
    )*};
}

recorded_as_params!(Unknown, Routed);

fn judge<'a>(remit: &'a Remit, call: &'a Routed) -> Result<Permit<'a>, Denial> {
    let Tool { interface, function, .. } = call.tool();
    remit.tool_call_allows(interface, &function.name)?;
    Ok(Permit { class: Class::ReadRemote, terms: &call.terms })
}

fn refuse(_: &Routed) -> Came {
    Came::told(Err(wit::Error::Denied))
}

fn send(outgoing: Outgoing<'_, Caps>, _: &Derived, call: &Routed) -> Sending<Came> {
    let Outgoing { caps, limits, entry, .. } = outgoing;
    let params = match call.encoded(limits) {
        Ok(params) => params,
        Err(error) => return Box::pin(async { Sent::unsent(Came::told(Err(error))) }),
    };
    let (interface, function) = call.tool().place;
    let patience = limits.call_time();
    let route = caps.connectors.as_ref().expect("a tool is found on a route");
    let answering = route.call(Outbound { interface, function, params, entry, patience });
    let (function, payload_max) = (call.tool().function.clone(), limits[LimitKind::Payload]);
    Box::pin(async move {
        let answered = answering.await;
        let (is_sent, parked) = (answered.was_asked(), answered.parked());
        Sent { is_sent, parked, ..Sent::unsent(Came::of(answered, &function, payload_max)) }
    })
}
