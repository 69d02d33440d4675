//! `remit show`: one run, its end and, if asked for, every call.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::Shell;
use super::args;
use super::doubt::{Doubts, class_of};
use super::exit::Exit;
use super::outcome::{Tally, failed, sentence};
use super::records::Place;
use super::report::{Result, plain, plain_lines, print, print_json};
use super::runs::{change_of, end_of, json as run_json};
use super::session::Records;
use crate::agent::state_of;
use crate::gate::{Functions, Outcome};
use crate::journal::{Entry, Kind, Summary};
use crate::lifecycle::{State, Transition};
use crate::meter::quantity;
use crate::scope::Remit;

/// The longest params or outcome shown on one line, in characters; `--json` shows them whole.
const SHOWN_MAX: usize = 100;

/// Shows the run.
pub fn show(shell: &Shell, args: &args::Show) -> Result {
    let (place, run) = &Place::open(shell, "remit show", &args.run)?;
    let session: &Records = place;
    let summary = session.journal().summary(*run)?;
    let others = place.others(*run)?;
    if args.json {
        let mut report = report(session, &summary, args.calls)?;
        if !others.is_empty() {
            report["others"] = json!(others);
        }
        print_json(&report)?;
        return Ok(Exit::Ok);
    }
    let functions = session.functions(&summary.header)?;
    let doubts = Doubts::of(session, summary.id, &functions)?;
    let bundled = others.iter().map(|other| format!("with it    {other}"));
    for line in about(session, &summary)?.into_iter().chain(bundled).chain(doubts.lines()) {
        print(plain(&line) + "\n")?;
    }
    if args.calls {
        print_calls(session, &summary, &functions, &doubts)?
    } else {
        print_tally(session, &summary)?
    }
    Ok(Exit::Ok)
}

/// Returns a run for programs.
///
/// # Errors
/// When its record cannot be read.
pub fn report(records: &Records, summary: &Summary, with_calls: bool) -> Result<Json> {
    let functions = records.functions(&summary.header)?;
    let doubts = Doubts::of(records, summary.id, &functions)?;
    let mut report = run_json(summary);
    report["remit"] = serde_json::from_slice(&records.blob(summary.header.remit)?).unwrap_or_default();
    report["in-doubt"] = doubts.json();
    if with_calls {
        report["calls"] = calls_json(records, summary, &functions)?;
    }
    Ok(report)
}

fn about(records: &Records, summary: &Summary) -> Result<Vec<String>> {
    let header = &summary.header;
    let version = header.plugin.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let mut lines = vec![
        format!("run        {}", summary.id),
        format!("plugin     {}{version} ({})", header.plugin.name, header.plugin.kind),
        format!("identity   {}", header.plugin.identity),
        format!("component  {}", header.component),
        format!("accepted   {} UTC, for {}", header.accepted, header.principal),
        format!("host       {}, engine {:.12}", header.host_version, header.engine),
        format!("record     {} entries, {}", summary.entries, quantity::bytes(summary.bytes)),
    ];
    if let Some(cause) = header.cause {
        lines.push(format!("called by  {} at its entry {}", cause.run, cause.entry));
    }
    for (key, value) in &header.labels {
        lines.push(format!("label      {key}={value}"));
    }
    if let Ok(remit) = Remit::parse(&records.blob(header.remit)?) {
        lines.extend(
            remit.describe(None).into_iter().map(|line| format!("may        {}: {}", line.capability, line.scope)),
        );
    }
    if let (Some(parent), Some(cut)) = (header.parent, header.cut) {
        let armed = if header.is_disarmed() { "disarmed: it has no effects" } else { "armed" };
        lines.push(format!("forked     from {parent} at its entry {cut}, {armed}"));
    }
    match end_of(summary).filter(|_| state_of(summary) != State::Running) {
        None => lines.push(format!("state      {}", unended(summary))),
        Some(end) => {
            lines.push(format!("state      {}", sentence(&end.outcome)));
            lines.push(format!("used       {}", end.usage));
            let signals = records.journal().signals(summary.id)?.into_iter();
            lines.extend(
                signals.map(|signal| format!("signal     {}, sent {} UTC by {}", signal.name, signal.at, signal.by)),
            );
            if !end.called.is_nothing() {
                lines.push(format!("connectors {}", end.called));
            }
            if let Outcome::Succeeded { result: Some(result) } = &end.outcome {
                lines.push(format!("result     {}", cut(result)));
            }
        }
    }
    Ok(lines)
}

