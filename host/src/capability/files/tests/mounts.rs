//! Opening mounts: what is refused, and that the refusal names both sides.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use super::super::{Access, MountSpec, Mounts};
use super::spec;

fn folders() -> TempDir {
    let folder = TempDir::new().expect("folder");
    fs::create_dir_all(folder.path().join("a/inner/deeper")).expect("folder is made");
    fs::create_dir(folder.path().join("ab")).expect("folder is made");
    fs::write(folder.path().join("file"), "").expect("file is written");
    symlink("a", folder.path().join("link")).expect("link is made");
    symlink("nowhere", folder.path().join("dangling")).expect("link is made");
    folder
}

/// Returns the refusal of these mounts (guest path, host path below the folder), with the folder's own path cut.
fn refusal(pairs: &[(&str, &str)]) -> String {
    let folder = folders();
    let specs = specs(folder.path(), pairs);
    let error = Mounts::open(specs).expect_err("the mounts are refused");
    error.to_string().replace(&format!("{}/", folder.path().display()), "")
}

fn specs(root: &Path, pairs: &[(&str, &str)]) -> Vec<MountSpec> {
    let named = pairs.iter().enumerate();
    named.map(|(index, (guest, host))| spec(&format!("m{index}"), guest, &root.join(host), Access::Read)).collect()
}

#[test]
fn a_host_directory_must_be_one() {
    assert_eq!(refusal(&[("a", "nothing")]), "mount m0: nothing does not exist");
    assert_eq!(refusal(&[("a", "nothing/x")]), "mount m0: nothing/x does not exist");
    assert_eq!(refusal(&[("a", "file")]), "mount m0: file is not a directory");
    assert_eq!(refusal(&[("a", "file/x")]), "mount m0: file/x is not a directory");
    for link in ["link", "link/", "link/.", "dangling"] {
        assert_eq!(refusal(&[("a", link)]), format!("mount m0: {link} is a symbolic link"));
    }
}

#[test]
fn host_directories_must_not_overlap() {
    let same = "mounts m0 and m1 are the same directory: ";
    assert_eq!(refusal(&[("x", "a"), ("y", "a")]), format!("{same}a"));
    assert_eq!(refusal(&[("x", "a"), ("y", "ab/../a")]), format!("{same}ab/../a"));
    assert_eq!(refusal(&[("x", "a/inner"), ("y", "link/inner")]), format!("{same}link/inner"));
    assert_eq!(
        refusal(&[("x", "a"), ("y", "a/inner/deeper")]),
        "mount m1 lies inside mount m0: a/inner/deeper is in a"
    );
    assert_eq!(refusal(&[("x", "link/inner"), ("y", "a")]), "mount m0 lies inside mount m1: link/inner is in a");
}

#[test]
fn guest_paths_must_not_overlap() {
    let overlap = "mounts m0 and m1 overlap in the guest: ";
    for (first, second) in [("d", "d"), ("d", "/d"), ("./d", "d/"), (".", "/"), (".", "d"), ("/", "/d"), ("/d/e", "/d")]
    {
        assert_eq!(refusal(&[(first, "a"), (second, "ab")]), format!("{overlap}{first} and {second}"));
    }
    assert_eq!(refusal(&[("", "a")]), "mount m0: guest path \"\" is empty");
    assert_eq!(refusal(&[("a/../b", "a")]), "mount m0: guest path \"a/../b\" holds `..`");
    assert_eq!(refusal(&[("a\0", "a")]), "mount m0: guest path \"a\\0\" holds a NUL byte");
}

#[test]
fn a_name_is_given_once() {
    let folder = folders();
    let specs = vec![
        spec("work", "x", &folder.path().join("a"), Access::Read),
        spec("work", "y", &folder.path().join("ab"), Access::Read),
    ];
    assert_eq!(Mounts::open(specs).expect_err("refused").to_string(), "mount work is given twice");
}

#[test]
fn neighbours_open_in_their_order() {
    let folder = folders();
    for pairs in [[("b", "a"), ("bc", "ab")], [(".", "ab"), ("/ref", "a")], [("/b/c", "link/inner"), ("/b/d", "ab")]] {
        let mounts = Mounts::open(specs(folder.path(), &pairs)).expect("the mounts open");
        let guests: Vec<String> = mounts.directories().map(|(_, guest)| guest.to_owned()).collect();
        assert_eq!(guests, pairs.map(|(guest, _)| guest));
    }
}
