//! From nothing to an agent that runs: `remit new`, `remit build`, `remit check`; and a rebuilt one against the record.

use crate::binary::{Desk, code, target};
use crate::harness::component;

/// Compiles the SDK once; later runs of the test find it compiled.
#[test]
fn a_new_agent_builds_and_runs_at_once() {
    let desk = Desk::new();
    desk.remit(&["new", "agent", "greeter"]).ends(code::OK);
    desk.remit(&["new", "agent", "greeter"]).fails(code::USAGE, &["greeter"]);
    desk.remit(&["new", "agent", "No Good"]).fails(code::USAGE, &["No Good"]);
    desk.remit(&["run", "greeter"]).fails(code::PLUGIN_UNFIT, &["hint: build it with `remit build"]);
    let mut build = desk.command(&["build", "greeter"]);
    build.env("CARGO_TARGET_DIR", target().join("new-agent"));
    let built = crate::binary::Running::start(&mut build).said().ends(code::OK);
    assert!(built.stdout.contains("greeter.wasm"), "{}", built.stdout);
    desk.remit(&["check", "greeter"]).ends(code::OK);
    let said = desk.remit(&["run", "greeter", "--allow-requested", "--input", r#"{"name": "Ada"}"#]).ends(code::OK);
    assert!(said.stdout.contains("Ada"), "{}", said.stdout);
    desk.last_is_whole();
}

#[test]
fn a_component_is_checked_before_it_runs() {
    let desk = Desk::with(&["cli", "files", "guest_agent"]);
    for (plugin, says) in [("cli.wasm", "cli is a command"), ("guest_agent.wasm", "guest_agent is an agent")] {
        assert!(desk.remit(&["check", plugin]).ends(code::OK).stdout.starts_with(says));
    }
    desk.write("kind/remit.toml", "[plugin]\nname = \"kind\"\nversion = \"0.1.0\"\nkind = \"agent\"\n");
    desk.write("kind/kind.wasm", component("cli"));
    for name in ["core-module", "no-exports", "wrong-run", "imports-unknown", "imports-next-major"] {
        let file = desk.by_hand(name);
        let said = desk.remit(&["check", &file]).ends(code::PLUGIN_UNFIT).says(&[name, "hint: "]);
        assert_eq!(said.stderr.matches("error: ").count(), 1, "{}", said.stderr);
    }
    desk.remit(&["check", "kind"]).ends(code::PLUGIN_UNFIT).says(&["kind could not run", "\"agent\"", "command"]);
    assert!(!desk.home().exists(), "a check needs no home");
}

#[test]
fn a_replay_with_another_component_compares_what_can_be_compared() {
    let desk = Desk::with(&["clocks", "random", "limits"]);
    desk.remit(&["run", "clocks.wasm", "--", "calls", "10"]).ends(code::OK);
    let same = desk.json(&["replay", "last", "--with", "clocks.wasm", "--json"]);
    assert_eq!((&same["verdict"], &same["fuel-compared"]), (&"matched".into(), &true.into()), "{same}");
    let said = desk.remit(&["replay", "last", "--with", "random.wasm"]);
    said.fails(code::DIVERGED, &["entry ", "hint: "]);
    let other = desk.remit(&["replay", "last", "--with", "random.wasm", "--json"]).ends(code::DIVERGED).json();
    assert_eq!((&other["verdict"], other["divergence"].is_null()), (&"diverged".into(), false), "{other}");
    desk.remit(&["replay", "last", "--with", "none.wasm"]).fails(code::USAGE, &["none.wasm"]);
    desk.write("rubbish.wasm", "rubbish");
    desk.remit(&["replay", "last", "--with", "rubbish.wasm"]).fails(code::PLUGIN_UNFIT, &["rubbish.wasm"]);
    desk.last_is_whole();
}
