//! Keys of idempotent starts: one run for each, however often and from wherever it is asked for.

use std::thread;

use super::*;

fn keyed(key: &str, input: &[u8]) -> Header {
    Header { start_key: Some(key.into()), input: Payload::of(input), ..header() }
}

#[test]
fn a_key_starts_one_run_and_means_what_was_asked() {
    let home = Home::new();
    let journal = home.open();
    let run = journal.accept(&keyed("k", b"{}"), &[]).unwrap().id();
    let again = journal.accept(&keyed("k", b"{}"), &[]).err().unwrap();
    assert!(matches!(again, Error::AlreadyStarted(same) if same == run), "{again}");
    let other = journal.accept(&keyed("k", b"[]"), &[]).err().unwrap();
    assert!(matches!(&other, Error::StartKeyTaken { run: same, .. } if *same == run), "{other}");
    journal.accept(&keyed("l", b"{}"), &[]).unwrap();
    assert_eq!(journal.runs().unwrap().len(), 2, "what was refused has left nothing");
    journal.close().unwrap();
    let journal = home.open();
    assert!(matches!(journal.accept(&keyed("k", b"{}"), &[]), Err(Error::AlreadyStarted(_))), "it is on disk");
    journal.remove(run).unwrap();
    journal.accept(&keyed("k", b"[]"), &[]).unwrap();
}

#[test]
fn of_many_who_ask_at_once_one_starts_it() {
    let home = Home::new();
    let journal = home.open();
    let asking: Vec<_> = (0..8).map(|_| journal.clone()).collect();
    let started = thread::scope(|scope| {
        let ask = |journal: Journal| scope.spawn(move || journal.accept(&keyed("k", b"{}"), &[]).map(|run| run.id()));
        let asked: Vec<_> = asking.into_iter().map(ask).collect();
        asked.into_iter().filter_map(|asked| asked.join().unwrap().ok()).count()
    });
    assert_eq!((started, journal.runs().unwrap().len()), (1, 1));
}
