//! The live side of the gate: permit, reserve, make durable what the class demands, perform, record, settle.

mod admission;
mod disarmed;
mod family;
mod incoming;
mod record;
mod remote;
mod resumed;
mod standing;
mod wait;

pub use self::admission::{Admission, Refusal};
pub use self::disarmed::Disarmed;
pub use self::family::Family;
pub use self::standing::Standing;

use std::sync::Arc;
use std::time::Duration;

use atomic_refcell::{AtomicRefCell, AtomicRefMut};

use super::function::{Class, Functions};
use super::output::{Output, OutputStream};
use super::{Halt, Ordinals};
use crate::journal::{FunctionId, RunWriter};
use crate::meter::{Crossed, LimitKind, Limits, Usage};
use crate::time::Clock;

/// What one call may use while it is performed.
pub struct Turn<'a, C> {
    /// What the capabilities hold: open files, the output sink.
    pub caps: &'a mut C,
    /// The run's own view of its kv, pending writes included.
    pub kv: &'a mut RunWriter,
    /// Gives out handles.
    pub ordinals: &'a mut Ordinals,
    /// The limits of the run.
    pub limits: &'a Limits,
    /// What the run has used so far.
    pub usage: &'a mut Usage,
    /// Where wall time comes from.
    pub clock: &'a Clock,
    started: Duration,
    before: Duration,
    shown: &'a mut Vec<(OutputStream, Vec<u8>)>,
    note: &'a mut Option<String>,
}

impl<C> Turn<'_, C> {
    /// Returns the time since the run began.
    pub fn elapsed(&self) -> Duration {
        (self.clock.elapsed() + self.before).saturating_sub(self.started)
    }

    /// Writes into the call's entry what it found, as JSON: for a run that is resumed.
    pub fn note(&mut self, found: String) {
        *self.note = Some(found);
    }

    /// Queues output; it is shown once its entry is durable.
    ///
    /// # Errors
    /// [`Halt::Limit`] when the run has written more than its output limit.
    pub fn show(&mut self, stream: OutputStream, bytes: &[u8]) -> Result<(), Halt> {
        let wanted = self.usage.output_bytes + bytes.len() as u64;
        self.limits.check(LimitKind::Output, wanted)?;
        self.usage.output_bytes = wanted;
        self.shown.push((stream, bytes.to_vec()));
        Ok(())
    }
}

/// The live side of one run.
pub struct Live<C> {
    /// What the capabilities hold.
    pub caps: C,
    journal: Buffered,
    standing: Standing,
    limits: Limits,
    usage: Usage,
    /// What the connectors used that it called.
    called: Usage,
    /// The journals of the runs that serve each other, this one's among them.
    family: Option<Family>,
    /// In a fork that has no effects: what it is told instead.
    disarmed: Option<Box<Disarmed<C>>>,
    clock: Clock,
    started: Duration,
    /// How long the run was there before this process took it up.
    before: Duration,
    started_us: u64,
    /// When the clock was last read for an entry.
    stamped: Duration,
    interned: Vec<FunctionId>,
    outcome: Vec<u8>,
    output: Output,
    shown: Vec<(OutputStream, Vec<u8>)>,
    /// What the call that is performed found.
    note: Option<String>,
    /// Whether the run may be suspended while it waits.
    suspends: bool,
    /// Whether something was recorded that replay cannot derive and that is not durable yet.
    undurable_inputs: bool,
}

/// The run's journal, shared between the guest's calls and whoever drives the guest, who hands over what is buffered
/// while the guest computes. Both are one task, so they take turns, and no turn lasts across a wait.
#[derive(Clone)]
pub struct Buffered(Arc<AtomicRefCell<RunWriter>>);

impl Buffered {
    /// Returns the writer. A cell costs a recorded call half of what a lock would.
    ///
    /// # Panics
    /// When somebody holds the writer already, which takes two tasks.
    #[inline]
    pub fn borrow_mut(&self) -> AtomicRefMut<'_, RunWriter> {
        self.0.borrow_mut()
    }
}

impl<C> Live<C> {
    /// Makes the live side of a run that was just accepted.
    pub fn new(
        caps: C,
        mut journal: RunWriter,
        functions: &Functions,
        standing: Standing,
        limits: Limits,
        clock: Clock,
    ) -> Self {
        let interned =
            functions.iter().map(|function| journal.function(function.name.clone(), function.class as u8)).collect();
        let (started, started_us) = (clock.elapsed(), clock.now().as_micros());
        Self {
            caps,
            journal: Buffered(Arc::new(AtomicRefCell::new(journal))),
            standing,
            limits,
            usage: Usage::default(),
            called: Usage::default(),
            family: None,
            disarmed: None,
            clock,
            started,
            before: Duration::ZERO,
            started_us,
            stamped: Duration::ZERO,
            interned,
            outcome: Vec::with_capacity(256),
            output: Output::default(),
            shown: Vec::new(),
            note: None,
            suspends: true,
            undurable_inputs: false,
        }
    }

    /// Returns the limits of the run.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns what the run has used so far.
    pub fn usage(&mut self) -> &mut Usage {
        &mut self.usage
    }

    /// Returns what the connectors used that the run called.
    pub fn called(&self) -> Usage {
        self.called
    }

    /// Adds what they used of which no call's entry says so.
    pub fn add_called(&mut self, used: Usage) {
        self.called += used;
    }

    /// Joins the runs that serve each other: what one of them needs on disk takes what the others recorded before
    /// along, because it may follow from that.
    pub fn join(&mut self, family: &Family) {
        family.add(self.journal.clone());
        self.family = Some(family.clone());
    }

    /// Returns the runs that it serves, or that serve it.
    pub fn family(&self) -> Option<&Family> {
        self.family.as_ref()
    }

    /// Returns the run's journal.
    pub fn journal(&self) -> Buffered {
        self.journal.clone()
    }

    /// Returns the time since the run began.
    pub fn elapsed(&self) -> Duration {
        self.run_time(self.clock.elapsed())
    }

    /// Returns how old the run is when its clock says `now`.
    #[inline]
    fn run_time(&self, now: Duration) -> Duration {
        (now + self.before).saturating_sub(self.started)
    }

    /// Returns the wall time of a moment of the run, in microseconds since the epoch.
    #[inline]
    pub fn wall_us(&self, elapsed: Duration) -> u64 {
        self.started_us + elapsed.as_micros() as u64
    }

    /// Returns the wall time of an entry. What only reads or computes takes the time of the last tick: a clock that is
    /// read for every call costs as much as the rest of recording it. Times never go back.
    #[inline]
    fn stamp(&mut self, class: Class) -> u64 {
        let now = match class {
            Class::Pure | Class::ReadLocal | Class::WriteLocal => self.clock.elapsed_at_tick(),
            _ => self.clock.elapsed(),
        };
        self.stamped = self.stamped.max(self.run_time(now));
        self.wall_us(self.stamped)
    }

    /// Returns the queue of the run's output.
    pub fn output(&self) -> Output {
        self.output.clone()
    }
}

/// Holds what the journal keeps of a run to its limit.
fn check_recorded(limits: &Limits, usage: &Usage) -> Result<(), Crossed> {
    limits.check(LimitKind::Recorded, usage.bytes_in + usage.bytes_out)
}
