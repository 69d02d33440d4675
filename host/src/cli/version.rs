//! What `remit --version` says: this host and what it speaks.

use crate::capability::WIT_VERSION;
use crate::engine::WASMTIME_VERSION;
use crate::journal::FORMAT;

/// The version line, in which a program finds each part by its word.
pub(super) static TEXT: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
    let host = env!("CARGO_PKG_VERSION");
    format!("{host} (wit remit:plugin {WIT_VERSION}, journal format {FORMAT}, wasmtime {WASMTIME_VERSION})")
});
