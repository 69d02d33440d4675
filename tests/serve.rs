//! `remit serve`: a long-lived host, which goes on with every run of its home without being asked.
#![cfg(unix)]

mod commands;
mod ends;
mod foreground;
mod http;

use serde_json::Value as Json;

use crate::binary::{Desk, Running, code, until};
use crate::harness::component;

/// Starts a host, and waits until it is ready.
#[track_caller]
pub fn served(desk: &Desk) -> Running {
    let host = desk.start(&["serve"]);
    host.wait_for_line();
    host
}

/// Ends a host as an operator does.
#[track_caller]
pub fn ended(host: Running) {
    host.signal("TERM");
    host.said().ends(code::OK);
}

/// Makes a folder to write to and a plugin of the guest `durable`, with what it needs granted for good.
pub fn desk() -> Desk {
    let desk = Desk::with(&["limits", "cli"]);
    desk.folder("data");
    desk.write("durable/durable.wasm", component("durable"));
    let plugin = "[plugin]\nname = \"durable\"\nversion = \"0.1.0\"\nkind = \"command\"\n";
    let files = "[capabilities.files.data]\nmount = \"data\"\naccess = \"read-write\"\nwhy = \"to write\"\n";
    let kv = "[capabilities.kv]\nprefixes = [\"count\"]\naccess = \"read-write\"\nwhy = \"to count\"\n";
    desk.write("durable/remit.toml", format!("{plugin}{files}{kv}"));
    desk
}

/// Starts a run and returns its id.
#[track_caller]
pub fn start(desk: &Desk, args: &[&str]) -> String {
    let args: Vec<_> = ["start"].iter().chain(args).copied().collect();
    desk.remit(&args).ends(code::OK).stdout.trim().to_owned()
}

/// Returns a run's state, by a host or without one.
#[track_caller]
pub fn shown(desk: &Desk, run: &str) -> Json {
    desk.json(&["show", run, "--json"])
}

/// Reads what a folder's `log.txt` holds.
pub fn lines(desk: &Desk, folder: &str) -> Vec<String> {
    let text = std::fs::read_to_string(desk.path(folder).join("log.txt")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Waits until the log of a folder has so many lines.
#[track_caller]
pub fn wait_for_lines(desk: &Desk, folder: &str, count: usize) {
    until("lines", || (lines(desk, folder).len() >= count).then_some(()));
}
