//! The command line as a whole: what parses, how it ends, and what help says.

use std::ffi::OsString;

use clap::{CommandFactory as _, Parser as _};

use super::{Command, CommandLine, exit_of};
use crate::cli::exit::Exit;

fn parse(line: &str) -> Result<Command, clap::Error> {
    CommandLine::try_parse_from(words(line)).map(|line| line.command)
}

fn words(line: &str) -> Vec<OsString> {
    std::iter::once("remit").chain(line.split(' ')).map(OsString::from).collect()
}

#[test]
fn the_definition_holds_together() {
    CommandLine::command().debug_assert();
}

#[test]
fn every_command_has_help_with_an_example() {
    fn check(command: &mut clap::Command) {
        let subcommands: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
        for name in subcommands.iter().filter(|name| !matches!(name.as_str(), "help" | "exit-codes")) {
            let sub = command.find_subcommand_mut(name).unwrap();
            if sub.has_subcommands() {
                check(sub);
            } else {
                let help = sub.render_long_help().to_string();
                assert!(help.contains("Example") && sub.get_about().is_some(), "{name}: {help}");
            }
        }
    }
    check(&mut CommandLine::command());
}

#[test]
fn a_run_takes_all_it_needs() {
    let line = "run tool.wasm --mount .=a=b:c:rw --mount /x=y --limit memory=1MiB --label a=b --input -3 --no-wait -- -v --json";
    let Ok(Command::Run(run)) = parse(line) else { panic!("not a run") };
    assert_eq!(run.arguments, ["-v", "--json"]);
    assert_eq!((run.mounts.len(), run.limits.len(), run.labels.len(), run.json), (2, 1, 1, false));
    assert!(parse("run x --allow-requested --grant g.toml").is_err());
    assert!(parse("run x stray").is_err());
}

#[test]
fn wrong_usage_has_its_own_exit_code() {
    for line in ["", "fly", "show zz", "run", "run x --mount y", "rm", "new agent", "--home", "identity --key", "new"] {
        assert_eq!(exit_of(&parse(line).unwrap_err()), Exit::Usage, "{line}");
    }
    assert_eq!(exit_of(&CommandLine::try_parse_from(["remit"]).unwrap_err()), Exit::Usage);
    for line in ["--help", "--version", "help", "help run", "run --help", "help exit-codes"] {
        assert_eq!(exit_of(&parse(line).unwrap_err()), Exit::Ok, "{line}");
    }
}

#[test]
fn help_knows_the_exit_codes() {
    let help = parse("help exit-codes").unwrap_err().to_string();
    assert!(help.contains("245  the replay differs from the record"), "{help}");
}
