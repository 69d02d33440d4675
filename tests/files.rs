//! `wasi:filesystem`: files below the mounts, nothing outside them, and no file touched in a replay.

use std::fs;
use std::path::Path;

use remit::meter::LimitKind;
use serde_json::json;

use crate::harness::{Ran, Scene};

/// What `files every` prints, where a remit allows all of it.
const EVERY: &str = "\
mkdir: ok
mkdir again: AlreadyExists (errno 20)
write: ok
create new over old: AlreadyExists (errno 20)
append: ok
read: ok
0123456789abcdef
seek: ok
0123456789abcd45
truncate: ok
sync: ok
times: ok
stat: ok
file 4 1000000000
hardlink: ok
symlink: ok
readlink: ok
a.txt
read through symlink: ok
0123
list: ok
a.txt
b.txt
soft
rename: ok
rename over: ok
rename nothing: NotFound (errno 44)
rmdir of a full folder: Uncategorized (errno 55)
unlink a folder: IsADirectory (errno 31)
unlink symlink: ok
unlink: ok
unlink again: NotFound (errno 44)
read nothing: NotFound (errno 44)
rmdir: ok
";

/// A folder with what `files refused` and `files escape` look for.
const USUAL: &[(&str, &str)] = &[("a.txt", "text"), ("sub/", "")];

/// Returns what a folder holds, by name, with the text of its files.
fn held(dir: &Path) -> Vec<(String, Option<String>)> {
    let mut held: Vec<_> = fs::read_dir(dir)
        .expect("the folder is there")
        .map(|entry| entry.expect("its entries can be read"))
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read_to_string(entry.path()).ok()))
        .collect();
    held.sort();
    held
}

/// Removes the folder, so that a replay has no file to look at, and replays.
fn replayed_without(ran: Ran, dir: &Path) -> Ran {
    fs::remove_dir_all(dir).expect("the folder can be removed");
    let ran = ran.replayed();
    assert!(!dir.exists(), "a replay made {}", dir.display());
    ran
}

#[test]
fn every_operation_works_and_replays_without_the_folder() {
    let scene = Scene::new();
    let dir = scene.dir("d", &[]);
    let ran = scene.command("files", ["every", "/d"]).mounted("d", &dir, "read-write").run().printed(EVERY);
    assert_eq!(held(&dir), []);
    assert!(ran.refused().is_empty());
    replayed_without(ran, &dir);
}

#[test]
fn what_is_written_is_in_the_folder() {
    let scene = Scene::new();
    let dir = scene.dir("d", USUAL);
    let run = |arguments: [&str; 3]| scene.command("files", arguments).mounted("d", &dir, "read-write").run();
    run(["write", "/d/new.txt", "one"]).printed("write: ok\n").replayed();
    run(["append", "/d/new.txt", ", two"]).printed("append: ok\n").replayed();
    let text = |text: &str| Some(text.to_owned());
    let expected = [("a.txt", text("text")), ("new.txt", text("one, two")), ("sub", None)];
    assert_eq!(held(&dir), expected.map(|(name, text)| (name.to_owned(), text)));
}

#[test]
fn a_replay_reads_the_recorded_bytes() {
    let scene = Scene::new();
    let dir = scene.dir("d", USUAL);
    let ran = scene.command("files", ["read", "/d/a.txt"]).mounted("d", &dir, "read").run();
    let ran = ran.printed("read: ok\ntext\n");
    fs::write(dir.join("a.txt"), "changed").expect("the file can be written");
    ran.replayed();
    let listed =
        scene.command("files", ["list", "/d"]).mounted("d", &dir, "read").run().printed("list: ok\na.txt\nsub/\n");
    replayed_without(listed, &dir);
}

#[test]
fn a_folder_to_read_cannot_be_changed() {
    let scene = Scene::new();
    let dir = scene.dir("d", USUAL);
    let before = held(&dir);
    let ran = scene.command("files", ["refused", "/d"]).mounted("d", &dir, "read").run().succeeded();
    let mut lines = ran.text().lines();
    assert_eq!((lines.next(), lines.next()), (Some("read: ok"), Some("text")));
    let steps: Vec<_> = lines.collect();
    assert_eq!(steps.len(), 14, "{steps:?}");
    assert!(steps.iter().all(|step| step.ends_with(": PermissionDenied (errno 63)")), "{steps:?}");
    assert_eq!(held(&dir), before);
    assert_eq!(ran.refused().len(), 14);
    for call in ran.refused() {
        assert_eq!(call.outcome, json!([{ "err": "not-permitted" }]), "{call:?}");
        let refusal = call.refusal.as_ref().expect("it was refused");
        assert_eq!(refusal.rule, "files.d at /d may be read and not changed");
        assert_eq!(refusal.grant.as_deref(), Some("[capabilities.files.d]\naccess = \"read-write\"\n"));
        assert_eq!(call.before, None, "what is refused is not looked at");
    }
    replayed_without(ran, &dir);
}

