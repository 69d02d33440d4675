//! From nothing to an agent that runs: `remit new`, `remit build`, `remit check`; and a rebuilt one against the record.

use std::fs;

use crate::binary::{Desk, Running, code, repository, target};
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
    let built = Running::start(&mut build).said().ends(code::OK);
    assert!(built.stdout.contains("greeter.wasm"), "{}", built.stdout);
    desk.remit(&["check", "greeter"]).ends(code::OK);
    let said = desk.remit(&["run", "greeter", "--allow-requested", "--input", r#"{"name": "Ada"}"#]).ends(code::OK);
    assert!(said.stdout.contains("Ada"), "{}", said.stdout);
    desk.last_is_whole();
    a_new_connector_builds(&desk);
}

/// Follows the agent, so that the SDK is compiled already. The project's own tests are those of `examples/greetings`.
fn a_new_connector_builds(desk: &Desk) {
    desk.remit(&["new", "connector", "word-book"]).ends(code::OK).says(&["remit install word-book"]);
    desk.remit(&["new", "connector", "interface"]).fails(code::USAGE, &["no name for a WIT package"]);
    let mut build = desk.command(&["build", "word-book"]);
    build.env("CARGO_TARGET_DIR", target().join("new-agent"));
    let built = Running::start(&mut build).said().ends(code::OK).says(&["exports local:word-book/greetings@0.1.0"]);
    assert!(built.stdout.contains("word-book.wasm"), "{}", built.stdout);
    desk.remit(&["install", "word-book"]).ends(code::OK);
}

/// The WIT comes out of the component that is installed, and stays when the connector is gone.
#[test]
fn an_agent_is_built_against_an_installed_connector() {
    let desk = Desk::new();
    desk.write("greetings/remit.toml", fs::read(repository().join("examples/greetings/remit.toml")).unwrap());
    desk.write("greetings/greetings.wasm", component("greetings"));
    let manifest =
        "[plugin]\nname = \"caller\"\nversion = \"0.1.0\"\nkind = \"agent\"\n[build]\ncommand = [\"true\"]\n";
    let request = "[capabilities.connectors.\"local:greetings/greetings@0.1.0\"]\nwhy = \"greets\"\n";
    desk.write("caller/remit.toml", format!("{manifest}{request}"));
    desk.write("caller/caller.wasm", component("guest_agent"));
    let nowhere = ["installed exports local:greetings/greetings@0.1.0", "hint: install one with `remit install DIR`"];
    desk.remit(&["build", "caller"]).fails(code::PLUGIN_UNFIT, &nowhere);
    desk.remit(&["install", "greetings"]).ends(code::OK);
    desk.remit(&["build", "caller"]).ends(code::OK).says(&["wrote ", "connectors.wit"]);
    let wit = fs::read_to_string(desk.path("caller/connectors.wit")).unwrap();
    for part in ["import local:greetings/greetings@0.1.0;", "greet: func(person: person) -> result<string, error>;"] {
        assert!(wit.contains(part), "{wit}");
    }
    desk.remit(&["uninstall", "greetings"]).ends(code::OK);
    desk.remit(&["build", "caller"]).ends(code::OK);
    assert_eq!(fs::read_to_string(desk.path("caller/connectors.wit")).unwrap(), wit);
}

#[test]
fn a_connector_that_nobody_could_call_is_not_built() {
    let desk = Desk::new();
    let manifest = "[plugin]\nname = \"x\"\nversion = \"0.1.0\"\nkind = \"connector\"\n[build]\ncommand = [\"true\"]\n";
    desk.write("x/remit.toml", manifest);
    desk.write("x/x.wasm", component("guest_agent"));
    desk.remit(&["build", "x"]).fails(code::PLUGIN_UNFIT, &["x.wasm", "no interface of its own", "hint: "]);
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
