//! A grant file, taken apart and put together again, says the same.

use super::*;

fn named(text: &str, common: Common<'_>) -> Vec<(String, String)> {
    let sections = split("test", text, common).unwrap();
    sections.into_iter().map(|section| (section.name, section.scope)).collect()
}

#[test]
fn each_section_is_a_grant_of_its_own() {
    let text = r#"
        expires = 2030-01-31
        capabilities.kv = { why = "x", prefixes = ["a"], access = "read", expires = "2029-12-31" }
        capabilities.files.notes = { access = "read" }
        [[capabilities.http]]
        methods = ["GET"]
        url = "https://a.example/v1/"
        [[capabilities.http]]
        methods = ["POST"]
        url = "https://a.example/v1/"
        [capabilities.config]
        keys = ["URL"]
        [limits]
        fuel = 7
    "#;
    let sections = split("test", text, Common::default()).unwrap();
    let named: Vec<_> = sections.iter().map(|section| section.name.as_str()).collect();
    let http = |method: &str| format!("http {method} https://a.example/v1/*");
    assert_eq!(named, ["config", "files.notes", &http("GET"), &http("POST"), "kv", "limits"]);
    assert_eq!(
        sections[4].scope,
        "[capabilities.kv]\naccess = \"read\"\nexpires = \"2029-12-31\"\nprefixes = [\"a\"]\n"
    );
    assert_eq!(sections[0].scope, "[capabilities.config]\nkeys = [\"URL\"]\n");
    assert!(sections.iter().all(|section| section.expires.is_some()));
    let whole: String = sections.iter().map(|section| section.scope.as_str()).collect();
    let (mut whole, mut written) = (Grant::parse("x", &whole).unwrap(), Grant::parse("x", text).unwrap());
    (whole.expires, written.expires) = (None, None);
    assert_eq!(whole.http, written.http);
    assert_eq!((whole.kv, whole.config, whole.limits), (written.kv, written.config, written.limits));
}

#[test]
fn a_spelling_does_not_matter() {
    let inline = named("capabilities.kv = { access = 'read', prefixes = [ 'b', \"a\" ] }", Common::default());
    let table = named("[capabilities.kv]\nprefixes = [\n\"b\", \"a\"]\naccess = \"read\" # x", Common::default());
    assert_eq!(inline, table);
}

#[test]
fn a_line_says_what_the_section_says() {
    for text in [
        "[capabilities.kv]\naccess = \"read\"\nprefixes = [\"it's\", \"\\\"\"]\n",
        "[capabilities.files.out]\naccess = \"read-write\"\n",
        "[capabilities.connectors.\"acme:tracker/issues@1.2.0\"]\nfunctions = [\"list\"]\n",
        "[[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"https://a.example/v1/\"\n",
    ] {
        let line = on_one_line(text).unwrap();
        assert_eq!(named(&line, Common::default()), named(text, Common::default()));
    }
    for text in
        ["", "[limits]\nfuel = 1", "[capabilities.kv]\nprefixes = [\"\\n\"]\n", "capabilities = { kv = {}, log = {} }"]
    {
        assert_eq!(on_one_line(text), None, "{text}");
    }
}

#[test]
fn the_command_line_says_how_often_and_until_when() {
    let expires = Some("2027-01-01".parse().unwrap());
    let common = Common { amount: Some("3 per day"), expires, mounts: &[] };
    let named = named("capabilities = { kv = {}, model = { tiers = [\"a\"] }, config = { keys = [\"A\"] } }", common);
    assert_eq!(named[0].1, "[capabilities.config]\nkeys = [\"A\"]\n");
    assert_eq!(named[1].1, "[capabilities.kv]\nexpires = \"2027-01-01\"\n");
    assert!(named[2].1.contains("amount = \"3 per day\"\nexpires = \"2027-01-01\"\n"), "{}", named[2].1);
}

#[test]
fn what_is_no_grant_is_refused() {
    let common = Common { amount: Some("3 per day"), ..Common::default() };
    for (text, common) in [
        ("", Common::default()),
        ("capabilities = {}", Common::default()),
        ("capabilities.kv = 1", Common::default()),
        ("capabilities.files = { notes = 1 }", Common::default()),
        ("capabilities.imports = [{}]", Common::default()),
        ("[plugin]", Common::default()),
        ("not toml", Common::default()),
        ("capabilities.config.keys = [\"A\"]", common),
        ("capabilities.kv = {}", common),
        ("capabilities.model.tiers = [\"a\"]", Common { amount: Some("3 a day"), ..common }),
    ] {
        assert_eq!(split("test", text, common).unwrap_err().exit(), Exit::Usage, "{text}");
    }
}
