//! The example that joins it all, offline: an agent, a model that answers from a script, and a connector.

use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};

use crate::binary::{Desk, code, repository};
use crate::harness::component;

/// Copies the files of a folder of the repository, less what is below it.
fn copy(from: &str, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(repository().join(from)).expect("a folder of the repository") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("a copy");
        }
    }
}

/// Returns a desk with the example's home in place, both plugins built, and the tracker installed and granted.
fn desk() -> Desk {
    let desk = Desk::new();
    copy("examples/triage/home", &desk.home());
    copy("examples/triage/reports", &desk.path("reports"));
    for (name, folder) in [("triage", "examples/triage"), ("tracker", "plugins/tracker")] {
        copy(folder, &desk.path(name));
        desk.write(&format!("{name}/{name}.wasm"), component(name));
    }
    desk.remit(&["install", "tracker"]).ends(code::OK);
    desk.remit(&["grant", "tracker", "--requested"]).ends(code::OK);
    desk
}

const RUN: [&str; 6] = ["run", "triage", "--mount", "reports=reports", "--allow-requested", "--json"];

/// Runs the agent and returns its result.
fn triage(desk: &Desk) -> Json {
    desk.json(&RUN)["result"].clone()
}

#[test]
fn reports_become_issues_once() {
    let desk = desk();
    let first = triage(&desk);
    let filed = first["filed"].as_array().expect("a list");
    let titles: Vec<_> = filed.iter().map(|filed| (&filed["report"], &filed["title"], &filed["labels"])).collect();
    let expected = [
        (json!("1-login.txt"), json!("Nobody can log in"), json!(["bug", "urgent"])),
        (json!("2-dark-mode.txt"), json!("Dark mode"), json!(["request"])),
        (json!("4-invoice.txt"), json!("Where are last year's invoices?"), json!(["question"])),
    ];
    assert_eq!(titles, expected.iter().map(|(report, title, labels)| (report, title, labels)).collect::<Vec<_>>());
    assert_eq!((&first["known"], &first["noise"]), (&json!(0), &json!(["3-newsletter.txt"])));
    let second = triage(&desk);
    assert_eq!((&second["known"], &second["filed"]), (&json!(3), &json!([])), "{second}");
}

#[test]
fn the_run_is_replayed_without_model_and_connector() {
    let desk = desk();
    let run = desk.json(&RUN)["run"].as_str().expect("an id").to_owned();
    desk.remit(&["uninstall", "tracker"]).ends(code::OK);
    fs::remove_file(desk.home().join("answers.toml")).expect("the script was there");
    let replay = desk.json(&["replay", &run, "--json"]);
    assert_eq!(replay["verdict"], json!("matched"), "{replay}");
}

#[test]
fn a_tracker_without_a_grant_files_nothing() {
    let desk = desk();
    desk.remit(&["revoke", "g1"]).ends(code::OK);
    let said = desk.remit(&RUN);
    assert_ne!(said.code, code::OK, "{said:?}");
}
