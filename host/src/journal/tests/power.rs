//! The power fails at every write and every sync of a short life of a journal, and the disk keeps of what was not synced
//! what it likes. Whatever was answered for is there, every chain is whole, and at most the tail is missing.

mod disk;

use self::disk::{Disk, Loss};
use super::grants::{NOW, give, grant};
use super::plugins::ended;
use super::*;
use crate::manifest::{RuleId, Window};

/// How many calls write to kv.
const WRITES: u64 = 3;
/// The numbers of the entries that come after them.
const LONG: usize = WRITES as usize;
const INTENT: usize = LONG + 1;
const OUTCOME: usize = LONG + 2;

/// What was answered for before the power failed.
#[derive(Debug, Default)]
struct Answered {
    grant: Option<GrantId>,
    run: Option<RunId>,
    entries: usize,
    /// A run besides, and whether its removal was answered for.
    other: Option<(RunId, bool)>,
    revoked: bool,
    ended: bool,
    closed: bool,
}

/// Lives through all that a journal does, until the power fails.
fn live(disk: &Disk, answered: &mut Answered) -> Result<(), Error> {
    let journal = Journal::open_on(disk.clone(), signer())?;
    let new = NewGrant { grant: grant("kv"), replaces: Vec::new() };
    let given = journal.give(vec![new])?[0];
    answered.grant = Some(given);
    let mut run = journal.accept(&header(), &[Content::of(b"remit")])?;
    answered.run = Some(run.id());
    let mut durable = |run: &mut RunWriter| -> Result<(), Error> {
        run.durable()?.wait()?;
        answered.entries = run.next_entry() as usize;
        Ok(())
    };
    for number in 0..WRITES {
        run.kv_set("count", &[number as u8])?;
        record(&mut run, number)?;
        durable(&mut run)?;
    }
    long_call(&mut run)?;
    durable(&mut run)?;
    claim(&mut run)?;
    durable(&mut run)?;
    run.settle(INTENT as u64, Settlement::Only(0));
    record(&mut run, OUTCOME as u64)?;
    durable(&mut run)?;

    let mut other = journal.accept(&header(), &[Content::of(b"remit")])?;
    answered.other = Some((other.id(), false));
    record(&mut other, 0)?;
    other.durable()?.wait()?;
    let id = other.id();
    drop(other);
    journal.remove(id)?;
    answered.other = Some((id, true));
    journal.revoke(given, ended("over"))?;
    answered.revoked = true;

    run.state(1_000, 1, &json!({"state": "succeeded"}))?;
    run.durable()?.wait()?;
    (answered.entries, answered.ended) = (run.next_entry() as usize, true);
    drop(run);
    journal.close()?;
    answered.closed = true;
    Ok(())
}

/// Records a call whose params are blobs.
fn long_call(run: &mut RunWriter) -> Result<u64, Error> {
    let function = run.function("test#long", 1);
    let params: Vec<u8> = (0..5_000_u32).flat_map(u32::to_le_bytes).collect();
    let outcome = &b"long"[..];
    run.call(&Record { kind: Kind::Call, function, fuel: 100, time_us: 9, params: &params, outcome, extension: None })
}

/// Records an intent that reserves one of what is counted.
fn claim(run: &mut RunWriter) -> Result<(), Error> {
    let function = run.function("test#send", 7);
    let kind = Kind::Intent;
    let intent = Record { kind, function, fuel: 200, time_us: 9, params: b"to", outcome: b"", extension: None };
    let claims = vec![Claim { amount: 1, grant: None, max: 3, rule: RuleId::kv(), window: Window::Total }];
    run.claim(&intent, claims, NOW)?.1.wait()
}

/// Returns a disk with an empty journal. One that is half made never gets its name, so it is not looked at here.
fn empty() -> Disk {
    let disk = Disk::default();
    Journal::open_on(disk.clone(), signer()).unwrap().close().unwrap();
    disk
}

/// What a life leaves in the journal when nothing fails.
fn whole(empty: &Disk) -> Vec<Plain> {
    let (disk, mut answered) = (empty.failing_at(usize::MAX), Answered::default());
    live(&disk, &mut answered).unwrap();
    assert!(answered.closed && answered.ended);
    let journal = Journal::open_on(disk.again(Loss::All, &mut |_| 0), signer()).unwrap();
    read(&journal, answered.run.unwrap()).unwrap()
}

