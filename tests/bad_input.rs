//! Plugins that are no plugins, manifests that are wrong, and guests that misbehave: one clear message each, the exit
//! code of its class, nothing lost, no panic.

use serde_json::Value as Json;

use crate::binary::{Desk, Said, by_hand, code, without_places};
use crate::harness::component;

#[test]
fn what_is_no_plugin_is_told_so() {
    let desk = Desk::with(&["cli"]);
    desk.write("text.wasm", "(component)");
    desk.write("empty.wasm", "");
    desk.write("magic.wasm", b"\0asm");
    desk.folder("folder");
    for (plugin, expected) in [
        (
            "text.wasm",
            "error: text.wasm: not WebAssembly: the file does not begin with \\0asm\n\
             hint: build it with `remit build`, or give the path of a .wasm component\n",
        ),
        (
            "empty.wasm",
            "error: empty.wasm: not WebAssembly: the file does not begin with \\0asm\n\
             hint: build it with `remit build`, or give the path of a .wasm component\n",
        ),
        (
            &desk.by_hand("core-module"),
            "error: core-module.wasm: a core WebAssembly module, not a component\n\
             hint: build for wasm32-wasip2, or turn the module into a component with `wasm-tools component new`\n",
        ),
        (
            &desk.by_hand("no-exports"),
            "error: no-exports.wasm: the component exports neither `run` of remit:plugin nor wasi:cli/run, and \
             no interface of its own\nhint: an agent uses remit_sdk::agent!; a command is a program with a main \
             function; a connector exports interfaces\n",
        ),
        (
            &desk.by_hand("imports-next-major"),
            "error: imports-next-major.wasm: the component is built for remit:plugin/kv@2.0.0, and this host speaks \
             remit:plugin 1.0.0\nhint: build it with the SDK for remit:plugin 1.0.0, or use another host\n",
        ),
        (
            &desk.by_hand("imports-unknown-versioned"),
            "error: imports-unknown-versioned.wasm: the component imports acme:thing/api@1.2.3, which this host does \
             not offer, and remit.toml does not request\n\
             hint: request it: [capabilities.connectors.\"acme:thing/api@1.2.3\"] with a `why`\n",
        ),
        (
            &desk.by_hand("imports-unknown"),
            "error: imports-unknown.wasm: the component imports acme:thing/api, which this host does not offer\n\
             hint: remove the import, or provide it inside the component\n",
        ),
        (
            "none.wasm",
            "error: no plugin at none.wasm: No such file or directory (os error 2)\n\
             hint: give a folder with remit.toml, or a component file\n",
        ),
    ] {
        let said = desk.remit(&["run", plugin]).fails(code::PLUGIN_UNFIT, &[]);
        assert_eq!(without_places(&desk, &said.stderr), expected);
    }
    for (plugin, part) in [
        ("magic.wasm", "magic.wasm: "),
        ("folder", "remit new agent NAME"),
        (&desk.by_hand("imports-newer-minor"), "remit:plugin/kv@1.9.0"),
        (&desk.by_hand("wrong-run"), "run"),
        ("/dev/zero", "not a file"),
    ] {
        desk.remit(&["run", plugin]).fails(code::PLUGIN_UNFIT, &[part]);
    }
    assert_eq!(desk.runs(), 0);
    desk.still_runs();
}

#[test]
fn a_truncated_component_is_refused_at_any_length() {
    let desk = Desk::with(&["guest_agent"]);
    let whole = component("guest_agent");
    let small = by_hand("fails");
    let lengths = (1..30).map(|part| whole.len() * part / 30).chain([4, 7, 8, 9, 20, whole.len() - 1]);
    let cut = lengths.map(|len| &whole[..len]).chain((9..small.len()).step_by(7).map(|len| &small[..len]));
    for bytes in cut {
        desk.write("cut.wasm", bytes);
        let said = desk.remit(&["check", "cut.wasm"]);
        // What is cut between two sections is a smaller component, without its exports.
        said.fails(code::PLUGIN_UNFIT, &["cut.wasm: ", "hint: "]);
    }
    desk.write("cut.wasm", &whole[..whole.len() / 2]);
    desk.remit(&["run", "cut.wasm"]).fails(code::PLUGIN_UNFIT, &["cut.wasm: damaged component"]);
    desk.still_runs();
}

#[test]
fn a_component_with_flipped_bits_is_refused_or_runs() {
    let desk = Desk::new();
    let whole = by_hand("fails");
    for bit in (0..whole.len() * 8).step_by(37) {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        desk.write("flipped.wasm", bytes);
        let said = desk.remit(&["run", "flipped.wasm", "--limit", "fuel=1000000"]);
        let expected = [0, 1, code::PLUGIN_UNFIT, code::CRASHED, code::LIMIT];
        assert!(expected.contains(&said.code), "bit {bit}: {} {}", said.code, said.stderr);
    }
    desk.still_runs();
}

