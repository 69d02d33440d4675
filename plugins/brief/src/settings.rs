//! What the input may set, and what holds when it does not.

use serde::Deserialize;

/// Characters of the longest title: it becomes part of a key in the store.
const TITLE_LEN_MAX: usize = 200;
/// Patterns to ignore, and markers to look for, at most: every file is held against each.
const LIST_LEN_MAX: usize = 100;

/// The agent's input. Every field is optional.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Heads the report, and tells folders apart in the agent's memory.
    pub title: String,
    /// Paths to leave out, from the root of the folder: `drafts/`, `archive/*/old`. `*` stands for any characters but `/`.
    pub ignore: Vec<String>,
    /// Words that mark a line as unfinished.
    pub todo_markers: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            title: "Notes".to_owned(),
            ignore: Vec::new(),
            todo_markers: ["TODO", "FIXME", "XXX"].map(str::to_owned).to_vec(),
        }
    }
}

impl Settings {
    /// Checks what the types do not say.
    ///
    /// # Errors
    ///
    /// Fails with a sentence that names the field.
    pub fn check(&self) -> Result<(), String> {
        if self.title.chars().count() > TITLE_LEN_MAX {
            return Err(format!("title is longer than {TITLE_LEN_MAX} characters"));
        }
        for (name, list) in [("ignore", &self.ignore), ("todo_markers", &self.todo_markers)] {
            if list.len() > LIST_LEN_MAX {
                return Err(format!("{name} has more than {LIST_LEN_MAX} entries"));
            }
            if list.iter().any(|entry| entry.trim().is_empty()) {
                return Err(format!("{name} has an empty entry"));
            }
        }
        Ok(())
    }

    /// Returns whether a path, relative to the root of the folder, is to be left out.
    pub fn ignores(&self, path: &str) -> bool {
        self.ignore.iter().any(|pattern| covers(pattern.trim_start_matches("./").trim_end_matches('/'), path))
    }
}

/// Returns whether a pattern names the path or a folder above it.
fn covers(pattern: &str, path: &str) -> bool {
    let mut names = path.split('/');
    pattern.split('/').all(|wanted| names.next().is_some_and(|name| matches(wanted, name)))
}

/// Matches one name of a path. Goes back only to the last `*`, so that no pattern takes more than quadratic time.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, n));
            p += 1;
        } else if pattern.get(p) == Some(&name[n]) {
            p += 1;
            n += 1;
        } else if let Some((star_p, star_n)) = star {
            star = Some((star_p, star_n + 1));
            p = star_p + 1;
            n = star_n + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&rest| rest == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_ignored(pattern: &str, path: &str, expected: bool) {
        let settings = Settings { ignore: vec![pattern.to_owned()], ..Settings::default() };
        assert_eq!(settings.ignores(path), expected, "{pattern} on {path}");
    }

    #[test]
    fn a_pattern_covers_a_path_and_all_below_it() {
        check_ignored("drafts", "drafts", true);
        check_ignored("drafts/", "drafts/a/b.md", true);
        check_ignored("./drafts", "drafts/a.md", true);
        check_ignored("drafts", "drafts-old/a.md", false);
        check_ignored("drafts", "notes/drafts/a.md", false);
        check_ignored("drafts/a", "drafts", false);
    }

    #[test]
    fn a_star_stays_within_a_name() {
        check_ignored("*.txt", "a.txt", true);
        check_ignored("*.txt", "b/a.txt", false);
        check_ignored("arch*/*/old", "archive/2024/old/x.md", true);
        check_ignored("a*b*c", "a--b--b--c", true);
        check_ignored("a*b*c", "a--c--b", false);
        check_ignored("*", "anything", true);
    }

    #[test]
    fn an_empty_input_means_the_defaults() {
        let settings: Settings = serde_json::from_str("{}").expect("every field is optional");
        assert_eq!((settings.title.as_str(), settings.todo_markers.len()), ("Notes", 3));
        assert_eq!(settings.check(), Ok(()));
    }

    #[test]
    fn settings_that_make_no_sense_are_refused_by_name() {
        let settings = Settings { title: "x".repeat(201), ..Settings::default() };
        assert_eq!(settings.check(), Err("title is longer than 200 characters".to_owned()));
        let settings = Settings { todo_markers: vec![" ".to_owned()], ..Settings::default() };
        assert_eq!(settings.check(), Err("todo_markers has an empty entry".to_owned()));
        assert!(serde_json::from_str::<Settings>(r#"{"titel": "x"}"#).is_err());
    }
}
