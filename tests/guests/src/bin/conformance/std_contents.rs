//! What files hold, through `std::fs::File`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, IoSlice, IoSliceMut, Read as _, Seek as _, SeekFrom, Write as _},
};

use crate::tell::{tell, told};

pub fn contents() {
    positions();
    appending();
    two_handles();
    lengths();
    large();
    vectored();
    copying();
}

fn both(path: &str) -> File {
    OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path).expect("the file opens")
}

fn positions() {
    let mut file = both("positions");
    tell("write", file.write_all(b"0123456789"));
    for seek in [
        SeekFrom::Start(3),
        SeekFrom::Current(4),
        SeekFrom::Current(-7),
        SeekFrom::End(-2),
        SeekFrom::End(5),
        SeekFrom::Current(i64::MIN),
        SeekFrom::Start(u64::MAX),
        SeekFrom::Start(i64::MAX as u64),
        SeekFrom::End(-20),
    ] {
        tell(&format!("{seek:?}"), file.seek(seek));
        let mut two = [b'.'; 2];
        tell("  read", file.read(&mut two));
        println!("  {two:?}");
    }
    tell("rewind", file.rewind());
    tell("hole", file.seek(SeekFrom::Start(100_000)).and_then(|_| file.write_all(b"end")));
    let bytes = fs::read("positions").expect("the file is there");
    println!("{} bytes, {} zeroes", bytes.len(), bytes.iter().filter(|byte| **byte == 0).count());
    tell("far write", file.seek(SeekFrom::Start(1 << 62)).and_then(|_| file.write(b"x")));
    tell("empty write", file.write(b""));
    tell("empty read", file.read(&mut []));
    tell("read at the end", file.seek(SeekFrom::End(0)).and_then(|_| file.read(&mut [0; 8])));
    tell("read exactly", file.read_exact(&mut [0; 8]));
}

fn appending() {
    fs::write("log", "one\n").expect("the file is new");
    let mut file = OpenOptions::new().append(true).read(true).open("log").expect("the file opens");
    tell("append", file.write_all(b"two\n"));
    tell("seek", file.rewind());
    tell("append", file.write_all(b"three\n"));
    tell("position", file.stream_position());
    let mut text = String::new();
    tell("read", file.rewind().and_then(|()| file.read_to_string(&mut text)));
    let mut other = OpenOptions::new().append(true).open("log").expect("the file opens");
    tell("append", other.write_all(b"four\n").and_then(|()| file.write_all(b"five\n")));
    tell("all", fs::read_to_string("log"));
    let lines: Vec<_> = BufReader::new(File::open("log").expect("the file opens")).lines().collect();
    println!("{lines:?}");
}

fn two_handles() {
    let mut writer = both("shared");
    let mut reader = File::open("shared").expect("the file opens");
    let mut bytes = [0; 4];
    tell("read nothing", reader.read(&mut bytes));
    tell("write", writer.write_all(b"later"));
    tell("read what came", reader.read(&mut bytes));
    told("clone", writer.try_clone());
    tell("unlink", fs::remove_file("shared"));
    tell("write on", writer.write_all(b" still"));
    let mut text = String::new();
    tell("read on", reader.read_to_string(&mut text));
    println!("{text:?}");
    tell("length", writer.metadata().map(|metadata| metadata.len()));
    let reader = File::open("log").expect("the file opens");
    tell("write to a reader", (&reader).write(b"x"));
    tell("set_len of a reader", reader.set_len(1));
    let writer = OpenOptions::new().write(true).open("log").expect("the file opens");
    tell("read from a writer", (&writer).read(&mut [0; 4]));
}

fn lengths() {
    let mut file = both("lengths");
    for length in [0, 5, 100_000, 3, 1 << 35, 0, u64::MAX, 1 << 63, 7] {
        tell(&format!("set_len {length}"), file.set_len(length));
        tell("length", file.metadata().map(|metadata| metadata.len()));
    }
    let mut bytes = Vec::new();
    tell("zeroes", file.read_to_end(&mut bytes));
    println!("{bytes:?}");
    told("read a folder", fs::read("."));
    told("open a folder and read", File::open(".").and_then(|mut dir| dir.read(&mut [0; 4])));
    told("open a folder and seek", File::open(".").and_then(|mut dir| dir.seek(SeekFrom::Start(1))));
    told("open a folder and sync", File::open(".").and_then(|dir| dir.sync_all()));
    told("write a folder", fs::write(".", "x"));
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length as u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).take(length).collect()
}

fn large() {
    for length in [4095, 4096, 4097, 65_535, 65_536, 65_537, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20] {
        let bytes = pattern(length);
        tell(&format!("write {length}"), fs::write("large", &bytes));
        println!("same: {:?}", fs::read("large").map(|read| read == bytes).map_err(|error| error.kind()));
        let mut file = File::open("large").expect("the file opens");
        let mut piece = vec![0; length];
        tell("one read", file.read(&mut piece));
        tell("position", file.stream_position());
        let mut file = OpenOptions::new().append(true).open("large").expect("the file opens");
        tell("one write", file.write(&bytes));
        tell("length", file.metadata().map(|metadata| metadata.len()));
    }
}

fn vectored() {
    let mut file = both("vectored");
    tell("write", file.write_vectored(&[IoSlice::new(b""), IoSlice::new(b"ab"), IoSlice::new(b"cde")]));
    tell("rewind", file.rewind());
    let (mut one, mut other) = ([b'.'; 2], [b'.'; 2]);
    tell("read", file.read_vectored(&mut [IoSliceMut::new(&mut one), IoSliceMut::new(&mut other)]));
    println!("{one:?} {other:?}");
}

fn copying() {
    fs::write("from", pattern(200_000)).expect("the file is new");
    tell("copy", fs::copy("from", "to"));
    println!("{}", fs::read("from").ok() == fs::read("to").ok());
    told("copy nothing", fs::copy("nothing", "to"));
    told("copy a folder", fs::copy(".", "to"));
    tell("copy onto itself", fs::copy("to", "to"));
    let copied = io::copy(&mut File::open("from").expect("it opens"), &mut File::create("to").expect("it opens"));
    tell("io::copy", copied);
}
