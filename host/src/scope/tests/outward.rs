//! What leaves the host: which requests, secrets, models and functions, and what is said when one does not.

use std::net::IpAddr;

use proptest::prelude::*;

use super::super::*;
use super::world::{METHODS, remit, targets};
use super::{grant, request};
use crate::manifest::{Ceiling, RemoteClass, Window};
use crate::time::Timestamp;

fn target(line: &str) -> HttpTarget {
    let (method, url) = line.split_once(' ').unwrap();
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    HttpTarget::parse(method, scheme, authority, path).unwrap()
}

#[test]
fn a_request_is_within_a_scope_or_it_is_not() {
    let remit = Remit::from_grant(&grant(
        r#"
        [[capabilities.http]]
        methods = ["GET", "POST"]
        url = "https://api.example.com/v1/"
        [[capabilities.http]]
        methods = ["GET"]
        host = "*.example.org"
        port = 8443
        path = "/open"
        [[capabilities.http]]
        methods = ["PUT"]
        url = "http://[::1]:8080"
        exact = true
        "#,
    ));
    for (line, allowed) in [
        ("GET https://api.example.com/v1/", true),
        ("POST https://API.example.com.:443/v1/a/b?c=../d", true),
        ("GET https://api.example.com/v1/%61", true),
        ("GET https://api.example.com/v1", false),
        ("GET https://api.example.com/v10/", false),
        ("GET https://api.example.com/", false),
        ("PUT https://api.example.com/v1/", false),
        ("GET http://api.example.com/v1/", false),
        ("GET https://api.example.com:8443/v1/", false),
        ("GET https://api.example.com.evil.net/v1/", false),
        ("GET https://a.b.example.org:8443/open", true),
        ("GET https://a.example.org:8443/open/x", false),
        ("GET https://example.org:8443/open", false),
        ("GET https://a.example.org/open", false),
        ("PUT http://[0:0::1]:8080/", true),
        ("PUT http://[::1]:8080/x", false),
    ] {
        assert_eq!(remit.http_allows(&target(line)).is_ok(), allowed, "{line}");
    }
}

#[test]
fn only_a_grant_loosens_a_class_and_opens_addresses() {
    let asked = request(
        r#"
        [[capabilities.http]]
        methods = ["GET", "POST", "PUT"]
        url = "https://a.example/"
        why = "w"
        [[capabilities.http]]
        methods = ["PUT", "PATCH"]
        url = "https://b.example/"
        class = "write-once"
        why = "w"
        "#,
    );
    let granted = grant(
        r#"
        [[capabilities.http]]
        methods = ["GET", "POST", "PUT"]
        url = "https://a.example/"
        idempotent = true
        addresses = ["10.1.0.0/16", "loopback"]
        [[capabilities.http]]
        methods = ["PUT", "PATCH"]
        url = "https://b.example/"
        idempotent = true
        "#,
    );
    use RemoteClass::{ReadRemote, WriteIdempotent, WriteOnce};
    let as_asked = Remit::from_request(&asked);
    let held = Remit::effective(&asked, &Remit::from_grant(&granted), &Ceiling::default());
    for (line, alone, with_grant) in [
        ("GET https://a.example/", ReadRemote, ReadRemote),
        ("PUT https://a.example/", WriteIdempotent, WriteIdempotent),
        ("POST https://a.example/", WriteOnce, WriteIdempotent),
        ("PUT https://b.example/", WriteOnce, WriteOnce),
        ("PATCH https://b.example/", WriteOnce, WriteOnce),
    ] {
        let target = target(line);
        assert_eq!(as_asked.http_allows(&target).unwrap().class(), alone, "{line}");
        assert_eq!(held.http_allows(&target).unwrap().class(), with_grant, "{line}");
    }
    let target = target("GET https://a.example/");
    let rule = held.http_allows(&target).unwrap();
    for (address, open) in [("10.1.2.3", true), ("10.2.0.1", false), ("::1", true), ("::ffff:10.1.0.1", true)] {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(rule.special_address_allows(&target, address).is_ok(), open, "{address}");
        assert!(as_asked.http_allows(&target).unwrap().special_address_allows(&target, address).is_err());
    }
    assert_eq!(Remit::effective(&asked, &as_asked, &Ceiling::default()), as_asked);
}

