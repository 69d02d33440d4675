//! `[models.TIER]`: who answers for a tier. Agents name tiers, and never a vendor.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::file_path;
use crate::manifest::reading::{self, Fault, Node, Problem, Problems, Section};
use crate::manifest::{Malformed, Name, Place};
use crate::model::{Endpoint, Script, ScriptError, Structured};
use crate::secret;

/// Bytes in a vendor's name of a model.
const MODEL_LEN_MAX: usize = 256;

/// Bytes in a script.
const SCRIPT_LEN_MAX: u64 = 4 << 20;

const COMMON: [&str; 2] = ["provider", "max-tokens"];
const SCRIPTED: [&str; 1] = ["script"];
const REMOTE: [&str; 5] = ["base-url", "model", "secret", "stream", "structured"];

/// One tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Who answers.
    pub provider: Provider,
    /// The most tokens of one answer. Nothing: bounded by what the plugin may ask for.
    pub max_tokens: Option<u64>,
}

/// Who answers for a tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Answers from a file, or the embedded ones; needs no network.
    Scripted {
        /// The file.
        script: Option<PathBuf>,
    },
    /// Any endpoint that speaks OpenAI's chat completions, local servers included.
    OpenAi(Endpoint),
    /// Anthropic's messages.
    Anthropic(Endpoint),
}

impl Model {
    /// Returns the name of the secret that holds the key.
    pub fn secret(&self) -> Option<&Name> {
        match &self.provider {
            Provider::OpenAi(endpoint) | Provider::Anthropic(endpoint) => endpoint.secret.as_ref(),
            Provider::Scripted { .. } => None,
        }
    }
}

/// Reads a script; the embedded one where no file is named.
///
/// # Errors
///
/// Names the file and what is wrong with it.
pub fn read_script(file: Option<&Path>) -> Result<Script, ScriptError> {
    let Some(path) = file else { return Ok(Script::embedded()) };
    let failed = |why: String| ScriptError { name: path.display().to_string(), why };
    let text = read_text(path).map_err(|error| failed(error.to_string()))?;
    // A guest is told the file's name where no answer fits, and not the host's folders.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Script::parse(&name, &text).map_err(|error| failed(error.why))
}

/// Reads a regular file: a pipe could keep the host waiting for ever.
fn read_text(path: &Path) -> io::Result<String> {
    let wrong = |why: &str| io::Error::new(io::ErrorKind::InvalidInput, why);
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() || metadata.len() > SCRIPT_LEN_MAX {
        return Err(wrong("it is no file of at most 4 MiB"));
    }
    let mut text = String::new();
    File::open(path)?.take(SCRIPT_LEN_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// A provider as it is written.
#[derive(Clone, Copy)]
enum Kind {
    Scripted,
    OpenAi,
    Anthropic,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Scripted, Self::OpenAi, Self::Anthropic];

    const fn word(self) -> &'static str {
        match self {
            Self::Scripted => "scripted",
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
        }
    }

    /// Returns the vendor's own address, where a key is always needed.
    const fn base_url(self) -> &'static str {
        match self {
            Self::Scripted => "",
            Self::OpenAi => "https://api.openai.com/v1",
            Self::Anthropic => "https://api.anthropic.com",
        }
    }
}

pub(super) fn read(root: &Section<'_>, problems: &mut Problems, folder: &Path) -> BTreeMap<Name, Model> {
    let tables = reading::named_tables::<Name>(root, problems, "models");
    tables.into_iter().filter_map(|table| Some((table.name, read_model(&table.section, problems, folder)?))).collect()
}

fn read_model(section: &Section<'_>, problems: &mut Problems, folder: &Path) -> Option<Model> {
    let max_tokens = reading::read_max_tokens(section, problems);
    let Some(kind) = section.required(problems, "provider", |node| reading::word(node, &Kind::ALL, Kind::word)) else {
        // Which keys belong here depends on it; those that belong nowhere are wrong either way.
        section.allow_only(problems, &[&COMMON[..], &SCRIPTED, &REMOTE].concat(), |_| None);
        return None;
    };
    let (own, others) =
        if matches!(kind, Kind::Scripted) { (&SCRIPTED[..], &REMOTE[..]) } else { (&REMOTE[..], &SCRIPTED[..]) };
    section.allow_only(problems, &[&COMMON[..], own].concat(), |key| {
        let why = || format!("the provider \"{}\" has no such thing", kind.word());
        others.contains(&key).then(|| (Fault::UnknownKey, why()))
    });
    let provider = match kind {
        Kind::Scripted => {
            Provider::Scripted { script: section.optional(problems, "script", |node| file_path(node, folder)) }
        }
        Kind::OpenAi => Provider::OpenAi(read_endpoint(section, problems, kind)?),
        Kind::Anthropic => Provider::Anthropic(read_endpoint(section, problems, kind)?),
    };
    Some(Model { provider, max_tokens })
}

fn read_endpoint(section: &Section<'_>, problems: &mut Problems, kind: Kind) -> Option<Endpoint> {
    let place = section.optional(problems, "base-url", base_url);
    let secret = section.optional(problems, "secret", reading::parsed::<Name>);
    let stream = section.optional(problems, "stream", reading::boolean).unwrap_or_default();
    let structured =
        section.optional(problems, "structured", |node| reading::word(node, &Structured::ALL, Structured::word));
    if !section.has("base-url") && !section.has("secret") {
        section.report_missing(problems, "secret");
    }
    if let Some((place, _)) = place.as_ref().filter(|(place, _)| secret.is_some() && secret::is_exposed(place)) {
        problems.push(exposed(section, place));
    }
    let base_url = place.map_or_else(|| kind.base_url().to_owned(), |(_, url)| url);
    let model = section.required(problems, "model", model_name)?;
    Some(Endpoint { base_url, model, secret, stream, structured: structured.unwrap_or_default() })
}

/// Reads the address of a provider: a place, and the text that paths are added to.
fn base_url(node: &Node<'_>) -> Result<(Place, String), Malformed> {
    let text = reading::text(node)?;
    Ok((text.parse()?, text.trim_end_matches('/').to_owned()))
}

fn model_name(node: &Node<'_>) -> Result<String, Malformed> {
    let text = reading::text(node)?;
    match (1..=MODEL_LEN_MAX).contains(&text.len()) && !text.chars().any(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err(reading::malformed(text, "the vendor's name of a model, of 1 to 256 bytes")),
    }
}

fn exposed(section: &Section<'_>, place: &Place) -> Problem {
    Problem {
        fault: Fault::Conflict,
        title: format!("`{}`: the secret would travel unencrypted", section.path_of("base-url")),
        label: format!("whoever carries bytes to {} reads the key", place.host),
        hint: Some("use https, or leave out `secret` if the server needs none".to_owned()),
        span: section.span_of("base-url"),
    }
}
