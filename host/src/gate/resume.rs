//! Resuming: the replay side up to the last call that is recorded, and the live side from there.
//!
//! Until then the live side waits. It takes part only in that it is brought to where it was: what a recorded call did to
//! open files, deadlines and usage is done again by the call's `restore`, which performs nothing. Then the run goes live,
//! once, and the replay side is gone.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;

use super::replay::Recorded;
use super::{
    FuelRule, Functions, Gate, Halt, Incoming, Live, Op, Ordinals, RemoteOp, Replay, Side, Turn, Value, Waited,
};
use crate::journal::{Reader, RunWriter, Waiting};
use crate::meter::{LimitKind, Limits, Usage};

/// What a recorded call left behind, for a run that is resumed.
pub struct Restore<'a, C> {
    /// What the capabilities hold.
    pub caps: &'a mut C,
    /// What the run had used.
    pub usage: &'a mut Usage,
    /// The run's own view of its kv.
    pub kv: &'a mut RunWriter,
    /// When the call was recorded, counted from the run's start.
    pub at: Duration,
    /// What the call noted in its entry.
    pub note: Option<&'a str>,
}

/// Brings what the capabilities hold to where a recorded call left it.
pub type Relive<C, D, P, R> = fn(&mut Restore<'_, C>, &D, &P, &R);

/// Looks whether a call was done that was begun, by what it had found in place.
pub type Recover<C, D, P, R> = fn(&mut Turn<'_, C>, &D, &P, &Json) -> Result<Recovered<R>, Halt>;

/// What has become of a call that was begun and of which nothing more is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovered<R> {
    /// It was done, with this outcome.
    Done(R),
    /// It was not done.
    NotDone,
    /// That is not known.
    InDoubt,
}

impl Recovered<()> {
    /// Returns the same with the outcome that the call had if it was done.
    pub fn with<R>(self, outcome: R) -> Recovered<R> {
        match self {
            Self::Done(()) => Recovered::Done(outcome),
            Self::NotDone => Recovered::NotDone,
            Self::InDoubt => Recovered::InDoubt,
        }
    }
}

/// Brings what the capabilities hold to life, once all of the record was seen; or says what is not as it was.
pub type Awaken<C, D> = fn(&mut C, &D) -> Result<(), String>;

/// A run that is on its way to where its record ends.
pub struct Resume<C, D> {
    replay: Replay,
    /// Until it goes live.
    live: Option<Box<Live<C>>>,
    /// How many entries there are up to the last call.
    calls: u64,
    /// The intent that is the last of them, where nothing answers it.
    open: Option<Open>,
    awaken: Awaken<C, D>,
    by: String,
}

/// An intent that nothing answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its number.
    pub entry: u64,
    /// Whether a person said that it was not done, and is to be done again.
    pub is_retried: bool,
}

/// Where a record ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tip {
    /// How many entries there are up to the last call.
    pub calls: u64,
    /// The intent that is the last of them, where nothing answers it.
    pub open: Option<Open>,
}

/// A call that was begun, as it is taken up.
pub(super) struct Begun {
    pub open: Open,
    /// What it found in place.
    pub before: Option<String>,
}

impl<C, D> Resume<C, D> {
    /// Puts a record and the live side together that goes on after it.
    pub fn new(
        reader: Reader,
        rule: FuelRule,
        limits: Limits,
        live: Live<C>,
        tip: Tip,
        awaken: Awaken<C, D>,
        by: String,
    ) -> Self {
        let replay = Replay::new(reader, limits, rule);
        Self { replay, live: Some(Box::new(live)), calls: tip.calls, open: tip.open, awaken, by }
    }

    pub(super) fn live(&mut self) -> &mut Live<C> {
        self.live.as_mut().expect("it is there until the run goes live")
    }

    fn is_used_up(&self) -> bool {
        self.replay.taken() >= self.calls
    }