#[test]
fn a_wrong_manifest_is_shown_with_its_lines() {
    let desk = Desk::new();
    let head = "[plugin]\nname = \"x\"\nversion = \"0.1.0\"\nkind = \"agent\"\n";
    let snapshots = [
        (
            "[plugin]\nname = \"x\"\nversion = \"0.1.0\"\nkind = \"agnet\"\n".to_owned(),
            "error: `plugin.kind`: expected `agent`, `command` or `connector`",
        ),
        (format!("{head}\n[capabilites.log]\n"), "error: unknown key \"capabilites\""),
        (head.replace("\"x\"", "3"), "error: "),
        (format!("{head}[limits]\nmemory = true\n"), "error: "),
        (format!("{head}[limits]\nfuel = -3\n"), "error: "),
        (format!("{head}[capabilities.files.a]\nmount = \"/a/../..\"\naccess = \"read\"\nwhy = \"x\"\n"), "error: "),
        (head.replace("name", "name = ["), "error: "),
        (format!("{head}component = \"../../etc/passwd\"\n"), "error: "),
    ];
    for (text, part) in snapshots {
        desk.write("plugin/remit.toml", &text);
        for command in ["check", "run", "build"] {
            let said =
                desk.remit(&[command, "plugin"]).ends(code::PLUGIN_UNFIT).says(&[part, " --> plugin/remit.toml:"]);
            assert_eq!(said.stdout, "");
        }
    }
    let unknown = format!("{head}\n[capabilities.kv]\nprefixs = [\"a\"]\naccess = \"read\"\nwhy = \"x\"\n");
    desk.write("plugin/remit.toml", unknown);
    let said = desk.remit(&["check", "plugin"]).ends(code::PLUGIN_UNFIT);
    assert!(said.stderr.contains("plugin/remit.toml:7:1") && said.stderr.contains("`prefixes`"), "{}", said.stderr);
}

#[test]
fn a_manifest_of_ten_megabytes_is_not_read() {
    let desk = Desk::new();
    desk.write("plugin/remit.toml", vec![b'#'; 10 << 20]);
    desk.remit(&["check", "plugin"]).fails(code::PLUGIN_UNFIT, &["remit.toml", "more than"]);
    desk.write("plugin/remit.toml", b"name = \"\xff\"");
    desk.remit(&["check", "plugin"]).fails(code::PLUGIN_UNFIT, &["remit.toml is not UTF-8"]);
    desk.write("plugin/remit.toml", "x = ".to_owned() + &"[".repeat(60_000));
    desk.remit(&["check", "plugin"]).fails(code::PLUGIN_UNFIT, &["remit.toml"]);
}

#[test]
fn overlapping_mounts_of_a_request_are_refused() {
    let desk = Desk::with(&["cli"]);
    let files = |name: &str, mount: &str| {
        format!("[capabilities.files.{name}]\nmount = \"{mount}\"\naccess = \"read\"\nwhy = \"x\"\n")
    };
    for (one, other) in [("/a", "/a"), ("/a", "/a/b"), ("/", "/a"), (".", "b"), ("a", "./a")] {
        let head = "[plugin]\nname = \"x\"\nversion = \"0.1.0\"\nkind = \"command\"\n";
        desk.write("x/remit.toml", format!("{head}{}{}", files("one", one), files("other", other)));
        desk.remit(&["check", "x"]).ends(code::PLUGIN_UNFIT).says(&["x/remit.toml:"]);
    }
}

/// Runs a guest that does not stop by itself, and checks that it is ended, that its record is whole, and that the next
/// run goes well.
#[track_caller]
fn ends(desk: &Desk, args: &[&str], exit: i32, parts: &[&str]) -> Said {
    let said = desk.remit(&[&["run"], args].concat()).ends(exit).says(parts);
    desk.last_is_whole();
    said
}

