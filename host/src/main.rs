//! The `remit` program: see `remit help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    remit::cli::main()
}
