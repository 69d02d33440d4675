//! Once-only operations looked at again: nothing happened, it happened, or something else did.

use std::fs;
use std::path::Path;

use wasmtime_wasi::p2::bindings::sync::filesystem::types::{OpenFlags, PathFlags};

use super::super::{self as files, Access, Descriptor, Once, Seen, Standing, before, standing};
use super::{mounted, open, read_write};

/// Checks that `once` stands at not done before `act`, at done after it, and at `otherwise` after `meddle` instead.
fn check(once: for<'a> fn(&'a files::Dir) -> Once<'a>, act: fn(&Descriptor), meddle: fn(&Path), otherwise: Standing) {
    let (_folder, work) = mounted(Access::ReadWrite);
    let dir = work.dir().expect("a folder");
    let once_here = once(dir);
    let earlier = before(&once_here);
    assert_eq!(standing(&once_here, &earlier), Standing::NotDone, "{once_here:?}");
    act(&work);
    assert_eq!(standing(&once_here, &earlier), Standing::Done, "{once_here:?}");

    let (folder, work) = mounted(Access::ReadWrite);
    let once_here = once(work.dir().expect("a folder"));
    let earlier = before(&once_here);
    meddle(folder.path());
    assert_eq!(standing(&once_here, &earlier), otherwise, "{once_here:?}");
}

#[test]
fn an_exclusive_create_is_recognised() {
    check(
        |dir| Once::Create { dir, path: "new" },
        |work| drop(open(work, "new", OpenFlags::CREATE | OpenFlags::EXCLUSIVE, read_write()).expect("created")),
        |folder| fs::write(folder.join("new"), "by someone else").expect("written"),
        Standing::InDoubt,
    );
}

#[test]
fn making_and_removing_a_directory_are_recognised() {
    check(
        |dir| Once::CreateDirectory { dir, path: "new/" },
        |work| files::create_directory_at(work, "new/").expect("made"),
        |folder| fs::write(folder.join("new"), "").expect("written"),
        Standing::InDoubt,
    );
    check(
        |dir| Once::RemoveDirectory { dir, path: "empty" },
        |work| files::remove_directory_at(work, "empty").expect("removed"),
        |folder| fs::write(folder.join("unrelated"), "").expect("written"),
        Standing::NotDone,
    );
}

#[test]
fn removing_a_file_is_recognised() {
    check(
        |dir| Once::Unlink { dir, path: "file" },
        |work| files::unlink_file_at(work, "file").expect("removed"),
        |folder| fs::write(folder.join("file"), "changed").expect("written"),
        Standing::InDoubt,
    );
}

#[test]
fn links_are_recognised() {
    check(
        |dir| Once::Symlink { dir, target: "file", path: "new" },
        |work| files::symlink_at(work, "file", "new").expect("linked"),
        |folder| std::os::unix::fs::symlink("dir", folder.join("new")).expect("linked"),
        Standing::InDoubt,
    );
    check(
        |dir| Once::Link { old: dir, old_path: "file", new: dir, new_path: "new" },
        |work| files::link_at(work, PathFlags::empty(), "file", work, "new").expect("linked"),
        |folder| fs::write(folder.join("new"), "hello world").expect("written"),
        Standing::InDoubt,
    );
}

#[test]
fn a_rename_is_recognised() {
    check(
        |dir| Once::Rename { old: dir, old_path: "file", new: dir, new_path: "dir/inner" },
        |work| files::rename_at(work, "file", work, "dir/inner").expect("moved"),
        |folder| fs::remove_file(folder.join("file")).expect("removed"),
        Standing::InDoubt,
    );
    check(
        |dir| Once::Rename { old: dir, old_path: "dir", new: dir, new_path: "moved/" },
        |work| files::rename_at(work, "dir", work, "moved/").expect("moved"),
        |folder| fs::remove_dir(folder.join("empty")).expect("removed"),
        Standing::NotDone,
    );
}

#[test]
fn what_cannot_be_looked_at_is_in_doubt() {
    let (_folder, work) = mounted(Access::ReadWrite);
    let dir = work.dir().expect("a folder");
    let once = Once::Unlink { dir, path: "../outside" };
    let earlier = before(&once);
    assert_eq!(earlier.target, Seen::Unknown);
    assert_eq!(standing(&once, &earlier), Standing::InDoubt);
}
