//! The tracker on a store in memory: what callers may count on, and what is refused.

use std::collections::BTreeMap;

use super::*;

/// A store in memory, of JSON as the real one.
#[derive(Default)]
struct Map(BTreeMap<String, String>);

impl Store for Map {
    fn get<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        Ok(self.0.get(key).map(|text| serde_json::from_str(text).expect("what was stored")))
    }

    fn set<T: serde::Serialize>(&mut self, key: &str, value: &T) -> Result<(), Error> {
        self.0.insert(key.to_owned(), serde_json::to_string(value).expect("JSON"));
        Ok(())
    }

    fn keys(&self, prefix: &str) -> impl Iterator<Item = Result<String, Error>> {
        self.0.keys().filter(move |key| key.starts_with(prefix)).cloned().map(Ok)
    }
}

fn id(number: usize) -> String {
    format!("000000000-{number:08}")
}

fn draft(title: &str) -> Draft {
    Draft { title: title.to_owned(), body: String::new(), labels: Vec::new(), reference: None }
}

/// Returns a store with issues of these titles, numbered from 0.
fn with(titles: &[&str]) -> Map {
    let mut store = Map::default();
    for (number, title) in titles.iter().enumerate() {
        create(&mut store, id(number), draft(title)).expect("a good draft");
    }
    store
}

fn titles(store: &Map, filter: &Filter) -> Vec<String> {
    list(store, filter).expect("a list").into_iter().map(|issue| issue.title).collect()
}

const EVERY: Filter = Filter { label: None, open: None, after: None };

#[track_caller]
fn check_invalid<T: std::fmt::Debug>(result: Result<T, Error>, part: &str) {
    match result {
        Err(Error::Invalid(message)) => assert!(message.contains(part), "{message}"),
        other => panic!("{other:?} is not a refusal for {part:?}"),
    }
}

#[test]
fn an_issue_is_kept_as_it_was_drafted() {
    let mut store = Map::default();
    let labels = ["ui", "bug", "ui"].map(str::to_owned).to_vec();
    let reference = Some("reports/7".to_owned());
    let draft = Draft { body: "It blinks.".into(), labels, reference: reference.clone(), ..draft("Blinking") };
    let made = create(&mut store, id(1), draft).unwrap();
    let expected = Issue {
        id: id(1),
        title: "Blinking".into(),
        body: "It blinks.".into(),
        labels: vec!["bug".into(), "ui".into()],
        reference,
        comments: Vec::new(),
        open: true,
    };
    assert_eq!(get(&store, &made).unwrap(), expected);
}

#[test]
fn one_reference_has_one_issue() {
    let mut store = Map::default();
    let about = |title| Draft { reference: Some("reports/7".to_owned()), ..draft(title) };
    create(&mut store, id(1), about("first")).unwrap();
    assert_eq!(create(&mut store, id(2), about("second")), Err(Error::Duplicate(id(1))));
    assert_eq!(titles(&store, &EVERY), ["first"]);
    assert_eq!(find(&store, "reports/7"), Ok(Some(id(1))));
    assert_eq!(find(&store, "reports/8"), Ok(None));
    store.0.remove(&key(&id(1)));
    assert_eq!(create(&mut store, id(2), about("second")), Ok(id(2)), "the reference led nowhere");
}

#[test]
fn issues_are_changed_one_by_one() {
    let mut store = with(&["a", "b"]);
    label(&mut store, &id(0), "late".into()).unwrap();
    label(&mut store, &id(0), "bug".into()).unwrap();
    label(&mut store, &id(0), "bug".into()).unwrap();
    comment(&mut store, &id(0), "seen".into()).unwrap();
    close(&mut store, &id(0)).unwrap();
    let issue = get(&store, &id(0)).unwrap();
    assert_eq!(
        (issue.labels.join(" ").as_str(), issue.comments.join(" ").as_str(), issue.open),
        ("bug late", "seen", false)
    );
    assert!(get(&store, &id(1)).unwrap().open);
}

#[test]
fn what_is_not_there_is_not_found() {
    let mut store = with(&["a"]);
    for id in [&id(9), "", "1", "../reference/x"] {
        assert_eq!(get(&store, id), Err(Error::NotFound(id.to_owned())));
        assert_eq!(close(&mut store, id), Err(Error::NotFound(id.to_owned())));
    }
}

#[test]
fn lists_are_filtered_and_paged() {
    let names: Vec<String> = (0..PAGE_LEN + 2).map(|number| number.to_string()).collect();
    let mut store = with(&names.iter().map(String::as_str).collect::<Vec<_>>());
    label(&mut store, &id(3), "bug".into()).unwrap();
    close(&mut store, &id(0)).unwrap();
    assert_eq!(titles(&store, &EVERY).len(), PAGE_LEN);
    let after = Some(id(PAGE_LEN - 1));
    assert_eq!(titles(&store, &Filter { after, ..EVERY }), names[PAGE_LEN..]);
    assert_eq!(titles(&store, &Filter { label: Some("bug".into()), ..EVERY }), ["3"]);
    assert_eq!(titles(&store, &Filter { open: Some(false), ..EVERY }), ["0"]);
    assert_eq!(titles(&store, &Filter { label: Some("bug".into()), open: Some(false), after: None }), [""; 0]);
}

#[test]
fn what_breaks_a_rule_changes_nothing() {
    let mut store = with(&["a"]);
    let before = store.0.clone();
    let labels = |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<_>>();
    let new = |store: &mut Map, draft| create(store, id(1), draft);
    check_invalid(new(&mut store, draft("")), "a title has 1 to 200 bytes");
    check_invalid(new(&mut store, draft(&"x".repeat(rules::TITLE_LEN_MAX + 1))), "this has 201");
    check_invalid(new(&mut store, draft("two\nlines")), "one line");
    let body = "x".repeat(rules::BODY_LEN_MAX + 1);
    check_invalid(new(&mut store, Draft { body, ..draft("b") }), "a body");
    check_invalid(new(&mut store, Draft { labels: labels(rules::LABELS_MAX + 1), ..draft("b") }), "at most 16 labels");
    check_invalid(new(&mut store, Draft { labels: vec!["a b".into()], ..draft("b") }), "white space");
    check_invalid(new(&mut store, Draft { reference: Some(String::new()), ..draft("b") }), "a reference");
    check_invalid(label(&mut store, &id(0), String::new()), "a label");
    check_invalid(comment(&mut store, &id(0), "x".repeat(rules::COMMENT_LEN_MAX + 1)), "a comment");
    assert_eq!(store.0, before);
}

#[test]
fn an_issue_grows_to_its_limits_and_no_further() {
    let mut store = with(&["a"]);
    (0..rules::COMMENTS_MAX).for_each(|_| comment(&mut store, &id(0), "x".into()).unwrap());
    check_invalid(comment(&mut store, &id(0), "x".into()), "at most 200 comments");
    (0..rules::LABELS_MAX).for_each(|number| label(&mut store, &id(0), number.to_string()).unwrap());
    check_invalid(label(&mut store, &id(0), "more".into()), "at most 16 labels");
    label(&mut store, &id(0), "0".into()).unwrap();
    assert_eq!(get(&store, &id(0)).unwrap().comments.len(), rules::COMMENTS_MAX);
}
