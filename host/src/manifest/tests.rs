//! What people get for what they write: a manifest, or every mistake at its line.

mod outward;

use std::time::{Duration, Instant};

use super::*;

const PLUGIN: &str = "[plugin]\nname = \"brief\"\nversion = \"0.1.0\"\nkind = \"agent\"\n";

/// Parses a manifest whose `[plugin]` is right and whose line 5 is the first of `rest`.
fn parse(rest: &str) -> Result<Manifest, Errors> {
    Manifest::parse("remit.toml", &format!("{PLUGIN}{rest}"))
}

fn faults(errors: &Errors) -> Vec<(Fault, usize, usize)> {
    let place = |problem| errors.position(problem);
    errors.problems().iter().map(|problem| (problem.fault, place(problem).0, place(problem).1)).collect()
}

/// Checks that `rest` is wrong in one way, and where, and that the message holds `says`.
#[track_caller]
fn check(rest: &str, fault: Fault, line: usize, column: usize, says: &str) {
    let errors = parse(rest).expect_err(rest);
    assert_eq!(faults(&errors), [(fault, line, column)], "{errors}");
    assert!(errors.to_string().contains(says), "{errors}");
}

#[test]
fn the_least_and_the_most_that_a_manifest_can_say() {
    let least = parse("").unwrap();
    assert_eq!((least.name.as_str(), least.component.as_str(), least.kind), ("brief", "brief.wasm", Kind::Agent));
    assert_eq!(least.request(), &Request::default());

    let most = parse(
        r#"description = "finds broken links"
        component = "out/brief.wasm"
        [build]
        command = ["cargo", "build"]
        [capabilities.files.notes]
        mount = "/notes"
        access = "read"
        why = "reads the Markdown it checks"
        quota = "64 MiB"
        [capabilities.kv]
        why = "remembers what it saw"
        [capabilities.log]
        levels = ["warn", "info"]
        [capabilities.imports."acme:x/y@1.0.0"]
        why = "asks for x"
        [capabilities.config]
        keys = ["B", "A"]
        why = "where to look"
        [limits]
        memory = "64 MiB"
        wall-time = "60s"
        fuel = 10_000_000_000
        "#,
    );
    let canonical = String::from_utf8(most.unwrap().canonical()).unwrap();
    let expected = concat!(
        r#"{"name":"brief","version":"0.1.0","kind":"agent","description":"finds broken links","#,
        r#""component":"out/brief.wasm","build":["cargo","build"],"request":{"files":{"notes":{"#,
        r#""why":"reads the Markdown it checks","mount":"/notes","access":"read","quota":67108864}},"#,
        r#""kv":{"why":"remembers what it saw","prefixes":[""],"access":"read-write"},"log":["info","warn"],"#,
        r#""imports":{"acme:x/y@1.0.0":"asks for x"},"config":{"why":"where to look","keys":["A","B"]},"#,
        r#""limits":{"memory":67108864,"fuel":10000000000,"wall-time":60000}}}"#,
    );
    assert_eq!(canonical, expected);
}

#[test]
fn the_digest_is_of_the_meaning() {
    let digest = |rest: &str| parse(rest).unwrap().digest();
    let plain = digest("[limits]\nmemory = 1048576\nfuel = 100\n");
    assert_eq!(digest("# a comment\n[limits]\nfuel = 1_00\nmemory = \"1 MiB\""), plain);
    assert_ne!(digest("[limits]\nmemory = 1048577\nfuel = 100\n"), plain);
}

