//! One owner per run: a second one fences the first.

use super::*;

#[test]
fn the_earlier_owner_is_fenced() {
    let home = Home::new();
    let journal = home.open();
    let mut first = journal.accept(&header(), &[]).unwrap();
    for number in 0..3 {
        record(&mut first, number).unwrap();
    }
    first.durable().unwrap().wait().unwrap();
    let mut second = journal.take_over(first.id()).unwrap().writer;
    record(&mut first, 3).unwrap();
    let refused = first.durable().and_then(Durable::wait);
    assert!(matches!(refused, Err(Error::Fenced { .. })), "{refused:?}");
    assert_eq!(record(&mut second, 3).unwrap(), 3);
    second.durable().unwrap().wait().unwrap();
    check_prefix(&journal, second.id(), 4);
    drop(first);
    record(&mut second, 4).unwrap();
    second.durable().unwrap().wait().unwrap();
    assert_eq!(journal.verify(second.id(), None).unwrap().entries, 5);
}

#[test]
fn a_run_goes_on_after_its_journal_was_opened_anew() {
    let home = Home::new();
    let journal = home.open();
    let mut run = journal.accept(&header(), &[Content::of(b"remit")]).unwrap();
    let id = run.id();
    for number in 0..130 {
        record(&mut run, number).unwrap();
        run.durable().unwrap().wait().unwrap();
    }
    drop(run);
    journal.close().unwrap();
    let journal = home.open();
    let mut run = journal.take_over(id).unwrap().writer;
    for number in 130..260 {
        assert_eq!(record(&mut run, number).unwrap(), number);
        run.durable().unwrap().wait().unwrap();
    }
    run.state(9, 9, &json!({})).unwrap();
    run.durable().unwrap().wait().unwrap();
    check_prefix(&journal, id, 260);
    assert!(matches!(journal.take_over(RunId::from_bytes([1; 16])), Err(Error::NoSuchRun(_))));
}

#[test]
fn a_second_process_is_told_that_the_journal_is_in_use() {
    let home = Home::new();
    let _journal = home.open();
    let second = home.try_open().err().unwrap();
    assert!(matches!(&second, Error::Busy(path) if *path == home.path()), "{second}");
}

#[test]
fn a_closed_journal_fails_writers_and_readers() {
    let home = Home::new();
    let journal = home.open();
    let mut run = journal.accept(&header(), &[]).unwrap();
    record(&mut run, 0).unwrap();
    run.durable().unwrap().wait().unwrap();
    let id = run.id();
    journal.clone().close().unwrap();
    record(&mut run, 1).unwrap();
    assert!(matches!(run.durable().and_then(Durable::wait), Err(Error::Closed)));
    assert!(matches!(journal.runs(), Err(Error::Closed)));
    assert!(matches!(journal.remove(id), Err(Error::Closed)));
    check_prefix(&home.open(), id, 1);
}

/// Every order in which one owner can record two entries while two others take the run over and record one each: what is
/// kept is one line, each part of it by one owner, and nobody records after another has taken over.
#[test]
fn every_interleaving_of_three_owners_leaves_one_line() {
    let steps = [2, 2, 2];
    let mut orders = Vec::new();
    interleave(&mut steps.clone(), &mut Vec::new(), &mut orders);
    assert_eq!(orders.len(), 90);
    let home = Home::new();
    let journal = home.open();
    for order in orders {
        let first = journal.accept(&header(), &[]).unwrap();
        let run = first.id();
        let mut owners = [Some(first), None, None];
        let mut expected = Vec::new();
        let mut newest = 0;
        for who in order {
            if owners[who].is_none() {
                owners[who] = Some(journal.take_over(run).unwrap().writer);
                newest = who;
                continue;
            }
            let Some(writer) = &mut owners[who] else { continue };
            let number = expected.len() as u64;
            let recorded = record(writer, number).and_then(|_| writer.durable()?.wait());
            assert_eq!(recorded.is_ok(), who == newest, "{who} of {newest}: {recorded:?}");
            expected.extend((who == newest).then_some(number));
        }
        check_prefix(&journal, run, expected.len());
        assert_eq!(journal.summary(run).unwrap().entries, expected.len() as u64);
        drop(owners);
    }
}

fn interleave(left: &mut [usize; 3], order: &mut Vec<usize>, orders: &mut Vec<Vec<usize>>) {
    if left.iter().all(|left| *left == 0) {
        orders.push(order.clone());
    }
    for who in 0..left.len() {
        if left[who] > 0 {
            left[who] -= 1;
            order.push(who);
            interleave(left, order, orders);
            order.pop();
            left[who] += 1;
        }
    }
}
