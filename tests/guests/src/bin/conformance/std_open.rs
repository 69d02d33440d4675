//! `std::fs::OpenOptions`: every way to open, on everything there is to open, and what the file then lets one do.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
};

use crate::{std_tree::symlink, tell::told};

/// What is opened: a file, a folder, nothing, a link to each, a link to itself, and odd spellings.
const PATHS: [&str; 12] = [
    "m/file",
    "m/dir",
    "m/none",
    "m/to-file",
    "m/to-dir",
    "m/to-none",
    "m/loop",
    "m/file/",
    "m/dir/",
    "m/file/x",
    "m/none/x",
    "m/dir/../file",
];

pub fn open() {
    for bits in 0..64_u8 {
        for path in PATHS {
            prepare();
            one(bits, path);
        }
    }
}

fn prepare() {
    let _ = fs::remove_dir_all("m");
    fs::create_dir_all("m/dir").expect("the folder is new");
    fs::write("m/file", "0123456789").expect("the file is new");
    for (target, link) in [("file", "m/to-file"), ("dir", "m/to-dir"), ("none", "m/to-none"), ("loop", "m/loop")] {
        symlink(target, link).expect("the link is new");
    }
}

fn one(bits: u8, path: &str) {
    let bit = |n: u8| bits >> n & 1 == 1;
    let mut options = OpenOptions::new();
    options.read(bit(0)).write(bit(1)).append(bit(2)).truncate(bit(3)).create(bit(4)).create_new(bit(5));
    let name = format!("{bits:06b} {path}");
    if let Some(file) = told(&name, options.open(path)) {
        exercise(file);
        println!("  now {:?}", fs::read(path).map_err(|error| error.kind()));
    }
}

fn exercise(mut file: File) {
    let mut text = [0; 4];
    told("  read", file.read(&mut text));
    told("  write", file.write(b"abc"));
    told("  seek", file.seek(SeekFrom::Start(5)));
    told("  write", file.write(b"X"));
    told("  read", file.read(&mut text));
    println!("  {text:?} at {:?}", file.stream_position().map_err(|error| error.kind()));
    told("  set_len", file.set_len(7));
    told("  sync", file.sync_all().and_then(|()| file.sync_data()));
}
