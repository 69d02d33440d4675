//! `wasi:cli`, apart from `exit`, which comes last.

use wasip2::cli::{
    environment, stderr, stdin, stdout, terminal_input::TerminalInput, terminal_output::TerminalOutput,
    terminal_stderr, terminal_stdin, terminal_stdout,
};

use crate::{
    say::{answered, done},
    streams,
};

pub fn sweep() {
    done("wasi:cli/environment#get-environment", environment::get_environment());
    done("wasi:cli/environment#get-arguments", environment::get_arguments());
    done("wasi:cli/environment#initial-cwd", environment::initial_cwd());
    drop::<Option<TerminalInput>>(done(
        "wasi:cli/terminal-stdin#get-terminal-stdin",
        terminal_stdin::get_terminal_stdin(),
    ));
    let get_stdout = terminal_stdout::get_terminal_stdout;
    drop::<Option<TerminalOutput>>(done("wasi:cli/terminal-stdout#get-terminal-stdout", get_stdout()));
    let get_stderr = terminal_stderr::get_terminal_stderr;
    drop::<Option<TerminalOutput>>(done("wasi:cli/terminal-stderr#get-terminal-stderr", get_stderr()));

    let input = done("wasi:cli/stdin#get-stdin", stdin::get_stdin());
    streams::read("stdin", &input);
    let output = done("wasi:cli/stdout#get-stdout", stdout::get_stdout());
    answered("wasi:io/streams#[method]output-stream.check-write (stdout)", output.check_write());
    answered(
        "wasi:io/streams#[method]output-stream.blocking-write-and-flush (stdout)",
        output.blocking_write_and_flush(b"written to stdout\n"),
    );
    let errors = done("wasi:cli/stderr#get-stderr", stderr::get_stderr());
    streams::write("stderr", &errors, &input);
}
