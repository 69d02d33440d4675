//! What an operator's ceiling takes away, whoever grants; and what explains it.

use proptest::prelude::*;

use super::super::*;
use super::world::{answers, ceiling, keys, remit, targets};
use super::{grant, request};
use crate::manifest::Ceiling;

fn ceiling_of(text: &str) -> Ceiling {
    Ceiling::of_configuration("config.toml", text).unwrap_or_else(|errors| panic!("{errors}"))
}

const ASKED: &str = r#"
    [[capabilities.http]]
    methods = ["GET", "DELETE"]
    url = "https://*.example.com/v1/"
    why = "reads the catalogue"
    [[capabilities.http]]
    methods = ["POST"]
    url = "http://localhost:8080/hook"
    why = "tells the hook"
    [capabilities.model]
    tiers = ["small", "large"]
    max-tokens = 8000
    why = "writes the summary"
    [capabilities.connectors."acme:tracker/issues@1.2.0"]
    why = "files issues"
    [capabilities.kv]
    why = "remembers"
"#;

const CEILING: &str = r#"
    [other]
    anything = 1
    [ceiling.deny]
    tiers = ["large"]
    connectors = ["acme:tracker/issues#delete"]
    kv = ["shared/"]
    [[ceiling.deny.http]]
    host = "secret.example.com"
    [[ceiling.deny.http]]
    methods = ["DELETE"]
    [ceiling.model]
    max-tokens = 1000
    [ceiling.http]
    response-size = "1 MiB"
    addresses = ["loopback"]
    [ceiling.limits]
    memory = "64 MiB"
"#;

#[test]
fn what_holds_is_below_the_ceiling() {
    let asked = request(ASKED);
    let held = Remit::effective(&asked, &Remit::from_request(&asked), &ceiling_of(CEILING));
    let lines: Vec<(String, String)> =
        held.describe(None).into_iter().map(|line| (line.capability, line.scope)).collect();
    let expected = [
        ("kv", "every key of the plugin, except \"shared/\", read-write"),
        ("log", "trace, debug, info, warn, error"),
        ("http", "POST http://localhost:8080/hook, response-size 1 MiB"),
        ("http", "GET https://*.example.com/v1/*, except secret.example.com, response-size 1 MiB"),
        ("model", "small, at most 1000 tokens"),
        ("connectors.\"acme:tracker/issues@1.2.0\"", "every function but delete"),
    ];
    assert_eq!(lines, expected.map(|(capability, scope)| (capability.to_owned(), scope.to_owned())));
    assert_eq!(Remit::parse(&held.canonical()).unwrap(), held);
}

#[test]
fn a_refusal_by_the_ceiling_names_no_grant() {
    let asked = request(ASKED);
    let ceiling = ceiling_of(CEILING);
    let held = Remit::effective(&asked, &Remit::from_request(&asked), &ceiling);
    let target = HttpTarget::parse("GET", "https", "secret.example.com", "/v1/x").unwrap();
    let denial = held.http_allows(&target).unwrap_err();
    let rule = "GET https://secret.example.com/v1/x is denied by the operator's ceiling, \
                as every request to secret.example.com";
    assert_eq!((denial.rule().as_str(), denial.grant()), (rule, None));
    let denial = held.kv_allows("shared/x", Access::Read).unwrap_err();
    assert_eq!(
        (denial.rule().as_str(), denial.grant()),
        ("key \"shared/x\" is denied by the operator's ceiling", None)
    );

    // What was subtracted is gone, and the refusal does not know why: asked under the ceiling, it says what helps.
    let denial = held.model_allows("large", Some(10)).unwrap_err();
    assert!(denial.grant().is_some() && denial.grant_under(&ceiling).is_none());
    let denial = held.model_allows("small", Some(2_000)).unwrap_err();
    assert_eq!(denial.rule(), "2000 tokens are more than the 1000 granted");
    assert!(denial.grant_under(&ceiling).is_none() && denial.grant_under(&Ceiling::default()).is_some());
    let interface = "acme:tracker/issues@1.2.0".parse().unwrap();
    assert_eq!(held.connector_allows(&interface, "delete").unwrap_err().grant(), None);
    assert!(held.connector_allows(&interface, "create").is_ok());
}

#[test]
fn each_request_is_explained() {
    let asked = request(ASKED);
    let granted = grant(
        r#"
        [[capabilities.http]]
        methods = ["GET"]
        url = "https://*.example.com/"
        amount = "3 per day"
        [[capabilities.http]]
        methods = ["POST"]
        url = "http://localhost:8080/hook"
        addresses = ["loopback", "private"]
        idempotent = true
        [capabilities.model]
        tiers = ["small"]
        [capabilities.kv]
        [capabilities.config]
        keys = ["UNUSED"]
        "#,
    );
    let granted = Remit::from_grant(&granted);
    let shown: Vec<(String, Option<String>, Vec<Document>)> = explain(&asked, &granted, &ceiling_of(CEILING))
        .into_iter()
        .map(|line| (line.capability, line.holds, line.narrowed_by))
        .collect();
    let get = "GET https://*.example.com/v1/*, except secret.example.com, response-size 1 MiB, at most 3 per day";
    let post = "POST http://localhost:8080/hook, write-idempotent, response-size 1 MiB, also loopback";
    let kv = "every key of the plugin, except \"shared/\", read-write";
    let all_levels = "trace, debug, info, warn, error";
    for (shown, (capability, holds, narrowed_by)) in shown.iter().zip([
        ("kv", Some(kv), vec![Document::Ceiling]),
        ("log", Some(all_levels), vec![]),
        ("http", Some(post), vec![Document::Ceiling]),
        ("http", Some(get), vec![Document::Grant, Document::Ceiling]),
        ("model", Some("small, at most 1000 tokens"), vec![Document::Grant, Document::Ceiling]),
        ("connectors.\"acme:tracker/issues@1.2.0\"", None, vec![Document::Grant]),
    ]) {
        assert_eq!(*shown, (capability.to_owned(), holds.map(str::to_owned), narrowed_by));
    }
    assert_eq!(shown.len(), 6);
    let explained = explain(&asked, &granted, &Ceiling::default());
    assert_eq!(explained[3].why.as_deref(), Some("reads the catalogue"));
    assert_eq!(explained[3].asked, "DELETE,GET https://*.example.com/v1/*");
    let left_over: Vec<String> = unused(&asked, &granted).into_iter().map(|line| line.capability).collect();
    assert_eq!(left_over, ["config"]);
}

