//! The list of runs that have not ended: whatever happens to a run, it is in there from its acceptance to its end.

use super::*;

fn listed(journal: &Journal) -> Vec<(RunId, State)> {
    journal.unfinished(None, 100).unwrap().into_iter().map(|one| (one.run, one.state)).collect()
}

#[test]
fn a_run_is_listed_until_it_has_ended() {
    let home = Home::new();
    let journal = home.open();
    let mut first = journal.accept(&Header { priority: -7, ..header() }, &[]).unwrap();
    let later = Timestamp::from_micros(header().accepted.as_micros() + 1_000_000);
    let second = journal.accept(&Header { accepted: later, ..header() }, &[]).unwrap();
    let (one, two) = (first.id(), second.id());
    assert_eq!(listed(&journal), [(one, State::Running), (two, State::Running)]);
    assert_eq!(journal.unfinished_run(one).unwrap().unwrap().priority, -7);
    assert_eq!(journal.unfinished(Some(one), 5).unwrap().len(), 1);
    assert_eq!(journal.unfinished(None, 1).unwrap()[0].run, one);
    first.state(1, 1, &json!({"state": "suspended"})).unwrap();
    first.durable().unwrap().wait().unwrap();
    assert_eq!(listed(&journal)[0], (one, State::Suspended));
    drop((first, second));
    let (_copy, journal) = killed_now(&home);
    assert_eq!(listed(&journal), [(one, State::Suspended), (two, State::Running)]);
    let mut first = journal.take_over(one).unwrap().writer;
    first.state(2, 2, &json!({"state": "failed"})).unwrap();
    first.durable().unwrap().wait().unwrap();
    assert_eq!(listed(&journal), [(two, State::Running)]);
    journal.remove(two).unwrap();
    assert_eq!(listed(&journal), []);
}

/// A run that gets no further is told from one that does.
#[test]
fn attempts_at_one_place_are_counted_and_forgotten_further_on() {
    let home = Home::new();
    let journal = home.open();
    let mut run = journal.accept(&header(), &[]).unwrap();
    let id = run.id();
    let count = |journal: &Journal| journal.count_attempts(vec![id]).unwrap()[0].1;
    record(&mut run, 3).unwrap();
    run.state(30, 1, &json!({"state": "running"})).unwrap();
    run.durable().unwrap().wait().unwrap();
    assert_eq!([count(&journal), count(&journal), count(&journal)], [1, 2, 3]);
    run.state(31, 1, &json!({"state": "running"})).unwrap();
    run.durable().unwrap().wait().unwrap();
    assert_eq!([count(&journal), count(&journal)], [1, 2]);
    run.state(31, 1, &json!({"state": "suspended"})).unwrap();
    run.durable().unwrap().wait().unwrap();
    assert_eq!(count(&journal), 1, "whoever parked it was not killed by it");
    assert_eq!(journal.count_attempts(vec![RunId::from_bytes([1; 16])]).unwrap(), []);
}

/// A file of an earlier version has no list: it is made of what the rows of the runs say.
#[test]
fn a_file_without_the_list_is_given_one() {
    let home = Home::new();
    let journal = home.open();
    let states = [json!({"state": "succeeded"}), json!({"now": "suspended"}), json!({"state": "exited", "code": 3})];
    let runs: Vec<_> = states.iter().map(|_| journal.accept(&header(), &[]).unwrap()).collect();
    let ids: Vec<_> = runs.iter().map(RunWriter::id).collect();
    for (mut run, state) in runs.into_iter().zip(&states) {
        run.state(1, 1, state).unwrap();
        run.durable().unwrap().wait().unwrap();
    }
    let interrupted = journal.accept(&header(), &[]).unwrap().id();
    journal.close().unwrap();
    let database = redb::Database::open(home.path()).unwrap();
    let write = database.begin_write().unwrap();
    write.delete_table(tables::UNFINISHED).unwrap();
    write.commit().unwrap();
    drop(database);
    let journal = home.open();
    // Accepted in the same moment, they are in no order.
    let mut expected = [(ids[1], State::Suspended), (interrupted, State::Running)];
    expected.sort_by_key(|(run, _)| *run);
    assert_eq!(listed(&journal), expected);
}
