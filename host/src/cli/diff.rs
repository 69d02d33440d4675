//! `remit diff`: the first difference of two runs, and what followed from it.

mod compare;

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use self::compare::{Comparison, Difference, Side, What, compare};
use super::Shell;
use super::args;
use super::exit::Exit;
use super::records::Place;
use super::report::{OrFail as _, Result, plain, print, print_json};
use super::show::cut;
use crate::id::RunId;
use crate::journal::Header;
use crate::meter::quantity;

/// Fields of a header that are another's by nature, and say nothing of what a run does.
const OF_ONE_RUN: [&str; 9] =
    ["accepted", "armed", "cause", "cut", "labels", "parent", "parent_head", "priority", "start_key"];

/// Compares the runs and returns how the process ends.
pub(super) fn diff(shell: &Shell, args: &args::Diff) -> Result {
    let [(left, left_run), (right, right_run)] = Place::open_two(shell, "remit diff", [&args.left, &args.right])?;
    let headers = [left.journal().header(left_run)?, right.journal().header(right_run)?];
    let functions = [left.functions(&headers[0])?, right.functions(&headers[1])?];
    let left = Side { records: &left, run: left_run, functions: &functions[0] };
    let right = Side { records: &right, run: right_run, functions: &functions[1] };
    let fuel_counts = headers[0].component == headers[1].component && headers[0].engine == headers[1].engine;
    let found = compare([&left, &right], fuel_counts)?;
    let (runs, headers) = ([left_run, right_run], unequal(&headers)?);
    match args.json {
        true => print_json(&report(runs, &headers, fuel_counts, &found)?)?,
        false => tell(runs, &headers, fuel_counts, &found)?,
    }
    Ok(if found.first.is_none() { Exit::Ok } else { Exit::Diverged })
}

/// Returns the fields in which two headers differ, with both values.
fn unequal(headers: &[Header; 2]) -> Result<BTreeMap<String, [Json; 2]>> {
    let fields = |header| match serde_json::to_value(header) {
        Ok(Json::Object(fields)) => Ok(fields),
        Ok(_) => Ok(serde_json::Map::new()),
        Err(error) => Err(error).or_fail(Exit::HostFailed, "cannot write a header as JSON"),
    };
    let [left, right] = [fields(&headers[0])?, fields(&headers[1])?];
    let value = |fields: &serde_json::Map<String, Json>, name: &String| fields.get(name).cloned().unwrap_or_default();
    let names = left.keys().chain(right.keys()).filter(|name| !OF_ONE_RUN.contains(&name.as_str()));
    let both = names.map(|name| (name.clone(), [value(&left, name), value(&right, name)]));
    Ok(both.filter(|(_, [left, right])| left != right).collect())
}

fn report(
    runs: [RunId; 2],
    headers: &BTreeMap<String, [Json; 2]>,
    fuel_counts: bool,
    found: &Comparison,
) -> Result<Json> {
    let mut report = serde_json::to_value(found).or_fail(Exit::HostFailed, "cannot write the comparison as JSON")?;
    report["runs"] = json!(runs);
    report["header"] = json!(headers);
    report["fuel-compared"] = json!(fuel_counts);
    Ok(report)
}

fn tell(runs: [RunId; 2], headers: &BTreeMap<String, [Json; 2]>, fuel_counts: bool, found: &Comparison) -> Result<()> {
    let fuel = if fuel_counts { "fuel for fuel" } else { "fuel not compared" };
    let mut lines = vec![format!("left       {}", runs[0]), format!("right      {}", runs[1])];
    for (field, [left, right]) in headers {
        lines.push(format!("{field:<10} {} | {}", cut(&left.to_string()), cut(&right.to_string())));
    }
    let equal = quantity::count(found.equal);
    match &found.first {
        None => lines.push(format!("equal      {equal} entries, {fuel}")),
        Some(first) => {
            lines.push(format!("equal      the first {equal} entries, {fuel}"));
            difference("differs", first, &mut lines);
            if let Some(parted) = &found.parted {
                difference("and then", parted, &mut lines);
            }
            followed(found, &mut lines);
        }
    }
    lines.iter().try_for_each(|line| print(plain(line) + "\n"))
}

/// Shows one entry of both sides.
fn difference(word: &str, difference: &Difference, lines: &mut Vec<String>) {
    let what = match difference.what {
        What::Missing => "one run has ended",
        What::Function => "another call",
        What::Params => "other params",
        What::End => "another end",
        What::Outcome => "another outcome",
        What::Fuel => "another fuel count",
    };
    lines.push(format!("{word:<10} at entry {}: {what}", difference.entry));
    for (side, entry) in ["left", "right"].iter().zip(&difference.sides) {
        lines.push(format!("  {side:<8} {}", entry.as_ref().map_or_else(|| "nothing".to_owned(), call)));
    }
    lines.extend(difference.places.iter().map(|place| format!("  at       {place}")));
}

fn followed(found: &Comparison, lines: &mut Vec<String>) {
    let [left, right] = found.entries.map(quantity::count);
    lines.push(format!("from there left {left} entries, right {right}"));
    for (function, [left, right]) in &found.functions {
        lines.push(format!("  calls    {left} | {right}  {function}"));
    }
    for (side, word) in ["left", "right"].iter().enumerate() {
        for effect in &found.effects[side] {
            lines.push(format!("  {word:<8} alone: entry {}, {}", effect["entry"], call(effect)));
        }
        let hidden = found.effects_total[side] - found.effects[side].len() as u64;
        if hidden > 0 {
            lines.push(format!("  {word:<8} alone: {} effects more", quantity::count(hidden)));
        }
    }
}

/// Returns one line about an entry.
fn call(entry: &Json) -> String {
    let text = |part: &str| cut(&entry[part].to_string());
    let Some(function) = entry["function"].as_str() else { return format!("{} {}", text("kind"), text("params")) };
    let outcome = if entry["kind"] == "intent" { " (intent)".to_owned() } else { format!(" -> {}", text("outcome")) };
    format!("{function}{}{outcome} at fuel {}", text("params"), entry["fuel"])
}
