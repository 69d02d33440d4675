//! The algebra holds for every remit, and the questions agree with it.

mod ceiling;
mod outward;
mod world;

use proptest::prelude::*;

use super::*;
use crate::manifest::Manifest;
use world::{access, answers, pair, remit};

const PLUGIN: &str = "[plugin]\nname = \"p\"\nversion = \"1.0.0\"\nkind = \"agent\"\n";

fn request(capabilities: &str) -> Request {
    let text = format!("{PLUGIN}{capabilities}");
    Manifest::parse("remit.toml", &text).unwrap_or_else(|errors| panic!("{errors}")).request().clone()
}

fn grant(text: &str) -> Grant {
    Grant::parse("grant.toml", text).unwrap_or_else(|errors| panic!("{errors}"))
}

const ASKED: &str = r#"
    [capabilities.files.notes]
    mount = "/notes"
    access = "read"
    why = "reads them"
    [capabilities.files.out]
    mount = "/out"
    access = "read-write"
    quota = "1 MiB"
    why = "writes there"
    [capabilities.kv]
    prefixes = ["seen/", "seen/deep/", "a"]
    why = "remembers"
    [capabilities.log]
    levels = ["info", "error"]
    [capabilities.imports."a:b/c"]
    why = "links it"
    [capabilities.config]
    keys = ["KEY", "URL"]
    why = "needs them"
"#;

#[test]
fn what_holds_is_what_was_asked_for_and_granted() {
    let asked = request(ASKED);
    let granted = grant(
        r#"
        [capabilities.files.notes]
        access = "read-write"
        [capabilities.files.out]
        mount = "/elsewhere"
        access = "read-write"
        [capabilities.files.more]
        access = "read"
        [capabilities.kv]
        prefixes = ["seen/today", "b"]
        access = "read"
        [capabilities.config]
        keys = ["URL", "OTHER"]
        "#,
    );
    let remit = Remit::from_request(&asked).intersect(&Remit::from_grant(&granted));
    let lines: Vec<(String, String)> =
        remit.describe(None).into_iter().map(|line| (line.capability, line.scope)).collect();
    let expected = [
        ("files.notes", "/notes, read"),
        ("kv", "keys with \"seen/today\", read"),
        ("log", "info, error"),
        ("config", "URL"),
    ];
    assert_eq!(lines, expected.map(|(capability, scope)| (capability.to_owned(), scope.to_owned())));
}

#[test]
fn what_is_missing_comes_with_the_grant_that_gives_it() {
    let asked = request(ASKED);
    assert_eq!(missing(&asked, &Remit::from_request(&asked)), []);
    let granted = grant("[capabilities.files.notes]\naccess = \"read\"\n[capabilities.kv]\nprefixes = [\"a\"]");
    let effective = Remit::from_request(&asked).intersect(&Remit::from_grant(&granted));
    let gaps = missing(&asked, &effective);
    let named: Vec<&str> = gaps.iter().map(|gap| gap.capability.as_str()).collect();
    assert_eq!(named, ["files.out", "kv", "imports.\"a:b/c\"", "config"]);
    assert_eq!(gaps[1].wanted, "keys with \"a\", \"seen/\", read-write");
    assert_eq!(gaps[1].has.as_deref(), Some("keys with \"a\", read-write"));
    let told: String = gaps.iter().map(|gap| gap.grant.as_str()).collect();
    let enough = Remit::from_grant(&grant(&told)).intersect(&Remit::from_request(&asked));
    assert_eq!(missing(&asked, &enough).iter().map(|gap| &gap.capability).collect::<Vec<_>>(), ["files.notes"]);
}

#[test]
fn a_line_has_the_reason_that_the_plugin_gave() {
    let asked = request(ASKED);
    let reasons: Vec<Option<String>> =
        Remit::from_request(&asked).describe(Some(&asked)).into_iter().map(|line| line.why).collect();
    let expected =
        [Some("reads them"), Some("writes there"), Some("remembers"), None, Some("links it"), Some("needs them")];
    assert_eq!(reasons, expected.map(|why| why.map(str::to_owned)));
}