#[test]
fn a_mistake_in_plugin_is_shown_at_its_line() {
    for (text, line, says) in [
        ("", 1, "`plugin` is missing"),
        ("plugin = 3", 1, "expected a table"),
        ("[plugin]\nversion = \"1.0.0\"\nkind = \"agent\"", 1, "`plugin.name` is missing"),
        ("[plugin]\nname = \"A\"\nversion = \"1.0.0\"\nkind = \"agent\"", 2, "found \"A\""),
        ("[plugin]\nname = \"a\"\nversion = \"1\"\nkind = \"agent\"", 3, "a semantic version"),
        ("[plugin]\nname = \"a\"\nversion = \"1.0.0\"\nkind = \"agnt\"", 4, "did you mean \"agent\"?"),
        ("[plugin]\nname = \"a\"\nversion = \"1.0.0\"\nkind = [1]", 4, "expected `agent`, `command` or `connector`"),
    ] {
        let errors = Manifest::parse("remit.toml", text).expect_err(text);
        assert_eq!(errors.problems().len(), 1, "{errors}");
        assert_eq!(errors.position(&errors.problems()[0]).0, line, "{errors}");
        assert!(errors.to_string().contains(says), "{errors}");
    }
    for component in ["/a.wasm", "../a.wasm", "a/../b", "a//b", "./a", "", "C:a", "a\\\\b"] {
        check(&format!("component = \"{component}\""), Fault::BadValue, 5, 13, "inside the plugin's folder");
    }
    check("description = \"a\\nb\"", Fault::BadValue, 5, 15, "one line");
    check("[build]\ncommand = []", Fault::BadValue, 6, 11, "a program and its arguments");
    check("[build]\ncommand = \"make\"", Fault::BadValue, 6, 11, "found the string \"make\"");
}

#[test]
fn a_typo_is_told_with_what_was_meant() {
    check("colour = 1", Fault::UnknownKey, 5, 1, "unknown key \"colour\" in [plugin]");
    check("[capabilites.kv]", Fault::UnknownKey, 5, 2, "did you mean `capabilities`?");
    check("[capabilities.lgo]", Fault::UnknownKey, 5, 15, "did you mean `log`?");
    check("[limits]\nwall_time = \"1s\"", Fault::UnknownKey, 6, 1, "did you mean `wall-time`?");
    check("[capabilities.approvals]", Fault::UnknownKey, 5, 15, "did you mean `approval`?");
}

#[test]
fn files_are_checked() {
    let files = |body: &str| format!("[capabilities.files.notes]\n{body}");
    let rest = "access = \"read\"\nwhy = \"w\"\n";
    check(&files(rest), Fault::Missing, 5, 21, "`capabilities.files.notes.mount` is missing");
    check(&files("mount = \"/n\"\naccess = \"read\""), Fault::Missing, 5, 21, "`why` is required here");
    for mount in ["..", "/a/../b", "/a/", "", "a\\u0000", "//"] {
        check(&files(&format!("mount = \"{mount}\"\n{rest}")), Fault::BadValue, 6, 9, "a guest path in normal form");
    }
    let bound = files(&format!("mount = \"/n\"\ndir = \"/home\"\n{rest}"));
    check(&bound, Fault::UnknownKey, 7, 1, "--mount NAME=DIR");
    check("[capabilities.files.Notes]", Fault::BadValue, 5, 21, "a name of 1 to 63 characters");
    check("[capabilities.files]\nmount = \"/n\"", Fault::BadValue, 6, 9, "expected a table");
    for why in ["", "a\\nb", "\\u001b[2J", "a\\u202eb"] {
        let text = files(&format!("mount = \"/n\"\naccess = \"read\"\nwhy = \"{why}\""));
        check(&text, Fault::BadValue, 8, 7, "none of them control characters");
    }
    let second =
        |mount: &str| files(&format!("mount = \"/n\"\n{rest}[capabilities.files.two]\nmount = \"{mount}\"\n{rest}"));
    for mount in ["/n", "/n/deep", "/", ".", "n"] {
        check(&second(mount), Fault::Conflict, 10, 9, "overlaps the mount of `files.notes`");
    }
    assert!(parse(&second("/nn")).is_ok());
}

