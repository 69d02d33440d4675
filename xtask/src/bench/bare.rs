//! The other side of the ratios: the same guests on wasmtime alone, with the engine of the host and nothing recorded.

use std::time::Instant;

use anyhow::{Result, anyhow};
use tokio::runtime::Runtime;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker, ResourceTable, ResourceType, TypedFunc};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::p2::bindings::sync::io::streams::Error as IoError;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use remit::engine::FUEL_SLICE;

use super::scene::ANSWER;

/// What a bare store holds.
struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// A command on wasmtime's own WASI, with the interface of the guest `bench`.
pub struct Command(CommandPre<State>);

impl Command {
    pub fn new(engine: &Engine, bytes: &[u8]) -> Result<Self> {
        linked(engine, bytes).map(Self).map_err(told)
    }

    /// Runs the command and returns the seconds that it took.
    pub fn run(&self, runtime: &Runtime, arguments: &[&str]) -> Result<f64> {
        let wasi = WasiCtx::builder().arg("bench").args(arguments).build();
        let start = Instant::now();
        let mut store = store(self.0.engine(), State { wasi, table: ResourceTable::new() }).map_err(told)?;
        let ended = runtime.block_on(async {
            let command = self.0.instantiate_async(&mut store).await?;
            command.wasi_cli_run().call_run(&mut store).await
        });
        ended.map_err(told)?.map_err(|()| anyhow!("{arguments:?} failed"))?;
        Ok(start.elapsed().as_secs_f64())
    }
}

fn linked(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<CommandPre<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    let mut calls = linker.instance("bench:host/calls@1.0.0")?;
    calls.func_wrap("nothing", |_, (): ()| Ok((ANSWER,)))?;
    calls.func_wrap("permitted", |_, (): ()| Ok((ANSWER,)))?;
    calls.func_wrap("echo", |_, bytes: (Vec<u8>,)| Ok(bytes))?;
    CommandPre::new(linker.instantiate_pre(&Component::new(engine, bytes)?)?)
}

/// A command that calls a second component through a host function, with Rust types on both sides.
pub struct Pair {
    caller: CommandPre<Joined>,
    callee: InstancePre<State>,
    interface: String,
}

/// What a bare store holds beside a second store.
struct Joined {
    own: State,
    callee: Store<State>,
    join: TypedFunc<(String, u32), (String,)>,
}

impl WasiView for Joined {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.own.ctx()
    }
}

impl Pair {
    pub fn new(engine: &Engine, caller: &[u8], callee: &[u8], interface: &str) -> Result<Self> {
        paired(engine, caller, callee, interface).map_err(told)
    }

    /// Runs the caller and returns the seconds that it took.
    pub fn run(&self, runtime: &Runtime, arguments: &[&str]) -> Result<f64> {
        let start = Instant::now();
        let ended = runtime.block_on(async {
            let state = || State { wasi: WasiCtx::builder().build(), table: ResourceTable::new() };
            let mut callee = store(self.caller.engine(), state())?;
            let instance = self.callee.instantiate_async(&mut callee).await?;
            let interface = instance.get_export_index(&mut callee, None, &self.interface);
            let join = instance.get_export_index(&mut callee, interface.as_ref(), "join");
            let join = join.ok_or_else(|| wasmtime::format_err!("the connector exports no join"))?;
            let join = instance.get_typed_func(&mut callee, join)?;
            let wasi = WasiCtx::builder().arg("bench").args(arguments).build();
            let own = State { wasi, table: ResourceTable::new() };
            let mut store = store(self.caller.engine(), Joined { own, callee, join })?;
            let command = self.caller.instantiate_async(&mut store).await?;
            command.wasi_cli_run().call_run(&mut store).await
        });
        ended.map_err(told)?.map_err(|()| anyhow!("{arguments:?} failed"))?;
        Ok(start.elapsed().as_secs_f64())
    }
}

fn paired(engine: &Engine, caller: &[u8], callee: &[u8], interface: &str) -> wasmtime::Result<Pair> {
    let (caller, callee) = (Component::new(engine, caller)?, Component::new(engine, callee)?);
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    stub(&mut linker, &callee)?;
    let callee = linker.instantiate_pre(&callee)?;
    let mut linker = Linker::<Joined>::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    stub(&mut linker, &caller)?;
    linker.allow_shadowing(true);
    linker.instance(interface)?.func_wrap_async(
        "join",
        |mut store: StoreContextMut<'_, Joined>, params: (String, u32)| {
            Box::new(async move {
                let Joined { callee, join, .. } = store.data_mut();
                join.call_async(callee, params).await
            })
        },
    )?;
    let caller = CommandPre::new(linker.instantiate_pre(&caller)?)?;
    Ok(Pair { caller, callee, interface: interface.to_owned() })
}

/// Defines what a component imports besides wasmtime's own WASI: of Remit, of other plugins, and HTTP. Nobody answers.
fn stub<T: 'static>(linker: &mut Linker<T>, component: &Component) -> wasmtime::Result<()> {
    let (engine, ty) = (component.engine(), component.component_type());
    let is_defined = |name: &str| name.starts_with("wasi:") && !name.starts_with("wasi:http/");
    for (name, import) in ty.imports(engine).filter(|(name, _)| !is_defined(name)) {
        let ComponentItem::ComponentInstance(interface) = import.ty else { continue };
        let mut instance = linker.instance(name)?;
        for (export, item) in interface.exports(engine) {
            match item.ty {
                ComponentItem::ComponentFunc(_) => {
                    instance.func_new(export, |_, _, _, _| Err(wasmtime::format_err!("nobody answers here")))?;
                }
                ComponentItem::Resource(_) => instance.resource(export, resource(export), |_, _| Ok(()))?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// Returns the type of a resource: WASI's, where an interface uses it under that name.
fn resource(name: &str) -> ResourceType {
    match name {
        "input-stream" => ResourceType::host::<DynInputStream>(),
        "output-stream" => ResourceType::host::<DynOutputStream>(),
        "pollable" => ResourceType::host::<DynPollable>(),
        "io-error" => ResourceType::host::<IoError>(),
        _ => ResourceType::host::<()>(),
    }
}

/// A component whose imports all trap, to be instantiated in empty stores.
pub struct Hollow(InstancePre<()>);

impl Hollow {
    pub fn new(engine: &Engine, bytes: &[u8]) -> Result<Self> {
        let hollow = || {
            let component = Component::new(engine, bytes)?;
            let mut linker = Linker::new(engine);
            linker.define_unknown_imports_as_traps(&component)?;
            linker.instantiate_pre(&component)
        };
        hollow().map(Self).map_err(told)
    }

    /// Instantiates in a new store, `count` times, and returns the seconds that it took.
    pub fn instantiate(&self, runtime: &Runtime, count: usize) -> Result<f64> {
        let start = Instant::now();
        let done = runtime.block_on(async {
            for _ in 0..count {
                self.0.instantiate_async(&mut store(self.0.engine(), ())?).await?;
            }
            wasmtime::Result::Ok(())
        });
        done.map_err(told)?;
        Ok(start.elapsed().as_secs_f64())
    }
}

/// Makes a store that counts fuel as the host's do.
fn store<T>(engine: &Engine, state: T) -> wasmtime::Result<Store<T>> {
    let mut store = Store::new(engine, state);
    store.set_fuel(u64::MAX)?;
    store.fuel_async_yield_interval(Some(FUEL_SLICE))?;
    Ok(store)
}

fn told(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:#}")
}
