//! Installing plugins: by path once, by name from then on; what another release, another folder and uninstalling do.

use serde_json::Value as Json;

use crate::binary::{Desk, code, until, without_places};
use crate::harness::component;

const MANIFEST: &str = r#"
[plugin]
name = "notes"
version = "0.1.0"
kind = "command"

[capabilities.files.out]
mount = "/out"
access = "read-write"
why = "the report"
"#;

fn desk() -> Desk {
    let desk = Desk::with(&["cli"]);
    desk.write("notes/remit.toml", MANIFEST);
    desk.write("notes/notes.wasm", component("files"));
    desk.folder("out");
    desk
}

fn identities(desk: &Desk) -> Vec<String> {
    let plugins = desk.json(&["plugins", "--json"]);
    let plugins = plugins.as_array().expect("a list").iter();
    plugins.map(|plugin| without_places(desk, plugin["identity"].as_str().expect("an identity"))).collect()
}

#[test]
fn a_plugin_is_installed_once_and_run_by_its_name() {
    let desk = desk();
    assert!(desk.remit(&["plugins"]).ends(code::OK).says(&["nothing is installed"]).stdout.is_empty());
    let said = desk.remit(&["install", "notes"]).ends(code::OK);
    assert!(said.stdout.starts_with("installed notes 0.1.0, unsigned: "), "{}", said.stdout);
    let said = desk.remit(&["install", "notes"]).ends(code::OK);
    assert!(said.stdout.starts_with("notes 0.1.0 is installed already, since "), "{}", said.stdout);
    assert_eq!(identities(&desk), ["folder:WORK/notes#notes"]);
    let listed = desk.json(&["plugins", "--json"]);
    assert_eq!((&listed[0]["signed"], &listed[0]["kind"]), (&Json::from(false), &Json::from("command")), "{listed}");
    assert!(desk.remit(&["plugins"]).ends(code::OK).stdout.contains("\tunsigned\t"));

    // The installed bytes run, and not those that lie where they came from.
    std::fs::rename(desk.path("notes"), desk.path("elsewhere")).expect("a folder can be renamed");
    let run = ["run", "notes", "--mount", "out=out:rw", "--allow-requested", "--", "write", "/out/a.txt", "x"];
    assert_eq!(desk.remit(&run).ends(code::OK).stdout, "write: ok\n");
    assert!(desk.path("out/a.txt").exists());
    desk.last_is_whole();
    let shown = desk.json(&["show", "last", "--json"]);
    let plugin = &shown["header"]["plugin"];
    assert_eq!(without_places(&desk, plugin["identity"].as_str().expect("text")), "folder:WORK/notes#notes");
    assert_eq!((plugin["name"].as_str(), plugin["version"].as_str()), (Some("notes"), Some("0.1.0")));
}

#[test]
fn a_path_wins_over_a_name_and_says_so() {
    let desk = desk();
    desk.remit(&["install", "notes"]).ends(code::OK);
    std::fs::rename(desk.path("notes"), desk.path("elsewhere")).expect("a folder can be renamed");
    desk.write("notes/remit.toml", MANIFEST.replace("0.1.0", "0.2.0").replace("\"notes\"", "\"other\""));
    desk.write("notes/other.wasm", component("files"));
    let run = ["run", "notes", "--mount", "out=out:rw", "--allow-requested", "--", "list", "/out"];
    desk.remit(&run)
        .ends(code::OK)
        .says(&["notes is taken for the path; the installed plugin of this name is folder:"]);
    assert_eq!(desk.json(&["show", "last", "--json"])["header"]["plugin"]["name"], "other");
    let identity = desk.json(&["plugins", "--json"])[0]["identity"].as_str().expect("text").to_owned();
    let run = ["run", &identity, "--mount", "out=out:rw", "--allow-requested", "--", "list", "/out"];
    desk.remit(&run).ends(code::OK);
    assert_eq!(desk.json(&["show", "last", "--json"])["header"]["plugin"]["name"], "notes");
}

#[test]
fn a_newer_release_keeps_the_earlier_ones() {
    let desk = desk();
    desk.remit(&["install", "notes"]).ends(code::OK);
    desk.write("notes/notes.wasm", component("cli"));
    desk.remit(&["install", "notes"]).ends(code::OK);
    let listed = desk.json(&["plugins", "--json"]);
    assert_eq!((listed.as_array().map(Vec::len), listed[0]["earlier"].as_array().map(Vec::len)), (Some(1), Some(1)));
    let run = ["run", "notes", "--mount", "out=out:rw", "--allow-requested", "--", "args", "new"];
    assert_eq!(desk.remit(&run).ends(code::OK).stdout, "args\nnew\n");
}

#[test]
fn a_name_that_several_have_names_none() {
    let desk = desk();
    desk.write("copy/remit.toml", MANIFEST);
    desk.write("copy/notes.wasm", component("files"));
    desk.remit(&["install", "notes"]).ends(code::OK);
    desk.remit(&["install", "copy"]).ends(code::OK);
    assert_eq!(identities(&desk), ["folder:WORK/copy#notes", "folder:WORK/notes#notes"]);
    std::fs::rename(desk.path("notes"), desk.path("elsewhere")).expect("a folder can be renamed");
    for command in ["run", "uninstall", "explain"] {
        let parts = ["2 installed plugins are called notes", "copy#notes", "notes#notes"];
        desk.remit(&[command, "notes"]).fails(code::PLUGIN_UNFIT, &parts);
    }
    let identity = desk.json(&["plugins", "--json"])[0]["identity"].as_str().expect("text").to_owned();
    desk.remit(&["uninstall", &identity]).ends(code::OK);
    assert_eq!(identities(&desk), ["folder:WORK/notes#notes"]);
    desk.remit(&["uninstall", "notes"]).ends(code::OK);
}

