//! Remits for people: what is allowed, what was asked for and not given, and the grants that would give it.

use std::collections::BTreeSet;

use super::{
    Access, ApprovalScope, ConnectorScope, FilesScope, FunctionScope, HttpScope, KvScope, Level, ModelScope, Mount,
    Remit, SecretScope, SignalScope, TimerScope, ToolScope,
};
use crate::manifest::{ConfigKey, Interface, KeyPrefix, Name, Request, Sentence, quantity};

/// One capability of a remit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which: `files.notes`, `kv`, `log`, `config`, `http`, `imports."acme:crm/contacts@1.0.0"`. HTTP has a line for
    /// each of its entries.
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
pub(super) struct Part {
    pub(super) capability: String,
    pub(super) scope: String,
    pub(super) grant: String,
}

impl Remit {
    /// Returns what the remit allows, one line for each capability, with the reasons of `request` where it has them.
    pub fn describe(&self, request: Option<&Request>) -> Vec<Line> {
        let line = |item: Self| {
            let why = request.and_then(|request| reason(request, &item)).map(ToString::to_string);
            item.parts().into_iter().map(move |Part { capability, scope, .. }| Line {
                capability,
                scope,
                why: why.clone(),
            })
        };
        self.items().into_iter().flat_map(line).collect()
    }

    /// Returns remits of one capability each, and for HTTP of one entry, which together are this one.
    pub(super) fn items(&self) -> Vec<Self> {
        let nothing = Self::nothing;
        let mut items: Vec<Self> =
            self.files.iter().map(|files| Self { files: vec![files.clone()], ..nothing() }).collect();
        items.push(Self { kv: self.kv.clone(), ..nothing() });
        items.push(Self { log: self.log.clone(), ..nothing() });
        let imports = self.imports.iter();
        items.extend(imports.map(|name| Self { imports: BTreeSet::from([name.clone()]), ..nothing() }));
        items.push(Self { config: self.config.clone(), ..nothing() });
        items.extend(self.http.iter().map(|http| Self { http: vec![http.clone()], ..nothing() }));
        items.extend(self.secrets.iter().map(|(name, secret)| {
            let secrets = [(name.clone(), secret.clone())].into();
            Self { secrets, ..nothing() }
        }));
        items.push(Self { model: self.model.clone(), ..nothing() });
        items.extend(self.connectors.iter().map(|(name, connector)| {
            let connectors = [(name.clone(), connector.clone())].into();
            Self { connectors, ..nothing() }
        }));
        items.push(Self { tools: self.tools.clone(), ..nothing() });
        items.push(Self { timer: self.timer.clone(), ..nothing() });
        items.push(Self { signal: self.signal.clone(), ..nothing() });
        items.push(Self { approval: self.approval.clone(), ..nothing() });
        items.retain(|item| *item != nothing());
        items
    }

    pub(super) fn parts(&self) -> Vec<Part> {
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
            let (scope, grant) = (keys.join(", "), config_grant(&self.config));
            parts.push(Part { capability: "config".to_owned(), scope, grant });
        }
        parts.extend(self.http.iter().map(http_part));
        parts.extend(self.secrets.iter().map(|(name, secret)| secret_part(name, secret)));
        parts.extend(self.model.as_ref().map(model_part));
        parts.extend(self.connectors.iter().map(|(interface, connector)| connector_part(interface, connector)));
        parts.extend(self.tools.as_ref().map(tools_part));
        parts.extend(self.timer.as_ref().map(timer_part));
        parts.extend(self.signal.as_ref().map(signal_part));
        parts.extend(self.approval.as_ref().map(approval_part));
        parts
    }

    /// Returns what an item allows, in one text; nothing when it allows nothing.
    pub(super) fn words(&self) -> Option<String> {
        let scopes: Vec<String> = self.parts().into_iter().map(|part| part.scope).collect();
        (!scopes.is_empty()).then(|| scopes.join("; "))
    }
}

/// Returns what `request` asks for and `effective` does not give.
pub fn missing(request: &Request, effective: &Remit) -> Vec<Missing> {
    let gap = |item: Remit| {
        let given = item.intersect(effective);
        let Part { capability, scope, grant } = item.parts().into_iter().next()?;
        (given != item).then(|| Missing { capability, wanted: scope, has: given.words(), grant })
    };
    Remit::from_request(request).items().into_iter().filter_map(gap).collect()
}

