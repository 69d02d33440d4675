//! Taking a run up that its host left: killed, or on purpose.
//!
//! Everything that decided the run comes from its header; what holds of its grants is what holds now. The run is owned
//! from here on: whoever owned it before can write nothing more.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::Agent;
use super::launch::{self, Accepted, LaunchError, Resumed};
use super::recall::{RecallError, Recalled};
use crate::capability::{Caps, config};
use crate::digest::Digest;
use crate::gate::{Disarmed, LastState, Live, Open, Standing, Tip};
use crate::id::RunId;
use crate::journal::{self, Journal, StateEntry, TakenOver};
use crate::lifecycle::{Decision, State};
use crate::manifest::Name;
use crate::scope::{Access, Remit};
use crate::time::{Clock, Timestamp};

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// It has ended, or somebody drives it.
    #[error("the run is {}, and that cannot be resumed", .0.name())]
    NotResumable(State),
    /// Nobody has decided yet what became of an effect.
    #[error("whether entry {0} was done is not known, and nobody has decided")]
    Undecided(u64),
    /// What it needs besides its record is not there.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The record cannot be used.
    #[error(transparent)]
    Recall(#[from] RecallError),
}

impl From<journal::Error> for ResumeError {
    fn from(error: journal::Error) -> Self {
        Self::Recall(error.into())
    }
}

/// What a run is given again that its record does not hold.
pub struct Again<'a> {
    /// The engine's fingerprint.
    pub engine: Digest,
    /// The most that the run may do from here on, whatever it was accepted with.
    pub most: &'a Remit,
    /// What the operator has set for the plugin.
    pub values: config::Values,
    /// Who resumes it.
    pub by: &'a str,
}

/// Takes a run up, for [`Accepted::run`] to go on with where its record ends.
///
/// # Errors
/// [`ResumeError`]; the run is as it was then.
pub fn resume(
    recalled: &Recalled,
    agent: &Agent,
    again: Again<'_>,
    journal: &Journal,
    clock: Clock,
) -> Result<Accepted, ResumeError> {
    let Recalled { id, header, remit, .. } = recalled;
    if let Some(end) = recalled.end.as_ref().filter(|end| !end.outcome.state().may_become(State::Running)) {
        return Err(ResumeError::NotResumable(end.outcome.state()));
    }
    let unnamed = |name: &Name| RecallError::Header { run: *id, what: format!("files.{name} has no folder in it") };
    let mut folders = BTreeMap::new();
    for name in remit.files().iter().map(|files| files.name()) {
        let folder = header.mounts.get(name.as_str()).ok_or_else(|| unnamed(name))?;
        folders.insert(name.clone(), PathBuf::from(folder));
    }
    let most = if header.is_disarmed() { Access::Read } else { Access::ReadWrite };
    let mounts = launch::open_mounts(remit, &folders, most)?;
    let manifest = String::from_utf8_lossy(&journal.blob(header.manifest)?).into_owned();
    let standing = Standing::of(journal, remit.clone(), &header.grants, &manifest, clock.now())?.at_most(again.most);
    let given = launch::given(agent.world(), remit, header, recalled.input.clone())?;
    let mut taken = journal.take_over(*id)?;
    let began = journal.began(header)?;
    let history = History::of(&taken, began);
    let tip = history.tip(&taken)?;
    let quotas = remit.files().iter().map(|files| files.quota()).collect();
    if header.is_disarmed() {
        taken.writer.keep_kv();
    }
    let caps = Caps { mounts, quotas, values: again.values, is_disarmed: header.is_disarmed(), ..Caps::default() };
    let clock_again = clock.clone();
    let live = Live::new(caps, taken.writer, agent.functions(), standing, given.limits.clone(), clock);
    let live = live.since(began, taken.time_us);
    let live = match header.parent.filter(|_| header.is_disarmed()) {
        Some(parent) => live.disarmed(disarmed(recalled, parent, agent, journal)?),
        None => live,
    };
    let rule = recalled.fuel_rule(header.component, again.engine);
    let reader = journal.reader(*id)?;
    let journal = journal.clone();
    let resumed = Resumed { journal, clock: clock_again, reader, rule, tip, by: again.by.to_owned(), ran: history.ran };
    Ok(Accepted { id: *id, given, live, resumed: Some(resumed) })
}

/// Returns what a fork is told that has no effects.
fn disarmed(
    Recalled { id, header, .. }: &Recalled,
    parent: RunId,
    agent: &Agent,
    journal: &Journal,
) -> Result<Disarmed<Caps>, journal::Error> {
    let own_from = header.cut.unwrap_or(0);
    let functions = agent.functions().clone();
    Disarmed::of(journal, *id, (parent, own_from), functions, (Caps::is_told, Caps::open_lost))
}

/// What the states of a run say.
struct History {
    /// How long somebody drove it.
    ran: Duration,
    /// What was decided last, and about which entry.
    decided: Option<(u64, Decision)>,
    is_in_doubt: bool,
}

impl History {
    fn of(taken: &TakenOver, accepted: Timestamp) -> Self {
        let mut history = Self { ran: Duration::ZERO, decided: None, is_in_doubt: false };
        let mut since = Some(accepted.as_micros());
        for StateEntry { time_us, before_us, body, .. } in &taken.states {
            let Ok(state) = LastState::read(body) else { continue };
            if let LastState::Changed(transition) = &state
                && let (Some(entry), Some(decision)) = (transition.entry, transition.decision)
            {
                history.decided = Some((entry, decision));
            }
            history.is_in_doubt = state.state() == State::InDoubt;
            if state.state() == State::Queued {
                since = None;
                continue;
            }
            // Who was killed was there until its last entry; who parked, until it said so.
            let until = if state.state() == State::Running { before_us } else { time_us };
            if let Some(began) = since.take() {
                history.ran += Duration::from_micros(until.saturating_sub(began));
            }
            since = (state.state() == State::Running).then_some(*time_us);
        }
        if let Some(began) = since {
            history.ran += Duration::from_micros(taken.time_us.saturating_sub(began));
        }
        history
    }

    fn tip(&self, taken: &TakenOver) -> Result<Tip, ResumeError> {
        let open = taken.open.map(|entry| {
            let is_retried = self.decided == Some((entry, Decision::Retry));
            Open { entry, is_retried }
        });
        match open {
            Some(open) if self.is_in_doubt && !open.is_retried => Err(ResumeError::Undecided(open.entry)),
            open => Ok(Tip { calls: taken.calls, open }),
        }
    }
}
