//! `cargo xtask test`: everything that CI runs, in the order in which a mistake is found soonest.
//!
//! It stops at the first step that fails, and ends with what ran and how long it took.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::guests::{self, TARGET, TARGET_DIR, WORKSPACE};
use crate::shell;

struct Step {
    name: &'static str,
    command: Command,
}

/// Guests whose logic has tests of its own, which run natively.
const TESTED: [&str; 4] = ["--package=brief", "--package=greetings", "--package=tracker", "--package=triage"];

/// Runs all steps up to the first that fails, and says how each went.
pub fn run() -> Result<()> {
    guests::ensure_target()?;
    let mut done = Vec::new();
    let mut failure = None;
    for mut step in steps() {
        shell::heading(step.name);
        eprintln!("$ {}", shell::shown(&step.command));
        let start = Instant::now();
        failure = shell::run(&mut step.command).err();
        done.push((step.name, start.elapsed()));
        if failure.is_some() {
            break;
        }
    }
    eprint!("{}", summary(&done, failure.is_none()));
    failure.map_or(Ok(()), Err)
}

/// Every step. The benchmarks' feature is on, so that they are linted and their harness is tested; none is run.
fn steps() -> Vec<Step> {
    let step = |name, command| Step { name, command };
    let here = ".";
    vec![
        step("format: host", shell::cargo(here, ["fmt", "--all", "--check"])),
        step("format: guests", shell::cargo(WORKSPACE, ["fmt", "--all", "--check"])),
        step("lints: host", lint(here, &["--workspace", "--all-targets", "--features", "xtask/bench"])),
        step("lints: guests", lint(WORKSPACE, &["--workspace", "--target", TARGET, "--target-dir", TARGET_DIR])),
        step("lints: guests' logic", lint(WORKSPACE, &natively(&["--all-targets", "--target-dir", TARGET_DIR]))),
        step("build: guests", guests::build()),
        step("tests: guests' logic", test(WORKSPACE, &natively(&["--target-dir", TARGET_DIR]))),
        step("tests: host", test(here, &["--workspace", "--features", "xtask/bench"])),
    ]
}

/// Returns arguments for the guests that have tests.
fn natively<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&TESTED, args].concat()
}

fn test(dir: &str, args: &[&str]) -> Command {
    let mut command = shell::cargo(dir, ["test", "--locked"]);
    command.args(args);
    command
}

fn lint(dir: &str, args: &[&str]) -> Command {
    let mut command = shell::cargo(dir, ["clippy", "--locked"]);
    command.args(args).args(["--", "-D", "warnings"]);
    command
}

/// Returns a line for each step that ran, the last of them marked by how it all ended.
fn summary(done: &[(&str, Duration)], succeeded: bool) -> String {
    let mut text = String::from("\n== summary\n");
    for (i, (name, took)) in done.iter().enumerate() {
        let mark = if !succeeded && i + 1 == done.len() { "FAILED" } else { "ok" };
        text += &format!("{mark:<6}  {name:<24} {:>7.1} s\n", took.as_secs_f64());
    }
    let total: Duration = done.iter().map(|(_, took)| *took).sum();
    text + &format!("{:<6}  {:<24} {:>7.1} s\n", "", "total", total.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_marks_the_step_that_failed() {
        let done = [("format: host", Duration::from_millis(1500)), ("lints: host", Duration::from_secs(60))];
        let expected = "\n== summary\n\
            ok      format: host                 1.5 s\n\
            FAILED  lints: host                 60.0 s\n        \
            total                       61.5 s\n";
        assert_eq!(summary(&done, false), expected);
        assert!(!summary(&done, true).contains("FAILED"));
    }

    #[test]
    fn every_step_has_a_name_of_its_own() {
        let mut names: Vec<_> = steps().iter().map(|step| step.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), steps().len());
    }
}
