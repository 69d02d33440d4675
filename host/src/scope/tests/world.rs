//! A small world, so that scopes meet: few keys, hosts, paths, functions and amounts, and every question about them.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::super::*;
use crate::manifest::{Amounts, Ceiling, ConnectorPattern, DeniedHttp, KeyPrefix, Kv, LastDay, RemoteClass, Window};

fn parsed<T: std::str::FromStr<Err = crate::manifest::Malformed>>(text: &str) -> T {
    text.parse().unwrap()
}

fn one_of<T: Clone + std::fmt::Debug + 'static>(choices: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(choices.to_vec())
}

fn prefix() -> impl Strategy<Value = KeyPrefix> {
    "[ab/]{0,3}".prop_map(|text| text.parse().unwrap())
}

pub fn access() -> impl Strategy<Value = Access> {
    one_of(&[Access::Read, Access::ReadWrite])
}

fn quota() -> impl Strategy<Value = Option<u64>> {
    prop::option::of(0u64..4)
}

const WINDOWS: [Window; 4] = Window::ALL;
const MAXIMA: [u64; 7] = [1, 2, 3, 24, 25, 48, 49];
const DAYS: [&str; 2] = ["2026-01-31", "2026-12-31"];

/// Terms, of which an amount is counted for one of two rules.
fn terms() -> impl Strategy<Value = Terms> {
    let amounts = prop::collection::btree_map(one_of(&WINDOWS), one_of(&MAXIMA[..6]), 0..3);
    let some = (one_of(&[RuleId::kv(), RuleId::model()]), amounts, last_day()).prop_map(|(rule, amounts, expires)| {
        Terms::new(rule, crate::manifest::Terms { amounts: Amounts::new(amounts), expires })
    });
    prop_oneof![Just(Terms::default()), some]
}

fn last_day() -> impl Strategy<Value = Option<LastDay>> {
    prop::option::weighted(0.3, one_of(&DAYS)).prop_map(|day| day.map(parsed::<LastDay>))
}

/// Terms of what a grant cannot count.
fn uncounted() -> impl Strategy<Value = Terms> {
    last_day()
        .prop_map(|expires| Terms::new(RuleId::kv(), crate::manifest::Terms { amounts: Amounts::default(), expires }))
}

fn kv() -> impl Strategy<Value = Option<KvScope>> {
    let scope = (prop::collection::btree_set(prefix(), 0..4), access(), quota(), uncounted());
    scope.prop_map(|(prefixes, access, quota, terms)| KvScope::new(&Kv { prefixes, access, quota }, terms))
}

/// Files `a` to `c`, each mounted at one of two places or, in a grant, anywhere.
fn files() -> impl Strategy<Value = Vec<FilesScope>> {
    let entry = (0usize..3, access(), quota(), uncounted());
    prop::collection::vec(prop::option::of(entry), 3).prop_map(|entries| {
        let named = ["a", "b", "c"].into_iter().zip(entries);
        let scope = |(name, (place, access, quota, terms)): (&str, (usize, _, _, _))| {
            let mount: Option<String> = [None, Some(format!("/{name}")), Some(format!("/x/{name}"))][place].clone();
            FilesScope::new(parsed(name), mount.map(|mount| parsed(&mount)), access, quota).on(terms)
        };
        named.filter_map(|(name, entry)| Some(scope((name, entry?)))).collect()
    })
}

pub const METHODS: [&str; 3] = ["GET", "POST", "PUT"];
const PLACES: [&str; 5] = ["https://x", "https://a.x", "https://*.x", "https://*.a.x", "http://a.x"];
const PATHS: [&str; 4] = ["/", "/v/", "/v/w", "/v/ only"];

fn place() -> impl Strategy<Value = String> {
    (one_of(&PLACES), one_of(&PATHS)).prop_map(|(host, path)| {
        let (path, exact) = path.split_once(' ').map_or((path, ""), |(path, _)| (path, "\nexact = true"));
        format!("url = \"{host}{path}\"{exact}")
    })
}