#[test]
fn the_other_capabilities_are_checked() {
    check("[capabilities.kv]\nprefixes = [\"a\"]", Fault::Missing, 5, 15, "`capabilities.kv.why` is missing");
    check("[capabilities.kv]\nwhy = \"w\"\nprefixes = []", Fault::BadValue, 7, 12, "at least one element");
    check("[capabilities.kv]\nwhy = \"w\"\nprefixes = [\"a\", \"a\"]", Fault::Conflict, 7, 18, "listed twice");
    check("[capabilities.kv]\nwhy = \"w\"\nprefixes = [\"a\", 7]", Fault::BadValue, 7, 18, "found the number 7");
    check("[capabilities.log]\nlevels = [\"loud\"]", Fault::BadValue, 6, 11, "`trace`, `debug`, `info`");
    check("[capabilities.imports.\"a/b\"]\nwhy = \"w\"", Fault::BadValue, 5, 23, "as WIT names it");
    check("[capabilities.imports.\"a:b/c\"]", Fault::Missing, 5, 23, "`why` is required here");
    check("[capabilities.config]\nwhy = \"w\"", Fault::Missing, 5, 15, "`capabilities.config.keys` is missing");
    assert!(parse("[capabilities.log]\nlevels = []").unwrap().request().log.as_ref().unwrap().is_empty());
}

#[test]
fn limits_are_checked() {
    for (line, says) in [
        ("memory = \"64 mib\"", "a size such as"),
        ("memory = 0", "expected 1 B to 4 GiB"),
        ("memory = \"5 GiB\"", "found 5 GiB"),
        ("memory = 1.5", "found the number 1.5"),
        ("fuel = -1", "found the number -1"),
        ("fuel = nan", "found the number nan"),
        ("fuel = inf", "found the number inf"),
        ("fuel = 9223372036854775808", "a whole number"),
        ("fuel = \"many\"", "a whole number"),
        ("wall-time = 30", "a duration such as"),
        ("wall-time = \"8h30m\"", "a duration such as"),
        ("wall-time = \"169h\"", "expected 1ms to 7d"),
        ("handles = true", "found true"),
        ("handles = 1979-05-27", "found the time 1979-05-27"),
        ("payload = { a = 1 }", "found a table"),
    ] {
        let column = line.find('=').unwrap() + 3;
        check(&format!("[limits]\n{line}"), Fault::BadValue, 6, column, says);
    }
    let limits = parse("[limits]\nfuel = 0x10\nfile-writes = 0\npayload = \"1 MB\"").unwrap().request().limits.clone();
    let expected = [(LimitKind::Fuel, 16), (LimitKind::Payload, 1_000_000), (LimitKind::FileWrites, 0)];
    assert_eq!(limits, expected.into_iter().collect());
}

#[test]
fn what_a_person_sees() {
    let text = "[plugin]\nname = \"brief\"\nverison = \"0.1.0\"\nkind = \"agent\"\n[limits]\nmemory = \"5 GiB\"\n";
    let expected = "\
error: `plugin.version` is missing
 --> remit.toml:1:2
  |
1 | [plugin]
  |  ^^^^^^ `version` is required here

error: unknown key \"verison\" in [plugin]
 --> remit.toml:3:1
  |
3 | verison = \"0.1.0\"
  | ^^^^^^^ expected `name`, `version`, `kind`, `description` or `component`
  |
  = help: did you mean `version`?

error: `limits.memory`: expected 1 B to 4 GiB
 --> remit.toml:6:10
  |
6 | memory = \"5 GiB\"
  |          ^^^^^^^ found 5 GiB";
    let errors = Manifest::parse("remit.toml", text).unwrap_err();
    assert_eq!(errors.to_string(), expected);
    assert!(errors.render(true).contains("\u{1b}["), "colours are for terminals");

    let errors = Manifest::parse("remit.toml", "[plugin]\nname = \"a\"\nname = \"b\"\n").unwrap_err();
    let expected = "\
error: not TOML: duplicate key
 --> remit.toml:3:1
  |
3 | name = \"b\"
  | ^^^^";
    assert_eq!(errors.to_string(), expected);
}