/// Returns why `request` asks for an item of a remit within it.
pub(super) fn reason<'r>(request: &'r Request, item: &Remit) -> Option<&'r Sentence> {
    let files = item.files().iter().filter_map(|files| Some(&request.files.get(files.name())?.why));
    let imports = item.imports().iter().filter_map(|name| request.imports.get(name));
    let secrets = item.secrets().keys().filter_map(|name| Some(&request.secrets.get(name)?.why));
    let connectors = item.connectors().keys().filter_map(|name| Some(&request.connectors.get(name)?.why));
    let http = item.http().iter().filter_map(|scope| {
        let asked = request
            .http
            .iter()
            .find(|asked| asked.scope.place.covers(scope.place()) && asked.scope.methods.is_superset(scope.methods()));
        Some(&asked?.why)
    });
    let kv = item.kv().and(request.kv.as_ref()).map(|asked| &asked.why);
    let model = item.model().and(request.model.as_ref()).map(|asked| &asked.why);
    let tools = item.tools().and(request.tools.as_ref()).map(|asked| &asked.why);
    let config = request.config.as_ref().filter(|_| !item.config().is_empty()).map(|asked| &asked.why);
    let timer = item.timer().and(request.timer.as_ref()).map(|asked| &asked.why);
    let signal = item.signal().and(request.signal.as_ref()).map(|asked| &asked.why);
    let approval = item.approval().and(request.approval.as_ref()).map(|asked| &asked.why);
    let single = [kv, model, tools, config, timer, signal, approval].into_iter().flatten();
    files.chain(imports).chain(secrets).chain(connectors).chain(http).chain(single).next()
}

fn files_part(files: &FilesScope) -> Part {
    let place = files.mount().map_or_else(|| "any mount".to_owned(), ToString::to_string);
    let grant = files_grant(files.name(), files.mount(), files.access(), files.quota());
    let words = [vec![place, files.access().word().to_owned()], at_most(files.quota()), files.terms().words()].concat();
    Part {
        capability: format!("files.{}", files.name()),
        scope: words.join(", "),
        grant: format!("{grant}{}", files.terms().to_toml()),
    }
}

fn kv_part(kv: &KvScope) -> Part {
    let shown = |prefixes: &[KeyPrefix]| {
        prefixes.iter().map(|prefix| format!("{:?}", prefix.as_str())).collect::<Vec<_>>().join(", ")
    };
    let keys = match kv.prefixes() {
        [every] if every.as_str().is_empty() => "every key of the plugin".to_owned(),
        prefixes => format!("keys with {}", shown(prefixes)),
    };
    let except = if kv.except().is_empty() { Vec::new() } else { vec![format!("except {}", shown(kv.except()))] };
    let access = kv.access().word().to_owned();
    let words = [vec![keys], except, vec![access], at_most(kv.quota()), kv.terms().words()].concat();
    Part { capability: "kv".to_owned(), scope: words.join(", "), grant: kv_grant(kv) }
}

fn log_part(levels: &BTreeSet<Level>) -> Part {
    let words: Vec<&str> = levels.iter().map(|level| level.word()).collect();
    Part { capability: "log".to_owned(), scope: words.join(", "), grant: log_grant(levels) }
}

fn http_part(http: &HttpScope) -> Part {
    Part { capability: "http".to_owned(), scope: http.words(), grant: http.to_toml() }
}

fn secret_part(name: &Name, secret: &SecretScope) -> Part {
    let words = [vec![format!("{} of {}", secret.slot(), secret.place())], secret.terms().words()].concat();
    let (place, slot, terms) = (secret.place().to_toml(), secret.slot().to_toml(), secret.terms().to_toml());
    let grant = format!("[capabilities.secrets.{name}]\n{place}{slot}{terms}");
    Part { capability: format!("secrets.{name}"), scope: words.join(", "), grant }
}

fn model_part(model: &ModelScope) -> Part {
    let tiers: Vec<&str> = model.tiers().iter().map(Name::as_str).collect();
    let tokens: Vec<String> = model.max_tokens().map(|most| format!("at most {most} tokens")).into_iter().collect();
    let words = [vec![tiers.join(", ")], tokens, model.terms().words()].concat();
    Part { capability: "model".to_owned(), scope: words.join(", "), grant: model_grant(model) }
}

fn connector_part(interface: &Interface, connector: &ConnectorScope) -> Part {
    let words = [vec![connector.functions().words()], connector.terms().words()].concat();
    let capability = format!("connectors.\"{interface}\"");
    Part { scope: words.join(", "), grant: connector_grant(interface, connector), capability }
}

fn tools_part(tools: &ToolScope) -> Part {
    let functions = match tools.functions() {
        None => vec!["every function of a connector".to_owned()],
        Some(functions) => {
            functions.iter().map(|(interface, functions)| format!("{interface}: {}", functions.words())).collect()
        }
    };
    let words = [functions, tools.terms().words()].concat();
    Part { capability: "tools".to_owned(), scope: words.join(", "), grant: tools_grant(tools) }
}