/// The one entry that has amounts, so that there is one rule to ask about.
const COUNTED: &str = "[[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"https://x/\"\n";

/// What amounts are counted against in this world.
static RULES: LazyLock<[RuleId; 3]> = LazyLock::new(|| {
    let counted = Grant::parse("grant", COUNTED).unwrap();
    [RuleId::kv(), RuleId::model(), counted.http[0].http.rule()]
});

/// An entry as a declaration writes it.
fn http_text() -> impl Strategy<Value = String> {
    let methods = prop::sample::subsequence(METHODS.to_vec(), 1..=3);
    let attributes = [
        "",
        "idempotent = true",
        "addresses = [\"loopback\"]",
        "addresses = [\"10.0.0.0/8\"]",
        "response-size = 2",
        "response-size = 1\nclass = \"write-once\"",
        "expires = \"2026-01-31\"",
    ];
    let plain = (methods, place(), one_of(&attributes)).prop_map(|(methods, place, attributes)| {
        format!("[[capabilities.http]]\nmethods = {methods:?}\n{place}\n{attributes}\n")
    });
    let amounts = ["\"2 per day\"", "\"1 per hour\"", "[\"2 per day\", \"1 per hour\"]", "\"2 in total\""];
    let counted = one_of(&amounts).prop_map(|amounts| format!("{COUNTED}amount = {amounts}\n"));
    prop_oneof![4 => plain, 1 => counted]
}

/// Entries of which none shares a request with an earlier one: the others are left out.
fn http() -> impl Strategy<Value = Vec<HttpScope>> {
    prop::collection::vec(http_text(), 0..4).prop_map(|entries| {
        let mut text = String::new();
        for entry in entries {
            let longer = format!("{text}{entry}");
            text = if Grant::parse("grant", &longer).is_ok() { longer } else { text };
        }
        HttpScope::granted(&Grant::parse("grant", &text).unwrap().http)
    })
}

const INTERFACES: [&str; 2] = ["a:b/c@1.0.0", "a:b/d@1.0.0"];
const FUNCTIONS: [&str; 2] = ["f", "g"];

fn functions() -> impl Strategy<Value = FunctionScope> {
    (any::<bool>(), prop::sample::subsequence(FUNCTIONS.to_vec(), 0..=2)).prop_map(|(all, names)| {
        let names = names.into_iter().map(parsed).collect();
        if all { FunctionScope::AllBut(names) } else { FunctionScope::Only(names) }
    })
}

fn connectors() -> impl Strategy<Value = BTreeMap<Interface, ConnectorScope>> {
    let one = prop::option::of((functions(), terms()));
    prop::collection::vec(one, 2).prop_map(|scopes| {
        let named = INTERFACES.into_iter().zip(scopes);
        let scope = |(name, scope): (&str, Option<(FunctionScope, Terms)>)| {
            let (functions, terms) = scope?;
            Some((parsed(name), ConnectorScope::new(functions, terms).normal()?))
        };
        named.filter_map(scope).collect()
    })
}

fn tools() -> impl Strategy<Value = Option<ToolScope>> {
    let named = [INTERFACES[0].to_owned(), format!("{}#f", INTERFACES[0]), format!("{}#g", INTERFACES[1])];
    let listed = prop::option::of(prop::sample::subsequence(named.to_vec(), 1..=3));
    prop::option::of((listed, uncounted())).prop_map(|tools| {
        let (listed, terms) = tools?;
        let functions = listed.map(|listed| format!("functions = {listed:?}")).unwrap_or_default();
        let grant = Grant::parse("grant", &format!("[capabilities.tools]\n{functions}")).unwrap();
        ToolScope::new(&grant.tools?, terms)
    })
}

