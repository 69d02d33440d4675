//! The ceiling: what the operator's configuration allows at most, whoever asks and whoever grants. The only place for
//! deny rules.
//!
//! A deny rule for HTTP names methods, schemes, hosts and ports, and no paths: servers differ in what they take for
//! one path, so that a denied path could be reached by another spelling of it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::capabilities::{self, word};
use super::connector::ConnectorPattern;
use super::errors::{Errors, Fault, Problems};
use super::http::{self, Addresses, CAP_KEYS, Caps, HostPattern, Method, Place, Scheme};
use super::limit::{LimitValues, read_limits};
use super::model::read_max_tokens;
use super::name::{ConfigKey, ImportName, KeyPrefix, Name};
use super::reading::document;
use super::request::Access;
use super::section::{Malformed, Section, parsed};
use super::wait;

/// Elements of one list, and entries of `[[ceiling.deny.http]]`.
const DENIED_MAX: usize = 64;

/// What the operator's configuration allows at most. The default bounds nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ceiling {
    /// What is refused, whatever a grant says.
    pub deny: Deny,
    /// The most that may be done with files.
    pub files: Option<Access>,
    /// The most that an exchange over HTTP may take.
    pub http: Caps,
    /// The special addresses that a grant can open at all. Nothing: all of them.
    pub addresses: Option<Addresses>,
    /// The most tokens of one answer of a model.
    pub max_tokens: Option<u64>,
    /// The longest sleep, in milliseconds.
    pub sleep: Option<u64>,
    /// Bounds on limits.
    pub limits: LimitValues,
}

/// What is refused, whatever a grant says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deny {
    /// Requests over HTTP.
    pub http: Vec<DeniedHttp>,
    /// Connectors and functions of them.
    pub connectors: BTreeSet<ConnectorPattern>,
    /// Tiers of models.
    pub tiers: BTreeSet<Name>,
    /// Secrets, by their name in requests.
    pub secrets: BTreeSet<Name>,
    /// The keys of kv with these prefixes.
    pub kv: BTreeSet<KeyPrefix>,
    /// Configuration values.
    pub config: BTreeSet<ConfigKey>,
    /// Signals.
    pub signals: BTreeSet<Name>,
    /// Imports.
    pub imports: BTreeSet<ImportName>,
}

/// Requests over HTTP that are refused: those that fit everything that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeniedHttp {
    /// Their methods.
    pub methods: Option<BTreeSet<Method>>,
    /// Their scheme.
    pub scheme: Option<Scheme>,
    /// Their host.
    pub host: Option<HostPattern>,
    /// Their port.
    pub port: Option<u16>,
}

impl DeniedHttp {
    /// Tells whether requests by `method` to `place` are refused, as far as that does not depend on the host.
    pub fn reaches(&self, method: &Method, place: &Place) -> bool {
        self.methods.as_ref().is_none_or(|methods| methods.contains(method))
            && self.scheme.is_none_or(|scheme| scheme == place.scheme)
            && self.port.is_none_or(|port| port == place.port)
    }

    fn read(section: &Section<'_>, problems: &mut Problems) -> Option<Self> {
        let known = ["methods", "scheme", "host", "port"];
        section.allow_only(problems, &known, |key| {
            let why = "servers read one path in several ways, so that denying one would deny nothing";
            ["path", "url"].contains(&key).then(|| (Fault::UnknownKey, why.to_owned()))
        });
        if !known.iter().any(|key| section.has(key)) {
            section.report_missing(problems, "host");
        }
        let methods = if section.has("methods") { Some(http::read_methods(section, problems)?) } else { None };
        let scheme = section.optional(problems, "scheme", |node| word(node, &Scheme::ALL, Scheme::word));
        let host = section.optional(problems, "host", parsed::<HostPattern>);
        let port = section.optional(problems, "port", http::port);
        Some(Self { methods, scheme, host, port })
    }
}

impl fmt::Display for DeniedHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods = self.methods.as_ref().map_or_else(|| "any method".to_owned(), http::method_list);
        let scheme = self.scheme.map_or("any scheme", Scheme::word);
        let host = self.host.as_ref().map_or_else(|| "any host".to_owned(), ToString::to_string);
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        write!(f, "{methods}, {scheme}, {host}{port}")
    }
}

impl Ceiling {
    /// Reads the table `[ceiling]` of the operator's configuration. Other tables of it are not looked at. Without the
    /// table, nothing is bounded.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the table; only that the text is too large when it has more than
    /// [`SIZE_MAX`](super::SIZE_MAX) bytes.
    pub fn of_configuration(source_name: &str, text: &str) -> Result<Self, Errors> {
        document(source_name, text, |root, problems| {
            let has = root.has("ceiling");
            let section = root.section(problems, "ceiling");
            if has { Some(Self::read(&section?, problems)) } else { Some(Self::default()) }
        })
    }

    fn read(section: &Section<'_>, problems: &mut Problems) -> Self {
        section.allow_only(problems, &["deny", "files", "http", "model", "timer", "limits"], |_| None);
        let files = section.section(problems, "files").and_then(|files| {
            files.allow_only(problems, &["access"], |_| None);
            files.required(problems, "access", capabilities::access)
        });
        let http = section.section(problems, "http");
        if let Some(http) = &http {
            http.allow_only(problems, &[&CAP_KEYS[..], &["addresses"]].concat(), |_| None);
        }
        let max_tokens = section.section(problems, "model").and_then(|model| {
            model.allow_only(problems, &["max-tokens"], |_| None);
            read_max_tokens(&model, problems)
        });
        let sleep = section.section(problems, "timer").and_then(|timer| {
            timer.allow_only(problems, &["max"], |_| None);
            timer.required(problems, "max", wait::sleep)
        });
        Self {
            deny: section.section(problems, "deny").map(|deny| Deny::read(&deny, problems)).unwrap_or_default(),
            files,
            http: http.as_ref().map(|http| Caps::read(http, problems)).unwrap_or_default(),
            addresses: http.as_ref().and_then(|http| http::read_addresses(http, problems)),
            max_tokens,
            sleep,
            limits: read_limits(section, problems),
        }
    }
}

impl Deny {
    fn read(section: &Section<'_>, problems: &mut Problems) -> Self {
        let known = ["http", "connectors", "tiers", "secrets", "kv", "config", "signals", "imports"];
        section.allow_only(problems, &known, |_| None);
        let entries = section.tables(problems, "http", DENIED_MAX);
        let http = entries.iter().filter_map(|entry| DeniedHttp::read(entry, problems)).collect();
        Self {
            http,
            connectors: set(section, problems, "connectors"),
            tiers: set(section, problems, "tiers"),
            secrets: set(section, problems, "secrets"),
            kv: set(section, problems, "kv"),
            config: set(section, problems, "config"),
            signals: set(section, problems, "signals"),
            imports: set(section, problems, "imports"),
        }
    }
}

/// Reads a list of which the order does not count; the empty set when it is absent.
fn set<T: FromStr<Err = Malformed> + Ord>(section: &Section<'_>, problems: &mut Problems, key: &str) -> BTreeSet<T> {
    section.list(problems, key, DENIED_MAX, parsed::<T>).unwrap_or_default().into_iter().collect()
}
