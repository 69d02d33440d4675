//! What a folder holds, as lines to compare: names, kinds, contents, targets of links. Not the times.

use std::fs;
use std::path::Path;

use remit::digest::Digest;

/// Returns everything below the folder, in order.
pub fn of(dir: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    walk(dir, "", &mut lines);
    lines
}

fn walk(dir: &Path, prefix: &str, lines: &mut Vec<String>) {
    let listing = fs::read_dir(dir).expect("the folder can be read");
    let mut names: Vec<_> = listing.map(|entry| entry.expect("it can be read").file_name()).collect();
    names.sort();
    for name in names {
        let (path, shown) = (dir.join(&name), format!("{prefix}{}", name.to_string_lossy()));
        let kind = fs::symlink_metadata(&path).expect("it can be looked at").file_type();
        if kind.is_dir() {
            lines.push(format!("{shown}/"));
            walk(&path, &format!("{shown}/"), lines);
        } else if kind.is_symlink() {
            lines.push(format!("{shown} -> {}", fs::read_link(&path).expect("it is a link").display()));
        } else {
            lines.push(format!("{shown} {}", held(&path)));
        }
    }
}

/// A large file may be all hole, and is not read.
fn held(path: &Path) -> String {
    let length = fs::metadata(path).expect("it can be looked at").len();
    if length > 64 << 20 {
        return format!("{length} bytes");
    }
    format!("{length} bytes {}", Digest::of(&fs::read(path).expect("it can be read")))
}