#[test]
fn caps_are_the_lowest_of_all_documents() {
    let asked = request(
        "[[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"https://a.b\"\nwhy = \"w\"\n\
         response-size = \"2 MiB\"\nper-second = 5",
    );
    let granted = grant(
        "[[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"https://a.b\"\n\
         response-size = \"3 MiB\"\nexchange-time = \"10s\"",
    );
    let mut ceiling = Ceiling::default();
    ceiling.http.response_size = Some(1 << 20);
    let held = Remit::effective(&asked, &Remit::from_grant(&granted), &ceiling);
    let target = target("GET https://a.b/");
    let caps = held.http_allows(&target).unwrap().caps();
    assert_eq!((caps.response_size, caps.per_second, caps.exchange_time_ms), (Some(1 << 20), Some(5), Some(10_000)));
    let words = "GET https://a.b/*, response-size 1 MiB, exchange-time 10s, per-second 5";
    assert_eq!(held.describe(Some(&asked)).last().unwrap().scope, words);
}

#[test]
fn amounts_are_counted_against_the_grant_that_has_them() {
    let text = |amount: &str| {
        format!(
            "[[capabilities.http]]\nmethods = [\"POST\"]\nurl = \"https://a.b/x\"\namount = {amount}\n\
             [capabilities.model]\ntiers = [\"small\"]\namount = \"9 per run\"\nexpires = 2026-12-31\n"
        )
    };
    let remit = |amount: &str| Remit::from_grant(&grant(&text(amount)));
    let few = remit("[\"3 per day\", \"10 in total\"]");
    let target = target("POST https://a.b/x");
    let rule = few.http_allows(&target).unwrap();
    let amounts: Vec<(String, Window, u64)> =
        rule.terms().amounts().map(|(rule, window, max)| (rule.to_string(), window, max)).collect();
    let id = "http POST https://a.b/x";
    assert_eq!(amounts, [(id.to_owned(), Window::Day, 3), (id.to_owned(), Window::Total, 10)]);
    assert_eq!(few.compare(&remit("\"4 per day\"")), Relation::Narrower);
    assert_eq!(few.compare(&remit("\"2 per day\"")), Relation::Incomparable);
    assert_eq!(remit("\"1 per hour\"").compare(&remit("\"24 per day\"")), Relation::Narrower);
    let lines = few.describe(None);
    assert_eq!(lines[2].scope, "small, at most 9 per run, until 2026-12-31");
    assert_eq!(lines[1].scope, "POST https://a.b/x, at most 3 per day, at most 10 in total");
}

#[test]
fn what_has_expired_is_refused_and_says_so() {
    let whole = Remit::from_grant(&grant(
        "expires = 2026-12-31\n[capabilities.kv]\nexpires = \"2026-03-01\"\n\
         [capabilities.model]\ntiers = [\"small\"]\n",
    ));
    let at = |text: &str| text.parse::<crate::manifest::LastDay>().unwrap().end();
    assert_eq!(whole.next_expiry(), Some(at("2026-03-01")));
    let before = Timestamp::from_micros(at("2026-03-01").as_micros() - 1);
    assert_eq!(whole.at(before), whole);
    let spring = whole.at(at("2026-03-01"));
    assert!(spring.kv().is_none() && spring.model().is_some());
    assert_eq!(spring.next_expiry(), Some(at("2026-12-31")));
    let denial = spring.kv_allows("x", Access::Read).unwrap_err().or_expired(&whole);
    assert_eq!(denial.rule(), "what granted this expired on 2026-03-01; without it, kv is not granted");
    assert!(denial.is_allowed_by(&whole) && denial.grant().is_some());
    assert!(whole.at(at("2026-12-31")).model().is_none());
    let other = spring.config_allows("A").unwrap_err();
    assert_eq!(other.clone().or_expired(&whole), other);
}

