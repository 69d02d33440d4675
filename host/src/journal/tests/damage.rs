//! Damaged files: a typed error or what was written, never a panic, never something else.

use std::panic::catch_unwind;

use redb::{ReadableDatabase, ReadableTable};

use super::*;
use crate::journal::segment::{Builder, Position, Segment};

/// A closed journal with one small run, and that run.
fn small() -> (Home, RunId) {
    let home = Home::new();
    let journal = home.open();
    let mut run = journal.accept(&header(), &[Content::of(b"remit")]).unwrap();
    for number in 0..20 {
        record(&mut run, number).unwrap();
        if number % 5 == 0 {
            run.durable().unwrap().wait().unwrap();
        }
    }
    run.state(1, 1, &json!({"state": "succeeded"})).unwrap();
    run.durable().unwrap().wait().unwrap();
    let id = run.id();
    drop(run);
    journal.close().unwrap();
    (home, id)
}

/// Opens the bytes as a journal and reads everything. Returns whether all was there.
fn probe(bytes: Vec<u8>, run: RunId, expected: &[Plain]) -> bool {
    let home = Home::new();
    std::fs::write(home.path(), bytes).unwrap();
    let probed = catch_unwind(|| -> Result<bool, Error> {
        let journal = home.try_open()?;
        let _runs = journal.runs()?;
        let mut writer = journal.accept(&super::header(), &[])?;
        let seen = read(&journal, run)?;
        assert_eq!(seen, expected, "something else was read");
        assert_eq!(journal.header(run)?, super::header());
        record(&mut writer, 0)?;
        writer.durable()?.wait()?;
        drop(writer);
        journal.close()?;
        Ok(true)
    });
    match probed {
        Ok(Ok(whole)) => whole,
        Ok(Err(_)) => false,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

#[test]
fn a_truncated_file_is_an_error_or_whole() {
    let (home, run) = small();
    let expected = read(&home.open(), run).unwrap();
    let bytes = std::fs::read(home.path()).unwrap();
    assert!(probe(bytes.clone(), run, &expected));
    for len in (1..bytes.len()).step_by(bytes.len() / 60) {
        assert!(!probe(bytes[..len].to_vec(), run, &expected), "whole at {len} of {}", bytes.len());
    }
}

#[test]
fn a_flipped_bit_is_an_error_or_harmless() {
    let (home, run) = small();
    let expected = read(&home.open(), run).unwrap();
    let bytes = std::fs::read(home.path()).unwrap();
    let used: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    let mut noticed = 0;
    for place in used.iter().step_by(used.len() / 400) {
        let mut flipped = bytes.clone();
        flipped[*place] ^= 1 << (place % 8);
        noticed += u32::from(!probe(flipped, run, &expected));
    }
    assert!(noticed > 0, "no flipped bit was noticed");
}

#[test]
fn what_is_not_a_journal_is_refused() {
    let (_home, run) = small();
    for bytes in [&b"garbage"[..], &[0; 4096], &[0xff; 100_000], b"redb\x1a\x0a\xa9\x0d\x0a"] {
        let home = Home::new();
        std::fs::write(home.path(), bytes).unwrap();
        let error = home.try_open().err().unwrap();
        assert!(matches!(error, Error::Damaged(_)), "{error}");
        assert!(!probe(bytes.to_vec(), run, &[]));
    }
    let home = Home::new();
    let other = redb::Database::create(home.path()).unwrap();
    let write = other.begin_write().unwrap();
    write.open_table(redb::TableDefinition::<u64, u64>::new("other")).unwrap();
    write.commit().unwrap();
    drop(other);
    assert!(matches!(home.try_open(), Err(Error::Damaged(_))));
}

#[test]
fn a_newer_format_is_refused_by_both_versions() {
    let (home, _) = small();
    let database = redb::Database::create(home.path()).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(tables::META).unwrap().insert("format", 7).unwrap();
    write.commit().unwrap();
    drop(database);
    let error = home.try_open().err().unwrap();
    assert_eq!(error.to_string(), format!("the journal has format 7, and this remit reads up to {FORMAT}"));
}

#[test]
fn a_home_that_cannot_be_written_is_a_typed_error() {
    let missing = Home::new();
    let path = missing.path().join("not/there");
    assert!(matches!(Journal::open(&path, signer(), &Options::default()), Err(Error::Io(_))));
    assert!(matches!(Error::io(std::io::ErrorKind::ReadOnlyFilesystem.into()), Error::ReadOnly(_)));
    assert!(matches!(Error::io(std::io::ErrorKind::PermissionDenied.into()), Error::ReadOnly(_)));
    assert!(matches!(Error::io(std::io::ErrorKind::StorageFull.into()), Error::DiskFull));
}

#[test]
fn every_flipped_byte_of_a_segment_breaks_the_chain() {
    let run = RunId::from_bytes([3; 16]);
    let previous = Digest::of(b"before");
    let position =
        Position { run, number: 4, first_entry: 9, count: 1, previous_commit: None, fuel: 5, time_us: 6, fuel_used: 0 };
    let definitions = [FunctionDef { name: "f".into(), class: 2 }];
    let body = [0, 1, 0, 0, 2, b'a', b'b', 0];
    let mut builder = Builder::new().unwrap();
    let head = builder.build(&position, &definitions, &body, &previous, None);
    let bytes = builder.segment().to_vec();
    let holds =
        |bytes: &[u8]| Segment::decode(bytes).is_ok_and(|taken| chain::next(&previous, taken.covered) == taken.head);
    assert!(holds(&bytes));
    assert_eq!(Segment::decode(&bytes).unwrap().head, head);
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut flipped = bytes.clone();
            flipped[at] ^= flip;
            assert!(!holds(&flipped), "byte {at} ^ {flip:#x}");
        }
        assert!(!holds(&bytes[..at]));
    }
}

/// Changes the log behind the journal's back, as somebody with the file could.
fn tamper(home: &Home, change: impl Fn(&mut Vec<u8>)) {
    let database = redb::Database::create(home.path()).unwrap();
    let write = database.begin_write().unwrap();
    {
        let mut log = write.open_table(tables::LOG).unwrap();
        let mut row = log.get(1).unwrap().unwrap().value().to_vec();
        change(&mut row);
        log.insert(1, &*row).unwrap();
    }
    write.commit().unwrap();
}

#[test]
fn a_changed_log_breaks_the_chain_of_its_run() {
    let (home, run) = small();
    let len = {
        let database = redb::Database::create(home.path()).unwrap();
        let read = database.begin_read().unwrap();
        read.open_table(tables::LOG).unwrap().get(1).unwrap().unwrap().value().len()
    };
    for at in 0..len {
        tamper(&home, |row| row[at] ^= 0x10);
        let journal = home.open();
        assert!(journal.verify(run, None).is_err(), "byte {at}");
        journal.close().unwrap();
        tamper(&home, |row| row[at] ^= 0x10);
    }
    home.open().verify(run, None).unwrap();
}
