//! Saying how a run ended: to people, to programs, and as an exit code.

use serde_json::{Value as Json, json};

use super::exit::Exit;
use super::find;
use super::report::{Result, note};
use super::sections;
use super::session::{Records, Session};
use crate::gate::{End, Outcome};
use crate::id::RunId;
use crate::journal::{Extension, Journal, Kind};
use crate::lifecycle::Wait;
use crate::meter::quantity;

/// Returns the exit code of `run` for an outcome.
pub fn exit_of(outcome: &Outcome) -> Exit {
    match outcome {
        Outcome::Succeeded { .. } => Exit::Ok,
        Outcome::Failed { .. } => Exit::AgentFailed,
        Outcome::Exited { code } => Exit::of_command(*code),
        Outcome::Trapped { .. } => Exit::Crashed,
        Outcome::Limit { .. } => Exit::Limit,
        Outcome::ConnectorFailed { .. } => Exit::ConnectorFailed,
        Outcome::Interrupted { .. } | Outcome::Suspended { .. } | Outcome::Cancelled { .. } => Exit::Interrupted,
        Outcome::Waiting { .. } => Exit::Waiting,
        Outcome::Paused { .. } | Outcome::InDoubt { .. } => Exit::Parked,
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
    outcome.sentence()
}

/// Returns what to try after an outcome, where there is something.
fn hint(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Limit { crossed } if crossed.max < crossed.limit.most() => {
            Some(format!("for one run, --limit {}=VALUE; for all, {}", crossed.limit.key(), crossed.how_to_raise()))
        }
        Outcome::Limit { crossed } => Some(crossed.how_to_raise()),
        Outcome::ConnectorFailed { failed, .. } => {
            failed.run.map(|run| format!("`remit show {run} --calls` lists what the connector did before"))
        }
        Outcome::Trapped { .. } => Some("`remit show last --calls` lists what it did before".into()),
        _ => None,
    }
}

/// Tells people how a run ended, what it used, and what it was refused.
pub fn tell(session: &Session, id: RunId, end: &End) -> Result<()> {
    note(format!("{} with {}", sentence(&end.outcome), quantity::fuel(end.fuel)));
    if let Some(tokens) = end.usage.tokens() {
        note(format!("models: {tokens}"));
    }
    if !end.called.is_nothing() {
        note(format!("its connectors used {}", end.called));
        note("  `remit runs` lists their runs, and `remit show RUN` says what one was refused");
    }
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
    for failure in &tally.failures {
        note(format!("no answer: {failure}"));
    }
    if let Some(hint) = hint(&end.outcome) {
        note(format!("hint: {hint}"));
    }
    note(next(id, &end.outcome));
    Ok(())
}

/// Returns what can be done with a run that stands so.
fn next(id: RunId, outcome: &Outcome) -> String {
    let said = match outcome {
        Outcome::Waiting { wait: Wait::Time { .. } } => {
            return format!("next: `remit resume {id}` goes on with it from then on");
        }
        Outcome::Waiting { wait: Wait::Approval { proposal, .. } } => {
            let proposal = proposal.short();
            return format!(
                "next: `remit approvals` shows what it asks, `remit approve {proposal}` or `remit deny {proposal} --why TEXT` \
                 decides, then `remit resume {id}` goes on with it"
            );
        }
        Outcome::Waiting { wait: Wait::Signal { name, .. } } => {
            return format!("next: `remit signal {id} {name} JSON`, then `remit resume {id}` goes on with it");
        }
        Outcome::Suspended { .. } => "next: `remit resume last` goes on with it, `remit show last --calls` lists it",
        Outcome::Paused { .. } => "next: see to that, then `remit resume last` goes on with it",
        Outcome::InDoubt { .. } => {
            "next: look at the other side, then `remit decide last ENTRY --done VALUE`, `--retry` or `--fail`; `remit show last` says more"
        }
        _ => "next: `remit replay last` runs it again from the record, `remit show last --calls` lists it",
    };
    said.to_owned()
}

