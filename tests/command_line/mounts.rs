//! Mounts on the command line: what may be mounted where, and that nothing outside can be reached through them.

use std::fs;

use crate::binary::{Desk, code};

fn run<'a>(mounts: &[&'a str], args: &[&'a str]) -> Vec<&'a str> {
    let mounts: Vec<_> = mounts.iter().flat_map(|mount| ["--mount", mount]).collect();
    [&["run", "files.wasm"], &mounts[..], &["--"], args].concat()
}

#[test]
fn a_mount_has_to_be_a_folder_of_its_own() {
    let desk = Desk::with(&["files"]);
    desk.folder("data/below");
    desk.folder("other");
    desk.write("file.txt", "text");
    for (mounts, exit, parts) in [
        (&["/data=none"][..], code::NOT_GRANTED, &["none"][..]),
        (&["/data=file.txt"], code::NOT_GRANTED, &["file.txt"]),
        (&["/data=data", "/deep=data/below"], code::NOT_GRANTED, &["data/below"]),
        (&["/data=data", "/again=data"], code::NOT_GRANTED, &["data"]),
        (&["/data=data", "/again=other/../data"], code::NOT_GRANTED, &["data"]),
        (&["/data=data", "/data=other"], code::NOT_GRANTED, &["/data"]),
        (&["/data=data", "/data/below=other"], code::NOT_GRANTED, &["/data"]),
        (&["../up=data"], code::USAGE, &["../up"]),
        (&["/a/../b=data"], code::USAGE, &["/a/../b"]),
    ] {
        desk.remit(&run(mounts, &["list", "/data"])).fails(exit, parts);
    }
    assert_eq!(desk.runs(), 0);
}

/// A guest that could write into the home could forge the journal, and one that could read it would have the key.
#[test]
fn the_home_is_never_mounted() {
    let desk = Desk::with(&["files"]);
    desk.remit(&["identity"]).ends(code::OK);
    let home = desk.home();
    let above = home.parent().expect("a home is in a folder");
    fs::create_dir(home.join("inside")).expect("a folder in the home");
    for folder in [home.as_path(), above, &home.join("inside"), &desk.path("../home")] {
        for access in ["", ":rw"] {
            let mount = format!("/data={}{access}", folder.display());
            desk.remit(&run(&[&mount], &["list", "/data"])).fails(code::NOT_GRANTED, &["holds this host's keys"]);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_mount_through_a_link_is_refused() {
    let desk = Desk::with(&["files"]);
    desk.write("data/below/a.txt", "text");
    std::os::unix::fs::symlink(desk.path("data"), desk.path("link")).expect("a link");
    std::os::unix::fs::symlink(desk.home(), desk.path("to-home")).expect("a link");
    desk.remit(&["identity"]).ends(code::OK);
    desk.remit(&run(&["/data=link"], &["list", "/data"])).fails(code::NOT_GRANTED, &["link"]);
    desk.remit(&run(&["/data=to-home"], &["list", "/data"])).fails(code::NOT_GRANTED, &["to-home"]);
}

#[cfg(unix)]
mod tricks {
    use super::*;

    use std::os::unix::fs::symlink;

    /// A folder to mount with links out of it, and beside it what nobody may touch.
    fn desk() -> Desk {
        let desk = Desk::with(&["files"]);
        desk.write("outside/passwd", "secret");
        desk.write("box/a.txt", "a");
        desk.folder("box/sub");
        symlink(desk.path("outside"), desk.path("box/planted-abs")).expect("a link");
        symlink("../outside", desk.path("box/planted-up")).expect("a link");
        symlink(desk.path("outside/passwd"), desk.path("box/planted-file")).expect("a link");
        desk
    }

    fn untouched(desk: &Desk) {
        let names: Vec<_> =
            fs::read_dir(desk.path("outside")).expect("a folder").map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["passwd"]);
        assert_eq!(fs::read_to_string(desk.path("outside/passwd")).expect("a file"), "secret");
        for path in ["x", "a.txt", "escaped"] {
            assert!(!desk.path(path).exists(), "{path}");
        }
        assert!(!std::path::Path::new("/tmp/escaped").exists());
    }

    #[test]
    fn nothing_outside_a_mount_can_be_reached() {
        for access in ["", ":rw"] {
            let desk = desk();
            let mount = format!("/box=box{access}");
            let said = desk.remit(&run(&[&mount], &["escape", "/box"])).ends(code::OK);
            assert!(!said.stdout.contains("secret"), "{}", said.stdout);
            untouched(&desk);
            let reached = said.stdout.lines().filter(|line| line.ends_with(": ok"));
            let allowed = |line: &&str| line.starts_with("symlink to ") || line.starts_with("rename over planted-file");
            assert_eq!(reached.filter(|line| !allowed(line)).collect::<Vec<_>>(), [""; 0], "{}", said.stdout);
            desk.last_is_whole();
        }
    }

    #[test]
    fn one_mount_is_no_way_into_another() {
        let desk = desk();
        desk.folder("second");
        let said = desk.remit(&run(&["/box=box", "/second=second:rw"], &["across", "/box", "/second"])).ends(code::OK);
        for step in ["hardlink: ok", "rename: ok", "read through symlink: ok"] {
            assert!(!said.stdout.contains(step), "{}", said.stdout);
        }
        assert_eq!(fs::read_to_string(desk.path("box/a.txt")).expect("a file"), "a");
        assert!(!desk.path("second/linked.txt").exists() && !desk.path("second/moved.txt").exists());
        untouched(&desk);
        desk.last_is_whole();
    }

    /// A hard link that was there before is a file of the mount. A mount that is only read does not write through it.
    #[test]
    fn a_hard_link_is_written_only_where_the_mount_is() {
        let desk = desk();
        fs::hard_link(desk.path("outside/passwd"), desk.path("box/hard")).expect("a hard link");
        let said = desk.remit(&run(&["/box=box"], &["write", "/box/hard", "changed"])).ends(code::OK);
        assert!(!said.stdout.contains("ok"), "{}", said.stdout);
        untouched(&desk);
    }
}
