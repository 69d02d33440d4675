//! How a host ends, and what the next one finds: nothing is lost, and nothing is done twice.

use super::{desk, ended, lines, served, shown, start, wait_for_lines};
use crate::binary::{Desk, code, until};

/// Several runs that each write numbered lines to a log of their own.
fn logging(desk: &Desk, count: usize, length: &str) -> Vec<(String, String)> {
    let start_one = |number| {
        let folder = format!("data-{number}");
        desk.folder(&folder);
        let mount = format!("data={folder}:rw");
        let run = start(desk, &["durable", "--mount", &mount, "--allow-requested", "--", "log", "data", length]);
        (run, folder)
    };
    (0..count).map(start_one).collect()
}

/// Waits for the end of all of them in a host, and checks that each line is there once.
fn finished_once(desk: &Desk, runs: &[(String, String)], length: usize) {
    for (_, folder) in runs {
        wait_for_lines(desk, folder, length);
    }
    let host = served(desk);
    ended(host);
    for (run, folder) in runs {
        let expected: Vec<_> = (0..length).map(|number| format!("line {number}")).collect();
        assert_eq!(lines(desk, folder), expected, "{run}");
        let run = shown(desk, run);
        assert_eq!(run["state"], "succeeded", "{run}");
    }
}

#[test]
fn queued_runs_go_on_without_being_asked() {
    let desk = desk();
    let runs = logging(&desk, 3, "5");
    let host = served(&desk);
    for (_, folder) in &runs {
        wait_for_lines(&desk, folder, 5);
    }
    ended(host);
    finished_once(&desk, &runs, 5);
}

/// A host that is killed with several runs in flight, again and again: all of them finish, each line once.
#[test]
fn runs_survive_hosts_that_are_killed() {
    let desk = desk();
    let length = 400;
    let runs = logging(&desk, 4, &length.to_string());
    for at in [1, 60, 150, 300] {
        let host = served(&desk);
        wait_for_lines(&desk, &runs[0].1, at);
        host.signal("KILL");
        host.died();
    }
    let host = served(&desk);
    for (_, folder) in &runs {
        wait_for_lines(&desk, folder, length);
    }
    ended(host);
    finished_once(&desk, &runs, length);
}

#[test]
fn a_host_that_is_told_to_end_suspends_everything_and_the_next_goes_on() {
    for signal in ["TERM", "INT"] {
        let desk = desk();
        let looping = start(&desk, &["limits.wasm", "--limit", "fuel=9000000000000000000", "--", "loop"]);
        let runs = logging(&desk, 2, "300");
        let host = served(&desk);
        wait_for_lines(&desk, &runs[0].1, 3);
        host.signal(signal);
        host.said().ends(code::OK).says(&["suspending"]);
        assert_eq!(shown(&desk, &looping)["state"], "suspended");
        desk.remit(&["verify", &looping]).ends(code::OK);
        let host = served(&desk);
        for (_, folder) in &runs {
            wait_for_lines(&desk, folder, 300);
        }
        ended(host);
        finished_once(&desk, &runs, 300);
    }
}

/// A run whose folder is gone is paused, named, and not tried again and again.
#[test]
fn a_run_that_cannot_go_on_is_paused_with_the_reason() {
    let desk = desk();
    let runs = logging(&desk, 1, "5");
    let (run, folder) = &runs[0];
    std::fs::remove_dir(desk.path(folder)).expect("it is there");
    let host = served(&desk);
    host.wait_for("paused: ");
    ended(host);
    let paused = shown(&desk, run);
    assert_eq!(paused["state"], "paused", "{paused}");
    let text = desk.remit(&["show", run]).ends(code::OK).stdout;
    assert!(text.contains(folder) && text.contains("(by host)"), "{text}");
    let host = served(&desk);
    ended(host);
    assert_eq!(shown(&desk, run)["entries"], paused["entries"], "nobody has touched it");
}

/// A run under which the host is killed again and again, at the same place, waits for a person after five times.
#[test]
fn a_run_that_kills_its_host_is_paused_in_the_end() {
    let desk = desk();
    let run = start(&desk, &["limits.wasm", "--limit", "fuel=9000000000000000000", "--", "loop"]);
    let is_paused = || {
        let host = served(&desk);
        host.signal("KILL");
        host.died();
        (shown(&desk, &run)["state"] == "paused").then_some(())
    };
    until("it to be paused", is_paused);
    let text = desk.remit(&["show", &run]).ends(code::OK).stdout;
    assert!(text.contains("killed 5 times"), "{text}");
    desk.remit(&["cancel", &run]).ends(code::OK);
}

#[test]
fn one_home_is_served_once() {
    let desk = desk();
    let host = served(&desk);
    desk.remit(&["serve", "--no-wait"]).fails(code::HOME_BUSY, &["remit serve"]);
    let second = desk.start(&["serve"]);
    second.wait_for("waiting for remit serve");
    ended(host);
    second.wait_for_line();
    ended(second);
}
