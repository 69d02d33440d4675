//! Holds all pages against one another: what do they link to, and is it there?

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    finding::{self, Draft, Finding, Kind},
    link::{self, Target},
    markdown::Page,
    walk::{Content, Note},
};

/// What the checks found, and how much they looked at.
#[derive(Debug, Default)]
pub struct Checked {
    /// Ordered by kind, file and line.
    pub findings: Vec<Finding>,
    /// Links to somewhere in the folder.
    pub links: usize,
    /// Links to paths above the folder, which nobody checked.
    pub links_outside: usize,
}

/// Checks every note. `exists` says whether a path from the root of the folder, that is none of the notes, is there.
pub fn check(notes: &[Note], exists: &dyn Fn(&str) -> bool) -> Checked {
    let mut checker = Checker {
        pages: notes.iter().filter_map(|note| Some((note.path.as_str(), note.page()?))).collect(),
        paths: notes.iter().map(|note| note.path.as_str()).collect(),
        exists,
        referenced: BTreeSet::new(),
        drafts: Vec::new(),
        checked: Checked::default(),
    };
    notes.iter().for_each(|note| checker.note(note));
    checker.unreferenced(notes);
    Checked { findings: finding::identify(checker.drafts), ..checker.checked }
}

struct Checker<'a> {
    pages: BTreeMap<&'a str, &'a Page>,
    paths: BTreeSet<&'a str>,
    exists: &'a dyn Fn(&str) -> bool,
    referenced: BTreeSet<String>,
    drafts: Vec<Draft>,
    checked: Checked,
}

impl Checker<'_> {
    fn note(&mut self, note: &Note) {
        match &note.content {
            Content::Markdown(page) => self.page(&note.path, page),
            Content::Unreadable(why) => self.add(Kind::Unreadable, &note.path, None, "", why.clone()),
            Content::Text(_) | Content::Image => {}
        }
        for todo in note.todos() {
            self.add(Kind::Todo, &note.path, Some(todo.line), &todo.text, todo.text.clone());
        }
    }

    fn page(&mut self, path: &str, page: &Page) {
        for link in &page.links {
            self.link(path, link.line, &link.destination);
        }
        for (line, label) in &page.undefined {
            self.add(Kind::BrokenLink, path, Some(*line), label, format!("[{label}] is not defined on this page"));
        }
        for pair in page.headings.windows(2).filter(|pair| pair[1].level > pair[0].level + 1) {
            let text = format!("\"{}\" jumps from level {} to {}", pair[1].text, pair[0].level, pair[1].level);
            self.add(Kind::HeadingJump, path, Some(pair[1].line), &pair[1].text, text);
        }
    }

    fn link(&mut self, from: &str, line: usize, destination: &str) {
        match link::resolve(from, destination) {
            Target::External => {}
            Target::Outside => self.checked.links_outside += 1,
            Target::Inside { path, fragment } => {
                self.checked.links += 1;
                self.inside(from, line, destination, &path, fragment.as_deref());
                if path != from {
                    self.referenced.insert(path);
                }
            }
        }
    }

    fn inside(&mut self, from: &str, line: usize, destination: &str, path: &str, fragment: Option<&str>) {
        let is_known = path.is_empty() || self.paths.contains(path);
        if !is_known && !(self.exists)(path) {
            self.add(Kind::BrokenLink, from, Some(line), destination, format!("{destination}: there is no {path}"));
        } else if let Some(missing) = fragment.filter(|fragment| !self.has_anchor(path, fragment)) {
            let text = format!("{destination}: {path} has no heading or anchor #{missing}");
            self.add(Kind::BrokenAnchor, from, Some(line), destination, text);
        }
    }

    /// A file that is no page of Markdown may have any anchor: `main.rs#L10`. Browsers know `#top` on every page.
    fn has_anchor(&self, path: &str, fragment: &str) -> bool {
        self.pages.get(path).is_none_or(|page| fragment == "top" || page.anchors.contains(fragment))
    }

    fn unreferenced(&mut self, notes: &[Note]) {
        let is_left_out = |note: &Note| is_entrance(&note.path) || matches!(note.content, Content::Unreadable(_));
        for note in notes.iter().filter(|note| !is_left_out(note)) {
            if !self.referenced.contains(&note.path) {
                self.add(Kind::Unreferenced, &note.path, None, "", "no other file links to it".to_owned());
            }
        }
    }

    fn add(&mut self, kind: Kind, file: &str, line: Option<usize>, subject: &str, text: String) {
        let (file, subject) = (file.to_owned(), subject.to_owned());
        self.drafts.push(Draft { kind, file, line, subject, text });
    }
}

/// Returns whether people find a file without a link to it.
fn is_entrance(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    name.starts_with("readme") || name.starts_with("index.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown;

    /// Checks pages of Markdown given as path and text, in a folder where `other.bin` exists besides.
    #[track_caller]
    fn check_pages(pages: &[(&str, &str)], expected: &[(Kind, &str, Option<usize>)]) -> Checked {
        let notes: Vec<_> = pages
            .iter()
            .map(|(path, text)| Note {
                path: (*path).to_owned(),
                content: Content::Markdown(markdown::parse(text, &["TODO".to_owned()])),
            })
            .collect();
        let checked = check(&notes, &|path| path == "other.bin");
        let found: Vec<_> = checked.findings.iter().map(|f| (f.kind, f.file.as_str(), f.line)).collect();
        assert_eq!(found, expected);
        checked
    }

    #[test]
    fn sound_pages_have_no_findings() {
        let readme = "# A\n## B\n[c](sub/c.md#d) [b](#b) [o](other.bin#L1) [w](https://example.org) [root](/)\n";
        check_pages(&[("README.md", readme), ("sub/c.md", "# D\n[up](../README.md#top)\n")], &[]);
    }

    #[test]
    fn links_to_nothing_are_found() {
        let text = "[a](gone.md)\n\n[b](#gone)\n\n[c][gone]\n";
        let checked = check_pages(
            &[("README.md", text)],
            &[
                (Kind::BrokenLink, "README.md", Some(1)),
                (Kind::BrokenLink, "README.md", Some(5)),
                (Kind::BrokenAnchor, "README.md", Some(3)),
            ],
        );
        assert_eq!(checked.findings[0].text, "gone.md: there is no gone.md");
        assert_eq!((checked.links, checked.links_outside), (2, 0));
    }

    #[test]
    fn links_above_the_folder_are_counted_and_left_alone() {
        assert_eq!(check_pages(&[("README.md", "[a](../b.md)")], &[]).links_outside, 1);
    }

    #[test]
    fn headings_may_rise_by_any_step_and_fall_by_one() {
        check_pages(&[("README.md", "## a\n### b\n#### c\n# d\n")], &[]);
        check_pages(&[("README.md", "# a\n### b\n")], &[(Kind::HeadingJump, "README.md", Some(2))]);
    }

    #[test]
    fn a_file_that_only_links_to_itself_is_unreferenced() {
        check_pages(
            &[("index.md", "[b](b.md)"), ("a.md", "[self](a.md)"), ("b.md", "")],
            &[(Kind::Unreferenced, "a.md", None)],
        );
    }
}
