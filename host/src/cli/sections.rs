//! A grant file taken apart: each of its sections as a grant file of its own, in one spelling.
//!
//! A stored grant is one section, so that it can be revoked, replaced, counted and named by itself.

#[cfg(test)]
mod tests;

use std::path::Path;

use toml::{Table, Value};

use super::args::MountArg;
use super::caller;
use super::exit::Exit;
use super::report::{Failure, OrFail as _, Result};
use crate::manifest::{Access, Grant, LastDay, RuleId};

/// The capabilities that are a table of named tables.
const NAMED: [&str; 4] = ["files", "imports", "secrets", "connectors"];
/// The sections that cannot say themselves when they end: it stands beside them.
const AT_START: [&str; 4] = ["log", "imports", "config", "limits"];
/// The sections whose calls leave this host, and can be counted.
const COUNTED: [&str; 3] = ["http", "model", "connectors"];

/// One section of a grant file.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Its name, by what it grants: `kv`, `files.notes`, `http GET https://api.example.com/*`.
    pub name: String,
    /// It alone, as canonical TOML.
    pub scope: String,
    /// The last day on which it holds.
    pub expires: Option<LastDay>,
}

/// What the command line says about every section.
#[derive(Clone, Copy, Debug, Default)]
pub struct Common<'a> {
    /// How often.
    pub amount: Option<&'a str>,
    /// Until when.
    pub expires: Option<LastDay>,
    /// The folders of files.
    pub mounts: &'a [MountArg],
}

/// Takes a grant file apart. `source_name` is what messages call it.
///
/// # Errors
/// With [`Exit::Usage`]: it is no grant file, grants nothing, or has no place for what `common` says.
pub fn split(source_name: &str, text: &str, common: Common<'_>) -> Result<Vec<Section>> {
    let wrong = |errors| Failure::from_error(Exit::Usage, errors);
    let whole = Grant::parse(source_name, text).map_err(wrong)?;
    let root: Table = text.parse().or_fail(Exit::Usage, source_name)?;
    let common = Common { expires: earlier(whole.expires, common.expires), ..common };
    let mut parts = parts(root);
    if parts.is_empty() {
        return Err(Failure::new(Exit::Usage, format!("{source_name} grants nothing"))
            .hint("a grant is TOML such as: capabilities.kv = { access = \"read\" }"));
    }
    apply_amount(&mut parts, common.amount)?;
    apply_mounts(&mut parts, common.mounts)?;
    parts.into_iter().map(|part| part.section(source_name, common.expires)).collect()
}

/// Returns a grant file of one section on one line, as [`split`] takes it too; nothing where one line does not hold it.
pub fn on_one_line(text: &str) -> Option<String> {
    let root: Table = text.parse().ok()?;
    let mut capabilities = root.get("capabilities")?.as_table()?.iter();
    let (capability, says) = capabilities.next()?;
    let line = format!("capabilities.{capability} = {says}");
    (capabilities.next().is_none() && !line.contains('\n')).then_some(line)
}

/// A section on its way: where it stands and what it says.
struct Part {
    capability: String,
    name: Option<String>,
    says: Table,
}

/// Returns the sections of a grant file that was parsed, so that every table is where it should be.
fn parts(root: Table) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut push = |capability: &str, name: Option<String>, says: Value| {
        if let Value::Table(says) = says {
            parts.push(Part { capability: capability.to_owned(), name, says });
        }
    };
    for (key, value) in root {
        match (key.as_str(), value) {
            ("limits", limits) => push("limits", None, limits),
            ("capabilities", Value::Table(capabilities)) => {
                for (capability, value) in capabilities {
                    match value {
                        Value::Array(entries) => entries.into_iter().for_each(|entry| push(&capability, None, entry)),
                        Value::Table(tables) if NAMED.contains(&capability.as_str()) => {
                            tables.into_iter().for_each(|(name, says)| push(&capability, Some(name), says));
                        }
                        says => push(&capability, None, says),
                    }
                }
            }
            _ => {}
        }
    }
    parts
}

fn apply_amount(parts: &mut [Part], amount: Option<&str>) -> Result<()> {
    let Some(amount) = amount else { return Ok(()) };
    let mut counted = parts.iter_mut().filter(|part| COUNTED.contains(&part.capability.as_str())).peekable();
    if counted.peek().is_none() {
        return Err(Failure::new(
            Exit::Usage,
            "--amount: nothing here leaves this host, so there are no calls to count",
        )
        .hint("calls are counted under http, model and connectors; kv and files have a `quota`"));
    }
    counted.for_each(|part| drop(part.says.insert("amount".into(), amount.into())));
    Ok(())
}

