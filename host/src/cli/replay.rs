//! `remit replay`: run a recorded run again from its record, and say where it differs.

use serde_json::json;

use super::Shell;
use super::args;
use super::caller;
use super::exit::Exit;
use super::outcome::sentence;
use super::records::Place;
use super::report::{Failure, OrFail as _, Result, note, plain, print_json};
use crate::agent::{Replayed, Stop, Verdict, recall};
use crate::digest::Content;
use crate::gate::FuelRule;
use crate::id::RunId;
use crate::meter::quantity;

/// Replays the run and returns how the process ends.
pub fn replay(shell: &Shell, args: &args::Replay) -> Result {
    let (session, run) = Place::with_host(shell, "remit replay", &args.run)?;
    let recalled = recall(session.journal(), run)?;
    let component = match &args.with {
        Some(path) => std::fs::read(caller::path(path))
            .or_fail(Exit::Usage, format!("cannot read component {}", path.display()))?,
        None => session.blob(recalled.header.component)?,
    };
    let what = args.with.as_ref().map_or_else(|| format!("component of run {run}"), |path| path.display().to_string());
    let component = Content::of(component);
    let agent = session.agent(&component, &what)?;
    let rule = recalled.fuel_rule(component.digest(), session.host()?.engine().fingerprint());
    let stop = Stop::default();
    let replayed = session.block_on(&stop, recalled.replay(&agent, rule, session.journal(), &stop))??;
    if args.json {
        print_json(&report(run, rule, &replayed))?;
    } else {
        tell(run, rule, &replayed)?;
    }
    match replayed.verdict {
        Verdict::Matched | Verdict::Unfinished => Ok(Exit::Ok),
        Verdict::Stopped => Ok(Exit::Interrupted),
        Verdict::Diverged(divergence) if args.json => {
            drop(divergence);
            Ok(Exit::Diverged)
        }
        Verdict::Diverged(divergence) => Err(Failure::new(Exit::Diverged, divergence)
            .hint("the record is right about what happened; the guest, its component or the host is another one")),
    }
}

fn report(run: RunId, rule: FuelRule, replayed: &Replayed) -> serde_json::Value {
    let (verdict, divergence) = match &replayed.verdict {
        Verdict::Matched => ("matched", None),
        Verdict::Unfinished => ("unfinished", None),
        Verdict::Stopped => ("stopped", None),
        Verdict::Diverged(divergence) => ("diverged", Some(divergence)),
    };
    json!({
        "run": run,
        "verdict": verdict,
        "entries": replayed.entries,
        "fuel": replayed.end.fuel,
        "fuel-compared": rule == FuelRule::Compared,
        "fuel-differences": replayed.fuel_differences,
        "divergence": divergence,
    })
}

fn tell(run: RunId, rule: FuelRule, replayed: &Replayed) -> Result<()> {
    let fuel = match rule {
        FuelRule::Compared => "fuel for fuel".to_owned(),
        FuelRule::Reported => format!(
            "fuel not compared, because component or engine is another one ({} of the entries differ)",
            replayed.fuel_differences
        ),
    };
    let entries = quantity::count(replayed.entries);
    match &replayed.verdict {
        Verdict::Matched => {
            super::report::print(format!("replay of {run} matched: {entries} calls, entry for entry and {fuel}\n"))?;
            note(format!("it {}", plain(&sentence(&replayed.end.outcome))));
        }
        Verdict::Unfinished => super::report::print(format!(
            "replay of {run} matched its {entries} recorded calls, {fuel}; the record has no end, because its host was killed\n"
        ))?,
        Verdict::Stopped => note("replay stopped"),
        Verdict::Diverged(_) => {}
    }
    Ok(())
}