#[test]
fn there_is_no_way_out_of_a_mount() {
    let scene = Scene::new();
    let outside = scene.dir("outside", &[("secret.txt", "secret"), ("in/", "")]);
    let dir = outside.join("in");
    fs::write(dir.join("a.txt"), "text").expect("the file can be written");
    fs::create_dir(dir.join("sub")).expect("the folder can be made");
    let before = held(&outside);
    let ran = scene.command("files", ["escape", "/d"]).mounted("d", &dir, "read-write").run().succeeded();
    let (inside, ways): (Vec<_>, Vec<_>) = ran.text().lines().partition(|line| line.ends_with(": ok"));
    // A relative link may be made and leads nowhere; the last two steps stay inside.
    let harmless = ["symlink to ..", "symlink to ../../etc", "symlink to self", "write through planted-file"];
    assert_eq!(inside[..4], harmless.map(|step| format!("{step}: ok")));
    assert_eq!(inside[4..], ["rename over planted-file: ok"]);
    assert!(ways.len() > 30 && ways.iter().all(|line| line.contains(": ")), "{ways:?}");
    assert_eq!(held(&outside), before);
    replayed_without(ran, &outside);
}

#[cfg(unix)]
#[test]
fn a_link_that_somebody_planted_leads_nowhere() {
    use std::os::unix::fs::symlink;
    let scene = Scene::new();
    let outside = scene.dir("outside", &[("secret.txt", "secret"), ("in/", ""), ("beside/", "")]);
    let dir = outside.join("in");
    for (target, name) in [
        (outside.join("beside").as_path(), "planted-abs"),
        (Path::new("../beside"), "planted-up"),
        (Path::new("../secret.txt"), "planted-file"),
    ] {
        symlink(target, dir.join(name)).expect("the link can be made");
    }
    let ran = scene.command("files", ["escape", "/d"]).mounted("d", &dir, "read-write").run().succeeded();
    assert!(!ran.text().contains("secret"), "{}", ran.text());
    let planted: Vec<_> = ran.text().lines().filter(|line| line.contains("through planted")).collect();
    assert_eq!(planted.len(), 6, "{planted:?}");
    assert!(planted.iter().all(|line| line.ends_with(": PermissionDenied (errno 63)")), "{planted:?}");
    assert_eq!(fs::read_to_string(outside.join("secret.txt")).ok().as_deref(), Some("secret"));
    assert_eq!(held(&outside.join("beside")), []);
    ran.replayed();
}

#[test]
fn two_mounts_are_two_devices() {
    let scene = Scene::new();
    let (from, to) = (scene.dir("from", USUAL), scene.dir("to", &[]));
    let across = |from_access, to_access| {
        let play = scene.command("files", ["across", "/from", "/to"]);
        play.mounted("from", &from, from_access).mounted("to", &to, to_access).run().succeeded().replayed()
    };
    let text = across("read-write", "read-write").text().to_owned();
    assert!(text.contains("hardlink: CrossesDevices (errno 75)\n"), "{text}");
    assert!(text.contains("read through symlink: PermissionDenied (errno 63)\n"), "{text}");
    assert!(text.contains("copy: ok\n"), "{text}");
    assert!(text.ends_with("rename: CrossesDevices (errno 75)\n"), "{text}");
    let ran = across("read", "read-write");
    assert!(ran.text().ends_with("rename: PermissionDenied (errno 63)\n"), "{}", ran.text());
    for call in ran.refused() {
        let refusal = call.refusal.as_ref().expect("it was refused");
        assert!(refusal.rule.starts_with("files.from at /from"), "{refusal:?}");
    }
}

