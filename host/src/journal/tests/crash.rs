//! Crashes: a copy of the file at some moment is what a killed process leaves behind.

use super::*;

#[test]
fn what_was_durable_is_there_and_the_index_is_rebuilt() {
    let home = Home::new();
    let journal = home.open();
    let mut runs: Vec<_> = (0..3).map(|_| journal.accept(&header(), &[]).unwrap()).collect();
    for number in 0..150 {
        for run in &mut runs {
            record(run, number).unwrap();
            run.durable().unwrap().wait().unwrap();
        }
        if number % 37 == 0 {
            let (_copy, crashed) = killed_now(&home);
            for run in &runs {
                check_prefix(&crashed, run.id(), number as usize + 1);
                let summary = crashed.summary(run.id()).unwrap();
                assert_eq!((summary.entries, summary.fuel, summary.state), (number + 1, 10 * number, None));
                assert_eq!(summary.bytes, journal.summary(run.id()).unwrap().bytes);
                crashed.verify(run.id(), None).unwrap();
            }
        }
    }
}

#[test]
fn a_run_goes_on_after_a_crash() {
    let home = Home::new();
    let journal = home.open();
    let mut run = journal.accept(&header(), &[]).unwrap();
    for number in 0..70 {
        record(&mut run, number).unwrap();
        run.durable().unwrap().wait().unwrap();
    }
    let (copy, crashed) = killed_now(&home);
    let mut resumed = crashed.take_over(run.id()).unwrap().writer;
    for number in 70..140 {
        record(&mut resumed, number).unwrap();
    }
    resumed.state(0, 0, &json!({})).unwrap();
    resumed.durable().unwrap().wait().unwrap();
    check_prefix(&crashed, run.id(), 140);
    drop(resumed);
    crashed.close().unwrap();
    check_prefix(&copy.open(), run.id(), 140);
}

#[test]
fn what_was_only_flushed_becomes_durable_by_itself() {
    let home = Home::new();
    let journal = home.open();
    let mut run = journal.accept(&header(), &[]).unwrap();
    record(&mut run, 0).unwrap();
    run.flush().unwrap();
    run.progress().until(1).wait().unwrap();
    let (_copy, crashed) = killed_now(&home);
    check_prefix(&crashed, run.id(), 1);
}

#[test]
fn an_accepted_run_is_there() {
    let home = Home::new();
    let journal = home.open();
    let run = journal.accept(&header(), &[Content::of(b"remit")]).unwrap();
    let (_copy, crashed) = killed_now(&home);
    assert_eq!(crashed.header(run.id()).unwrap(), header());
    assert_eq!(crashed.blob(header().remit).unwrap(), b"remit");
    assert_eq!(read(&crashed, run.id()).unwrap(), []);
}

/// A power failure while the very first command made the journal left a file that no command could open any more.
#[test]
fn a_journal_that_was_half_made_is_made_anew() {
    let home = Home::new();
    let half = home.path().with_extension("new");
    std::fs::write(&half, [0; 4096]).unwrap();
    let run = home.open().accept(&header(), &[]).unwrap().id();
    assert!(!half.exists());
    assert_eq!(home.open().header(run).unwrap(), header());
}
