//! `files`: files and folders, through the standard library. Paths are as the guest sees them.
//!
//! | arguments | prints |
//! |---|---|
//! | `write PATH TEXT` | a line per step, as all of the following do: `STEP: ok` or `STEP: KIND` |
//! | `append PATH TEXT` | |
//! | `read PATH` | the step, and the text |
//! | `list PATH` | the step, and the names in order, a folder's with a slash |
//! | `stat PATH` | the step, and `file` or `folder` or `other`, the length and the seconds since 1970 it was changed |
//! | `every FOLDER` | every operation there is, in a new folder `every` below it, which is removed again |
//! | `refused FOLDER` | every operation that changes something, on a folder that holds `a.txt` and the folder `sub` |
//! | `escape FOLDER` | ways out of a mount: `..`, absolute paths, symbolic links |
//! | `across FROM TO` | renames and links from one mount to another; `FROM` holds `a.txt` |
//! | `many FOLDER COUNT` | after creating as many files `f0`, `f1`, ... |
//! | `grow PATH BYTES` | after writing as many bytes, 64 KiB at a time |
//! | `size PATH BYTES` | after setting a file's length |

use std::{
    fs::{self, File, FileTimes, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use guests::{arguments, number, step, usage};

fn main() {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["write", path, text] => drop(step("write", fs::write(path, text))),
        ["append", path, text] => drop(step("append", append(path.as_ref(), text))),
        ["read", path] => show("read", fs::read_to_string(path)),
        ["list", path] => show("list", list(path.as_ref())),
        ["stat", path] => show("stat", stat(path.as_ref())),
        ["every", folder] => every(&Path::new(folder).join("every")),
        ["refused", folder] => refused(folder.as_ref()),
        ["escape", folder] => escape(folder.as_ref()),
        ["across", from, to] => across(from.as_ref(), to.as_ref()),
        ["many", folder, count] => drop(step("many", many(folder.as_ref(), number(count)))),
        ["grow", path, bytes] => drop(step("grow", grow(path.as_ref(), number(bytes)))),
        ["size", path, bytes] => drop(step("size", File::create(path).and_then(|file| file.set_len(number(bytes))))),
        _ => usage("files write|append|read|list|stat|every|refused|escape|across|many|grow|size ..."),
    }
}

fn show(name: &str, outcome: io::Result<String>) {
    if let Some(text) = step(name, outcome) {
        println!("{text}");
    }
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(path)?.write_all(text.as_bytes())
}

fn list(path: &Path) -> io::Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let slash = if entry.file_type()?.is_dir() { "/" } else { "" };
        names.push(format!("{}{slash}", entry.file_name().to_string_lossy()));
    }
    names.sort();
    Ok(names.join("\n"))
}

fn stat(path: &Path) -> io::Result<String> {
    let metadata = fs::symlink_metadata(path)?;
    let kind = if metadata.is_file() { "file" } else { "folder" };
    let kind = if metadata.is_file() || metadata.is_dir() { kind } else { "other" };
    let changed = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Ok(format!("{kind} {} {changed}", metadata.len()))
}

#[expect(deprecated, reason = "the only stable way to make a symbolic link that compiles for WASI")]
fn symlink(target: impl AsRef<Path>, link: &Path) -> io::Result<()> {
    fs::soft_link(target, link)
}

fn every(folder: &Path) {
    let (a, b) = (folder.join("a.txt"), folder.join("b.txt"));
    step("mkdir", fs::create_dir(folder));
    step("mkdir again", fs::create_dir(folder));
    step("write", fs::write(&a, "0123456789"));
    step("create new over old", File::create_new(&a));
    step("append", append(&a, "abcdef"));
    show("read", fs::read_to_string(&a));
    show("seek", seek(&a));
    step("truncate", OpenOptions::new().write(true).open(&a).and_then(|file| file.set_len(4)));
    step("sync", File::open(&a).and_then(|file| file.sync_all()));
    let times = FileTimes::new().set_modified(UNIX_EPOCH + Duration::from_secs(1_000_000_000));
    step("times", OpenOptions::new().write(true).open(&a).and_then(|file| file.set_times(times)));
    show("stat", stat(&a));
    step("hardlink", fs::hard_link(&a, &b));
    step("symlink", symlink("a.txt", &folder.join("soft")));
    show("readlink", fs::read_link(folder.join("soft")).map(|path| path.display().to_string()));
    show("read through symlink", fs::read_to_string(folder.join("soft")));
    show("list", list(folder));
    step("rename", fs::rename(&b, folder.join("c.txt")));
    step("rename over", fs::rename(folder.join("c.txt"), &a));
    step("rename nothing", fs::rename(folder.join("gone"), &b));
    step("rmdir of a full folder", fs::remove_dir(folder));
    step("unlink a folder", fs::remove_file(folder));
    step("unlink symlink", fs::remove_file(folder.join("soft")));
    step("unlink", fs::remove_file(&a));
    step("unlink again", fs::remove_file(&a));
    step("read nothing", fs::read(&a));
    // The name that a rename over another hard link of the same file leaves in place.
    let _ = fs::remove_file(folder.join("c.txt"));
    step("rmdir", fs::remove_dir(folder));
}

