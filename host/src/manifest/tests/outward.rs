//! What people get for what they write about the capabilities that leave the host.

use super::super::*;
use super::{check, parse};

const HTTP: &str = "[[capabilities.http]]\nmethods = [\"GET\"]\nwhy = \"w\"\n";

/// Checks an entry for HTTP whose `line` stands in line 8.
#[track_caller]
fn check_http(line: &str, column: usize, says: &str) {
    check(&format!("{HTTP}{line}"), Fault::BadValue, 8, column, says);
}

fn grant(text: &str) -> Result<Grant, Errors> {
    Grant::parse("grant.toml", text)
}

#[test]
fn a_request_names_what_leaves_the_host() {
    let manifest = parse(
        r#"
        [[capabilities.http]]
        methods = ["POST", "GET"]
        url = "https://API.example.com./v1/"
        response-size = "1 MiB"
        exchange-time = "30s"
        per-second = 5
        why = "reads and files issues"
        [[capabilities.http]]
        methods = ["PUT"]
        host = "*.example.com"
        class = "write-once"
        why = "stores drafts"
        [capabilities.secrets.token]
        host = "api.example.com"
        header = "Authorization"
        why = "signs in"
        [capabilities.model]
        tiers = ["small"]
        max-tokens = 2000
        why = "summarises"
        [capabilities.connectors."acme:tracker/issues@1.2.0"]
        functions = ["create"]
        why = "files issues"
        [capabilities.tools]
        functions = ["acme:tracker/issues@1.2.0#create", "acme:crm/people@0.1.0"]
        why = "lets the model file issues"
        "#,
    );
    let canonical = String::from_utf8(manifest.unwrap().canonical()).unwrap();
    let expected = concat!(
        r#""http":[{"why":"reads and files issues","methods":["GET","POST"],"host":"api.example.com","#,
        r#""scheme":"https","port":443,"path":{"path":"/v1/"},"response-size":1048576,"exchange-time":30000,"#,
        r#""per-second":5},{"why":"stores drafts","methods":["PUT"],"host":"*.example.com","scheme":"https","#,
        r#""port":443,"path":{"path":"/"},"class":"write-once"}],"secrets":{"token":{"why":"signs in","#,
        r#""host":"api.example.com","scheme":"https","port":443,"path":{"path":"/"},"slot":"header authorization"}},"#,
        r#""model":{"why":"summarises","tiers":["small"],"max-tokens":2000},"connectors":"#,
        r#"{"acme:tracker/issues@1.2.0":{"why":"files issues","functions":["create"]}},"tools":"#,
        r#"{"why":"lets the model file issues","functions":{"acme:crm/people@0.1.0":null,"#,
        r#""acme:tracker/issues@1.2.0":["create"]}},"limits":{}}}"#,
    );
    assert!(canonical.ends_with(expected), "{canonical}");
}

#[test]
fn a_place_is_checked() {
    for (url, says) in [
        ("", "a URL such as"),
        ("api.example.com", "a URL such as"),
        ("ftp://a.b", "`http` or `https`"),
        ("https://", "a host such as"),
        ("https://user:pw@a.b/", "a host, and perhaps"),
        ("https://user@a.b/", "names no user"),
        ("https://a.b?q=1", "no query"),
        ("https://a.b/#x", "no query, no fragment"),
        ("https:\\\\\\\\a.b", "a URL such as"),
        ("https://a.b\\\\@c.d/", "some parsers take"),
        ("https://a.b:0/", "a port from 1 to 65535"),
        ("https://a.b:99999/", "a port from 1 to 65535"),
        ("https://*/", "at the beginning"),
        ("https://bücher.example/", "xn--"),
        ("https://127.1/", "four decimal numbers"),
        ("https://[::ffff:10.0.0.1]/", "write the IPv4 address"),
        ("https://a.b/../x", "without `.` and `..`"),
        ("https://a.b/%2e%2e/x", "without `.` and `..`"),
        ("https://a.b//x", "write one slash"),
        ("https://a.b/a%2fb", "what % would hide"),
    ] {
        check_http(&format!("url = \"{url}\""), 7, says);
    }
    check(&format!("{HTTP}host = \"a.b\"\nport = 70000"), Fault::BadValue, 9, 8, "a port from 1 to 65535");
}