/// How often a run called what, and what it was refused.
#[derive(Default)]
pub struct Tally {
    /// Functions with their counts, most called first.
    pub calls: Vec<(String, u64)>,
    /// Each refusal once, with the grant that would allow it.
    pub denials: Vec<String>,
    /// Once each, why there was no answer.
    pub failures: Vec<String>,
}

/// The most kinds of calls, refusals and failures that are listed.
const LISTED_MAX: usize = 12;

impl Tally {
    /// Counts a run's entries.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn of(records: &Records, id: RunId) -> Result<Self> {
        let mut counts = std::collections::BTreeMap::<String, u64>::new();
        let (mut denials, mut failures) = (Vec::new(), Vec::new());
        let mut grantee = None;
        let mut reader = records.journal().reader(id)?;
        while let Some(entry) = reader.next()? {
            let Some(function) = entry.function() else { continue };
            if entry.kind() != Kind::Intent {
                match counts.get_mut(&*function.name) {
                    Some(count) => *count += 1,
                    None => drop(counts.insert(function.name.to_string(), 1)),
                }
            }
            let extension = entry.extension()?;
            let failure = failed(&extension);
            failures.extend(failure.filter(|failure| failures.len() < LISTED_MAX && !failures.contains(failure)));
            if let Some(denial) = extension.denial {
                let grantee = match &mut grantee {
                    Some(grantee) => grantee,
                    none => none.insert(Grantee::of(records.journal(), id)?),
                };
                let denial = grantee.denied(&function.name, &denial);
                if denials.len() < LISTED_MAX && !denials.contains(&denial) {
                    denials.push(denial);
                }
            }
        }
        let mut calls: Vec<_> = counts.into_iter().collect();
        calls.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        calls.truncate(LISTED_MAX);
        Ok(Self { calls, denials, failures })
    }
}

/// Who would have to be granted what was refused.
struct Grantee {
    /// What to type for it.
    typed: String,
    /// Whether it is a component without a manifest, whose folders come from the command line.
    is_bare: bool,
}

impl Grantee {
    fn of(journal: &Journal, id: RunId) -> Result<Self> {
        let header = journal.header(id)?;
        let is_bare = header.plugin.identity.starts_with("file:");
        Ok(Self { typed: find::typed(journal, &header)?, is_bare })
    }

    /// Says what was refused and which grant would allow it, to be kept.
    fn denied(&self, function: &str, denial: &str) -> String {
        let Ok(refusal) = serde_json::from_str::<crate::gate::Refusal>(denial) else {
            return format!("{function}: {denial}");
        };
        if refusal.is_unrequested {
            let (rule, file) = (refusal.rule, crate::manifest::FILE_NAME);
            return format!("{function}: {rule}; {file} does not request it, so that no grant alone allows it");
        }
        let Some(grant) = refusal.grant else { return format!("{function}: {}", refusal.rule) };
        if self.is_bare && grant.contains("[capabilities.files.") {
            return format!(
                "{function}: {}; to allow it, mount the folder with :rw, as in --mount data=DIR:rw",
                refusal.rule
            );
        }
        let shown = grant.trim().replace('\n', "\n    ");
        let said = format!("{function}: {}; a grant that allows it:\n    {shown}", refusal.rule);
        match sections::on_one_line(&grant) {
            Some(line) => format!("{said}\n  to keep it: remit grant {} {}", quoted(&self.typed), quoted(&line)),
            None => said,
        }
    }
}

/// Returns what kept a call from an answer, where its entry says it: what happened, and whose fault it is.
pub fn failed(extension: &Extension) -> Option<String> {
    // Most entries say only what was used, and there may be many.
    let account = extension.usage.as_ref().filter(|account| account.contains("\"failed\""))?;
    let account: Json = serde_json::from_str(account).ok()?;
    account["failed"].as_str().map(str::to_owned)
}

/// Returns one word for a shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-:#@%+,".contains(c);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}
