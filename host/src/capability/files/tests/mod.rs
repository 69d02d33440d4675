//! Tests of the file layer, all in temporary folders.

mod differential;
mod folders;
mod limits;
mod mounts;
mod recovery;
mod wasmtime;
mod world;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

use super::{Access, Descriptor, MountSpec, Mounts, open_at};

/// Fills a folder with one of everything, including links that lead out of it.
fn populate(root: &Path) {
    fs::create_dir_all(root.join("dir/sub")).expect("folder is made");
    fs::create_dir(root.join("empty")).expect("folder is made");
    fs::write(root.join("file"), b"hello world").expect("file is written");
    fs::write(root.join("dir/inner"), b"inner").expect("file is written");
    let links = [
        ("link", "file"),
        ("dirlink", "dir"),
        ("dangling", "nowhere"),
        ("loop", "loop"),
        ("parent", ".."),
        ("outside", "../../etc/passwd"),
        ("absolute", "/etc/passwd"),
        ("dir/up", "../file"),
    ];
    for (name, target) in links {
        symlink(target, root.join(name)).expect("link is made");
    }
}

fn spec(name: &str, guest_path: &str, host_dir: &Path, access: Access) -> MountSpec {
    MountSpec { name: name.into(), guest_path: guest_path.into(), host_dir: host_dir.into(), access }
}

/// Returns a populated folder and its root descriptor.
fn mounted(access: Access) -> (TempDir, Descriptor) {
    let folder = TempDir::new().expect("temporary folder");
    populate(folder.path());
    let root = root(folder.path(), access);
    (folder, root)
}

fn root(path: &Path, access: Access) -> Descriptor {
    let mounts = Mounts::open(vec![spec("work", ".", path, access)]).expect("mount opens");
    mounts.directories().next().expect("one mount").0
}

fn open(dir: &Descriptor, path: &str, open_flags: OpenFlags, flags: DescriptorFlags) -> Result<Descriptor, ErrorCode> {
    open_at(dir, PathFlags::SYMLINK_FOLLOW, path, open_flags, flags)
}

fn read_write() -> DescriptorFlags {
    DescriptorFlags::READ | DescriptorFlags::WRITE
}

/// A fixed now, later than any time that a script sets.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000)
}
