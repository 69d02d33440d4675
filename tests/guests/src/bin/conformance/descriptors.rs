//! `wasi:filesystem` itself, where the standard library does not show it.

use wasip2::clocks::wall_clock::Datetime;
use wasip2::filesystem::{
    preopens::get_directories,
    types::{Advice, Descriptor, DescriptorFlags, DescriptorType, NewTimestamp, OpenFlags, PathFlags},
};

use crate::{
    streams::file,
    tell::{answered, called},
};

/// Returns a descriptor of `.`.
pub fn root() -> Descriptor {
    let found = get_directories().into_iter().find(|(_, path)| path == ".");
    found.expect("a folder is mounted on .").0
}

const FOLLOW: PathFlags = PathFlags::SYMLINK_FOLLOW;

pub fn descriptors() {
    let (first, second) = (root(), root());
    println!("{:?}", get_directories().iter().map(|(_, path)| path).collect::<Vec<_>>());
    println!("same {}", first.is_same_object(&second));
    drop(first);
    answered("type", second.get_type());
    answered("flags", second.get_flags());
    opening(&second);
    files(&second);
    hashes(&second);
    folders(&second);
}

fn opening(root: &Descriptor) {
    let _ = root.create_directory_at("dir");
    let all = DescriptorFlags::READ | DescriptorFlags::WRITE | DescriptorFlags::MUTATE_DIRECTORY;
    let sync = DescriptorFlags::FILE_INTEGRITY_SYNC;
    for (path, how) in ["opened", "dir", "none/x", "."].iter().flat_map(|path| (0..16_u8).map(move |how| (path, how))) {
        for what in [
            DescriptorFlags::empty(),
            DescriptorFlags::READ,
            DescriptorFlags::WRITE,
            all,
            sync,
            DescriptorFlags::DATA_INTEGRITY_SYNC,
            DescriptorFlags::REQUESTED_WRITE_SYNC,
            DescriptorFlags::MUTATE_DIRECTORY,
        ] {
            let name = format!("{path} {how:04b} {what:?}");
            let opened = root.open_at(FOLLOW, path, OpenFlags::from_bits_truncate(how), what);
            let Some(opened) = called(&name, opened) else { continue };
            println!("  {:?} {:?}", opened.get_type(), opened.get_flags());
            println!("  {:?} {:?}", opened.write(b"xy", 1), opened.read(4, 0));
            println!("  {:?} {:?}", opened.set_size(5), opened.sync());
            println!(
                "  {:?} {:?}",
                opened.open_at(FOLLOW, "x", OpenFlags::empty(), what).map(drop),
                opened.sync_data()
            );
            let _ = root.unlink_file_at("opened");
        }
    }
}

fn files(root: &Descriptor) {
    let file = file("facts");
    answered("write at", file.write(b"0123456789", 5));
    answered("write far", file.write(b"x", u64::MAX));
    answered("write nothing", file.write(b"", 100));
    answered("size", file.stat().map(|stat| (stat.size, stat.type_, stat.link_count)));
    for length in [0, 5, u64::MAX] {
        answered("advise", file.advise(0, length, Advice::WillNeed));
        answered("advise", file.advise(length, 1, Advice::Sequential));
    }
    answered("advise a folder", root.advise(0, 1, Advice::Normal));
    for size in [3, 1 << 63, u64::MAX, 1 << 20] {
        answered("set-size", file.set_size(size));
    }
    let at = |seconds, nanoseconds| NewTimestamp::Timestamp(Datetime { seconds, nanoseconds });
    for time in [
        at(5, 6),
        at(5, 3_000_000_000),
        at(u64::MAX, 0),
        at(u64::MAX, u32::MAX),
        at(1 << 62, 0),
        NewTimestamp::NoChange,
    ] {
        answered("set-times", file.set_times(time, time));
        answered("set-times-at", root.set_times_at(FOLLOW, "facts", time, NewTimestamp::NoChange));
        let stat = file.stat().expect("the file is there");
        println!("{:?} {:?}", stat.data_access_timestamp, stat.data_modification_timestamp);
    }
    answered("on a file", file.stat_at(FOLLOW, "x"));
    answered("on a file", file.create_directory_at("x"));
    answered("on a file", file.readlink_at("x"));
    called("on a file", file.read_directory());
    answered("read a folder", root.read(1, 0));
    answered("write a folder", root.write(b"x", 0));
    answered("size of a folder", root.set_size(0));
}