/// Reads and writes at several places of a file, and returns what it holds then.
fn seek(path: &Path) -> io::Result<String> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut bytes = [0; 2];
    file.seek(SeekFrom::Start(4))?;
    file.read_exact(&mut bytes)?;
    file.seek(SeekFrom::End(-2))?;
    file.write_all(&bytes)?;
    file.seek(SeekFrom::Current(-16))?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

fn refused(folder: &Path) {
    let a = folder.join("a.txt");
    show("read", fs::read_to_string(&a));
    step("write", fs::write(&a, "x"));
    step("append", append(&a, "x"));
    step("truncate", OpenOptions::new().write(true).truncate(true).open(&a));
    step("create", File::create(folder.join("new.txt")));
    step("create new", File::create_new(folder.join("new.txt")));
    step("mkdir", fs::create_dir(folder.join("new")));
    step("rmdir", fs::remove_dir(folder.join("sub")));
    step("unlink", fs::remove_file(&a));
    step("rename", fs::rename(&a, folder.join("b.txt")));
    step("hardlink", fs::hard_link(&a, folder.join("b.txt")));
    step("symlink", symlink("a.txt", &folder.join("soft")));
    let times = FileTimes::new().set_modified(UNIX_EPOCH);
    step("times", File::open(&a).and_then(|file| file.set_times(times)));
    step("set length", File::open(&a).and_then(|file| file.set_len(0)));
    step("write through a reader", File::open(&a).and_then(|mut file| file.write_all(b"x")));
}

fn escape(folder: &Path) {
    for path in ["..", "../..", "sub/../../x", "./../x", "../../../../../../etc/passwd"] {
        show(&format!("read {path}"), fs::read_to_string(folder.join(path)));
        step(&format!("write {path}"), fs::write(folder.join(path), "escaped"));
    }
    step("list ..", list(&folder.join("..")));
    show("read /etc/passwd", fs::read_to_string("/etc/passwd"));
    step("write /tmp/escaped", fs::write("/tmp/escaped", "escaped"));
    step("mkdir ../x", fs::create_dir(folder.join("../x")));
    step("rename to ..", fs::rename(folder.join("a.txt"), folder.join("../a.txt")));
    step("hardlink to ..", fs::hard_link(folder.join("a.txt"), folder.join("../a.txt")));
    step("path with a zero byte", fs::read(folder.join("a\0b")));
    step("empty path", fs::read(""));
    step("long path", fs::read(folder.join("x/".repeat(100_000))));
    for (name, target) in [("out", ".."), ("out2", "../../etc"), ("abs", "/etc"), ("self", "self")] {
        let link = folder.join(name);
        step(&format!("symlink to {target}"), symlink(target, &link));
        step(&format!("list through {name}"), list(&link));
        show(&format!("read through {name}"), fs::read_to_string(link.join("passwd")));
        step(&format!("write through {name}"), fs::write(link.join("escaped"), "escaped"));
        let _ = fs::remove_file(&link);
    }
    planted(folder);
}

/// Follows links that someone put there before the run, if any: `planted-abs`, `planted-up` and `planted-file`.
fn planted(folder: &Path) {
    for name in ["planted-abs", "planted-up"] {
        step(&format!("list through {name}"), list(&folder.join(name)));
        step(&format!("write through {name}"), fs::write(folder.join(name).join("escaped"), "escaped"));
    }
    show("read through planted-file", fs::read_to_string(folder.join("planted-file")));
    step("write through planted-file", fs::write(folder.join("planted-file"), "escaped"));
    step("rename over planted-file", fs::rename(folder.join("a.txt"), folder.join("planted-file")));
}

fn across(from: &Path, to: &Path) {
    step("hardlink", fs::hard_link(from.join("a.txt"), to.join("linked.txt")));
    let back = Path::new("..").join(from.strip_prefix("/").unwrap_or(from)).join("a.txt");
    step("symlink", symlink(&back, &to.join("soft")));
    show("read through symlink", fs::read_to_string(to.join("soft")));
    step("copy", fs::copy(from.join("a.txt"), to.join("copied.txt")));
    step("rename", fs::rename(from.join("a.txt"), to.join("moved.txt")));
}

fn many(folder: &Path, count: u32) -> io::Result<()> {
    (0..count).try_for_each(|n| File::create(folder.join(format!("f{n}"))).map(drop))
}

fn grow(path: &Path, bytes: u64) -> io::Result<()> {
    let mut file = File::create(path)?;
    let chunk = vec![b'x'; 64 * 1024];
    let mut left = bytes;
    while left > 0 {
        let part = left.min(chunk.len() as u64);
        file.write_all(&chunk[..part as usize])?;
        left -= part;
    }
    Ok(())
}
