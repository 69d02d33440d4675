//! What the standard library tells about files, and which names it takes.

use std::{
    fs::{self, File, FileTimes, OpenOptions},
    io,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{
    std_tree::symlink,
    tell::{tell, told},
};

fn prepare() {
    fs::create_dir_all("f/dir/sub").expect("the folder is new");
    fs::write("f/file", "text").expect("the file is new");
    for (target, link) in [("file", "f/to-file"), ("dir", "f/to-dir"), ("none", "f/to-none"), ("loop", "f/loop")] {
        symlink(target, link).expect("the link is new");
    }
    symlink("../file", "f/dir/up").expect("the link is new");
    symlink("../../..", "f/dir/out").expect("the link is new");
}

pub fn facts() {
    prepare();
    for path in [
        ".",
        "f",
        "f/file",
        "f/dir",
        "f/none",
        "f/to-file",
        "f/to-dir",
        "f/to-none",
        "f/loop",
        "f/dir/up",
        "f/dir/out",
        "f/dir/out/x",
        "f/file/",
        "f/to-file/",
        "f/to-dir/",
        "f/to-dir/sub",
        "f/file/x",
    ] {
        println!("{path}");
        tell("  metadata", fs::metadata(path).map(|found| fact(&found)));
        tell("  symlink_metadata", fs::symlink_metadata(path).map(|found| fact(&found)));
        tell("  read_link", fs::read_link(path));
        tell("  canonicalize", fs::canonicalize(path));
        tell("  exists", fs::exists(path));
        tell("  read_dir", listed(path));
        tell("  read", fs::read_to_string(path));
        tell("  set_permissions", fs::metadata(path).and_then(|found| fs::set_permissions(path, found.permissions())));
    }
    times();
}

fn fact(found: &fs::Metadata) -> String {
    let kind = found.file_type();
    let length = if kind.is_file() { found.len() } else { 0 };
    let known = found.modified().is_ok() && found.accessed().is_ok();
    format!(
        "{} {} {} {length} {known} {}",
        kind.is_file(),
        kind.is_dir(),
        kind.is_symlink(),
        found.permissions().readonly()
    )
}

fn listed(path: &str) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        names.push(format!("{:?} {:?} {:?}", entry.file_name(), entry.path(), entry.file_type()?.is_dir()));
    }
    names.sort();
    Ok(names)
}

fn times() {
    let file = OpenOptions::new().write(true).open("f/file").expect("the file opens");
    for time in
        [UNIX_EPOCH, UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789), UNIX_EPOCH + Duration::from_secs(1 << 33)]
    {
        tell("set_times", file.set_times(FileTimes::new().set_modified(time).set_accessed(time)));
        let found = fs::metadata("f/file").expect("the file is there");
        println!("{:?} {:?}", found.modified().ok() == Some(time), found.accessed().ok() == Some(time));
    }
    tell("set_modified", file.set_modified(UNIX_EPOCH + Duration::from_secs(5)));
    let accessed = fs::metadata("f/file").and_then(|found| found.accessed());
    println!("{:?}", accessed.map(|time| time == UNIX_EPOCH + Duration::from_secs(1 << 33)).ok());
    tell("set_times of a reader", File::open("f/file").and_then(|file| file.set_modified(UNIX_EPOCH)));
    tell("set_times of a folder", File::open("f/dir").and_then(|file| file.set_modified(UNIX_EPOCH)));
    tell("far away", file.set_modified(UNIX_EPOCH + Duration::from_secs(u64::MAX / 4)));
    let now = SystemTime::now();
    fs::write("f/new", "").expect("the file is new");
    let modified = fs::metadata("f/new").and_then(|found| found.modified()).expect("it has a time");
    let apart = modified.duration_since(now).unwrap_or_else(|error| error.duration());
    println!("new files are as old as the clock says: {}", apart < Duration::from_secs(60));
}

pub fn names() {
    prepare();
    let long = "n".repeat(255);
    let longer = "n".repeat(256);
    let deep = "d/".repeat(2_500);
    let paths = [
        "",
        "/",
        "//",
        "./",
        "./.",
        "..",
        "../",
        "../x",
        "/x",
        "/etc/passwd",
        "f/",
        "f//file",
        "f/./file",
        "f/../f/file",
        "f/dir/../../f/file",
        "f/dir/../../../x",
        "f/to-dir/../file",
        "f/none/../file",
        "f/file/../file",
        "a\\b",
        "a b",
        "\u{e9}",
        "e\u{301}",
        "\u{1f600}",
        "-",
        "~",
        "*",
        "a\nb",
        "a\tb",
        "a\u{1}b",
        "nul\0byte",
        ".hidden",
        "...",
        "trailing.",
        "C:",
        "con",
        &long,
        &longer,
        &deep,
    ];
    for path in paths {
        println!("{:?}", &path.chars().take(40).collect::<String>());
        told("  write", fs::write(path, "x"));
        tell("  read", fs::read_to_string(path));
        tell("  create_dir", fs::create_dir(path));
        tell("  metadata", fs::metadata(path).map(|found| fact(&found)));
        tell("  rename", fs::rename(path, "f/renamed"));
        tell("  remove", fs::remove_file("f/renamed"));
        tell("  symlink", symlink("f/file", path));
        tell("  symlink to it", symlink(path, "f/linked"));
        tell("  link", fs::read_link("f/linked"));
        let _ = fs::remove_file("f/linked");
        let _ = fs::remove_file(path);
    }
    tell("all", listed("."));
}