/// A first ceiling once set apart two methods that a second one made alike again, and they stayed two entries: one
/// remit had two digests.
#[test]
fn methods_that_become_alike_are_one_entry_again() {
    let granted = grant("[[capabilities.http]]\nmethods = [\"GET\", \"PUT\"]\nurl = \"https://*.x\"");
    let deny = |entry: &str| ceiling_of(&format!("[[ceiling.deny.http]]\n{entry}"));
    let (one, two) = (deny("methods = [\"GET\"]\nhost = \"*.a.x\""), deny("host = \"*.a.x\""));
    let granted = Remit::from_grant(&granted);
    assert_eq!(granted.under(&one).under(&two), granted.under(&two));
    assert_eq!(granted.under(&one).http().len(), 2);
}

#[test]
fn a_ceiling_is_checked_where_it_is_written() {
    for (text, line, says) in [
        ("[ceiling]\nkv = 1", 2, "unknown key \"kv\""),
        ("ceiling = 3", 1, "expected a table"),
        ("[ceiling.deny]\nhosts = []", 2, "unknown key \"hosts\""),
        ("[[ceiling.deny.http]]\npath = \"/admin\"", 2, "denying one would deny nothing"),
        ("[[ceiling.deny.http]]", 1, "`host` is required here"),
        ("[[ceiling.deny.http]]\nhost = \"*\"", 2, "a host such as"),
        ("[[ceiling.deny.http]]\nhost = \"a.b\"\nport = 0", 3, "a port from 1 to 65535"),
        ("[ceiling.deny.http]\nhost = \"a.b\"", 1, "write `[[ceiling.deny.http]]`"),
        ("[ceiling.deny]\nconnectors = [\"acme\"]", 2, "a package, an interface or a function"),
        ("[ceiling.deny]\nconnectors = [\"acme:x#f\"]", 2, "a package, an interface or a function"),
        ("[ceiling.deny]\ntiers = [\"Large\"]", 2, "a name of 1 to 63"),
        ("[ceiling.files]\naccess = \"write\"", 2, "`read` or `read-write`"),
        ("[ceiling.http]\nexchange-time = \"2h\"", 2, "1ms to 1h"),
        ("[ceiling.limits]\nmemory = \"5 GiB\"", 2, "1 B to 4 GiB"),
    ] {
        let errors = Ceiling::of_configuration("config.toml", text).expect_err(text);
        let problem = errors.problems().iter().find(|problem| errors.position(problem).0 == line);
        assert!(problem.is_some() && errors.to_string().contains(says), "{errors}");
    }
    assert_eq!(ceiling_of("[providers]\nx = 1"), Ceiling::default());
    assert_eq!(ceiling_of(CEILING).limits.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Nothing else is taken than what is denied or above a bound, and all of that is.
    #[test]
    fn a_ceiling_takes_what_it_says(remit in remit(), ceiling in ceiling()) {
        let left = remit.under(&ceiling);
        for target in targets() {
            let denied = ceiling.deny.http.iter().any(|denied| {
                denied.methods.as_ref().is_none_or(|methods| methods.contains(target.method()))
                    && denied.host.as_ref().is_none_or(|host| host.matches(target.host()))
            });
            prop_assert_eq!(left.http_allows(&target).is_ok(), remit.http_allows(&target).is_ok() && !denied);
        }
        for key in keys() {
            let denied = ceiling.deny.kv.iter().any(|prefix| key.starts_with(prefix.as_str()));
            let (now, before) = (left.kv_allows(&key, Access::Read), remit.kv_allows(&key, Access::Read));
            prop_assert_eq!(now.is_ok(), before.is_ok() && !denied, "{}", key);
        }
        prop_assert!(remit.subsumes(&left));
        prop_assert_eq!(left.under(&ceiling), left);
    }

    /// It does not matter whether the ceiling comes before or after two remits meet.
    #[test]
    fn a_ceiling_commutes((a, b) in (remit(), remit()), one in ceiling(), two in ceiling()) {
        let met = a.intersect(&b).under(&one);
        prop_assert_eq!(&met, &a.under(&one).intersect(&b));
        prop_assert_eq!(&met, &a.under(&one).intersect(&b.under(&one)));
        prop_assert_eq!(a.under(&one).under(&two), a.under(&two).under(&one));
        let both: Vec<bool> = answers(&a.under(&one)).iter().zip(answers(&b)).map(|(a, b)| *a && b).collect();
        prop_assert_eq!(answers(&met), both);
    }
}