#[test]
fn a_grant_file_needs_no_reasons_and_may_bind_directories() {
    let grant = Grant::parse(
        "grant.toml",
        r#"
        [capabilities.files.notes]
        access = "read"
        dir = "../notes"
        [capabilities.kv]
        [capabilities.imports."a:b/c"]
        [limits]
        memory = "1 GiB"
        "#,
    );
    let grant = grant.unwrap();
    let notes = &grant.files[&"notes".parse::<Name>().unwrap()];
    assert_eq!((notes.dir.as_deref(), notes.mount.as_ref(), notes.access), (Some("../notes"), None, Access::Read));
    assert!(grant.kv.is_some() && grant.log.is_none() && grant.imports.len() == 1);
    assert_eq!(grant.limits, [(LimitKind::Memory, 1 << 30)].into_iter().collect());

    for (text, fault, says) in [
        ("[plugin]", Fault::UnknownKey, "this belongs to a manifest"),
        ("[capabilities.files.n]", Fault::Missing, "`access` is required here"),
        ("[capabilities.files.n]\naccess = \"read\"\ndir = \"\"", Fault::BadValue, "the path of a directory"),
        ("[capabilities.files.n]\naccess = \"read\"\nmount = \"..\"", Fault::BadValue, "a guest path"),
        ("[capabilities.timer]", Fault::Missing, "`max` is required here"),
        ("[capabilities.timer]\nmax = \"0s\"", Fault::BadValue, "a duration from 1ms to 3650d"),
        ("[capabilities.timer]\nmax = \"3651d\"", Fault::BadValue, "a duration from 1ms to 3650d"),
        ("[capabilities.timer]\nmax = 5", Fault::BadValue, "a duration such as"),
        ("[capabilities.timer]\nmax = \"1d\"\namount = \"1 per day\"", Fault::UnknownKey, "`max` bounds each sleep"),
        ("[capabilities.signal]", Fault::Missing, "`names` is required here"),
        ("[capabilities.signal]\nnames = []", Fault::BadValue, "an empty list"),
        ("[capabilities.signal]\nnames = [\"a\\u0007\"]", Fault::BadValue, "a name of 1 to 63 characters"),
        ("[capabilities.approval]\namount = \"1 per day\"", Fault::UnknownKey, "a person decides each one"),
        ("[capabilities.kv]\nwhy = \"\"", Fault::BadValue, "one line"),
    ] {
        let errors = Grant::parse("grant.toml", text).unwrap_err();
        assert_eq!(errors.problems()[0].fault, fault, "{errors}");
        assert!(errors.to_string().contains(says), "{errors}");
    }
}

#[test]
fn a_bare_component_asks_for_what_is_mounted() {
    let mounts = |paths: &[&str]| {
        Request::of_mounts(paths.iter().map(|path| (path.parse().unwrap(), Access::Read)).collect::<Vec<_>>())
    };
    let named: Vec<String> = mounts(&["a/b", "a-b", "A.b"]).unwrap().files.keys().map(Name::to_string).collect();
    assert_eq!(named, ["a-b", "a-b-2", "a-b-3"]);
    let long = "-".repeat(70).replace('-', "x");
    assert_eq!(mounts(&[&long, &format!("{long}y")]).unwrap().files.len(), 2);
    let overlap = mounts(&["a", "/a/b"]).unwrap_err();
    assert_eq!(overlap.to_string(), "mounts `a` and `/a/b` overlap");
}

