//! Reads a folder of notes, finds what is broken in it, and says what changed since it last looked.
//!
//! This file is the agent: it puts together what the modules compute with what the host gives (the mounts `/notes` and
//! `/out`, the store, the clock, randomness). The modules know nothing of the host, and are tested natively.

use std::{fs, path::Path, time::SystemTime};

use remit_sdk::prelude::*;

pub mod check;
pub mod date;
pub mod finding;
pub mod history;
pub mod link;
pub mod markdown;
pub mod report;
pub mod settings;
pub mod slug;
pub mod todo;
pub mod walk;

use history::{Changes, Snapshot};
use report::{Header, Outcome};
use settings::Settings;
use walk::{Note, Walk};

const NOTES: &str = "/notes";
const REPORT: &str = "/out/BRIEF.md";

agent!(run);

fn run(settings: Settings) -> Result<Outcome> {
    settings.check().map_err(Failure::invalid_input)?;
    let root = Path::new(NOTES);
    let walk = walk::walk(root, &settings).context(NOTES)?;
    let notes = read(&walk, &settings);
    let checked = check::check(&notes, &|path| root.join(path).exists());

    let key = format!("last/{}", slug::slug(&settings.title));
    let changes = Changes::between(recall(&key)?.as_ref(), &checked.findings);
    let header = Header {
        id: format!("{:016x}", getrandom::u64()?),
        title: settings.title,
        generated: date::rfc3339(SystemTime::now()),
        files: notes.len(),
        is_complete: walk.is_complete,
    };
    let outcome = Outcome::new(header, REPORT, &checked, &changes);
    fs::write(REPORT, report::render(&outcome, &checked, &changes)).context(REPORT)?;
    kv::set_json(&key, &Snapshot::new(&checked.findings))?;
    log::info(format_args!(
        "{} findings, {} of them new, {} fixed",
        checked.findings.len(),
        outcome.new,
        outcome.fixed
    ));
    Ok(outcome)
}

/// Returns what the last run stored. What cannot be read, as after a change of its form, counts as nothing.
fn recall(key: &str) -> Result<Option<Snapshot<'static>>> {
    match kv::get_json(key) {
        Err(error @ kv::Error::Json { .. }) => {
            log::warn(format_args!("{error}: comparing with nothing"));
            Ok(None)
        }
        other => Ok(other?),
    }
}

/// Reads and parses every file, and tells the log about each tenth of the way.
fn read(walk: &Walk, settings: &Settings) -> Vec<Note> {
    let total = walk.paths.len();
    let step = total.div_ceil(10).max(1);
    let mut notes = Vec::with_capacity(total);
    for path in &walk.paths {
        notes.push(walk::read(Path::new(NOTES), path, &settings.todo_markers));
        if notes.len().is_multiple_of(step) || notes.len() == total {
            log::info(format_args!("checked {} of {total} files", notes.len()));
        }
    }
    notes.extend(walk.unreadable_folders.iter().cloned());
    notes
}
