//! Grants that are kept: what they allow without a question, what ends them, and why a plugin may do what it may.

use serde_json::{Value as Json, json};

use crate::binary::{Desk, code};
use crate::harness::component;

const MANIFEST: &str = r#"
[plugin]
name = "notes"
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
    let desk = Desk::new();
    desk.write("plugin/remit.toml", MANIFEST);
    desk.write("plugin/notes.wasm", component("files"));
    desk.write("notes/a.txt", "a note");
    desk.folder("out");
    desk.remit(&["install", "plugin"]).ends(code::OK);
    // From here on `notes` is the folder to mount, and the plugin is named by its own.
    desk
}

/// Grants with flags, and returns the lines that say what was granted.
fn grant(desk: &Desk, flags: &[&str]) -> String {
    desk.remit(&[&["grant", "plugin"], flags].concat()).ends(code::OK).stdout
}

fn ids(desk: &Desk) -> Vec<String> {
    let grants = desk.json(&["grants", "--json"]);
    let grants = grants.as_array().expect("a list").iter();
    grants.map(|grant| grant["id"].as_str().expect("a name").to_owned()).collect()
}

fn write(desk: &Desk, flags: &[&str]) -> crate::binary::Said {
    desk.remit(&[&["run", "plugin"], flags, &["--", "write", "/out/report.txt", "x"]].concat())
}

#[test]
fn what_is_granted_is_not_asked_for_again() {
    let desk = desk();
    write(&desk, &[]).fails(code::NOT_GRANTED, &[]);
    let given = grant(&desk, &["--requested", "--mount", "notes=notes", "--mount", "out=out:rw"]);
    assert_eq!(given, "g1  files.notes: /notes, read\ng2  files.out: /out, read-write\n");
    assert_eq!(write(&desk, &[]).ends(code::OK).stdout, "write: ok\n");
    desk.last_is_whole();
    assert_eq!(desk.json(&["show", "last", "--json"])["header"]["grants"], json!(["g1", "g2"]));
    let grants = desk.json(&["grants", "plugin", "--json"]);
    assert_eq!(grants, Json::Array(Vec::new()), "the plugin's name is notes");
    let grants = desk.json(&["grants", "notes", "--json"]);
    assert_eq!((&grants[1]["section"], &grants[1]["holds"]), (&json!("files.out"), &json!(true)), "{grants}");
    assert!(grants[0]["scope"].as_str().is_some_and(|scope| scope.contains("dir = \"/")), "{grants}");

    // A folder that is mounted without `:rw` is only read this time.
    let said = write(&desk, &["--mount", "out=out"]).ends(code::OK);
    assert!(!said.stdout.contains("ok"), "{}", said.stdout);
    // What the command line says counts alone.
    desk.write("less.toml", "[capabilities.files.notes]\naccess = \"read\"\n");
    let flags = ["--grant", "less.toml", "--mount", "notes=notes"];
    write(&desk, &flags).ends(code::OK).says(&["not granted: files.out"]);
}

#[test]
fn the_line_that_a_refusal_prints_is_accepted() {
    let desk = desk();
    grant(&desk, &["--requested", "--mount", "notes=notes", "--mount", "out=out"]);
    let said = write(&desk, &[]).ends(code::OK).says(&["refused: "]);
    let typed = said.stderr.lines().find_map(|line| line.trim().strip_prefix("to keep it: remit grant "));
    let (plugin, line) = typed.and_then(|typed| typed.split_once(' ')).unwrap_or_else(|| panic!("{}", said.stderr));
    assert!(plugin.ends_with("/plugin#notes"), "a folder of this name is there, so the name would not do: {plugin}");
    let line = line.trim_matches('\'');
    let said = desk.remit(&["grant", plugin, line, "--mount", "out=out:rw"]).ends(code::OK);
    assert_eq!(said.stdout, "g3  files.out: any mount, read-write\n");
    said.says(&["g3 takes the place of g2"]);
    assert_eq!(write(&desk, &[]).ends(code::OK).stdout, "write: ok\n");
    assert_eq!(ids(&desk), ["g1", "g3"]);
}

