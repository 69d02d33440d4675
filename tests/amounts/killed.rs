//! A host that is killed while a counted call is under way.
#![cfg(unix)]

use serde_json::json;

use super::Server;
use crate::binary::{Desk, Running, code, until};
use crate::harness::component;

fn desk(server: &Server) -> Desk {
    let desk = Desk::new();
    let place = format!("[[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"{}\"\nwhy = \"to ask\"\n", server.url());
    let plugin = "[plugin]\nname = \"http\"\nversion = \"0.1.0\"\nkind = \"command\"\n";
    desk.write("plugin/remit.toml", format!("{plugin}{place}"));
    desk.write("plugin/http.wasm", component("http"));
    desk
}

#[test]
fn what_a_killed_host_had_claimed_stays_counted_until_somebody_decides() {
    let server = Server::before_answering(|number| number > 1);
    let desk = desk(&server);
    desk.write("grant.toml", server.section("amount = \"3 in total\""));
    desk.remit(&["grant", "plugin", "--file", "grant.toml"]).ends(code::OK);
    let url = server.url();
    let ask = |count: &'static str| ["run", "plugin", "--", "each", &url, count].map(str::to_owned);
    let running: Running = desk.start(&ask("1"));
    until("the request", || (server.count() == 1).then_some(()));
    running.signal("KILL");
    running.died();

    let said = desk.remit(&["grants"]).ends(code::OK);
    assert!(said.stdout.contains("\tholds, 1 of 3 in total used, 2 left\t"), "{}", said.stdout);
    let said = said.says(&["unsettled: 1 of ", "3 in total", "nobody knows whether the call was sent"]);
    let (_, command) = said.stderr.split_once("to decide it: remit grants --settle ").expect("it says how");
    let call = command.split('=').next().expect("there is a call").to_owned();
    let unsettled = &desk.json(&["grants", "--json"])[0]["unsettled"];
    let entry = unsettled[0]["entry"].as_u64().expect("a number");
    assert!(call.ends_with(&format!(":{entry}")), "{call}: {unsettled}");
    let explained = desk.remit(&["explain", "plugin"]).ends(code::OK).stdout;
    assert!(explained.contains("    1 of 3 in total used, 2 left\n"), "{explained}");

    let said = desk.remit(&ask("3")).ends(code::OK);
    assert_eq!(said.stdout, super::said(2, 1), "{}", said.stderr);
    assert_eq!(server.count(), 3);
    desk.last_is_whole();
    let shown = desk.remit(&["show", "last", "--calls"]).ends(code::OK).stdout;
    assert_eq!(shown.matches("  (by g1)").count(), 2, "{shown}");

    for (decision, parts) in [
        ("last:1", "expected RUN:ENTRY=used"),
        ("last:x=used", "not the number of an entry"),
        ("last:1=perhaps", "found \"perhaps\""),
    ] {
        desk.remit(&["grants", "--settle", decision]).ends(code::USAGE).says(&[parts]);
    }
    desk.remit(&["grants", "--settle", "last:1=used"]).fails(code::USAGE, &["no reservation open with intent 1"]);
    let said = desk.remit(&["grants", "--settle", &format!("{call}=unused")]).ends(code::OK);
    assert!(said.stdout.contains("2 of 3 in total used, 1 left"), "{}", said.stdout);
    assert!(!said.stderr.contains("unsettled"), "{}", said.stderr);
    assert_eq!(desk.json(&["grants", "--json"])[0]["unsettled"], json!([]));
    assert_eq!(desk.remit(&ask("2")).ends(code::OK).stdout, super::said(1, 1));
    assert_eq!(server.count(), 4);
}
