//! Amounts are never overshot and never forgotten, and a claim that is refused leaves no trace in the run.

use super::grants::{NOW, give, grant};
use super::plugins::ended;
use super::*;
use crate::manifest::{RuleId, Window};

const HOUR: u64 = 3_600_000_000;

fn claim(window: Window, max: u64) -> Claim {
    Claim { amount: 1, grant: None, max, rule: RuleId::kv(), window }
}

fn per_day(max: u64) -> Vec<Claim> {
    vec![claim(Window::Day, max)]
}

/// Claims with an intent that only `number` tells from others, `after` the beginning, and waits for the answer.
fn try_claim(run: &mut RunWriter, number: u64, after: u64, claims: Vec<Claim>) -> Result<u64, Error> {
    let function = run.function("wasi:http/outgoing-handler#handle", 7);
    let (params, time_us) = (number.to_le_bytes(), NOW.as_micros() + after);
    let record =
        Record { kind: Kind::Intent, function, fuel: number, time_us, params: &params, outcome: &[], extension: None };
    let (entry, answered) = run.claim(&record, claims, Timestamp::from_micros(record.time_us))?;
    answered.wait().map(|()| entry)
}

fn used(journal: &Journal, run: &RunWriter, window: Window, after: u64) -> u64 {
    let now = Timestamp::from_micros(NOW.as_micros() + after);
    journal.amount_used(&header().plugin.identity, &RuleId::kv(), window, run.id(), now).unwrap()
}

#[test]
fn a_claim_is_durable_with_its_intent() {
    let home = Home::new();
    let journal = home.open();
    let mut run = journal.accept(&header(), &[]).unwrap();
    record(&mut run, 0).unwrap();
    assert_eq!(try_claim(&mut run, 1, 0, per_day(2)).unwrap(), 1);
    let (_copy, crashed) = killed_now(&home);
    assert_eq!(read(&crashed, run.id()).unwrap()[1].kind, Kind::Intent);
    assert_eq!(used(&crashed, &run, Window::Day, 0), 1);
    let unsettled = Unsettled { run: run.id(), intent: 1, at: NOW, claims: per_day(2) };
    assert_eq!(crashed.unsettled().unwrap(), [unsettled]);

    let mut next = crashed.accept(&header(), &[]).unwrap();
    try_claim(&mut next, 0, 0, per_day(2)).unwrap();
    let refused = try_claim(&mut next, 1, 0, per_day(2)).unwrap_err();
    assert_eq!(refused.to_string(), "kv: 2 per day is used up", "what a crash left counts as used");
    crashed.decide(run.id(), 1, Settlement::Only(0)).unwrap();
    assert!(matches!(crashed.decide(run.id(), 1, Settlement::Used), Err(Error::NotReserved { intent: 1, .. })));
    try_claim(&mut next, 2, 0, per_day(2)).unwrap();
    assert_eq!(crashed.unsettled().unwrap().len(), 2);
}

#[test]
fn a_refused_claim_leaves_no_trace() {
    let home = Home::new();
    let journal = home.open();
    let mut run = journal.accept(&header(), &[]).unwrap();
    record(&mut run, 0).unwrap();
    let long = vec![7; INLINE_MAX + 1];
    let function = run.function("wasi:http/outgoing-handler#handle", 7);
    let intent = Record {
        kind: Kind::Intent,
        function,
        fuel: 10,
        time_us: NOW.as_micros(),
        params: &long,
        outcome: &[],
        extension: None,
    };
    for number in 1..4 {
        let (entry, answered) = run.claim(&intent, per_day(0), Timestamp::from_micros(intent.time_us)).unwrap();
        assert!(matches!(answered.wait(), Err(Error::Exhausted(_))));
        assert_eq!(entry, number);
        assert_eq!(record(&mut run, number).unwrap(), number, "the next entry has the number of the refused one");
    }
    assert_eq!(run.call(&Record { kind: Kind::Note, ..intent }).unwrap(), 4);
    run.state(0, 0, &json!({})).unwrap();
    run.durable().unwrap().wait().unwrap();
    let entries = read(&journal, run.id()).unwrap();
    assert_eq!(entries[4].params, long, "the blob of a refused intent is stored by the one who needs it");
    assert_eq!(entries[4].function.as_ref().unwrap().0, "wasi:http/outgoing-handler#handle");
    journal.verify(run.id(), None).unwrap();
    check_prefix(&journal, run.id(), 4);
    assert_eq!((used(&journal, &run, Window::Day, 0), journal.unsettled().unwrap()), (0, Vec::new()));
    let id = run.id();
    drop(run);
    journal.close().unwrap();
    check_prefix(&home.open(), id, 4);
}