    /// Returns the intent that nothing answers, if it is next. A run that was resumed before has states in front of it.
    fn take_open(&mut self) -> Result<Option<Open>, Halt> {
        match self.open {
            Some(open) if self.replay.next_number()? == open.entry => Ok(Some(open)),
            _ => Ok(None),
        }
    }

    /// Takes up the wait that is the last of the record, if this call is it and what it waits for is there.
    pub(super) fn take_wait(
        &mut self,
        functions: &Functions,
        index: u16,
        fuel: u64,
        params: &[u8],
    ) -> Result<Option<Waiting>, Halt> {
        let Some(open) = self.take_open()? else { return Ok(None) };
        let before = self.replay.take_open(functions, index, fuel, params)?;
        let wait = before.and_then(|before| serde_json::from_str(&before).ok()).ok_or(Halt::InDoubt(open.entry))?;
        let waiting = Waiting::new(open.entry, wait);
        if !self.live().has_arrived(&waiting.wait)? {
            return Err(Halt::Waiting(Box::new(waiting.into())));
        }
        self.live().count(params)?;
        Ok(Some(waiting))
    }

    /// Answers a call that waited from the record.
    pub(super) fn relive_wait<R: Value>(
        &mut self,
        functions: &Functions,
        ordinals: &mut Ordinals,
        index: u16,
        fuel: u64,
        params: &[u8],
    ) -> Result<Waited<R>, Halt> {
        let recorded = self.replay.answer_in_full(functions, index, fuel, params, ordinals)?;
        self.live().relived(params.len() as u64, recorded.outcome_len);
        Ok(Waited::Answered(recorded.outcome))
    }

    /// Returns the next call that came in; nothing where the record has no more.
    pub(super) fn next_incoming(&mut self, functions: &Functions, fuel: u64) -> Result<Option<Incoming>, Halt> {
        if self.is_used_up() {
            return Ok(None);
        }
        let incoming = self.replay.next_incoming(functions, fuel)?;
        if let Some(incoming) = &incoming {
            self.live().usage().bytes_in += incoming.params.len() as u64;
        }
        Ok(incoming)
    }

    /// Compares the result of a call that came in.
    pub(super) fn leave(&mut self, functions: &Functions, index: u16, fuel: u64, result: &[u8]) -> Result<(), Halt> {
        self.replay.expect(functions, index, fuel, result)?;
        self.live().usage().bytes_out += result.len() as u64;
        Ok(())
    }
}

impl<C, D> Gate<C, D> {
    /// Makes the gate of a run that is resumed.
    pub fn resume(functions: Arc<Functions>, derived: D, mut resume: Resume<C, D>) -> Self {
        let handles_max = resume.live().limits()[LimitKind::Handles];
        Self::new(functions, derived, handles_max, Side::Resume(Box::new(resume)))
    }

    /// Goes live where a run that is resumed has come to the end of its record.
    ///
    /// # Errors
    /// [`Halt::Changed`] when what it stands on is not as it was; [`Halt::Journal`].
    #[inline]
    pub fn wake(&mut self, fuel: u64) -> Result<(), Halt> {
        match &self.side {
            Side::Resume(resume) if resume.is_used_up() => self.go_live(fuel),
            _ => Ok(()),
        }
    }

    #[cold]
    fn go_live(&mut self, fuel: u64) -> Result<(), Halt> {
        let Side::Resume(resume) = &mut self.side else { return Ok(()) };
        let (awaken, by) = (resume.awaken, mem::take(&mut resume.by));
        let mut live = resume.live.take().expect("a run goes live once");
        let awake = awaken(&mut live.caps, &self.derived);
        let began = match &awake {
            Ok(()) => live.went_live(fuel, by),
            Err(_) => Ok(()),
        };
        self.side = Side::Live(live);
        began?;
        awake.map_err(Halt::Changed)
    }

