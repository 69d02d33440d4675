//! Bundles: what is in one comes out as it was at home; and what a stranger's file can do is fail, with a message.

use std::path::Path;

use super::*;
use crate::journal::varint;
use crate::journal::varint::Cursor;

/// Records what ends a run, and lets go of it.
fn end(mut run: RunWriter) -> RunId {
    run.state(1, 1, &json!({"state": "succeeded"})).unwrap();
    run.durable().unwrap().wait().unwrap();
    run.id()
}

/// A header of a run that was accepted right after the one that caused it.
fn caused_by(run: &RunWriter, after_us: u64) -> Header {
    let accepted = Timestamp::from_micros(header().accepted.as_micros() + after_us);
    Header { cause: Some(Cause { run: run.id(), entry: 1 }), accepted, ..header() }
}

/// A journal in which one run, its callee and its callee's callee have grown beside a run that is none of theirs.
fn family(journal: &Journal) -> ([RunId; 3], RunId) {
    let long: Vec<u8> = (0..60_000_u32).flat_map(u32::to_le_bytes).collect();
    let blobs = [Content::of(b"remit"), Content::of(b"manifest"), Content::of(b"component")];
    let first = journal.accept(&header(), &blobs).unwrap();
    let second = journal.accept(&caused_by(&first, 10_000), &blobs).unwrap();
    let third = journal.accept(&caused_by(&second, 20_000), &blobs).unwrap();
    let stranger = journal.accept(&header(), &[Content::of(b"a stranger's")]).unwrap();
    let mut runs = [first, second, third, stranger];
    for number in 0..100 {
        for run in &mut runs {
            record(run, number).unwrap();
            run.flush().unwrap();
        }
        runs[0].durable().unwrap().wait().unwrap();
    }
    for (run, place) in runs.iter_mut().zip(0..) {
        let function = run.function("test#long", 1);
        let (params, fuel) = (&long[place..], 10_000);
        let outcome = &[7; 3][..];
        run.call(&Record { kind: Kind::Call, function, fuel, time_us: 9, params, outcome, extension: None }).unwrap();
    }
    let [first, second, third, stranger] = runs.map(end);
    ([first, second, third], stranger)
}

fn export(journal: &Journal, run: RunId) -> (Vec<u8>, Exported) {
    let mut bytes = Vec::new();
    let exported = journal.export(run, &mut bytes).unwrap();
    (bytes, exported)
}

fn open(bytes: &[u8]) -> Result<Bundle, BundleError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    Bundle::open(file.path())
}

#[test]
fn a_run_and_its_callees_come_out_as_they_were() {
    let home = Home::new();
    let journal = home.open();
    let (runs, stranger) = family(&journal);
    let (bytes, exported) = export(&journal, runs[0]);
    assert_eq!((exported.bytes, &exported.runs[..]), (bytes.len() as u64, &runs[..]));
    assert_eq!(export(&journal, runs[0]).0, bytes, "the same record makes the same bytes");

    let bundle = open(&bytes).unwrap();
    assert_eq!(bundle.run, runs[0]);
    let listed = |journal: &Journal| journal.runs().unwrap().iter().map(|run| run.id).collect::<Vec<_>>();
    assert_eq!(listed(&bundle.journal), runs);
    for run in runs {
        assert_eq!(read(&bundle.journal, run).unwrap(), read(&journal, run).unwrap());
        let summaries = [&bundle.journal, &journal].map(|journal| journal.summary(run).unwrap());
        let [there, here] = summaries.map(|run| (run.header, run.state, run.entries, run.fuel, run.bytes));
        assert_eq!(there, here);
        let key = signer().verifying_key();
        assert_eq!(bundle.journal.verify(run, Some(&key)).unwrap(), journal.verify(run, None).unwrap());
        assert_eq!(bundle.journal.verify(run, None).unwrap().signer, Signer::Unknown, "without a key");
    }
    assert_eq!(bundle.journal.blob(header().component).unwrap(), b"component");
    assert!(matches!(bundle.journal.blob(Digest::of(b"a stranger's")), Err(Error::NoSuchBlob(_))));
    assert!(!bytes.windows(16).any(|window| window == stranger.as_bytes()), "nothing of others is in it");

    // A callee by itself takes its own callees with it, and not its caller.
    assert_eq!(export(&journal, runs[1]).1.runs, runs[1..]);
}

