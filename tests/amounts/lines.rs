//! What a refusal prints, `remit grant` takes.

use super::Server;
use crate::binary::{Desk, Said, code};
use crate::harness::component;

/// Makes a plugin of a guest, which requests what these tables say.
fn desk(guest: &str, capabilities: &str) -> Desk {
    let desk = Desk::new();
    let plugin = format!("[plugin]\nname = \"{guest}\"\nversion = \"0.1.0\"\nkind = \"command\"\n");
    desk.write("plugin/remit.toml", format!("{plugin}{capabilities}"));
    desk.write(&format!("plugin/{guest}.wasm"), component(guest));
    desk
}

/// Grants just what the refusal says.
#[track_caller]
pub fn grant_what_it_says(desk: &Desk, refused: &Said) -> Said {
    let typed = refused.stderr.lines().find_map(|line| line.trim().strip_prefix("to keep it: remit grant "));
    let (plugin, line) = typed.and_then(|typed| typed.split_once(' ')).unwrap_or_else(|| panic!("{}", refused.stderr));
    desk.remit(&["grant", plugin, line.trim_matches('\'')]).ends(code::OK)
}

#[test]
fn a_used_up_amount_is_raised_by_the_line() {
    let server = Server::new();
    let url = server.url();
    let desk =
        desk("http", &format!("[[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"{url}\"\nwhy = \"to ask\"\n"));
    desk.write("grant.toml", server.section(""));
    let grant = ["grant", "plugin", "--file", "grant.toml", "--amount", "1 in total", "--expires", "2999-12-31"];
    desk.remit(&grant).ends(code::OK);
    let run = || desk.remit(&["run", "plugin", "--", "each", &url, "2"]).ends(code::OK);
    let first = run();
    assert_eq!(first.stdout, super::said(1, 1));
    let granted = grant_what_it_says(&desk, &first);
    assert!(granted.stdout.contains("at most 2 in total, until 2999-12-31"), "{}", granted.stdout);
    granted.says(&["g2 takes the place of g1"]);
    assert_eq!(run().stdout, super::said(1, 1));
    assert_eq!(server.count(), 2);
}

#[test]
fn a_request_that_is_not_granted_any_more_is_granted_by_the_line() {
    let server = Server::new();
    let url = server.url();
    let http = format!("[[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"{url}\"\nwhy = \"to ask\"\n");
    let desk = desk("http", &format!("{http}[capabilities.log]\nlevels = [\"info\"]\nwhy = \"to tell\"\n"));
    desk.write("grant.toml", server.section(""));
    desk.remit(&["grant", "plugin", "--file", "grant.toml", "--expires", "2020-01-01"]).ends(code::OK);
    desk.remit(&["grant", "plugin", "capabilities.log.levels = [\"info\"]"]).ends(code::OK);
    let run = || desk.remit(&["run", "plugin", "--", "each", &url, "1"]).ends(code::OK);
    let first = run();
    assert_eq!(first.stdout, super::REFUSED);
    grant_what_it_says(&desk, &first);
    assert_eq!(run().stdout, "200\n");
}

#[test]
fn a_key_that_is_not_granted_is_granted_by_the_line() {
    let kv = "[capabilities.kv]\naccess = \"read-write\"\nwhy = \"to remember\"\n";
    let desk = desk("kv", kv);
    let line = "capabilities.kv = { prefixes = [\"a\"], access = \"read-write\", quota = \"1MiB\" }";
    desk.remit(&["grant", "plugin", line, "--expires", "2999-12-31"]).ends(code::OK);
    let run = || desk.remit(&["run", "plugin", "--", "set", "b", "x"]).ends(code::OK);
    let first = run();
    assert_ne!(first.stdout, "ok\n");
    let granted = grant_what_it_says(&desk, &first);
    assert!(
        granted.stdout.contains("\"a\", \"b\"") && granted.stdout.contains("until 2999-12-31"),
        "{}",
        granted.stdout
    );
    assert_eq!(run().stdout, "ok\n");
}

#[test]
fn where_no_line_would_allow_it_that_is_said() {
    let desk = desk("kv", "[capabilities.kv]\nprefixes = [\"a\"]\naccess = \"read-write\"\nwhy = \"to remember\"\n");
    let ran = desk.remit(&["run", "plugin", "--allow-requested", "--", "set", "b", "x"]).ends(code::OK);
    ran.clone().says(&["remit.toml does not request it"]);
    assert!(!ran.stderr.contains("to keep it"), "{}", ran.stderr);
}