/// Says how a run stands that has not ended and that nobody stopped.
fn unended(summary: &Summary) -> String {
    let change = change_of(summary);
    let by = |change: Transition| format!("{} (by {})", change.why, change.by);
    match state_of(summary) {
        State::Running => "running".into(),
        State::Queued => "queued: `remit serve` runs it, or `remit resume`".into(),
        State::Interrupted => "interrupted: its host was killed; `remit resume` goes on with it".into(),
        other => format!("{}: {}", other.name(), change.map(by).unwrap_or_default()),
    }
}

fn print_tally(records: &Records, summary: &Summary) -> Result<()> {
    let tally = Tally::of(records, summary.id)?;
    for (function, count) in &tally.calls {
        print(format!("{count:>9}  {}\n", plain(function)))?;
    }
    for denial in &tally.denials {
        print(format!("refused    {}\n", plain_lines(denial)))?;
    }
    for failure in &tally.failures {
        print(format!("no answer  {failure}\n"))?;
    }
    Ok(())
}

fn print_calls(records: &Records, summary: &Summary, functions: &Functions, doubts: &Doubts) -> Result<()> {
    let mut reader = records.journal().reader(summary.id)?;
    while let Some(entry) = reader.next()? {
        print(plain(&line(&entry, functions, doubts)?) + "\n")?;
    }
    Ok(())
}

fn line(entry: &Entry<'_>, functions: &Functions, doubts: &Doubts) -> Result<String> {
    let (number, fuel) = (entry.number(), entry.fuel());
    let Some(function) = entry.function() else {
        return Ok(format!("{number:>7} {fuel:>12}  {}  {}", kind(entry.kind()), cut(&shown_state(entry).to_string())));
    };
    let (params, outcome) = shown(entry, functions);
    let extension = entry.extension()?;
    let refused = if extension.denial.is_some() { "  (refused)" } else { "" };
    let by = extension.grant.as_ref().map(|grant| format!("  (by {grant})")).unwrap_or_default();
    let arrow = match entry.kind() {
        Kind::Intent if doubts.holds(number) => " (intent; whether it was done is not known)".to_owned(),
        Kind::Intent => " (intent)".to_owned(),
        _ => format!(" -> {}", cut(&outcome.to_string())),
    };
    let why = failed(&extension).map(|why| format!("  ({why})")).unwrap_or_default();
    Ok(format!("{number:>7} {fuel:>12}  {}{}{arrow}{why}{by}{refused}", function.name, cut(&params.to_string())))
}

fn calls_json(records: &Records, summary: &Summary, functions: &Arc<Functions>) -> Result<Json> {
    let mut calls = Vec::new();
    let mut reader = records.journal().reader(summary.id)?;
    while let Some(entry) = reader.next()? {
        calls.push(entry_json(&entry, functions)?);
    }
    Ok(Json::Array(calls))
}

/// Returns an entry for programs.
///
/// # Errors
/// When its extension cannot be read.
pub(super) fn entry_json(entry: &Entry<'_>, functions: &Functions) -> Result<Json> {
    let (params, outcome) = shown(entry, functions);
    let extension = entry.extension()?;
    Ok(json!({
        "entry": entry.number(),
        "kind": kind(entry.kind()),
        "function": entry.function().map(|function| &function.name),
        "class": entry.function().map(|_| class_of(entry)).transpose()?,
        "fuel": entry.fuel(),
        "time-us": entry.time_us(),
        "params": params,
        "outcome": outcome,
        "answers": extension.answers,
        "grant": extension.grant,
        "denial": extension.denial.and_then(|denial| serde_json::from_str::<Json>(&denial).ok()),
        "cause": extension.cause,
        "usage": extension.usage.and_then(|usage| serde_json::from_str::<Json>(&usage).ok()),
        "before": extension.before.and_then(|before| serde_json::from_str::<Json>(&before).ok()),
    }))
}

/// Shows params and outcome as the function's types say; what has no outcome recorded shows null.
fn shown(entry: &Entry<'_>, functions: &Functions) -> (Json, Json) {
    let Some(function) = entry.function().and_then(|function| functions.get(&function.name)) else {
        return (shown_state(entry), Json::Null);
    };
    let params = match entry.kind() {
        Kind::Outcome => Json::Null,
        _ => function.show_params(entry.params()),
    };
    let outcome = if entry.outcome().is_empty() { Json::Null } else { function.show_outcome(entry.outcome()) };
    (params, outcome)
}

fn shown_state(entry: &Entry<'_>) -> Json {
    serde_json::from_slice(entry.params()).unwrap_or_default()
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Call => "call",
        Kind::Intent => "intent",
        Kind::Outcome => "outcome",
        Kind::State => "state",
        Kind::Note => "note",
    }
}

/// Cuts text to what is shown of it on one line.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        None => text.to_owned(),
        Some((cut, _)) => format!("{}…", &text[..cut]),
    }
}
