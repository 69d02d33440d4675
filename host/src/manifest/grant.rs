//! The grant file: an operator's answer to a request. It has the same tables; reasons and mounts may be left out,
//! and files may be bound to a directory of the host. What only an operator can say is only here: how often and until
//! when (`amount`, `expires`), which addresses off the public network a request may reach, which places honour our
//! idempotency key.

use std::collections::{BTreeMap, BTreeSet};

use super::capabilities::{self, Table};
use super::connector::{self, Connector, Interface, Tools};
use super::errors::{Errors, Fault, Problems};
use super::http::{self, GrantedHttp, PLACE_KEYS};
use super::limit::{LimitValues, read_limits};
use super::model::{self, Model};
use super::mount::Mount;
use super::name::{ConfigKey, ImportName, Name};
use super::reading::document;
use super::request::{Access, Kv, Level};
use super::secret::{self, Secret};
use super::section::{Malformed, Node, Section, parsed, text};
use super::terms::{LastDay, RuleId, TERM_KEYS, Terms, read_expires, read_terms};
use super::wait::{self, Approval, Signal, Timer};

/// Bytes in the path of a directory: `PATH_MAX` of Linux.
const DIR_LEN_MAX: usize = 4_096;

/// Files that an operator grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedFiles {
    /// What the plugin may do with them.
    pub access: Access,
    /// The one mount for which the grant holds. Nothing: whichever the plugin asks for.
    pub mount: Option<Mount>,
    /// The most bytes written in a run.
    pub quota: Option<u64>,
    /// The directory of the host, as written: absolute, or relative to a place the caller chooses.
    pub dir: Option<String>,
}

/// What an operator grants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// Files, by the logical name in the request.
    pub files: BTreeMap<Name, GrantedFiles>,
    /// The plugin's own keys and values.
    pub kv: Option<Kv>,
    /// The log levels. Nothing: all of them.
    pub log: Option<BTreeSet<Level>>,
    /// Imports other than WASI's and Remit's own.
    pub imports: BTreeSet<ImportName>,
    /// Configuration values.
    pub config: BTreeSet<ConfigKey>,
    /// Requests over HTTP. No two entries share one.
    pub http: Vec<GrantedHttp>,
    /// Secrets that the host adds to requests.
    pub secrets: BTreeMap<Name, Secret>,
    /// Models.
    pub model: Option<Model>,
    /// Interfaces of connectors.
    pub connectors: BTreeMap<Interface, Connector>,
    /// Functions of connectors that a model may choose from.
    pub tools: Option<Tools>,
    /// How long it may sleep.
    pub timer: Option<Timer>,
    /// Which signals it may wait for.
    pub signal: Option<Signal>,
    /// That it may ask a person.
    pub approval: Option<Approval>,
    /// How often and until when the sections other than `http` hold, for those that say so.
    pub terms: BTreeMap<RuleId, Terms>,
    /// The last day on which anything of it holds. The terms of each section that can have some say it too; for what
    /// matters only when a run starts (`log`, `imports`, `config`), whoever starts one has to look here.
    pub expires: Option<LastDay>,
    /// Bounds on the limits that the plugin asks for.
    pub limits: LimitValues,
}

impl Grant {
    /// Reads a grant file. `source_name` is what messages call it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it; only that it is too large when it has more than
    /// [`SIZE_MAX`](super::SIZE_MAX) bytes.
    pub fn parse(source_name: &str, text: &str) -> Result<Self, Errors> {
        document(source_name, text, |root, problems| {
            root.allow_only(problems, &["expires", "capabilities", "limits"], |key| {
                let why = "a grant file says what is granted; this belongs to a manifest";
                ["plugin", "build"].contains(&key).then(|| (Fault::UnknownKey, why.to_owned()))
            });
            Some(Self::read(root, problems))
        })
    }

    /// Returns how often and until when the section with this id holds.
    pub fn terms_of(&self, rule: &RuleId) -> Terms {
        self.terms.get(rule).cloned().unwrap_or_default()
    }