fn hashes(root: &Descriptor) {
    let (one, other) = (file("one"), file("other"));
    let same = |left: Result<_, _>, right: Result<_, _>| {
        let pair = left.ok().zip(right.ok());
        pair.map(
            |(left, right): (
                wasip2::filesystem::types::MetadataHashValue,
                wasip2::filesystem::types::MetadataHashValue,
            )| { (left.lower, left.upper) == (right.lower, right.upper) },
        )
    };
    let again = root.open_at(FOLLOW, "one", OpenFlags::empty(), DescriptorFlags::READ).expect("it opens");
    println!(
        "{:?} {:?}",
        same(one.metadata_hash(), one.metadata_hash()),
        same(one.metadata_hash(), other.metadata_hash())
    );
    println!("{:?}", same(one.metadata_hash(), root.metadata_hash_at(FOLLOW, "one")));
    let before = one.metadata_hash();
    one.write(b"x", 0).expect("the write is taken");
    println!("changed {:?}", same(before, one.metadata_hash()));
    println!("{} {} {}", one.is_same_object(&again), one.is_same_object(&other), one.is_same_object(root));
    println!("{:?}", root.metadata_hash_at(FOLLOW, "none").err());
    answered("link", root.link_at(PathFlags::empty(), "one", root, "hard"));
    let linked = root.open_at(FOLLOW, "hard", OpenFlags::empty(), DescriptorFlags::READ).expect("it opens");
    println!("{} {:?}", linked.is_same_object(&one), one.stat().map(|stat| stat.link_count));
}

fn folders(root: &Descriptor) {
    root.create_directory_at("listed").expect("the folder is new");
    let listed = root.open_at(FOLLOW, "listed", OpenFlags::DIRECTORY, DescriptorFlags::READ).expect("it opens");
    for name in ["b", "a", "\u{e9}", "A"] {
        listed.create_directory_at(name).expect("the folder is new");
    }
    let listing = listed.read_directory().expect("it is listed");
    listed.remove_directory_at("A").expect("the folder is there");
    let mut found: Vec<(String, DescriptorType)> = Vec::new();
    while let Ok(Some(entry)) = listing.read_directory_entry() {
        found.push((entry.name, entry.type_));
    }
    println!("at the end {:?} {:?}", listing.read_directory_entry().is_ok(), listing.read_directory_entry().is_ok());
    found.sort_by(|one, other| one.0.cmp(&other.0));
    println!("{found:?}");
    answered("remove while open", root.remove_directory_at("listed"));
    for name in ["b", "a", "\u{e9}"] {
        answered("remove", listed.remove_directory_at(name));
    }
    answered("remove", root.remove_directory_at("listed"));
    answered("make in what is gone", listed.create_directory_at("x"));
    called("list what is gone", listed.read_directory());
    println!("{:?}", listed.stat().map(|stat| stat.type_));
}

/// Links and renames between descriptors, with every flag.
pub fn links() {
    let root = root();
    root.create_directory_at("a").expect("the folder is new");
    root.create_directory_at("b").expect("the folder is new");
    let open = |path| root.open_at(FOLLOW, path, OpenFlags::DIRECTORY, DescriptorFlags::READ).expect("it opens");
    let (a, b) = (open("a"), open("b"));
    let file = a.open_at(FOLLOW, "file", OpenFlags::CREATE, DescriptorFlags::WRITE).expect("it opens");
    for flags in [PathFlags::empty(), FOLLOW] {
        answered("link", a.link_at(flags, "file", &b, "linked"));
        answered("link out", a.link_at(flags, "../a/file", &b, "out"));
        answered("link a folder", root.link_at(flags, "a", &b, "folder"));
        answered("link to a file", a.link_at(flags, "file", &file, "x"));
    }
    for target in ["file", "../a/file", "/a/file", "", "..", "../..", "../../x", "none"] {
        answered(target, a.symlink_at(target, "soft"));
        answered("readlink", a.readlink_at("soft"));
        called("open", a.open_at(FOLLOW, "soft", OpenFlags::empty(), DescriptorFlags::READ));
        called("open not following", a.open_at(PathFlags::empty(), "soft", OpenFlags::empty(), DescriptorFlags::READ));
        called("create through", a.open_at(FOLLOW, "soft", OpenFlags::CREATE, DescriptorFlags::WRITE));
        called(
            "exclusive",
            a.open_at(FOLLOW, "soft", OpenFlags::CREATE | OpenFlags::EXCLUSIVE, DescriptorFlags::WRITE),
        );
        answered("type", a.stat_at(FOLLOW, "soft").map(|stat| stat.type_));
        answered("own type", a.stat_at(PathFlags::empty(), "soft").map(|stat| stat.type_));
        answered("from above", root.stat_at(FOLLOW, "a/soft").map(|stat| stat.type_));
        answered("remove as folder", a.remove_directory_at("soft"));
        answered("remove", a.unlink_file_at("soft"));
    }
    answered("rename", a.rename_at("file", &b, "moved"));
    answered("rename over", a.rename_at("none", &b, "moved"));
    answered("rename a folder away", root.rename_at("b", &a, "b"));
    answered("still there", b.stat_at(FOLLOW, "moved").map(|stat| stat.type_));
    answered("into itself", root.rename_at("a", &b, "a"));
    answered("out", b.rename_at("moved", &b, "../../../moved"));
    called("out", b.open_at(FOLLOW, "../..", OpenFlags::DIRECTORY, DescriptorFlags::READ));
}