/// How long to sleep, which signals, and whether a person may be asked.
fn waits() -> impl Strategy<Value = (Option<TimerScope>, Option<SignalScope>, Option<ApprovalScope>)> {
    let names = prop::sample::subsequence(vec!["go", "stop"], 0..=2);
    let uncounted = || uncounted().boxed();
    ((0u64..4, uncounted()), (names, uncounted()), prop::option::of(uncounted())).prop_map(
        |(timer, signal, approval)| {
            let names = signal.0.into_iter().map(parsed).collect();
            (
                TimerScope::new(&crate::manifest::Timer { max: timer.0 }, timer.1),
                SignalScope::new(&crate::manifest::Signal { names }, signal.1),
                approval.map(ApprovalScope::new),
            )
        },
    )
}

fn model() -> impl Strategy<Value = Option<ModelScope>> {
    let tiers = prop::sample::subsequence(vec!["small", "large"], 0..=2);
    (tiers, prop::option::of(1u64..4), terms()).prop_map(|(tiers, max_tokens, terms)| {
        let tiers = tiers.into_iter().map(parsed).collect();
        ModelScope::new(&crate::manifest::Model { tiers, max_tokens }, terms)
    })
}

fn secrets() -> impl Strategy<Value = BTreeMap<Name, SecretScope>> {
    let one = prop::option::of((place(), one_of(&["header = \"x\"", "query = \"x\""]), uncounted()));
    one.prop_map(|secret| {
        let Some((place, slot, terms)) = secret else { return BTreeMap::new() };
        let grant = Grant::parse("grant", &format!("[capabilities.secrets.s]\n{place}\n{slot}\n")).unwrap();
        grant.secrets.iter().map(|(name, secret)| (name.clone(), SecretScope::new(secret, terms.clone()))).collect()
    })
}

pub fn remit() -> BoxedStrategy<Remit> {
    let log = prop::sample::subsequence(Level::ALL.to_vec(), 0..=5);
    let imports = prop::sample::subsequence(vec!["a:b/c", "a:b/d", "e"], 0..=3);
    let config = prop::sample::subsequence(vec!["A", "B"], 0..=2);
    // Boxed: what they are made of is large, and a thread of a test has little room.
    let local = (files(), kv(), log, imports, config).boxed();
    let outward = (http(), secrets(), model(), connectors(), tools()).boxed();
    let all = (local, outward, waits().boxed());
    all.prop_map(|(local, (http, secrets, model, connectors, tools), (timer, signal, approval))| {
        let (files, kv, log, imports, config) = local;
        Remit {
            files,
            kv,
            log: log.into_iter().collect(),
            imports: imports.into_iter().map(|text| text.parse().unwrap()).collect(),
            config: config.into_iter().map(|text| text.parse().unwrap()).collect(),
            http,
            secrets,
            model,
            connectors,
            tools,
            timer,
            signal,
            approval,
        }
    })
    .boxed()
}

/// A ceiling, often a low one.
pub fn ceiling() -> impl Strategy<Value = Ceiling> {
    let hosts = prop::option::of(one_of(&["x", "a.x", "*.x", "*.a.x", "b.x"]));
    let methods = prop::option::of(prop::sample::subsequence(METHODS.to_vec(), 1..=2));
    let denied = (methods, hosts).prop_map(|(methods, host)| DeniedHttp {
        methods: methods.map(|methods| methods.into_iter().map(parsed).collect()),
        scheme: None,
        host: host.map(parsed),
        port: None,
    });
    let patterns = ["a:b", "a:b/c", "a:b/c@1.0.0", "a:b/c@2.0.0", "a:b/d#f", "z:z"];
    let connectors = prop::sample::subsequence(patterns.to_vec(), 0..=2);
    let lists = (prop::collection::vec(denied, 0..3), prop::collection::btree_set(prefix(), 0..3), connectors);
    let bounds = (prop::option::of(access()), prop::option::of(1u64..4), any::<bool>());
    (lists, bounds).prop_map(|((http, kv, connectors), (files, max_tokens, denies))| {
        let mut ceiling = Ceiling { files, max_tokens, ..Ceiling::default() };
        ceiling.deny.http = http;
        ceiling.deny.kv = kv;
        ceiling.deny.connectors = connectors.into_iter().map(parsed::<ConnectorPattern>).collect();
        if denies {
            ceiling.deny.tiers.insert(parsed("large"));
            ceiling.deny.config.insert(parsed("A"));
            ceiling.deny.signals.insert(parsed("go"));
            ceiling.sleep = Some(2);
            ceiling.http.response_size = Some(1);
        }
        ceiling
    })
}

