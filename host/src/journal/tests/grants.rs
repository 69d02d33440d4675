//! Grants are named for ever, replace each other section by section, and end before whoever ends them is answered.

use super::plugins::{ended, release};
use super::*;

pub(super) const NOW: Timestamp = Timestamp::from_micros(1_772_000_000_000_000);
const PLUGIN: &str = "folder:/x/brief";

pub(super) fn grant(section: &str) -> Grant {
    Grant {
        answer: Answer::Granted,
        by: "local:ada".into(),
        component: Digest::of(b"component"),
        ended: None,
        expires: None,
        given: NOW,
        identity: PLUGIN.into(),
        plugin: "brief".into(),
        scope: format!("[capabilities.{section}]\n"),
        section: section.into(),
        extra: [("future".to_owned(), json!(1))].into(),
    }
}

pub(super) fn give(journal: &Journal, grants: impl IntoIterator<Item = Grant>) -> Vec<GrantId> {
    let new = grants.into_iter().map(|grant| NewGrant { grant, replaces: Vec::new() });
    journal.give(new.collect()).unwrap()
}

fn ids(ids: &[GrantId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn standing(journal: &Journal) -> Vec<String> {
    let standing = journal.standing_grants(PLUGIN, Digest::of(b"component"), NOW).unwrap();
    standing.iter().map(|stored| format!("{} {}", stored.id, stored.grant.section)).collect()
}

#[test]
fn a_grant_is_there_and_takes_the_place_of_its_section() {
    let home = Home::new();
    let journal = home.open();
    assert_eq!((journal.grants().unwrap(), standing(&journal)), (Vec::new(), Vec::new()));
    assert_eq!(ids(&give(&journal, [grant("kv"), grant("model")])), ["g1", "g2"]);
    assert_eq!(ids(&give(&journal, [grant("kv")])), ["g3"]);
    let (_copy, crashed) = killed_now(&home);
    assert_eq!(standing(&crashed), ["g2 model", "g3 kv"]);
    let all = crashed.grants().unwrap();
    let replaced = all[0].grant.ended.clone().unwrap();
    assert_eq!((replaced.replaced_by, &replaced.by), (Some(all[2].id), &"local:ada".to_owned()));
    assert_eq!(all[2].grant, grant("kv"));
    assert_eq!(crashed.grant(all[1].id).unwrap(), all[1]);

    let replaces = vec![all[1].id, all[1].id];
    journal.give(vec![NewGrant { grant: grant("tools"), replaces }]).unwrap();
    assert_eq!(standing(&journal), ["g3 kv", "g4 tools"]);
}

#[test]
fn no_to_more_leaves_what_was_granted() {
    let journal = Home::new().open();
    let refused = || Grant { answer: Answer::Refused, ..grant("kv") };
    give(&journal, [grant("kv"), refused()]);
    assert_eq!(standing(&journal), ["g1 kv", "g2 kv"]);
    give(&journal, [refused()]);
    assert_eq!(standing(&journal), ["g1 kv", "g3 kv"]);
    give(&journal, [grant("kv")]);
    assert_eq!(standing(&journal), ["g4 kv"], "yes takes the place of both");
}

#[test]
fn a_grant_holds_for_one_build_of_one_plugin_until_it_expires() {
    let journal = Home::new().open();
    let last: crate::manifest::LastDay = "2026-03-01".parse().unwrap();
    give(
        &journal,
        [
            Grant { component: Digest::of(b"other"), ..grant("kv") },
            Grant { identity: "folder:/y/brief".into(), ..grant("kv") },
            Grant { expires: Some(last), ..grant("kv") },
            Grant { answer: Answer::Refused, ..grant("model") },
        ],
    );
    let standing = |now| journal.standing_grants(PLUGIN, Digest::of(b"component"), now).unwrap().len();
    let before = Timestamp::from_micros(last.end().as_micros() - 1);
    assert_eq!((standing(before), standing(last.end())), (2, 1));
}

#[test]
fn what_is_revoked_is_so_before_the_answer() {
    let home = Home::new();
    let journal = home.open();
    let generation = journal.grants_generation();
    let id = give(&journal, [grant("kv")])[0];
    let given = generation.now();
    assert!(given > 0, "a new grant is a change");
    assert_eq!(journal.grants().unwrap().len(), 1);
    assert_eq!(generation.now(), given, "looking changes nothing");
    assert_eq!(journal.revoke(id, ended("over")).unwrap().grant, grant("kv"));
    assert!(generation.now() > given);
    let (_copy, crashed) = killed_now(&home);
    assert_eq!(standing(&crashed), [""; 0]);
    assert_eq!(crashed.grant(id).unwrap().grant.ended, Some(ended("over")));

    let unknown = "g99".parse().unwrap();
    assert!(matches!(journal.revoke(id, ended("again")), Err(Error::GrantEnded(it)) if it == id));
    assert!(matches!(journal.revoke(unknown, ended("x")), Err(Error::NoSuchGrant(it)) if it == unknown));
    let replacing = |replaces| journal.give(vec![NewGrant { grant: grant("model"), replaces }]);
    assert!(matches!(replacing(vec![id]), Err(Error::GrantEnded(_))));
    assert!(matches!(replacing(vec![unknown]), Err(Error::NoSuchGrant(_))));
    assert_eq!(journal.grants().unwrap().len(), 1, "a refusal changes nothing");
    assert_eq!(ids(&give(&journal, [grant("kv")])), ["g2"]);
    assert_eq!(standing(&journal), ["g2 kv"]);
}

#[test]
fn the_grants_of_a_plugin_go_with_it() {
    let journal = Home::new().open();
    journal.install(release(PLUGIN, b"component"), b"component", b"manifest").unwrap();
    let other = Grant { identity: "folder:/y/brief".into(), ..grant("kv") };
    let given = give(&journal, [grant("kv"), other, Grant { component: Digest::of(b"old"), ..grant("kv") }]);
    let generation = journal.grants_generation().now();
    let gone = journal.uninstall(PLUGIN, ended("uninstalled")).unwrap();
    assert_eq!(gone.grants, [given[0], given[2]]);
    assert!(journal.grants_generation().now() > generation);
    assert_eq!((standing(&journal).len(), journal.grants().unwrap()[1].grant.ended.clone()), (0, None));
}

#[test]
fn a_name_is_read_in_one_way() {
    for (text, name) in
        [("g1", Some("g1")), ("7", Some("g7")), ("g18446744073709551615", Some("g18446744073709551615"))]
    {
        assert_eq!(text.parse::<GrantId>().ok().map(|id| id.to_string()).as_deref(), name);
    }
    for text in ["", "g", "g0", "0", "g01", "G1", "gg1", "g-1", "g+1", "g1 ", "g18446744073709551616", "h1"] {
        assert_eq!(text.parse::<GrantId>(), Err(NotAGrantId), "{text}");
    }
}

/// A grant that was revoked must not hold again because of a bit.
#[test]
fn a_flipped_bit_is_an_error_or_changes_nothing() {
    let home = Home::new();
    let journal = home.open();
    journal.install(release(PLUGIN, b"component"), b"component", b"manifest").unwrap();
    let given = give(&journal, [grant("kv"), grant("model")]);
    journal.revoke(given[0], ended("over")).unwrap();
    let expected = (journal.plugins().unwrap(), journal.grants().unwrap());
    journal.close().unwrap();
    let bytes = std::fs::read(home.path()).unwrap();
    let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    let mut errors = 0;
    for at in used.iter().step_by((used.len() / 300).max(1)) {
        let mut damaged = bytes.clone();
        damaged[*at] ^= 1 << (at % 8);
        let copy = Home::new();
        std::fs::write(copy.path(), damaged).unwrap();
        let read = copy.try_open().and_then(|journal| Ok((journal.plugins()?, journal.grants()?)));
        match read {
            Ok(read) => assert_eq!(read, expected, "bit {} of byte {at}", at % 8),
            Err(_) => errors += 1,
        }
    }
    assert!(errors > 10, "only {errors} were found");
}

#[test]
fn a_watch_tells_when_to_look_again() {
    let journal = Home::new().open();
    let (own, other) = (give(&journal, [grant("kv")])[0], give(&journal, [grant("model")])[0]);
    let (mut watch, stored) = journal.watch(vec![own]).unwrap();
    assert!(!watch.has_changed() && stored[0].grant.ended.is_none());
    journal.revoke(other, ended("over")).unwrap();
    assert!(watch.has_changed(), "any change is one to look at");
    assert!(watch.look().unwrap()[0].grant.ended.is_none() && !watch.has_changed());
    journal.revoke(own, ended("over")).unwrap();
    assert!(watch.has_changed() && watch.look().unwrap()[0].grant.ended.is_some());
    let unknown = "g9".parse().unwrap();
    assert!(matches!(journal.watch(vec![unknown]), Err(Error::NoSuchGrant(id)) if id == unknown));
}
