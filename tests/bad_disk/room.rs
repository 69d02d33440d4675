//! No room, or no right to write. A file system of its own is mounted for a home where the platform lets anybody do so;
//! elsewhere these tests say why they are skipped.

#![cfg(target_os = "linux")]

use std::fs;
use std::process::Command;

use crate::binary::{Desk, Said, code};

/// Runs shell lines in a mount namespace of their own, with `$HOME_DIR` the home and `$1` the binary; each `remit N ARGS`
/// leaves what it said under the number N. Nothing when the platform lets nobody mount.
fn with_mounts(desk: &Desk, lines: &str) -> Option<()> {
    let template = desk.command::<&str>(&[]);
    let functions = r#"
        set -e
        remit() { n=$1; shift; set +e; "$REMIT" "$@" </dev/null >"$OUT/$n.out" 2>"$OUT/$n.err"; echo $? >"$OUT/$n.code"; set -e; }
    "#;
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "--mount", "sh", "-c"]).arg(format!("{functions}{lines}"));
    unshare.current_dir(desk.path("")).env("OUT", desk.folder("out")).env("HOME_DIR", desk.home());
    unshare.env("REMIT_HOME", desk.home()).env("REMIT", template.get_program());
    if !can_mount() {
        eprintln!("skipped: this platform lets nobody mount a file system in a namespace of their own");
        return None;
    }
    let output = unshare.output().expect("unshare starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(())
}

fn can_mount() -> bool {
    let probe = ["--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"];
    Command::new("unshare").args(probe).output().is_ok_and(|output| output.status.success())
}

/// Returns what the command with that number said.
#[track_caller]
fn said(desk: &Desk, number: &str) -> Said {
    let read = |ending: &str| {
        let bytes = fs::read(desk.path(&format!("out/{number}.{ending}"))).expect("it ran");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let (stdout, stderr) = (read("out"), read("err"));
    assert!(!stderr.contains("panicked at"), "{stderr}");
    Said { code: read("code").trim().parse().expect("a number"), stdout, stderr }
}

#[test]
fn a_home_that_cannot_be_written_is_named() {
    let desk = Desk::with(&["cli"]);
    desk.still_runs();
    let lines = r#"
        mount --bind "$HOME_DIR" "$HOME_DIR"
        mount -o remount,bind,ro "$HOME_DIR"
        remit run run cli.wasm -- args
        remit runs runs
        remit show show
        remit home home
        remit identity identity
        remit new run --home "$HOME_DIR/new" cli.wasm
    "#;
    let Some(()) = with_mounts(&desk, lines) else { return };
    for number in ["run", "runs", "show", "new"] {
        said(&desk, number).fails(code::HOST_FAILED, &["cannot be written", "hint: choose another folder"]);
    }
    for number in ["home", "identity"] {
        said(&desk, number).ends(code::OK);
    }
    desk.still_runs();
}

#[test]
fn a_disk_that_is_full_from_the_start_is_named() {
    let desk = Desk::with(&["cli"]);
    fs::create_dir(desk.home()).expect("a home");
    let lines = r#"
        mount -t tmpfs -o size=64k,mode=700 none "$HOME_DIR"
        remit run run cli.wasm -- args
    "#;
    let Some(()) = with_mounts(&desk, lines) else { return };
    said(&desk, "run").fails(code::HOST_FAILED, &["full", "hint: "]);
    desk.still_runs();
}

/// The disk fills while a run writes much: the run ends, what was recorded before is whole, and once there is room again
/// the home goes on as it was.
#[test]
fn a_disk_that_fills_in_the_middle_loses_nothing_recorded() {
    let desk = Desk::with(&["cli", "limits"]);
    fs::create_dir(desk.home()).expect("a home");
    let lines = r#"
        mount -t tmpfs -o size=12m,mode=700 none "$HOME_DIR"
        remit first run cli.wasm -- args first
        remit full run limits.wasm --limit calls=1000000000 --limit output=1GiB --limit wall-time=60s -- calls
        remit runs runs --json
        remit show show --json
        remit shown-first show "$(sed -n 's/^run //p' "$OUT/first.err")" --json
        remit again run cli.wasm -- args again
        mount -o remount,size=64m "$HOME_DIR"
        remit after run cli.wasm -- args after
        remit verify verify last
        remit replay replay last
        remit replay-full replay "$(sed -n 's/^run //p' "$OUT/full.err")"
        remit rm rm "$(sed -n 's/^run //p' "$OUT/full.err")"
        remit last run cli.wasm -- args last
    "#;
    let Some(()) = with_mounts(&desk, lines) else { return };
    said(&desk, "first").ends(code::OK);
    said(&desk, "full").ends(code::HOST_FAILED).says(&["full"]);
    for number in ["runs", "show", "shown-first"] {
        let said = said(&desk, number);
        assert!(
            said.code == code::OK || said.code == code::HOST_FAILED && said.stderr.contains("full"),
            "{number}: {said:?}"
        );
    }
    let again = said(&desk, "again");
    assert!(again.code == code::OK || again.stderr.contains("full"), "{again:?}");
    for number in ["after", "verify", "replay", "replay-full", "rm", "last"] {
        said(&desk, number).ends(code::OK);
    }
}
