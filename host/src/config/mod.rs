//! The operator's configuration: `config.toml` in the home. Without it, the defaults hold.
//!
//! It is read once, into types that carry the rules; mistakes come back all at once, each with its line, as those of a
//! manifest do. It holds no secrets, only their names. What it says is for others to do: which provider answers for a
//! tier, what a run may use at most, which values plugins are given.

mod file;
mod host;
mod models;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use file::{ConfigError, INITIAL, init, path, read};
pub use host::Host;
pub use models::{Model, Provider, read_script};
pub use values::Values;

use crate::manifest::reading::{self, Node, Problems, Section};
use crate::manifest::{Ceiling, Errors, LimitValues, Malformed, Name};

/// Roots that one configuration names.
const ROOTS_MAX: usize = 64;

/// Bytes in a path: `PATH_MAX` of Linux.
const PATH_LEN_MAX: usize = 4_096;

/// What the operator set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Who answers for each tier of models.
    pub models: BTreeMap<Name, Model>,
    /// Files with certificates that are trusted for TLS, besides the system's.
    pub extra_roots: Vec<PathBuf>,
    /// What limits are where a manifest says nothing.
    pub limits: LimitValues,
    /// What holds at most, whoever asks and whoever grants.
    pub ceiling: Ceiling,
    /// The values that plugins are given.
    pub values: Values,
    /// What bounds `remit serve`.
    pub host: Host,
}

impl Config {
    /// Reads a configuration. `source_name` is what messages call it; relative paths in it are relative to `folder`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it; what is wrong with `[ceiling]` only when the rest is right.
    pub fn parse(source_name: &str, text: &str, folder: &Path) -> Result<Self, Errors> {
        let config = reading::document(source_name, text, |root, problems| Some(Self::read(root, problems, folder)))?;
        Ok(Self { ceiling: Ceiling::of_configuration(source_name, text)?, ..config })
    }

    /// Returns the files with extra roots, each with the key that names it.
    pub fn files(&self) -> Vec<(String, &Path)> {
        self.extra_roots.iter().map(|root| ("http.extra-roots".to_owned(), root.as_path())).collect()
    }

    /// Returns the scripts that answer for a tier, each with the key that names it.
    pub fn scripts(&self) -> Vec<(String, &Path)> {
        let scripts = self.models.iter().filter_map(|(tier, model)| match &model.provider {
            Provider::Scripted { script } => Some((format!("models.{tier}.script"), script.as_deref()?)),
            Provider::OpenAi(_) | Provider::Anthropic(_) => None,
        });
        scripts.collect()
    }

    /// Returns the names of the secrets that the configuration uses, each with the key that names it.
    pub fn secrets(&self) -> Vec<(String, &Name)> {
        let models = self.models.iter();
        models.filter_map(|(tier, model)| Some((format!("models.{tier}.secret"), model.secret()?))).collect()
    }

    fn read(root: &Section<'_>, problems: &mut Problems, folder: &Path) -> Self {
        root.allow_only(problems, &["models", "http", "limits", "ceiling", "values", "host"], |_| None);
        Self {
            models: models::read(root, problems, folder),
            extra_roots: read_roots(root, problems, folder),
            limits: reading::read_limits(root, problems),
            ceiling: Ceiling::default(),
            values: values::read(root, problems),
            host: host::read(root, problems),
        }
    }
}

fn read_roots(root: &Section<'_>, problems: &mut Problems, folder: &Path) -> Vec<PathBuf> {
    let Some(http) = root.section(problems, "http") else { return Vec::new() };
    http.allow_only(problems, &["extra-roots"], |_| None);
    http.list(problems, "extra-roots", ROOTS_MAX, |node| file_path(node, folder)).unwrap_or_default()
}

/// Reads the path of a file, relative to `folder`.
fn file_path(node: &Node<'_>, folder: &Path) -> Result<PathBuf, Malformed> {
    let text = reading::text(node)?;
    if text.is_empty() || text.len() > PATH_LEN_MAX || text.contains('\0') {
        return Err(reading::malformed(text, "the path of a file, of 1 to 4096 bytes"));
    }
    Ok(folder.join(text))
}