    fn read(root: &Section<'_>, problems: &mut Problems) -> Self {
        let (limits, expires) = (read_limits(root, problems), read_expires(root, problems));
        let Some(section) = root.section(problems, "capabilities") else {
            return Self { limits, expires, ..Self::default() };
        };
        capabilities::allow_known(&section, problems);
        let terms = &mut BTreeMap::new();
        let mut grant = Self {
            files: read_files(&section, problems, terms),
            kv: section.section(problems, "kv").map(|kv| read_kv(&kv, problems, terms)),
            log: section.section(problems, "log").and_then(|log| capabilities::read_log(&log, problems)),
            imports: read_imports(&section, problems),
            config: read_config(&section, problems),
            http: http::read_granted(&section, problems),
            secrets: read_secrets(&section, problems, terms),
            model: section.section(problems, "model").and_then(|model| read_model(&model, problems, terms)),
            connectors: read_connectors(&section, problems, terms),
            tools: section.section(problems, "tools").map(|tools| read_tools(&tools, problems, terms)),
            timer: section.section(problems, "timer").and_then(|timer| read_timer(&timer, problems, terms)),
            signal: section.section(problems, "signal").and_then(|signal| read_signal(&signal, problems, terms)),
            approval: section.section(problems, "approval").map(|asked| read_approval(&asked, problems, terms)),
            terms: BTreeMap::new(),
            expires,
            limits,
        };
        grant.terms = std::mem::take(terms);
        grant.expire_sections();
        grant
    }

    /// Puts the last day of the whole into the terms of each section that can have some.
    fn expire_sections(&mut self) {
        let Some(last) = self.expires else { return };
        for rule in self.rules() {
            self.terms.entry(rule).or_default().expire_by(last);
        }
        for entry in &mut self.http {
            entry.terms.expire_by(last);
        }
    }

    /// Returns the ids of the sections other than `http` that can have terms.
    pub(super) fn rules(&self) -> Vec<RuleId> {
        let single = [
            self.kv.is_some().then(RuleId::kv),
            self.model.is_some().then(RuleId::model),
            self.tools.is_some().then(RuleId::tools),
            self.timer.is_some().then(RuleId::timer),
            self.signal.is_some().then(RuleId::signal),
            self.approval.is_some().then(RuleId::approval),
        ];
        let files = self.files.keys().map(RuleId::files);
        let secrets = self.secrets.keys().map(RuleId::secret);
        let connectors = self.connectors.keys().map(RuleId::connector);
        files.chain(secrets).chain(connectors).chain(single.into_iter().flatten()).collect()
    }
}

/// The terms of sections that say some.
type AllTerms = BTreeMap<RuleId, Terms>;

/// Reads what a section of a grant may have whose calls leave this host, so that they can be counted, and reports what
/// none has besides `known`.
fn read_common(section: &Section<'_>, problems: &mut Problems, known: &[&str], rule: RuleId, terms: &mut AllTerms) {
    section.allow_only(problems, &[known, &TERM_KEYS, &["why"]].concat(), |_| None);
    section.optional(problems, "why", capabilities::why);
    keep(rule, read_terms(section, problems), terms);
}

/// Reads what every other section may have. `instead` says what bounds it, or where its calls are counted.
fn read_uncounted(
    section: &Section<'_>,
    problems: &mut Problems,
    (known, instead): (&[&str], &str),
    rule: RuleId,
    terms: &mut AllTerms,
) {
    section.allow_only(problems, &[known, &["expires", "why"]].concat(), |key| {
        (key == "amount")
            .then(|| (Fault::UnknownKey, format!("only calls that leave this host are counted; {instead}")))
    });
    section.optional(problems, "why", capabilities::why);
    let expires = read_expires(section, problems);
    keep(rule, Terms { expires, ..Terms::default() }, terms);
}

fn keep(rule: RuleId, read: Terms, terms: &mut AllTerms) {
    if read != Terms::default() {
        terms.insert(rule, read);
    }
}

