//! One name in five places: a capability is found by its name wherever a newcomer looks for it.

use std::collections::BTreeSet;

use crate::support::{Tree, expect_none, expect_one};

const CAPABILITIES: &str = "host/src/capability/";

/// WIT files that describe no capability.
const NO_CAPABILITY: [&str; 2] = ["types", "world"];

/// Modules that give a guest something, or hold it to something, and have no WIT of ours.
const WITHOUT_WIT: &[&str] = &[
    "host/src/capability/connector",
    "host/src/capability/files",
    "host/src/capability/wasi/cli",
    "host/src/capability/wasi/clocks",
    "host/src/capability/wasi/filesystem",
    "host/src/capability/wasi/http",
    "host/src/capability/wasi/io",
    "host/src/capability/wasi/random",
    "host/src/capability/wasi/sockets",
    "host/src/meter",
];

/// Modules among the capabilities that are not one: what they share.
const SHARED: &[&str] = &["bindings", "derived", "link", "mod", "wasi/mod", "wasi/values"];

fn places(name: &str) -> [String; 4] {
    [
        format!("host/src/capability/{name}.rs"),
        format!("sdk/src/{name}.rs"),
        format!("tests/guests/src/bin/{name}.rs"),
        format!("tests/{name}.rs"),
    ]
}

/// Returns a sentence for each capability that is missing somewhere, and each host file that belongs to none.
fn faults(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for name in names(tree) {
        let missing: Vec<_> = places(name).into_iter().filter(|place| !tree.has(place)).collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            faults.push(format!("the capability of wit/{name}.wit has one name in five places: add {missing}"));
        }
    }
    let is_there = |module: &str| tree.has(&format!("{module}.rs")) || tree.has(&format!("{module}/mod.rs"));
    for module in WITHOUT_WIT.iter().filter(|module| !is_there(module)) {
        faults.push(format!("{module} is listed in tests/tidy/five_places.rs and is not there: put the list right"));
    }
    faults.extend(strays(tree));
    faults
}

/// Returns the names of the capabilities that have WIT of ours.
fn names(tree: &Tree) -> impl Iterator<Item = &str> {
    let names = tree.files_in("wit/", ".wit").map(|(path, _)| path.trim_start_matches("wit/").trim_end_matches(".wit"));
    names.filter(|name| !NO_CAPABILITY.contains(name))
}

/// Returns a sentence for each module among the capabilities that is none: no WIT, no exception, nothing shared.
fn strays(tree: &Tree) -> Vec<String> {
    let modules: BTreeSet<_> = tree.files_in(CAPABILITIES, ".rs").map(|(path, _)| module(path)).collect();
    let is_known = |module: &&str| {
        SHARED.contains(module)
            || WITHOUT_WIT.iter().any(|path| path.strip_prefix(CAPABILITIES) == Some(module))
            || names(tree).any(|name| name == *module)
    };
    let strays = modules.into_iter().filter(|module| !is_known(module));
    strays.map(|name| {
        format!(
            "{CAPABILITIES}{name} is no capability that a guest can name: add wit/{name}.wit, or list the module in \
             tests/tidy/five_places.rs"
        )
    })
    .collect()
}

/// Returns the module of the file, seen from the capabilities: the first name, and under `wasi` the second too.
fn module(path: &str) -> &str {
    let path = path.trim_start_matches(CAPABILITIES).trim_end_matches(".rs");
    let start = if path.starts_with("wasi/") { "wasi/".len() } else { 0 };
    path[start..].find('/').map_or(path, |end| &path[..start + end])
}

#[test]
fn a_capability_has_one_name_in_five_places() {
    expect_none(&faults(&Tree::of_repository()));
}

/// Judges a tree with the capability `kv` and all that is listed, without `missing`, and with `more`.
fn check(missing: &str, more: &str) -> Vec<String> {
    let listed = WITHOUT_WIT.iter().map(|module| format!("{module}/mod.rs"));
    let files: Vec<_> = places("kv").into_iter().chain(listed).collect();
    let mut files: Vec<_> = files.iter().map(|path| (path.as_str(), "")).collect();
    files.extend([("wit/kv.wit", ""), ("wit/world.wit", ""), (more, "")]);
    files.retain(|(path, _)| *path != missing);
    faults(&Tree::of(&files))
}

#[test]
fn a_missing_place_is_named() {
    expect_none(&check("", "host/src/capability/kv/page.rs"));
    expect_none(&check("host/src/meter/mod.rs", "host/src/meter.rs"));
    expect_one(&check("tests/kv.rs", ""), &["wit/kv.wit", "add tests/kv.rs"]);
    expect_one(&check("host/src/capability/wasi/io/mod.rs", ""), &["host/src/capability/wasi/io is listed"]);
}

#[test]
fn a_stray_module_is_named() {
    expect_one(&check("", "host/src/capability/mail.rs"), &["capability/mail is no capability", "add wit/mail.wit"]);
    expect_one(&check("", "host/src/capability/mail/mod.rs"), &["capability/mail is no capability"]);
    expect_one(&check("", "host/src/capability/wasi/keyvalue.rs"), &["wasi/keyvalue is no capability"]);
    expect_none(&check("", "host/src/capability/wasi/filesystem/open.rs"));
}