/// Two remits of which the second is often a small change of the first, so that every relation occurs; either may lie
/// under a ceiling.
pub fn pair() -> impl Strategy<Value = (Remit, Remit)> {
    prop_oneof![
        (remit(), remit()),
        (remit(), remit()).prop_map(|(a, b)| (a.clone(), a.intersect(&b))),
        (remit(), kv()).prop_map(|(a, kv)| (a.clone(), Remit { kv, ..a })),
        (remit(), files()).prop_map(|(a, files)| (a.clone(), Remit { files, ..a })),
        (remit(), http()).prop_map(|(a, http)| (a.clone(), Remit { http, ..a })),
        (remit(), connectors()).prop_map(|(a, connectors)| (a.clone(), Remit { connectors, ..a })),
        (remit(), ceiling()).prop_map(|(a, ceiling)| (a.clone(), a.under(&ceiling))),
        (remit(), ceiling(), ceiling()).prop_map(|(a, one, two)| (a.under(&one), a.under(&two))),
        (remit(), remit(), ceiling()).prop_map(|(a, b, one)| (a.under(&one), b)),
    ]
}

/// The targets of the world: for every pattern one that nothing else names.
pub fn targets() -> Vec<HttpTarget> {
    let hosts = ["x", "a.x", "b.x", "g.x", "g.a.x"].map(|host| ("https", host));
    let all = hosts.into_iter().chain([("http", "a.x")]);
    let target =
        |(scheme, host): (&str, &str), path: &str, method: &str| HttpTarget::parse(method, scheme, host, path).unwrap();
    all.flat_map(|host| {
        ["/", "/g", "/v/", "/v/g", "/v/w"]
            .into_iter()
            .flat_map(move |path| METHODS.map(|method| target(host, path, method)))
    })
    .collect()
}

/// Keys of up to four characters, the last of which no prefix has.
pub fn keys() -> Vec<String> {
    let mut keys = vec![String::new()];
    for start in 0..3u32 {
        let last = &keys[keys.len() - 3usize.pow(start)..];
        let longer: Vec<String> = last.iter().flat_map(|key| ["a", "b", "/"].map(|c| format!("{key}{c}"))).collect();
        keys.extend(longer);
    }
    let generic: Vec<String> = keys.iter().map(|key| format!("{key}g")).collect();
    [keys, generic].concat()
}

/// What terms allow: so many calls in each window, for each rule; on each day.
fn term_answers(allowed: bool, terms: Option<&Terms>) -> Vec<bool> {
    let mut answers = vec![allowed];
    for rule in &*RULES {
        let written = terms.into_iter().flat_map(Terms::amounts).filter(|(theirs, ..)| *theirs == rule);
        let amounts = Amounts::new(written.map(|(_, window, max)| (window, max)).collect());
        for window in WINDOWS {
            let fits = |wanted: &u64| amounts.most(window).is_none_or(|most| *wanted <= most);
            answers.extend(MAXIMA.iter().map(|wanted| allowed && fits(wanted)));
        }
    }
    let until = |day: &str| terms.and_then(Terms::expires).is_none_or(|last| parsed::<LastDay>(day) <= last);
    answers.extend(["2026-01-31", "2026-12-31", "2027-01-01"].map(|day| allowed && until(day)));
    answers
}

