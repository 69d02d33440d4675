//! What operators get for what they write: a configuration, or every mistake at its line.

use std::fs;
use std::path::Path;

use super::*;
use crate::capability::config::Value;
use crate::manifest::{Fault, LimitKind};
use crate::model::{Endpoint, Script, Structured};

fn parse(text: &str) -> Result<Config, Errors> {
    Config::parse("config.toml", text, Path::new("/srv"))
}

/// Checks that `text` is wrong in one way, and where, and that the message holds `says`.
#[track_caller]
fn check(text: &str, fault: Fault, line: usize, says: &str) {
    let errors = parse(text).expect_err(text);
    let faults: Vec<_> = errors.problems().iter().map(|one| (one.fault, errors.position(one).0)).collect();
    assert_eq!(faults, [(fault, line)], "{errors}");
    assert!(errors.to_string().contains(says), "{errors}");
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

#[test]
fn the_first_file_sets_nothing() {
    assert_eq!(parse(INITIAL).unwrap(), Config::default());
    assert_eq!(parse("").unwrap(), Config::default());
}

/// What stands behind a `#` without a space is meant to be used, so it has to be right.
#[test]
fn what_the_first_file_offers_works() {
    let is_setting = |line: &&str| line.starts_with('#') && !line.starts_with("# ");
    let settings: Vec<&str> = INITIAL.lines().filter(is_setting).map(|line| &line[1..]).collect();
    let config = parse(&settings.join("\n")).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(config.models.keys().map(Name::as_str).collect::<Vec<_>>(), ["large", "local", "small"]);
    assert!(!config.extra_roots.is_empty() && !config.limits.is_empty() && config.ceiling != Ceiling::default());
    assert_eq!(config.values.for_plugin(&name("brief")).iter().count(), 3);
    assert_eq!(config.secrets().len(), 1);
    let known = ["script", "base-url", "secret", "max-tokens", "stream", "structured", "extra-roots"];
    assert!(known.iter().all(|key| settings.iter().any(|line| line.starts_with(key))), "every key is shown");
}

#[test]
fn tiers_have_providers() {
    let config = parse(
        r#"
        [models.small]
        provider = "scripted"
        script = "a/answers.json"
        [models.large]
        provider = "openai"
        model = "gpt-x"
        secret = "key"
        max-tokens = 100
        [models.local]
        provider = "anthropic"
        base-url = "http://127.0.0.1:8080/"
        model = "m"
        secret = "key"
        structured = "prompted"
        stream = true
        "#,
    )
    .unwrap();
    let script = Some(PathBuf::from("/srv/a/answers.json"));
    assert_eq!(config.models[&name("small")].provider, Provider::Scripted { script });
    let endpoint = Endpoint {
        base_url: "https://api.openai.com/v1".into(),
        model: "gpt-x".into(),
        secret: Some(name("key")),
        stream: false,
        structured: Structured::Native,
    };
    let large = Model { provider: Provider::OpenAi(endpoint.clone()), max_tokens: Some(100) };
    assert_eq!(config.models[&name("large")], large);
    let local = Endpoint {
        base_url: "http://127.0.0.1:8080".into(),
        model: "m".into(),
        stream: true,
        structured: Structured::Prompted,
        ..endpoint
    };
    assert_eq!(config.models[&name("local")].provider, Provider::Anthropic(local));
    assert_eq!(config.scripts(), [("models.small.script".to_owned(), Path::new("/srv/a/answers.json"))]);
    let key = name("key");
    assert_eq!(config.secrets(), [("models.large.secret".to_owned(), &key), ("models.local.secret".to_owned(), &key)]);
}

#[test]
fn a_tier_that_could_not_answer_is_refused() {
    let openai = "[models.x]\nprovider = \"openai\"\nmodel = \"m\"\n";
    for (text, fault, line, says) in [
        ("[models.x]\n", Fault::Missing, 1, "`models.x.provider` is missing"),
        ("[models.x]\nprovider = \"opnai\"\n", Fault::BadValue, 2, "did you mean \"openai\"?"),
        (
            "[models.x]\nprovider = \"scripted\"\nsecret = \"k\"\n",
            Fault::UnknownKey,
            3,
            "\"scripted\" has no such thing",
        ),
        ("[models.x]\nprovider = \"scripted\"\nscripts = \"k\"\n", Fault::UnknownKey, 3, "did you mean `script`?"),
        ("[models.X]\nprovider = \"scripted\"\n", Fault::BadValue, 1, "a name of 1 to 63"),
        ("models = 3\n", Fault::BadValue, 1, "expected a table"),
        (openai, Fault::Missing, 1, "`models.x.secret` is missing"),
        ("[models.x]\nprovider = \"openai\"\nsecret = \"k\"\n", Fault::Missing, 1, "`models.x.model` is missing"),
        (&format!("{openai}secret = \"K\"\n"), Fault::BadValue, 4, "expected a name"),
        (&format!("{openai}secret = \"k\"\nscript = \"s\"\n"), Fault::UnknownKey, 5, "\"openai\" has no such thing"),
        (&format!("{openai}base-url = \"localhost:80\"\n"), Fault::BadValue, 4, "a URL such as"),
        (&format!("{openai}base-url = \"http://x.example\"\nsecret = \"k\"\n"), Fault::Conflict, 4, "unencrypted"),
        (&format!("{openai}secret = \"k\"\nmax-tokens = 0\n"), Fault::BadValue, 5, "tokens"),
        (&format!("{openai}secret = \"k\"\nstream = \"yes\"\n"), Fault::BadValue, 5, "true or false"),
        (&format!("{openai}secret = \"k\"\nstructured = \"no\"\n"), Fault::BadValue, 5, "`native` or `prompted`"),
    ] {
        check(text, fault, line, says);
    }
    assert!(parse(&format!("{openai}base-url = \"http://x.example\"\n")).is_ok(), "no key, nothing to read");
}

#[test]
fn unknown_keys_are_mistakes_and_the_nearest_is_named() {
    for (text, says) in [
        ("[model.small]\n", "did you mean `models`?"),
        ("[http]\nextra-root = []\n", "did you mean `extra-roots`?"),
        ("[limits]\nmemry = 1\n", "did you mean `memory`?"),
        ("[ceiling]\nlimit = 1\n", "did you mean `limits`?"),
        ("[plugin]\n", "unknown key \"plugin\" in the file"),
    ] {
        let line = 1 + text.lines().count() / 2;
        check(text, Fault::UnknownKey, line, says);
    }
}

#[test]
fn everything_wrong_is_told_at_once() {
    let errors = parse("[htp]\n[http]\nextra-roots = 3\n[limits]\nmemory = true\n[values]\n1a = 1\n").unwrap_err();
    assert_eq!(errors.problems().len(), 4, "{errors}");
    check("not toml", Fault::Syntax, 1, "config.toml:1");
    check(&" ".repeat(1 << 20), Fault::TooLarge, 1, "more than");
}

#[test]
fn roots_and_limits() {
    let config = parse("[http]\nextra-roots = [\"a.pem\", \"/b.pem\"]\n[limits]\nmemory = \"1 GiB\"\n").unwrap();
    assert_eq!(config.extra_roots, [PathBuf::from("/srv/a.pem"), PathBuf::from("/b.pem")]);
    assert_eq!(config.limits, LimitValues::from([(LimitKind::Memory, 1 << 30)]));
    check("[http]\nextra-roots = [\"a\", \"a\"]\n", Fault::Conflict, 2, "listed twice");
    check("[http]\nextra-roots = [\"\"]\n", Fault::BadValue, 2, "the path of a file");
    check("[limits]\nmemory = \"8000 GiB\"\n", Fault::BadValue, 2, "memory");
}

#[test]
fn the_ceiling_is_read_where_it_stands() {
    let config = parse("[ceiling.limits]\nmemory = \"1 GiB\"\n").unwrap();
    assert_eq!(config.ceiling.limits, LimitValues::from([(LimitKind::Memory, 1 << 30)]));
    check("\n\n[ceiling.limits]\nmemory = 0\n", Fault::BadValue, 4, "memory");
}

#[test]
fn values_are_typed_and_a_plugins_own_come_first() {
    let config = parse(
        "[values]\nA = \"shared\"\nB = -1_000\nC = 0x10\n[values.brief]\nA = 1.5\nD = true\n\"E.f\" = \"\"\n[values.x]\n",
    )
    .unwrap();
    let both = [("B", Value::Integer(-1000)), ("C", Value::Integer(16))];
    let own = [("A", Value::Float(1.5)), ("D", Value::Boolean(true)), ("E.f", Value::Text(String::new()))];
    let for_brief = both.clone().into_iter().chain(own).collect();
    assert_eq!(config.values.for_plugin(&name("brief")), for_brief);
    let for_all = both.into_iter().chain([("A", Value::Text("shared".into()))]).collect();
    for plugin in ["x", "other"] {
        assert_eq!(config.values.for_plugin(&name(plugin)), for_all);
    }
}

#[test]
fn what_has_none_of_the_types_is_no_value() {
    for value in ["nan", "inf", "1979-05-27", "[1]", "9223372036854775808"] {
        check(&format!("[values]\nA = {value}\n"), Fault::BadValue, 2, "a string, a number, true or false");
        check(&format!("[values.x]\nA = {value}\n"), Fault::BadValue, 2, "`values.x.A`");
    }
    check("[values.x]\nA = {}\n", Fault::BadValue, 2, "found a table");
    check("[values]\nA = {}\n", Fault::BadValue, 2, "named after the plugin");
    check("[values]\n\"a b\" = 1\n", Fault::BadValue, 2, "a key of 1 to 128");
    check(&format!("[values]\nA = \"{}\"\n", "x".repeat(65_537)), Fault::BadValue, 2, "65536");
}

#[test]
fn the_file_is_written_once_and_read_back() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(read(home.path()).unwrap(), Config::default());
    let path = init(home.path()).unwrap();
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), read(home.path()).unwrap()), (INITIAL, Config::default()));
    fs::write(&path, "[limits]\ncalls = 7\n").unwrap();
    assert!(matches!(init(home.path()), Err(ConfigError::Exists { .. })));
    assert_eq!(read(home.path()).unwrap().limits[&LimitKind::Calls], 7);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn what_is_no_text_file_is_refused() {
    let home = tempfile::tempdir().unwrap();
    fs::write(path(home.path()), b"\xff").unwrap();
    assert!(matches!(read(home.path()), Err(ConfigError::NotText { .. })));
    fs::write(path(home.path()), " ".repeat(300 << 10)).unwrap();
    assert!(matches!(read(home.path()), Err(ConfigError::Wrong(_))));
    fs::remove_file(path(home.path())).unwrap();
    fs::create_dir(path(home.path())).unwrap();
    assert!(matches!(read(home.path()), Err(ConfigError::NotText { .. })));
}

#[test]
fn a_script_is_read_or_its_file_is_named() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(read_script(None).unwrap(), Script::embedded());
    let path = home.path().join("answers.toml");
    let check = |says: &str| {
        let error = read_script(Some(&path)).unwrap_err().to_string();
        assert!(error.contains("answers.toml") && error.contains(says), "{error}");
    };
    check("No such file");
    fs::write(&path, "[[answer]]\n").unwrap();
    check("answer 1 has to say one of");
    fs::write(&path, b"\xff").unwrap();
    check("UTF-8");
    fs::write(&path, " ".repeat((4 << 20) + 1)).unwrap();
    check("at most 4 MiB");
    fs::write(&path, "[[answer]]\ntext = \"Hello\"\n").unwrap();
    read_script(Some(&path)).unwrap();
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    check("no file");
}
