//! Write Remit agents and connectors in Rust.
//!
//! An agent is a function from a typed input to a typed output, handed to [`agent!`]:
//!
//! ```
//! use remit_sdk::prelude::*;
//!
//! #[derive(Deserialize)]
//! struct Input {
//!     name: String,
//! }
//!
//! #[derive(Serialize)]
//! struct Output {
//!     greeting: String,
//! }
//!
//! agent!(|input: Input| Ok(Output { greeting: format!("Hello, {}!", input.name) }));
//! # fn main() {}
//! ```
//!
//! It is built as a `cdylib` for `wasm32-wasip2`, and depends on `serde` (with `derive`) beside this crate. What it may
//! reach is listed in its `remit.toml`: files, clocks and randomness through the standard library, [`kv`], [`log`] and
//! the operator's values in [`config`] through this crate, HTTP through [`http`], language models through [`model`], the
//! functions of connectors that a model may choose from through [`tools`]. It may wait: for a moment through [`timer`], for an
//! event through [`signal`], for a person through [`approval`].
//!
//! Typed interfaces between plugins are two lines: [`connectors!`] imports those that an agent's `remit.toml` requests, and
//! [`connector!`] exports those that a connector declares in its folder `wit`.
//!
//! Outside a Remit host, as in a native test, the functions of [`approval`], [`config`], [`http`], [`kv`], [`log`], [`model`],
//! [`signal`], [`timer`] and [`tools`] panic: keep the logic worth testing apart from the calls.

mod agent;
pub mod approval;
pub mod config;
mod connector;
mod failure;
pub mod http;
pub mod kv;
pub mod log;
pub mod model;
pub mod signal;
pub mod timer;
pub mod tools;

/// The bindings made from the WIT package `remit:plugin`, for what the rest of this crate does not cover.
///
/// They follow the WIT to the letter, and change with the tool that makes them.
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit",
        world: "agent",
        pub_export_macro: true,
        default_bindings_module: "remit_sdk::bindings",
    });
}

#[doc(hidden)]
pub use agent::answer;
pub use failure::{Context, Failure, FailureKind, Result};
#[doc(hidden)]
pub use wit_bindgen;

/// What nearly every agent needs, for one `use`.
pub mod prelude {
    pub use crate::{
        Context, Failure, FailureKind, Result, agent, approval, config, connector, connectors, http, kv, log, model,
        signal, timer, tools,
    };
    pub use serde::{Deserialize, Serialize};
}
