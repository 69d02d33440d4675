//! What the tidy tests stand on: the repository as a tree of texts, and how a broken rule is told.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Files by their path from the repository's root, with `/` between names on every platform.
pub struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads the repository: all that `.gitignore` does not name. A file that is not UTF-8 is there, without its text.
    pub fn of_repository() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is a folder of the repository");
        let ignored =
            Ignored::parse(&fs::read_to_string(root.join(".gitignore")).expect("the repository has a .gitignore"));
        let mut files = BTreeMap::new();
        read_folder(root, "", &ignored, &mut files);
        Self { files }
    }

    /// Makes a tree up, to see a rule break.
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())).collect() }
    }

    /// Returns the text of the file, if it is there.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether the file is there.
    pub fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Returns all files in the order of their paths.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Returns the files whose path starts and ends so.
    pub fn files_in<'a>(&'a self, start: &'a str, end: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files().filter(move |(path, _)| path.starts_with(start) && path.ends_with(end))
    }
}

/// Fails with every fault, one sentence each.
#[track_caller]
pub fn expect_none(faults: &[String]) {
    assert!(faults.is_empty(), "\n\n- {}\n", faults.join("\n- "));
}

/// Fails unless there is exactly one fault, and it says all of `parts`.
#[track_caller]
pub fn expect_one(faults: &[String], parts: &[&str]) {
    let [fault] = faults else { panic!("expected one fault, found {faults:#?}") };
    for part in parts {
        assert!(fault.contains(part), "expected {part:?} in: {fault}");
    }
}

/// The forms of `.gitignore` that ours uses: a name, a folder's name, and `*` with an ending.
struct Ignored {
    names: Vec<String>,
    endings: Vec<String>,
}

impl Ignored {
    fn parse(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (endings, names): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with('*'));
        Self {
            names: names.iter().map(|name| name.trim_matches('/').to_owned()).collect(),
            endings: endings.iter().map(|ending| ending.trim_start_matches('*').to_owned()).collect(),
        }
    }

    fn matches(&self, name: &str) -> bool {
        name == ".git"
            || self.names.iter().any(|ignored| ignored == name)
            || self.endings.iter().any(|ending| name.ends_with(ending))
    }
}

fn read_folder(dir: &Path, prefix: &str, ignored: &Ignored, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(dir).expect("a folder of the repository can be read") {
        let entry = entry.expect("a folder of the repository can be read");
        let name = entry.file_name().into_string().expect("a file of the repository has a name in UTF-8");
        if ignored.matches(&name) {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type().expect("a file of the repository has a type").is_dir() {
            read_folder(&entry.path(), &format!("{path}/"), ignored, files);
        } else {
            let bytes = fs::read(entry.path()).expect("a file of the repository can be read");
            files.insert(path, String::from_utf8(bytes).unwrap_or_default());
        }
    }
}

#[test]
fn what_git_ignores_is_not_looked_at() {
    let ignored = Ignored::parse("# Builds.\ntarget/\n\n*.wasm\n");
    let matched = ["target", "brief.wasm", ".git", "targets", "wasm.rs", "#"].map(|name| ignored.matches(name));
    assert_eq!(matched, [true, true, true, false, false, false]);
}
