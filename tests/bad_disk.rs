//! A journal that is cut, damaged or from the future, a home that cannot be written, a disk that is full: a typed error
//! or the right data, never a wrong answer, never a panic.

mod room;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value as Json;

use crate::binary::{Desk, Said, code, without_places};

fn journal(desk: &Desk) -> PathBuf {
    desk.home().join("journal.redb")
}

/// A home with three runs, and what the commands say about it while it is whole.
struct Whole {
    desk: Desk,
    bytes: Vec<u8>,
    runs: Json,
    shown: Json,
    verified: Json,
}

impl Whole {
    fn new() -> Self {
        let desk = Desk::with(&["cli"]);
        for argument in ["one", "two", "three"] {
            desk.remit(&["run", "cli.wasm", "--", "args", argument]).ends(code::OK);
        }
        let (runs, shown) = (desk.json(&["runs", "--json"]), desk.json(&["show", "--json", "--calls"]));
        let verified = desk.json(&["verify", "--json"]);
        let bytes = fs::read(journal(&desk)).expect("a journal");
        Self { desk, bytes, runs, shown, verified }
    }

    /// Puts these bytes in the journal's place and checks every command's answer: what was there, or that it is
    /// damaged. Returns how many were answered.
    #[track_caller]
    fn check(&self, what: &str, bytes: &[u8]) -> usize {
        let last = self.shown["run"].as_str().expect("a run has an id");
        let mut answered = 0;
        for args in [
            &["runs", "--json"][..],
            &["show", last, "--json", "--calls"],
            &["verify", last, "--json"],
            &["replay", last, "--json"],
            &["run", "cli.wasm", "--", "args", "next"],
        ] {
            fs::write(journal(&self.desk), bytes).expect("a journal");
            let said = self.desk.remit(args);
            answered += usize::from(self.is_answer(what, args, &said));
        }
        answered
    }

    #[track_caller]
    fn is_answer(&self, what: &str, args: &[&str], said: &Said) -> bool {
        let context = format!("{what}: {args:?}: {said:?}");
        if said.code != code::OK {
            let typed = [code::JOURNAL_DAMAGED, code::NO_SUCH_RUN, code::HOST_FAILED];
            assert!(typed.contains(&said.code), "{context}");
            assert!(said.code != code::HOST_FAILED || said.stderr.contains("journal"), "{context}");
            let messages = said.stderr.lines().filter(|line| line.starts_with("error: "));
            assert_eq!(messages.count(), 1, "{context}");
            return false;
        }
        match args[0] {
            "runs" => assert!(self.is_history(&said.json()), "{context}"),
            "show" => assert_eq!(said.json(), self.shown, "{context}"),
            "verify" => assert_eq!(said.json(), self.verified, "{context}"),
            "replay" => assert_eq!(said.json()["verdict"], "matched", "{context}"),
            _ => assert_eq!(said.stdout, "args\nnext\n", "{context}"),
        }
        true
    }

    /// Whether these are the runs as they are, or as they were at an earlier commit.
    fn is_history(&self, runs: &Json) -> bool {
        let (now, all) = (runs.as_array().expect("a list"), self.runs.as_array().expect("a list"));
        now == all || all.ends_with(now)
    }
}

#[test]
fn a_truncated_journal_is_damaged_at_any_length() {
    let whole = Whole::new();
    let len = whole.bytes.len();
    let early = [1, 8, 9, 63, 64, 100, 319, 320, 321, 4095, 4096, 4097];
    let lengths = early.into_iter().chain((1..20).map(|part| len * part / 20)).chain([len - 4096, len - 1]);
    let answered: usize = lengths.map(|len| whole.check(&format!("cut to {len} bytes"), &whole.bytes[..len])).sum();
    assert!(answered < 20, "{answered} answers from cut files");
    whole.check("whole again", &whole.bytes);
    whole.desk.still_runs();
}

/// An empty file is what a crash leaves of a journal that was about to be made.
#[test]
fn an_empty_journal_is_a_new_one() {
    let desk = Desk::new();
    desk.remit(&["runs"]).ends(code::OK);
    fs::write(journal(&desk), b"").expect("a journal");
    desk.remit(&["runs"]).ends(code::OK);
    desk.still_runs();
}

#[test]
fn a_journal_with_flipped_bits_tells_no_lies() {
    let whole = Whole::new();
    let len = whole.bytes.len();
    let header = [0, 8, 9, 10, 12, 16, 24, 63, 64, 65, 70, 100, 127, 128, 150, 191, 192, 193, 220, 255, 300, 319];
    let spread = (0..38).map(|part| 4096 + (len - 4096) * part / 38 + part * 13);
    let mut answered = 0;
    for (n, at) in header.into_iter().chain(spread).enumerate() {
        let mut bytes = whole.bytes.clone();
        bytes[at] ^= 1 << (n % 8);
        answered += whole.check(&format!("bit {} of byte {at} of {len}", n % 8), &bytes);
    }
    assert!(answered > 20, "much of a file is free: {answered}");
    whole.check("whole again", &whole.bytes);
    whole.desk.still_runs();
}

