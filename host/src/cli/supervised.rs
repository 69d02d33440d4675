//! What commands do with runs that somebody else may drive: in a host that lives long the supervisor says who does, and in
//! any other process nobody does.

use super::exit::Exit;
use super::report::{Failure, Result};
use super::session::Session;
use crate::agent::{self, Order, ParkError, Stop, StopTo};
use crate::id::RunId;
use crate::lifecycle::State;
use crate::supervisor::{Claim, Refused};

/// What answers for a run in the foreground while it lasts.
#[cfg(unix)]
pub use super::foreground::answering as answered;

/// What answers for a run in the foreground: nothing, where there are no sockets for it.
#[cfg(not(unix))]
pub struct Answering;

/// Returns the session in which to claim a run.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn answered(session: &Session) -> Result<(Session, Option<Answering>)> {
    Ok((session.clone(), None))
}

impl Session {
    /// Says that this command has a run from here on, until what is returned is dropped; `stop` is what stops it.
    ///
    /// # Errors
    /// When somebody else drives it.
    pub fn claim(&self, run: RunId, stop: &Stop) -> Result<Option<Claim>> {
        Ok(self.supervisor().map(|supervisor| supervisor.claim(run, stop)).transpose()?)
    }

    /// Says that a run may be able to go on which waited. Returns whether there is a host that sees to it.
    pub fn look_again(&self) -> bool {
        let host = self.supervisor().filter(|supervisor| supervisor.drives());
        host.inspect(|supervisor| supervisor.look_again()).is_some()
    }

    /// Pauses or ends a run, whoever drives it.
    ///
    /// # Errors
    /// When its state does not allow that.
    pub fn stop(&self, run: RunId, order: &Order) -> Result<()> {
        let Order { to, by, why } = order;
        if let Some(supervisor) = self.supervisor() {
            supervisor.stop(run, order)?;
            return Ok(());
        }
        match to {
            StopTo::Suspended => {}
            StopTo::Paused => {
                agent::pause(self.journal(), run, by, why.as_deref().unwrap_or("asked for"), self.clock())?;
            }
            StopTo::Cancelled => drop(agent::cancel(self.journal(), run, by, why.as_deref(), self.clock())?),
        }
        Ok(())
    }
}

impl From<ParkError> for Failure {
    fn from(error: ParkError) -> Self {
        let hint = match &error {
            ParkError::Recall(_) => None,
            ParkError::Called { cause, .. } => Some(format!("ask for run {}, which called it", cause.run)),
            ParkError::Unlawful { run, now, .. } => Some(match now {
                State::InDoubt => format!("`remit show {run}` says what is in doubt, and `remit decide` decides it"),
                State::Paused => format!("`remit resume {run}` goes on with it, and `remit cancel {run}` ends it"),
                State::Running => format!("`remit pause {run}` or `remit cancel {run}` stops it"),
                _ => "`remit runs` lists the runs and their states".to_owned(),
            }),
        };
        match (error, hint) {
            (ParkError::Recall(error), _) => error.into(),
            (error, Some(hint)) => Self::from_error(Exit::NotResumable, error).hint(hint),
            (error, None) => Self::from_error(Exit::NotResumable, error),
        }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Park(error) => error.into(),
            full @ Refused::Full { .. } => {
                Self::from_error(Exit::HomeBusy, full).hint("try again when some of them have ended")
            }
            closing @ Refused::Closing => Self::from_error(Exit::HomeBusy, closing)
                .hint("try again when the home is served again, or nobody has it"),
            slow @ Refused::Slow(_) => {
                Self::from_error(Exit::HostFailed, slow).hint("look at it again in a moment: `remit runs`")
            }
        }
    }
}
