//! Remit: an operating layer for autonomous work.
//!
//! The modules are layers. Each paragraph below is one, and a module uses only layers above its own.

// 1 words
pub mod digest;
pub mod id;
pub mod time;

// 2 declaration
pub mod manifest;

// 3 rules: pure, no I/O, no async; they may not see each other
pub mod lifecycle;
pub mod meter;
pub mod scope;
pub mod secret;

// 4 ground: wasmtime lives in one, redb in another, hyper in a third; they may not see each other
pub mod engine;
pub mod journal;
pub mod model;
pub mod net;

// 5 gate: the one code path of every host call
pub mod gate;

// 6 capability: what guests can reach, one file per WIT interface
pub mod capability;

// 7 agent: one running plugin
pub mod agent;

// 8 supervisor: all the runs of a long-lived host
pub mod supervisor;

// 9 api: HTTP and JSON for whoever asks a long-lived host
#[cfg(unix)]
pub mod api;

// 10 shell: what a person types; main.rs stands outside; they may see each other
pub mod cli;
pub mod config;
pub mod home;
pub mod telemetry;
