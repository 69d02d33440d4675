//! What is said about a run: the result for a program, and the report for a person.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;

use crate::{
    check::Checked,
    finding::{Finding, Kind},
    history::Changes,
};

/// The first line of every report. A file that starts with it is no note: a report kept in the folder it is about would
/// else be reported on.
pub const MARK: &str = "<!-- written by brief -->";

/// Findings in a result, and fixed findings, at most. The report lists more.
const RESULT_LEN_MAX: usize = 100;
/// Findings of one kind in a report, at most.
const SECTION_LEN_MAX: usize = 500;

/// What a report says about itself.
#[derive(Debug, Serialize)]
pub struct Header {
    /// A random id of this report.
    #[serde(rename = "report_id")]
    pub id: String,
    /// What the folder is called.
    pub title: String,
    /// When, as RFC 3339 has it.
    pub generated: String,
    /// Files looked at.
    pub files: usize,
    /// Whether that was all of them: there are caps on their number and on the depth of folders.
    pub is_complete: bool,
}

/// The agent's output.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Which report this is.
    #[serde(flatten)]
    pub header: Header,
    /// Where the report is, in the agent's own terms.
    pub report: String,
    /// Links within the folder.
    pub links: usize,
    /// Links to paths above it, which were not checked.
    pub links_outside: usize,
    /// Findings by kind. Every kind is there.
    pub counts: BTreeMap<Kind, usize>,
    /// Whether there was no earlier run to compare with.
    pub is_first_run: bool,
    /// Findings that the last run did not have.
    pub new: usize,
    /// Findings that only the last run had.
    pub fixed: usize,
    /// Findings that both had.
    pub still_open: usize,
    /// The findings, up to a cap.
    pub findings: Vec<Finding>,
    /// Findings beyond the cap.
    pub findings_omitted: usize,
    /// The fixed findings, up to the same cap.
    pub fixed_findings: Vec<Finding>,
}

impl Outcome {
    /// Returns the result of a run whose report is at the path `report`.
    pub fn new(header: Header, report: &str, checked: &Checked, changes: &Changes) -> Self {
        let count = |kind: Kind| checked.findings.iter().filter(|finding| finding.kind == kind).count();
        let open = checked.findings.len();
        Self {
            header,
            report: report.to_owned(),
            links: checked.links,
            links_outside: checked.links_outside,
            counts: Kind::ALL.into_iter().map(|kind| (kind, count(kind))).collect(),
            is_first_run: changes.is_first_run,
            new: changes.new.len(),
            fixed: changes.fixed.len(),
            still_open: if changes.is_first_run { 0 } else { open - changes.new.len() },
            findings: checked.findings.iter().take(RESULT_LEN_MAX).cloned().collect(),
            findings_omitted: open.saturating_sub(RESULT_LEN_MAX),
            fixed_findings: changes.fixed.iter().take(RESULT_LEN_MAX).cloned().collect(),
        }
    }
}

/// Returns the report, in Markdown.
pub fn render(outcome: &Outcome, checked: &Checked, changes: &Changes) -> String {
    let mut report = format!("{MARK}\n# {}: brief\n\n{}\n", outcome.header.title, summary(outcome));
    for kind in Kind::ALL {
        let of_kind: Vec<_> = checked.findings.iter().filter(|finding| finding.kind == kind).collect();
        section(&mut report, kind.title(), &of_kind, changes);
    }
    section(&mut report, "Fixed since the last run", &changes.fixed.iter().collect::<Vec<_>>(), changes);
    report
}

fn summary(outcome: &Outcome) -> String {
    let Header { id, generated, files, is_complete, .. } = &outcome.header;
    let open: usize = outcome.counts.values().sum();
    let compared = if outcome.is_first_run {
        "This is the first run: there is nothing to compare with.".to_owned()
    } else {
        format!("Since the last run: {} new, {} fixed, {} still open.", outcome.new, outcome.fixed, outcome.still_open)
    };
    let caveat = if *is_complete { "" } else { "\n\nThe folder is larger than brief reads: some of it was left out." };
    let links = outcome.links;
    format!(
        "{generated}, report {id}\n\n{files} files, {links} links within the folder, {open} findings. {compared}{caveat}"
    )
}