#[test]
fn a_secret_goes_where_both_documents_say() {
    let asked = request(
        "[capabilities.secrets.token]\nurl = \"https://*.example.com/v1/\"\n\
         header = \"Authorization\"\nwhy = \"signs in\"",
    );
    let granted = grant("[capabilities.secrets.token]\nurl = \"https://api.example.com\"\nheader = \"authorization\"");
    let held = Remit::effective(&asked, &Remit::from_grant(&granted), &Ceiling::default());
    for (line, goes) in [
        ("GET https://api.example.com/v1/x", true),
        ("GET https://api.example.com/v2", false),
        ("GET https://other.example.com/v1/x", false),
        ("GET http://api.example.com/v1/x", false),
    ] {
        assert_eq!(held.secrets_for(&target(line)).count(), usize::from(goes), "{line}");
    }
    let elsewhere = grant("[capabilities.secrets.token]\nurl = \"https://api.example.com\"\nquery = \"key\"");
    let held = Remit::effective(&asked, &Remit::from_grant(&elsewhere), &Ceiling::default());
    assert!(held.secrets().is_empty());
    let gap = &missing(&asked, &held)[0];
    let line = "[capabilities.secrets.token]\nurl = \"https://*.example.com/v1/\"\nheader = \"authorization\"\n";
    assert_eq!((gap.wanted.as_str(), gap.grant.as_str()), ("header authorization of https://*.example.com/v1/*", line));
}