#[test]
fn nothing_is_written_to_a_bundle() {
    let home = Home::new();
    let journal = home.open();
    let (runs, _) = family(&journal);
    let bundle = open(&export(&journal, runs[0]).0).unwrap();
    assert!(matches!(bundle.journal.accept(&header(), &[]), Err(Error::Closed)));
    assert!(matches!(bundle.journal.remove(runs[0]), Err(Error::Closed)));
    assert!(matches!(bundle.journal.take_over(runs[0]), Err(Error::Closed)));
    bundle.journal.close().unwrap();
}

#[test]
fn a_run_that_is_being_written_is_exported_as_far_as_it_is_durable() {
    let home = Home::new();
    let journal = home.open();
    let mut run = journal.accept(&header(), &[]).unwrap();
    (0..5).for_each(|number| assert_eq!(record(&mut run, number).unwrap(), number));
    run.durable().unwrap().wait().unwrap();
    record(&mut run, 5).unwrap();
    let bundle = open(&export(&journal, run.id()).0).unwrap();
    check_prefix(&bundle.journal, run.id(), 5);
    assert_eq!(bundle.journal.summary(run.id()).unwrap().entries, 5);
    let missing = RunId::from_bytes([1; 16]);
    assert!(matches!(journal.export(missing, Vec::new()), Err(BundleError::Journal(Error::NoSuchRun(_)))));
}

/// A bundle of one small run, and the entries of that run.
fn small() -> (Vec<u8>, Vec<Plain>) {
    let home = Home::new();
    let journal = home.open();
    let mut run = journal.accept(&header(), &[Content::of(b"remit")]).unwrap();
    for number in 0..4 {
        record(&mut run, number).unwrap();
        run.durable().unwrap().wait().unwrap();
    }
    let run = end(run);
    (export(&journal, run).0, read(&journal, run).unwrap())
}

type Parts = Vec<(u8, Vec<u8>)>;

/// Takes a bundle apart, its end left out.
fn parts(bytes: &[u8]) -> Parts {
    let mut cursor = Cursor::new(&bytes[14..], "a bundle");
    let mut parts = Vec::new();
    while !cursor.is_empty() {
        parts.push((cursor.byte().unwrap(), cursor.bytes().unwrap().to_vec()));
    }
    assert_eq!(parts.pop().map(|(kind, _)| kind), Some(0));
    parts
}

/// Puts parts together as whoever forges a bundle would: what is at the end fits.
fn forged(parts: &Parts) -> Vec<u8> {
    let mut bytes = b"remit bundle\n\x01".to_vec();
    for (kind, part) in parts {
        bytes.push(*kind);
        varint::put_bytes(&mut bytes, part);
    }
    let end = Digest::of(&bytes);
    bytes.extend([0, 32]);
    bytes.extend(end.as_bytes());
    bytes
}

/// Opens a bundle that should not open, and returns what is said of it.
#[track_caller]
fn refused(bytes: &[u8]) -> String {
    let Err(error) = open(bytes) else { panic!("it was opened") };
    error.to_string()
}

#[test]
fn a_truncated_or_flipped_bundle_is_refused() {
    let (bytes, _) = small();
    assert_eq!(forged(&parts(&bytes)), bytes, "what forges makes whole ones too");
    for len in 0..bytes.len() {
        let said = refused(&bytes[..len]);
        assert_eq!(said == "it is not a bundle", len < 13, "{len}: {said}");
    }
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        refused(&flipped);
    }
    assert_eq!(refused(&[&bytes[..], b"x"].concat()), "the bundle is damaged: something follows its end");
}