#[test]
fn an_entry_for_http_is_checked() {
    check(&format!("{HTTP}url = \"https://a.b/x\"\nexact = true"), Fault::BadValue, 9, 9, "ends in `/`");
    check("[capabilities.http]\nurl = \"https://a.b\"", Fault::BadValue, 5, 1, "write `[[capabilities.http]]`");
    check(HTTP, Fault::Missing, 5, 1, "`capabilities.http[0].url` is missing");
    check(&format!("{HTTP}url = \"https://a.b\"\nport = 1"), Fault::Conflict, 9, 8, "`url` says this already");
    for (line, says) in [
        ("amount = \"3 per day\"", "for the operator to say"),
        ("expires = 2026-12-31", "for the operator to say"),
        ("addresses = [\"loopback\"]", "only a grant opens addresses"),
        ("idempotent = true", "only a grant says"),
        ("redirects = 3", "unknown key \"redirects\""),
    ] {
        check(&format!("{HTTP}url = \"https://a.b\"\n{line}"), Fault::UnknownKey, 9, 1, says);
    }
    let with = |line: &str| format!("{HTTP}url = \"https://a.b\"\n{line}");
    for (line, column, says) in [
        ("response-size = \"2 GiB\"", 17, "0 to 1 GiB"),
        ("exchange-time = \"0s\"", 17, "1ms to 1h"),
        ("per-second = 0", 14, "1 to 1000000"),
        ("class = \"pure\"", 9, "`read-remote`, `write-idempotent` or `write-once`"),
    ] {
        check(&with(line), Fault::BadValue, 9, column, says);
    }
    let methods =
        |methods: &str| format!("[[capabilities.http]]\nurl = \"https://a.b\"\nwhy = \"w\"\nmethods = {methods}");
    check(&methods("[]"), Fault::BadValue, 8, 11, "at least one element");
    check(&methods("[\"get\"]"), Fault::BadValue, 8, 12, "in upper case");
    check(&methods("[\"TRACE\"]"), Fault::BadValue, 8, 12, "never sent");
    check(&methods("[\"POST\"]\nclass = \"read-remote\""), Fault::BadValue, 9, 9, "only a grant loosens it");
}

#[test]
fn two_entries_that_share_a_request_are_refused() {
    let two = |second: &str| format!("{HTTP}url = \"https://*.b.c/v1/\"\n{HTTP}{second}");
    for second in ["url = \"https://a.b.c/v1/x\"", "url = \"https://*.a.b.c\"", "url = \"https://*.b.c/v1/\""] {
        check(&two(second), Fault::Conflict, 12, 7, "shares requests with `capabilities.http[0]`");
    }
    for second in ["url = \"https://b.c/v1/\"", "url = \"http://a.b.c/v1/\"", "url = \"https://a.b.c/v2\""] {
        assert!(parse(&two(second)).is_ok(), "{second}");
    }
}

#[test]
fn the_others_are_checked() {
    let secret = |lines: &str| format!("[capabilities.secrets.s]\nwhy = \"w\"\n{lines}");
    check(&secret("host = \"a.b\""), Fault::Missing, 5, 23, "`capabilities.secrets.s.header` is missing");
    check(&secret("header = \"x\""), Fault::Missing, 5, 23, "`capabilities.secrets.s.url` is missing");
    for header in ["Host", "content-length", "Transfer-Encoding"] {
        check(
            &secret(&format!("host = \"a.b\"\nheader = \"{header}\"")),
            Fault::BadValue,
            8,
            10,
            "writes this header itself",
        );
    }
    check(&secret("host = \"a.b\"\nheader = \"a b\""), Fault::BadValue, 8, 10, "the name of a header");
    check(&secret("host = \"a.b\"\nquery = \"a=b\""), Fault::BadValue, 8, 9, "the name of a query field");
    check(&secret("host = \"a.b\"\nheader = \"x\"\nquery = \"y\""), Fault::Conflict, 9, 9, "there is a header already");
    let second =
        "host = \"*.b\"\nheader = \"X\"\n[capabilities.secrets.t]\nwhy = \"w\"\nhost = \"a.b\"\nheader = \"x\"";
    check(&secret(second), Fault::Conflict, 12, 10, "`secrets.s` goes there too");
    check("[capabilities.model]\nwhy = \"w\"", Fault::Missing, 5, 15, "`capabilities.model.tiers` is missing");
    check("[capabilities.model]\nwhy = \"w\"\ntiers = []", Fault::BadValue, 7, 9, "at least one element");
    check("[capabilities.model]\nwhy = \"w\"\ntiers = [\"a\"]\nmax-tokens = 0", Fault::BadValue, 8, 14, "from 1 to");
    let connector = |name: &str, lines: &str| format!("[capabilities.connectors.\"{name}\"]\nwhy = \"w\"\n{lines}");
    for name in ["acme:tracker/issues", "acme:tracker@1.0.0", "issues@1.0.0", "acme:tracker/issues@1"] {
        check(&connector(name, ""), Fault::BadValue, 5, 26, "an interface with its version");
    }
    check(&connector("a:b/c@1.0.0", "functions = [\"f()\"]"), Fault::BadValue, 7, 14, "a function as WIT names it");
    check(&connector("a:b/c@1.0.0", "functions = []"), Fault::BadValue, 7, 13, "at least one element");
    let tools = "[capabilities.tools]\nwhy = \"w\"\nfunctions = [\"a:b/c#f\"]";
    check(tools, Fault::BadValue, 7, 14, "an interface with its version");
}

