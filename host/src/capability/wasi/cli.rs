//! `wasi:cli`: arguments, exit, and the standard streams. The environment has the configuration values that were
//! granted and nothing else, and there is no terminal, so that a guest behaves the same wherever it runs.

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::cli::{terminal_input, terminal_output};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};

use crate::capability::link::{Call, Link};
use crate::capability::{Derived, Input, Object, Output};
use crate::gate::{Class, Halt, Ordinals};

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.sync_or_pure(
        "wasi:cli/environment#get-environment",
        Call::new(Class::ReadLocal, |turn, derived, _: &()| Ok((turn.caps.values.variables(&derived.config_keys),))),
        |derived, _| derived.config_keys.is_empty(),
        |_, _, _| Ok((Vec::new(),)),
    )?;
    link.pure("wasi:cli/environment#get-arguments", |derived, _, _: &()| Ok((derived.arguments.clone(),)))?;
    link.pure("wasi:cli/environment#initial-cwd", |_, _, _: &()| Ok((None::<String>,)))?;
    link.pure("wasi:cli/exit#exit", |_, _, &(status,): &(Result<(), ()>,)| {
        Err::<(), _>(Halt::Exit(u8::from(status.is_err())))
    })?;
    link.pure("wasi:cli/exit#exit-with-code", |_, _, &(code,): &(u8,)| Err::<(), _>(Halt::Exit(code)))?;
    link_streams(link)?;
    link_terminals(link)
}

fn link_streams(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.pure("wasi:cli/stdin#get-stdin", |derived, ordinals, _: &()| {
        let ordinal = open(derived, ordinals, Object::Input(Input::Stdin))?;
        Ok((Resource::<DynInputStream>::new_own(ordinal),))
    })?;
    link.pure("wasi:cli/stdout#get-stdout", |derived, ordinals, _: &()| {
        let ordinal = open(derived, ordinals, Object::Output(Output::Stdout))?;
        Ok((Resource::<DynOutputStream>::new_own(ordinal),))
    })?;
    link.pure("wasi:cli/stderr#get-stderr", |derived, ordinals, _: &()| {
        let ordinal = open(derived, ordinals, Object::Output(Output::Stderr))?;
        Ok((Resource::<DynOutputStream>::new_own(ordinal),))
    })
}

fn link_terminals(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.resource::<terminal_input::TerminalInput>("wasi:cli/terminal-input#[drop]terminal-input")?;
    link.resource::<terminal_output::TerminalOutput>("wasi:cli/terminal-output#[drop]terminal-output")?;
    link.pure("wasi:cli/terminal-stdin#get-terminal-stdin", |_, _, _: &()| {
        Ok((None::<Resource<terminal_input::TerminalInput>>,))
    })?;
    link.pure("wasi:cli/terminal-stdout#get-terminal-stdout", |_, _, _: &()| {
        Ok((None::<Resource<terminal_output::TerminalOutput>>,))
    })?;
    link.pure("wasi:cli/terminal-stderr#get-terminal-stderr", |_, _, _: &()| {
        Ok((None::<Resource<terminal_output::TerminalOutput>>,))
    })
}

fn open(derived: &mut Derived, ordinals: &mut Ordinals, object: Object) -> Result<u32, Halt> {
    let ordinal = ordinals.create()?;
    derived.objects.insert(ordinal, object);
    Ok(ordinal)
}
