//! What a plugin asks for: its capabilities, each with a reason, and its limits.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::capabilities::{self, Table};
use super::connector::{self, Connector, Interface, Tools};
use super::errors::{Fault, Problem, Problems};
use super::grant::Grant;
use super::http::{self, Http, PLACE_KEYS};
use super::limit::{LimitValues, read_limits};
use super::model::{self, Model};
use super::mount::{self, Mount, Overlap};
use super::name::{ConfigKey, ImportName, KeyPrefix, Name, Sentence};
use super::secret::{self, Secret};
use super::section::Section;
use super::wait::{self, Approval, Signal, Timer};

/// What a capability may be used for. A call that writes asks for [`Access::ReadWrite`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Only to read.
    Read,
    /// To read and to change.
    ReadWrite,
}

impl Access {
    /// Returns the word in a declaration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadWrite => "read-write",
        }
    }
}

/// How urgent a log line is, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Every step.
    Trace,
    /// For whoever looks for a mistake.
    Debug,
    /// What is going on.
    Info,
    /// Something is not as it should be.
    Warn,
    /// Something did not work.
    Error,
}

impl Level {
    /// Every level, least urgent first.
    pub const ALL: [Self; 5] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// Returns the word in a declaration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// Something that is asked for, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked<T> {
    /// The reason, for the person who grants.
    pub why: Sentence,
    /// What is asked for.
    #[serde(flatten)]
    pub scope: T,
}

/// Files under one mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Files {
    /// Where the guest sees them.
    pub mount: Mount,
    /// What it may do with them.
    pub access: Access,
    /// The most bytes written in a run. Nothing: bounded only by the limit `file-writes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<u64>,
}

/// Keys and values of the plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kv {
    /// Which keys. Never empty.
    pub prefixes: BTreeSet<KeyPrefix>,
    /// What it may do with them.
    pub access: Access,
    /// The most bytes of all its keys and values. Nothing: bounded only by the limit `kv-total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<u64>,
}

/// Values that the operator sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Config {
    /// Which values. Never empty.
    pub keys: BTreeSet<ConfigKey>,
}

/// Everything that a plugin asks for. No two mounts overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Request {
    /// Files, by logical name.
    pub files: BTreeMap<Name, Asked<Files>>,
    /// Its own keys and values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kv: Option<Asked<Kv>>,
    /// The log levels it wants. Nothing: all of them, which is what a plugin has that does not ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<BTreeSet<Level>>,
    /// Imports other than WASI's and Remit's own, with the reason for each.
    pub imports: BTreeMap<ImportName, Sentence>,
    /// Configuration values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Asked<Config>>,
    /// Requests over HTTP. No two entries share one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<Asked<Http>>,
    /// Secrets that the host adds to requests, by logical name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<Name, Asked<Secret>>,
    /// Models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Asked<Model>>,
    /// Interfaces of connectors.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub connectors: BTreeMap<Interface, Asked<Connector>>,
    /// Functions of connectors that a model may choose from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Asked<Tools>>,
    /// How long it may sleep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timer: Option<Asked<Timer>>,
    /// Which signals it may wait for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<Asked<Signal>>,
    /// That it may ask a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Asked<Approval>>,
    /// The limits it wants, where they differ from the defaults.
    pub limits: LimitValues,
}