/// Every question that a guest could ask, in this world. An amount of bytes is the total written.
pub fn answers(remit: &Remit) -> Vec<bool> {
    let mut answers = local_answers(remit);
    for target in targets() {
        let rule = remit.http_allows(&target).ok();
        answers.extend(term_answers(rule.is_some(), rule.map(|rule| rule.terms())));
        answers.extend(RemoteClass::ALL.map(|class| rule.is_some_and(|rule| rule.class() <= class)));
        answers.extend((0..4).map(|size| rule.is_some_and(|rule| bounds(rule.caps().response_size, Some(size)))));
        let addresses = ["127.0.0.1", "10.0.0.1", "::1"].map(|address| address.parse().unwrap());
        answers.extend(addresses.map(|at| rule.is_some_and(|rule| rule.special_address_allows(&target, at).is_ok())));
        for slot in ["header x", "query x"] {
            let mut secrets = remit.secrets_for(&target).filter(|(_, secret)| secret.slot().to_string() == slot);
            let secret = secrets.next().map(|(_, secret)| secret.terms());
            answers.extend(term_answers(secret.is_some(), secret));
        }
    }
    for (tier, tokens) in ["small", "large"].into_iter().flat_map(|tier| (1..5).map(move |tokens| (tier, tokens))) {
        let model = remit.model_allows(tier, if tokens == 4 { None } else { Some(tokens) }).ok();
        answers.extend(term_answers(model.is_some(), model.map(ModelScope::terms)));
    }
    for (interface, function) in INTERFACES.into_iter().flat_map(|name| ["f", "g", "other"].map(|f| (name, f))) {
        let connector = remit.connector_allows(&parsed(interface), function).ok();
        answers.extend(term_answers(connector.is_some(), connector.map(ConnectorScope::terms)));
    }
    for (interface, function) in ["a:b/other@1.0.0", INTERFACES[0], INTERFACES[1]]
        .into_iter()
        .flat_map(|name| ["f", "g", "other"].map(|f| (name, f)))
    {
        let tools = remit.tool_allows(&parsed(interface), function).ok();
        answers.extend(term_answers(tools.is_some(), tools.map(ToolScope::terms)));
    }
    for wanted_ms in 1..5 {
        let timer = remit.timer_allows(wanted_ms).ok();
        answers.extend(term_answers(timer.is_some(), timer.map(TimerScope::terms)));
    }
    for name in ["go", "stop", "other"] {
        let signal = remit.signal_allows(name).ok();
        answers.extend(term_answers(signal.is_some(), signal.map(SignalScope::terms)));
    }
    let approval = remit.approval_allows().ok();
    answers.extend(term_answers(approval.is_some(), approval.map(ApprovalScope::terms)));
    answers
}

fn local_answers(remit: &Remit) -> Vec<bool> {
    let mut answers = Vec::new();
    let fits = |quota: Option<u64>, total: u64| quota.is_none_or(|quota| total <= quota);
    for key in keys() {
        let reads = remit.kv_allows(&key, Access::Read).is_ok();
        answers.extend(term_answers(reads, remit.kv().map(KvScope::terms)));
        let writes = remit.kv_allows(&key, Access::ReadWrite).is_ok();
        answers.extend((0..5).map(|total| writes && fits(remit.kv().and_then(KvScope::quota), total)));
    }
    for (name, place) in ["a", "b", "c"].into_iter().flat_map(|name| ["", "/x", "/y"].map(|place| (name, place))) {
        let index = remit.files().iter().position(|files| files.name().as_str() == name).unwrap_or(usize::MAX);
        let files = remit.files().get(index);
        let mount = format!("{place}/{name}");
        let there = files.is_some_and(|files| files.mount().is_none_or(|at| at.as_str() == mount));
        let reads = there && remit.file_allows(index, Access::Read).is_ok();
        answers.extend(term_answers(reads, files.map(FilesScope::terms)));
        let writes = there && remit.file_allows(index, Access::ReadWrite).is_ok();
        answers.extend((0..5).map(|total| writes && fits(files.and_then(FilesScope::quota), total)));
    }
    answers.extend(Level::ALL.map(|level| remit.log_allows(level).is_ok()));
    answers.extend(["a:b/c", "a:b/d", "e"].map(|name| remit.imports().contains(&name.parse().unwrap())));
    answers.extend(["A", "B"].map(|key| remit.config_allows(key).is_ok()));
    answers
}
