//! Invariant 1: no call escapes the gate.
//!
//! Every function that the linker can satisfy has been allowed, refused where a remit can refuse it, and replayed; what
//! no guest can do is listed here with its reason. And the linker satisfies every function of our WIT and of WASI 0.2,
//! by its types.

mod exceptions;
mod interfaces;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use remit::agent::unknown_imports;
use remit::gate::Where;

use self::exceptions::{NEVER_ALLOWED, NEVER_REFUSED};
use crate::harness::{Guest, HOST, Ran, Scene};
use crate::http::{self, Stub};
use crate::model;
use crate::tools;

const ALLOWED: &str = "
[capabilities.files.root]
mount = \".\"
access = \"read-write\"
why = \"test\"
[capabilities.kv]
prefixes = [\"sweep/\"]
access = \"read-write\"
why = \"test\"
[capabilities.model]
tiers = [\"small\"]
why = \"test\"
[capabilities.config]
keys = [\"SWEEP\"]
why = \"test\"
[capabilities.timer]
max = \"1s\"
why = \"test\"
[capabilities.signal]
names = [\"sweep\"]
why = \"test\"
[capabilities.approval]
why = \"test\"";

const DENIED: &str = "
[capabilities.files.root]
mount = \".\"
access = \"read\"
why = \"test\"
[capabilities.kv]
prefixes = [\"other/\"]
access = \"read-write\"
why = \"test\"
[capabilities.log]
levels = [\"error\"]";

/// What was seen of the host's functions in runs that replayed.
#[derive(Default)]
struct Seen {
    allowed: BTreeSet<String>,
    refused: BTreeSet<String>,
}

impl Seen {
    /// Takes note of a run, once its replay has matched call for call.
    fn note(&mut self, ran: Ran) {
        let ran = ran.replayed();
        for call in &ran.calls {
            let seen = if call.refusal.is_some() { &mut self.refused } else { &mut self.allowed };
            seen.insert(call.function.clone());
        }
        // A function that ends the run has no entry; the run's end names it.
        if let Where::Call(function) = ran.end.at {
            self.allowed.insert(function);
        }
    }
}

static SEEN: LazyLock<Seen> = LazyLock::new(|| {
    let scene = Scene::ticking();
    let mut seen = Seen::default();
    for end in ["return", "exit", "exit-with-code"] {
        let dir = scene.dir(end, &[]);
        let sweep = scene.command("sweep", ["allowed", end]).granted(ALLOWED).at("root", &dir);
        seen.note(sweep.asking(model::scripted("")).input("some input to read a little of").run());
    }
    let dir = scene.dir("denied", &[("seed.txt", "sixteen bytes of text"), ("seed/", "")]);
    seen.note(scene.command("sweep", ["denied"]).granted(DENIED).at("root", &dir).run());
    let dir = scene.dir("refused", &[("a.txt", "text"), ("sub/", "")]);
    seen.note(scene.command("files", ["refused", "."]).granted(DENIED).at("root", &dir).run());
    for (arguments, granted, answer) in http::every_function() {
        let play = scene.command("http", arguments.iter().copied()).granted(granted);
        seen.note(play.reaching(&Stub::new(answer)).run());
    }
    for (arguments, granted) in tools::every_function() {
        let play = scene.command("tools", arguments.iter().copied()).granted(granted);
        seen.note(play.routed(&tools::stub::Stub::new(|_, _| Ok(serde_json::json!(1)))).run());
    }
    seen
});

/// Returns the names of all linked functions.
fn linked() -> BTreeSet<String> {
    let imported = HOST.functions().iter().filter(|function| !function.is_internal).map(|function| &*function.name);
    imported.map(str::to_owned).collect()
}

#[track_caller]
fn expect_none(functions: &[&str], what: &str) {
    assert!(functions.is_empty(), "{what}:\n- {}\n", functions.join("\n- "));
}

fn is_excepted(function: &str, exceptions: &[(&str, &str)]) -> bool {
    exceptions.iter().any(|(listed, _)| *listed == function)
}

#[test]
fn every_function_is_allowed_and_replayed() {
    let missing = HOST
        .functions()
        .iter()
        .filter(|function| !SEEN.allowed.contains(&*function.name) && !is_excepted(&function.name, NEVER_ALLOWED));
    let missing: Vec<_> = missing.map(|function| &*function.name).collect();
    expect_none(&missing, "no replayed run was allowed these functions: have the guest `sweep` call them");
}

#[test]
fn every_governed_function_is_refused_and_replayed() {
    let governed = HOST.functions().iter().filter(|function| function.governed);
    let missing = governed
        .filter(|function| !SEEN.refused.contains(&*function.name) && !is_excepted(&function.name, NEVER_REFUSED));
    let missing: Vec<_> = missing.map(|function| &*function.name).collect();
    expect_none(&missing, "no replayed run was refused these functions: have the guest `sweep` call them");
}

#[test]
fn a_function_that_is_not_governed_is_never_refused() {
    let governed = |name: &str| HOST.functions().get(name).is_some_and(|function| function.governed);
    let wrong: Vec<_> = SEEN.refused.iter().map(String::as_str).filter(|name| !governed(name)).collect();
    expect_none(&wrong, "these functions were refused and do not say that they can be");
}

#[test]
fn exceptions_are_linked_and_still_needed() {
    for (exceptions, seen) in [(NEVER_ALLOWED, &SEEN.allowed), (NEVER_REFUSED, &SEEN.refused)] {
        let stale = exceptions.iter().filter(|(name, _)| !linked().contains(*name) || seen.contains(*name));
        let stale: Vec<_> = stale.map(|(name, _)| *name).collect();
        expect_none(&stale, "these exceptions are not linked, or were seen after all: take them off the list");
    }
}

#[test]
fn every_function_of_our_interfaces_and_of_wasi_is_linked_and_no_other() {
    let (linked, declared) = (linked(), interfaces::declared());
    let missing: Vec<_> = declared.difference(&linked).map(String::as_str).collect();
    expect_none(&missing, "the linker does not satisfy these functions of the WIT");
    let more: Vec<_> = linked.difference(&declared).map(String::as_str).collect();
    expect_none(&more, "the linker satisfies these functions, and no WIT declares them");
    let [ours, wasis] = ["remit:plugin/kv#get", "wasi:cli/exit#exit-with-code"];
    assert!(declared.contains(ours) && declared.contains(wasis), "the WIT was not read: {declared:?}");
}

/// A component that imports everything links only where each function has the declared type.
#[test]
fn a_component_that_imports_everything_is_linked() {
    for everything in [interfaces::importing_wasi(), interfaces::importing_http(), interfaces::importing_ours()] {
        let imports = remit::engine::inspect(&everything).expect("it is a component").imports;
        assert_eq!(unknown_imports(&imports), Vec::<String>::new());
        Guest::of(everything);
    }
}