/// A guest that is stopped while it waits for the answer leaves its writer on trial: the end of the run has to be
/// recorded all the same, whichever way the answer goes.
#[test]
fn a_run_that_did_not_wait_for_the_answer_ends_well() {
    for (max, entries) in [(1, 3), (0, 2)] {
        let journal = Home::new().open();
        let mut run = journal.accept(&header(), &[]).unwrap();
        record(&mut run, 0).unwrap();
        let function = run.function("http", 7);
        let intent =
            Record { kind: Kind::Intent, function, fuel: 0, time_us: 0, params: &[], outcome: &[], extension: None };
        drop(run.claim(&intent, per_day(max), Timestamp::from_micros(intent.time_us)).unwrap());
        run.flush().unwrap();
        run.state(0, 0, &json!({"state": "interrupted"})).unwrap();
        run.durable().unwrap().wait().unwrap();
        assert_eq!(journal.verify(run.id(), None).unwrap().entries, entries);
        // It may have been sent, so it is used, and there is nothing left to decide.
        assert_eq!(journal.unsettled().unwrap(), []);
        let then = Timestamp::from_micros(0);
        let used = journal.amount_used(&header().plugin.identity, &RuleId::kv(), Window::Day, run.id(), then).unwrap();
        assert_eq!(used, max);
    }
}

#[test]
fn a_refusal_names_every_amount_in_the_way() {
    let journal = Home::new().open();
    let mut run = journal.accept(&header(), &[]).unwrap();
    let spans = || vec![claim(Window::Run, 1), claim(Window::Day, 1), claim(Window::Total, 9), claim(Window::Hour, 1)];
    try_claim(&mut run, 0, 0, spans()).unwrap();
    let Err(Error::Exhausted(used_up)) = try_claim(&mut run, 1, 0, spans()) else { panic!("it is not refused") };
    let said: Vec<String> = used_up.iter().map(UsedUp::explained).collect();
    assert_eq!(said[0], "kv: 1 per run is used up: 1 used or reserved, to the end of the run");
    let next = |length: u64| Timestamp::from_micros((NOW.as_micros() / length + 1) * length);
    assert_eq!(said[1], format!("kv: 1 per day is used up: 1 used or reserved, until {} UTC", next(24 * HOUR)));
    assert_eq!(said[2], format!("kv: 1 per hour is used up: 1 used or reserved, until {} UTC", next(HOUR)));
    assert_eq!(used_up.len(), 3);
}