#[test]
fn what_is_revoked_holds_no_more_and_a_replay_is_unchanged() {
    let desk = desk();
    grant(&desk, &["--requested", "--mount", "notes=notes", "--mount", "out=out:rw"]);
    write(&desk, &[]).ends(code::OK);
    let said = desk.remit(&["revoke", "g2", "--why", "enough"]).ends(code::OK);
    assert_eq!(said.stdout, "revoked g2 of notes: files.out: /out, read-write\n");
    desk.last_is_whole();
    write(&desk, &[]).ends(code::OK).says(&["not granted: files.out asks for /out, read-write, and has nothing"]);
    desk.remit(&["revoke", "g2"]).fails(code::USAGE, &["grant g2 does not hold any more", "remit grants --all"]);
    desk.remit(&["revoke", "g9"]).fails(code::USAGE, &["no grant g9"]);
    desk.remit(&["revoke", "nine"]).ends(code::USAGE).says(&["a grant is named like g3"]);
    desk.remit(&["revoke", "1"]).ends(code::OK);
    let mounts = ["--mount", "notes=notes", "--mount", "out=out:rw"];
    write(&desk, &mounts).fails(code::NOT_GRANTED, &["nobody granted"]);
    let all = desk.json(&["grants", "--all", "--json"]);
    assert_eq!((&all[1]["ended"]["why"], &all[1]["holds"]), (&json!("enough"), &json!(false)), "{all}");
    let listed = desk.remit(&["grants", "--all"]).ends(code::OK).stdout;
    assert!(
        listed.lines().nth(1).is_some_and(|line| line.contains("revoked ") && line.contains(": enough")),
        "{listed}"
    );
}

#[test]
fn a_grant_is_for_one_build() {
    let desk = desk();
    grant(&desk, &["--requested", "--mount", "notes=notes", "--mount", "out=out:rw"]);
    desk.write("plugin/notes.wasm", component("cli"));
    let said = desk.remit(&["install", "plugin"]).ends(code::OK);
    said.says(&["grants of an earlier build do not hold for this one"]);
    write(&desk, &[]).fails(code::NOT_GRANTED, &[]);
    let said = desk.remit(&["grant", "plugin", "--requested", "--versions", "^0.1"]);
    said.fails(code::NOT_GRANTED, &["--versions ^0.1", "unsigned", "publisher's key"]);
    desk.write("plugin/notes.wasm", component("files"));
    assert_eq!(write(&desk, &[]).ends(code::OK).stdout, "write: ok\n");
}

#[test]
fn a_grant_expires() {
    let desk = desk();
    let flags = ["--requested", "--mount", "notes=notes", "--mount", "out=out:rw", "--expires", "2020-01-01"];
    assert!(grant(&desk, &flags).contains("g2  files.out: /out, read-write, until 2020-01-01\n"));
    write(&desk, &[]).fails(code::NOT_GRANTED, &[]);
    assert_eq!(ids(&desk), [""; 0]);
    assert!(desk.remit(&["grants", "--all"]).ends(code::OK).stdout.contains("\texpired\t"));
}

#[test]
fn what_holds_is_explained() {
    let desk = desk();
    let said = desk.remit(&["explain", "plugin"]).ends(code::OK).stdout;
    let out = "files.out: asks for /out, read-write  (the report)\n  not granted\n  holds: nothing\n";
    assert!(said.contains(out), "{said}");
    grant(&desk, &["--requested", "--mount", "notes=notes", "--mount", "out=out"]);
    grant(&desk, &["capabilities.kv = { access = \"read\" }"]);
    let said = desk.remit(&["explain", "plugin"]).ends(code::OK).stdout;
    let (_, out) = said.split_once("files.out: asks for /out, read-write  (the report)\n  g2, ").expect(&said);
    assert!(out.contains(": /out, read\n  holds: /out, read\n"), "{said}");
    assert!(said.contains("granted and not requested: kv: every key of the plugin, read\n"), "{said}");
    let explained = desk.json(&["explain", "plugin", "--json"]);
    let expected = json!({
        "capability": "files.out",
        "asked": "/out, read-write",
        "why": "the report",
        "granted": "/out, read",
        "holds": "/out, read",
        "narrowed-by": ["grant"],
        "grants": ["g2"],
        "amounts": [],
        "refused": null,
    });
    assert_eq!(explained["requests"][1], expected, "{explained}");
    desk.write("kv/remit.toml", MANIFEST);
    desk.write("kv/notes.wasm", component("kv"));
    let said = desk.remit(&["explain", "kv"]).ends(code::OK).stdout;
    assert!(said.contains("imported and not requested: remit:plugin/kv@"), "{said}");
    let unknown = desk.by_hand("imports-unknown");
    let said = desk.remit(&["explain", &unknown]).ends(code::OK).stdout;
    assert!(said.contains("without a request for it, the plugin does not start"), "{said}");
}

