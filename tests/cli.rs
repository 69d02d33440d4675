//! `wasi:cli`: arguments, the empty environment, the standard streams, and how a command ends.

use remit::gate::Outcome;
use remit::meter::LimitKind;

use crate::harness::{HOST, Scene};

#[test]
fn a_command_gets_its_arguments_behind_its_name() {
    let scene = Scene::new();
    let ran = scene.command("cli", ["args", "", "two words", "✓"]).run().printed("args\n\ntwo words\n✓\n").replayed();
    assert!(!ran.calls_of("wasi:cli/environment#get-arguments").is_empty());
}

#[test]
fn there_is_no_environment_no_folder_and_no_terminal() {
    let scene = Scene::new();
    scene.command("cli", ["env"]).run().printed("").replayed();
    scene.command("cli", ["cwd"]).run().printed("none\n").replayed();
    scene.command("cli", ["terminal"]).run().printed("false false false\n").replayed();
}

#[test]
fn input_is_copied_to_output_byte_by_byte() {
    let scene = Scene::new();
    for input in [Vec::new(), b"\xff\0\r\n".to_vec(), (0..=255).cycle().take(300_000).collect()] {
        let ran = scene.command("cli", ["cat"]).input(input.clone()).run().replayed();
        assert_eq!(ran.end.outcome, Outcome::Succeeded { result: None });
        assert!(ran.stdout == input, "{} bytes came of {}", ran.stdout.len(), input.len());
    }
}

#[test]
fn both_streams_arrive_whole_and_apart() {
    let ran = Scene::new().command("cli", ["both"]).run().printed("out 1\nout 2\n").replayed();
    assert_eq!(ran.stderr, "err 1\nerr 2\n");
    let ran = Scene::new().command("cli", ["raw", "ff00c3"]).run().replayed();
    assert_eq!(ran.stdout, [0xff, 0, 0xc3]);
}

#[test]
fn output_is_written_before_it_counts_as_shown() {
    let ran = Scene::new().command("cli", ["stderr", "3"]).run().printed("").replayed();
    assert_eq!(ran.stderr, "line 1\nline 2\nline 3\n");
    assert_eq!(ran.usage().output_bytes, ran.stderr.len() as u64);
}

#[test]
fn a_command_ends_as_it_says() {
    let scene = Scene::new();
    for (arguments, code, function) in [
        (["exit", "0"], 0, "exit"),
        // The standard library tells the host only whether it is zero.
        (["exit", "3"], 1, "exit"),
        (["exit-with-code", "0"], 0, "exit-with-code"),
        (["exit-with-code", "3"], 3, "exit-with-code"),
        (["exit-with-code", "255"], 255, "exit-with-code"),
    ] {
        let ran = scene.command("cli", arguments).run().ended_in(&format!("wasi:cli/exit#{function}")).replayed();
        let expected = if code == 0 { Outcome::Succeeded { result: None } } else { Outcome::Exited { code } };
        assert_eq!(ran.end.outcome, expected, "{arguments:?}");
    }
    let failed = scene.command("cli", ["fail"]).run().replayed();
    assert_eq!(failed.end.outcome, Outcome::Exited { code: 1 });
    assert!(failed.stderr.contains("main failed"), "{}", failed.stderr);
}

#[test]
fn what_was_printed_before_an_exit_is_shown_and_nothing_after() {
    let ran = Scene::new().command("cli", ["exit-in-middle", "0"]).run().printed("before\n");
    ran.ended_in("wasi:cli/exit#exit").replayed();
}

#[test]
fn an_agent_may_exit_too() {
    let ran = Scene::new().agent(r#"{"do":"exit","code":1}"#).run().ended_in("wasi:cli/exit#exit").replayed();
    assert_eq!(ran.end.outcome, Outcome::Exited { code: 1 });
}

#[test]
fn a_panic_is_told_with_its_message_and_where_it_was() {
    let ran = Scene::new().command("limits", ["panic"]).run().replayed();
    assert!(ran.stderr.contains("as asked"), "{}", ran.stderr);
    let Outcome::Trapped { message, backtrace } = &ran.end.outcome else { panic!("{:?}", ran.end) };
    assert_eq!(message, "wasm trap: wasm `unreachable` instruction executed");
    assert!(backtrace.as_ref().is_some_and(|frames| frames.contains("limits::main")), "{backtrace:?}");
}

#[test]
fn no_remit_refuses_what_a_command_is_started_with() {
    let cli = HOST.functions().iter().filter(|function| function.name.starts_with("wasi:cli/"));
    let governed: Vec<_> = cli.map(|function| (&*function.name, function.governed)).collect();
    assert_eq!(governed.len(), 13);
    assert!(governed.iter().all(|(_, governed)| !governed), "{governed:?}");
}

#[test]
fn output_is_counted() {
    let run = |bytes: &str| Scene::new().command("cli", ["flood", bytes]).run().succeeded().replayed().usage();
    let usage = run("10000");
    assert_eq!(usage.output_bytes, 10_000);
    assert_eq!(usage, run("10000"));
}

#[test]
fn output_over_the_limit_ends_the_run_and_what_fits_is_shown() {
    let scene = Scene::new();
    let run = |bytes| scene.command("cli", ["flood", bytes]).limit(LimitKind::Output, 10_000).run().replayed();
    assert_eq!(run("10000").succeeded().stdout.len(), 10_000);
    let ran = run("10001");
    assert!(ran.limited_by(LimitKind::Output).wanted > 10_000);
    assert!(ran.stdout.len() <= 10_000 && ran.stdout.iter().all(|&byte| byte == b'x'), "{}", ran.stdout.len());
}