/// Binds granted files to the folders of the command line.
fn apply_mounts(parts: &mut [Part], mounts: &[MountArg]) -> Result<()> {
    for mount in mounts {
        let named = |part: &&mut Part| part.capability == "files" && part.name.as_ref() == Some(&mount.name);
        let Some(part) = parts.iter_mut().find(named) else {
            return Err(Failure::new(
                Exit::Usage,
                format!("--mount {}: no files of this name are granted here", mount.name),
            ));
        };
        part.says.insert("dir".into(), mount.dir.display().to_string().into());
        if mount.access == Access::Read {
            part.says.insert("access".into(), mount.access.word().into());
        }
    }
    Ok(())
}

impl Part {
    fn is_called(&self) -> bool {
        !AT_START.contains(&self.capability.as_str())
    }

    fn section(mut self, source_name: &str, expires: Option<LastDay>) -> Result<Section> {
        self.says.remove("why");
        self.bind_folder()?;
        if self.is_called() {
            let own = self.says.get("expires").and_then(last_day);
            if let Some(expires) = earlier(own, expires) {
                self.says.insert("expires".into(), expires.to_string().into());
            }
        }
        let expires = earlier(self.says.get("expires").and_then(last_day), expires);
        let scope = self.document().to_string();
        let grant = Grant::parse(source_name, &scope).map_err(|errors| Failure::from_error(Exit::Usage, errors))?;
        Ok(Section { name: name_of(&grant), scope, expires })
    }

    /// Makes the folder of files one that means the same wherever a run is started.
    fn bind_folder(&mut self) -> Result<()> {
        let Some(Value::String(dir)) = self.says.get("dir") else { return Ok(()) };
        let folder = caller::path(Path::new(dir))
            .canonicalize()
            .or_fail(Exit::NotGranted, format!("cannot open folder {dir}"))?;
        let Some(folder) = folder.to_str().filter(|_| folder.is_dir()) else {
            return Err(Failure::new(
                Exit::NotGranted,
                format!("{} is not a folder that can be named", folder.display()),
            ));
        };
        self.says.insert("dir".into(), folder.into());
        Ok(())
    }

    fn document(self) -> Table {
        let says = Value::Table(self.says);
        if self.capability == "limits" {
            return Table::from_iter([("limits".to_owned(), says)]);
        }
        let says = match (self.name, self.capability.as_str()) {
            (Some(name), _) => Table::from_iter([(name, says)]).into(),
            (None, "http") => Value::Array(vec![says]),
            (None, _) => says,
        };
        let capabilities = Table::from_iter([(self.capability, says)]);
        Table::from_iter([("capabilities".to_owned(), capabilities.into())])
    }
}

/// Returns the name of the one section of a grant: that of the rule it is counted by, where it is.
fn name_of(grant: &Grant) -> String {
    let files = grant.files.keys().map(RuleId::files);
    let secrets = grant.secrets.keys().map(RuleId::secret);
    let connectors = grant.connectors.keys().map(RuleId::connector);
    let http = grant.http.iter().map(|entry| entry.http.rule());
    let single = [
        grant.kv.is_some().then(RuleId::kv),
        grant.model.is_some().then(RuleId::model),
        grant.tools.is_some().then(RuleId::tools),
        grant.timer.is_some().then(RuleId::timer),
        grant.signal.is_some().then(RuleId::signal),
        grant.approval.is_some().then(RuleId::approval),
    ];
    let mut rules = files.chain(secrets).chain(connectors).chain(http).chain(single.into_iter().flatten());
    let at_start = || match (grant.imports.first(), &grant.log) {
        (Some(name), _) => format!("imports.\"{name}\""),
        (None, Some(_)) => "log".to_owned(),
        (None, None) if grant.config.is_empty() => "limits".to_owned(),
        (None, None) => "config".to_owned(),
    };
    rules.next().map_or_else(at_start, |rule| rule.to_string())
}

fn last_day(value: &Value) -> Option<LastDay> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Datetime(date) => date.to_string().parse().ok(),
        _ => None,
    }
}

fn earlier(a: Option<LastDay>, b: Option<LastDay>) -> Option<LastDay> {
    a.into_iter().chain(b).min()
}
