//! `remit runs`: the runs of this home, newest first.

use serde_json::json;

use super::Shell;
use super::args;
use super::exit::Exit;
use super::outcome::sentence;
use super::report::{Result, note, print, print_json};
use super::session::Session;
use super::table::table;
use crate::agent::state_of;
use crate::gate::{End, LastState};
use crate::journal::Summary;
use crate::lifecycle::{State, Transition};
use crate::meter::quantity;

/// Lists the runs.
pub fn runs(shell: &Shell, args: &args::Runs) -> Result {
    let session = Session::open(shell, "remit runs")?;
    let mut runs = session.journal().runs()?;
    runs.reverse();
    let hidden = runs.len().saturating_sub(args.limit);
    runs.truncate(args.limit);
    if args.json {
        print_json(&runs.iter().map(json).collect::<Vec<_>>())?;
        return Ok(Exit::Ok);
    }
    if runs.is_empty() {
        note("no runs yet: start one with `remit run PLUGIN`");
        return Ok(Exit::Ok);
    }
    print(table(&["run", "accepted (UTC)", "plugin", "state", "calls", "fuel"], runs.iter().map(row)))?;
    if hidden > 0 {
        note(format!("{hidden} older runs are not shown: --limit N"));
    }
    Ok(Exit::Ok)
}

/// Returns how a run ended or is parked, where it has or is.
pub fn end_of(summary: &Summary) -> Option<End> {
    End::read(summary.state.as_deref()?)
}

/// Returns the last change of a run that is neither its end nor its parking.
pub fn change_of(summary: &Summary) -> Option<Transition> {
    match LastState::read(summary.state.as_deref()?).ok()? {
        LastState::Changed(transition) => Some(transition),
        LastState::Stopped(_) => None,
    }
}

/// Tells whether a run has ended, so that nothing of its plugin is needed to go on with it.
pub fn is_over(summary: &Summary) -> bool {
    end_of(summary).is_some_and(|end| end.outcome.state().is_end())
}

/// Returns the name of the state that a run is in, and how it ended for one that has.
fn state(summary: &Summary) -> &'static str {
    match (state_of(summary), end_of(summary)) {
        (State::Running, _) | (_, None) => state_of(summary).name(),
        (_, Some(end)) => end.outcome.name(),
    }
}

fn row(summary: &Summary) -> Vec<String> {
    vec![
        summary.id.to_string(),
        summary.header.accepted.to_string(),
        summary.header.plugin.name.clone(),
        state(summary).to_owned(),
        quantity::count(summary.entries),
        quantity::fuel(summary.fuel),
    ]
}

/// Returns a run for programs.
pub fn json(summary: &Summary) -> serde_json::Value {
    json!({
        "run": summary.id,
        "header": summary.header,
        "state": state(summary),
        "end": end_of(summary).map(|end| super::outcome::json(summary.id, &end)).map(|end| sentenced(end, summary)),
        "entries": summary.entries,
        "fuel": summary.fuel,
        "bytes": summary.bytes,
    })
}

fn sentenced(mut end: serde_json::Value, summary: &Summary) -> serde_json::Value {
    end["message"] = json!(end_of(summary).map(|end| sentence(&end.outcome)));
    end
}