fn read_files(section: &Section<'_>, problems: &mut Problems, terms: &mut AllTerms) -> BTreeMap<Name, GrantedFiles> {
    let mut files = BTreeMap::new();
    for Table { name, section } in capabilities::named_tables::<Name>(section, problems, "files") {
        let known = (&["mount", "access", "quota", "dir"][..], "`quota` bounds what is written");
        read_uncounted(&section, problems, known, RuleId::files(&name), terms);
        let mount = section.optional(problems, "mount", parsed::<Mount>);
        let quota = section.optional(problems, "quota", super::quantity::size);
        let dir = section.optional(problems, "dir", directory);
        if let Some(access) = section.required(problems, "access", capabilities::access) {
            files.insert(name, GrantedFiles { access, mount, quota, dir });
        }
    }
    files
}

fn read_kv(section: &Section<'_>, problems: &mut Problems, terms: &mut AllTerms) -> Kv {
    let known = (&["prefixes", "access", "quota"][..], "`quota` bounds what is kept");
    read_uncounted(section, problems, known, RuleId::kv(), terms);
    capabilities::read_kv_scope(section, problems)
}

fn read_imports(section: &Section<'_>, problems: &mut Problems) -> BTreeSet<ImportName> {
    let mut imports = BTreeSet::new();
    for Table { name, section } in capabilities::named_tables(section, problems, "imports") {
        section.allow_only(problems, &["why"], |_| None);
        section.optional(problems, "why", capabilities::why);
        imports.insert(name);
    }
    imports
}

fn read_config(section: &Section<'_>, problems: &mut Problems) -> BTreeSet<ConfigKey> {
    let Some(section) = section.section(problems, "config") else { return BTreeSet::new() };
    section.allow_only(problems, &["why", "keys"], |_| None);
    section.optional(problems, "why", capabilities::why);
    capabilities::read_config_keys(&section, problems).unwrap_or_default()
}

fn read_secrets(section: &Section<'_>, problems: &mut Problems, terms: &mut AllTerms) -> BTreeMap<Name, Secret> {
    let known = [&PLACE_KEYS[..], &["header", "query"]].concat();
    secret::read_secrets(section, problems, |section, problems, name, secret| {
        let known = (&known[..], "count the requests that it goes with, under http");
        read_uncounted(section, problems, known, RuleId::secret(name), terms);
        Some(secret)
    })
}

fn read_model(section: &Section<'_>, problems: &mut Problems, terms: &mut AllTerms) -> Option<Model> {
    read_common(section, problems, &["tiers", "max-tokens"], RuleId::model(), terms);
    model::read_model(section, problems)
}

fn read_connectors(
    section: &Section<'_>,
    problems: &mut Problems,
    terms: &mut AllTerms,
) -> BTreeMap<Interface, Connector> {
    connector::read_connectors(section, problems, |section, problems, interface, connector| {
        read_common(section, problems, &["functions"], RuleId::connector(interface), terms);
        Some(connector)
    })
}

fn read_tools(section: &Section<'_>, problems: &mut Problems, terms: &mut AllTerms) -> Tools {
    let known = (&["functions"][..], "count the calls of a function under its connector");
    read_uncounted(section, problems, known, RuleId::tools(), terms);
    connector::read_tools(section, problems)
}

fn read_timer(section: &Section<'_>, problems: &mut Problems, terms: &mut AllTerms) -> Option<Timer> {
    let known = (&["max"][..], "`max` bounds each sleep");
    read_uncounted(section, problems, known, RuleId::timer(), terms);
    wait::read_timer(section, problems)
}

fn read_signal(section: &Section<'_>, problems: &mut Problems, terms: &mut AllTerms) -> Option<Signal> {
    let known = (&["names"][..], "`names` says which signals");
    read_uncounted(section, problems, known, RuleId::signal(), terms);
    wait::read_signal(section, problems)
}

fn read_approval(section: &Section<'_>, problems: &mut Problems, terms: &mut AllTerms) -> Approval {
    read_uncounted(section, problems, (&[], "a person decides each one"), RuleId::approval(), terms);
    Approval {}
}

fn directory(node: &Node<'_>) -> Result<String, Malformed> {
    let path = text(node)?;
    if path.is_empty() || path.len() > DIR_LEN_MAX || path.contains('\0') {
        return Err(Malformed::new(path, "the path of a directory, of 1 to 4096 bytes"));
    }
    Ok(path.to_owned())
}
