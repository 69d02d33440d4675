//! Every call, on every awkward path, in both accesses: the answer and what is on the disk afterwards must be
//! wasmtime's.

use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{DescriptorFlags, NewTimestamp, OpenFlags, PathFlags};

use super::super::Access;
use super::folders::Folders;
use super::read_write;
use super::world::Call;

const ACCESSES: [Access; 2] = [Access::Read, Access::ReadWrite];

fn paths() -> Vec<String> {
    let mut paths: Vec<String> = [
        "",
        ".",
        "./",
        "..",
        "../",
        "/",
        "//",
        "file",
        "file/",
        "file/.",
        "./file",
        "/file",
        "dir",
        "dir/",
        "dir//",
        "dir/.",
        "dir/..",
        "dir/../file",
        "dir/../..",
        "dir/../../file",
        "dir/inner",
        "dir//inner",
        "dir/sub",
        "dir/up",
        "empty",
        "empty/",
        "missing",
        "missing/",
        "missing/x",
        "file/x",
        "link",
        "link/",
        "dirlink",
        "dirlink/",
        "dirlink/inner",
        "dirlink/..",
        "dangling",
        "dangling/",
        "loop",
        "loop/x",
        "parent",
        "parent/x",
        "outside",
        "absolute",
        "absolute/",
        "../x",
        "/etc/passwd",
        "a\0b",
        "grün",
    ]
    .map(String::from)
    .into();
    paths.extend(["n".repeat(255), "n".repeat(256), "d/".repeat(2500), "./".repeat(2500)]);
    paths
}

fn follows() -> [PathFlags; 2] {
    [PathFlags::empty(), PathFlags::SYMLINK_FOLLOW]
}

fn at(seconds: u64, nanoseconds: u32) -> NewTimestamp {
    NewTimestamp::Timestamp(Datetime { seconds, nanoseconds })
}

/// Everything that can be asked of a descriptor.
fn questions(one: usize) -> Vec<Call> {
    let early = at(1_000, 2_500_000_000);
    vec![
        Call::GetFlags(one),
        Call::GetType(one),
        Call::Stat(one),
        Call::Read(one, 5, 0),
        Call::Read(one, 0, 0),
        Call::Read(one, 100, 6),
        Call::Read(one, u64::MAX, 11),
        Call::Read(one, 1, u64::MAX),
        Call::Advise(one, 0, 0),
        Call::Advise(one, u64::MAX, 1),
        Call::Advise(one, 0, u64::MAX),
        Call::Sync(one),
        Call::SyncData(one),
        Call::SameObject(one, 0),
        Call::SameHash(one, 0, PathFlags::empty(), "file".into()),
        Call::ReadViaStream(one),
        Call::WriteViaStream(one),
        Call::AppendViaStream(one),
        Call::ReadDirectory(one),
        Call::SetTimes(one, NewTimestamp::NoChange, NewTimestamp::NoChange),
        Call::SetTimes(one, NewTimestamp::Now, early),
        Call::Stat(one),
        Call::SetTimes(one, at(u64::MAX, u32::MAX), early),
        Call::SetTimes(one, at(u64::MAX, 0), early),
        Call::Write(one, b"HE".into(), 0),
        Call::Write(one, Vec::new(), 0),
        Call::Write(one, b"!".into(), 20),
        Call::Write(one, b"!".into(), u64::MAX),
        Call::SetSize(one, 3),
        Call::SetSize(one, 30),
        Call::SetSize(one, u64::MAX),
        Call::Stat(one),
        Call::StatAt(one, PathFlags::empty(), ".".into()),
        Call::CreateDirectory(one, "made".into()),
        Call::Open(one, PathFlags::empty(), "..".into(), OpenFlags::empty(), DescriptorFlags::READ),
    ]
}

#[test]
fn opening_answers_as_wasmtime() {
    let mut folders = Folders::new();
    let bits = [OpenFlags::CREATE, OpenFlags::DIRECTORY, OpenFlags::EXCLUSIVE, OpenFlags::TRUNCATE];
    let modes = [
        DescriptorFlags::empty(),
        DescriptorFlags::READ,
        DescriptorFlags::WRITE,
        read_write(),
        DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY,
        DescriptorFlags::READ | DescriptorFlags::FILE_INTEGRITY_SYNC,
    ];
    for (path, follow) in paths().iter().flat_map(|path| follows().map(|follow| (path, follow))) {
        for choice in 0..16_u8 {
            let mut open_flags = OpenFlags::empty();
            for (index, bit) in bits.iter().enumerate() {
                if choice & (1 << index) != 0 {
                    open_flags |= *bit;
                }
            }
            let usual = matches!(path.as_str(), "file" | "dir" | "missing" | "link" | "dirlink/" | "dangling" | "..");
            for mode in if usual { &modes[..] } else { &modes[1..3] } {
                let script = [
                    Call::Open(0, follow, path.clone(), open_flags, *mode),
                    Call::GetFlags(1),
                    Call::GetType(1),
                    Call::Write(1, b"x".into(), 0),
                    Call::Read(1, 9, 0),
                ];
                // A refusal to write comes before the path matters, so a few paths show it.
                folders.check(Access::ReadWrite, &script);
                if usual {
                    folders.check(Access::Read, &script);
                }
            }
        }
    }
}

