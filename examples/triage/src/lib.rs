//! Reads the reports in a folder, has a model say what each is, and files those that need work with a tracker.
//!
//! The model and the tracker are somebody else's: the operator says which provider the tier `small` is, and which
//! connector answers `remit-plugins:tracker/issues`. A report that is filed already costs no tokens.

mod reports;
mod verdict;

use connectors::remit_plugins::tracker::issues::{self, Draft, Error};
use remit_sdk::prelude::*;

use reports::Report;
use verdict::Verdict;

connectors!();

/// The folder of reports, as the manifest mounts it.
const FOLDER: &str = "/reports";

/// Nothing: the reports are in the folder.
#[derive(Deserialize)]
struct Input {}

#[derive(Default, Serialize)]
struct Output {
    filed: Vec<Filed>,
    /// Reports that an earlier run filed.
    known: usize,
    /// Reports that ask for nothing.
    noise: Vec<String>,
}

#[derive(Serialize)]
struct Filed {
    report: String,
    issue: String,
    title: String,
    labels: Vec<String>,
}

agent!(|_: Input| {
    let mut output = Output::default();
    for name in reports::names(FOLDER)? {
        triage(name, &mut output)?;
    }
    Ok(output)
});

fn triage(name: String, output: &mut Output) -> Result<()> {
    if issues::find(&name)?.is_some() {
        output.known += 1;
        return Ok(());
    }
    let report = reports::read(FOLDER, name)?;
    let verdict = verdict::ask(&report.text).context(&report.name)?;
    log::info(format_args!("{}: {:?}", report.name, verdict.kind));
    match verdict.needs_work() {
        true => output.filed.push(file(report, &verdict)?),
        false => output.noise.push(report.name),
    }
    Ok(())
}

fn file(report: Report, verdict: &Verdict) -> Result<Filed> {
    let Report { name, text } = report;
    let (title, labels) = (verdict.title_for(&name), verdict.labels());
    let draft = Draft { title: title.clone(), body: text, labels: labels.clone(), reference: Some(name.clone()) };
    let issue = match issues::create(&draft) {
        // Another run was faster.
        Err(Error::Duplicate(issue)) => issue,
        created => created?,
    };
    Ok(Filed { report: name, issue, title, labels })
}
