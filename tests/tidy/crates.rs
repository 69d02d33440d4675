//! Crates, clocks and `unsafe` are named in the host only where they belong.

use super::source;
use crate::support::{Tree, expect_none, expect_one};

/// A word of the code, and the modules of the host that may say it.
struct Place {
    words: &'static [&'static str],
    modules: &'static [&'static str],
    /// What to do instead of saying it elsewhere.
    way_out: &'static str,
    /// Whether tests are held to it too.
    holds_tests: bool,
}

const PLACES: &[Place] = &[
    Place {
        words: &["wasmtime", "wasmtime_wasi"],
        modules: &["engine", "capability", "agent"],
        way_out: "ask one of them for what is needed, in a type of our own",
        holds_tests: true,
    },
    Place {
        words: &["redb"],
        modules: &["journal"],
        way_out: "have `journal` store it, and say what is stored in the journal's words",
        holds_tests: true,
    },
    Place {
        words: &["rustls", "tokio_rustls"],
        modules: &["net"],
        way_out: "have `net` send it, in a type of our own",
        holds_tests: true,
    },
    Place {
        words: &["hyper", "hyper_util"],
        modules: &["net", "api"],
        way_out: "have `net` send it, or `api` answer it, in a type of our own",
        holds_tests: true,
    },
    Place {
        words: &["axum"],
        modules: &["api"],
        way_out: "have `api` answer it: others know nothing of HTTP",
        holds_tests: true,
    },
    Place { words: &["jsonschema"], modules: &["model"], way_out: "have `model` check it", holds_tests: true },
    Place {
        words: &["clap", "clap_complete"],
        modules: &["cli"],
        way_out: "parse in `cli`, and hand on a type that holds what was parsed",
        holds_tests: true,
    },
    Place {
        words: &["Instant::now", "SystemTime::now", "Timestamp::now", "chrono"],
        modules: &["time"],
        way_out: "take a `time::Clock`, or a time, as an argument",
        holds_tests: false,
    },
    Place {
        words: &["tokio::time"],
        modules: &["capability/link", "agent", "net", "api"],
        way_out: "let the call's deadline, or the run's, end the wait",
        holds_tests: false,
    },
    Place {
        words: &["unsafe"],
        modules: &["engine/cache"],
        way_out: "there is always a safe way; if not, its proof belongs in that one file",
        holds_tests: true,
    },
];

/// Returns a sentence for each line that says a word out of its place.
fn faults(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in tree.files_in("host/src/", ".rs") {
        let module = path.trim_start_matches("host/src/").trim_end_matches(".rs");
        let code = source::code(text);
        for place in PLACES {
            let is_exempt = !place.holds_tests && source::is_test_file(path);
            if is_exempt || place.modules.iter().any(|home| is_in(module, home)) {
                continue;
            }
            let code = if place.holds_tests { code.clone() } else { source::without_tests(&code) };
            faults.extend(place.words.iter().flat_map(|word| {
                let lines = source::lines_with(&code, word);
                lines.into_iter().map(move |line| fault(path, line, word, place))
            }));
        }
    }
    faults
}

/// Whether the module is this one, or within it.
fn is_in(module: &str, home: &str) -> bool {
    module.strip_prefix(home).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn fault(path: &str, line: usize, word: &str, place: &Place) -> String {
    let homes: Vec<_> = place.modules.iter().map(|home| format!("host/src/{home}")).collect();
    format!("{path}:{line} names `{word}`, which belongs to {} alone: {}", homes.join(", "), place.way_out)
}

#[test]
fn crates_are_named_only_where_they_belong() {
    expect_none(&faults(&Tree::of_repository()));
}

#[test]
fn a_word_out_of_place_is_found() {
    let check = |path: &str, text: &str| faults(&Tree::of(&[(path, text)]));
    let parts = ["host/src/gate/live.rs:2 names `redb`", "host/src/journal alone", "have `journal` store it"];
    expect_one(&check("host/src/gate/live.rs", "\nuse redb::Database;"), &parts);
    expect_none(&check("host/src/journal/log.rs", "use redb::Database;"));
    expect_none(&check("host/src/journal.rs", "use redb::Database;"));
    expect_none(&check("host/src/gate.rs", "//! Unlike redb.\nlet x = \"redb\";"));
    expect_one(&check("host/src/journals.rs", "use redb::Database;"), &["`redb`"]);
    expect_one(&check("host/src/engine/mod.rs", "unsafe { x() }"), &["host/src/engine/cache alone"]);
}

#[test]
fn tests_may_read_clocks_and_nothing_else() {
    let check = |path: &str, text: &str| faults(&Tree::of(&[(path, text)]));
    expect_one(&check("host/src/id.rs", "let t = Instant::now();"), &["`Instant::now`", "take a `time::Clock`"]);
    expect_none(&check("host/src/id.rs", "#[cfg(test)]\nmod tests { fn f() { Instant::now() } }"));
    expect_none(&check("host/src/gate/tests.rs", "fn f() { std::time::SystemTime::now() }"));
    expect_one(&check("host/src/gate/tests.rs", "use redb::Database;"), &["`redb`"]);
}