/// A file that wants to occupy the host, or to get something past the reader of its errors, ends quickly and in words.
#[test]
fn hostile_files() {
    let keys: String = (0..20_000).map(|i| format!("k{i} = 1\n")).collect();
    let tables: String = (0..5_000).map(|i| format!("[capabilities.files.f{i}]\nmount = \"/f{i}\"\n")).collect();
    let requests: String = (0..5_000).map(|i| format!("[[capabilities.http]]\nurl = \"https://h{i}\"\n")).collect();
    let width = 100_000;
    for (what, text) in [
        ("many keys", format!("{PLUGIN}{keys}")),
        ("many tables", format!("{PLUGIN}{tables}")),
        ("many requests", format!("{PLUGIN}{requests}")),
        ("one long URL", format!("{PLUGIN}[[capabilities.http]]\nurl = \"https://a/{}\"", "%41".repeat(width / 2))),
        ("one long host", format!("{PLUGIN}[[capabilities.http]]\nhost = \"{}\"", "a.".repeat(width))),
        ("deep arrays", format!("{PLUGIN}description = {}", "[".repeat(width))),
        ("closed deep arrays", format!("{PLUGIN}description = {}{}", "[".repeat(width), "]".repeat(width))),
        ("deep tables", format!("{PLUGIN}description = {}", "{a=".repeat(width / 2))),
        ("deep dotted key", format!("{PLUGIN}{}a = 1", "a.".repeat(width))),
        ("deep header", format!("{PLUGIN}[{}a]", "a.".repeat(width))),
        ("one long key", format!("{PLUGIN}{} = 1", "k".repeat(width * 2))),
        ("one long string", format!("{PLUGIN}description = \"{}\"", "ü".repeat(width))),
        ("one long number", format!("{PLUGIN}[limits]\nfuel = {}", "9".repeat(width))),
        ("one long line", format!("{PLUGIN}[limits]\nfuel = [{}]", "1,".repeat(width))),
        ("terminal escapes", format!("{PLUGIN}\"\\u001b[2J\" = \"\\u001b]0;x\\u0007\"")),
        ("raw escapes", format!("{PLUGIN}x = \"\u{1b}[2J\"")),
        ("direction override", format!("{PLUGIN}x = \"\u{202e}\"")),
        ("not text", "\0\u{1}\u{2}".to_owned()),
        ("byte-order mark only", "\u{feff}".to_owned()),
        ("carriage returns", "[plugin]\r\nname = 1\rkind".to_owned()),
        ("unclosed", "[plugin]\nname = \"".to_owned()),
        ("emoji where it ends", "🦀".repeat(1_000)),
    ] {
        let started = Instant::now();
        let errors = Manifest::parse("remit.toml", &text).expect_err(what);
        let rendered = errors.render(true).replace("\u{1b}[", "<");
        assert!(started.elapsed() < Duration::from_secs(5), "{what}: {:?}", started.elapsed());
        assert!(errors.problems().len() <= PROBLEMS_MAX && rendered.len() < 64 << 10, "{what}: {}", rendered.len());
        assert!(!errors.to_string().contains(['\u{1b}', '\u{202e}', '\u{7}']), "{what}: {errors}");
    }
}

#[test]
fn too_much_text_is_not_read() {
    let errors = Manifest::parse("remit.toml", &" ".repeat(SIZE_MAX + 1)).unwrap_err();
    assert_eq!(faults(&errors), [(Fault::TooLarge, 1, 1)]);
    assert_eq!(errors.to_string(), "error: remit.toml: 262145 bytes, more than the 262144 that are read");
    assert!(Grant::parse("grant.toml", &" ".repeat(10 << 20)).is_err());
    assert!(Grant::parse("grant.toml", &" ".repeat(SIZE_MAX)).is_ok());
}

proptest::proptest! {
    /// Whatever the text: an answer, and messages that stay inside their file.
    #[test]
    fn any_text_gets_an_answer(noise in "\\PC*", cut in 0usize..700, insert in "[\\[\\]{}=.\"'\\n a-z0-9\u{1b}é-]{0,12}") {
        let whole = format!(
            "{PLUGIN}[capabilities.kv]\nwhy = \"w\"\nprefixes = [\"a\"]\n[limits]\nmemory = \"1 MiB\"\n\
             [[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"https://a.b:8/v1/\"\nexact = true\nwhy = \"w\"\n\
             [capabilities.secrets.s]\nhost = \"*.b\"\nheader = \"x\"\nwhy = \"w\"\n\
             [capabilities.connectors.\"a:b/c@1.0.0\"]\nfunctions = [\"f\"]\nwhy = \"w\"\n"
        );
        let cut = whole.floor_char_boundary(cut);
        _ = Grant::parse("grant.toml", &whole[..cut]);
        _ = Ceiling::of_configuration("config.toml", &format!("[ceiling.deny]\nconnectors = [\"{insert}\"]"));
        for text in [noise.clone(), format!("{}{insert}{}", &whole[..cut], &whole[cut..]), whole[..cut].to_owned()] {
            if let Err(errors) = Manifest::parse("remit.toml", &text) {
                proptest::prop_assert!(!errors.render(false).is_empty());
                proptest::prop_assert!(errors.problems().iter().all(|problem| problem.span.end <= text.len()));
            }
        }
    }
}
