//! WASI 0.2 through the gate, one file a package. The types are wasmtime-wasi's bindings; the behaviour towards the
//! guest is that of wasmtime's own WASI wherever the remit allows the call.

pub mod cli;
pub mod clocks;
pub mod filesystem;
pub mod http;
pub mod io;
pub mod random;
pub mod sockets;
pub(crate) mod values;

use super::link::Link;

/// Links every WASI interface.
///
/// # Errors
/// When a name is defined twice.
pub fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    let exchanging = http::Exchanging::new(link);
    io::link(link, &exchanging)?;
    clocks::link(link)?;
    random::link(link)?;
    cli::link(link)?;
    filesystem::link(link)?;
    sockets::link(link)?;
    http::link(link, &exchanging)
}