/// What `runs` lists comes from rows of their own, which no chain covers: a flipped bit in one is noticed all the same.
#[test]
fn a_flipped_bit_in_a_runs_row_is_noticed() {
    let whole = Whole::new();
    let last = whole.shown["run"].as_str().expect("a run has an id");
    let id: Vec<u8> = (0..16).filter_map(|n| u8::from_str_radix(&last[2 * n..2 * n + 2], 16).ok()).collect();
    let pages: BTreeSet<usize> =
        whole.bytes.windows(16).enumerate().filter(|(_, bytes)| *bytes == id).map(|(at, _)| at / 4096).collect();
    let bytes = pages.into_iter().flat_map(|page| page * 4096..(page + 1) * 4096);
    let used: Vec<usize> = bytes.filter(|at| whole.bytes.get(*at).is_some_and(|byte| *byte != 0)).collect();
    for (n, at) in used.iter().step_by(used.len() / 40 + 1).enumerate() {
        let mut bytes = whole.bytes.clone();
        bytes[*at] ^= 1 << (n % 8);
        for args in [&["runs", "--json"][..], &["show", last, "--json", "--calls"]] {
            fs::write(journal(&whole.desk), &bytes).expect("a journal");
            whole.is_answer(&format!("bit {} of byte {at}", n % 8), args, &whole.desk.remit(args));
        }
    }
}

#[test]
fn a_journal_of_a_newer_format_is_left_alone() {
    let whole = Whole::new();
    write_format(&journal(&whole.desk), 2);
    for args in [&["runs"][..], &["show"], &["verify"], &["replay"], &["run", "cli.wasm"], &["rm", "last"]] {
        let said = whole.desk.remit(args).fails(code::JOURNAL_DAMAGED, &["format 2", "newer"]);
        assert!(said.stderr.contains("hint: use the Remit that wrote this home, or a newer one"), "{}", said.stderr);
    }
    write_format(&journal(&whole.desk), 1);
    assert_eq!(whole.desk.json(&["runs", "--json"]), whole.runs);
}

fn write_format(journal: &PathBuf, format: u64) {
    const META: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("meta");
    let database = redb::Database::open(journal).expect("a journal");
    let write = database.begin_write().expect("a transaction");
    write.open_table(META).expect("its table").insert("format", format).expect("its row");
    write.commit().expect("a commit");
}

#[test]
fn what_is_no_journal_and_no_key_is_refused() {
    let desk = Desk::with(&["cli"]);
    desk.remit(&["runs"]).ends(code::OK);
    let good = fs::read(journal(&desk)).expect("a journal");
    fs::write(journal(&desk), "a diary\n".repeat(1000)).expect("a file");
    let said = desk.remit(&["runs"]).fails(code::JOURNAL_DAMAGED, &[]);
    let expected = "error: cannot open HOME/journal.redb: the journal is damaged: ";
    let stderr = without_places(&desk, &said.stderr);
    assert!(stderr.starts_with(expected), "{stderr}");
    assert!(stderr.ends_with("\nhint: restore a backup, or move the file away to begin anew\n"), "{stderr}");
    fs::remove_file(journal(&desk)).expect("a file");
    fs::create_dir(journal(&desk)).expect("a folder");
    desk.remit(&["runs"]).fails(code::HOST_FAILED, &["journal.redb"]);
    fs::remove_dir(journal(&desk)).expect("a folder");
    fs::write(journal(&desk), good).expect("a file");
    desk.still_runs();
    let key = desk.json(&["home", "--json"])["key"].as_str().expect("a path").to_owned();
    let good = fs::read(&key).expect("a key");
    fs::write(&key, "no key").expect("a file");
    desk.remit(&["run", "cli.wasm"]).fails(code::HOST_FAILED, &["signing key", "is damaged", "hint: restore it"]);
    fs::write(&key, good).expect("a file");
    desk.still_runs();
}

/// Machine code is nothing to trust: what is damaged in the cache is compiled again.
#[test]
fn a_damaged_cache_is_compiled_again() {
    let desk = Desk::with(&["cli"]);
    desk.remit(&["run", "cli.wasm", "--", "args"]).ends(code::OK);
    let files = || -> Vec<PathBuf> {
        let entries = fs::read_dir(desk.home().join("cache")).expect("a cache");
        entries.map(|entry| entry.expect("a file").path()).collect()
    };
    assert!(!files().is_empty());
    let cut = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2);
    let emptied = |bytes: &mut Vec<u8>| bytes.clear();
    let flipped = |bytes: &mut Vec<u8>| bytes.iter_mut().skip(1000).step_by(1000).for_each(|byte| *byte ^= 1);
    for damage in [cut, emptied, flipped] {
        for file in files() {
            let mut bytes = fs::read(&file).expect("machine code");
            damage(&mut bytes);
            fs::write(&file, bytes).expect("a file");
        }
        desk.still_runs();
    }
}
