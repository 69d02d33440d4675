//! House rules: how large a file may be and how it begins, what lies at the top, and words that do not belong here.

use std::collections::BTreeSet;

use super::source;
use crate::support::{Tree, expect_none, expect_one};

/// The longest a source file of the host may be. Half of them are a third of this.
const LINES_MAX: usize = 400;

/// What may lie at the top of the repository. A newcomer reads this list first, so that each entry has to earn its place.
const TOP: &[&str] = &[
    ".cargo",
    ".ci",
    ".config",
    ".gitattributes",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "examples",
    "host",
    "plugins",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "sdk",
    "tests",
    "wit",
    "xtask",
];

/// Folders where such words are what the code is about.
const ABOUT_MARKERS: [&str; 2] = ["plugins/brief/", "tests/brief"];

/// Words that put work off, spelled so that this file does not say them.
const MARKERS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Starts of paths that exist on somebody's machine alone.
const MACHINE_PATHS: [&str; 3] = [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

/// The only place that a lock file may fetch crates from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Cargo settings that would send everybody to a registry of somebody's own.
const REGISTRY_SETTINGS: [&str; 4] = ["[source.", "[registries", "[registry", "replace-with"];

/// Returns a sentence for each source that is too long or does not say what it is for.
fn shape(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in tree.files_in("", ".rs") {
        let lines = text.lines().count();
        if path.starts_with("host/src/") && lines > LINES_MAX {
            faults.push(format!("{path} has {lines} lines, and {LINES_MAX} is the most: split it by idea"));
        }
        if !text.starts_with("//!") {
            faults.push(format!("{path} does not begin by saying what it is for: give it a `//!` header"));
        }
    }
    faults
}

/// Returns a sentence for each entry at the top that is not expected there.
fn top(tree: &Tree) -> Vec<String> {
    let entries: BTreeSet<_> = tree.files().filter_map(|(path, _)| path.split('/').next()).collect();
    let strays = entries.into_iter().filter(|entry| !TOP.contains(entry));
    let fault =
        |entry| format!("{entry} lies at the top: move it to where it belongs, or list it in tests/tidy/house.rs");
    strays.map(fault).collect()
}

/// Returns a sentence for each line that puts work off or names a place that exists on one machine alone.
fn words(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in tree.files() {
        let is_about_markers = ABOUT_MARKERS.iter().any(|folder| path.starts_with(folder));
        for (i, line) in text.lines().enumerate() {
            let says =
                |word: &&&str| line.match_indices(**word).any(|(at, _)| source::stands_alone(line, at, word.len()));
            if let Some(word) = MARKERS.iter().find(says)
                && path.ends_with(".rs")
                && !is_about_markers
            {
                faults.push(format!("{path}:{} puts something off ({word}): do it, or leave it out", i + 1));
            }
            if let Some(start) = MACHINE_PATHS.iter().find(|start| line.contains(**start)) {
                faults.push(format!("{path}:{} names a path of one machine ({start}): name it relatively", i + 1));
            }
        }
    }
    faults
}

/// Returns a sentence for each file that has crates come from elsewhere than the public registry.
fn registries(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in tree.files_in("", "Cargo.lock") {
        let sources = text.lines().filter_map(|line| line.strip_prefix("source = \"")?.strip_suffix('"'));
        let others: BTreeSet<_> = sources.filter(|source| *source != REGISTRY).collect();
        faults.extend(others.into_iter().map(|source| {
            format!("{path} fetches crates from {source}: depend on a released version in the public registry")
        }));
    }
    for (path, text) in tree.files_in(".cargo/", ".toml") {
        faults.extend(REGISTRY_SETTINGS.iter().filter(|setting| text.contains(**setting)).map(|setting| {
            format!("{path} sets `{setting}`: a registry of your own belongs in your own cargo configuration")
        }));
    }
    faults
}

/// Returns a sentence for each text file whose lines end in another way than LF.
fn line_endings(tree: &Tree) -> Vec<String> {
    let others = tree.files().filter(|(_, text)| text.contains('\r'));
    others
        .map(|(path, _)| format!("{path} has a carriage return: end lines with LF, and write it as an escape"))
        .collect()
}

/// Returns a sentence for each `cargo xtask` command that a page names and xtask has not. Each is a file of its name.
fn commands(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in tree.files_in("", ".md") {
        let named = text.split("cargo xtask ").skip(1).map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
        let named: BTreeSet<_> = named.flatten().filter(|name| !name.is_empty()).collect();
        let missing = named.into_iter().filter(|name| !tree.has(&format!("xtask/src/{name}.rs")));
        faults.extend(missing.map(|name| {
            format!("{path} names `cargo xtask {name}`, and there is no xtask/src/{name}.rs: correct the page")
        }));
    }
    faults
}

#[test]
fn sources_have_a_header_and_fit_the_eye() {
    expect_none(&shape(&Tree::of_repository()));
}

#[test]
fn the_top_holds_what_is_expected() {
    expect_none(&top(&Tree::of_repository()));
}

#[test]
fn no_word_puts_work_off_or_names_a_machine() {
    expect_none(&words(&Tree::of_repository()));
}

#[test]
fn crates_come_from_the_public_registry() {
    expect_none(&registries(&Tree::of_repository()));
}

#[test]
fn lines_end_with_lf() {
    expect_none(&line_endings(&Tree::of_repository()));
}

#[test]
fn commands_in_the_pages_exist() {
    expect_none(&commands(&Tree::of_repository()));
}

#[test]
fn a_broken_house_rule_is_told() {
    let long = "//! Long.\n".repeat(LINES_MAX + 1);
    let check = |rule: fn(&Tree) -> Vec<String>, path, text| rule(&Tree::of(&[(path, text)]));
    expect_one(&check(shape, "host/src/gate.rs", &long), &["host/src/gate.rs has 401 lines"]);
    expect_one(&check(shape, "sdk/src/kv.rs", "use x;\n"), &["sdk/src/kv.rs does not begin"]);
    expect_one(&check(top, "docs/page.md", ""), &["docs lies at the top"]);
    expect_one(&check(line_endings, "README.md", "a\r\nb"), &["README.md has a carriage return"]);
    expect_one(&check(commands, "README.md", "`cargo xtask dmeo` and `cargo xtask`"), &["no xtask/src/dmeo.rs"]);
}

#[test]
fn a_word_that_does_not_belong_is_told() {
    let check = |path, text: String| words(&Tree::of(&[(path, text.as_str())]));
    let [marker, machine] = [MARKERS[0], MACHINE_PATHS[1]];
    expect_one(&check("host/src/gate.rs", format!("x\n// {marker}: y")), &["host/src/gate.rs:2 puts something off"]);
    expect_none(&check("host/src/gate.rs", format!("let my_{marker}S = 1;")));
    expect_none(&check("plugins/brief/src/lib.rs", format!("\"{marker}\"")));
    expect_one(&check("README.md", format!("cd {machine}ada")), &["README.md:1 names a path of one machine"]);
}

#[test]
fn another_registry_is_told() {
    let check = |path, text: String| registries(&Tree::of(&[(path, text.as_str())]));
    expect_none(&check("Cargo.lock", format!("source = \"{REGISTRY}\"")));
    let mirror = "source = \"registry+https://mirror.example/index\"".to_owned();
    expect_one(
        &check("plugins/Cargo.lock", mirror),
        &["plugins/Cargo.lock fetches crates from registry+https://mirror"],
    );
    expect_one(&check(".cargo/config.toml", "[source.crates-io]".to_owned()), &[".cargo/config.toml sets `[source.`"]);
}