#[test]
fn a_change_that_cannot_be_done_twice_records_what_it_found() {
    let scene = Scene::new();
    let dir = scene.dir("d", &[]);
    let ran = scene.command("files", ["every", "/d"]).mounted("d", &dir, "read-write").run().succeeded().replayed();
    for function in
        ["create-directory-at", "link-at", "symlink-at", "rename-at", "unlink-file-at", "remove-directory-at"]
    {
        let calls = ran.calls_of(&format!("wasi:filesystem/types#[method]descriptor.{function}"));
        assert!(!calls.is_empty(), "{function}");
        assert!(calls.iter().all(|call| call.class == "write-file-once" && call.before.is_some()), "{calls:#?}");
    }
    let renames = ran.calls_of("wasi:filesystem/types#[method]descriptor.rename-at");
    let before = renames[0].before.as_ref().expect("a rename has an intent");
    assert_eq!((&before["target"], &before["source"]["Present"]["size"]), (&json!("Absent"), &json!(4)));
    let written = ran.calls_of("wasi:io/streams#[method]output-stream.write");
    assert!(written.iter().all(|call| call.class == "write-file"), "{written:#?}");
    let notes: Vec<_> = written.iter().filter_map(|call| call.before.as_ref()).collect();
    assert_eq!(notes, [&json!(10)], "an append says where it went: {written:#?}");
}

#[test]
fn bytes_are_counted_both_ways() {
    let usage_of = || {
        let scene = Scene::new();
        let dir = scene.dir("d", USUAL);
        scene.command("files", ["every", "/d"]).mounted("d", &dir, "read-write").run().succeeded().replayed().usage()
    };
    let usage = usage_of();
    // Ten bytes, six and two are written; sixteen are read, and two and sixteen at other places, and four through a link.
    assert_eq!((usage.file_bytes_written, usage.file_bytes_read), (18, 16 + 2 + 16 + 4));
    // What a file's number is, and so how long its encoding, is the file system's affair.
    let same = usage_of();
    assert_eq!((usage.fuel, usage.calls, usage.bytes_in), (same.fuel, same.calls, same.bytes_in));
}

#[test]
fn a_granted_amount_bounds_what_is_written_below_a_mount() {
    let scene = Scene::new();
    let dir = scene.dir("d", &[]);
    let table = "[capabilities.files.d]\nmount = \"/d\"\naccess = \"read-write\"\nwhy = \"test\"\nquota = 100000";
    let grow = |bytes| scene.command("files", ["grow", "/d/big", bytes]).granted(table).at("d", &dir).run().succeeded();
    assert_eq!(grow("100000").replayed().text(), "grow: ok\n");
    let ran = grow("100001").replayed();
    assert_ne!(ran.text(), "grow: ok\n");
    assert_eq!(ran.usage().file_bytes_written, 65536);
    let size = scene.command("files", ["size", "/d/big", "100001"]).granted(table).at("d", &dir).run().succeeded();
    assert_ne!(size.replayed().text(), "size: ok\n");
}

#[test]
fn more_bytes_than_the_limit_end_the_run() {
    let scene = Scene::new();
    let dir = scene.dir("d", &[]);
    let play = |arguments: [&str; 3]| {
        let play = scene.command("files", arguments).mounted("d", &dir, "read-write");
        play.limit(LimitKind::FileWrites, 100_000).run()
    };
    play(["grow", "/d/a", "100000"]).printed("grow: ok\n").replayed();
    let crossed = play(["grow", "/d/b", "100001"]).replayed().limited_by(LimitKind::FileWrites);
    assert_eq!((crossed.max, crossed.wanted), (100_000, 100_001));
    let ran = play(["size", "/d/c", "100001"]).ended_in("wasi:filesystem/types#[method]descriptor.set-size").replayed();
    ran.limited_by(LimitKind::FileWrites);
    assert_eq!(fs::metadata(dir.join("c")).map(|file| file.len()).ok(), Some(0));
}

#[test]
fn more_open_files_than_handles_end_the_run() {
    let scene = Scene::new();
    let dir = scene.dir("d", USUAL);
    let play = scene.command("limits", ["files", "/d/a.txt"]).mounted("d", &dir, "read");
    let ran = play.limit(LimitKind::Handles, 100).run().replayed();
    let crossed = ran.ended_in("wasi:filesystem/types#[method]descriptor.open-at").limited_by(LimitKind::Handles);
    assert_eq!((crossed.max, crossed.wanted), (100, 101));
}

#[test]
fn handles_that_are_dropped_do_not_count() {
    let scene = Scene::new();
    let dir = scene.dir("d", &[]);
    let play = scene.command("files", ["many", "/d", "200"]).mounted("d", &dir, "read-write");
    play.limit(LimitKind::Handles, 20).run().printed("many: ok\n").replayed();
    assert_eq!(held(&dir).len(), 200);
}
