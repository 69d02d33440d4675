//! What is requested, what is granted, and what a plugin hears when it asks for more.

use crate::binary::{Desk, code, without_places};
use crate::harness::component;

const MANIFEST: &str = r#"
[plugin]
name = "files"
version = "0.1.0"
kind = "command"

[capabilities.files.notes]
mount = "/notes"
access = "read"
why = "the notes"

[capabilities.files.out]
mount = "/out"
access = "read-write"
why = "the report"
"#;

fn desk() -> Desk {
    let desk = Desk::with(&["files"]);
    desk.write("files/remit.toml", MANIFEST);
    desk.write("files/files.wasm", component("files"));
    desk.write("notes/a.txt", "a note");
    desk.folder("out");
    desk
}

const MOUNTS: [&str; 4] = ["--mount", "notes=notes", "--mount", "out=out:rw"];

fn run<'a>(flags: &[&'a str], args: &[&'a str]) -> Vec<&'a str> {
    [&["run", "files"], flags, &["--"], args].concat()
}

#[test]
fn nobody_to_ask_is_no() {
    let desk = desk();
    let said = desk.remit(&run(&MOUNTS, &["list", "/notes"])).fails(code::NOT_GRANTED, &[]);
    let expected = "\
files may, in this run:
  files.notes: /notes, read = notes  (the notes)
  files.out: /out, read-write = out  (the report)
  and, as every plugin: log, read the clock, draw random numbers
error: files requests capabilities that nobody granted
hint: give --allow-requested to grant what is listed above, or --grant FILE to grant less
";
    assert_eq!(without_places(&desk, &said.stderr), expected);
    assert_eq!(desk.runs(), 0);
    let allowed = desk.remit(&run(&[&MOUNTS[..], &["--allow-requested"]].concat(), &["read", "/notes/a.txt"]));
    assert_eq!(allowed.ends(code::OK).stdout, "read: ok\na note\n");
    desk.last_is_whole();
}

#[test]
fn a_grant_of_less_refuses_the_call_and_says_which_grant_would_allow_it() {
    let desk = desk();
    desk.write(
        "less.toml",
        "[capabilities.files.notes]\naccess = \"read\"\n\n[capabilities.files.out]\naccess = \"read\"\n",
    );
    let flags = [&MOUNTS[..], &["--grant", "less.toml"]].concat();
    let said = desk.remit(&run(&flags, &["write", "/out/report.txt", "x"])).ends(code::OK);
    assert_eq!(said.stdout.lines().count(), 1);
    assert!(said.stdout.starts_with("write: "), "{}", said.stdout);
    assert!(!said.stdout.contains("ok"), "{}", said.stdout);
    said.says(&[
        "not granted: files.out asks for /out, read-write, and has /out, read",
        "refused: wasi:filesystem/types#",
        "a grant that allows it:\n    [capabilities.files.out]",
        "access = \"read-write\"",
    ]);
    assert!(!desk.path("out/report.txt").exists());
    desk.last_is_whole();
    assert!(desk.remit(&["show"]).ends(code::OK).stdout.contains("refused    wasi:filesystem/types#"));
}

#[test]
fn a_mount_without_rw_is_only_read() {
    let desk = desk();
    let flags = ["--mount", "notes=notes:rw", "--mount", "out=out", "--allow-requested"];
    for path in ["/notes/new.txt", "/out/new.txt"] {
        let said = desk.remit(&run(&flags, &["write", path, "x"])).ends(code::OK);
        assert!(said.stdout.starts_with("write: ") && !said.stdout.contains("ok"), "{path}: {}", said.stdout);
    }
    assert!(!desk.path("notes/new.txt").exists() && !desk.path("out/new.txt").exists());
}

#[test]
fn a_grant_file_that_is_wrong_is_refused_with_its_line() {
    let desk = desk();
    for (text, parts) in [
        (
            "[capabilities.files.notes]\naccess = \"read\"\nquot = 1\n",
            &["bad.toml:3", "unknown key \"quot\"", "`quota`"][..],
        ),
        ("[plugin]\nname = \"x\"\n", &["bad.toml:1", "belongs to a manifest"]),
        ("[capabilities\n", &["bad.toml:1"]),
    ] {
        desk.write("bad.toml", text);
        let flags = [&MOUNTS[..], &["--grant", "bad.toml"]].concat();
        desk.remit(&run(&flags, &["list", "/notes"])).fails(code::USAGE, parts);
    }
    let flags = [&MOUNTS[..], &["--grant", "none.toml"]].concat();
    desk.remit(&run(&flags, &["list", "/notes"])).fails(code::USAGE, &["cannot read grant none.toml"]);
    assert_eq!(desk.runs(), 0);
}