/// Whoever forges a bundle can make its end fit, and the checks of its rows. What the key has signed he cannot change.
#[test]
fn a_forged_bundle_is_refused_or_shows_what_was_signed() {
    let (bytes, expected) = small();
    let key = signer().verifying_key();
    let original = parts(&bytes);
    let (mut refused, mut harmless) = (0, 0);
    for (place, (_, part)) in original.iter().enumerate() {
        for at in 0..part.len() {
            let mut forgery = original.clone();
            forgery[place].1[at] ^= 1 << (at % 8);
            let Ok(bundle) = open(&forged(&forgery)) else {
                refused += 1;
                continue;
            };
            match bundle.journal.verify(bundle.run, Some(&key)) {
                Ok(Verified { signer: Signer::Known, entries, .. }) if entries == expected.len() as u64 => {
                    assert_eq!(read(&bundle.journal, bundle.run).unwrap(), expected);
                    assert_eq!(bundle.journal.header(bundle.run).unwrap(), header());
                    harmless += 1;
                }
                _ => refused += 1,
            }
        }
    }
    // The number of the first commit is chained by no one, as long as it stays below the next.
    assert!(refused > 600 && harmless < 10, "{refused} {harmless}");
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let (bytes, _) = small();
    let good = parts(&bytes);
    let others = parts(&small().0);
    let with = |change: &dyn Fn(&mut Parts)| {
        let mut parts = good.clone();
        change(&mut parts);
        refused(&forged(&parts))
    };
    let last = good.len() - 1;
    assert_eq!((good[0].0, good[1].0, good[last].0), (1, 2, 3));
    for (change, said) in [
        (&(|parts: &mut Parts| parts[1] = others[1].clone()) as &dyn Fn(&mut Parts), "which is not in it"),
        (&|parts| parts[last].1[0] ^= 1, "has other content"),
        (&|parts| parts.clear(), "there is no run in it"),
        (&|parts| parts.swap(0, 1), "which is not in it"),
        (&|parts| parts.swap(1, last), "its parts are out of order"),
        (&|parts| parts.push((3, parts[last].1.clone())), "twice"),
        (&|parts| parts.insert(1, parts[0].clone()), "twice"),
        (&|parts| parts.insert(2, parts[1].clone()), "commit 0 twice"),
        (&|parts| parts.push((4, Vec::new())), "a part of the unknown kind 4"),
        (&|parts| parts[0].1.truncate(9), "ends too early"),
        (&|parts| parts[1].1.truncate(9), "ends too early"),
        (&|parts| parts[last].1.truncate(9), "ends too early"),
        (&|parts| parts[last].1.splice(32..33, [0xff; 9]).for_each(drop), "longer than"),
    ] {
        let message = with(change);
        assert!(message.starts_with("the bundle is damaged: ") && message.contains(said), "{said}: {message}");
    }
    assert_eq!(refused(b"remit bundle\n\x02"), "the bundle has version 2, and this remit reads up to 1");
    assert_eq!(refused(b"remit bundle\n\x00"), "the bundle is damaged: there is no version 0");
    assert_eq!(
        refused(&std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap()),
        "it is not a bundle"
    );
    assert!(Bundle::open(Path::new("/")).is_err());
}

#[test]
fn a_length_that_is_not_there_is_not_believed() {
    for len in [1, 1 << 20, (64 << 20) + (64 << 10) + 1, 1 << 40, u64::MAX] {
        for kind in 0..4 {
            let mut bytes = b"remit bundle\n\x01".to_vec();
            bytes.push(kind);
            varint::put(&mut bytes, len);
            assert_eq!(refused(&bytes), format!("the bundle is damaged: a part claims {len} bytes"));
        }
    }
    let endless = [&b"remit bundle\n\x01\x01"[..], &[0xff; 20]].concat();
    assert_eq!(refused(&endless), "the bundle is damaged: the length of a part is longer than 64 bits");
}

#[test]
fn what_is_left_out_is_missed() {
    let (bytes, _) = small();
    let good = parts(&bytes);
    let without = |place: usize| {
        let mut parts = good.clone();
        parts.remove(place);
        open(&forged(&parts)).unwrap()
    };
    let verify = |bundle: Bundle| bundle.journal.verify(bundle.run, Some(&signer().verifying_key()));
    for place in 1..good.len() - 1 {
        assert!(matches!(verify(without(place)), Err(Error::Damaged(_))), "commit {place}");
    }
    let bundle = without(good.len() - 1);
    assert!(matches!(bundle.journal.blob(header().remit), Err(Error::NoSuchBlob(_))));
}

/// A bundle that is too long for memory goes through a temporary file, and comes out the same.
#[test]
fn a_long_bundle_is_read_too() {
    let home = Home::new();
    let journal = home.open();
    let mut noise = 1_u32;
    let mut long = |len: usize| -> Vec<u8> {
        let mut draw = || {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 24) as u8
        };
        (0..len).map(|_| draw()).collect()
    };
    let blob = Content::of(long(40 << 20));
    let run = end(journal.accept(&header(), std::slice::from_ref(&blob)).unwrap());
    let (bytes, exported) = export(&journal, run);
    assert!(exported.bytes > 40 << 20);
    let bundle = open(&bytes).unwrap();
    assert_eq!(bundle.journal.blob(blob.digest()).unwrap(), *blob);
    assert_eq!(bundle.journal.verify(run, Some(&signer().verifying_key())).unwrap().signer, Signer::Known);
}