#[test]
fn an_endless_loop_ends_at_a_limit() {
    let desk = Desk::with(&["limits", "guest_agent"]);
    let start = desk.by_hand("loop-in-start");
    let (fuel, time) = (["--limit", "fuel=50000000"], ["--limit", "wall-time=300ms"]);
    let agent = ["guest_agent.wasm", "--input", r#"{"do": "loop"}"#];
    for plugin in [&[start.as_str()][..], &agent] {
        ends(
            &desk,
            &[plugin, &fuel].concat(),
            code::LIMIT,
            &["limit on fuel crossed: 50 M fuel allowed", "fuel=VALUE"],
        );
        ends(&desk, &[plugin, &time].concat(), code::LIMIT, &["limit on time of the run crossed", "wall-time=VALUE"]);
    }
    for what in ["loop", "sleep", "calls"] {
        let args = ["limits.wasm", "--limit", "wall-time=300ms", "--", what];
        let said = ends(&desk, &args, code::LIMIT, &["limit on time of the run crossed"]);
        assert_eq!(said.stdout, "");
    }
    desk.still_runs();
}

#[test]
fn who_takes_too_much_ends_at_a_limit() {
    let desk = Desk::with(&["limits"]);
    for (args, parts) in [
        (&["--", "memory"][..], &["limit on memory crossed: 256 MiB allowed"][..]),
        (&["--limit", "memory=8MiB", "--", "memory"], &["limit on memory crossed: 8 MiB allowed"]),
        (&["--", "pollables"], &["limit on open handles crossed: 10,000 allowed"]),
        (&["--limit", "handles=100", "--", "polls", "1000"], &["limit on open handles crossed: 100 allowed"]),
        (&["--", "string", "100000000"], &["limit on host call payload crossed"]),
        (&["--", "random", "4294967295"], &["crossed", "3.9 GiB wanted"]),
        (&["--limit", "output=1MiB", "--", "output"], &["limit on output crossed: 1 MiB allowed"]),
        (&["--limit", "calls=1000", "--", "calls"], &["limit on host calls crossed: 1,000 allowed"]),
    ] {
        ends(&desk, &[&["limits.wasm"], args].concat(), code::LIMIT, parts).says(&["hint: ", "remit.toml"]);
    }
    for (name, part) in [
        ("grow-memory", "limit on memory crossed"),
        ("large-memory", "limit on memory crossed: 256 MiB allowed, 4 GiB wanted"),
        ("grow-table", "limit on table elements crossed"),
        ("long-string", "crossed"),
    ] {
        ends(&desk, &[&desk.by_hand(name)], code::LIMIT, &[part]);
    }
    let large = desk.by_hand("large-table");
    desk.remit(&["run", &large]).fails(code::PLUGIN_UNFIT, &["4000000 which exceeds the limit of 1048576"]);
    desk.still_runs();
}

/// What some embedder offers, this program does not: the guest is told before it starts.
#[test]
fn an_interface_that_only_an_embedder_offers_is_not_there() {
    let desk = Desk::with(&["bench"]);
    desk.remit(&["run", "bench.wasm", "--", "nothing", "1"]).fails(code::PLUGIN_UNFIT, &["bench:host/calls"]);
}

/// A million handles, allowed: then something else ends the run, or the guest itself, but not the host.
#[test]
fn a_million_handles_are_no_danger() {
    let desk = Desk::with(&["limits"]);
    let args = ["limits.wasm", "--limit", "handles=1000000", "--", "pollables"];
    ends(&desk, &args, code::LIMIT, &["crossed"]);
    desk.still_runs();
}

#[test]
fn a_crash_is_the_guests_own() {
    let desk = Desk::with(&["limits", "guest_agent"]);
    let said = ends(&desk, &["limits.wasm", "--", "panic"], code::CRASHED, &["as asked", "crashed: wasm trap"]);
    said.says(&["guest backtrace:", "hint: `remit show last --calls`"]);
    let panic = r#"{"do": "panic", "message": "out of tea"}"#;
    ends(&desk, &["guest_agent.wasm", "--input", panic], code::CRASHED, &["out of tea"]);
    for what in ["trap", "abort", "recursion"] {
        ends(&desk, &["limits.wasm", "--", what], code::CRASHED, &["crashed: wasm trap"]);
    }
    for name in ["recursion", "trap-in-start", "string-out-of-bounds"] {
        ends(&desk, &[&desk.by_hand(name)], code::CRASHED, &["crashed: "]);
    }
    ends(&desk, &[&desk.by_hand("fails")], 1, &["exited with code 1"]);
    desk.still_runs();
}

/// What a guest stored before it crashed is there for its next run, once.
#[test]
fn a_crash_loses_nothing_that_was_stored() {
    let desk = Desk::with(&["guest_agent"]);
    let manifest = "[plugin]\nname = \"counter\"\nversion = \"0.1.0\"\nkind = \"agent\"\n\n\
                    [capabilities.kv]\nprefixes = [\"n\"]\naccess = \"read-write\"\nwhy = \"to count\"\n";
    desk.write("counter/remit.toml", manifest);
    desk.write("counter/counter.wasm", component("guest_agent"));
    let run = |task: &str| {
        let input = format!(r#"{{"do": "{task}", "key": "n"}}"#);
        desk.remit(&["run", "counter", "--allow-requested", "--json", "--input", &input])
    };
    assert_eq!(run("kv-count").ends(code::OK).json()["result"], Json::from(1));
    run("kv-count-then-panic").ends(code::CRASHED);
    desk.last_is_whole();
    assert_eq!(run("kv-count").ends(code::OK).json()["result"], Json::from(3));
}
