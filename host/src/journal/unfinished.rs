//! The runs that have not ended, listed: whoever recovers a home looks at these and not at all there ever were.
//!
//! A run is in the list from the transaction that accepts it to that of its end. A row says what a queue needs, so that a
//! hundred thousand waiting runs take a row each and nothing else. The run's own record is what counts: a row that says
//! more than that misleads nobody who looks.

use redb::{Database, ReadableDatabase, ReadableTable, WriteTransaction};

use super::error::Error;
use super::header::Header;
use super::row::{self, Row, StateBody};
use super::{Journal, tables};
use crate::id::RunId;
use crate::lifecycle::State;

/// A run that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The run.
    pub run: RunId,
    /// The state that was recorded last. [`State::Running`] also where none was; unless somebody drives it, that one was
    /// interrupted.
    pub state: State,
    /// Where it stands among queued runs.
    pub priority: i8,
    /// Whether it is that of a connector, which goes on with its caller.
    pub is_called: bool,
    /// Stands for the plugin's identity: that of others is another, but for one in 2^64.
    pub owner: Owner,
    /// How often it was taken up at the same place; see [`Journal::count_attempts`].
    attempts: u8,
    /// The fuel at that place.
    place: u64,
}

/// Stands for a plugin's identity.
pub type Owner = [u8; 8];

const CALLED: u8 = 1;

impl Unfinished {
    /// Returns how a run with this header stands before its first state.
    pub(super) fn of(run: RunId, header: &Header) -> Self {
        let owner = *header.namespace().as_bytes().first_chunk().expect("a digest has 32 bytes");
        let (priority, is_called) = (header.priority, header.cause.is_some());
        Self { run, state: State::Running, priority, is_called, owner, attempts: 0, place: 0 }
    }

    fn encode(&self) -> [u8; 20] {
        let mut row = [0; 20];
        row[0] = State::ALL.iter().position(|state| *state == self.state).unwrap_or_default() as u8;
        row[1] = self.priority.to_ne_bytes()[0];
        row[2] = if self.is_called { CALLED } else { 0 };
        row[3] = self.attempts;
        row[4..12].copy_from_slice(&self.place.to_be_bytes());
        row[12..].copy_from_slice(&self.owner);
        row
    }

    fn decode(run: RunId, row: &[u8; 20]) -> Result<Self, Error> {
        let [state, priority, flags, attempts, rest @ ..] = row;
        let (place, owner) = rest.split_first_chunk::<8>().expect("a row has 20 bytes");
        let unknown = || Error::damaged(format_args!("a run that has not ended has the unknown state {state}"));
        Ok(Self {
            run,
            state: *State::ALL.get(usize::from(*state)).ok_or_else(unknown)?,
            priority: i8::from_ne_bytes([*priority]),
            is_called: flags & CALLED != 0,
            owner: *owner.first_chunk().expect("a row has 20 bytes"),
            attempts: *attempts,
            place: u64::from_be_bytes(*place),
        })
    }
}

/// Lists a run that is accepted.
pub(super) fn accepted(write: &WriteTransaction, row: &Unfinished) -> Result<(), Error> {
    write.open_table(tables::UNFINISHED)?.insert(row.run.as_bytes(), &row.encode())?;
    Ok(())
}

/// Notes which state a run is in now. One that has ended is in the list no more.
pub(super) fn settled(write: &WriteTransaction, run: RunId, state: State) -> Result<(), Error> {
    if state.is_end() {
        return removed(write, run);
    }
    let mut table = write.open_table(tables::UNFINISHED)?;
    let known = table.get(run.as_bytes())?.map(|row| Unfinished::decode(run, row.value()));
    let before = match known {
        Some(row) => row?,
        None => {
            Unfinished::of(run, &Header::decode(&row::load(&write.open_table(tables::RUNS)?, run)?.header.unpack()?)?)
        }
    };
    // Whoever parked it was not killed by it.
    let attempts = if state == State::Running { before.attempts } else { 0 };
    table.insert(run.as_bytes(), &Unfinished { state, attempts, ..before }.encode())?;
    Ok(())
}

/// Takes a run off the list.
pub(super) fn removed(write: &WriteTransaction, run: RunId) -> Result<(), Error> {
    write.open_table(tables::UNFINISHED)?.remove(run.as_bytes())?;
    Ok(())
}

