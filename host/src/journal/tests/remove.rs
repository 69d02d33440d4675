//! Removing a run frees what only it used, and leaves the others whole.

use super::*;

fn long(seed: u8) -> Vec<u8> {
    (0..100_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8 ^ seed).collect()
}

fn run_with(journal: &Journal, payload: &[u8]) -> RunWriter {
    let mut run = journal.accept(&header(), &[Content::of(b"remit")]).unwrap();
    let function = run.function("model", 5);
    for number in 0..3 {
        record(&mut run, number).unwrap();
        let kind = Kind::Call;
        let call = Record { kind, function, fuel: 30, time_us: 0, params: payload, outcome: &[], extension: None };
        run.call(&call).unwrap();
        run.durable().unwrap().wait().unwrap();
    }
    run
}

#[test]
fn blobs_go_with_the_last_run_that_uses_them() {
    let home = Home::new();
    let journal = home.open();
    let first = run_with(&journal, &long(1));
    let second = run_with(&journal, &long(1));
    let third = run_with(&journal, &long(2));
    let ids = [first.id(), second.id(), third.id()];
    assert!(matches!(journal.remove(ids[0]), Err(Error::Live(_))));
    drop((first, second, third));

    let blobs = || journal.sizes().unwrap().blobs;
    let all = blobs();
    journal.remove(ids[0]).unwrap();
    assert_eq!(blobs(), all, "the second run uses the same blobs");
    assert!(matches!(journal.summary(ids[0]), Err(Error::NoSuchRun(_))));
    assert!(matches!(journal.remove(ids[0]), Err(Error::NoSuchRun(_))));
    journal.verify(ids[1], None).unwrap();
    journal.remove(ids[1]).unwrap();
    assert!(blobs() < all * 2 / 3);
    assert_eq!(read(&journal, ids[2]).unwrap()[1].params, long(2));
    assert_eq!(journal.blob(header().remit).unwrap(), b"remit");
    journal.remove(ids[2]).unwrap();
    let sizes = journal.sizes().unwrap();
    assert_eq!((sizes.runs, sizes.log, sizes.blobs, sizes.headers), (0, 0, 0, 0));
}

#[test]
fn what_is_left_survives_opening_anew() {
    let home = Home::new();
    let journal = home.open();
    let (first, second) = (run_with(&journal, &long(1)), run_with(&journal, &long(2)));
    let (gone, kept) = (first.id(), second.id());
    drop((first, second));
    journal.remove(gone).unwrap();
    journal.close().unwrap();
    let journal = home.open();
    assert_eq!(journal.runs().unwrap().len(), 1);
    assert_eq!(journal.verify(kept, None).unwrap().entries, 6);
    let mut run = journal.accept(&header(), &[]).unwrap();
    record(&mut run, 0).unwrap();
    run.durable().unwrap().wait().unwrap();
    check_prefix(&journal, run.id(), 1);
    assert_eq!(journal.verify(kept, None).unwrap().entries, 6);
}

/// Whoever accepts a run looks first which blobs are stored, and the last run that used one may be removed since.
#[test]
fn a_blob_that_has_gone_since_somebody_looked_is_missed_before_anything_changes() {
    let home = Home::new();
    let journal = home.open();
    let blobs = vec![Blob::of(&Content::of(b"here")), Blob::stored(Digest::of(b"remit"))];
    let (header_bytes, progress) = (Packed::new(b"{}"), Progress::default());
    let run = RunId::new(header().accepted);
    let first_head = Digest::of(b"head");
    let refused = journal.0.ask(|reply| {
        let (key, listed) = (None, Unfinished::of(run, &header()));
        let (header, entries, fuel, parent) = (header_bytes, 0, 0, None);
        Message::Accept(Box::new(Accept {
            run,
            header,
            key,
            listed,
            blobs,
            first_head,
            progress,
            entries,
            fuel,
            parent,
            reply,
        }))
    });
    assert!(matches!(refused, Err(Error::NoSuchBlob(digest)) if digest == Digest::of(b"remit")));
    let sizes = journal.sizes().unwrap();
    assert_eq!((sizes.runs, sizes.blobs), (0, 0));
    journal.accept(&header(), &[Content::of(b"remit")]).unwrap();
    assert_eq!(journal.blob(header().remit).unwrap(), b"remit");
}