#[test]
fn uninstalling_leaves_what_was_done_with_it() {
    let desk = desk();
    desk.remit(&["install", "notes"]).ends(code::OK);
    std::fs::rename(desk.path("notes"), desk.path("elsewhere")).expect("a folder can be renamed");
    desk.remit(&["grant", "notes", "--requested", "--mount", "out=out:rw"]).ends(code::OK);
    desk.remit(&["run", "notes", "--", "write", "/out/a.txt", "x"]).ends(code::OK);
    let said = desk.remit(&["uninstall", "notes"]).ends(code::OK).says(&["its grants ended: g1"]);
    assert!(said.stdout.starts_with("uninstalled notes: 1 release of folder:"), "{}", said.stdout);
    desk.last_is_whole();
    for args in
        [&["uninstall", "notes"][..], &["run", "notes"], &["explain", "notes"], &["grant", "notes", "--requested"]]
    {
        desk.remit(args).fails(code::PLUGIN_UNFIT, &["there is no plugin notes", "remit plugins"]);
    }
    assert_eq!(desk.json(&["grants", "--json"]), Json::Array(Vec::new()));
    assert_eq!(desk.json(&["grants", "--all", "--json"])[0]["ended"]["why"], "uninstalled");
}

#[test]
fn a_bare_component_is_known_by_its_digest() {
    let desk = desk();
    desk.remit(&["install", "cli.wasm"]).ends(code::OK);
    assert_eq!(identities(&desk), ["file:DIGEST"]);
    std::fs::remove_file(desk.path("cli.wasm")).expect("the file is there");
    assert_eq!(desk.remit(&["run", "cli", "--", "args", "x"]).ends(code::OK).stdout, "args\nx\n");
}

#[test]
fn what_could_never_run_is_not_installed() {
    let desk = desk();
    desk.write("kind/remit.toml", MANIFEST.replace("\"command\"", "\"agent\""));
    desk.write("kind/notes.wasm", component("files"));
    desk.remit(&["install", "kind"]).fails(code::PLUGIN_UNFIT, &["kind \"agent\"", "is a command"]);
    desk.write("rubbish.wasm", "rubbish");
    desk.remit(&["install", "rubbish.wasm"]).fails(code::PLUGIN_UNFIT, &["rubbish.wasm", "not WebAssembly"]);
    let core = desk.by_hand("core-module");
    desk.remit(&["install", &core]).fails(code::PLUGIN_UNFIT, &["core WebAssembly module"]);
    desk.remit(&["install", "nothing"]).fails(code::PLUGIN_UNFIT, &["nothing"]);
    desk.remit(&["run", "nothing"]).fails(code::PLUGIN_UNFIT, &["there is no plugin nothing"]);
    assert!(!desk.home().exists(), "none of it needed a home");
}

/// Runs a command and kills it after so many looks at it, unless it has come to its end before.
#[cfg(unix)]
fn killed(desk: &Desk, looks: usize, args: &[&str]) {
    let (mut running, mut looked) = (desk.start(args), 0);
    let has_ended = until("its moment", || {
        looked += 1;
        let has_ended = running.has_ended();
        (has_ended || looked > looks).then_some(has_ended)
    });
    if !has_ended {
        running.signal("KILL");
    }
}

/// Killed at moments of no plan: what is installed, and what is granted to it, is what was before or what should be, and
/// can be loaded and run.
#[cfg(unix)]
#[test]
fn a_kill_leaves_the_old_or_the_new() {
    let desk = desk();
    let releases = |desk: &Desk| {
        let listed = desk.json(&["plugins", "--json"]);
        listed.as_array().expect("a list").first().map(|one| 1 + one["earlier"].as_array().expect("a list").len())
    };
    for looks in [0, 4, 8, 12, 16, 20, 24, 32, 48] {
        desk.write("notes/notes.wasm", component("files"));
        desk.remit(&["install", "notes"]).ends(code::OK);
        let listed = desk.json(&["plugins", "--json"]);
        let identity = listed[0]["identity"].as_str().expect("text").to_owned();
        desk.remit(&["grant", &identity, "--requested", "--mount", "out=out:rw"]).ends(code::OK);

        desk.write("notes/notes.wasm", component("cli"));
        killed(&desk, looks, &["install", "notes"]);
        let count = releases(&desk).expect("the earlier release is there");
        let said = desk.remit(&["run", &identity, "--allow-requested", "--mount", "out=out", "--", "args", "x"]);
        assert_eq!((count == 2, said.stdout.as_str() == "args\nx\n"), (count == 2, count == 2), "{}", said.stderr);
        desk.last_is_whole();

        let releases_before = releases(&desk);
        killed(&desk, looks, &["uninstall", &identity]);
        let is_there = releases(&desk).is_some();
        assert!(!is_there || releases(&desk) == releases_before);
        let granted = desk.json(&["grants", "--json"]);
        assert_eq!(granted.as_array().is_some_and(|grants| !grants.is_empty()), is_there, "{granted}");
        if is_there {
            desk.remit(&["explain", &identity]).ends(code::OK);
            desk.remit(&["uninstall", &identity]).ends(code::OK);
        }
    }
}
