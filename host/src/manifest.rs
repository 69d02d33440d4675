//! What a plugin is and what it asks for (`remit.toml`), and what an operator answers (the grant file).
//!
//! Text is parsed once, here, into types that carry the rules: whoever holds a [`Manifest`] need not check it again.
//! Mistakes come back all at once as [`Errors`], each with its line, what was found and what was expected. Nothing
//! here is a decision: what a run may do is `scope`'s and `meter`'s to say.

mod amend;
mod capabilities;
mod ceiling;
mod connector;
mod errors;
mod grant;
mod http;
mod limit;
mod model;
pub mod mount;
mod name;
pub mod quantity;
mod raise;
pub(crate) mod reading;
mod request;
mod secret;
mod section;
mod suggest;
mod terms;
#[cfg(test)]
mod tests;
mod wait;

use semver::Version;
use serde::Serialize;
use toml::de::DeValue;

pub use amend::SharedRequests;
pub use ceiling::{Ceiling, DeniedHttp, Deny};
pub use connector::{Connector, ConnectorPattern, FunctionName, Functions, Interface, Tools};
pub use errors::{Errors, Fault, PROBLEMS_MAX, Problem};
pub use grant::{Grant, GrantedFiles};
pub use http::{
    Addresses, Block, Caps, GrantedHttp, Host, HostPattern, Http, Method, PATH_LEN_MAX, PathPattern, Place,
    RemoteClass, Scheme, method_list, normal_path, split_authority,
};
pub use limit::{LimitKind, LimitValues, Unit};
pub use model::Model;
pub use mount::Mount;
pub use name::{ConfigKey, ImportName, KeyPrefix, Name, Sentence};
pub use raise::with_amounts;
pub use request::{Access, Asked, Config, Files, Kv, Level, Request};
pub use secret::{Secret, Slot};
pub use section::Malformed;
pub use terms::{Amounts, LastDay, RuleId, Terms, Window, amount};
pub use wait::{Approval, SLEEP_MAX_MS, Signal, Timer};

use crate::digest::Digest;
use capabilities::word;
use errors::{Problems, is_hidden};
use name::DESCRIPTION_LEN_MAX;
use reading::document;
use section::{Node, Section, parsed, text, wrong_type};

/// Bytes in a manifest or a grant file. Stops a file from occupying the parser: 10 MB of it is refused unread.
pub const SIZE_MAX: usize = 256 << 10;

/// The file name of a manifest.
pub const FILE_NAME: &str = "remit.toml";

/// Elements of a build command, and bytes in each.
const COMMAND_MAX: (usize, usize) = (64, 4_096);

/// What kind of plugin it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Exports Remit's `run`: JSON in, JSON out.
    Agent,
    /// A plain `wasi:cli/run` program: arguments and stdin in, stdout out.
    Command,
    /// Exports interfaces that other plugins call.
    Connector,
}

impl Kind {
    /// Returns the word in a manifest.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Command => "command",
            Self::Connector => "connector",
        }
    }
}

/// A plugin's manifest, checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// The plugin's name.
    pub name: Name,
    /// Its version.
    pub version: Version,
    /// Its kind.
    pub kind: Kind,
    /// What it does, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Sentence>,
    /// The component's file, relative to the manifest's folder and inside it, with forward slashes.
    pub component: String,
    /// The command that builds the component: the program and its arguments. Never empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<Vec<String>>,
    request: Request,
}

impl Manifest {
    /// Bytes in a manifest.
    pub const SIZE_MAX: usize = SIZE_MAX;

    /// Reads a manifest. `source_name` is what messages call it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it; only that it is too large when it has more than [`SIZE_MAX`] bytes.
    pub fn parse(source_name: &str, text: &str) -> Result<Self, Errors> {
        document(source_name, text, Self::read)
    }

    /// Returns what the plugin asks for.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Returns the manifest as JSON in which only its meaning counts: order, spacing, comments and the ways to write
    /// a size are gone.
    pub fn canonical(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("structs and maps with text keys, all of which JSON can hold")
    }

