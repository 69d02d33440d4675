//! Runs that are killed at every entry and resumed: what is left behind is what an uninterrupted run leaves, and nothing
//! is done twice.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use serde_json::{Value as Json, json};

use crate::binary::{Desk, code};
use crate::harness::component;
use crate::http::killed;
use crate::http::server::Server;

/// How a process dies: once its last entry is on disk, or with its last entries on their way.
const DEATHS: [&[&str]; 2] = [&[], &["--crash-suddenly"]];

/// The folder that the guests write to.
const DATA: &str = "data=data:rw";

/// Makes a folder to write to and a plugin of the guest `durable`, which may write there and count in kv.
pub fn desk() -> Desk {
    let desk = Desk::with(&["files"]);
    desk.folder("data");
    desk.write("durable/durable.wasm", component("durable"));
    let plugin = "[plugin]\nname = \"durable\"\nversion = \"0.1.0\"\nkind = \"command\"\n";
    let files = "[capabilities.files.data]\nmount = \"data\"\naccess = \"read-write\"\nwhy = \"to write\"\n";
    let kv = "[capabilities.kv]\nprefixes = [\"count\"]\naccess = \"read-write\"\nwhy = \"to count\"\n";
    desk.write("durable/remit.toml", format!("{plugin}{files}{kv}"));
    desk
}

/// Returns the arguments of a run of the guest `durable`.
pub fn durable<'a>(guest: &[&'a str]) -> Vec<&'a str> {
    let run = ["run", "durable", "--mount", DATA, "--allow-requested", "--"];
    run.into_iter().chain(guest.iter().copied()).collect()
}

/// Returns the same arguments for a run that is killed at an entry.
pub fn killed<'a>(args: &[&'a str], entry: &'a str, death: &[&'a str]) -> Vec<&'a str> {
    let crash = ["--crash-after", entry];
    let (run, rest) = args.split_first().expect("a command");
    [run].into_iter().chain(&crash).chain(death).chain(rest).copied().collect()
}