#[test]
fn refusals_say_the_rule_and_the_line() {
    let remit = Remit::from_grant(&grant(
        r#"
        [[capabilities.http]]
        methods = ["GET"]
        url = "https://a.b/v1/"
        amount = "3 per day"
        [capabilities.model]
        tiers = ["small"]
        max-tokens = 100
        [capabilities.connectors."a:b/c@1.0.0"]
        functions = ["f"]
        [capabilities.tools]
        functions = ["a:b/c@1.0.0#f"]
        [capabilities.config]
        keys = ["A"]
        "#,
    ));
    let interface: Interface = "a:b/c@1.0.0".parse().unwrap();
    let get = target("GET https://a.b/v1/x");
    let address = "10.0.0.1".parse().unwrap();
    for (denial, rule, line) in [
        (
            remit.http_allows(&target("POST https://a.b/v1/x?secret=1")).unwrap_err(),
            "POST is not among the methods granted for https://a.b/v1/x: GET",
            "[[capabilities.http]]\nmethods = [\"POST\"]\nurl = \"https://a.b/v1/x\"\n",
        ),
        (
            remit.http_allows(&target("GET http://127.0.0.1:8080/")).unwrap_err(),
            "GET http://127.0.0.1:8080/ is within nothing that is granted for http",
            "[[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"http://127.0.0.1:8080/\"\n\
             exact = true\naddresses = [\"127.0.0.1/32\"]\n",
        ),
        (
            remit.http_allows(&target("PUT http://localhost:8080/x")).unwrap_err(),
            "PUT http://localhost:8080/x is within nothing that is granted for http",
            "[[capabilities.http]]\nmethods = [\"PUT\"]\nurl = \"http://localhost:8080/x\"\n\
             addresses = [\"loopback\"]\n",
        ),
        (
            remit.http_allows(&get).unwrap().special_address_allows(&get, address).unwrap_err(),
            "10.0.0.1, the address for GET https://a.b/v1/x, is not on the public network, and not granted",
            "[[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"https://a.b/v1/\"\n\
             addresses = [\"10.0.0.1/32\"]\namount = \"3 per day\"\n",
        ),
        (
            remit.model_allows("large", Some(50)).unwrap_err(),
            "tier large is none of those granted: [\"small\"]",
            "[capabilities.model]\ntiers = [\"large\", \"small\"]\nmax-tokens = 100\n",
        ),
        (
            remit.model_allows("small", None).unwrap_err(),
            "any number of tokens are more than the 100 granted",
            "[capabilities.model]\ntiers = [\"small\"]\n",
        ),
        (
            remit.connector_allows(&interface, "g").unwrap_err(),
            "connectors.\"a:b/c@1.0.0\": function g is not granted",
            "[capabilities.connectors.\"a:b/c@1.0.0\"]\nfunctions = [\"f\", \"g\"]\n",
        ),
        (
            remit.tool_allows(&interface, "g").unwrap_err(),
            "tools: a:b/c@1.0.0#g is not granted",
            "[capabilities.tools]\nfunctions = [\"a:b/c@1.0.0#f\", \"a:b/c@1.0.0#g\"]\n",
        ),
        (
            remit.config_allows("B").unwrap_err(),
            "configuration value B is not granted",
            "[capabilities.config]\nkeys = [\"A\", \"B\"]\n",
        ),
    ] {
        assert_eq!((denial.rule().as_str(), denial.grant().as_deref()), (rule, Some(line)));
        assert!(denial.is_allowed_by(&Remit::from_grant(&grant(line))), "{line}");
    }
    for denial in [
        remit.model_allows("\u{1b}[2J", None).unwrap_err(),
        remit.config_allows("a\nb").unwrap_err(),
        remit.connector_allows(&interface, "a b").unwrap_err(),
    ] {
        assert!(denial.grant().is_none() && !denial.rule().contains(['\u{1b}', '\n']), "{denial}");
    }
}

/// Two documents of as many entries as each may have, of which every one meets every other.
#[test]
fn as_many_entries_as_there_can_be_meet_quickly() {
    let entry = |url: String| format!("[[capabilities.http]]\nmethods = {METHODS:?}\nurl = \"{url}\"\n");
    let hosts: String = (0..64).map(|i| entry(format!("https://h{i}.example.com/"))).collect();
    let paths: String = (0..64).map(|i| entry(format!("https://*.example.com/p{i}/"))).collect();
    let started = std::time::Instant::now();
    let met = Remit::from_grant(&grant(&hosts)).intersect(&Remit::from_grant(&grant(&paths)));
    assert_eq!(met.http().len(), 4_096);
    assert_eq!(met.compare(&Remit::from_grant(&grant(&hosts))), Relation::Narrower);
    assert!(started.elapsed() < std::time::Duration::from_secs(10), "{:?}", started.elapsed());
}

proptest! {
    /// Whatever was refused, the grant that the refusal names allows it; and it stands beside what was granted.
    #[test]
    fn a_refused_request_names_what_would_have_been_enough(remit in remit(), index in 0usize..90) {
        let target = &targets()[index];
        if let Err(denial) = remit.http_allows(target) {
            let line = denial.grant().unwrap();
            prop_assert!(Remit::from_grant(&grant(&line)).http_allows(target).is_ok());
            let lines: String = remit.http().iter().map(HttpScope::to_toml).collect();
            prop_assert!(crate::manifest::Grant::parse("grant", &format!("{lines}{line}")).is_ok(), "{}{}", lines, line);
        }
    }

    /// Every line that shows what is missing gives just that.
    #[test]
    fn a_capability_is_written_as_the_grant_that_gives_it(remit in remit()) {
        for item in remit.items() {
            let text: String = item.parts().into_iter().map(|part| part.grant).collect();
            let given = Remit::from_grant(&grant(&text));
            let told = |lines: Vec<Line>| -> Vec<String> { lines.into_iter().map(|line| line.scope).collect() };
            let given = given.items().into_iter().filter(|line| line.log.is_empty() || !item.log.is_empty());
            let given: Vec<String> = given.flat_map(|item| told(item.describe(None))).collect();
            // What a ceiling took from all functions of an interface, no grant can say.
            let has_holes =
                |functions: &FunctionScope| matches!(functions, FunctionScope::AllBut(but) if !but.is_empty());
            let partial = item.connectors.values().any(|scope| has_holes(scope.functions()));
            prop_assert!(partial || given == told(item.describe(None)), "{}", text);
        }
    }
}