#[test]
fn a_grant_that_is_wrong_is_refused_and_nothing_kept() {
    let desk = desk();
    for (flags, exit, parts) in [
        (&["capabilities.kv = 1"][..], code::USAGE, &["the line:1", "kv"][..]),
        (&["capabilities.kw = {}"], code::USAGE, &["kw"]),
        (&["hello"], code::USAGE, &["the line"]),
        (&[""], code::USAGE, &["grants nothing"]),
        (&["--file", "none.toml"], code::USAGE, &["cannot read grant none.toml"]),
        (&["capabilities.model.tiers = [\"a\"]", "--amount", "3 a day"], code::USAGE, &["3 per day"]),
        (&["capabilities.kv = {}", "--amount", "3 per day"], code::USAGE, &["no calls to count", "`quota`"]),
        (&["capabilities.kv = { amount = \"3 per day\" }"], code::USAGE, &["only calls that leave this host"]),
        (&["capabilities.config.keys = [\"A\"]", "--amount", "3 per day"], code::USAGE, &["no calls to count"]),
        (&["--requested", "--mount", "nots=notes"], code::USAGE, &["--mount nots"]),
        (&["--requested", "--mount", "notes=nowhere"], code::NOT_GRANTED, &["cannot open folder nowhere"]),
    ] {
        desk.remit(&[&["grant", "plugin"], flags].concat()).fails(exit, parts);
    }
    for flags in [&[][..], &["capabilities.kv = {}", "--requested"], &["--requested", "--expires", "2026-02-30"]] {
        assert_eq!(desk.remit(&[&["grant", "plugin"], flags].concat()).ends(code::USAGE).stdout, "");
    }
    assert_eq!(ids(&desk), [""; 0]);
}

#[test]
fn a_grant_comes_from_a_file_or_a_pipe() {
    let desk = desk();
    desk.write("model.toml", "[capabilities.model]\ntiers = [\"a\"]\namount = \"3 in total\"\n[limits]\nfuel = 1000\n");
    let said = desk.remit(&["grant", "plugin", "--file", "model.toml"]).ends(code::OK);
    assert_eq!(said.stdout, "g1  model: a, at most 3 in total\ng2  limits: fuel = 1000\n");
    said.says(&["notes does not ask for model"]);
    let amounts = &desk.json(&["grants", "--json"])[0]["amounts"];
    assert_eq!(*amounts, json!([{ "window": "total", "used": 0, "max": 3, "left": 3 }]));
    assert!(desk.remit(&["grants"]).ends(code::OK).stdout.contains("\tholds, 0 of 3 in total used, 3 left\t"));
    let piped = desk.remit_reading(&["grant", "plugin", "--file", "-"], b"capabilities.model = { tiers = [\"b\"] }");
    assert_eq!(piped.ends(code::OK).stdout, "g3  model: b\n");
    assert_eq!(ids(&desk), ["g2", "g3"]);
}

/// Whoever revokes while a run goes on need not wait for its end: the process that has the home does it in the middle.
#[cfg(unix)]
#[test]
fn a_revocation_is_made_in_the_middle_of_a_run() {
    let desk = desk();
    grant(&desk, &["--requested", "--mount", "notes=notes", "--mount", "out=out:rw"]);
    desk.guest("limits");
    let first = desk.start(&["run", "limits.wasm", "--", "sleep"]);
    first.wait_for("\nrun ");
    desk.remit(&["revoke", "g1"]).ends(code::OK);
    assert_eq!(ids(&desk), ["g2"]);
    first.signal("INT");
    first.said().ends(code::INTERRUPTED);
    assert_eq!(ids(&desk), ["g2"]);
}

#[test]
fn a_grant_of_what_is_not_requested_says_that_it_gives_nothing() {
    let desk = desk();
    let said = desk.remit(&["grant", "plugin", "capabilities.kv = {}"]).ends(code::OK);
    said.says(&["notes does not ask for kv: every key", "until remit.toml does, this gives it nothing"]);
    let flags = ["--requested", "--mount", "notes=notes", "--mount", "out=out"];
    let said = desk.remit(&[&["grant", "plugin"][..], &flags].concat()).ends(code::OK);
    assert!(!said.stderr.contains("does not ask"), "{}", said.stderr);
    write(&desk, &[]).ends(code::OK).says(&["granted and not requested, so without effect: kv: every key"]);
    desk.write("more.toml", "[capabilities.kv]\n[capabilities.files.out]\naccess = \"read\"\n");
    let said = write(&desk, &["--grant", "more.toml", "--mount", "out=out"]).ends(code::OK);
    said.says(&["granted and not requested, so without effect: kv: every key"]);
}
