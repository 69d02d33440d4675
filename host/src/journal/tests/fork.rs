//! Forks: another run's past, read through and not copied.

use super::*;

/// Records entries of which every tenth has a payload of its own, too long to stand in its place.
fn parent(journal: &Journal, entries: u64) -> RunId {
    let mut run = journal.accept(&header(), &[Content::of(b"remit")]).unwrap();
    grow(&mut run, 0..entries);
    run.durable().unwrap().wait().unwrap();
    run.id()
}

fn grow(run: &mut RunWriter, numbers: std::ops::Range<u64>) {
    for number in numbers {
        if number % 10 == 7 {
            long(run, number);
        } else {
            record(run, number).unwrap();
        }
        if number % 100 == 99 {
            run.flush().unwrap();
        }
    }
}

fn long(run: &mut RunWriter, number: u64) {
    let payload = vec![number as u8; 5000 + number as usize];
    let function = run.function(format!("long{}", number % 3), 5);
    let (fuel, time_us) = (10 * number, 1_772_000_000_000_000 + number);
    let kind = Kind::Call;
    run.call(&Record { kind, function, fuel, time_us, params: &payload, outcome: &[], extension: None }).unwrap();
}

/// Makes a fork that begins with entries of its own.
fn fork(journal: &Journal, parent: RunId, cut: u64, own: u64) -> Result<RunId, Error> {
    journal.fork(parent, cut, header(), |run, parted| {
        grow(run, cut + 5..cut + 5 + own);
        run.state(parted.fuel, parted.time_us, &json!({ "now": "suspended", "why": "forked", "by": "test" }))?;
        Ok(())
    })
}

#[test]
fn a_forks_past_is_its_parents_byte_for_byte() {
    let home = Home::new();
    let journal = home.open();
    let parent = parent(&journal, 1000);
    let whole = read(&journal, parent).unwrap();
    let blobs = journal.sizes().unwrap().blobs;
    let cuts = [0, 1, 63, 99, 100, 101, 500, 999, 1000];
    let forks: Vec<_> = cuts.iter().map(|cut| fork(&journal, parent, *cut, 0).unwrap()).collect();
    assert_eq!(journal.sizes().unwrap().blobs, blobs, "nothing is copied");
    let check = |journal: &Journal| {
        for (fork, cut) in forks.iter().zip(cuts) {
            let entries = read(journal, *fork).unwrap();
            assert_eq!(entries[..cut as usize], whole[..cut as usize], "{cut}");
            assert_eq!((entries.len() as u64, entries[cut as usize].kind), (cut + 1, Kind::State));
            let verified = journal.verify(*fork, None).unwrap();
            assert_eq!((verified.entries, verified.signed_entries, verified.signer), (cut + 1, cut + 1, Signer::Known));
            assert_eq!(journal.summary(*fork).unwrap().entries, cut + 1);
            assert_eq!(journal.began(&journal.header(*fork).unwrap()).unwrap(), header().accepted);
        }
    };
    check(&journal);
    check(&killed_now(&home).1);
    journal.close().unwrap();
    check(&home.open());
}

#[test]
fn a_fork_goes_on_by_itself_and_so_does_its_parent() {
    let home = Home::new();
    let journal = home.open();
    let mut live = journal.accept(&header(), &[]).unwrap();
    grow(&mut live, 0..50);
    live.durable().unwrap().wait().unwrap();
    let fork = fork(&journal, live.id(), 42, 0).unwrap();
    grow(&mut live, 50..120);
    live.durable().unwrap().wait().unwrap();
    let mut taken = journal.take_over(fork).unwrap();
    assert_eq!((taken.calls, taken.open, taken.writer.next_entry()), (42, None, 43));
    grow(&mut taken.writer, 200..300);
    taken.writer.durable().unwrap().wait().unwrap();
    drop(taken);
    let (own, parents) = (read(&journal, fork).unwrap(), read(&journal, live.id()).unwrap());
    assert_eq!((own.len(), parents.len()), (143, 120));
    assert_eq!(own[..42], parents[..42]);
    assert_eq!(own[43].fuel, 2000);
    let (_copy, later) = killed_now(&home);
    assert_eq!(read(&later, fork).unwrap(), own);
    assert_eq!(later.take_over(fork).unwrap().writer.next_entry(), 143);
}

