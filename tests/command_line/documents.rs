//! What an operator writes, as editors and other systems store it: the configuration and grants, right and wrong.

use std::fs;

use crate::binary::{Desk, Said, code};

fn check(text: impl AsRef<[u8]>) -> Said {
    let desk = Desk::new();
    fs::create_dir_all(desk.home()).expect("a home");
    fs::write(desk.home().join("config.toml"), text).expect("the home can be written");
    desk.remit(&["config", "check"])
}

#[test]
fn a_configuration_is_read_however_an_editor_stores_it() {
    for text in [
        "[limits]\ncalls = 7",
        "[limits]\r\ncalls = 7\r\n",
        "\t[limits]\n\tcalls\t=\t7\t# few\n",
        "\u{feff}[limits]\ncalls = 7\n",
        "\n\n# nothing\n",
        "",
    ] {
        assert!(check(text).ends(code::OK).stdout.ends_with(" is right\n"), "{text:?}");
    }
}

#[test]
fn a_configuration_that_is_wrong_is_told_with_its_line() {
    let deep = format!("a = {}", "[".repeat(100_000));
    let long = format!("# {}", "x".repeat(1 << 20));
    let repeated = "[limits]\n".repeat(2);
    for (text, parts) in [
        (&b"[limits]\r\ncals = 7\r\n"[..], &["config.toml:2", "cals", "did you mean `calls`?"][..]),
        // What a later version may have.
        (b"version = 2\n", &["config.toml:1", "unknown key \"version\""]),
        (b"[telemetry]\nendpoint = \"http://x.example/\"\n", &["config.toml:1", "unknown key \"telemetry\""]),
        (b"[[ceiling.deny.http]]\nhost = \"x.example\"\nday = 1\n", &["config.toml:3", "day"]),
        (b"[limits]\ncalls = 7\rfuel = 8\n", &["config.toml:2"]),
        (b"[limits]\ncalls = 7\0\n", &["config.toml:2"]),
        (b"[limits]\ncalls = \xff\n", &["is not a text file"]),
        (b"\xff\xfe[\0l\0", &["is not a text file"]),
        (repeated.as_bytes(), &["config.toml:2"]),
        (deep.as_bytes(), &["config.toml:1"]),
        (long.as_bytes(), &["config.toml", "more than"]),
    ] {
        check(text).fails(code::USAGE, parts);
    }
}

/// A field that this version does not know could be a condition, so a grant with one grants nothing.
#[test]
fn a_grant_with_what_nobody_knows_grants_nothing() {
    let desk = Desk::with(&["http"]);
    let plugin = "[plugin]\nname = \"x\"\nversion = \"0.1.0\"\nkind = \"command\"\n";
    desk.write("x/remit.toml", plugin);
    desk.write("x/x.wasm", fs::read(desk.path("http.wasm")).expect("it is there"));
    let http = "[[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"https://a.example/\"\n";
    let secret = "[capabilities.secrets.token]\nurl = \"https://a.example/\"\nheader = \"authorization\"\n";
    for (text, says) in [
        (format!("{http}only-on = \"mondays\"\n"), "only-on"),
        (format!("{secret}only-on = \"mondays\"\n"), "only-on"),
        (format!("only-on = \"mondays\"\n{http}"), "only-on"),
        (format!("[conditions]\nday = \"monday\"\n{http}"), "conditions"),
        (format!("{secret}query = \"key\"\n"), "query"),
        (http.replace("GET", "TRACE"), "TRACE"),
        (http.replace("GET", "CONNECT"), "CONNECT"),
        (http.replace("GET", "get"), "get"),
    ] {
        desk.write("grant.toml", &text);
        for args in [&["run", "x", "--grant", "grant.toml"][..], &["grant", "x", "--file", "grant.toml"]] {
            desk.remit(args).fails(code::USAGE, &["grant.toml", says]);
        }
    }
    assert_eq!(desk.json(&["grants", "--json"]), serde_json::json!([]));
}

/// A place that two readers could take for two is none, in a grant as in what an operator binds a secret to.
#[test]
fn a_place_that_could_be_two_is_none() {
    let desk = Desk::with(&["http"]);
    desk.remit_reading(&["secret", "set", "token"], b"a-token-of-some-length").ends(code::OK);
    for url in [
        "http://user@a.example/",
        "http://a.example@b.example/",
        "http://a.example\\@b.example/",
        "http://a.example/v1/../v2/",
        "http://a.example/v1/%2e%2e/v2/",
        "http://a.example/v1/..;x/v2/",
        "http://a.example//v1/",
        "http://a.example/v1\\v2/",
        "http://a.example/v1%2fv2/",
        "http://a.example/v1?x=1",
        "http://a.example/v1#x",
        "http://a.example:0/",
        "http://a.example:65536/",
        "http://a.example:080/",
        "http://0177.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://[fe80::1%25lo]/",
        "http://b\u{fc}cher.example/",
        "http://a.*.example/",
        "http://*/",
        "ftp://a.example/",
        "//a.example/",
    ] {
        let quoted = serde_json::to_string(url).expect("text");
        desk.write("grant.toml", format!("[[capabilities.http]]\nmethods = [\"GET\"]\nurl = {quoted}\n"));
        desk.remit(&["grant", "http.wasm", "--file", "grant.toml"]).fails(code::USAGE, &["grant.toml:3"]);
        let bind = ["secret", "bind", "token", "--plugin", "http.wasm", "--to", url, "--query", "key"];
        assert_eq!(desk.remit(&bind).ends(code::USAGE).stdout, "", "{url}");
    }
    assert_eq!(desk.json(&["secret", "list", "--json"])[0]["bindings"], serde_json::json!([]));
}