impl Request {
    /// Returns the request of a bare component, which says nothing itself: all that its operator grants. Imports are not
    /// among it, for a component does not start with one that its manifest does not request; nor are files of which the
    /// grant does not say where the guest sees them.
    pub fn of_grant(grant: &Grant) -> Self {
        fn asked<T: Clone>(scope: &T) -> Asked<T> {
            Asked { why: Sentence::given_by_operator(), scope: scope.clone() }
        }
        let files = grant.files.iter().filter_map(|(name, granted)| {
            let (mount, access, quota) = (granted.mount.clone()?, granted.access, granted.quota);
            Some((name.clone(), asked(&Files { mount, access, quota })))
        });
        let config = Config { keys: grant.config.clone() };
        Self {
            files: files.collect(),
            kv: grant.kv.as_ref().map(asked),
            log: grant.log.clone(),
            config: (!config.keys.is_empty()).then(|| asked(&config)),
            http: grant.http.iter().map(|granted| asked(&granted.http)).collect(),
            secrets: grant.secrets.iter().map(|(name, secret)| (name.clone(), asked(secret))).collect(),
            model: grant.model.as_ref().map(asked),
            connectors: grant.connectors.iter().map(|(name, connector)| (name.clone(), asked(connector))).collect(),
            tools: grant.tools.as_ref().map(asked),
            timer: grant.timer.as_ref().map(asked),
            signal: grant.signal.as_ref().map(asked),
            approval: grant.approval.as_ref().map(asked),
            ..Self::default()
        }
    }

    /// Returns the request of a bare component: what the command line mounts, under names made from the mounts.
    ///
    /// # Errors
    ///
    /// Returns the first two mounts that overlap.
    pub fn of_mounts(mounts: impl IntoIterator<Item = (Mount, Access)>) -> Result<Self, Overlap> {
        let mut files: BTreeMap<Name, Asked<Files>> = BTreeMap::new();
        for (mount, access) in mounts {
            let name = free_name(&mount.suggested_name(), &files);
            let scope = Files { mount, access, quota: None };
            files.insert(name, Asked { why: Sentence::given_by_operator(), scope });
        }
        mount::check_disjoint(files.values().map(|asked| &asked.scope.mount))?;
        Ok(Self { files, ..Self::default() })
    }

    pub(super) fn read(root: &Section<'_>, problems: &mut Problems) -> Self {
        let limits = read_limits(root, problems);
        let Some(section) = root.section(problems, "capabilities") else {
            return Self { limits, ..Self::default() };
        };
        capabilities::allow_known(&section, problems);
        Self {
            files: read_files(&section, problems),
            kv: section.section(problems, "kv").and_then(|kv| read_kv(&kv, problems)),
            log: section.section(problems, "log").and_then(|log| capabilities::read_log(&log, problems)),
            imports: read_imports(&section, problems),
            config: section.section(problems, "config").and_then(|config| read_config(&config, problems)),
            http: http::read_asked(&section, problems),
            secrets: read_secrets(&section, problems),
            model: section.section(problems, "model").and_then(|model| read_model(&model, problems)),
            connectors: read_connectors(&section, problems),
            tools: section.section(problems, "tools").and_then(|tools| read_tools(&tools, problems)),
            timer: section.section(problems, "timer").and_then(|timer| read_timer(&timer, problems)),
            signal: section.section(problems, "signal").and_then(|signal| read_signal(&signal, problems)),
            approval: section.section(problems, "approval").and_then(|approval| read_approval(&approval, problems)),
            limits,
        }
    }
}

/// Returns `name`, or with the first number behind it that makes it new.
fn free_name<T>(name: &Name, taken: &BTreeMap<Name, T>) -> Name {
    // Of one more name than are taken, one is free.
    let numbered = (2..=taken.len() + 1).map(|number| name.numbered(number));
    std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains_key(name)).unwrap_or_else(Name::root)
}

fn read_files(section: &Section<'_>, problems: &mut Problems) -> BTreeMap<Name, Asked<Files>> {
    let mut files: BTreeMap<Name, Asked<Files>> = BTreeMap::new();
    for Table { name, section } in capabilities::named_tables(section, problems, "files") {
        capabilities::allow_in_request(&section, problems, &["mount", "access", "why", "quota"]);
        let mount = section.required(problems, "mount", super::section::parsed::<Mount>);
        let access = section.required(problems, "access", capabilities::access);
        let why = section.required(problems, "why", capabilities::why);
        let quota = section.optional(problems, "quota", super::quantity::size);
        let (Some(mount), Some(access), Some(why)) = (mount, access, why) else { continue };
        if let Some((other, _)) = files.iter().find(|(_, asked)| asked.scope.mount.overlaps(&mount)) {
            problems.push(Problem {
                fault: Fault::Conflict,
                title: format!("`{}`: overlaps the mount of `files.{other}`", section.path_of("mount")),
                label: format!("is, contains or lies inside `{}`", files[other].scope.mount),
                hint: Some("give each its own place; `/a` and `a` are the same place to a guest".to_owned()),
                span: section.span_of("mount"),
            });
        }
        files.insert(name, Asked { why, scope: Files { mount, access, quota } });
    }
    files
}