    /// Takes up the call that was begun, and goes live, if this is it: the last of the record, with nothing that answers.
    pub(super) fn take_begun(&mut self, index: u16, fuel: u64) -> Result<Option<Begun>, Halt> {
        let Side::Resume(resume) = &mut self.side else { return Ok(None) };
        let Some(open) = resume.take_open()? else { return Ok(None) };
        let before = resume.replay.take_open(&self.functions, index, fuel, &self.params)?;
        resume.live().count(&self.params)?;
        self.go_live(fuel)?;
        Ok(Some(Begun { open, before }))
    }

    /// Answers a call from the record, and does again what it did to what the capabilities hold.
    pub(super) fn relive<P: Value, R: Value>(&mut self, op: &Op<C, D, P, R>, fuel: u64, params: &P) -> Result<R, Halt> {
        let Self { functions, side, ordinals, derived, params: encoded, .. } = self;
        let Side::Resume(resume) = side else { unreachable!("only a run that is resumed relives a call") };
        let recorded = resume.replay.answer_in_full(functions, op.index, fuel, encoded, ordinals)?;
        let Recorded { outcome, outcome_len, time_us, note, .. } = recorded;
        let live = resume.live();
        live.relived(encoded.len() as u64, outcome_len);
        if let Some(restore) = op.restore {
            live.restore(time_us, note.as_deref(), |turn| restore(turn, derived, params, &outcome));
        }
        Ok(outcome)
    }

    /// As [`Gate::relive`], for what was done outside this host.
    pub(super) fn relive_remote<P: Value, R: Value, T>(
        &mut self,
        op: &RemoteOp<C, D, P, R, T>,
        fuel: u64,
        params: &P,
    ) -> Result<R, Halt> {
        let Self { functions, side, ordinals, params: encoded, .. } = self;
        let Side::Resume(resume) = side else { unreachable!("only a run that is resumed relives a call") };
        let recorded = resume.replay.answer_in_full::<R>(functions, op.index, fuel, encoded, ordinals)?;
        let live = resume.live();
        live.relived(encoded.len() as u64, recorded.outcome_len);
        let took = (op.took)(params, &recorded.outcome, recorded.account.as_deref());
        live.reused(took, recorded.outcome.usage());
        Ok(recorded.outcome)
    }

    /// Answers a call that both sides compute.
    pub(super) fn recompute<P, R>(
        &mut self,
        index: u16,
        fuel: u64,
        params: &P,
        perform: impl FnOnce(&mut D, &mut Ordinals, &P) -> Result<R, Halt>,
    ) -> Result<R, Halt> {
        let Self { functions, side, ordinals, derived, params: encoded, .. } = self;
        let Side::Resume(resume) = side else { unreachable!("only a run that is resumed computes a call again") };
        resume.replay.expect(functions, index, fuel, encoded)?;
        resume.live().relived(encoded.len() as u64, 0);
        perform(derived, ordinals, params)
    }

    /// Returns who records how the run stands: the live side, also of a run that is not there yet.
    pub fn recorder(&mut self) -> Option<&mut Live<C>> {
        match &mut self.side {
            Side::Live(live) => Some(live),
            Side::Resume(resume) => Some(resume.live()),
            Side::Replay(_) => None,
        }
    }

    /// Tells whether the run has not come to the end of its record yet.
    pub fn is_resuming(&self) -> bool {
        matches!(self.side, Side::Resume(_))
    }

    /// Says that the guest is at its end, with this much fuel used. A run that is resumed must have come to the end of
    /// its record.
    ///
    /// # Errors
    /// [`Halt::Diverged`] when the record goes on.
    pub fn finish_resuming(&mut self, fuel: u64) -> Result<(), Halt> {
        let Side::Resume(resume) = &mut self.side else { return Ok(()) };
        if resume.is_used_up() {
            return self.go_live(fuel);
        }
        resume.replay.take_end(&self.functions, fuel).map(drop)
    }
}
