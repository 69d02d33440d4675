//! Two processes and one home: the second waits and says for whom, or fails at once when it is told not to wait.

use crate::binary::{Desk, code};

#[test]
fn the_second_waits_for_the_first_and_says_so() {
    let desk = Desk::with(&["cli", "limits"]);
    let first = desk.start(&["run", "limits.wasm", "--", "sleep"]);
    first.wait_for("\nrun ");
    let expected = [&format!("in use by remit run limits (process {}", first.id()), "hint: leave out --no-wait"];
    let other = ["run", "cli.wasm", "--no-wait", "--", "args"];
    desk.remit(&other).fails(code::HOME_BUSY, &expected.map(|part| part as &str));
    let second = desk.start(&["run", "cli.wasm", "--", "args", "second"]);
    second.wait_for(&format!("waiting for remit run limits (process {}", first.id()));
    first.signal("INT");
    first.said().ends(code::INTERRUPTED);
    assert_eq!(second.said().ends(code::OK).stdout, "args\nsecond\n");
    assert_eq!(desk.runs(), 2);
    desk.last_is_whole();
}

/// What needs no journal answers while a run goes on.
#[test]
fn a_glance_does_not_wait() {
    let desk = Desk::with(&["limits"]);
    let first = desk.start(&["run", "limits.wasm", "--", "sleep"]);
    first.wait_for("\nrun ");
    for args in [&["home"][..], &["identity"], &["check", "limits.wasm"], &["--version"]] {
        desk.remit(args).ends(code::OK);
    }
}
