//! Types of the `remit:plugin` interfaces, generated from `wit/`. The linking is our own: see `link`.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "remit:plugin/agent",
    require_store_data_send: true,
});

pub use self::remit::plugin::{approval, config, kv, log, model, signal, timer, tools, types};