fn section(report: &mut String, title: &str, findings: &[&Finding], changes: &Changes) {
    if findings.is_empty() {
        return;
    }
    let _ = writeln!(report, "\n## {title} ({})\n", findings.len());
    for finding in findings.iter().take(SECTION_LEN_MAX) {
        let mark = if changes.new.contains(&finding.id) { "**new** " } else { "" };
        let line = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
        let place = code(&format!("{}{line}", finding.file));
        let _ = writeln!(report, "- {mark}{place} {}", code(&finding.text));
    }
    let omitted = findings.len().saturating_sub(SECTION_LEN_MAX);
    if omitted > 0 {
        let _ = writeln!(report, "- and {omitted} more");
    }
}

/// Quotes what notes contain, so that it cannot be taken for the report's own Markdown: in a code span whose fence is
/// longer than any run of backticks within.
fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(id: &str, kind: Kind, line: Option<usize>, text: &str) -> Finding {
        Finding { id: id.to_owned(), kind, file: "a.md".to_owned(), line, text: text.to_owned() }
    }

    fn outcome(checked: &Checked, changes: &Changes) -> Outcome {
        let header = Header {
            id: "00000000000000ff".to_owned(),
            title: "Notes".to_owned(),
            generated: "2026-03-01T09:05:00Z".to_owned(),
            files: 3,
            is_complete: true,
        };
        Outcome::new(header, "/out/BRIEF.md", checked, changes)
    }

    #[test]
    fn a_report_lists_findings_by_kind_and_what_changed() {
        let findings = vec![
            finding("1", Kind::BrokenLink, Some(4), "x.md: there is no x.md"),
            finding("2", Kind::Todo, None, "`a`"),
        ];
        let checked = Checked { findings, links: 7, links_outside: 0 };
        let fixed = vec![finding("3", Kind::Unreferenced, None, "no other file links to it")];
        let changes = Changes { is_first_run: false, new: ["1".to_owned()].into(), fixed };
        let report = render(&outcome(&checked, &changes), &checked, &changes);
        let expected = "<!-- written by brief -->\n# Notes: brief\n\n\
            2026-03-01T09:05:00Z, report 00000000000000ff\n\n\
            3 files, 7 links within the folder, 2 findings. Since the last run: 1 new, 1 fixed, 1 still open.\n\n\
            ## Broken links (1)\n\n- **new** `a.md:4` `x.md: there is no x.md`\n\n\
            ## Unfinished (1)\n\n- `a.md` `` `a` ``\n\n\
            ## Fixed since the last run (1)\n\n- `a.md` `no other file links to it`\n";
        assert_eq!(report, expected);
    }

    #[test]
    fn a_result_is_capped_and_says_so() {
        let findings = (0..150).map(|n| finding(&n.to_string(), Kind::Todo, Some(n), "x")).collect();
        let checked = Checked { findings, ..Checked::default() };
        let outcome = outcome(&checked, &Changes { is_first_run: true, ..Changes::default() });
        assert_eq!((outcome.findings.len(), outcome.findings_omitted, outcome.counts[&Kind::Todo]), (100, 50, 150));
        let json = serde_json::to_value(&outcome).expect("plain data");
        assert_eq!((&json["counts"]["todo"], &json["counts"]["broken-link"]), (&150.into(), &0.into()));
        assert_eq!(json["report_id"], "00000000000000ff");
    }

    #[test]
    fn what_notes_contain_stays_within_its_quotes() {
        assert_eq!(code("a``b\nc"), "```a``b c```");
        assert_eq!(code("`x"), "`` `x ``");
    }
}
