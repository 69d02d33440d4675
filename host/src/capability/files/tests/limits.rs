//! What wasmtime does not do, or does differently: special files, walls between mounts, caps, growth, appends.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{
    DescriptorFlags, DescriptorType, ErrorCode, NewTimestamp, OpenFlags, PathFlags,
};

use super::super::{self as files, Access, Descriptor, Mounts, PLACE_BYTES_MAX};
use super::{mounted, open, read_write, root, spec};

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo runs").success());
}

/// Runs `act` on a thread of its own and fails if it is still busy after ten seconds.
fn without_blocking<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || send.send(act()));
    receive.recv_timeout(Duration::from_secs(10)).expect("the call blocked")
}

#[test]
fn a_pipe_is_listed_but_neither_opened_nor_waited_for() {
    let (folder, work) = mounted(Access::ReadWrite);
    make_pipe(&folder.path().join("empty/pipe"));
    symlink("empty/pipe", folder.path().join("to-pipe")).expect("link is made");
    for path in ["empty/pipe", "to-pipe"] {
        for flags in [DescriptorFlags::READ, DescriptorFlags::WRITE, read_write()] {
            for open_flags in [OpenFlags::empty(), OpenFlags::CREATE, OpenFlags::TRUNCATE, OpenFlags::DIRECTORY] {
                let dir = work.clone();
                let opened = without_blocking(move || open(&dir, path, open_flags, flags).map(drop));
                assert_eq!(opened, Err(ErrorCode::Unsupported), "{path} {flags:?} {open_flags:?}");
            }
        }
        let dir = work.clone();
        let now = NewTimestamp::Now;
        let set = without_blocking(move || {
            files::set_times_at(&dir, PathFlags::SYMLINK_FOLLOW, path, now, now, super::now())
        });
        assert_eq!(set, Err(ErrorCode::Unsupported));
    }
    let empty = open(&work, "empty", OpenFlags::DIRECTORY, DescriptorFlags::READ).expect("folder opens");
    let entries = files::read_directory(&empty, 10).expect("folder is listed");
    assert_eq!(entries[0].as_ref().expect("an entry").type_, DescriptorType::Unknown);
}

#[test]
fn a_socket_is_not_opened() {
    let (folder, work) = mounted(Access::ReadWrite);
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).expect("socket is bound");
    let opened = open(&work, "socket", OpenFlags::empty(), DescriptorFlags::READ);
    assert_eq!(opened.map(drop), Err(ErrorCode::Unsupported));
}

/// Two mounts side by side, and a folder that is in neither.
fn neighbours() -> (TempDir, Descriptor, Descriptor) {
    let folder = TempDir::new().expect("folder");
    for name in ["one", "two", "secret"] {
        fs::create_dir(folder.path().join(name)).expect("folder is made");
        fs::write(folder.path().join(name).join("file"), name).expect("file is written");
    }
    let specs = ["one", "two"].map(|name| spec(name, name, &folder.path().join(name), Access::ReadWrite));
    let mounts = Mounts::open(specs.into()).expect("mounts open");
    let mut roots = mounts.directories().map(|(root, _)| root);
    let (one, two) = (roots.next().expect("one"), roots.next().expect("two"));
    (folder, one, two)
}

#[test]
fn nothing_moves_or_links_from_mount_to_mount() {
    let (folder, one, two) = neighbours();
    assert_eq!(files::rename_at(&one, "file", &two, "new"), Err(ErrorCode::CrossDevice));
    assert_eq!(files::link_at(&one, PathFlags::empty(), "file", &two, "new"), Err(ErrorCode::CrossDevice));
    for path in ["../two/new", "../secret/new", "../two/file"] {
        assert_eq!(files::rename_at(&one, "file", &one, path), Err(ErrorCode::NotPermitted), "{path}");
        assert_eq!(
            files::link_at(&one, PathFlags::empty(), "file", &one, path),
            Err(ErrorCode::NotPermitted),
            "{path}"
        );
    }
    assert_eq!(fs::read(folder.path().join("one/file")).expect("still there"), b"one");
    assert!(!folder.path().join("two/new").exists());
}

#[test]
fn a_link_the_guest_makes_leads_nowhere_outside() {
    let (_folder, one, _two) = neighbours();
    assert_eq!(files::symlink_at(&one, "/etc/passwd", "absolute"), Err(ErrorCode::NotPermitted));
    files::symlink_at(&one, "../secret/file", "out").expect("a link may be written");
    files::symlink_at(&one, "../secret", "out-dir").expect("a link may be written");
    for path in ["out", "out-dir/file", "out-dir"] {
        let opened = open(&one, path, OpenFlags::empty(), DescriptorFlags::READ);
        assert_eq!(opened.map(drop), Err(ErrorCode::NotPermitted), "{path}");
    }
    let created = open(&one, "out-dir/new", OpenFlags::CREATE, DescriptorFlags::WRITE);
    assert_eq!(created.map(drop), Err(ErrorCode::NotPermitted));
    // A second name for the link, one folder deeper, still ends inside.
    files::create_directory_at(&one, "deep").expect("folder is made");
    files::link_at(&one, PathFlags::empty(), "out", &one, "deep/out").expect("a link may be linked");
    let opened = open(&one, "deep/out", OpenFlags::empty(), DescriptorFlags::READ);
    assert_eq!(opened.map(drop), Err(ErrorCode::NoEntry));
}

