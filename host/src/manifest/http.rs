//! Requests over HTTP: which a plugin asks for, and which an operator grants.
//!
//! An entry of `[[capabilities.http]]` names methods and a [`Place`]. No two entries of one declaration share a
//! request, so that there is one answer to what holds for it.

mod address;
mod host;
mod method;
mod path;
mod place;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::capabilities::{self, word};
use super::errors::{Fault, Problem, Problems};
use super::quantity;
use super::section::{Malformed, Node, Section, bad_value, parsed};
use super::terms::{RuleId, TERM_KEYS, Terms, read_terms};

pub use address::{Addresses, Block};
pub(super) use host::by_text;
pub use host::{Host, HostPattern};
pub use method::{Method, RemoteClass};
pub use path::{PATH_LEN_MAX, PathPattern, normal_path};
pub(crate) use place::boolean;
pub(super) use place::{PLACE_KEYS, port, read_place};
pub use place::{Place, Scheme, split_authority};

/// Entries of `[[capabilities.http]]` in one declaration. Two documents meet in at most the product of both.
pub(super) const ENTRIES_MAX: usize = 64;
/// Elements of one list in an entry.
const LIST_MAX: usize = 64;
/// Bytes of a body that a cap can name.
const SIZE_MAX: u64 = 1 << 30;
/// Milliseconds that a cap can name.
const TIME_MAX_MS: u64 = 3_600_000;
/// Requests in a second that a rate can name.
const RATE_MAX: u64 = 1_000_000;

/// The keys that bound an exchange.
pub(super) const CAP_KEYS: [&str; 6] =
    ["request-size", "response-size", "connect-time", "first-byte-time", "exchange-time", "per-second"];

/// The most that an exchange may take. Nothing: bounded only by the host's own limits.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Caps {
    /// Bytes of the request's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_size: Option<u64>,
    /// Bytes of the response's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_size: Option<u64>,
    /// Milliseconds until connected.
    #[serde(default, rename = "connect-time", skip_serializing_if = "Option::is_none")]
    pub connect_time_ms: Option<u64>,
    /// Milliseconds from sending the request to the first byte of the response.
    #[serde(default, rename = "first-byte-time", skip_serializing_if = "Option::is_none")]
    pub first_byte_time_ms: Option<u64>,
    /// Milliseconds of the whole exchange.
    #[serde(default, rename = "exchange-time", skip_serializing_if = "Option::is_none")]
    pub exchange_time_ms: Option<u64>,
    /// Requests started in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_second: Option<u64>,
}

impl Caps {
    /// Returns each cap with its key.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Option<u64>)> {
        let values = [
            self.request_size,
            self.response_size,
            self.connect_time_ms,
            self.first_byte_time_ms,
            self.exchange_time_ms,
            self.per_second,
        ];
        CAP_KEYS.into_iter().zip(values)
    }

    /// Returns the lower of both for every cap, where nothing means no bound.
    pub fn lower(&self, other: &Self) -> Self {
        let min = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
        Self {
            request_size: min(self.request_size, other.request_size),
            response_size: min(self.response_size, other.response_size),
            connect_time_ms: min(self.connect_time_ms, other.connect_time_ms),
            first_byte_time_ms: min(self.first_byte_time_ms, other.first_byte_time_ms),
            exchange_time_ms: min(self.exchange_time_ms, other.exchange_time_ms),
            per_second: min(self.per_second, other.per_second),
        }
    }

    /// Returns each cap that is set, as a declaration writes its value.
    pub fn written(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.iter().filter_map(|(key, value)| Some((key, written(key, value?))))
    }

    /// Returns the caps for people: `response-size 1 MiB, exchange-time 30s`.
    pub fn words(&self) -> Vec<String> {
        let said = |(key, value): (&str, String)| format!("{key} {}", value.trim_matches('"'));
        self.written().map(said).collect()
    }

    pub(super) fn read(section: &Section<'_>, problems: &mut Problems) -> Self {
        let mut size = |key| section.optional(problems, key, |node| within(quantity::size(node)?, 0, SIZE_MAX, key));
        let (request_size, response_size) = (size("request-size"), size("response-size"));
        let mut time =
            |key| section.optional(problems, key, |node| within(quantity::duration(node)?, 1, TIME_MAX_MS, key));
        let connect_time_ms = time("connect-time");
        let first_byte_time_ms = time("first-byte-time");
        let exchange_time_ms = time("exchange-time");
        let rate = |node: &Node<'_>| within(quantity::number(node)?, 1, RATE_MAX, "per-second");
        let per_second = section.optional(problems, "per-second", rate);
        Self { request_size, response_size, connect_time_ms, first_byte_time_ms, exchange_time_ms, per_second }
    }
}

fn written(key: &str, value: u64) -> String {
    match key {
        _ if key.ends_with("-size") => quantity::exact_size(value),
        _ if key.ends_with("-time") => quantity::exact_duration(value),
        _ => value.to_string(),
    }
}

fn within(value: u64, least: u64, most: u64, key: &str) -> Result<u64, Malformed> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    let expected = format!("{} to {}", written(key, least), written(key, most)).replace('"', "");
    Err(Malformed { found: written(key, value).replace('"', ""), expected, hint: None })
}

/// Requests by some methods to some places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Http {
    /// By which methods. Never empty.
    pub methods: BTreeSet<Method>,
    /// Where to.
    #[serde(flatten)]
    pub place: Place,
    /// The effect class, when it is stricter than that of the method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<RemoteClass>,
    /// The most that each exchange may take.
    #[serde(flatten)]
    pub caps: Caps,
}

