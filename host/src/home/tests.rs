//! One home, many processes; and a key that is never lost or shown.

use std::fs;
use std::path::Path;
use std::sync::mpsc;

use super::*;
use crate::time::Timestamp;

fn clock() -> Clock {
    Clock::fixed(Timestamp::from_micros(951_782_400_000_000))
}

fn open(path: &Path) -> Result<Home, HomeError> {
    Home::open(path, "remit test", &clock(), Wait::No)
}

#[test]
fn a_home_is_made_for_its_owner() {
    let parent = tempfile::tempdir().unwrap();
    let home = open(&parent.path().join("a/b")).unwrap();
    assert!(home.path().is_absolute() && home.path().ends_with("a/b"));
    #[cfg(unix)]
    assert_eq!(mode(home.path()), 0o700);
}

#[test]
fn the_second_fails_at_once_or_waits_and_is_told_for_whom() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).unwrap();
    let busy = open(folder.path()).unwrap_err();
    let expected = format!("remit test (process {}, since 2000-02-29 00:00:00 UTC)", std::process::id());
    assert!(busy.to_string().ends_with(&expected), "{busy}");

    let (told, listen) = mpsc::channel();
    let path = folder.path().to_owned();
    let second = std::thread::spawn(move || {
        let mut tell = |holder: &Holder| told.send(holder.to_string()).unwrap();
        Home::open(&path, "remit second", &clock(), Wait::Yes(&mut tell)).map(drop)
    });
    assert_eq!(listen.recv().unwrap(), expected);
    drop(first);
    second.join().unwrap().unwrap();
    open(folder.path()).unwrap();
}

/// A process that died leaves its name in the file and no lock; neither that nor rubbish there may confuse.
#[test]
fn what_a_dead_process_left_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    for left in ["{\"pid\":1,\"command\":\"remit run\",\"since\":1}\n", "", "{\"pi", &"\0".repeat(10_000), "[]"] {
        fs::write(folder.path().join("lock"), left).unwrap();
        let home = open(folder.path()).unwrap();
        let holder = open(folder.path()).unwrap_err().to_string();
        assert!(holder.contains("remit test (process "), "{holder}");
        fs::write(folder.path().join("lock"), left).unwrap();
        assert!(matches!(open(folder.path()), Err(HomeError::Busy { .. })), "the system's lock decides");
        drop(home);
    }
}

#[test]
fn a_holder_cannot_steer_the_terminal() {
    let holder = Holder { command: Some("a\u{1b}[2Jb\nc".into()), pid: Some(7), since: None };
    assert_eq!(holder.to_string(), "a[2Jbc (process 7)");
    assert_eq!(Holder::default().to_string(), "another process");
}

#[test]
fn what_is_not_a_folder_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(matches!(open(file.path()), Err(HomeError::NotAFolder { .. })));
    assert!(matches!(open(&file.path().join("below")), Err(HomeError::NotAFolder { .. })));
    assert!(matches!(public_key(file.path()), Err(HomeError::NotAFolder { .. })));
}

#[test]
fn the_key_stays_and_the_cache_key_follows_it() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert!(public_key(one.path()).unwrap().is_none());
    let home = open(one.path()).unwrap();
    let key = home.signing_key().unwrap();
    assert_eq!(home.signing_key().unwrap().to_bytes(), key.to_bytes());
    assert_eq!(public_key(one.path()).unwrap(), Some(key.verifying_key()));
    assert_ne!(cache_key(&key), key.to_bytes());
    let other = open(other.path()).unwrap();
    assert_ne!(cache_key(&other.signing_key().unwrap()), cache_key(&key));
    assert_eq!(fs::read_dir(one.path()).unwrap().count(), 2, "the lock and the key");
}

#[test]
fn a_damaged_key_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let home = open(folder.path()).unwrap();
    home.signing_key().unwrap();
    let good = fs::read_to_string(key_path(folder.path())).unwrap();
    for damaged in [
        String::new(),
        good[..good.len() - 2].to_owned(),
        good.replace("v1", "v2"),
        format!("{good}more\n"),
        "\u{0}".repeat(9_999),
    ] {
        fs::write(key_path(folder.path()), &damaged).unwrap();
        assert!(matches!(home.signing_key(), Err(HomeError::DamagedKey { .. })), "{damaged}");
        assert_eq!(fs::read_to_string(key_path(folder.path())).unwrap(), damaged);
    }
    fs::write(key_path(folder.path()), [0xff; 100]).unwrap();
    assert!(matches!(home.signing_key(), Err(HomeError::DamagedKey { .. })));
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let home = open(folder.path()).unwrap();
    home.signing_key().unwrap();
    let path = key_path(folder.path());
    assert_eq!(mode(&path), 0o600);
    for exposed in [0o640, 0o604, 0o660] {
        fs::set_permissions(&path, fs::Permissions::from_mode(exposed)).unwrap();
        let error = home.signing_key().unwrap_err();
        assert!(error.to_string().ends_with(&format!("(mode {exposed:04o})")), "{error}");
        assert!(error.hint().contains("chmod 600"));
    }
}

#[test]
fn a_mount_must_stay_clear_of_the_home() {
    let parent = tempfile::tempdir().unwrap();
    let home = open(&parent.path().join("home")).unwrap();
    let (inside, beside) = (home.path().join("cache"), parent.path().join("home-2"));
    fs::create_dir(&inside).unwrap();
    fs::create_dir(&beside).unwrap();
    for (path, contains, overlaps) in [
        (home.path(), true, true),
        (&inside, true, true),
        (&inside.join(".."), true, true),
        (parent.path(), false, true),
        (Path::new("/"), false, true),
        (&beside, false, false),
    ] {
        let found = (home.contains(path).unwrap(), home.overlaps(path).unwrap());
        assert_eq!(found, (contains, overlaps), "{}", path.display());
    }
    assert!(home.overlaps(&parent.path().join("none")).is_err());
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_another_name_for_the_home() {
    let parent = tempfile::tempdir().unwrap();
    let (real, link) = (parent.path().join("real"), parent.path().join("link"));
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let home = open(&link).unwrap();
    assert!(matches!(open(&real), Err(HomeError::Busy { .. })));
    assert!(home.contains(&link).unwrap() && home.contains(&real).unwrap());
}

#[test]
fn sizes_are_those_of_the_files() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(sizes(&folder.path().join("none")).unwrap(), Sizes::default());
    fs::create_dir_all(cache_dir(folder.path()).join("deep")).unwrap();
    fs::write(journal_path(folder.path()), [0; 100]).unwrap();
    fs::write(cache_dir(folder.path()).join("deep/a"), [0; 30]).unwrap();
    fs::write(folder.path().join("other"), [0; 7]).unwrap();
    let found = sizes(folder.path()).unwrap();
    assert_eq!(found, Sizes { journal: 100, cache: 30, other: 7 });
    assert_eq!(found.total(), 137);
}

#[test]
fn what_the_system_says_becomes_what_to_do() {
    use std::io::ErrorKind;
    for (kind, part) in [
        (ErrorKind::ReadOnlyFilesystem, "cannot be written"),
        (ErrorKind::PermissionDenied, "cannot be written"),
        (ErrorKind::StorageFull, "disk full"),
        (ErrorKind::QuotaExceeded, "disk full"),
        (ErrorKind::Other, "cannot write key"),
    ] {
        let error = HomeError::at(Path::new("/h"), "write key", kind.into());
        assert!(error.to_string().contains(part) && !error.hint().is_empty(), "{error}");
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
