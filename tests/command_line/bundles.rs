//! A run in a file: written here, and shown, replayed and verified elsewhere, by a host that has no home.

use std::fs;

use serde_json::Value as Json;

use crate::binary::{Desk, Running, Said, code};

/// A desk with a run of a command and of an agent, the agent's exported to `a.remit`.
fn desk() -> Desk {
    let desk = Desk::with(&["cli", "guest_agent"]);
    desk.remit(&["run", "cli.wasm", "--", "args", "x"]).ends(code::OK);
    let input = r#"{"do": "large", "bytes": 100000}"#;
    desk.remit(&["run", "guest_agent.wasm", "--label", "team=sales", "--input", input]).ends(code::OK);
    desk.remit(&["export", "last", "-o", "a.remit"]).ends(code::OK);
    desk
}

/// A machine to which the file was sent, and on which there can be no home: what would be its parent is a file.
struct Elsewhere(Desk);

impl Elsewhere {
    fn with(bundle: &[u8]) -> Self {
        let desk = Desk::new();
        desk.write("a.remit", bundle);
        desk.write("nobody", "");
        Self(desk)
    }

    fn remit(&self, args: &[&str]) -> Said {
        let nowhere = self.0.path("nobody").join("home");
        let mut command = self.0.command(args);
        command.env("REMIT_HOME", &nowhere).env("HOME", &nowhere).env("XDG_DATA_HOME", &nowhere);
        Running::start(&mut command).said()
    }
}

#[test]
fn a_bundle_needs_nothing_else() {
    let desk = desk();
    let key = desk.remit(&["identity"]).ends(code::OK).stdout;
    let elsewhere = Elsewhere::with(&fs::read(desk.path("a.remit")).expect("it was written"));
    let json = |args: &[&str]| elsewhere.remit(args).ends(code::OK).json();
    let replayed = json(&["replay", "a.remit", "--json"]);
    assert_eq!((&replayed["verdict"], &replayed["fuel-compared"]), (&"matched".into(), &true.into()), "{replayed}");
    let shown = json(&["show", "./a.remit", "--calls", "--json"]);
    assert_eq!(shown, desk.json(&["show", "last", "--calls", "--json"]));
    let (there, here) = (elsewhere.remit(&["show", "a.remit", "--calls"]), desk.remit(&["show", "last", "--calls"]));
    assert_eq!(there.ends(code::OK).stdout, here.ends(code::OK).stdout);
    let verified = json(&["verify", "a.remit", "--json", "--key", key.trim()]);
    assert_eq!(verified, desk.json(&["verify", "last", "--json"]));
    assert_eq!(verified["signer"], "known");
    let said = elsewhere.remit(&["verify", "a.remit", "--key", key.trim()]).ends(code::OK);
    assert!(said.stdout.contains(" verified: entries "), "{}", said.stdout);
    assert_eq!(fs::read_dir(elsewhere.0.path("")).expect("a folder").count(), 2, "nothing was written");
}

#[test]
fn who_signed_a_bundle_is_known_by_a_key_alone() {
    let desk = desk();
    let elsewhere = Elsewhere::with(&fs::read(desk.path("a.remit")).expect("it was written"));
    let parts = ["the signer of run ", " is not known: its chain is whole, and no key was given", "--key"];
    elsewhere.remit(&["verify", "a.remit"]).fails(code::JOURNAL_DAMAGED, &parts);
    // Not even by the key of the home that signed it, where that is at hand.
    desk.remit(&["verify", "a.remit"]).fails(code::JOURNAL_DAMAGED, &parts);
    let said = elsewhere.remit(&["verify", "a.remit", "--json"]).ends(code::JOURNAL_DAMAGED).json();
    assert_eq!((&said["signer"], &said["key"]), (&Json::from("unknown"), &Json::Null), "{said}");
    let other = Desk::new().remit(&["identity"]).ends(code::OK).stdout;
    let parts = ["is signed, and not by ", other.trim(), "its chain is whole"];
    elsewhere.remit(&["verify", "a.remit", "--key", other.trim()]).fails(code::JOURNAL_DAMAGED, &parts);
}

#[test]
fn a_file_is_written_whole_once_and_for_its_owner() {
    let desk = desk();
    let written = fs::read(desk.path("a.remit")).expect("it was written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(desk.path("a.remit")).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    desk.remit(&["export", "last", "-o", "a.remit"]).fails(code::USAGE, &["a.remit exists", "--force replaces it"]);
    desk.write("a.remit", "something else");
    desk.remit(&["export", "last", "-o", "a.remit"]).fails(code::USAGE, &["a.remit exists"]);
    assert_eq!(fs::read(desk.path("a.remit")).expect("it is there"), b"something else");
    let said = desk.json(&["export", "last", "-o", "a.remit", "--force", "--json"]);
    assert_eq!(fs::read(desk.path("a.remit")).expect("it is there"), written, "the same record, the same bytes");
    assert_eq!(said["bytes"].as_u64(), Some(written.len() as u64), "{said}");
    desk.remit(&["export", "last", "-o", "none/a.remit"]).fails(code::HOST_FAILED, &["cannot write none/a.remit"]);
    desk.remit(&["export", "ffff", "-o", "b.remit"]).fails(code::NO_SUCH_RUN, &["ffff"]);
    assert!(!desk.path("b.remit").exists());
    let names: Vec<_> =
        fs::read_dir(desk.path("")).expect("a folder").map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "nothing is left lying about: {names:?}");
}

#[test]
fn what_is_no_bundle_is_told_so() {
    let desk = desk();
    let good = fs::read(desk.path("a.remit")).expect("it was written");
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    let mut newer = good.clone();
    newer[13] = 2;
    let elsewhere = Elsewhere::with(b"text");
    elsewhere.0.write("empty.remit", b"");
    elsewhere.0.write("cut.remit", &good[..good.len() - 1]);
    elsewhere.0.write("flipped.remit", flipped);
    elsewhere.0.write("newer.remit", newer);
    elsewhere.0.folder("folder.remit");
    for (file, exit, part) in [
        ("a.remit", code::USAGE, "it is not a bundle"),
        ("empty.remit", code::USAGE, "it is not a bundle"),
        ("folder.remit", code::USAGE, "it is not a bundle"),
        ("none.remit", code::HOST_FAILED, "No such file"),
        ("cut.remit", code::JOURNAL_DAMAGED, "the bundle is damaged"),
        ("flipped.remit", code::JOURNAL_DAMAGED, "the bundle is damaged"),
        ("newer.remit", code::JOURNAL_DAMAGED, "the bundle has version 2, and this remit reads up to 1"),
    ] {
        for command in ["show", "replay", "verify"] {
            elsewhere.remit(&[command, file]).fails(exit, &[&format!("cannot read {file}"), part]);
        }
    }
    // Only what is read can be a file.
    desk.remit(&["rm", "a.remit"]).fails(code::USAGE, &["a.remit"]);
    desk.remit(&["export", "a.remit", "-o", "b.remit"]).fails(code::USAGE, &["a.remit"]);
}