#[test]
fn questions_are_answered_and_a_refusal_says_what_would_help() {
    let remit = Remit::from_request(&request(ASKED));
    for (key, access, allowed) in [
        ("a", Access::ReadWrite, true),
        ("seen/x", Access::ReadWrite, true),
        ("seen/deep/x", Access::Read, true),
        ("seen", Access::Read, false),
        ("", Access::Read, false),
        ("b", Access::Read, false),
    ] {
        assert_eq!(remit.kv_allows(key, access).is_ok(), allowed, "{key}");
    }
    let denial = remit.kv_allows("b", Access::ReadWrite).unwrap_err();
    assert_eq!(denial.rule(), "key \"b\" begins with none of the granted prefixes [\"a\", \"seen/\"]");
    let help = "[capabilities.kv]\nprefixes = [\"a\", \"b\", \"seen/\"]\naccess = \"read-write\"\n";
    assert_eq!(denial.grant().as_deref(), Some(help));

    assert!(remit.file_allows(0, Access::Read).is_ok() && remit.file_allows(1, Access::ReadWrite).is_ok());
    let denial = remit.file_allows(0, Access::ReadWrite).unwrap_err();
    assert_eq!(denial.rule(), "files.notes at /notes may be read and not changed");
    assert_eq!(denial.grant().as_deref(), Some("[capabilities.files.notes]\naccess = \"read-write\"\n"));
    assert_eq!(remit.file_allows(2, Access::Read).unwrap_err().grant(), None);

    let denial = remit.log_allows(Level::Warn).unwrap_err();
    assert_eq!(denial.rule(), "logging at level warn is not granted");
    assert_eq!(denial.grant().as_deref(), Some("[capabilities.log]\nlevels = [\"info\", \"warn\", \"error\"]\n"));
}

#[test]
fn a_refusal_is_as_wide_as_a_pointer_and_keeps_no_more_of_a_key_than_a_grant_can_name() {
    assert_eq!(size_of::<Result<(), Denial>>(), size_of::<usize>());
    for (key, prefixes) in [
        ("k".repeat(1 << 20), format!("prefixes = [\"{}\"]\n", "k".repeat(256))),
        (format!("{}é", "k".repeat(255)), format!("prefixes = [\"{}\"]\n", "k".repeat(255))),
        ("a\nb".to_owned(), "prefixes = [\"a\"]\n".to_owned()),
        ("\u{1b}[2J".to_owned(), String::new()),
    ] {
        let denial = Remit::nothing().kv_allows(&key, Access::Read).unwrap_err();
        let help = denial.grant().unwrap();
        assert_eq!(help, format!("[capabilities.kv]\n{prefixes}access = \"read\"\n"));
        assert!(Remit::from_grant(&grant(&help)).kv_allows(&key, Access::Read).is_ok());
    }
}

