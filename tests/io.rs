//! `wasi:io`: streams in pieces, and pollables.

use remit::meter::LimitKind;

use crate::harness::{HOST, Scene};

#[test]
fn a_poll_tells_which_is_ready() {
    let scene = Scene::new();
    let ran = scene.command("limits", ["polls", "5"]).run().printed("[4]\n").replayed();
    assert_eq!(ran.calls_of("wasi:io/poll#poll").len(), 1);
}

#[test]
fn a_wait_ends_when_its_time_comes() {
    // Every function on pollables is called twice on streams, which are ready, and twice on deadlines, which become so.
    let scene = Scene::ticking();
    let dir = scene.dir("d", &[]);
    let root = "[capabilities.files.root]\nmount = \".\"\naccess = \"read-write\"\nwhy = \"test\"";
    let ran = scene.command("sweep", ["allowed"]).granted(root).at("root", &dir).run().replayed();
    for call in ran.calls_of("wasi:io/poll#[method]pollable.ready") {
        assert_eq!(call.outcome, serde_json::json!([true]), "{call:?}");
    }
    for call in ran.calls_of("wasi:io/poll#poll") {
        assert_eq!(call.outcome, serde_json::json!([[0]]), "{call:?}");
    }
}

#[test]
fn a_long_input_is_read_in_pieces_that_fit_the_payload() {
    let input = vec![b'i'; 200_000];
    let scene = Scene::new();
    let ran = scene.command("cli", ["cat"]).input(input.clone()).limit(LimitKind::Payload, 8192).run().replayed();
    assert!(ran.stdout == input, "{} bytes came: {:?}", ran.stdout.len(), ran.end);
}

#[test]
fn no_stream_is_made_into_a_folder_to_read() {
    let scene = Scene::new();
    let dir = scene.dir("d", &[("a.txt", "text"), ("sub/", "")]);
    let ran = scene.command("files", ["refused", "/d"]).mounted("d", &dir, "read").run().succeeded().replayed();
    let streams = ran.calls_of("wasi:filesystem/types#[method]descriptor.write-via-stream");
    assert!(!streams.is_empty() && streams.iter().all(|call| call.refusal.is_some()), "{streams:#?}");
    assert_eq!(ran.usage().file_bytes_written, 0);
}

#[test]
fn a_stream_that_failed_is_closed_and_says_why() {
    let scene = Scene::ticking();
    let dir = scene.dir("d", &[]);
    let root = "[capabilities.files.root]\nmount = \".\"\naccess = \"read-write\"\nquota = 40\nwhy = \"test\"";
    let ran = scene.command("sweep", ["allowed"]).granted(root).at("root", &dir).run().succeeded().replayed();
    let text = ran.text();
    assert!(text.contains("(file): error last-operation-failed\n"), "{text}");
    assert!(text.contains("wasi:filesystem/types#filesystem-error-code: ok quota\n"), "{text}");
    assert!(text.contains("output-stream.check-write (file): error closed\n"), "{text}");
    assert!(ran.usage().file_bytes_written <= 40, "{:?}", ran.usage());
}

#[test]
fn what_only_waits_or_follows_from_the_record_is_not_governed() {
    let io = HOST.functions().iter().filter(|function| function.name.starts_with("wasi:io/"));
    let governed: Vec<_> = io.filter(|function| function.governed).map(|function| &*function.name).collect();
    // Only what puts bytes into a file can be refused.
    let writes = ["write", "blocking-write-and-flush", "write-zeroes", "blocking-write-zeroes-and-flush", "splice"];
    let writes = writes.iter().chain(&["blocking-splice"]);
    let writes: Vec<_> = writes.map(|name| format!("wasi:io/streams#[method]output-stream.{name}")).collect();
    assert_eq!(governed, writes);
}

#[test]
fn bytes_through_streams_are_counted() {
    let run = |bytes| Scene::new().command("cli", ["cat"]).input(vec![b'i'; bytes]).run().replayed().usage();
    let usage = run(10_000);
    assert_eq!(usage, run(10_000));
    assert!(usage.bytes_in >= 10_000 && usage.bytes_out >= 10_000, "{usage:?}");
    assert_eq!(usage.output_bytes, 10_000);
}

#[test]
fn more_pollables_than_handles_end_the_run() {
    let ran = Scene::new().command("limits", ["pollables"]).limit(LimitKind::Handles, 50).run().replayed();
    let ran = ran.ended_in("wasi:clocks/monotonic-clock#subscribe-duration");
    assert_eq!(ran.limited_by(LimitKind::Handles).wanted, 51);
}