#[test]
fn a_folder_that_becomes_a_link_after_it_was_opened_stays_what_it_was() {
    let (folder, one, _two) = neighbours();
    files::create_directory_at(&one, "dir").expect("folder is made");
    let dir = open(&one, "dir", OpenFlags::DIRECTORY, DescriptorFlags::READ).expect("folder opens");
    files::rename_at(&one, "dir", &one, "away").expect("folder moves");
    symlink(folder.path().join("secret"), folder.path().join("one/dir")).expect("link is swapped in");
    assert_eq!(open(&dir, "file", OpenFlags::empty(), DescriptorFlags::READ).map(drop), Err(ErrorCode::NoEntry));
    let again = open(&one, "dir/file", OpenFlags::empty(), DescriptorFlags::READ);
    assert_eq!(again.map(drop), Err(ErrorCode::NotPermitted));
}

#[test]
fn a_read_only_mount_yields_nothing_that_writes() {
    let (folder, work) = mounted(Access::Read);
    let file = open(&work, "file", OpenFlags::empty(), DescriptorFlags::READ).expect("file opens");
    assert_eq!(files::write(&file, b"x", 0), Err(ErrorCode::NotPermitted));
    assert_eq!(files::write_all_at(file.file().expect("a file"), b"x", 0), Err(ErrorCode::NotPermitted));
    assert_eq!(files::append(file.file().expect("a file"), b"x"), Err(ErrorCode::NotPermitted));
    assert_eq!(files::set_size(&file, 0), Err(ErrorCode::NotPermitted));
    let dir = open(&work, "dir", OpenFlags::DIRECTORY, DescriptorFlags::READ).expect("folder opens");
    assert_eq!(open(&dir, "inner", OpenFlags::empty(), read_write()).map(drop), Err(ErrorCode::NotPermitted));
    assert_eq!(fs::read(folder.path().join("file")).expect("file"), b"hello world");
}

#[test]
fn reads_and_listings_stop_at_their_caps() {
    let (_folder, work) = mounted(Access::Read);
    let file = open(&work, "file", OpenFlags::empty(), DescriptorFlags::READ).expect("file opens");
    assert_eq!(files::read(&file, u64::MAX, 0, 4), Ok((b"hell".to_vec(), false)));
    assert_eq!(files::read_directory(&work, 4).map(|entries| entries.len()), Err(ErrorCode::InsufficientMemory));
    let names: Vec<String> = files::read_directory(&work, 100)
        .expect("a listing")
        .into_iter()
        .map(|entry| entry.expect("entry").name)
        .collect();
    assert!(names.is_sorted() && names.len() == 10, "{names:?}");
}

#[test]
fn growth_is_counted_before_and_after() {
    let (_folder, work) = mounted(Access::ReadWrite);
    let file = open(&work, "file", OpenFlags::empty(), read_write()).expect("file opens");
    let inner = file.file().expect("a file");
    assert_eq!((files::growth(inner, 5), files::growth(inner, 20)), (Ok(0), Ok(9)));
    assert_eq!(files::append(inner, b"abc"), Ok(files::Appended { offset: 11, written: 3 }));
    assert_eq!(files::set_size(&file, 20), Ok(6));
    assert_eq!(files::set_size(&file, 2), Ok(0));
    assert_eq!(files::write_all_at(inner, &[7; 200_000], 1), Ok(200_000));
}

#[test]
fn a_place_has_a_longest_path() {
    let (_folder, work) = mounted(Access::Read);
    let mut dir = work;
    let mut opened = 0;
    let last = loop {
        match open(&dir, "dir/..", OpenFlags::empty(), DescriptorFlags::READ) {
            Ok(next) => dir = next,
            Err(error) => break error,
        }
        opened += 1;
    };
    assert_eq!(last, ErrorCode::NameTooLong);
    assert!(dir.place().path().len() <= PLACE_BYTES_MAX && opened > 1_000);
}

#[test]
fn a_name_that_is_not_text_is_an_error_in_its_place() {
    use std::os::unix::ffi::OsStrExt;
    let folder = TempDir::new().expect("folder");
    fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"b\xff")), "").expect("file is written");
    fs::write(folder.path().join("a"), "").expect("file is written");
    let entries = files::read_directory(&root(folder.path(), Access::Read), 10).expect("a listing");
    assert!(entries[0].as_ref().is_ok_and(|entry| entry.name == "a"));
    assert_eq!(entries[1].as_ref().map(|entry| entry.name.clone()), Err(&ErrorCode::IllegalByteSequence));
}
