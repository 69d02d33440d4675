//! How a run ended: the body of its last state entry, and what replay must end in too.

use serde::{Deserialize, Serialize};

use super::halt::StopReason;
use crate::id::RunId;
use crate::lifecycle::{State, Stated, Transition, Wait};
use crate::meter::{Crossed, Usage};

/// A state entry of a run: its last, or that it is parked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// What became of the run.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Where the guest was.
    pub at: Where,
    /// Fuel used, to the unit.
    pub fuel: u64,
    /// What the run used.
    #[serde(default)]
    pub usage: Usage,
    /// What the connectors used that it called.
    #[serde(default, skip_serializing_if = "Usage::is_nothing")]
    pub called: Usage,
    /// Who stopped it, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl Stated for End {
    fn state(&self) -> State {
        self.outcome.state()
    }
}

impl End {
    /// Reads the body of a state entry. Nothing: it says something else.
    pub fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }
}

/// What the last state entry of a run says.
#[derive(Clone, Debug, PartialEq)]
pub enum LastState {
    /// It ended, or is parked.
    Stopped(Box<End>),
    /// It went on, or something was decided about it.
    Changed(Transition),
}

impl LastState {
    /// Reads the body of a state entry.
    ///
    /// # Errors
    /// When it is neither.
    pub fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        match serde_json::from_slice(body) {
            Ok(transition) => Ok(Self::Changed(transition)),
            Err(_) => serde_json::from_slice(body).map(Self::Stopped),
        }
    }

    /// Returns how the run ended or is parked; nothing for one that went on.
    pub fn end(self) -> Option<End> {
        match self {
            Self::Stopped(end) => Some(*end),
            Self::Changed(_) => None,
        }
    }

    /// Returns the state that it says.
    pub const fn state(&self) -> State {
        match self {
            Self::Stopped(end) => end.outcome.state(),
            Self::Changed(transition) => transition.now,
        }
    }
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Outcome {
    /// An agent returned a result, as JSON text; a command returned success.
    Succeeded {
        /// The agent's result; `None` for a command, whose result is its output.
        result: Option<String>,
    },
    /// An agent returned a failure.
    Failed {
        /// What the agent said.
        failure: Failure,
    },
    /// A command ended with this code, zero excepted.
    Exited {
        /// The command's own exit code.
        code: u8,
    },
    /// The guest crashed.
    Trapped {
        /// The engine's word for the trap.
        message: String,
        /// The guest's call stack, where the component has names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backtrace: Option<String>,
    },
    /// A limit ended the run.
    Limit {
        /// Which, and by how much.
        crossed: Crossed,
    },
    /// A connector that the guest called did not answer.
    ConnectorFailed {
        /// The function that was called.
        function: String,
        /// Why it has no result.
        failed: Failed,
    },
    /// Somebody or something outside the guest ended the run.
    Interrupted {
        /// Who or what.
        reason: StopReason,
    },
    /// The host could not go on.
    HostFailed {
        /// What failed.
        message: String,
    },
    /// Not an end: the run waits, and goes on from here.
    Suspended {
        /// Who or what stopped it.
        reason: StopReason,
    },
    /// Not an end: the run is suspended, and goes on once something has arrived.
    Waiting {
        /// What it waits for.
        wait: Wait,
    },
    /// Not an end: it goes on when a person says so.
    Paused {
        /// What has to be looked at.
        why: String,
    },
    /// A person ended it.
    Cancelled {
        /// Why, where the person said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// Not an end: whether an effect was done is not known.
    InDoubt {
        /// The number of its intent.
        entry: u64,
        /// The function that was called.
        function: String,
    },
}

/// The typed failure of an agent, as in `remit:plugin/types`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// `invalid-input`, `denied`, `unavailable` or `internal`.
    pub kind: String,
    /// For people.
    pub message: String,
    /// JSON for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

/// Why a call of a connector has no result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("connector {connector}{}: {message}", .run.map(|run| format!(" (run {run})")).unwrap_or_default())]
pub struct Failed {
    /// The connector's name.
    pub connector: String,
    /// Its run; nothing where it has none, because it did not start or was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// What kept it.
    pub why: Why,
    /// What happened, for people.
    pub message: String,
}

/// What kept a connector from answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Why {
    /// The caller's remit does not allow the call.
    Denied = 0,
    /// It could not be started.
    NotStarted = 1,
    /// It crashed, or crossed a limit of its own run.
    Ended = 2,
    /// The call took longer than it may.
    Late = 3,
    /// Connectors call each other too deep.
    TooDeep = 4,
    /// It is parked until a person decides, and its caller with it. No entry says so.
    Parked = 5,
}

/// Where a guest was when its run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Where {
    /// In its own code: it returned, trapped, or ran into a limit there.
    Guest,
    /// Between two slices of fuel.
    Slice,
    /// In a call of this function, which has no entry of its own.
    Call(String),
}

impl Outcome {
    /// Returns one sentence on how the run ended.
    pub fn sentence(&self) -> String {
        match self {
            Self::Succeeded { .. } => "succeeded".into(),
            Self::Failed { failure } => format!("failed ({}): {}", failure.kind, failure.message),
            Self::Exited { code } => format!("exited with code {code}"),
            Self::Trapped { message, .. } => format!("crashed: {message}"),
            Self::Limit { crossed } => format!("ended: {crossed}"),
            Self::ConnectorFailed { function, failed } => format!("ended in a call of {function}: {failed}"),
            Self::Interrupted { .. } => "interrupted".into(),
            Self::HostFailed { message } => format!("ended because the host failed: {message}"),
            Self::Suspended { .. } => "suspended".into(),
            Self::Waiting { wait } => format!("suspended {wait}"),
            Self::Paused { why } => format!("paused: {why}"),
            Self::Cancelled { why: None } => "cancelled".into(),
            Self::Cancelled { why: Some(why) } => format!("cancelled: {why}"),
            Self::InDoubt { entry, function } => {
                format!("in doubt: whether entry {entry}, {function}, was done is not known")
            }
        }
    }

    /// Returns the state's name, as `remit runs` shows it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Succeeded { .. } => "succeeded",
            Self::Failed { .. } => "failed",
            Self::Exited { .. } => "exited",
            Self::Trapped { .. } => "trapped",
            Self::Limit { .. } => "limit",
            Self::ConnectorFailed { .. } => "connector-failed",
            Self::Interrupted { .. } => "interrupted",
            Self::HostFailed { .. } => "host-failed",
            Self::Suspended { .. } => "suspended",
            Self::Waiting { .. } => "waiting",
            Self::Paused { .. } => "paused",
            Self::Cancelled { .. } => "cancelled",
            Self::InDoubt { .. } => "in-doubt",
        }
    }

    /// Returns the state that a run is in with this outcome.
    pub const fn state(&self) -> State {
        match self {
            Self::Succeeded { .. } => State::Succeeded,
            Self::Suspended { .. } | Self::Waiting { .. } => State::Suspended,
            Self::Paused { .. } => State::Paused,
            Self::Cancelled { .. } => State::Cancelled,
            Self::InDoubt { .. } => State::InDoubt,
            _ => State::Failed,
        }
    }

    /// Tells whether the run can go on.
    pub const fn is_parked(&self) -> bool {
        self.state().is_parked()
    }

    /// Says whether a replay that ended in `self` ended as the record did. Backtraces are for people and not compared.
    pub fn matches(&self, recorded: &Self) -> bool {
        match (self, recorded) {
            (Self::Trapped { message, .. }, Self::Trapped { message: recorded, .. }) => message == recorded,
            _ => self == recorded,
        }
    }
}
