//! Why a guest stops before it returns: the one error type that crosses from a host call into the engine.

use serde_json::Value as Json;

use super::divergence::Divergence;
use super::end::Failed;
use crate::journal;
use crate::meter::Crossed;

/// Ends the run (or the replay) at the call in progress.
#[derive(Debug, thiserror::Error)]
pub enum Halt {
    /// The guest asked to exit with this code.
    #[error("guest exited with code {0}")]
    Exit(u8),
    /// The guest broke the rules of an interface, for which WASI prescribes a trap.
    #[error("{0}")]
    Misuse(String),
    /// A limit of the run was crossed.
    #[error(transparent)]
    Limit(#[from] Crossed),
    /// Replay came to the place where the recorded run ended.
    #[error("the recorded run ended here")]
    EndOfRecord,
    /// Replay met another call than the one recorded.
    #[error("{0}")]
    Diverged(Box<Divergence>),
    /// A connector did not answer, and the function has no way to say so.
    #[error("{failed}")]
    Unanswered {
        /// The function.
        function: String,
        /// Why not.
        failed: Box<Failed>,
    },
    /// The run was resumed, and whether an effect was done before is not known.
    #[error("whether entry {0} was done is not known")]
    InDoubt(u64),
    /// The guest waits for what may take long, and nobody stays for it.
    #[error("the run waits {}", .0.waiting.wait)]
    Waiting(Box<journal::Suspension>),
    /// The run was resumed, and something that it stands on is not as it was.
    #[error("{0}")]
    Changed(String),
    /// The host could not go on; the guest is not to blame.
    #[error("journal: {0}")]
    Journal(#[from] journal::Error),
    /// A system call of the host failed in a way that the interface cannot express.
    #[error("{what}: {source}")]
    Host {
        /// What the host was doing.
        what: String,
        /// What the system answered.
        source: std::io::Error,
    },
}

impl Halt {
    /// Tells whether the run is parked there, and can go on.
    pub const fn parks(&self) -> bool {
        matches!(self, Self::InDoubt(_) | Self::Waiting(_) | Self::Changed(_) | Self::Diverged(_))
    }
}

/// Who or what stopped a run from outside the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// Ctrl-C or a termination signal.
    Interrupted,
    /// The run's wall time is used up.
    WallTime,
    /// The run that called it has ended.
    CallerEnded,
}

/// Shows one side of a recorded or replayed call.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Shown {
    /// `interface#function`, or what stood there instead of a call.
    pub function: String,
    /// The params as JSON.
    pub params: Json,
    /// Fuel used when the call began.
    pub fuel: u64,
}