#[test]
fn descriptors_answer_as_wasmtime() {
    let mut folders = Folders::new();
    let modes = [DescriptorFlags::READ, DescriptorFlags::WRITE, read_write()];
    for access in ACCESSES {
        folders.check(access, &questions(0));
        for (path, mode) in
            ["file", "dir", "dirlink", "dir/up", "."].iter().flat_map(|path| modes.map(|mode| (*path, mode)))
        {
            let open = Call::Open(0, PathFlags::SYMLINK_FOLLOW, path.into(), OpenFlags::empty(), mode);
            let mut script = vec![open];
            script.extend(questions(1));
            folders.check(access, &script);
        }
    }
}

#[test]
fn paths_answer_as_wasmtime() {
    let mut folders = Folders::new();
    for (access, path) in ACCESSES.iter().flat_map(|access| paths().into_iter().map(move |path| (*access, path))) {
        for follow in follows() {
            folders.check(access, &[Call::StatAt(0, follow, path.clone()), Call::SameHash(0, 0, follow, path.clone())]);
            let (early, unchanged) = (at(77, 5), NewTimestamp::NoChange);
            for (accessed, modified) in [(early, early), (unchanged, early), (NewTimestamp::Now, unchanged)] {
                let set = Call::SetTimesAt(0, follow, path.clone(), accessed, modified);
                folders.check(access, &[set, Call::StatAt(0, follow, path.clone())]);
            }
        }
        folders.check(access, &[Call::Readlink(0, path.clone())]);
        folders.check(access, &[Call::CreateDirectory(0, path.clone()), Call::ReadDirectory(0)]);
        folders.check(access, &[Call::RemoveDirectory(0, path.clone()), Call::ReadDirectory(0)]);
        folders.check(access, &[Call::Unlink(0, path.clone()), Call::ReadDirectory(0)]);
        folders.check(access, &[Call::Symlink(0, path.clone(), "new".into()), Call::Readlink(0, "new".into())]);
        folders.check(access, &[Call::Symlink(0, "file".into(), path.clone()), Call::ReadDirectory(0)]);
    }
}

#[test]
fn pairs_of_paths_answer_as_wasmtime() {
    let mut folders = Folders::new();
    let short = |path: &String| path.len() < 300 && !path.starts_with("./");
    for old in paths().into_iter().filter(short) {
        for new in paths().into_iter().filter(short).step_by(2) {
            folders.check(Access::ReadWrite, &[Call::Rename(0, old.clone(), 0, new.clone())]);
            folders.check(Access::ReadWrite, &[Call::Link(0, PathFlags::empty(), old.clone(), 0, new.clone())]);
        }
        for access in ACCESSES {
            folders.check(access, &[Call::Link(0, PathFlags::SYMLINK_FOLLOW, old.clone(), 0, "new".into())]);
            folders.check(access, &[Call::Rename(0, old.clone(), 0, "new".into())]);
        }
    }
}

#[test]
fn calls_between_directories_and_on_files_answer_as_wasmtime() {
    let mut folders = Folders::new();
    let open = |path: &str| Call::Open(0, PathFlags::empty(), path.into(), OpenFlags::empty(), DescriptorFlags::READ);
    for last in [
        Call::Rename(1, "inner".into(), 2, "moved".into()),
        Call::Rename(1, "sub".into(), 2, "moved/".into()),
        Call::Rename(0, "dir".into(), 1, "sub/below-itself".into()),
        Call::Rename(0, "file".into(), 3, "x".into()),
        Call::Link(1, PathFlags::empty(), "inner".into(), 2, "again".into()),
        Call::Link(3, PathFlags::empty(), "x".into(), 0, "y".into()),
        Call::StatAt(1, PathFlags::SYMLINK_FOLLOW, "up".into()),
        Call::StatAt(3, PathFlags::empty(), "x".into()),
        Call::SetTimesAt(3, PathFlags::empty(), "x".into(), at(u64::MAX, 0), NewTimestamp::Now),
        Call::Readlink(3, "x".into()),
        Call::Open(3, PathFlags::empty(), "x".into(), OpenFlags::CREATE, DescriptorFlags::FILE_INTEGRITY_SYNC),
        Call::ReadDirectory(1),
    ] {
        for access in ACCESSES {
            folders.check(access, &[open("dir"), open("empty"), open("file"), last.clone()]);
        }
    }
}