#[test]
fn only_the_normal_form_is_read_back() {
    let good = r#"{"files":[{"name":"a","mount":"/a","access":"read"}],"kv":{"prefixes":["a","b"],"access":"read"}}"#;
    assert_eq!(Remit::parse(good.as_bytes()).unwrap().canonical(), good.as_bytes());
    for (bad, says) in [
        ("", "EOF"),
        ("[]", "normal form"),
        (r#"{"more":1}"#, "unknown field"),
        (r#"{ }"#, "normal form"),
        (r#"{"kv":{"prefixes":["b","a"],"access":"read"}}"#, "normal form"),
        (r#"{"kv":{"prefixes":["a","ab"],"access":"read"}}"#, "normal form"),
        (r#"{"kv":{"prefixes":[],"access":"read"}}"#, "normal form"),
        (r#"{"kv":{"prefixes":["a"],"except":["b"],"access":"read"}}"#, "normal form"),
        (r#"{"kv":{"prefixes":["a"],"except":["a"],"access":"read"}}"#, "normal form"),
        (r#"{"kv":{"prefixes":["a"],"access":"read","terms":{}}}"#, "normal form"),
        (r#"{"kv":{"prefixes":["a"],"access":"read","terms":{"amounts":{"kv":{"day":5,"total":3}}}}}"#, "normal form"),
        (r#"{"model":{"tiers":[]}}"#, "normal form"),
        (r#"{"connectors":{"a:b/c@1.0.0":{"functions":{"only":[]}}}}"#, "normal form"),
        (r#"{"connectors":{"a:b/c":{"functions":{"all-but":[]}}}}"#, "an interface with its version"),
        (r#"{"tools":{"functions":{}}}"#, "normal form"),
        (
            r#"{"http":[{"place":{"host":"A.b","scheme":"https","port":443,"path":{"path":"/"}},"methods":["GET"]}]}"#,
            "normal form",
        ),
        (
            r#"{"http":[{"place":{"host":"a.b","scheme":"https","port":443,"path":{"path":"/"}},"methods":[]}]}"#,
            "normal form",
        ),
        (
            r#"{"http":[{"place":{"host":"a.b","scheme":"https","port":443,"path":{"path":"/.."}},"methods":["GET"]}]}"#,
            "a path such as",
        ),
        (r#"{"kv":{"prefixes":["a"],"access":"read","quota":1}}"#, "normal form"),
        (r#"{"files":[{"name":"b","access":"read"},{"name":"a","access":"read"}]}"#, "normal form"),
        (r#"{"files":[{"name":"a","access":"read"},{"name":"a","access":"read"}]}"#, "normal form"),
        (
            r#"{"files":[{"name":"a","mount":"/a","access":"read"},{"name":"b","mount":"a/b","access":"read"}]}"#,
            "overlap",
        ),
        (r#"{"files":[{"name":"A","access":"read"}]}"#, "a name of"),
        (r#"{"log":["info","info"]}"#, "normal form"),
    ] {
        let error = Remit::parse(bad.as_bytes()).expect_err(bad).to_string();
        assert!(error.contains(says), "{bad}: {error}");
    }
}

proptest! {
    #[test]
    fn intersect_is_the_meet_of_a_lattice((a, b) in pair(), c in remit()) {
        let both = a.intersect(&b);
        prop_assert_eq!(&both, &b.intersect(&a));
        prop_assert_eq!(both.intersect(&c), a.intersect(&b.intersect(&c)));
        prop_assert_eq!(&a.intersect(&a), &a);
        prop_assert!(a.subsumes(&both) && b.subsumes(&both));
        prop_assert_eq!(a.subsumes(&b), both == b);
        prop_assert_eq!(a.subsumes(&c) && b.subsumes(&c), both.subsumes(&c));
        prop_assert!(a.subsumes(&Remit::nothing()));
    }

    #[test]
    fn compare_is_an_order((a, b) in pair()) {
        let mirrored = match a.compare(&b) {
            Relation::Narrower => Relation::Wider,
            Relation::Wider => Relation::Narrower,
            same => same,
        };
        prop_assert_eq!(b.compare(&a), mirrored);
        prop_assert_eq!(a.compare(&b) == Relation::Equal, a == b);
        prop_assert_eq!(a.subsumes(&b), matches!(a.compare(&b), Relation::Equal | Relation::Wider));
    }

    #[test]
    fn the_order_is_that_of_the_answers((a, b) in pair()) {
        let (ours, theirs) = (answers(&a), answers(&b));
        let nothing_refused = theirs.iter().zip(&ours).all(|(b, a)| a >= b);
        prop_assert_eq!(a.subsumes(&b), nothing_refused);
        prop_assert_eq!(a == b, ours == theirs, "normal forms are equal exactly when every answer is");
        let both: Vec<bool> = ours.iter().zip(&theirs).map(|(a, b)| *a && *b).collect();
        prop_assert_eq!(answers(&a.intersect(&b)), both);
    }

    #[test]
    fn a_remit_is_written_and_read_back((a, b) in pair()) {
        let read = Remit::parse(&a.canonical()).unwrap();
        prop_assert_eq!(&read, &a);
        prop_assert_eq!(a.digest() == b.digest(), a == b);
    }

    /// Whatever was refused, the grant that the refusal names allows it.
    #[test]
    fn a_refusal_names_what_would_have_been_enough(remit in remit(), key in "[ab/\u{1}é]{0,6}", access in access()) {
        if let Err(denial) = remit.kv_allows(&key, access) {
            let enough = Remit::from_grant(&grant(&denial.grant().unwrap()));
            prop_assert!(enough.kv_allows(&key, access).is_ok());
        }
    }
}
