//! No forgotten file: every source is compiled, everything that travels inside the binary is listed, every guest is run.

use std::collections::BTreeSet;

use super::source;
use crate::support::{Tree, expect_none, expect_one};

/// Where the guests' programs are: a file or a folder each.
const GUESTS: &str = "tests/guests/src/bin/";

/// Where the binary lists the SDK and the WIT that travel inside it.
const EMBEDDED: &str = "host/src/cli/embedded.rs";

/// Returns a sentence for each source that no `mod` line leads to.
fn unreached(tree: &Tree) -> Vec<String> {
    let roots = tree.files_in("", ".rs").map(|(path, _)| path.to_owned()).filter(|path| is_root(path));
    let mut reached: BTreeSet<String> = roots.collect();
    let mut open: Vec<String> = reached.iter().cloned().collect();
    while let Some(path) = open.pop() {
        let code = source::code(tree.text(&path).unwrap_or_default());
        for name in code.lines().filter_map(source::declared_module) {
            let candidates = module_files(&path, name);
            open.extend(candidates.into_iter().filter(|file| tree.has(file) && reached.insert(file.clone())));
        }
    }
    let forgotten = tree.files_in("", ".rs").filter(|(path, _)| !reached.contains(*path));
    forgotten.map(|(path, _)| format!("{path} is not compiled: name it in a `mod` line, or delete it")).collect()
}

/// Whether cargo finds the file by itself, or a `Cargo.toml` of ours names it.
fn is_root(path: &str) -> bool {
    let program = path.split_once("/src/bin/").map(|(_, rest)| rest);
    let is_program = program.is_some_and(|rest| match rest.split_once('/') {
        Some((_, file)) => file == "main.rs",
        None => true,
    });
    is_program || path.ends_with("src/lib.rs") || path.ends_with("src/main.rs") || path == "tests/main.rs"
}

/// Returns where `mod name;` in the file `path` may lead.
fn module_files(path: &str, name: &str) -> [String; 2] {
    let (dir, file) = path.rsplit_once('/').unwrap_or(("", path));
    let base = if is_root(path) || file == "mod.rs" { dir } else { path.trim_end_matches(".rs") };
    [format!("{base}/{name}.rs"), format!("{base}/{name}/mod.rs")]
}

/// Returns a sentence for each file of the SDK and the WIT that the binary does not carry.
fn unembedded(tree: &Tree) -> Vec<String> {
    let list = tree.text(EMBEDDED).unwrap_or_default();
    let sdk = tree.files_in("sdk/src/", ".rs").chain(tree.files_in("sdk/Cargo", ".toml"));
    let is_listed = |path: &str| list.contains(&format!("\"{path}\"")) || list.contains(&format!("/{path}\""));
    let missing = sdk.chain(tree.files_in("wit/", ".wit")).filter(|(path, _)| !is_listed(path));
    missing.map(|(path, _)| format!("{path} does not travel inside the binary: add it to {EMBEDDED}")).collect()
}

/// Returns a sentence for each guest that no test names.
fn unused_guests(tree: &Tree) -> Vec<String> {
    let is_test = |path: &str| !path.starts_with("tests/guests/") && !path.starts_with("tests/tidy");
    let tests: Vec<_> =
        tree.files_in("tests/", ".rs").filter(|(path, _)| is_test(path)).map(|(_, text)| text).collect();
    let names =
        tree.files_in(GUESTS, ".rs").filter_map(|(path, _)| path.strip_prefix(GUESTS)?.split(['/', '.']).next());
    let names: BTreeSet<_> = names.collect();
    let unused = names.into_iter().filter(|name| !tests.iter().any(|text| text.contains(&format!("\"{name}\""))));
    unused
        .map(|name| format!("the guest {GUESTS}{name} is run by no test: run \"{name}\" in one, or delete it"))
        .collect()
}

#[test]
fn every_source_is_compiled() {
    expect_none(&unreached(&Tree::of_repository()));
}

#[test]
fn the_sdk_and_the_wit_travel_inside_the_binary() {
    expect_none(&unembedded(&Tree::of_repository()));
}

#[test]
fn every_guest_is_run() {
    expect_none(&unused_guests(&Tree::of_repository()));
}

#[test]
fn a_source_without_a_mod_line_is_found() {
    let check = |lib: &str, gate: &str| {
        unreached(&Tree::of(&[
            ("host/src/lib.rs", lib),
            ("host/src/gate/mod.rs", gate),
            ("host/src/gate/live.rs", "mod turn;"),
            ("host/src/gate/live/turn.rs", ""),
            ("tests/guests/src/bin/kv.rs", ""),
            ("tests/guests/src/bin/sweep/main.rs", "mod io;"),
            ("tests/guests/src/bin/sweep/io.rs", ""),
        ]))
    };
    expect_none(&check("pub mod gate;", "mod live;"));
    expect_one(&check("mod gate;", "").as_slice()[..1], &["host/src/gate/live", "name it in a `mod` line"]);
    assert_eq!(check("pub mod gate;", "// mod live;").len(), 2);
    assert_eq!(check("", "mod live;").len(), 3);
}

#[test]
fn a_file_that_does_not_travel_is_found() {
    let check = |list: &str| {
        unembedded(&Tree::of(&[("wit/kv.wit", ""), ("sdk/src/lib.rs", ""), ("sdk/README.md", ""), (EMBEDDED, list)]))
    };
    let both = r#"include_str!("../../../wit/kv.wit"), included!["sdk/src/lib.rs"]"#;
    expect_none(&check(both));
    expect_one(&check(&both.replace("kv.wit", "log.wit")), &["wit/kv.wit does not travel", EMBEDDED]);
}

#[test]
fn a_guest_that_no_test_runs_is_found() {
    let guest = ("tests/guests/src/bin/kv.rs", "");
    expect_none(&unused_guests(&Tree::of(&[guest, ("tests/kv.rs", r#"run("kv")"#)])));
    expect_one(&unused_guests(&Tree::of(&[guest, ("tests/kv.rs", r#"run("log")"#)])), &["\"kv\" in one, or delete"]);
    let parts = [("tests/guests/src/bin/sweep/main.rs", ""), ("tests/guests/src/bin/sweep/io.rs", "")];
    expect_one(&unused_guests(&Tree::of(&parts)), &["tests/guests/src/bin/sweep is run by no test"]);
}
