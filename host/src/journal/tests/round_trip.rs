//! What goes in comes out: entries, headers, states, long payloads.

use proptest::prelude::*;

use super::*;

fn extension() -> impl Strategy<Value = Option<Extension>> {
    let field = || proptest::option::of("[a-z{}]{0,20}");
    let number = any::<Option<u64>>;
    let fields = (number(), number(), number(), field(), field(), field(), field(), field(), field());
    proptest::option::of(fields.prop_map(|(attempt, answers, class, grant, denial, cause, labels, usage, before)| {
        Extension { attempt, answers, grant, denial, cause, labels, usage, before, class }
    }))
}

fn entry() -> impl Strategy<Value = (Plain, bool)> {
    let kind = prop_oneof![Just(Kind::Call), Just(Kind::Intent), Just(Kind::Outcome), Just(Kind::Note)];
    let bytes = || {
        prop_oneof![
            8 => proptest::collection::vec(any::<u8>(), 0..200),
            1 => (any::<u8>(), 4000..200_000usize).prop_map(|(byte, len)| {
                (0..len).map(|at| (at / 7) as u8 ^ byte).collect()
            }),
        ]
    };
    let parts = (kind, 0..5usize, any::<u64>(), any::<u64>(), bytes(), bytes(), extension(), any::<bool>());
    parts.prop_map(|(kind, function, fuel, time_us, params, outcome, extension, flush)| {
        let function = Some((NAMES[function].to_owned(), function as u8));
        let plain = Plain { kind, function, fuel, time_us, params, outcome, extension: extension.unwrap_or_default() };
        (plain, flush)
    })
}

const NAMES: [&str; 5] = ["a", "b", "remit:plugin/kv#get", "", "ä"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn entries_come_back(entries in proptest::collection::vec(entry(), 1..40)) {
        let home = Home::new();
        let journal = home.open();
        let mut run = journal.accept(&header(), &[]).unwrap();
        for (number, (plain, flush)) in entries.iter().enumerate() {
            let (_, class) = plain.function.clone().unwrap();
            let function = run.function(NAMES[usize::from(class)], class);
            let record = Record {
                kind: plain.kind,
                function,
                fuel: plain.fuel,
                time_us: plain.time_us,
                params: &plain.params,
                outcome: &plain.outcome,
                extension: Some(&plain.extension).filter(|extension| **extension != Extension::default()),
            };
            prop_assert_eq!(run.call(&record).unwrap(), number as u64);
            if *flush {
                run.flush().unwrap();
            }
        }
        run.durable().unwrap().wait().unwrap();
        let expected: Vec<_> = entries.into_iter().map(|(plain, _)| plain).collect();
        prop_assert_eq!(&read(&journal, run.id()).unwrap(), &expected);
        let id = run.id();
        drop(run);
        journal.close().unwrap();
        let journal = home.open();
        prop_assert_eq!(&read(&journal, id).unwrap(), &expected);
        prop_assert_eq!(journal.verify(id, None).unwrap().entries, expected.len() as u64);
    }
}

#[test]
fn a_run_is_listed_with_its_header_and_its_end() {
    let home = Home::new();
    let journal = home.open();
    let mut run = journal.accept(&header(), &[Content::of(b"manifest"), Content::of(b"remit")]).unwrap();
    let id = run.id();
    assert_eq!(journal.summary(id).unwrap().state, None);
    record(&mut run, 0).unwrap();
    let end = json!({"state": "succeeded", "result": "x".repeat(10_000)});
    run.state(77, 1_772_000_000_000_500, &end).unwrap();
    run.durable().unwrap().wait().unwrap();
    drop(run);
    let second = journal.accept(&header(), &[]).unwrap().id();
    journal.close().unwrap();

    let journal = home.open();
    let runs = journal.runs().unwrap();
    assert_eq!(runs.len(), 2);
    let summary = runs.iter().find(|summary| summary.id == id).unwrap();
    assert_eq!(summary.header, header());
    assert_eq!((summary.entries, summary.fuel, summary.live), (2, 77, false));
    let ended: serde_json::Value = serde_json::from_slice(summary.state.as_deref().unwrap()).unwrap();
    assert_eq!(ended, end);
    assert_eq!(journal.blob(header().manifest).unwrap(), b"manifest");
    assert!(matches!(journal.blob(Digest::of(b"other")), Err(Error::NoSuchBlob(_))));
    assert_eq!(journal.find(&id.to_string()).unwrap(), id);
    assert!(matches!(journal.find("x"), Err(FindError::None(_))));
    let ambiguous = journal.find("");
    assert!(matches!(ambiguous, Err(FindError::Ambiguous { runs, .. }) if runs.contains(&second)));
}

