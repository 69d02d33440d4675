//! Plain commands behave under Remit as under wasmtime's own WASI: the same program runs under both, on two folders
//! that hold the same, and all that can be seen from outside is compared.
//!
//! What differs on purpose is in ARCHITECTURE.md, and in the tests at the end of this file.

mod stock;
mod tree;

use std::path::Path;

use remit::gate::Outcome;
use remit::meter::LimitKind;

use crate::harness::Scene;

/// A command with what it is given.
pub struct Program {
    guest: &'static str,
    arguments: Vec<String>,
    input: Vec<u8>,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code.
    Code(i32),
    /// With a trap, in whatever words.
    Trap,
    /// At a limit.
    Limit(LimitKind),
}

/// All that can be seen of a program from outside.
pub struct Seen {
    ended: Ended,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    tree: Vec<String>,
}

impl Program {
    fn new<'a>(guest: &'static str, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        Self { guest, arguments: arguments.into_iter().map(str::to_owned).collect(), input: Vec::new() }
    }

    fn of(line: &'static str) -> Self {
        let mut words = line.split_whitespace();
        Self::new(words.next().expect("the program's name comes first"), words)
    }

    fn reading(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Runs it under both and returns what was seen, wasmtime's first.
    fn seen(&self) -> (Seen, Seen) {
        let scene = Scene::ticking();
        let (theirs, ours) = (scene.dir("theirs", &[]), scene.dir("ours", &[]));
        let mut stock = stock::run(self, &theirs);
        let mut remit = under_remit(self, &scene, &ours);
        (stock.tree, remit.tree) = (tree::of(&theirs), tree::of(&ours));
        (stock, remit)
    }

    /// Fails unless both sides look the same.
    #[track_caller]
    fn conforms(self) {
        let (theirs, ours) = self.seen();
        same_text("stdout", &theirs.stdout, &ours.stdout);
        same_text("stderr", &theirs.stderr, &ours.stderr);
        assert_eq!(theirs.ended, ours.ended);
        assert_eq!(theirs.tree, ours.tree);
    }
}

fn under_remit(program: &Program, scene: &Scene, dir: &Path) -> Seen {
    let root = "[capabilities.files.root]\nmount = \".\"\naccess = \"read-write\"\nwhy = \"test\"";
    let arguments = program.arguments.iter().map(String::as_str);
    let play = scene.command(program.guest, arguments).granted(root).at("root", dir).input(program.input.clone());
    let ran = play.limit(LimitKind::FileWrites, 1 << 63).run().replayed();
    let ended = match &ran.end.outcome {
        Outcome::Succeeded { .. } => Ended::Code(0),
        Outcome::Exited { code } => Ended::Code(i32::from(*code)),
        Outcome::Trapped { .. } => Ended::Trap,
        Outcome::Limit { crossed } => Ended::Limit(crossed.limit),
        other => panic!("a command does not end so: {other:?}"),
    };
    Seen { ended, stdout: ran.stdout.clone(), stderr: ran.stderr.clone().into_bytes(), tree: Vec::new() }
}

/// Fails at the first lines that differ, with those before them.
#[track_caller]
fn same_text(what: &str, theirs: &[u8], ours: &[u8]) {
    let (theirs, ours) = (String::from_utf8_lossy(theirs), String::from_utf8_lossy(ours));
    let differences: Vec<_> =
        theirs.lines().zip(ours.lines()).enumerate().filter(|(_, (one, other))| one != other).collect();
    if let Some((line, _)) = differences.first() {
        let from = line.saturating_sub(3);
        let before: Vec<_> = theirs.lines().skip(from).take(line - from).collect();
        let shown: Vec<_> = differences
            .iter()
            .take(12)
            .map(|(at, (one, other))| format!("{at}: wasmtime {one}\n{at}: remit    {other}"))
            .collect();
        panic!("{what}: {} lines differ, after\n{}\n{}", differences.len(), before.join("\n"), shown.join("\n"));
    }
    assert_eq!(theirs.len(), ours.len(), "{what} is longer on one side");
}

#[test]
fn files_opened_in_every_way() {
    Program::of("conformance open").conforms();
}

#[test]
fn contents_of_files() {
    Program::of("conformance contents").conforms();
}

#[test]
fn folders_links_and_names() {
    Program::of("conformance tree").conforms();
    Program::of("conformance names").conforms();
}

