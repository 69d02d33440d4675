//! `cargo xtask bench`: the figures the project holds itself to.
//!
//! Absolute times say more about the machine than about us. So each figure is a ratio of two things measured in turns
//! within one process, given with its spread. **A new benchmark** is a function `fn() -> Result<Vec<Ratio>>` in a file of
//! this folder, and a line in [`BENCHES`]; [`harness`] does the measuring.
//!
//! The benchmarks link the host, and need the feature `bench` of this crate. Without it the command runs itself again,
//! with the feature and in a release build.

#[cfg(feature = "bench")]
mod bare;
#[cfg(feature = "bench")]
mod calls;
#[cfg(feature = "bench")]
mod child;
#[cfg(feature = "bench")]
mod connector;
#[cfg(feature = "bench")]
mod durable;
#[cfg(feature = "bench")]
mod harness;
#[cfg(feature = "bench")]
mod http;
#[cfg(feature = "bench")]
mod journal;
#[cfg(feature = "bench")]
mod scene;
#[cfg(feature = "bench")]
mod start;
#[cfg(feature = "bench")]
mod table;
#[cfg(feature = "bench")]
mod waiting;

use anyhow::Result;

/// What to measure, and what to do with it.
#[derive(clap::Args)]
pub struct Args {
    /// Only benchmarks whose name starts with one of these
    names: Vec<String>,
    /// Fail when a figure misses its target
    #[arg(long)]
    check: bool,
}

/// A benchmark: a name to call it by, and what measures it.
#[cfg(feature = "bench")]
struct Bench {
    name: &'static str,
    run: fn() -> Result<Vec<harness::Ratio>>,
}

/// Every benchmark, in the order in which they run.
#[cfg(feature = "bench")]
const BENCHES: &[Bench] = &[
    Bench { name: "calls/recorded", run: calls::recorded },
    Bench { name: "calls/replayed", run: calls::replayed },
    Bench { name: "calls/memory", run: calls::memory },
    Bench { name: "calls/bytes", run: calls::bytes },
    Bench { name: "permit", run: calls::permit },
    Bench { name: "http/get", run: http::get },
    Bench { name: "connector/call", run: connector::call },
    Bench { name: "connector/bytes", run: connector::bytes },
    Bench { name: "journal/durable", run: journal::durable },
    Bench { name: "journal/bytes-per-entry", run: journal::bytes_per_entry },
    Bench { name: "journal/per-run-cost", run: journal::per_run_cost },
    Bench { name: "durable/step", run: durable::step },
    Bench { name: "durable/resume", run: durable::resume },
    Bench { name: "durable/transcript", run: durable::transcript },
    Bench { name: "waiting/memory", run: waiting::memory },
    Bench { name: "waiting/wake", run: waiting::wake },
    Bench { name: "start/process", run: start::process },
    Bench { name: "start/instance", run: start::instance },
    Bench { name: "start/compiled", run: start::compiled },
];

/// Measures what `args` names, or everything, and prints one table in Markdown.
#[cfg(feature = "bench")]
pub fn run(args: &Args) -> Result<()> {
    if let Some(home) = child::home_to_replay() {
        return child::replay(&home);
    }
    let mut ratios = Vec::new();
    for bench in chosen(&args.names)? {
        eprintln!("measuring {} ...", bench.name);
        ratios.extend((bench.run)()?);
    }
    print!("{}", table::markdown(&ratios));
    let missed: Vec<_> = ratios.iter().filter(|ratio| !ratio.holds()).map(|ratio| ratio.name.as_str()).collect();
    anyhow::ensure!(!args.check || missed.is_empty(), "missed its target: {}", missed.join(", "));
    Ok(())
}

#[cfg(feature = "bench")]
fn chosen(names: &[String]) -> Result<Vec<&'static Bench>> {
    if let Some(name) = names.iter().find(|name| !BENCHES.iter().any(|bench| bench.name.starts_with(name.as_str()))) {
        let known: Vec<_> = BENCHES.iter().map(|bench| bench.name).collect();
        anyhow::bail!("no benchmark's name starts with {name}: there are {}", known.join(", "));
    }
    let is_chosen = |bench: &&Bench| names.is_empty() || names.iter().any(|name| bench.name.starts_with(name.as_str()));
    Ok(BENCHES.iter().filter(is_chosen).collect())
}

/// Runs this command again as a release build that holds the benchmarks, and ends as that does: it has said why.
#[cfg(not(feature = "bench"))]
pub fn run(args: &Args) -> Result<()> {
    let again = ["run", "--quiet", "--locked", "--release", "--package", "xtask", "--features", "bench", "--", "bench"];
    let mut command = crate::shell::cargo(".", again);
    if args.check {
        command.arg("--check");
    }
    let status = command.arg("--").args(&args.names).status()?;
    if !status.success() {
        std::process::exit(status.code().unwrap_or(1));
    }
    Ok(())
}

#[cfg(all(test, feature = "bench"))]
mod tests {
    use super::*;

    #[test]
    fn benchmarks_are_chosen_by_the_start_of_their_name() {
        let count = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
            chosen(&names).map(|benches| benches.len())
        };
        assert_eq!(count(&[]).unwrap(), BENCHES.len());
        assert_eq!(count(&["journal/durable", "journal/d"]).unwrap(), 1);
        assert!(count(&["jurnal"]).unwrap_err().to_string().starts_with("no benchmark's name starts with jurnal"));
    }
}
