//! The two folders that a script runs in, and their comparison.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::super::Access;
use super::wasmtime::Theirs;
use super::world::{Call, Ours, World};
use super::{populate, root};

/// A folder for each world, made anew only after a script that changed them.
pub struct Folders {
    ours: TempDir,
    theirs: TempDir,
    untouched: Vec<String>,
}

impl Folders {
    pub fn new() -> Self {
        let (ours, theirs) = (TempDir::new().expect("folder"), TempDir::new().expect("folder"));
        populate(ours.path());
        populate(theirs.path());
        let untouched = tree(ours.path());
        Self { ours, theirs, untouched }
    }

    /// Runs a script in both worlds and compares every answer, and the folders afterwards.
    pub fn check(&mut self, access: Access, script: &[Call]) {
        let mut ours = Ours { open: vec![root(self.ours.path(), access)] };
        let mut theirs = Theirs::new(self.theirs.path(), access);
        for call in script {
            let (own, other) = (ours.answer(call), theirs.answer(call));
            assert_eq!(own, other, "ours and wasmtime's to {call:?} of {script:?} in {access:?}");
            if matches!(call, Call::Open(..)) && own.starts_with("error") {
                break;
            }
        }
        let after = tree(self.ours.path());
        assert_eq!(after, tree(self.theirs.path()), "after {script:?} in {access:?}");
        let sets_times = script.iter().any(|call| matches!(call, Call::SetTimes(..) | Call::SetTimesAt(..)));
        if after != self.untouched || sets_times {
            *self = Self::new();
        }
    }
}

fn tree(root: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(root).expect("folder is listed") {
        let path = entry.expect("entry").path();
        let kind = fs::symlink_metadata(&path).expect("metadata");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if kind.is_dir() {
            lines.extend(tree(&path).iter().map(|line| format!("{name}/{line}")));
            lines.push(format!("{name}/"));
        } else if kind.is_symlink() {
            lines.push(format!("{name} -> {:?}", fs::read_link(&path).expect("link")));
        } else {
            lines.push(format!("{name} = {:?}", fs::read(&path).expect("content")));
        }
    }
    lines.sort();
    lines
}
