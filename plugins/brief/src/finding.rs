//! One thing that is wrong, and how it is recognised the next time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A link to a file that is not there, or to a label that is not defined.
    BrokenLink,
    /// A link to a heading that is not there.
    BrokenAnchor,
    /// A heading more than one level below the one before it.
    HeadingJump,
    /// A line marked as unfinished.
    Todo,
    /// A file that no other links to.
    Unreferenced,
    /// A file or folder that could not be read as text.
    Unreadable,
}

impl Kind {
    /// Every kind, in the order of a report.
    pub const ALL: [Self; 6] =
        [Self::BrokenLink, Self::BrokenAnchor, Self::HeadingJump, Self::Todo, Self::Unreferenced, Self::Unreadable];

    /// Returns a heading for findings of this kind.
    pub fn title(self) -> &'static str {
        match self {
            Self::BrokenLink => "Broken links",
            Self::BrokenAnchor => "Broken anchors",
            Self::HeadingJump => "Headings out of order",
            Self::Todo => "Unfinished",
            Self::Unreferenced => "Unreferenced files",
            Self::Unreadable => "Not readable as text",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The same from run to run while the finding is open, also when the lines around it move.
    pub id: String,
    /// What is wrong.
    pub kind: Kind,
    /// The file, from the root of the folder.
    pub file: String,
    /// The line, from 1, where there is one.
    pub line: Option<usize>,
    /// A few words for a person.
    pub text: String,
}

/// A finding before it is recognised. `subject` is what makes it this one and not another of its kind in its file.
#[derive(Debug)]
pub struct Draft {
    /// What is wrong.
    pub kind: Kind,
    /// The file, from the root of the folder.
    pub file: String,
    /// The line, from 1, where there is one.
    pub line: Option<usize>,
    /// The link, the heading or the line itself.
    pub subject: String,
    /// A few words for a person.
    pub text: String,
}

/// Orders findings by kind, file and line, and gives each its id. Findings that differ only in their line are told apart
/// by their order.
pub fn identify(mut drafts: Vec<Draft>) -> Vec<Finding> {
    drafts.sort_by(|a, b| (a.kind, &a.file, a.line, &a.subject).cmp(&(b.kind, &b.file, b.line, &b.subject)));
    let mut seen = BTreeMap::new();
    drafts.into_iter().map(|draft| with_id(draft, &mut seen)).collect()
}

fn with_id(draft: Draft, seen: &mut BTreeMap<u64, u64>) -> Finding {
    let Draft { kind, file, line, subject, text } = draft;
    let base = fnv1a(format!("{kind:?}\0{file}\0{subject}").as_bytes());
    let repeat = seen.entry(base).or_default();
    let id = fnv1a(format!("{base:016x} {repeat}").as_bytes());
    *repeat += 1;
    Finding { id: format!("{id:016x}"), kind, file, line, text }
}

/// The hash FNV-1a with 64 bits: short, and the same in every build. Nothing depends on nobody forging it.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(line: usize, subject: &str) -> Draft {
        Draft {
            kind: Kind::Todo,
            file: "a.md".to_owned(),
            line: Some(line),
            subject: subject.to_owned(),
            text: String::new(),
        }
    }

    #[test]
    fn an_id_stays_when_lines_move() {
        let before = identify(vec![draft(1, "x"), draft(5, "y")]);
        let after = identify(vec![draft(9, "y"), draft(2, "x")]);
        assert_eq!(before[0].id, after[0].id);
        assert_eq!(before[1].id, after[1].id);
        assert_ne!(before[0].id, before[1].id);
    }

    #[test]
    fn twins_are_told_apart_and_the_first_keeps_its_id() {
        let twins = identify(vec![draft(1, "x"), draft(2, "x")]);
        let left = identify(vec![draft(2, "x")]);
        assert_ne!(twins[0].id, twins[1].id);
        assert_eq!(twins[0].id, left[0].id);
    }

    #[test]
    fn ids_are_the_same_in_every_build() {
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
