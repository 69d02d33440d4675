//! The other side: the same component under wasmtime's own WASI, in the engine that Remit uses.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};

use wasmtime::Store;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime_wasi::filesystem::FsPerms;
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{I32Exit, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::{Ended, Program, Seen};
use crate::harness::{HOST, component};

/// More than any program here prints.
const OUTPUT_MAX: usize = 64 << 20;

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

static COMPILED: LazyLock<Mutex<HashMap<String, Component>>> = LazyLock::new(Mutex::default);

fn compiled(guest: &str) -> Component {
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let compile = || {
        Component::new(
            HOST.engine().wasmtime(),
            if guest.starts_with('/') { std::fs::read(guest).unwrap() } else { component(guest) },
        )
        .expect("it compiles")
    };
    compiled.entry(guest.to_owned()).or_insert_with(compile).clone()
}

/// Runs the program on the folder and tells what it did, the folder aside.
pub fn run(program: &Program, dir: &Path) -> Seen {
    let (stdout, stderr) = (MemoryOutputPipe::new(OUTPUT_MAX), MemoryOutputPipe::new(OUTPUT_MAX));
    let mut builder = WasiCtxBuilder::new();
    builder.stdin(MemoryInputPipe::new(program.input.clone()));
    builder.stdout(stdout.clone()).stderr(stderr.clone()).allow_blocking_current_thread(true);
    builder.arg(program.guest).args(&program.arguments);
    builder.preopened_dir(dir, ".", FsPerms::ReadWrite).expect("the folder is there");
    let ended = call(program, State { wasi: builder.build(), table: ResourceTable::new() });
    Seen { ended, stdout: stdout.contents().to_vec(), stderr: stderr.contents().to_vec(), tree: Vec::new() }
}

fn call(program: &Program, state: State) -> Ended {
    let engine = HOST.engine().wasmtime();
    let mut linker = Linker::<State>::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("WASI links");
    let mut store = Store::new(engine, state);
    store.set_fuel(u64::MAX).expect("the configuration counts fuel");
    let command = Command::instantiate(&mut store, &compiled(program.guest), &linker).expect("it is instantiated");
    match command.wasi_cli_run().call_run(&mut store) {
        Ok(Ok(())) => Ended::Code(0),
        Ok(Err(())) => Ended::Code(1),
        Err(error) => error.downcast_ref::<I32Exit>().map_or(Ended::Trap, |exit| Ended::Code(exit.0)),
    }
}
