//! Remits for people: what is allowed, what was asked for and not given, and the grants that would give it.

use std::collections::BTreeSet;

use super::{Access, FilesScope, KvScope, Level, Mount, Remit};
use crate::manifest::{KeyPrefix, Name, Request, Sentence, quantity};

/// One capability of a remit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which: `files.notes`, `kv`, `log`, `imports."acme:crm/contacts@1.0.0"`, `config`.
    pub capability: String,
    /// What it allows.
    pub scope: String,
    /// Why the plugin asks for it, where it said so.
    pub why: Option<String>,
}

/// Something that was asked for and is not given, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Which capability, as in [`Line`].
    pub capability: String,
    /// What was asked for.
    pub wanted: String,
    /// What is given of it, if anything.
    pub has: Option<String>,
    /// The grant that would give it, as TOML.
    pub grant: String,
}

/// One capability, in words and as a grant.
struct Part {
    capability: String,
    scope: String,
    grant: String,
}

impl Remit {
    /// Returns what the remit allows, one line for each capability, with the reasons of `request` where it has them.
    pub fn describe(&self, request: Option<&Request>) -> Vec<Line> {
        let line = |part: Part| {
            let why = request.and_then(|request| reason(request, &part.capability));
            Line { capability: part.capability, scope: part.scope, why: why.map(ToString::to_string) }
        };
        self.parts().into_iter().map(line).collect()
    }

    fn parts(&self) -> Vec<Part> {
        let mut parts: Vec<Part> = self.files.iter().map(files_part).collect();
        parts.extend(self.kv.as_ref().map(kv_part));
        if !self.log.is_empty() {
            parts.push(log_part(&self.log));
        }
        parts.extend(self.imports.iter().map(|name| {
            let capability = format!("imports.\"{name}\"");
            Part { grant: format!("[capabilities.{capability}]\n"), scope: "link".to_owned(), capability }
        }));
        if !self.config.is_empty() {
            let keys: Vec<&str> = self.config.iter().map(|key| key.as_str()).collect();
            let grant = format!("[capabilities.config]\nkeys = {}\n", list(&keys));
            parts.push(Part { capability: "config".to_owned(), scope: keys.join(", "), grant });
        }
        parts
    }
}

/// Returns what `request` asks for and `effective` does not give.
pub fn missing(request: &Request, effective: &Remit) -> Vec<Missing> {
    let asked = Remit::from_request(request);
    let given = asked.intersect(effective).parts();
    let given_of = |capability: &str| given.iter().find(|part| part.capability == capability);
    asked
        .parts()
        .into_iter()
        .filter_map(|part| {
            let has = given_of(&part.capability).map(|given| given.scope.clone());
            let whole = has.as_ref() == Some(&part.scope);
            (!whole).then_some(Missing { capability: part.capability, wanted: part.scope, has, grant: part.grant })
        })
        .collect()
}

fn reason<'r>(request: &'r Request, capability: &str) -> Option<&'r Sentence> {
    let (table, name) = capability.split_once('.').unwrap_or((capability, ""));
    match table {
        "files" => request.files.iter().find(|(key, _)| key.as_str() == name).map(|(_, asked)| &asked.why),
        "kv" => request.kv.as_ref().map(|asked| &asked.why),
        "imports" => request.imports.iter().find(|(key, _)| key.as_str() == name.trim_matches('"')).map(|(_, why)| why),
        "config" => request.config.as_ref().map(|asked| &asked.why),
        _ => None,
    }
}

fn files_part(files: &FilesScope) -> Part {
    let place = files.mount().map_or_else(|| "any mount".to_owned(), ToString::to_string);
    Part {
        capability: format!("files.{}", files.name()),
        scope: format!("{place}, {}{}", files.access().word(), at_most(files.quota())),
        grant: files_grant(files.name(), files.mount(), files.access(), files.quota()),
    }
}

fn kv_part(kv: &KvScope) -> Part {
    let prefixes: Vec<&str> = kv.prefixes().iter().map(KeyPrefix::as_str).collect();
    let keys = match prefixes.as_slice() {
        [""] => "every key of the plugin".to_owned(),
        prefixes => format!("keys with {}", prefixes.iter().map(|p| format!("{p:?}")).collect::<Vec<_>>().join(", ")),
    };
    Part {
        capability: "kv".to_owned(),
        scope: format!("{keys}, {}{}", kv.access().word(), at_most(kv.quota())),
        grant: kv_grant(kv),
    }
}

fn log_part(levels: &BTreeSet<Level>) -> Part {
    let words: Vec<&str> = levels.iter().map(|level| level.word()).collect();
    Part { capability: "log".to_owned(), scope: words.join(", "), grant: log_grant(levels) }
}

fn at_most(quota: Option<u64>) -> String {
    quota.map(|quota| format!(", at most {}", quantity::bytes(quota))).unwrap_or_default()
}

pub(super) fn files_grant(name: &Name, mount: Option<&Mount>, access: Access, quota: Option<u64>) -> String {
    let mount = mount.map(|mount| format!("mount = {}\n", quoted(mount.as_str()))).unwrap_or_default();
    format!("[capabilities.files.{name}]\n{mount}access = \"{}\"\n{}", access.word(), quota_line(quota))
}

pub(super) fn kv_grant(kv: &KvScope) -> String {
    let prefixes: Vec<&str> = kv.prefixes().iter().map(KeyPrefix::as_str).collect();
    let prefixes = if prefixes == [""] { String::new() } else { format!("prefixes = {}\n", list(&prefixes)) };
    format!("[capabilities.kv]\n{prefixes}access = \"{}\"\n{}", kv.access().word(), quota_line(kv.quota()))
}

pub(super) fn log_grant(levels: &BTreeSet<Level>) -> String {
    let words: Vec<&str> = levels.iter().map(|level| level.word()).collect();
    format!("[capabilities.log]\nlevels = {}\n", list(&words))
}

fn quota_line(quota: Option<u64>) -> String {
    quota.map(|quota| format!("quota = {}\n", quantity::exact_size(quota))).unwrap_or_default()
}

fn list(words: &[&str]) -> String {
    format!("[{}]", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", "))
}

/// Returns `text` as a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