fn timer_part(timer: &TimerScope) -> Part {
    let words = [vec![format!("sleep for at most {}", quantity::duration_ms(timer.max()))], timer.terms().words()];
    Part { capability: "timer".to_owned(), scope: words.concat().join(", "), grant: timer_grant(timer) }
}

fn signal_part(signal: &SignalScope) -> Part {
    let names = signal.names().iter().map(ToString::to_string).collect();
    let words: Vec<String> = [names, signal.terms().words()].concat();
    Part { capability: "signal".to_owned(), scope: words.join(", "), grant: signal_grant(signal) }
}

fn approval_part(approval: &ApprovalScope) -> Part {
    let words = [vec!["ask a person".to_owned()], approval.terms().words()].concat();
    Part { capability: "approval".to_owned(), scope: words.join(", "), grant: approval_grant(approval) }
}

fn at_most(quota: Option<u64>) -> Vec<String> {
    quota.map(|quota| format!("at most {}", quantity::bytes(quota))).into_iter().collect()
}

pub(super) fn files_grant(name: &Name, mount: Option<&Mount>, access: Access, quota: Option<u64>) -> String {
    let mount = mount.map(|mount| format!("mount = {}\n", quoted(mount.as_str()))).unwrap_or_default();
    format!("[capabilities.files.{name}]\n{mount}access = \"{}\"\n{}", access.word(), quota_line(quota))
}

pub(super) fn kv_grant(kv: &KvScope) -> String {
    let prefixes: Vec<&str> = kv.prefixes().iter().map(KeyPrefix::as_str).collect();
    let prefixes = if prefixes == [""] { String::new() } else { format!("prefixes = {}\n", list(&prefixes)) };
    let (access, quota, terms) = (kv.access().word(), quota_line(kv.quota()), kv.terms().to_toml());
    format!("[capabilities.kv]\n{prefixes}access = \"{access}\"\n{quota}{terms}")
}

pub(super) fn log_grant(levels: &BTreeSet<Level>) -> String {
    let words: Vec<&str> = levels.iter().map(|level| level.word()).collect();
    format!("[capabilities.log]\nlevels = {}\n", list(&words))
}

pub(super) fn config_grant(keys: &BTreeSet<ConfigKey>) -> String {
    let keys: Vec<&str> = keys.iter().map(ConfigKey::as_str).collect();
    format!("[capabilities.config]\nkeys = {}\n", list(&keys))
}

pub(super) fn model_grant(model: &ModelScope) -> String {
    let tiers: Vec<&str> = model.tiers().iter().map(Name::as_str).collect();
    let tokens = model.max_tokens().map(|most| format!("max-tokens = {most}\n")).unwrap_or_default();
    format!("[capabilities.model]\ntiers = {}\n{tokens}{}", list(&tiers), model.terms().to_toml())
}

pub(super) fn connector_grant(interface: &Interface, connector: &ConnectorScope) -> String {
    let functions = match connector.functions() {
        FunctionScope::AllBut(_) => String::new(),
        FunctionScope::Only(names) => {
            let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
            format!("functions = {}\n", list(&names))
        }
    };
    format!("[capabilities.connectors.\"{interface}\"]\n{functions}{}", connector.terms().to_toml())
}

pub(super) fn tools_grant(tools: &ToolScope) -> String {
    let named = |interface: &Interface, functions: &FunctionScope| match functions {
        FunctionScope::AllBut(_) => vec![interface.to_string()],
        FunctionScope::Only(names) => names.iter().map(|name| format!("{interface}#{name}")).collect(),
    };
    let functions = tools.functions().map(|functions| {
        let all: Vec<String> =
            functions.iter().flat_map(|(interface, functions)| named(interface, functions)).collect();
        format!("functions = {}\n", list(&all.iter().map(String::as_str).collect::<Vec<_>>()))
    });
    format!("[capabilities.tools]\n{}{}", functions.unwrap_or_default(), tools.terms().to_toml())
}

pub(super) fn timer_grant(timer: &TimerScope) -> String {
    let max = quantity::exact_duration(timer.max());
    format!("[capabilities.timer]\nmax = {max}\n{}", timer.terms().to_toml())
}

pub(super) fn signal_grant(signal: &SignalScope) -> String {
    let names: Vec<&str> = signal.names().iter().map(Name::as_str).collect();
    format!("[capabilities.signal]\nnames = {}\n{}", list(&names), signal.terms().to_toml())
}

pub(super) fn approval_grant(approval: &ApprovalScope) -> String {
    format!("[capabilities.approval]\n{}", approval.terms().to_toml())
}

fn quota_line(quota: Option<u64>) -> String {
    quota.map(|quota| format!("quota = {}\n", quantity::exact_size(quota))).unwrap_or_default()
}

/// Returns texts as a TOML list.
pub(super) fn list(words: &[&str]) -> String {
    format!("[{}]", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", "))
}

/// Returns `text` as a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