fn read_kv(section: &Section<'_>, problems: &mut Problems) -> Option<Asked<Kv>> {
    capabilities::allow_in_request(section, problems, &["why", "prefixes", "access", "quota"]);
    let scope = capabilities::read_kv_scope(section, problems);
    Some(Asked { why: section.required(problems, "why", capabilities::why)?, scope })
}

fn read_imports(section: &Section<'_>, problems: &mut Problems) -> BTreeMap<ImportName, Sentence> {
    let mut imports = BTreeMap::new();
    for Table { name, section } in capabilities::named_tables(section, problems, "imports") {
        capabilities::allow_in_request(&section, problems, &["why"]);
        imports.extend(section.required(problems, "why", capabilities::why).map(|why| (name, why)));
    }
    imports
}

fn read_config(section: &Section<'_>, problems: &mut Problems) -> Option<Asked<Config>> {
    capabilities::allow_in_request(section, problems, &["why", "keys"]);
    let keys = capabilities::read_config_keys(section, problems);
    let why = section.required(problems, "why", capabilities::why);
    Some(Asked { why: why?, scope: Config { keys: keys? } })
}

fn read_secrets(section: &Section<'_>, problems: &mut Problems) -> BTreeMap<Name, Asked<Secret>> {
    let known = [&PLACE_KEYS[..], &["header", "query", "why"]].concat();
    secret::read_secrets(section, problems, |section, problems, _, scope| {
        capabilities::allow_in_request(section, problems, &known);
        Some(Asked { why: section.required(problems, "why", capabilities::why)?, scope })
    })
}

fn read_model(section: &Section<'_>, problems: &mut Problems) -> Option<Asked<Model>> {
    capabilities::allow_in_request(section, problems, &["why", "tiers", "max-tokens"]);
    let scope = model::read_model(section, problems);
    let why = section.required(problems, "why", capabilities::why);
    Some(Asked { why: why?, scope: scope? })
}

fn read_connectors(section: &Section<'_>, problems: &mut Problems) -> BTreeMap<Interface, Asked<Connector>> {
    connector::read_connectors(section, problems, |section, problems, _, scope| {
        capabilities::allow_in_request(section, problems, &["why", "functions"]);
        Some(Asked { why: section.required(problems, "why", capabilities::why)?, scope })
    })
}

fn read_tools(section: &Section<'_>, problems: &mut Problems) -> Option<Asked<Tools>> {
    capabilities::allow_in_request(section, problems, &["why", "functions"]);
    let scope = connector::read_tools(section, problems);
    Some(Asked { why: section.required(problems, "why", capabilities::why)?, scope })
}

fn read_timer(section: &Section<'_>, problems: &mut Problems) -> Option<Asked<Timer>> {
    capabilities::allow_in_request(section, problems, &["why", "max"]);
    let scope = wait::read_timer(section, problems);
    let why = section.required(problems, "why", capabilities::why);
    Some(Asked { why: why?, scope: scope? })
}

fn read_signal(section: &Section<'_>, problems: &mut Problems) -> Option<Asked<Signal>> {
    capabilities::allow_in_request(section, problems, &["why", "names"]);
    let scope = wait::read_signal(section, problems);
    let why = section.required(problems, "why", capabilities::why);
    Some(Asked { why: why?, scope: scope? })
}

fn read_approval(section: &Section<'_>, problems: &mut Problems) -> Option<Asked<Approval>> {
    capabilities::allow_in_request(section, problems, &["why"]);
    Some(Asked { why: section.required(problems, "why", capabilities::why)?, scope: Approval {} })
}
