//! What is on disk when a connector's act shows outside: everything it follows from, in its own run and in its caller's.
//!
//! The server that a connector asks looks at the journal at that very moment.

use std::sync::{Arc, Mutex};

use super::world::{Part, caller, tracker};
use crate::harness::Scene;
use crate::http::stub::{Stub, answer};

const URL: &str = "http://service.example/";

/// Has the connector do two things. Returns the functions of all entries that are on disk when it asks the server.
fn seen_while(how: [&str; 2], scene: &Scene, part: Part) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (disk, to) = (scene.clone(), seen.clone());
    let server = Stub::new(move |_| {
        *to.lock().expect("nobody panics with it") = on_disk(&disk);
        Ok(answer(200, ""))
    });
    let part = Part { network: Some(server), ..part };
    let [first, second] = how;
    let ran = caller(scene, ["misbehave-twice", first, second], part).run().succeeded().replayed();
    ran.callees(&tracker()).remove(0).replayed();
    std::mem::take(&mut *seen.lock().expect("nobody panics with it"))
}

fn on_disk(scene: &Scene) -> Vec<String> {
    let mut functions = Vec::new();
    for run in scene.journal().runs().expect("the runs can be listed") {
        let mut reader = scene.journal().reader(run.id).expect("the run is there");
        while let Some(entry) = reader.next().expect("the entries are whole") {
            functions.extend(entry.function_name().map(str::to_owned));
        }
    }
    functions
}

/// Fails unless the first call is there, in both runs, and the second as far as it went.
#[track_caller]
fn knows_both_calls(functions: &[String]) {
    for (function, expected) in [("misbehave", 1), ("[call]misbehave", 2), ("[return]misbehave", 1)] {
        let name = format!("test:tracker/issues#{function}");
        let count = functions.iter().filter(|seen| **seen == name).count();
        assert_eq!(count, expected, "{name} in {functions:#?}");
    }
}

#[test]
fn a_claim_takes_what_the_caller_recorded_along() {
    let grant = "[[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"http://service.example/\"\namount = \"3 per day\"";
    let part = Part { grant: Some(grant), ..Part::tracker() };
    let seen = seen_while(["", &format!("get {URL}")], &Scene::new(), part);
    knows_both_calls(&seen);
    assert!(
        seen.iter().any(|function| function == "wasi:http/outgoing-handler#[exchange]handle"),
        "the intent: {seen:?}"
    );
}

#[test]
fn what_a_connector_was_asked_is_on_disk_before_it_changes_a_file() {
    let scene = Scene::new();
    let out = scene.dir("out", &[]);
    let granted = "[[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"http://service.example/\"\nwhy = \"test\"\n\
                   [capabilities.files.out]\nmount = \"/out\"\naccess = \"read-write\"\nwhy = \"test\"\n";
    let part = Part { out: Some(out.clone()), ..Part::tracker().granted(granted) };
    let seen = seen_while(["open /out/a.txt", &format!("resize {URL}")], &scene, part);
    assert_eq!(std::fs::metadata(out.join("a.txt")).expect("it is there").len(), 7);
    knows_both_calls(&seen);
}
