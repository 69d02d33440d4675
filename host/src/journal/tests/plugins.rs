//! Plugins are installed whole or not at all, keep their earlier releases, and leave runs alone when they go.

use super::*;
use crate::digest::Content;

pub(super) fn release(identity: &str, component: &[u8]) -> Release {
    Release {
        component: Digest::of(component),
        identity: identity.into(),
        installed: Timestamp::from_micros(1_772_000_000_000_000),
        installed_by: "local:ada".into(),
        kind: "agent".into(),
        manifest: Digest::of(b"manifest"),
        name: "brief".into(),
        publisher: None,
        source: "/x/brief".into(),
        version: Some("0.1.0".into()),
        extra: [("future".to_owned(), json!([1, 2]))].into(),
    }
}

fn install(journal: &Journal, identity: &str, component: &[u8]) -> Installation {
    journal.install(release(identity, component), component, b"manifest").unwrap()
}

pub(super) fn ended(why: &str) -> Ended {
    let (at, why) = (Timestamp::from_micros(1_772_000_000_000_001), Some(why.to_owned()));
    Ended { at, by: "local:ada".into(), replaced_by: None, why }
}

#[test]
fn a_release_is_there_with_its_bytes_and_earlier_ones_stay() {
    let home = Home::new();
    let journal = home.open();
    assert_eq!(journal.plugins().unwrap(), []);
    assert_eq!(install(&journal, "folder:/x#brief", b"one"), Installation::New { earlier: 0 });
    let (_copy, crashed) = killed_now(&home);
    assert_eq!(crashed.plugins().unwrap()[0].newest, release("folder:/x#brief", b"one"));
    assert_eq!(crashed.blob(Digest::of(b"one")).unwrap(), b"one");

    let again = install(&journal, "folder:/x#brief", b"one");
    assert_eq!(again, Installation::AlreadyThere(Box::new(release("folder:/x#brief", b"one"))));
    assert_eq!(install(&journal, "folder:/x#brief", b"two"), Installation::New { earlier: 1 });
    assert_eq!(install(&journal, "folder:/a#brief", b"two"), Installation::New { earlier: 0 });
    journal.close().unwrap();

    let journal = home.open();
    let plugins = journal.plugins().unwrap();
    let identities: Vec<_> = plugins.iter().map(|plugin| plugin.newest.identity.as_str()).collect();
    assert_eq!(identities, ["folder:/a#brief", "folder:/x#brief"]);
    assert_eq!(plugins[1].newest, release("folder:/x#brief", b"two"));
    assert_eq!(plugins[1].earlier, [release("folder:/x#brief", b"one")]);
    assert_eq!(install(&journal, "folder:/x#brief", b"one"), Installation::New { earlier: 2 });
    assert_eq!(journal.plugins().unwrap()[1].newest.component, Digest::of(b"one"));
}

#[test]
fn what_is_uninstalled_leaves_runs_and_other_plugins_whole() {
    let home = Home::new();
    let journal = home.open();
    for (identity, component) in [("folder:/x#brief", b"one"), ("folder:/x#brief", b"two"), ("folder:/a#brief", b"two")]
    {
        install(&journal, identity, component);
    }
    let run = journal.accept(&header(), &[Content::of(*b"one"), Content::of(*b"manifest")]).unwrap().id();
    let gone = journal.uninstall("folder:/x#brief", ended("gone")).unwrap();
    assert_eq!(gone, Uninstalled { releases: 2, grants: Vec::new() });
    assert!(matches!(journal.uninstall("folder:/x#brief", ended("gone")), Err(Error::NoSuchPlugin(_))));
    assert_eq!(journal.plugins().unwrap().len(), 1);
    assert_eq!(journal.blob(Digest::of(b"one")).unwrap(), b"one", "the run has it");
    assert_eq!(journal.blob(Digest::of(b"two")).unwrap(), b"two", "the other plugin has it");
    journal.remove(run).unwrap();
    assert!(matches!(journal.blob(Digest::of(b"one")), Err(Error::NoSuchBlob(_))));
    journal.uninstall("folder:/a#brief", ended("gone")).unwrap();
    assert_eq!(journal.sizes().unwrap().blobs, 0);
}

#[test]
fn what_is_too_large_is_not_installed() {
    let journal = Home::new().open();
    let long = vec![0; PAYLOAD_MAX + 1];
    let refused = journal.install(release("folder:/x#brief", &long), &long, b"manifest");
    assert!(matches!(refused, Err(Error::TooLarge { .. })));
    assert_eq!(journal.plugins().unwrap(), []);
}
