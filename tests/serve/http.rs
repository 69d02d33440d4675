//! Programs that ask a host: JSON over HTTP on the socket of its home.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;

use serde_json::{Value as Json, json};

use super::{desk, ended, served, wait_for_lines};
use crate::binary::{Desk, code, until};

/// Asks the host, and returns status and body.
#[track_caller]
fn ask(desk: &Desk, method: &str, path: &str, body: &Json) -> (u16, Vec<u8>) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut stream = UnixStream::connect(desk.home().join("remit.sock")).expect("somebody serves the home");
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).expect("it is heard");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it answers");
    let at = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
    let status = String::from_utf8_lossy(&answer[9..12]).parse().expect("a status");
    (status, answer.split_off(at + 4))
}

#[track_caller]
fn ask_json(desk: &Desk, method: &str, path: &str, body: &Json) -> (u16, Json) {
    let (status, body) = ask(desk, method, path, body);
    (
        status,
        serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&body))),
    )
}

#[track_caller]
fn wait_for_state(desk: &Desk, path: &str, state: &str) -> Json {
    until(state, || Some(ask_json(desk, "GET", path, &Json::Null).1).filter(|run| run["state"] == state))
}

#[test]
fn a_program_starts_stops_and_takes_a_run_along() {
    let desk = desk();
    let host = served(&desk);
    let mode = std::fs::metadata(desk.home().join("remit.sock")).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let limits = desk.path("limits.wasm");
    let start = json!({
        "plugin": limits, "arguments": ["loop"], "limits": ["fuel=9000000000000000000"], "key": "k", "priority": 3,
        "labels": ["team=blue"],
    });
    let (status, started) = ask_json(&desk, "POST", "/v1/runs", &start);
    assert_eq!((status, &started["is-new"]), (201, &json!(true)), "{started}");
    let run = format!("/v1/runs/{}", started["run"].as_str().expect("an id"));
    let (_, again) = ask_json(&desk, "POST", "/v1/runs", &start);
    assert_eq!((&again["run"], &again["is-new"]), (&started["run"], &json!(false)));
    let running = wait_for_state(&desk, &run, "running");
    assert_eq!((&running["header"]["priority"], &running["header"]["labels"]["team"]), (&json!(3), &json!("blue")));
    let (_, host_now) = ask_json(&desk, "GET", "/v1/host", &Json::Null);
    assert_eq!((&host_now["live"], &host_now["queued"]), (&json!(1), &json!(0)), "{host_now}");
    let (status, paused) = ask_json(&desk, "POST", &format!("{run}/pause"), &json!({ "why": "lunch" }));
    assert_eq!((status, &paused["state"]), (200, &json!("paused")));
    let (status, refused) = ask_json(&desk, "POST", &format!("{run}/pause"), &Json::Null);
    assert_eq!((status, &refused["error"]["kind"]), (409, &json!("unlawful")), "{refused}");
    assert_eq!(ask_json(&desk, "POST", &format!("{run}/resume"), &Json::Null).0, 202);
    wait_for_state(&desk, &run, "running");
    assert_eq!(ask_json(&desk, "POST", &format!("{run}/cancel"), &Json::Null).1["state"], "cancelled");
    let (status, bundle) = ask(&desk, "GET", &format!("{run}/bundle"), &Json::Null);
    assert_eq!(status, 200);
    desk.write("taken.remit", bundle);
    desk.remit(&["replay", "taken.remit"]).ends(code::OK);
    ended(host);
}

#[test]
fn what_a_program_may_not_is_said_with_a_kind() {
    let desk = desk();
    let host = served(&desk);
    let durable = desk.path("durable");
    let mounts = json!([format!("data={}:rw", desk.path("data").display())]);
    for (body, status, kind) in [
        (json!({ "plugin": "nobody" }), 422, "plugin-unfit"),
        (json!({ "plugin": "./durable" }), 422, "plugin-unfit"),
        (json!({ "plugin": durable }), 403, "not-granted"),
        (json!({ "plugin": durable, "mounts": ["data=data:rw"], "allow-requested": true }), 400, "usage"),
        (json!({ "plugin": durable, "limits": ["cheese=3"] }), 400, "usage"),
        (json!({ "plugin": durable, "priority": 101 }), 400, "usage"),
        (json!({ "plugin": "--help" }), 400, "usage"),
    ] {
        let (found, answer) = ask_json(&desk, "POST", "/v1/runs", &body);
        assert_eq!((found, &answer["error"]["kind"]), (status, &json!(kind)), "{body}: {answer}");
    }
    let log =
        json!({ "plugin": durable, "mounts": mounts, "allow-requested": true, "arguments": ["log", "data", "3"] });
    assert_eq!(ask_json(&desk, "POST", "/v1/runs", &log).0, 201);
    wait_for_lines(&desk, "data", 3);
    let (status, refused) = ask_json(&desk, "POST", "/v1/runs/last/decide", &json!({ "entry": 1, "decision": "fail" }));
    assert!([400, 409].contains(&status), "{refused}");
    ended(host);
}
