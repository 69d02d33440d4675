//! From the operating system's errors to WASI's error codes.
//!
//! The table is wasmtime-wasi's own, so that a guest hears here what it would hear there. Only where that table
//! has nothing better than `io` is a finer code chosen.

use std::io::{Error, ErrorKind};

use wasmtime_wasi::p2::bindings::filesystem::types as wasmtime_types;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::ErrorCode;

/// Returns the WASI error code for an error of the operating system.
///
/// A path that leaves its directory (`..`, an absolute path, a symbolic link) arrives here as "permission denied"
/// from cap-std and becomes `not-permitted`.
pub fn code(error: &Error) -> ErrorCode {
    match wasmtime_types::ErrorCode::from(error).into() {
        ErrorCode::Io => finer(error.kind()),
        known => known,
    }
}

fn finer(kind: ErrorKind) -> ErrorCode {
    match kind {
        ErrorKind::CrossesDevices => ErrorCode::CrossDevice,
        ErrorKind::ReadOnlyFilesystem => ErrorCode::ReadOnly,
        ErrorKind::QuotaExceeded => ErrorCode::Quota,
        ErrorKind::ExecutableFileBusy => ErrorCode::TextFileBusy,
        ErrorKind::Deadlock => ErrorCode::Deadlock,
        ErrorKind::WouldBlock => ErrorCode::WouldBlock,
        _ => ErrorCode::Io,
    }
}