#[test]
fn runs_at_once_never_overshoot() {
    let home = Home::new();
    let journal = home.open();
    let runs = 8;
    let granted: usize = std::thread::scope(|scope| {
        let claims = |_| {
            let journal = journal.clone();
            scope.spawn(move || {
                let mut run = journal.accept(&header(), &[]).unwrap();
                let tried = (0..6).map(|number| try_claim(&mut run, number, 0, per_day(10)));
                let granted = tried.filter(|tried| match tried {
                    Ok(_) => true,
                    Err(Error::Exhausted(_)) => false,
                    Err(error) => panic!("{error}"),
                });
                granted.count()
            })
        };
        let threads: Vec<_> = (0..runs).map(claims).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(granted, 10);
    assert_eq!(journal.unsettled().unwrap().len(), 10);
    for run in journal.runs().unwrap() {
        journal.verify(run.id, None).unwrap();
    }
}

#[test]
fn each_span_counts_for_itself() {
    let journal = Home::new().open();
    let mut run = journal.accept(&header(), &[]).unwrap();
    let spans = || vec![claim(Window::Hour, 1), claim(Window::Day, 2), claim(Window::Run, 3), claim(Window::Total, 3)];
    let midnight = 86_400_000_000 - NOW.as_micros() % 86_400_000_000;
    let mut number = 0;
    let mut take = |run: &mut RunWriter, after: u64| {
        number += 1;
        try_claim(run, number, after, spans()).map_err(|refused| refused.to_string()).err()
    };
    assert_eq!(take(&mut run, 0), None);
    assert_eq!(take(&mut run, 1).as_deref(), Some("kv: 1 per hour is used up"));
    assert_eq!(take(&mut run, HOUR), None);
    assert_eq!(take(&mut run, 2 * HOUR).as_deref(), Some("kv: 2 per day is used up"));
    assert_eq!(take(&mut run, midnight), None);
    assert_eq!(take(&mut run, midnight + HOUR).as_deref(), Some("kv: 3 per run is used up; kv: 3 in total is used up"));
    let mut next = journal.accept(&header(), &[]).unwrap();
    assert_eq!(take(&mut next, midnight + HOUR).as_deref(), Some("kv: 3 in total is used up"));
    for (window, after, count) in [
        (Window::Hour, midnight, 1),
        (Window::Day, 0, 2),
        (Window::Day, midnight, 1),
        (Window::Run, 0, 3),
        (Window::Total, 0, 3),
    ] {
        assert_eq!(used(&journal, &run, window, after), count, "{window:?}");
    }
    assert_eq!(used(&journal, &next, Window::Run, 0), 0, "a refusal claims nothing of any span");
}

#[test]
fn a_clock_that_is_set_back_finds_what_was_counted() {
    let journal = Home::new().open();
    let mut run = journal.accept(&header(), &[]).unwrap();
    for (number, hours, allowed) in
        [(0, 0, true), (1, 1, true), (2, 2, true), (3, 0, false), (4, 1, false), (5, 3, true)]
    {
        let tried = try_claim(&mut run, number, hours * HOUR, vec![claim(Window::Hour, 1)]);
        assert_eq!(tried.is_ok(), allowed, "{number}");
    }
    let counted = |hours: u64| used(&journal, &run, Window::Hour, hours * HOUR);
    assert_eq!([0, 1, 2, 3].map(counted), [0, 1, 1, 1], "what is long over is forgotten");
}

#[test]
fn what_was_not_used_is_given_back_with_the_outcome() {
    let home = Home::new();
    let journal = home.open();
    let mut run = journal.accept(&header(), &[]).unwrap();
    let first = try_claim(&mut run, 0, 0, per_day(2)).unwrap();
    let second = try_claim(&mut run, 1, 0, per_day(2)).unwrap();
    run.settle(first, Settlement::Only(0));
    run.settle(second, Settlement::Used);
    record(&mut run, 2).unwrap();
    run.durable().unwrap().wait().unwrap();
    let (_copy, crashed) = killed_now(&home);
    assert_eq!((used(&crashed, &run, Window::Day, 0), crashed.unsettled().unwrap()), (1, Vec::new()));
    // What is settled stands before the next claim is judged.
    let third = try_claim(&mut run, 3, 0, per_day(2)).unwrap();
    run.settle(third, Settlement::Only(0));
    record(&mut run, 4).unwrap();
    try_claim(&mut run, 5, 0, per_day(2)).unwrap();
}

#[test]
fn no_claim_under_a_grant_that_has_ended() {
    let journal = Home::new().open();
    let mut run = journal.accept(&header(), &[]).unwrap();
    let grant = give(&journal, [grant("kv")])[0];
    let under = |grant| vec![Claim { grant: Some(grant), ..claim(Window::Day, 9) }];
    try_claim(&mut run, 0, 0, under(grant)).unwrap();
    journal.revoke(grant, ended("over")).unwrap();
    assert!(matches!(try_claim(&mut run, 1, 0, under(grant)), Err(Error::GrantEnded(id)) if id == grant));
    let unknown = "g7".parse().unwrap();
    assert!(matches!(try_claim(&mut run, 1, 0, under(unknown)), Err(Error::NoSuchGrant(id)) if id == unknown));
    assert_eq!(used(&journal, &run, Window::Day, 0), 1);
    run.state(0, 0, &json!({})).unwrap();
    run.durable().unwrap().wait().unwrap();
    assert_eq!(journal.verify(run.id(), None).unwrap().entries, 2);
}

#[test]
fn a_run_that_is_removed_gives_nothing_back() {
    let journal = Home::new().open();
    let mut run = journal.accept(&header(), &[]).unwrap();
    let id = run.id();
    try_claim(&mut run, 0, 0, vec![claim(Window::Day, 1), claim(Window::Run, 1)]).unwrap();
    drop(run);
    journal.remove(id).unwrap();
    assert_eq!(journal.unsettled().unwrap(), []);
    let mut next = journal.accept(&header(), &[]).unwrap();
    assert!(matches!(try_claim(&mut next, 0, 0, per_day(1)), Err(Error::Exhausted(_))));
    let of_run = journal.amount_used(&header().plugin.identity, &RuleId::kv(), Window::Run, id, NOW).unwrap();
    assert_eq!(of_run, 0);
}
