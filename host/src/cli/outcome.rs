//! Saying how a run ended: to people, to programs, and as an exit code.

use serde_json::{Value as Json, json};

use super::exit::Exit;
use super::report::{Result, note};
use super::session::Session;
use crate::gate::{End, Outcome};
use crate::id::RunId;
use crate::journal::Kind;
use crate::meter::quantity;

/// Returns the exit code of `run` for an outcome.
pub fn exit_of(outcome: &Outcome) -> Exit {
    match outcome {
        Outcome::Succeeded { .. } => Exit::Ok,
        Outcome::Failed { .. } => Exit::AgentFailed,
        Outcome::Exited { code } => Exit::of_command(*code),
        Outcome::Trapped { .. } => Exit::Crashed,
        Outcome::Limit { .. } => Exit::Limit,
        Outcome::Interrupted { .. } => Exit::Interrupted,
        Outcome::HostFailed { .. } => Exit::HostFailed,
    }
}

/// Returns how a run ended, for programs.
pub fn json(id: RunId, end: &End) -> Json {
    let mut report = serde_json::to_value(end).unwrap_or_default();
    report["run"] = json!(id);
    if let Outcome::Succeeded { result: Some(result) } = &end.outcome {
        report["result"] = serde_json::from_str(result).unwrap_or_else(|_| json!(result));
    }
    report
}

/// Returns one sentence on how a run ended.
pub fn sentence(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Succeeded { .. } => "succeeded".into(),
        Outcome::Failed { failure } => format!("failed ({}): {}", failure.kind, failure.message),
        Outcome::Exited { code } => format!("exited with code {code}"),
        Outcome::Trapped { message, .. } => format!("crashed: {message}"),
        Outcome::Limit { crossed } => format!("ended: {crossed}"),
        Outcome::Interrupted { .. } => "interrupted".into(),
        Outcome::HostFailed { message } => format!("ended because the host failed: {message}"),
    }
}

/// Returns what to try after an outcome, where there is something.
fn hint(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Limit { crossed } if crossed.max < crossed.limit.most() => {
            Some(format!("for one run, --limit {}=VALUE; for all, {}", crossed.limit.key(), crossed.how_to_raise()))
        }
        Outcome::Limit { crossed } => Some(crossed.how_to_raise()),
        Outcome::Trapped { .. } => Some("`remit show last --calls` lists what it did before".into()),
        _ => None,
    }
}

/// Tells people how a run ended, what it used, and what it was refused.
pub fn tell(session: &Session, id: RunId, end: &End) -> Result<()> {
    note(format!("{} with {}", sentence(&end.outcome), quantity::fuel(end.fuel)));
    if let Outcome::Trapped { backtrace: Some(backtrace), .. } = &end.outcome {
        note(format!("guest backtrace:\n{backtrace}"));
    }
    let tally = if end.usage.calls == 0 { Tally::default() } else { Tally::of(session, id)? };
    for (function, count) in &tally.calls {
        note(format!("  {count:>8}  {function}"));
    }
    for denial in &tally.denials {
        note(format!("refused: {denial}"));
    }
    if let Some(hint) = hint(&end.outcome) {
        note(format!("hint: {hint}"));
    }
    note("next: `remit replay last` runs it again from the record, `remit show last --calls` lists it");
    Ok(())
}

/// How often a run called what, and what it was refused.
#[derive(Default)]
pub struct Tally {
    /// Functions with their counts, most called first.
    pub calls: Vec<(String, u64)>,
    /// Each refusal once, with the grant that would allow it.
    pub denials: Vec<String>,
}

/// The most kinds of calls and refusals that are listed.
const LISTED_MAX: usize = 12;

impl Tally {
    /// Counts a run's entries.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn of(session: &Session, id: RunId) -> Result<Self> {
        let mut counts = std::collections::BTreeMap::<String, u64>::new();
        let mut denials = Vec::new();
        let mut reader = session.journal().reader(id)?;
        while let Some(entry) = reader.next()? {
            let Some(function) = entry.function() else { continue };
            if entry.kind() != Kind::Intent {
                match counts.get_mut(&*function.name) {
                    Some(count) => *count += 1,
                    None => drop(counts.insert(function.name.to_string(), 1)),
                }
            }
            if let Some(denial) = entry.extension()?.denial {
                let denial = denied(&function.name, &denial);
                if denials.len() < LISTED_MAX && !denials.contains(&denial) {
                    denials.push(denial);
                }
            }
        }
        let mut calls: Vec<_> = counts.into_iter().collect();
        calls.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        calls.truncate(LISTED_MAX);
        Ok(Self { calls, denials })
    }
}

/// Says what was refused and which grant would allow it.
fn denied(function: &str, denial: &str) -> String {
    let Ok(refusal) = serde_json::from_str::<crate::gate::Refusal>(denial) else {
        return format!("{function}: {denial}");
    };
    match refusal.grant {
        Some(grant) => format!(
            "{function}: {}; a grant that allows it:\n    {}",
            refusal.rule,
            grant.trim().replace('\n', "\n    ")
        ),
        None => format!("{function}: {}", refusal.rule),
    }
}
