//! The HTTP interface of a long-lived host: JSON over HTTP/1.1, for now on a unix socket in the home.
//!
//! It parses, bounds and answers; what is asked for, the supervisor does, or the shell ([`Backend`]). Whoever can open the
//! socket is the user whose home it is: the socket's mode is the permission.

mod commands;
mod error;
pub mod frames;
mod routes;
mod server;
mod socket;
#[cfg(test)]
mod tests;

use std::os::unix::net::UnixStream;

use serde::Deserialize;
use serde_json::Value as Json;

pub use self::error::Fault;
pub use self::server::Server;
pub use self::socket::{FILE_NAME, Listener, SocketError, connect};
use crate::id::RunId;
use crate::supervisor::Supervisor;

/// What the API has done by the shell, which knows plugins, grants and how things are shown. Each may block.
pub trait Backend: Send + Sync + 'static {
    /// Returns the run that is named: by its id, the beginning of it, or `last`.
    ///
    /// # Errors
    /// There is none, or more than one.
    fn find(&self, named: &str) -> Result<RunId, Fault>;

    /// Returns the newest runs, so many at most, as `remit runs --json` prints them.
    ///
    /// # Errors
    /// When the journal cannot be read.
    fn runs(&self, len_max: usize) -> Result<Json, Fault>;

    /// Returns a run, as `remit show --json` prints it.
    ///
    /// # Errors
    /// When its record cannot be read.
    fn show(&self, run: RunId, with_calls: bool) -> Result<Json, Fault>;

    /// Returns the bundle of a run, as `remit export` writes it.
    ///
    /// # Errors
    /// When its record cannot be read.
    fn bundle(&self, run: RunId) -> Result<Vec<u8>, Fault>;

    /// Accepts a run, and has it wait for its turn.
    ///
    /// # Errors
    /// As `remit start`.
    fn start(&self, start: Start) -> Result<Json, Fault>;

    /// Records what a person says became of an effect.
    ///
    /// # Errors
    /// As `remit decide`.
    fn decide(&self, run: RunId, decide: Decide) -> Result<(), Fault>;

    /// Does a command for a client, to its end, on a connection that carries [`frames`].
    fn attend(&self, stream: UnixStream);

    /// Returns who acts for callers of the API: the user whose home it is.
    fn principal(&self) -> String;
}

/// What the API stands on.
pub struct Api {
    /// All runs of the host.
    pub supervisor: Supervisor,
    /// What the shell does.
    pub backend: Box<dyn Backend>,
    /// The home, for people.
    pub home: String,
}

/// The body of `POST /v1/runs`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Start {
    /// The name or identity of an installed plugin, or an absolute path.
    pub plugin: String,
    /// The input of an agent. Without it, `{}`.
    #[serde(default)]
    pub input: Option<Json>,
    /// Folders, each as `NAME=DIR` or `NAME=DIR:rw`.
    #[serde(default)]
    pub mounts: Vec<String>,
    /// Grants everything that the manifest requests.
    #[serde(default)]
    pub allow_requested: bool,
    /// Limits, each as `KEY=VALUE`.
    #[serde(default)]
    pub limits: Vec<String>,
    /// Labels, each as `KEY=VALUE`.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Which installed connector answers an interface, each as `INTERFACE=PLUGIN`.
    #[serde(default)]
    pub connectors: Vec<String>,
    /// Arguments of a command.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Starts it once, however often it is asked for.
    #[serde(default)]
    pub key: Option<String>,
    /// Where it stands among those that wait.
    #[serde(default)]
    pub priority: i8,
}

/// The body of `POST /v1/runs/{run}/decide`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// The entry that is in doubt.
    pub entry: u64,
    /// What became of it.
    pub decision: Decision,
    /// The outcome that it had, where it was done.
    #[serde(default)]
    pub value: Json,
}

/// What became of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It was done, and `value` is its outcome, as `remit show` prints outcomes.
    Done,
    /// It was not done, and is done again.
    Retry,
    /// It ends the run.
    Fail,
}