/// Returns the files below a folder, a folder's name with a slash.
pub fn left(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("it is there").flatten() {
        let name = entry.file_name().into_string().expect("text");
        if entry.file_type().expect("it has one").is_dir() {
            let below = left(&entry.path());
            files.insert(format!("{name}/"), Vec::new());
            files.extend(below.into_iter().map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else {
            files.insert(name, fs::read(entry.path()).unwrap_or_default());
        }
    }
    files
}

/// Returns everything that a run wrote to its standard output, whoever drove it then: what it wrote to streams that are
/// not of a file.
pub fn shown(run: &Json) -> String {
    let calls = run["calls"].as_array().expect("a list");
    let of = |name| calls.iter().filter(move |call| call["function"].as_str().is_some_and(|is| is.contains(name)));
    let files: Vec<_> = of("-via-stream").map(|call| &call["outcome"][0]["ok"]).collect();
    let writes = of("output-stream.").filter(|call| !files.contains(&&call["params"][0]));
    writes.filter_map(|call| call["params"][1].as_str()).collect()
}

/// Runs it once without a crash. Returns the number of its last call, what it leaves and what it shows.
fn whole(args: &[&str]) -> (u64, BTreeMap<String, Vec<u8>>, String) {
    let desk = desk();
    let said = desk.remit(args).ends(code::OK);
    let entries = desk.json(&["show", "last", "--json"])["entries"].as_u64().expect("a count");
    (entries - 2, left(&desk.path("data")), said.stdout)
}

/// Kills the run at each of these entries, in one way or the other, resumes it, and has `check` look at what is left: the
/// folder's files, and what was shown.
fn sweep(args: &[&str], entries: RangeInclusive<u64>, check: impl Fn(BTreeMap<String, Vec<u8>>, String, &str)) {
    let last = *entries.end();
    for entry in entries {
        let death = DEATHS[entry as usize % 2];
        let at = format!("killed at {entry} of {last} {death:?}");
        let desk = desk();
        desk.start(&killed(args, &entry.to_string(), death)).died();
        let said = desk.remit(&["resume", "last"]);
        assert_eq!(said.code, code::OK, "{at}: {}", said.stderr);
        let run = desk.json(&["show", "last", "--json", "--calls"]);
        assert_eq!(run["state"], "succeeded", "{at}");
        check(left(&desk.path("data")), shown(&run), &at);
        if entry % 8 < 2 {
            desk.last_is_whole();
        }
    }
}

/// Makes every change of a file there is, and kills the run at the entries of one half.
fn every_change_is_made_once(half: fn(u64) -> RangeInclusive<u64>) {
    let args = ["run", "files.wasm", "--mount", DATA, "--", "every", "data"];
    let (last, files, stdout) = whole(&args);
    assert!(last > 100, "{last}");
    sweep(&args, half(last), |left, shown, at| {
        assert_eq!(left, files, "{at}");
        assert_eq!(shown, stdout, "{at}");
    });
}

#[test]
fn every_change_of_a_file_is_made_once_if_the_host_dies_in_the_first_half() {
    every_change_is_made_once(|last| 0..=last / 2);
}

#[test]
fn every_change_of_a_file_is_made_once_if_the_host_dies_in_the_second_half() {
    every_change_is_made_once(|last| last / 2 + 1..=last);
}

/// Killed at a call, and again at the first that it makes when it is resumed: between the two is the state that says that
/// it goes on, and what was begun behind that is found, too.
#[test]
fn a_run_that_is_killed_again_where_it_went_on_comes_out_the_same() {
    let args = ["run", "files.wasm", "--mount", DATA, "--", "every", "data"];
    let (last, files, stdout) = whole(&args);
    for entry in (1..last - 2).step_by(7) {
        let (desk, death) = (desk(), DEATHS[entry as usize % 2]);
        desk.start(&killed(&args, &entry.to_string(), DEATHS[0])).died();
        let again = (entry + 2).to_string();
        desk.start(&[&["resume", "last", "--crash-after", &again], death].concat()).died();
        desk.remit(&["resume", "last"]).ends(code::OK);
        let run = desk.json(&["show", "last", "--json", "--calls"]);
        assert_eq!(
            (&run["state"], left(&desk.path("data")), shown(&run)),
            (&json!("succeeded"), files.clone(), stdout.clone()),
            "{entry}"
        );
    }
}

#[test]
fn appended_lines_and_counts_come_once_each() {
    let args = durable(&["log", "data", "4"]);
    let (last, files, stdout) = whole(&args);
    assert_eq!(stdout, "4\n");
    sweep(&args, 0..=last, |left, shown, at| {
        assert_eq!(left, files, "{at}");
        assert_eq!(shown, stdout, "{at}");
    });
}

/// What followed from chance and the clock before the crash is not drawn again: each file is there once.
#[test]
fn what_was_drawn_stays_drawn() {
    let args = durable(&["random", "data", "3"]);
    let (last, ..) = whole(&args);
    sweep(&args, 0..=last, |left, shown, at| {
        assert_eq!(left.len(), 3, "{at}: {:?}", left.keys());
        let sum: u64 = left.values().flatten().map(|&byte| u64::from(byte)).sum();
        assert_eq!(shown, format!("{sum}\n"), "{at}");
    });
}

/// What a request leaves is as often there as its class says: a PUT is sent again under its key, a GET is asked again,
/// and a POST that may have been sent is in doubt, until a person says what became of it.
#[test]
fn a_request_that_was_out_is_sent_again_where_that_is_harmless() {
    for method in ["GET", "PUT"] {
        let server = Server::silent();
        let desk = killed::desk(server.port);
        let url = format!("http://127.0.0.1:{}/v1/items", server.port);
        let running = desk.start(&["run", "sender", "--grant", "grant.toml", "--", "send", method, &url, "a body"]);
        let first = server.asked();
        running.signal("KILL");
        running.died();
        drop(server);
        let port = url.split(['/', ':']).nth(4).and_then(|port| port.parse().ok()).expect("a port");
        let again = Server::answering_at(port, 1, |_| vec![b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()]);
        desk.remit(&["resume", "last"]).ends(code::OK);
        let second = again.asked();
        assert_eq!(key(&first), key(&second), "{first}\n{second}");
        assert_eq!(key(&first).is_some(), method == "PUT");
        desk.last_is_whole();
        assert_eq!(desk.json(&["show", "last", "--json"])["in-doubt"], json!([]));
    }
}

/// Returns the idempotency key of a request.
fn key(request: &str) -> Option<&str> {
    request.lines().find_map(|line| line.strip_prefix("idempotency-key: "))
}

/// Kills a run whose POST has reached a server.
pub fn in_doubt() -> (Desk, Server) {
    let server = Server::silent();
    let desk = killed::desk(server.port);
    let url = format!("http://127.0.0.1:{}/v1/items", server.port);
    let running = desk.start(&["run", "sender", "--grant", "grant.toml", "--", "send", "POST", &url, "a body"]);
    server.asked();
    running.signal("KILL");
    running.died();
    (desk, server)
}

#[test]
fn a_write_that_may_have_been_sent_waits_for_a_person() {
    let (desk, server) = in_doubt();
    let said = desk.remit(&["resume", "last"]).ends(code::PARKED);
    let said = said.says(&["in doubt", "#[exchange]handle"]);
    assert_eq!(said.stdout, "");
    let shown = desk.json(&["show", "last", "--json"]);
    assert_eq!(shown["state"], "in-doubt", "{shown}");
    let entry = shown["in-doubt"][0]["entry"].to_string();
    desk.remit(&["resume", "last"]).fails(code::PARKED, &["nobody has decided", "remit decide"]);
    desk.remit(&["decide", "last", "0", "--fail"]).fails(code::USAGE, &["is not in doubt"]);
    desk.remit(&["decide", "last", &entry, "--fail"]).ends(code::OK);
    assert_eq!(desk.json(&["show", "last", "--json"])["state"], "failed");
    desk.remit(&["resume", "last"]).fails(code::NOT_RESUMABLE, &["failed"]);
    desk.last_is_whole();
    assert_eq!(server.unseen(), 0, "nothing sends it again");
}

#[test]
fn a_write_that_was_not_done_is_done_again_when_a_person_says_so() {
    let (desk, server) = in_doubt();
    let port = server.port;
    drop(server);
    let entry = desk.json(&["show", "last", "--json"])["in-doubt"][0]["entry"].to_string();
    desk.remit(&["decide", "last", &entry, "--retry"]).ends(code::OK).says(&["remit resume"]);
    let again = Server::answering_at(port, 1, |_| vec![b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()]);
    desk.remit(&["resume", "last"]).ends(code::OK);
    assert!(again.asked().starts_with("POST "));
    desk.last_is_whole();
}

/// What a person says was done has to be of the function's type. It becomes the outcome, and the run goes on with it.
#[test]
fn a_write_that_was_done_has_the_outcome_that_a_person_says() {
    let (desk, server) = in_doubt();
    let before = desk.json(&["show", "last", "--json"]);
    let entry = before["in-doubt"][0]["entry"].to_string();
    let decide = |value: &str| desk.remit(&["decide", "last", &entry, "--done", value]);
    decide("{").fails(code::USAGE, &["VALUE is not JSON"]);
    decide("{\"ok\": {\"status\": 201}}").fails(code::USAGE, &["at ok", "headers", "remit show"]);
    let answer =
        |status: &str| format!("{{\"ok\":{{\"status\":{status},\"headers\":[],\"body\":\"made\",\"trailers\":[]}}}}");
    decide(&answer("70000")).fails(code::USAGE, &["at ok.status", "from 0 to 65535", "found 70000"]);
    assert_eq!(desk.json(&["show", "last", "--json"])["entries"], before["entries"], "nothing is recorded");
    decide(&answer("201")).ends(code::OK).says(&["remit resume"]);
    decide(&answer("201")).fails(code::USAGE, &["is not in doubt"]);
    let decided = desk.json(&["show", "last", "--json", "--calls"]);
    assert_eq!((&decided["state"], &decided["in-doubt"]), (&Json::from("suspended"), &json!([])));
    let said = desk.remit(&["resume", "last"]).ends(code::OK);
    assert!(said.stdout.contains("201") && said.stdout.contains("made"), "{}", said.stdout);
    let last = decided["calls"].as_array().and_then(|calls| calls.last()).expect("it was decided");
    assert_eq!((&last["kind"], &last["params"]["decision"]), (&Json::from("state"), &Json::from("done")));
    assert!(last["params"]["by"].as_str().is_some_and(|by| by.starts_with("local:")), "{last}");
    desk.last_is_whole();
    assert_eq!(server.unseen(), 0, "nothing sends it again");
}

/// A timer keeps its deadline: what has passed of it while nobody drove the run has passed.
#[test]
fn a_run_that_sleeps_is_suspended_and_wakes_when_it_would_have() {
    let desk = desk();
    let running = desk.start(&durable(&["nap", "400"]));
    running.wait_for_output("before\n".len());
    running.signal("INT");
    running.said().ends(code::INTERRUPTED).says(&["suspended", "remit resume last"]);
    let before = desk.json(&["show", "last", "--json"]);
    assert_eq!(before["state"], "suspended", "{before}");
    desk.last_is_whole();
    let said = desk.remit(&["resume", "last"]).ends(code::OK);
    assert_eq!(said.stdout, "after\n");
    desk.last_is_whole();
    let calls = desk.json(&["show", "last", "--json", "--calls"]);
    let calls = calls["calls"].as_array().expect("a list");
    let time = |name: &str| {
        let call = calls.iter().find(|call| call["function"].as_str().is_some_and(|is| is.contains(name)));
        call.and_then(|call| call["time-us"].as_u64()).expect("it was called")
    };
    let slept = time("pollable.block") - time("subscribe-duration");
    assert!((390_000..60_000_000).contains(&slept), "{slept}");
}

/// A file that the run had open has to be there, and has to be the same.
#[test]
fn a_file_that_is_gone_or_another_pauses_the_run_and_is_named() {
    let args = durable(&["log", "data", "3"]);
    for replace in [false, true] {
        let desk = desk();
        desk.start(&killed(&args, "12", &[])).died();
        fs::remove_file(desk.path("data/log.txt")).expect("it is there");
        if replace {
            desk.write("data/other.txt", "another");
            desk.write("data/log.txt", "another");
        }
        let said = desk.remit(&["resume", "last"]).ends(code::PARKED);
        said.says(&["paused", "data/log.txt"]);
        assert_eq!(desk.json(&["show", "last", "--json"])["state"], "paused");
    }
}

/// What a run may do is judged when it does it, also by a ceiling that was lowered since.
#[test]
fn a_ceiling_that_was_lowered_holds_for_what_is_left_of_a_run() {
    let desk = desk();
    desk.start(&killed(&durable(&["log", "data", "3"]), "12", &[])).died();
    fs::write(desk.home().join("config.toml"), "[ceiling.files]\naccess = \"read\"\n")
        .expect("the home can be written");
    let said = desk.remit(&["resume", "last"]);
    assert_ne!(said.code, code::OK, "{}", said.stderr);
    said.says(&["the ceiling was lowered since", "files.data"]);
    desk.last_is_whole();
}

/// The home of a run that goes on may lie elsewhere than when it was accepted, and never in a folder that its guest sees.
#[test]
fn a_run_is_not_resumed_where_its_folder_holds_the_home() {
    let desk = desk();
    desk.start(&killed(&durable(&["log", "data", "3"]), "12", &[])).died();
    fs::rename(desk.home(), desk.path("data/home")).expect("it can be moved");
    let home = desk.path("data/home").display().to_string();
    desk.remit(&["--home", &home, "resume", "last"]).fails(code::NOT_GRANTED, &["holds this host's keys"]);
}