#[test]
fn facts_about_files() {
    Program::of("conformance facts").conforms();
}

#[test]
fn descriptors_of_the_interface() {
    Program::of("conformance descriptors").conforms();
    Program::of("conformance links").conforms();
}

#[test]
fn streams_and_pollables() {
    Program::of("conformance streams").conforms();
    Program::of("conformance polls").conforms();
}

#[test]
fn arguments_and_environment() {
    Program::of("conformance arguments").conforms();
    let odd = ["arguments", "", " ", "-x", "--", "\u{e9}\u{1f600}", "a\nb", "\"quoted\"", "\u{0}"];
    Program::new("conformance", odd).conforms();
}

#[test]
fn standard_input() {
    let long = (0..300_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>();
    for input in [Vec::new(), b"one line".to_vec(), b"two\nlines\n".to_vec(), vec![0xff, 0, b'\n', 0xfe], long] {
        for how in ["stdin", "lines", "stdin-raw"] {
            Program::new("conformance", [how]).reading(input.clone()).conforms();
        }
    }
}

#[test]
fn standard_output() {
    Program::of("conformance large-output").conforms();
    for line in ["cli both", "cli stderr 100", "cli raw ff00fe0a", "cli terminal", "cli env", "cli cwd", "cli fail"] {
        Program::of(line).conforms();
    }
}

#[test]
fn what_wasi_has_not() {
    Program::of("conformance absent").conforms();
    Program::of("sockets").conforms();
}

#[test]
fn clocks_and_randomness() {
    Program::of("conformance clocks").conforms();
    Program::of("conformance randomness").conforms();
}

#[test]
fn exit_codes() {
    for code in ["0", "1", "2", "7", "127", "128", "134", "254", "255"] {
        Program::new("cli", ["exit", code]).conforms();
        Program::new("cli", ["exit-with-code", code]).conforms();
    }
    for case in ["exit-0", "exit-7", "exit-255", "exit-flags", "exit-ok"] {
        Program::new("conformance", ["misuse", case]).conforms();
    }
}

#[test]
fn misuse_of_the_interfaces() {
    let streams = ["stream-before-pollable", "input-before-pollable", "error-kept", "drop-descriptor-with-streams"];
    let lengths = ["zeroes-over-permit", "zeroes-without-end", "blocking-write-4097", "blocking-zeroes-4097"];
    let others = ["poll-nothing", "write-over-permit", "many-pollables", "unreachable", "panic", "divide", "overflow"];
    for case in streams.iter().chain(&lengths).chain(&others) {
        Program::new("conformance", ["misuse", case]).conforms();
    }
}

#[test]
fn the_guest_of_each_capability() {
    for line in ["files write a.txt text", "files every .", "files refused .", "files escape .", "files many . 300"] {
        Program::of(line).conforms();
    }
    for line in ["files grow large 3000000", "files size large 5000000", "files stat ."] {
        Program::of(line).conforms();
    }
}

/// Every listing takes memory of the host until it is dropped, and a guest can ask for thousands. Together they hold
/// 262,144 entries: 87 times 3,000.
#[test]
fn a_large_folder_is_not_listed_without_end() {
    let scene = Scene::ticking();
    let dir = scene.dir("d", &[]);
    for number in 0..3_000 {
        std::fs::write(dir.join(number.to_string()), "").expect("the file is new");
    }
    let seen = under_remit(&Program::of("conformance misuse listings"), &scene, &dir);
    let stdout = String::from_utf8_lossy(&seen.stdout);
    assert_eq!(
        (seen.ended, &*stdout),
        (Ended::Code(0), "before\n87 insufficient-memory\n87 after one is dropped\nafter\n")
    );
}

/// A list of handles as long as the guest's memory allows is more than one call may carry.
#[test]
fn a_poll_of_millions_ends_the_run_and_not_the_host() {
    let (_, ours) = Program::of("conformance misuse poll-millions").seen();
    assert!(matches!(ours.ended, Ended::Trap | Ended::Limit(LimitKind::Payload)), "{:?}", ours.ended);
}

/// wasmtime traps above 64 MiB; here it is the payload limit, which names itself.
#[test]
fn random_bytes_without_end_cross_the_payload_limit() {
    let (theirs, ours) = Program::of("conformance misuse random-without-end").seen();
    assert_eq!((theirs.ended, ours.ended), (Ended::Trap, Ended::Limit(LimitKind::Payload)));
}
