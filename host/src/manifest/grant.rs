//! The grant file: an operator's answer to a request. It has the same tables; reasons and mounts may be left out,
//! and files may be bound to a directory of the host.

use std::collections::{BTreeMap, BTreeSet};

use super::capabilities::{self, Table};
use super::errors::{Errors, Fault, Problems};
use super::limit::{LimitValues, read_limits};
use super::mount::Mount;
use super::name::{ConfigKey, ImportName, Name};
use super::request::{Access, Kv, Level};
use super::section::{Malformed, Node, Section, parsed, text};
use super::{SIZE_MAX, with_root};

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
    /// Bounds on the limits that the plugin asks for.
    pub limits: LimitValues,
}

impl Grant {
    /// Reads a grant file. `source_name` is what messages call it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it; only that it is too large when it has more than [`SIZE_MAX`] bytes.
    pub fn parse(source_name: &str, text: &str) -> Result<Self, Errors> {
        if text.len() > SIZE_MAX {
            return Err(Errors::too_large(source_name, text.len(), SIZE_MAX));
        }
        with_root(source_name, text, |root, problems| {
            root.allow_only(problems, &["capabilities", "limits"], |key| {
                let why = "a grant file says what is granted; this belongs to a manifest";
                ["plugin", "build"].contains(&key).then(|| (Fault::UnknownKey, why.to_owned()))
            });
            Some(Self::read(root, problems))
        })
    }

    fn read(root: &Section<'_>, problems: &mut Problems) -> Self {
        let limits = read_limits(root, problems);
        let Some(section) = root.section(problems, "capabilities") else {
            return Self { limits, ..Self::default() };
        };
        capabilities::allow_known(&section, problems);
        Self {
            files: read_files(&section, problems),
            kv: section.section(problems, "kv").map(|kv| read_kv(&kv, problems)),
            log: section.section(problems, "log").and_then(|log| capabilities::read_log(&log, problems)),
            imports: read_imports(&section, problems),
            config: read_config(&section, problems),
            limits,
        }
    }
}

fn read_files(section: &Section<'_>, problems: &mut Problems) -> BTreeMap<Name, GrantedFiles> {
    let mut files = BTreeMap::new();
    for Table { name, section } in capabilities::named_tables::<Name>(section, problems, "files") {
        section.allow_only(problems, &["mount", "access", "why", "quota", "dir"], |_| None);
        section.optional(problems, "why", capabilities::why);
        let mount = section.optional(problems, "mount", parsed::<Mount>);
        let quota = section.optional(problems, "quota", super::quantity::size);
        let dir = section.optional(problems, "dir", directory);
        if let Some(access) = section.required(problems, "access", capabilities::access) {
            files.insert(name, GrantedFiles { access, mount, quota, dir });
        }
    }
    files
}

fn read_kv(section: &Section<'_>, problems: &mut Problems) -> Kv {
    section.allow_only(problems, &["why", "prefixes", "access", "quota"], |_| None);
    section.optional(problems, "why", capabilities::why);
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

fn directory(node: &Node<'_>) -> Result<String, Malformed> {
    let path = text(node)?;
    if path.is_empty() || path.len() > DIR_LEN_MAX || path.contains('\0') {
        return Err(Malformed::new(path, "the path of a directory, of 1 to 4096 bytes"));
    }
    Ok(path.to_owned())
}