    /// Returns the digest of [`Manifest::canonical`].
    pub fn digest(&self) -> Digest {
        Digest::of(&self.canonical())
    }

    fn read(root: &Section<'_>, problems: &mut Problems) -> Option<Self> {
        root.allow_only(problems, &["plugin", "build", "capabilities", "limits"], |_| None);
        let plugin = Plugin::read(root, problems);
        let build = root.section(problems, "build").and_then(|build| read_build(&build, problems));
        let request = Request::read(root, problems);
        let Plugin { name, version, kind, description, component } = plugin?;
        Some(Self { name, version, kind, description, component, build, request })
    }
}

/// The table `[plugin]`.
struct Plugin {
    name: Name,
    version: Version,
    kind: Kind,
    description: Option<Sentence>,
    component: String,
}

impl Plugin {
    fn read(root: &Section<'_>, problems: &mut Problems) -> Option<Self> {
        if !root.has("plugin") {
            root.report_missing(problems, "plugin");
        }
        let plugin = root.section(problems, "plugin")?;
        plugin.allow_only(problems, &["name", "version", "kind", "description", "component"], |_| None);
        let name = plugin.required(problems, "name", parsed::<Name>);
        let version = plugin.required(problems, "version", version);
        let kind = plugin.required(problems, "kind", kind);
        let description = plugin.optional(problems, "description", description);
        let component = plugin.optional(problems, "component", component);
        let name = name?;
        let component = component.unwrap_or_else(|| format!("{name}.wasm"));
        Some(Self { name, version: version?, kind: kind?, description, component })
    }
}

fn read_build(section: &Section<'_>, problems: &mut Problems) -> Option<Vec<String>> {
    section.allow_only(problems, &["command"], |_| None);
    section.required(problems, "command", command)
}

fn command(node: &Node<'_>) -> Result<Vec<String>, Malformed> {
    let (len_max, argument_max) = COMMAND_MAX;
    let expected = format!("a list of 1 to {len_max} strings: a program and its arguments");
    let DeValue::Array(nodes) = node.get_ref() else { return Err(wrong_type(node.get_ref(), &expected)) };
    let fits = |argument: &&str| argument.len() <= argument_max && !argument.contains('\0');
    let argument = |node| text(node).ok().filter(fits).map(str::to_owned);
    let command: Option<Vec<String>> = nodes.iter().map(argument).collect();
    let named = |command: &Vec<String>| command.first().is_some_and(|program| !program.is_empty());
    command.filter(|command| command.len() <= len_max && named(command)).ok_or(Malformed {
        found: "another list".to_owned(),
        expected,
        hint: None,
    })
}

fn version(node: &Node<'_>) -> Result<Version, Malformed> {
    let text = text(node)?;
    let version = if text.len() <= 128 { Version::parse(text).ok() } else { None };
    version.ok_or_else(|| Malformed::new(text, "a semantic version such as \"0.1.0\""))
}

fn kind(node: &Node<'_>) -> Result<Kind, Malformed> {
    word(node, &[Kind::Agent, Kind::Command, Kind::Connector], Kind::word)
}

fn description(node: &Node<'_>) -> Result<Sentence, Malformed> {
    Sentence::with_max(text(node)?, DESCRIPTION_LEN_MAX)
}

/// Reads a path that stays inside the plugin's folder on every platform.
fn component(node: &Node<'_>) -> Result<String, Malformed> {
    let path = text(node)?;
    let portable = !path.contains(['\\', ':']) && !path.chars().any(is_hidden) && path.len() <= mount::MOUNT_LEN_MAX;
    let inside = path.split('/').all(|segment| !matches!(segment, "" | "." | ".."));
    if portable && inside {
        return Ok(path.to_owned());
    }
    Err(Malformed::new(path, "the path of a file inside the plugin's folder, such as \"agent.wasm\""))
}