impl Http {
    /// Returns what names the entry: what amounts are counted against.
    pub fn rule(&self) -> RuleId {
        RuleId::http(self)
    }

    fn shares_requests_with(&self, other: &Self) -> bool {
        !self.methods.is_disjoint(&other.methods) && self.place.intersect(&other.place).is_some()
    }

    /// Reads an entry. `loosened` says that the far side honours our idempotency key.
    fn read(section: &Section<'_>, problems: &mut Problems, loosened: bool) -> Option<Self> {
        let methods = read_methods(section, problems);
        let place = read_place(section, problems);
        let caps = Caps::read(section, problems);
        let class = section.optional(problems, "class", class);
        let (methods, place) = (methods?, place?);
        check_class(section, problems, &methods, class, loosened);
        Some(Self { methods, place, class, caps })
    }
}

impl fmt::Display for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", method_list(&self.methods), self.place)
    }
}

/// Returns methods as people read them: `GET,POST`.
pub fn method_list(methods: &BTreeSet<Method>) -> String {
    methods.iter().map(Method::as_str).collect::<Vec<_>>().join(",")
}

/// Requests that an operator grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedHttp {
    /// Which requests.
    pub http: Http,
    /// Whether these places honour our idempotency key, whatever the method.
    pub idempotent: bool,
    /// The addresses that are not on the public network and still may be connected to.
    pub addresses: Addresses,
    /// How often, and until when.
    pub terms: Terms,
}

/// Reads the entries of a request, each with its reason.
pub(super) fn read_asked(section: &Section<'_>, problems: &mut Problems) -> Vec<super::Asked<Http>> {
    let known = [&PLACE_KEYS[..], &CAP_KEYS, &["methods", "class", "why"]].concat();
    let mut asked: Vec<super::Asked<Http>> = Vec::new();
    for section in section.tables(problems, "http", ENTRIES_MAX) {
        capabilities::allow_in_request(&section, problems, &known);
        let why = section.required(problems, "why", capabilities::why);
        let (Some(scope), Some(why)) = (Http::read(&section, problems, false), why) else { continue };
        check_apart(&section, problems, asked.iter().map(|earlier| &earlier.scope), &scope);
        asked.push(super::Asked { why, scope });
    }
    asked
}

/// Reads the entries of a grant.
pub(super) fn read_granted(section: &Section<'_>, problems: &mut Problems) -> Vec<GrantedHttp> {
    let own = ["methods", "class", "why", "idempotent", "addresses"];
    let known = [&PLACE_KEYS[..], &CAP_KEYS, &TERM_KEYS, &own].concat();
    let mut granted: Vec<GrantedHttp> = Vec::new();
    for section in section.tables(problems, "http", ENTRIES_MAX) {
        section.allow_only(problems, &known, |_| None);
        section.optional(problems, "why", capabilities::why);
        let idempotent = section.optional(problems, "idempotent", boolean).unwrap_or(false);
        let addresses = read_addresses(&section, problems).unwrap_or_default();
        let terms = read_terms(&section, problems);
        let Some(http) = Http::read(&section, problems, idempotent) else { continue };
        check_apart(&section, problems, granted.iter().map(|earlier| &earlier.http), &http);
        granted.push(GrantedHttp { http, idempotent, addresses, terms });
    }
    granted
}

pub(super) fn read_methods(section: &Section<'_>, problems: &mut Problems) -> Option<BTreeSet<Method>> {
    if !section.has("methods") {
        section.report_missing(problems, "methods");
    }
    let methods = section.some_of(problems, "methods", LIST_MAX, parsed::<Method>)?;
    Some(methods.into_iter().collect()).filter(|methods: &BTreeSet<Method>| !methods.is_empty())
}

pub(super) fn read_addresses(section: &Section<'_>, problems: &mut Problems) -> Option<Addresses> {
    let listed = section.list(problems, "addresses", LIST_MAX, parsed::<Addresses>)?;
    Some(listed.iter().fold(Addresses::default(), |all, addresses| all.with(addresses)))
}

fn class(node: &Node<'_>) -> Result<RemoteClass, Malformed> {
    word(node, &RemoteClass::ALL, RemoteClass::word)
}

/// Reports a class that is weaker than the one that a method has anyway.
fn check_class(
    section: &Section<'_>,
    problems: &mut Problems,
    methods: &BTreeSet<Method>,
    class: Option<RemoteClass>,
    loosened: bool,
) {
    let own = |method: &Method| method.class_where(loosened);
    let Some((class, method)) = class.zip(methods.iter().max_by_key(|method| own(method))) else { return };
    if class < own(method) {
        let wrong = Malformed {
            found: format!("\"{class}\""),
            expected: format!("a class at least as strict as that of {method}, \"{}\"", own(method)),
            hint: Some("only a grant loosens it, with `idempotent = true`".to_owned()),
        };
        problems.push(bad_value(section.path_of("class"), wrong, section.span_of("class")));
    }
}

/// Reports an entry that shares a request with an earlier one: what holds for that request would be a guess.
fn check_apart<'h>(
    section: &Section<'_>,
    problems: &mut Problems,
    earlier: impl Iterator<Item = &'h Http>,
    http: &Http,
) {
    for (index, other) in earlier.enumerate().filter(|(_, other)| http.shares_requests_with(other)) {
        let key = if section.has("url") { "url" } else { "host" };
        problems.push(Problem {
            fault: Fault::Conflict,
            title: format!("`{}`: shares requests with `capabilities.http[{index}]`", section.path_of(key)),
            label: format!("some are also among {other}"),
            hint: Some("name each request in one entry; entries with other methods may share a place".to_owned()),
            span: section.span_of(key),
        });
    }
}