#[test]
fn a_growing_transcript_stores_each_turn_once() {
    let home = Home::new();
    let journal = home.open();
    let mut run = journal.accept(&header(), &[]).unwrap();
    let model = run.function("model", 5);
    let mut transcript = Vec::new();
    let mut noise = 1u64;
    for turn in 0..40 {
        for _ in 0..2000 {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            transcript.extend_from_slice(&noise.to_be_bytes());
        }
        let record = Record {
            kind: Kind::Call,
            function: model,
            fuel: turn,
            time_us: turn,
            params: &transcript,
            outcome: b"",
            extension: None,
        };
        run.call(&record).unwrap();
    }
    run.durable().unwrap().wait().unwrap();
    let blobs = journal.sizes().unwrap().blobs;
    let (once, every_time) = (40 * 16_000, 40 * 41 / 2 * 16_000);
    assert!(blobs < 3 * once, "{blobs} bytes where the text is {once} and its repetitions {every_time}");
    let mut reader = journal.reader(run.id()).unwrap();
    let mut last = Vec::new();
    while let Some(entry) = reader.next().unwrap() {
        last = entry.params().to_vec();
    }
    assert_eq!(last, transcript);
}

#[test]
fn a_payload_over_the_cap_is_refused_and_nothing_recorded() {
    let home = Home::new();
    let journal = home.open();
    let mut run = journal.accept(&header(), &[]).unwrap();
    let function = run.function("f", 0);
    let long = vec![0; PAYLOAD_MAX + 1];
    let mut record =
        Record { kind: Kind::Call, function, fuel: 1, time_us: 1, params: &[], outcome: &long, extension: None };
    assert!(matches!(run.call(&record), Err(Error::TooLarge { max, .. }) if max == PAYLOAD_MAX as u64));
    let wide = Extension { usage: Some("x".repeat(EXTENSION_MAX)), ..Extension::default() };
    record.outcome = &[];
    record.extension = Some(&wide);
    assert!(matches!(run.call(&record), Err(Error::TooLarge { .. })));
    record.extension = None;
    record.outcome = &long[1..];
    assert_eq!(run.call(&record).unwrap(), 0);
    run.durable().unwrap().wait().unwrap();
    assert_eq!(read(&journal, run.id()).unwrap()[0].outcome.len(), PAYLOAD_MAX);
    assert!(matches!(journal.accept(&header(), &[Content::of(long.as_slice())]), Err(Error::TooLarge { .. })));
}

#[test]
fn runs_in_parallel_do_not_mix() {
    let home = Home::new();
    let journal = home.open();
    let ids: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut run = journal.accept(&header(), &[]).unwrap();
                    for number in 0..200 {
                        record(&mut run, number).unwrap();
                        run.durable().unwrap().wait().unwrap();
                        assert_eq!(run.durable_entries(), number + 1);
                    }
                    run.id()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for id in &ids {
        check_prefix(&journal, *id, 200);
        assert_eq!(journal.verify(*id, None).unwrap().signer, Signer::Nobody);
    }
    journal.close().unwrap();
    let journal = home.open();
    ids.into_iter().for_each(|id| check_prefix(&journal, id, 200));
}

/// Several segments of a run came into one row, and when a block of the index became complete with the first of them, the
/// row was listed again in the next block: such runs could not be read.
#[test]
fn a_long_run_comes_back() {
    let home = Home::new();
    let journal = home.open();
    let mut run = journal.accept(&header(), &[]).unwrap();
    let function = run.function("f", 0);
    let noise = |number: u64| -> Vec<u8> {
        (0..16u64)
            .flat_map(|part| *Digest::of_parts(&[&number.to_le_bytes(), &part.to_le_bytes()]).as_bytes())
            .collect()
    };
    for number in 0..12_000 {
        let (params, kind) = (noise(number), Kind::Call);
        let call = Record { kind, function, fuel: 7, time_us: 7, params: &params, outcome: &[], extension: None };
        run.call(&call).unwrap();
    }
    run.state(7, 7, &json!({})).unwrap();
    run.durable().unwrap().wait().unwrap();
    let copy = Home::new();
    std::fs::copy(home.path(), copy.path()).unwrap();
    for journal in [journal, copy.open()] {
        let mut reader = journal.reader(run.id()).unwrap();
        for number in 0..12_000 {
            assert_eq!(reader.next().unwrap().unwrap().params(), noise(number));
        }
        assert_eq!(reader.next().unwrap().unwrap().kind(), Kind::State);
        assert!(reader.next().unwrap().is_none());
    }
}

#[test]
fn durability_can_be_awaited() {
    let home = Home::new();
    let journal = home.open();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut run = journal.accept(&header(), &[]).unwrap();
        record(&mut run, 0).unwrap();
        run.flush().unwrap();
        run.durable().unwrap().await.unwrap();
        assert_eq!(run.durable_entries(), 1);
        run.durable().unwrap().await.unwrap();
    });
}

#[test]
fn only_the_key_that_signed_is_known() {
    let home = Home::new();
    let journal = home.open();
    let mut run = journal.accept(&header(), &[]).unwrap();
    record(&mut run, 0).unwrap();
    run.state(1, 1, &json!({"state": "paused"})).unwrap();
    record(&mut run, 1).unwrap();
    run.durable().unwrap().wait().unwrap();
    let verified = journal.verify(run.id(), None).unwrap();
    assert_eq!((verified.entries, verified.signed_entries, verified.signed_heads), (3, 2, 1));
    assert_eq!(verified.signer, Signer::Known);
    let stranger = SigningKey::from_bytes(&[8; 32]).verifying_key();
    assert_eq!(journal.verify(run.id(), Some(&stranger)).unwrap().signer, Signer::Unknown);
}