/// Switches the disk on again and looks for what was answered for.
fn check(disk: Disk, answered: &Answered, whole: &[Plain]) {
    let journal = Journal::open_on(disk.clone(), signer()).expect("it opens");
    for run in journal.runs().unwrap() {
        journal.verify(run.id, None).unwrap();
        assert_eq!(journal.header(run.id).unwrap(), header());
        assert_eq!(journal.blob(header().remit).unwrap(), b"remit");
        let entries = read(&journal, run.id).unwrap();
        assert_eq!(run.entries, entries.len() as u64);
        let is_other = answered.other.is_some_and(|(other, _)| other == run.id);
        assert!(is_other || whole.starts_with(&entries), "{entries:?}");
    }
    if let Some(run) = answered.run {
        check_run(&journal, run, answered);
    }
    check_others(&journal, answered);
    goes_on(journal, disk, answered);
}

/// What belongs to an entry is there when it is, and only then.
fn check_run(journal: &Journal, run: RunId, answered: &Answered) {
    let entries = read(journal, run).unwrap();
    assert!(entries.len() >= answered.entries, "{} of {answered:?}", entries.len());
    let summary = journal.summary(run).unwrap();
    assert_eq!(summary.state.is_some(), entries.last().is_some_and(|last| last.kind == Kind::State));
    assert!(summary.state.is_some() || !answered.ended);
    let now = Timestamp::from_micros(NOW.as_micros() + 1);
    let used = journal.amount_used(&header().plugin.identity, &RuleId::kv(), Window::Total, run, now).unwrap();
    let is_open = entries.len() > INTENT && entries.len() <= OUTCOME;
    assert_eq!((used, journal.unsettled().unwrap().len()), (is_open.into(), is_open.into()), "{}", entries.len());
    let reader = journal.accept(&header(), &[]).unwrap();
    let count = (entries.len() as u64).min(WRITES).checked_sub(1);
    assert_eq!(reader.kv_get("count").unwrap(), count.map(|count| vec![count as u8]));
    journal.remove(finished(reader)).unwrap();
}

/// Lets go of a run and returns its id.
fn finished(mut run: RunWriter) -> RunId {
    run.state(1, 1, &json!({})).unwrap();
    run.durable().unwrap().wait().unwrap();
    run.id()
}

fn check_others(journal: &Journal, answered: &Answered) {
    if let Some(given) = answered.grant {
        let stored = journal.grant(given).unwrap().grant;
        assert_eq!(stored.scope, grant("kv").scope);
        assert!(stored.ended.is_some() || !answered.revoked);
    }
    match answered.other {
        Some((other, true)) => assert!(matches!(journal.summary(other), Err(Error::NoSuchRun(_)))),
        Some((other, false)) => drop(journal.summary(other)),
        None => {}
    }
}

/// The journal can be written as if nothing had been, and opened once more.
fn goes_on(journal: Journal, disk: Disk, answered: &Answered) {
    let before = answered.run.map(|run| read(&journal, run).unwrap());
    give(&journal, [grant("model")]);
    let mut next = journal.accept(&header(), &[Content::of(b"next")]).unwrap();
    record(&mut next, 0).unwrap();
    let next = finished(next);
    journal.close().unwrap();
    let journal = Journal::open_on(disk.again(Loss::All, &mut |_| 0), signer()).unwrap();
    assert_eq!(journal.verify(next, None).unwrap().entries, 2);
    assert_eq!(answered.run.map(|run| read(&journal, run).unwrap()), before);
}

/// Returns what draws the same numbers each time.
fn numbers(mut state: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    }
}

#[test]
fn what_was_answered_for_outlives_the_power() {
    let empty = empty();
    let whole = whole(&empty);
    assert_eq!(whole.len(), OUTCOME + 2);
    let mut step = 0;
    loop {
        step += 1;
        let (disk, mut answered) = (empty.failing_at(step), Answered::default());
        let lived = live(&disk, &mut answered);
        if !disk.is_dead() {
            lived.unwrap();
            break;
        }
        let mut draw = numbers(step as u64);
        for loss in Loss::ALL {
            let again = disk.again(loss, &mut draw);
            let checked = std::panic::catch_unwind(|| check(again, &answered, &whole));
            assert!(checked.is_ok(), "the power failed at step {step}, and of the rest was lost: {loss:?}");
        }
    }
    assert!(step > 100, "{step} steps");
}
