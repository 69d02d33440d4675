//! `remit completions SHELL`.

use clap::CommandFactory;

use super::args::Completions;
use super::exit::Exit;
use super::report::{self, Result};

pub(super) fn completions<C: CommandFactory>(args: &Completions) -> Result {
    // Into memory first: the generator panics when its output cannot be written.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut C::command(), "remit", &mut script);
    report::print_bytes(&script)?;
    Ok(Exit::Ok)
}