#[test]
fn forks_are_forked() {
    let home = Home::new();
    let journal = home.open();
    let first = parent(&journal, 300);
    let second = fork(&journal, first, 150, 20).unwrap();
    let second_has = read(&journal, second).unwrap();
    assert_eq!(second_has.len(), 171);
    for cut in [0, 10, 150, 151, 160, 171] {
        let third = fork(&journal, second, cut, 3).unwrap();
        let entries = read(&journal, third).unwrap();
        assert_eq!(entries[..cut as usize], second_has[..cut as usize], "{cut}");
        assert_eq!(entries.len() as u64, cut + 4);
        assert_eq!(journal.verify(third, None).unwrap().entries, cut + 4);
    }
}

#[test]
fn a_parent_is_kept_while_it_has_a_fork() {
    let home = Home::new();
    let journal = home.open();
    let parent = parent(&journal, 100);
    let whole = read(&journal, parent).unwrap();
    // The fork records payloads that its past holds, too.
    let fork = fork(&journal, parent, 80, 30).unwrap();
    let mut taken = journal.take_over(fork).unwrap();
    (0..10).for_each(|ten| long(&mut taken.writer, 10 * ten + 7));
    taken.writer.durable().unwrap().wait().unwrap();
    drop(taken);
    assert!(matches!(journal.remove(parent), Err(Error::HasFork { run, fork: by }) if (run, by) == (parent, fork)));
    journal.remove(fork).unwrap();
    assert_eq!(read(&journal, parent).unwrap(), whole, "what the fork used of it is still there");
    journal.remove(parent).unwrap();
    let sizes = journal.sizes().unwrap();
    assert_eq!((sizes.runs, sizes.log, sizes.blobs, sizes.headers), (0, 0, 0, 0));
}

#[test]
fn a_fork_is_whole_or_not_there() {
    let home = Home::new();
    let journal = home.open();
    let parent = parent(&journal, 10);
    let refused = fork(&journal, parent, 11, 0).unwrap_err();
    assert!(matches!(refused, Error::NoSuchEntry { entry: 11, entries: 10, .. }), "{refused}");
    let refused: Result<RunId, Error> = journal.fork(parent, 5, header(), |run, _| {
        grow(run, 0..2000);
        Err(Error::DiskFull)
    });
    assert!(matches!(refused, Err(Error::DiskFull)));
    assert!(matches!(fork(&journal, RunId::from_bytes([1; 16]), 0, 0), Err(Error::NoSuchRun(_))));
    assert_eq!(journal.runs().unwrap().len(), 1);
    // Many segments of its own come with it.
    let long = fork(&journal, parent, 5, 2000).unwrap();
    assert_eq!(read(&journal, long).unwrap().len(), 2006);
}

#[test]
fn a_lineage_has_an_end() {
    let home = Home::new();
    let journal = home.open();
    let mut run = parent(&journal, 3);
    for _ in 0..LINEAGE_MAX {
        run = fork(&journal, run, 2, 0).unwrap();
    }
    assert_eq!(read(&journal, run).unwrap().len(), 3);
    assert!(matches!(fork(&journal, run, 2, 0), Err(Error::TooDeep { .. })));
}

/// A header says what it likes, and is believed only as far as the runs that it names agree.
#[test]
fn a_past_that_is_not_there_is_damage() {
    let home = Home::new();
    let journal = home.open();
    let parent = parent(&journal, 10);
    let (cut, parent_head) = (Some(3), Some(Digest::of(b"another")));
    let headers = [
        (Header { parent: Some(parent), cut, parent_head, ..header() }, "was not forked from what its parent holds"),
        (Header { parent: Some(parent), cut, ..header() }, "was not forked from what its parent holds"),
        (Header { parent: Some(parent), cut: Some(11), parent_head, ..header() }, "forked at its entry 11"),
        (Header { parent: Some(RunId::from_bytes([9; 16])), cut, ..header() }, "which is not there"),
        (Header { cut, ..header() }, "a parent or a cut"),
    ];
    for (header, says) in headers {
        let run = journal.accept(&header, &[]).unwrap().id();
        let error = read(&journal, run).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_bundle_holds_the_past_of_a_fork() {
    let home = Home::new();
    let journal = home.open();
    let parent = parent(&journal, 300);
    let fork = fork(&journal, parent, 150, 20).unwrap();
    let path = home.folder.path().join("fork.remit");
    let exported = journal.export(fork, std::fs::File::create(&path).unwrap()).unwrap();
    assert_eq!(exported.runs, [fork, parent]);
    let bundle = Bundle::open(&path).unwrap();
    assert_eq!(read(&bundle.journal, fork).unwrap(), read(&journal, fork).unwrap());
    let key = signer().verifying_key();
    assert_eq!(bundle.journal.verify(fork, Some(&key)).unwrap(), journal.verify(fork, None).unwrap());
}
