//! Folders and names, through `std::fs`: every operation on everything there is to do it to.

use std::{fs, io, path::Path};

use crate::tell::{tell, told};

/// Makes a symbolic link.
#[expect(deprecated, reason = "the only stable way to make a symbolic link that compiles for WASI")]
pub fn symlink(target: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    fs::soft_link(target, link)
}

const THINGS: [&str; 11] = [
    "t/file",
    "t/empty",
    "t/full",
    "t/none",
    "t/to-file",
    "t/to-full",
    "t/to-none",
    "t/loop",
    "t/file/",
    "t/empty/",
    "t/full/inner",
];

type Operation = (&'static str, fn(&str) -> io::Result<()>);
type Pair = (&'static str, fn(&str, &str) -> io::Result<()>);

const OPERATIONS: [Operation; 8] = [
    ("create_dir", |path| fs::create_dir(path)),
    ("create_dir_all", |path| fs::create_dir_all(path)),
    ("create_dir_all below", |path| fs::create_dir_all(format!("{path}/a/b"))),
    ("remove_dir", |path| fs::remove_dir(path)),
    ("remove_dir_all", |path| fs::remove_dir_all(path)),
    ("remove_file", |path| fs::remove_file(path)),
    ("symlink", |path| symlink("file", path)),
    ("read_link", |path| fs::read_link(path).map(drop)),
];

const PAIRS: [Pair; 3] = [
    ("rename", |from, to| fs::rename(from, to)),
    ("hard_link", |from, to| fs::hard_link(from, to)),
    ("symlink", |from, to| symlink(from, to)),
];

pub fn tree() {
    for (name, operation) in OPERATIONS {
        for thing in THINGS {
            prepare();
            tell(&format!("{name} {thing}"), operation(thing));
            show();
        }
    }
    for (name, operation) in PAIRS {
        for (from, to) in THINGS.iter().flat_map(|from| THINGS.map(|to| (*from, to))) {
            prepare();
            tell(&format!("{name} {from} {to}"), operation(from, to));
            show();
        }
    }
    told("rename into itself", fs::rename("t/full", "t/full/below"));
    told("rename of .", fs::rename(".", "t/dot"));
    told("remove .", fs::remove_dir("."));
    told("remove ..", fs::remove_dir(".."));
    told("remove t/full/..", fs::remove_dir("t/full/.."));
}

fn prepare() {
    let _ = fs::remove_dir_all("t");
    fs::create_dir_all("t/full/inner").expect("the folder is new");
    fs::create_dir("t/empty").expect("the folder is new");
    fs::write("t/file", "file").expect("the file is new");
    fs::write("t/full/inner/deep", "deep").expect("the file is new");
    for (target, link) in [("file", "t/to-file"), ("full", "t/to-full"), ("none", "t/to-none"), ("loop", "t/loop")] {
        symlink(target, link).expect("the link is new");
    }
}

fn show() {
    let mut lines = Vec::new();
    walk(Path::new("t"), &mut lines);
    println!("  {}", lines.join(" "));
}

fn walk(path: &Path, lines: &mut Vec<String>) {
    let Ok(listing) = fs::read_dir(path) else { return };
    let mut paths: Vec<_> = listing.map(|entry| entry.expect("an entry can be read").path()).collect();
    paths.sort();
    for path in paths {
        let kind = path.symlink_metadata().map(|metadata| metadata.file_type());
        match kind {
            Ok(kind) if kind.is_dir() => {
                lines.push(format!("{}/", path.display()));
                walk(&path, lines);
            }
            Ok(kind) if kind.is_symlink() => lines.push(format!("{}>{:?}", path.display(), fs::read_link(&path).ok())),
            _ => lines.push(format!("{}={:?}", path.display(), fs::read_to_string(&path).ok())),
        }
    }
}