#[test]
fn a_grant_says_how_often_until_when_and_where_to() {
    let granted = grant(
        r#"
        expires = "2026-12-31"
        [[capabilities.http]]
        methods = ["GET"]
        url = "http://localhost:8080"
        addresses = ["loopback", "10.0.0.0/8"]
        amount = ["3 per day", "10 in total"]
        expires = 2027-01-31
        [capabilities.files.notes]
        access = "read"
        [capabilities.model]
        tiers = ["small"]
        amount = "5 per run"
        [capabilities.kv]
        expires = "2026-03-01"
        "#,
    );
    let granted = granted.unwrap();
    let terms = |rule: RuleId| granted.terms_of(&rule);
    let day = |text: &str| Some(text.parse::<LastDay>().unwrap());
    assert_eq!(granted.http[0].terms.amounts.to_string(), "3 per day, 10 in total");
    assert_eq!(granted.http[0].terms.expires, day("2026-12-31"));
    assert_eq!(granted.http[0].addresses.words(), ["loopback", "10.0.0.0/8"]);
    assert_eq!(terms(RuleId::kv()).expires, day("2026-03-01"));
    let model = terms(RuleId::model());
    assert_eq!((model.amounts.to_string().as_str(), model.expires), ("5 per run", day("2026-12-31")));

    let model = |line: &str| format!("[capabilities.model]\ntiers = [\"small\"]\n{line}");
    let kv = |line: &str| format!("[capabilities.kv]\n{line}");
    for (text, says) in [
        (model("amount = 3"), "an amount such as \"3 per day\""),
        (model("amount = []"), "an amount such as \"3 per day\""),
        (model("amount = \"3\""), "an amount: \"3 per run\""),
        (model("amount = \"3 per week\""), "an amount: \"3 per run\""),
        (model("amount = \"0 per day\""), "the number is from 1"),
        (model("amount = \"1_000 per day\""), "the number is from 1"),
        (model("amount = \"-1 per day\""), "the number is from 1"),
        (model("amount = [\"3 per day\", \"4 per day\"]"), "a second amount per day"),
        (kv("amount = \"3 per day\""), "only calls that leave this host are counted; `quota` bounds what is kept"),
        (
            "[capabilities.files.a]\naccess = \"read\"\namount = \"3 per day\"".to_owned(),
            "`quota` bounds what is written",
        ),
        (
            "[capabilities.secrets.a]\nurl = \"https://a\"\nheader = \"x\"\namount = \"3 per day\"".to_owned(),
            "count the requests that it goes with",
        ),
        ("[capabilities.tools]\namount = \"3 per day\"".to_owned(), "under its connector"),
        (kv("expires = \"tomorrow\""), "a day such as"),
        (kv("expires = 2026-02-29"), "not TOML"),
        (kv("expires = 2026-12-31T00:00:00Z"), "a day such as"),
        (kv("expires = 5"), "a day such as"),
        ("[capabilities.log]\namount = \"3 per day\"".to_owned(), "unknown key \"amount\""),
        (
            "[[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"http://a\"\naddresses = [\"lan\"]".to_owned(),
            "\"loopback\"",
        ),
        ("[[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"http://a\"\nidempotent = 1".to_owned(), "true or false"),
    ] {
        let errors = grant(&text).expect_err(&text);
        assert!(errors.to_string().contains(says), "{errors}");
    }
}
