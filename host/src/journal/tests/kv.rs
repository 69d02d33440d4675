//! kv: a run's own view, and values that commit with their entries.

use super::*;

#[test]
fn a_run_sees_its_pending_writes_and_others_do_not() {
    let home = Home::new();
    let journal = home.open();
    let mut writer = journal.accept(&header(), &[]).unwrap();
    let other = journal.accept(&header(), &[]).unwrap();
    writer.kv_set("b", b"22").unwrap();
    writer.kv_set("a", b"1").unwrap();
    assert_eq!(writer.kv_get("a").unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(writer.kv_total().unwrap(), 5);
    assert_eq!((other.kv_get("a").unwrap(), other.kv_total().unwrap()), (None, 0));
    record(&mut writer, 0).unwrap();
    writer.durable().unwrap().wait().unwrap();
    assert_eq!(other.kv_get("a").unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(other.kv_total().unwrap(), 5);

    writer.kv_delete("a").unwrap();
    writer.kv_set("ba", b"333").unwrap();
    writer.kv_set("c", b"").unwrap();
    let keys = |run: &RunWriter, prefix, after, max| run.kv_keys(prefix, after, max).unwrap();
    assert_eq!(keys(&writer, "", None, 9), ["b", "ba", "c"]);
    assert_eq!(keys(&writer, "", Some("b"), 1), ["ba"]);
    assert_eq!(keys(&writer, "b", Some("a"), 9), ["b", "ba"]);
    assert_eq!(keys(&writer, "b", Some("c"), 9), [""; 0]);
    assert_eq!(keys(&other, "", None, 9), ["a", "b"]);
    assert_eq!(writer.kv_total().unwrap(), 3 + 5 + 1);
    record(&mut writer, 1).unwrap();
    writer.durable().unwrap().wait().unwrap();
    assert_eq!((writer.kv_total().unwrap(), other.kv_total().unwrap()), (9, 9));
    assert_eq!(keys(&other, "", None, 9), ["b", "ba", "c"]);
}

#[test]
fn another_identity_sees_nothing() {
    let home = Home::new();
    let journal = home.open();
    let mut writer = journal.accept(&header(), &[]).unwrap();
    writer.kv_set("key", b"value").unwrap();
    record(&mut writer, 0).unwrap();
    writer.durable().unwrap().wait().unwrap();
    let mut stranger = header();
    stranger.plugin.identity.push('x');
    let stranger = journal.accept(&stranger, &[]).unwrap();
    assert_eq!(stranger.kv_get("key").unwrap(), None);
    assert_eq!((stranger.kv_keys("", None, 9).unwrap().len(), stranger.kv_total().unwrap()), (0, 0));
}

/// A kv write whose call was not recorded, because the host stopped in between, must not become visible: replay would
/// not make it.
#[test]
fn a_write_without_its_entry_never_commits() {
    let home = Home::new();
    let journal = home.open();
    let mut writer = journal.accept(&header(), &[]).unwrap();
    writer.kv_set("kept", b"1").unwrap();
    record(&mut writer, 0).unwrap();
    writer.kv_set("lost", b"1").unwrap();
    writer.durable().unwrap().wait().unwrap();
    writer.state(1, 1, &json!({"state": "interrupted"})).unwrap();
    writer.durable().unwrap().wait().unwrap();
    drop(writer);
    let other = journal.accept(&header(), &[]).unwrap();
    assert_eq!(other.kv_keys("", None, 9).unwrap(), ["kept"]);
}

/// Whatever moment a copy of the file shows, key `n` is there exactly if entry `n` is.
#[test]
fn values_commit_with_their_entries() {
    let home = Home::new();
    let journal = home.open();
    let mut writer = journal.accept(&header(), &[]).unwrap();
    for number in 0..50u64 {
        writer.kv_set(&format!("{number:03}"), b"x").unwrap();
        record(&mut writer, number).unwrap();
        if number % 3 == 0 {
            writer.flush().unwrap();
        }
        if number % 7 == 0 {
            writer.durable().unwrap().wait().unwrap();
            let copy = Home::new();
            std::fs::copy(home.path(), copy.path()).unwrap();
            let copied = copy.open();
            let entries = read(&copied, writer.id()).unwrap().len();
            let keys = copied.accept(&header(), &[]).unwrap().kv_keys("", None, 999).unwrap();
            assert_eq!(keys.len(), entries);
            assert!(entries as u64 > number);
        }
    }
}
