//! `wasi:io`: every function, on whatever stream the caller has.

use wasip2::{
    filesystem::types::filesystem_error_code,
    io::{
        poll::{self, Pollable},
        streams::{InputStream, OutputStream, StreamError},
    },
};

use crate::say::{answered, done};

/// Calls every method of an input stream.
pub fn read(of: &str, input: &InputStream) {
    let name = |method: &str| format!("wasi:io/streams#[method]input-stream.{method} ({of})");
    let pollable = done(&name("subscribe"), input.subscribe());
    wait(&pollable);
    said(&name("read"), input.read(4));
    said(&name("blocking-read"), input.blocking_read(4));
    said(&name("skip"), input.skip(2));
    said(&name("blocking-skip"), input.blocking_skip(2));
}

/// Calls every method of an output stream. `source` is what it splices from.
pub fn write(of: &str, output: &OutputStream, source: &InputStream) {
    let name = |method: &str| format!("wasi:io/streams#[method]output-stream.{method} ({of})");
    let pollable = done(&name("subscribe"), output.subscribe());
    wait(&pollable);
    if said(&name("check-write"), output.check_write()).is_some() {
        said(&name("write"), output.write(b"0123456789abcdef"));
    }
    said(&name("flush"), output.flush());
    said(&name("blocking-flush"), output.blocking_flush());
    said(&name("blocking-write-and-flush"), output.blocking_write_and_flush(b"x"));
    if said(&name("check-write"), output.check_write()).is_some() {
        said(&name("write-zeroes"), output.write_zeroes(4));
    }
    said(&name("blocking-write-zeroes-and-flush"), output.blocking_write_zeroes_and_flush(4));
    if said(&name("check-write"), output.check_write()).is_some() {
        said(&name("splice"), output.splice(source, 4));
    }
    said(&name("blocking-splice"), output.blocking_splice(source, 4));
    said(&name("blocking-flush"), output.blocking_flush());
}

/// Calls every function on a pollable that becomes ready.
pub fn wait(pollable: &Pollable) {
    pollable.block();
    done("wasi:io/poll#[method]pollable.block", ());
    done("wasi:io/poll#[method]pollable.ready", pollable.ready());
    done("wasi:io/poll#poll", poll::poll(&[pollable]));
}

/// Says how a stream answered. An operation that failed brings an error to ask.
pub fn said<T>(function: &str, answer: Result<T, StreamError>) -> Option<T> {
    if let Err(StreamError::LastOperationFailed(error)) = &answer {
        done("wasi:io/error#[method]error.to-debug-string", error.to_debug_string());
        let code = filesystem_error_code(error).map_or("none", |code| code.name());
        println!("wasi:filesystem/types#filesystem-error-code: ok {code}");
    }
    answered(function, answer)
}
