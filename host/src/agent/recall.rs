//! Reading a run back: from the journal's header to an [`Agent`] that replays it.

use super::launch::given;
use super::{Agent, Recorded, Replayed, Stop};
use crate::digest::Digest;
use crate::gate::{End, FuelRule, LastState, Replay};
use crate::id::RunId;
use crate::journal::{self, Header, Journal};
use crate::scope::Remit;

/// Why a run cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum RecallError {
    /// The header does not hold what replay needs.
    #[error("the header of run {run} cannot be used: {what}")]
    Header {
        /// The run.
        run: RunId,
        /// What is wrong with it.
        what: String,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] journal::Error),
}

/// A recorded run, read back and ready to be replayed.
pub struct Recalled {
    /// The run.
    pub id: RunId,
    /// The run's header.
    pub header: Header,
    /// How it ended, if it did.
    pub end: Option<End>,
    fuel: u64,
    pub(super) remit: Remit,
    pub(super) input: Vec<u8>,
}

/// Reads what a replay needs besides the component.
///
/// # Errors
/// [`RecallError`].
pub fn recall(journal: &Journal, run: RunId) -> Result<Recalled, RecallError> {
    let summary = journal.summary(run)?;
    let header = summary.header;
    let damaged = |what: String| RecallError::Header { run, what };
    let remit = Remit::parse(&journal.blob(header.remit)?).map_err(|error| damaged(error.to_string()))?;
    let state = summary.state.map(|body| LastState::read(&body)).transpose();
    let end = state.map_err(|error| damaged(format!("last state: {error}")))?.and_then(LastState::end);
    let input = journal.payload(&header.input)?;
    Ok(Recalled { id: run, header, end, fuel: summary.fuel, remit, input })
}

impl Recalled {
    /// Returns what the run was allowed when it was accepted.
    pub fn remit(&self) -> &Remit {
        &self.remit
    }

    /// Replays with `agent`, which may be another build of the plugin.
    ///
    /// # Errors
    /// [`RecallError`] when the record cannot be read.
    pub async fn replay(
        &self,
        agent: &Agent,
        rule: FuelRule,
        journal: &Journal,
        stop: &Stop,
    ) -> Result<Replayed, RecallError> {
        let given = given(agent.world(), &self.remit, &self.header, self.input.clone());
        let given = given.map_err(|error| RecallError::Header { run: self.id, what: error.to_string() })?;
        let replay = Replay::new(journal.reader(self.id)?, given.limits.clone(), rule);
        let recorded = Recorded { end: self.end.as_ref(), fuel: self.fuel };
        Ok(agent.replay(given, replay, recorded, stop).await?)
    }

    /// Says whether fuel can be compared: it can where component and engine are those of the record.
    pub fn fuel_rule(&self, component: Digest, engine: Digest) -> FuelRule {
        match self.header.component == component && self.header.engine == engine.to_string() {
            true => FuelRule::Compared,
            false => FuelRule::Reported,
        }
    }
}
