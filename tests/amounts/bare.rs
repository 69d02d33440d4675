//! Grants of a component without a manifest: it requests nothing, so it has what is granted to just its bytes.

use super::lines::grant_what_it_says;
use super::{REFUSED, Server, said};
use crate::binary::{Desk, code};

#[test]
fn a_bare_component_has_what_is_granted_to_its_bytes() {
    let (server, desk) = (Server::new(), Desk::with(&["http"]));
    let url = server.url();
    desk.write("grant.toml", server.section(""));
    let run = |component: &str| desk.remit(&["run", component, "--", "each", &url, "1"]).ends(code::OK);
    assert_eq!(run("http.wasm").stdout, REFUSED);
    let once = desk.remit(&["run", "http.wasm", "--grant", "grant.toml", "--", "each", &url, "1"]).ends(code::OK);
    assert_eq!(once.stdout, said(1, 0), "{}", once.stderr);
    assert_eq!(run("http.wasm").stdout, REFUSED, "it was for one run");

    let kept = desk.remit(&["grant", "http.wasm", "--file", "grant.toml", "--amount", "2 in total"]).ends(code::OK);
    assert!(!kept.stderr.contains("does not ask"), "{}", kept.stderr);
    let explained = desk.remit(&["explain", "http.wasm"]).ends(code::OK).stdout;
    assert!(explained.contains(&format!("  holds: GET {url}*")), "{explained}");
    assert_eq!(run("http.wasm").stdout, said(1, 0));
    desk.last_is_whole();
    // The name is nothing: other bytes are another component.
    std::fs::create_dir(desk.path("other")).expect("the name is new");
    std::fs::copy(desk.path(&desk.guest("http")), desk.path("other/http.wasm")).expect("it can be copied");
    assert_eq!(run("other/http.wasm").stdout, said(1, 0), "the same bytes");
    assert_eq!(run("http.wasm").stdout, REFUSED, "two are used up");
    desk.remit(&["revoke", "g1"]).ends(code::OK);
    desk.remit(&["grant", "http.wasm", "--file", "grant.toml"]).ends(code::OK);
    assert_eq!(run("http.wasm").stdout, said(1, 0));
    desk.guest("cli");
    std::fs::copy(desk.path("cli.wasm"), desk.path("other/http.wasm")).expect("it can be copied");
    let explained = desk.remit(&["explain", "other/http.wasm"]).ends(code::OK).stdout;
    assert!(explained.contains("it has no manifest") && !explained.contains("holds"), "{explained}");
    assert_eq!(server.count(), 4);
}

#[test]
fn the_line_that_a_refusal_prints_helps_a_bare_component_too() {
    let desk = Desk::with(&["kv"]);
    let run = || desk.remit(&["run", "kv.wasm", "--", "set", "b", "x"]).ends(code::OK);
    let refused = run();
    assert_ne!(refused.stdout, "ok\n");
    let granted = grant_what_it_says(&desk, &refused);
    assert!(!granted.stderr.contains("does not ask"), "{}", granted.stderr);
    assert_eq!(run().stdout, "ok\n");
}

/// Its folders are those of the command line, beside what is granted, which takes nothing from them.
#[test]
fn a_bare_component_keeps_its_mounts_beside_its_grants() {
    let desk = Desk::with(&["files"]);
    desk.folder("out");
    desk.folder("kept");
    let write = |mount: &str, to: &str| desk.remit(&["run", "files.wasm", "--mount", mount, "--", "write", to, "x"]);
    let said = write("/out=out", "/out/a.txt").ends(code::OK).says(&["--mount data=DIR:rw"]);
    assert!(said.stdout != "write: ok\n" && !said.stderr.contains("remit grant"), "{}", said.stderr);
    desk.remit(&["grant", "files.wasm", "capabilities.kv = {}"]).ends(code::OK);
    assert_eq!(write("/out=out:rw", "/out/a.txt").ends(code::OK).stdout, "write: ok\n");
    let line = "capabilities.files.kept = { mount = \"/kept\", access = \"read-write\" }";
    desk.remit(&["grant", "files.wasm", line, "--mount", "kept=kept:rw"]).ends(code::OK);
    for to in ["/out/b.txt", "/kept/b.txt"] {
        assert_eq!(write("/out=out:rw", to).ends(code::OK).stdout, "write: ok\n", "{to}");
    }
    assert!(desk.path("kept/b.txt").exists());
    desk.last_is_whole();
    write("/kept/in=out", "/out/c.txt").fails(code::NOT_GRANTED, &["overlap", "mount point of its own"]);
    let said = desk.remit(&["grant", "files.wasm", "capabilities.files.x = { access = \"read\" }"]).ends(code::OK);
    said.says(&["files does not ask for files.x", "`mount` and `dir`"]);
}
