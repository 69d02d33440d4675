//! The command line as people and scripts use it: what goes where, which code says what, and what is asked for.

mod bundles;
mod diff;
mod documents;
mod grants;
mod home;
mod many_processes;
mod mounts;
mod plugins;
mod projects;
mod stored_grants;

use crate::binary::{Desk, Running, code, without_places};

#[test]
fn a_commands_own_code_passes_through() {
    let desk = Desk::with(&["cli"]);
    for (asked, exit) in
        [("0", 0), ("1", 1), ("3", 3), ("239", 239), ("242", 239), ("253", 239), ("254", 239), ("255", 255)]
    {
        desk.remit(&["run", "cli.wasm", "--", "exit-with-code", asked]).ends(exit);
        desk.last_is_whole();
    }
    desk.remit(&["run", "cli.wasm", "--", "exit", "3"]).ends(1);
    desk.remit(&["run", "cli.wasm", "--", "fail"]).ends(1);
    assert_eq!(desk.runs(), 10);
}

#[test]
fn an_agent_ends_in_zero_or_one() {
    let desk = Desk::with(&["guest_agent"]);
    let run = |input: &str| desk.remit(&["run", "guest_agent.wasm", "--input", input]);
    assert_eq!(run(r#"{"do": "echo", "value": [1, "two"]}"#).ends(code::OK).stdout, "[1,\"two\"]\n");
    let failed = run(r#"{"do": "fail", "kind": "denied", "message": "not today"}"#);
    assert_eq!(failed.clone().ends(code::AGENT_FAILED).says(&["not today"]).stdout, "");
    desk.last_is_whole();
    run(r#"{"do": "exit", "code": 3}"#).ends(code::AGENT_FAILED);
    desk.last_is_whole();
    run(r#"{"do": "nothing-known"}"#).ends(code::AGENT_FAILED).says(&["nothing-known"]);
    desk.remit(&["run", "guest_agent.wasm", "--", "argument"]).fails(code::USAGE, &["an agent takes no arguments"]);
}

#[test]
fn standard_input_is_a_commands_input_and_stdout_its_result() {
    let desk = Desk::with(&["cli"]);
    let run = ["run", "cli.wasm", "--", "cat"];
    let input: String = (0..10_000).map(|n| format!("line {n}\n")).collect();
    assert_eq!(desk.remit_reading(&run, input.as_bytes()).ends(code::OK).stdout, input);
    desk.last_is_whole();
    assert_eq!(desk.remit(&run).ends(code::OK).stdout, "");
    let said = desk.remit(&["run", "cli.wasm", "--json", "--", "raw", "fffe"]).ends(code::OK);
    assert_eq!(said.json()["stdout"]["bytes"], serde_json::json!([0xff, 0xfe]));
    let said = desk.remit(&["run", "cli.wasm", "--", "stderr", "2"]).ends(code::OK);
    assert_eq!(said.stdout, "");
    said.says(&["line 1\nline 2\n"]);
}

#[test]
fn an_agents_input_is_json_from_the_line_a_file_or_a_pipe() {
    let desk = Desk::with(&["guest_agent"]);
    let (task, bad) = (r#"{"do": "echo", "value": "x"}"#, "{\n  \"do\": echo\n}");
    desk.write("task.json", task);
    desk.write("bad.json", bad);
    desk.write("latin.json", b"\"\xe9\"");
    for input in [task, "@task.json"] {
        assert_eq!(desk.remit(&["run", "guest_agent.wasm", "--input", input]).ends(code::OK).stdout, "\"x\"\n");
    }
    let piped = ["run", "guest_agent.wasm", "--input", "@-"];
    assert_eq!(desk.remit_reading(&piped, task.as_bytes()).ends(code::OK).stdout, "\"x\"\n");
    let runs = desk.runs();
    desk.remit_reading(&piped, bad.as_bytes()).fails(code::USAGE, &["standard input is not JSON", "line 2 column 9"]);
    for (input, parts) in [
        ("{]", &["--input is not JSON", "line 1 column 2"][..]),
        ("", &["line 1 column 0"]),
        ("task.json", &["to read a file, put @ in front of its name"]),
        ("@bad.json", &["input bad.json is not JSON", "line 2 column 9"]),
        ("@latin.json", &["latin.json is not UTF-8"]),
        ("@none.json", &["cannot read input none.json"]),
        ("@.", &["cannot read input ."]),
    ] {
        desk.remit(&["run", "guest_agent.wasm", "--input", input]).fails(code::USAGE, parts);
    }
    assert_eq!(desk.runs(), runs, "what cannot be read is no run");
}

/// A page of help that shows no example leaves people guessing, so each command has one.
#[test]
fn each_command_has_help_with_an_example() {
    let desk = Desk::new();
    let help = desk.remit(&["--help"]).ends(code::OK).stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = commands.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    let names: Vec<_> = names.filter(|name| *name != "help").collect();
    assert!(names.len() >= 12, "{help}");
    for name in names {
        let args = if name == "new" { vec!["new", "agent", "--help"] } else { vec![name, "--help"] };
        let said = desk.remit(&args).ends(code::OK);
        assert!(said.stdout.contains("Example") && said.stdout.contains(&format!("remit {name}")), "{}", said.stdout);
    }
    assert!(help.contains("248  there is no such run"), "{help}");
    assert!(!desk.home().exists(), "asking for help makes no home");
}

#[test]
fn the_version_names_what_it_speaks() {
    let version = Desk::new().remit(&["--version"]).ends(code::OK).stdout;
    for part in ["remit 0.", "wit remit:plugin 1.", "journal format 1", "wasmtime 48"] {
        assert!(version.contains(part), "{part} is not in: {version}");
    }
}

#[test]
fn completions_are_there_for_each_shell() {
    let desk = Desk::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = desk.remit(&["completions", shell]).ends(code::OK).stdout;
        assert!(script.contains("replay") && script.contains("allow-requested"), "{shell}");
    }
    assert_eq!(desk.remit(&["completions", "dos"]).ends(code::USAGE).stdout, "");
}

#[test]
fn a_wrong_line_is_told_what_is_right() {
    let desk = Desk::with(&["cli"]);
    for (args, parts) in [
        (&["rnu"][..], &["unrecognized subcommand 'rnu'", "'runs'"][..]),
        (&[], &["Usage: remit"]),
        (&["run"], &["<PLUGIN>"]),
        (&["run", "cli.wasm", "--mount", "docs"], &["expected NAME=DIR"]),
        (&["run", "cli.wasm", "--limit", "memry=1"], &["there is no limit `memry`", "memory"]),
        (&["run", "cli.wasm", "--limit", "memory=1PiB"], &["memory"]),
        (&["run", "cli.wasm", "--limit", "fuel=-1"], &["fuel"]),
        (&["run", "cli.wasm", "--label", "x"], &["expected KEY=VALUE"]),
        (&["run", "cli.wasm", "--allow-requested", "--grant", "x"], &["cannot be used with"]),
        (&["show", "not-a-run"], &["not-a-run"]),
        (&["verify", "last", "--key", "ed25519:12"], &["--key"]),
    ] {
        let said = desk.remit(args).ends(code::USAGE).says(parts);
        assert_eq!(said.stdout, "", "{args:?}");
    }
    assert!(!desk.home().exists());
}

#[test]
fn everything_a_program_would_read_is_json() {
    let desk = Desk::with(&["cli", "guest_agent"]);
    let run = desk.json(&["run", "cli.wasm", "--json", "--label", "team=sales", "--", "args", "x"]);
    assert_eq!((run["stdout"].as_str(), run["state"].as_str()), (Some("args\nx\n"), Some("succeeded")), "{run}");
    let agent = desk.json(&["run", "guest_agent.wasm", "--json", "--input", r#"{"do": "echo", "value": {"a": 1}}"#]);
    assert_eq!(agent["result"], serde_json::json!({ "a": 1 }));
    let failed = r#"{"do": "fail", "kind": "internal", "message": "no"}"#;
    let failed = desk.remit(&["run", "guest_agent.wasm", "--json", "--input", failed]).ends(code::AGENT_FAILED).json();
    assert!(failed.to_string().contains("\"no\""), "{failed}");
    assert_eq!(desk.json(&["runs", "--json"]).as_array().map(Vec::len), Some(3));
    let id = run["run"].as_str().expect("a run has an id");
    let shown = desk.json(&["show", id, "--json", "--calls"]);
    assert_eq!((&shown["run"], &shown["header"]["labels"]["team"]), (&run["run"], &"sales".into()), "{shown}");
    assert!(shown["calls"].as_array().is_some_and(|calls| calls.len() > 3), "{shown}");
    assert_eq!(desk.json(&["replay", id, "--json"])["verdict"], "matched");
    assert_eq!(desk.json(&["verify", id, "--json"])["signer"], "known");
    assert!(desk.json(&["identity", "--json"])["public_key"].as_str().is_some_and(|key| key.starts_with("ed25519:")));
    let home = desk.json(&["home", "--json"]);
    assert_eq!((home["home"].as_str(), &home["exists"]), (desk.home().to_str(), &true.into()), "{home}");
    assert_eq!(desk.json(&["check", "cli.wasm", "--json"])["world"], "command");
}

#[test]
fn a_run_is_named_by_its_id_its_beginning_or_last() {
    let desk = Desk::with(&["cli"]);
    desk.remit(&["show"]).fails(code::NO_SUCH_RUN, &["there is no run yet", "hint: start one with"]);
    let ids: Vec<String> = ["a", "b", "c"]
        .map(|argument| {
            desk.json(&["run", "cli.wasm", "--json", "--", "args", argument])["run"].as_str().unwrap().into()
        })
        .into();
    let shown = |name: &str| desk.json(&["show", name, "--json"])["run"].as_str().unwrap().to_owned();
    assert_eq!((shown("last"), shown(&ids[0])), (ids[2].clone(), ids[0].clone()));
    assert_eq!(shown(&ids[1].to_uppercase()), ids[1]);
    let unique =
        (1..=32).map(|len| &ids[1][..len]).find(|start| !ids[0].starts_with(start) && !ids[2].starts_with(start));
    assert_eq!(shown(unique.expect("ids differ")), ids[1]);
    for command in ["show", "replay", "verify", "rm"] {
        desk.remit(&[command, &ids[1][..2]]).fails(code::NO_SUCH_RUN, &[&ids[1][..2], "remit runs"]);
        desk.remit(&[command, "ffff"]).fails(code::NO_SUCH_RUN, &["ffff", "remit runs"]);
        desk.remit(&[command, &"f".repeat(32)]).fails(code::NO_SUCH_RUN, &["remit runs"]);
    }
    desk.remit(&["rm", &ids[1], "last"]).ends(code::OK).says(&[&ids[1], &ids[2]]);
    desk.remit(&["show", &ids[1]]).fails(code::NO_SUCH_RUN, &[]);
    assert_eq!((desk.runs(), shown("last")), (1, ids[0].clone()));
    desk.still_runs();
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let desk = Desk::with(&["cli"]);
    desk.remit(&["run", "cli.wasm", "--", "args"]).ends(code::OK);
    for args in
        [&["runs"][..], &["show", "--calls"], &["show", "--json"], &["home"], &["--help"], &["completions", "zsh"]]
    {
        let mut unread = Running::start_unread(&mut desk.command(args));
        unread.close_stdout();
        assert_eq!(unread.said().ends(code::OK).stderr, "", "{args:?}");
    }
    let mut unread = Running::start_unread(&mut desk.command(&["run", "cli.wasm", "--", "flood", "1000000"]));
    unread.close_stdout();
    unread.said().ends(code::OK);
    desk.last_is_whole();
}

#[test]
fn what_people_read_after_a_run() {
    let desk = Desk::with(&["cli"]);
    let said = desk.remit(&["run", "cli.wasm", "--", "exit-with-code", "3"]).ends(3);
    let stderr = without_places(&desk, &said.stderr);
    let (before, after) = stderr.split_once(" with 3.").expect("it used some fuel");
    let expected = "\
cli may, in this run:
  and, as every plugin: log, read the clock, draw random numbers
run RUN
exited with code 3";
    assert_eq!(before, expected);
    let expected = "         1  wasi:cli/environment#get-arguments
next: `remit replay last` runs it again from the record, `remit show last --calls` lists it
";
    assert_eq!(after.split_once('\n').map(|(_, lines)| lines), Some(expected));
    let said = desk.remit(&["replay", "last"]).ends(code::OK);
    let matched = "replay of RUN matched: 1 calls, entry for entry and fuel for fuel\n";
    assert_eq!(without_places(&desk, &said.stdout), matched);
}
