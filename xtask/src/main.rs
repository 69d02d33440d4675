//! The project's chores: `cargo xtask demo`, `issues`, `test`, `guests` and `bench`.
//!
//! Each command is one file of its name. They need nothing but rustup and a C compiler, and leave everything they
//! make in `target/` and in the temporary folder.

mod bench;
mod demo;
mod guests;
mod issues;
mod shell;
mod test;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// The project's chores.
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
enum Command {
    /// Runs the agent `brief` on a folder of Markdown, then replays the run
    Demo {
        /// The folder to look at [default: this repository]
        folder: Option<PathBuf>,
    },
    /// Serves issues on loopback to who has the token, for `examples/fetch`
    Issues {
        /// The port, 0 for any that is free
        #[arg(long, default_value_t = 7878)]
        port: u16,
        /// The token
        #[arg(long, default_value = "example-token")]
        token: String,
    },
    /// Runs everything that CI runs: format, lints, guests, tests
    Test,
    /// Builds the guests (plugins, examples, the tests' own) for wasm32-wasip2
    Guests,
    /// Measures the figures the project holds itself to, in a release build
    Bench(bench::Args),
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Demo { folder } => demo::run(folder),
        Command::Issues { port, token } => issues::run(port, &token),
        Command::Test => test::run(),
        Command::Guests => guests::run(),
        Command::Bench(args) => bench::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
