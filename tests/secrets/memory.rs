//! The memory of a guest while it runs, read from outside as a debugger would.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use super::{CANARY, HEADER, bind_slot, echoing, forms};
use crate::http::server::Server;

/// More than a mapping of these processes has that is in use. Reservations of the engine's pool are larger, and empty.
const MAPPING_MAX: u64 = 512 << 20;

/// Returns the contents of what the process has mapped and can write to.
fn memory_of(process: u32) -> Vec<Vec<u8>> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).expect("the process is there");
    let memory = File::open(format!("/proc/{process}/mem")).expect("a child's memory can be read");
    let contents = |line: &str| {
        let (range, rest) = line.split_once(' ')?;
        let (from, to) = range.split_once('-')?;
        let (from, to) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
        let mut bytes = vec![0; usize::try_from(to - from).ok().filter(|_| to - from <= MAPPING_MAX)?];
        (rest.starts_with("rw") && memory.read_exact_at(&mut bytes, from).is_ok()).then_some(bytes)
    };
    maps.lines().filter_map(contents).collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// A guest that was sent its secret back, in each form, and holds what it heard of it, in capitals: by them its memory is
/// told from the host's.
#[test]
fn the_guests_memory_never_holds_a_secret() {
    let (echo, silent) = (
        Server::answering(1, |asked| {
            let sent = super::authorization(asked);
            let body = [sent, forms()[3].clone(), forms()[6].clone()].join(" ");
            vec![
                format!("HTTP/1.1 200 OK\r\nX-Echo: {body}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
                    .into_bytes(),
            ]
        }),
        Server::silent(),
    );
    let desk = echoing(echo.port);
    let grant = fs::read_to_string(desk.path("grant.toml")).expect("it was written");
    let second = format!("url = \"http://127.0.0.1:{}/\"", silent.port);
    let entry = format!("[[capabilities.http]]\nmethods = [\"GET\"]\n{second}\n");
    desk.write("grant.toml", format!("{entry}addresses = [\"loopback\"]\n{grant}"));
    let manifest = fs::read_to_string(desk.path("echoing/remit.toml")).expect("it was written");
    desk.write("echoing/remit.toml", format!("{manifest}{entry}why = \"a test\"\n"));
    bind_slot(&desk, "echoing", echo.port, HEADER);
    let urls = [echo.port, silent.port].map(|port| format!("http://127.0.0.1:{port}/issues"));
    let running = desk.start(&["run", "echoing", "--grant", "grant.toml", "--", "keep", &urls[0], &urls[1]]);
    // The guest waits for the second, with the first in its memory.
    silent.asked();
    assert_eq!(super::authorization(&echo.asked()), format!("Bearer {CANARY}"));
    let mappings = memory_of(running.id());
    let guests: Vec<_> =
        mappings.iter().filter(|bytes| holds(bytes, "X-ECHO: ") && holds(bytes, "[REDACTED]")).collect();
    assert!(!guests.is_empty(), "the guest's memory is found by what it made of its answer");
    assert!(mappings.iter().any(|bytes| holds(bytes, CANARY)), "the host has it, so that a search finds it");
    for memory in guests {
        for form in forms().iter().flat_map(|form| [form.clone(), form.to_uppercase()]) {
            assert!(!holds(memory, &form), "the guest's memory holds {form}");
        }
    }
    running.signal("INT");
    drop(running.said());
}