/// Lists the runs of a file that has no list yet.
pub(super) fn list_earlier(database: &Database) -> Result<(), Error> {
    if tables::if_there(&database.begin_read()?, tables::UNFINISHED)?.is_some() {
        return Ok(());
    }
    let write = database.begin_write()?;
    write.open_table(tables::UNFINISHED)?;
    for row in write.open_table(tables::RUNS)?.iter()? {
        let (run, row) = row?;
        let run = RunId::from_bytes(*run.value());
        // A damaged row is found by who reads the run.
        let Ok(row) = Row::decode(run, row.value()) else { continue };
        if let Some(state) = state_of(row.state.as_ref()) {
            accepted(&write, &Unfinished::of(run, &Header::decode(&row.header.unpack()?)?))?;
            settled(&write, run, state)?;
        }
    }
    Ok(write.commit()?)
}

/// Returns the state that an earlier version recorded, unless the run has ended.
fn state_of(body: Option<&StateBody>) -> Option<State> {
    let Some(StateBody::Inline(json)) = body else { return body.is_none().then_some(State::Running) };
    let body: serde_json::Value = serde_json::from_slice(json).ok()?;
    let name = body.get("now").or_else(|| body.get("state"))?;
    serde_json::from_value(name.clone())
        .ok()
        .filter(|state| matches!(state, State::Running) || State::is_parked(*state))
}

impl Journal {
    /// Returns the runs that have not ended, oldest first: at most `len_max` of those after `after`.
    ///
    /// # Errors
    /// What keeps the file from being read; a damaged row.
    pub fn unfinished(&self, after: Option<RunId>, len_max: usize) -> Result<Vec<Unfinished>, Error> {
        let first = after.map_or([0; 16], |run| *run.as_bytes());
        self.0.store.reading(|read| {
            let table = read.open_table(tables::UNFINISHED)?;
            let mut found = Vec::new();
            for row in table.range::<&[u8; 16]>(&first..)? {
                let (run, row) = row?;
                let run = RunId::from_bytes(*run.value());
                if Some(run) != after {
                    found.push(Unfinished::decode(run, row.value())?);
                }
                if found.len() == len_max {
                    break;
                }
            }
            Ok(found)
        })
    }

    /// Returns how a run stands that has not ended; nothing for one that has.
    ///
    /// # Errors
    /// As [`Journal::unfinished`].
    pub fn unfinished_run(&self, run: RunId) -> Result<Option<Unfinished>, Error> {
        self.0.store.reading(|read| {
            let table = read.open_table(tables::UNFINISHED)?;
            table.get(run.as_bytes())?.map(|row| Unfinished::decode(run, row.value())).transpose()
        })
    }

    /// Counts that these runs are taken up, and returns how often each was so at the place where its record ends now. They
    /// are counted before anybody drives them, in one commit: a run that takes its host down with it is known by this.
    ///
    /// # Errors
    /// What keeps it from being stored. Runs that have ended are left out.
    pub fn count_attempts(&self, runs: Vec<RunId>) -> Result<Vec<(RunId, u8)>, Error> {
        self.0.edit(move |write| {
            let mut table = write.open_table(tables::UNFINISHED)?;
            let all = write.open_table(tables::RUNS)?;
            let mut counted = Vec::with_capacity(runs.len());
            for run in runs {
                let Some(before) = table.get(run.as_bytes())?.map(|row| Unfinished::decode(run, row.value())) else {
                    continue;
                };
                let (before, place) = (before?, row::load(&all, run)?.extent.fuel);
                let attempts = if before.place == place { before.attempts.saturating_add(1) } else { 1 };
                table.insert(run.as_bytes(), &Unfinished { attempts, place, ..before }.encode())?;
                counted.push((run, attempts));
            }
            Ok(Ok(counted))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back() {
        for (state, priority, is_called) in [(State::Queued, -100, false), (State::InDoubt, 127, true)] {
            let run = RunId::from_bytes([7; 16]);
            let one =
                Unfinished { run, state, priority, is_called, owner: *b"12345678", attempts: 255, place: u64::MAX - 1 };
            assert_eq!(Unfinished::decode(run, &one.encode()).unwrap(), one);
        }
        assert!(Unfinished::decode(RunId::from_bytes([7; 16]), &[200; 20]).is_err());
    }
}
