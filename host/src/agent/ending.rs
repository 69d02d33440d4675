//! Judging how a guest ended: live, to write the run's last entry; replayed, to compare with it.

use wasmtime::{Store, Trap, WasmBacktrace};

use super::drive::{Driven, Stop, StopTo};
use super::{Returned, kind_name};
use crate::capability::connector::import::exhausted;
use crate::capability::{Caps, Derived, Guest};
use crate::engine::HostMemory;
use crate::gate::divergence::Kind;
use crate::gate::end::Failure;
use crate::gate::halt::Shown;
use crate::gate::{Divergence, End, FuelRule, Gate, Halt, Outcome, StopReason, Where, Why};
use crate::journal::{self, Suspension};
use crate::meter::{Crossed, LimitKind, Limits};

/// Why a run is paused, where whoever asked gave no reason.
pub(super) const ASKED: &str = "asked for";

/// The guest's side of an end, before it is recorded or compared.
pub(super) struct Judged {
    /// How the guest ended.
    pub end: End,
    /// Replay left the record.
    pub divergence: Option<Box<Divergence>>,
    /// Replay came to the place where the record ends.
    pub end_of_record: bool,
    /// What the guest waits for.
    pub waiting: Option<Box<Suspension>>,
    /// The journal failed underneath the run.
    pub journal: Option<journal::Error>,
}

impl Judged {
    /// Has a run that somebody stopped become what was ordered.
    pub fn ordered(mut self, stop: &Stop) -> Self {
        if let (Outcome::Suspended { .. }, Some(order)) = (&self.end.outcome, stop.order()) {
            let why = order.why.clone();
            match order.to {
                StopTo::Suspended => {}
                StopTo::Paused => self.end.outcome = Outcome::Paused { why: why.unwrap_or_else(|| ASKED.to_owned()) },
                StopTo::Cancelled => self.end.outcome = Outcome::Cancelled { why },
            }
        }
        self
    }
}

/// Judges how a guest ended and where it was.
pub(super) fn judge(store: &mut Store<Guest>, driven: Driven<wasmtime::Result<Returned>>) -> Judged {
    let fuel = store.data().fuel_max - store.get_fuel().expect("the configuration counts fuel");
    let memory_peak = store.data().growth.memory_peak();
    let guest = store.data_mut();
    let waiting_in = guest.waiting_in.map(|index| guest.gate.function(index).name.to_string());
    let halted_in = guest.gate.halted_in().map(|function| function.name.to_string());
    let (mut usage, called) = guest.gate.recorder().map(|live| (*live.usage(), live.called())).unwrap_or_default();
    usage.fuel = fuel;
    usage.memory_peak = memory_peak;
    let mut judged = Judged {
        end: End { outcome: Outcome::Succeeded { result: None }, at: Where::Guest, fuel, usage, called, by: None },
        divergence: None,
        end_of_record: false,
        waiting: None,
        journal: None,
    };
    match driven {
        Driven::Stopped(StopReason::WallTime) => {
            judged.end.at = waiting_in.map_or(Where::Slice, Where::Call);
            let max = guest.growth.limits()[LimitKind::WallTime];
            judged.end.outcome =
                Outcome::Limit { crossed: Crossed { limit: LimitKind::WallTime, max, wanted: max + 1 } };
        }
        Driven::Late(crossed) => {
            judged.end.at = waiting_in.map_or(Where::Slice, Where::Call);
            judged.end.outcome = Outcome::Limit { crossed };
        }
        Driven::Stopped(reason) => {
            judged.end.at = waiting_in.map_or(Where::Slice, Where::Call);
            judged.end.outcome = match reason {
                StopReason::CallerEnded => Outcome::Interrupted { reason },
                StopReason::Interrupted | StopReason::WallTime => Outcome::Suspended { reason },
            };
        }
        Driven::Finished(Ok(returned)) => judged.end.outcome = within(outcome_of(returned), guest.growth.limits()),
        Driven::Finished(Err(error)) => failed(&mut judged, error, halted_in, guest.growth.limits()),
    }
    judged
}

/// Returns the outcome, if what the agent says takes no more than a payload may.
fn within(outcome: Outcome, limits: &Limits) -> Outcome {
    let len = match &outcome {
        Outcome::Succeeded { result: Some(result) } => result.len(),
        Outcome::Failed { failure } => failure.message.len() + failure.details.as_ref().map_or(0, String::len),
        _ => 0,
    };
    match limits.check(LimitKind::Payload, len as u64) {
        Ok(()) => outcome,
        Err(crossed) => Outcome::Limit { crossed },
    }
}

fn outcome_of(returned: Returned) -> Outcome {
    match returned {
        Returned::Agent(Ok(result)) => Outcome::Succeeded { result: Some(result) },
        Returned::Agent(Err(failure)) => Outcome::Failed {
            failure: Failure {
                kind: kind_name(failure.kind).to_owned(),
                message: failure.message,
                details: failure.details,
            },
        },
        Returned::Command(Ok(())) | Returned::Connector => Outcome::Succeeded { result: None },
        Returned::Command(Err(())) => Outcome::Exited { code: 1 },
    }
}

fn failed(judged: &mut Judged, error: wasmtime::Error, halted_in: Option<String>, limits: &Limits) {
    let backtrace = error.downcast_ref::<WasmBacktrace>().map(frames).filter(|frames| !frames.is_empty());
    if let Some(&crossed) = error.downcast_ref::<Crossed>() {
        judged.end.outcome = Outcome::Limit { crossed };
        return;
    }
    if let Some(crossed) = too_many_parts(&error, limits) {
        judged.end.outcome = Outcome::Limit { crossed };
        return;
    }
    if let Some(cap) = exhausted(&error) {
        judged.end.outcome = Outcome::Trapped { message: cap.to_string(), backtrace };
        return;
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        judged.end.outcome = trapped(*trap, backtrace, limits[LimitKind::Fuel], judged.end.fuel);
        return;
    }
    let at = halted_in.map_or(Where::Guest, Where::Call);
    match error.downcast::<Halt>() {
        Ok(halt) => halted(judged, halt, at, backtrace),
        Err(error) if error.is::<HostMemory>() => {
            judged.end.outcome = Outcome::HostFailed { message: format!("{error:#}") };
        }
        Err(error) => {
            judged.end.outcome = Outcome::Trapped { message: root_message(&error), backtrace };
        }
    }
}

/// Recognises the engine's word for a component with more parts than its limits allow.
fn too_many_parts(error: &wasmtime::Error, limits: &Limits) -> Option<Crossed> {
    let said = error.root_cause().to_string();
    let counted = said.strip_prefix("resource limit exceeded: ")?;
    let kinds = [
        ("instance count", LimitKind::Instances),
        ("memory count", LimitKind::Memories),
        ("table count", LimitKind::TableCount),
    ];
    let (_, limit) = kinds.into_iter().find(|(name, _)| counted.starts_with(name))?;
    Some(Crossed { limit, max: limits[limit], wanted: limits[limit] + 1 })
}

fn trapped(trap: Trap, backtrace: Option<String>, fuel_max: u64, fuel: u64) -> Outcome {
    match trap {
        Trap::OutOfFuel => {
            let wanted = fuel.max(fuel_max) + 1;
            Outcome::Limit { crossed: Crossed { limit: LimitKind::Fuel, max: fuel_max, wanted } }
        }
        trap => Outcome::Trapped { message: trap.to_string(), backtrace },
    }
}

fn halted(judged: &mut Judged, halt: Halt, at: Where, backtrace: Option<String>) {
    judged.end.at = at;
    match halt {
        Halt::Exit(0) => judged.end.outcome = Outcome::Succeeded { result: None },
        Halt::Exit(code) => judged.end.outcome = Outcome::Exited { code },
        Halt::Unanswered { failed, .. } if failed.why == Why::Denied => {
            let failure = Failure { kind: "denied".to_owned(), message: failed.message, details: None };
            judged.end.outcome = Outcome::Failed { failure };
        }
        Halt::Unanswered { function, failed } => {
            judged.end.outcome = Outcome::ConnectorFailed { function, failed: *failed };
        }
        Halt::Misuse(message) => judged.end.outcome = Outcome::Trapped { message, backtrace },
        Halt::Limit(crossed) => judged.end.outcome = Outcome::Limit { crossed },
        Halt::EndOfRecord => judged.end_of_record = true,
        Halt::InDoubt(entry) => {
            let function = match &judged.end.at {
                Where::Call(function) => function.clone(),
                Where::Guest | Where::Slice => String::new(),
            };
            judged.end.outcome = Outcome::InDoubt { entry, function };
        }
        Halt::Waiting(waiting) => {
            judged.end.outcome = Outcome::Waiting { wait: waiting.waiting.wait.clone() };
            judged.waiting = Some(waiting);
        }
        Halt::Changed(why) => judged.end.outcome = Outcome::Paused { why },
        Halt::Diverged(mut divergence) => {
            divergence.backtrace = backtrace;
            judged.divergence = Some(divergence);
        }
        Halt::Journal(error) => {
            judged.end.outcome = Outcome::HostFailed { message: error.to_string() };
            judged.journal = Some(error);
        }
        Halt::Host { .. } => judged.end.outcome = Outcome::HostFailed { message: halt.to_string() },
    }
}

/// Shows the guest's own frames, innermost first, as wasmtime does: with readable names.
fn frames(backtrace: &WasmBacktrace) -> String {
    let shown = backtrace.to_string();
    let lines = shown.lines().filter(|line| !line.starts_with("error while executing"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the cause without wasmtime's context of frames.
fn root_message(error: &wasmtime::Error) -> String {
    error.root_cause().to_string()
}

/// Writes the run's last entry, or that it is parked, and waits until it is durable. `by` is who stops it, if somebody
/// does.
pub(super) async fn record(store: &mut Store<Guest>, mut judged: Judged, by: &str) -> Result<End, journal::Error> {
    if let Some(error) = judged.journal {
        return Err(error);
    }
    let gate = &mut store.data_mut().gate;
    if gate.is_resuming() && is_said_already(&judged, gate) {
        return Ok(judged.end);
    }
    finish_resuming(gate, &mut judged)?;
    if judged.end.outcome.is_parked() || matches!(judged.end.outcome, Outcome::Cancelled { .. }) {
        judged.end.by = Some(by.to_owned());
    }
    let live = gate.recorder().expect("only a live run is recorded");
    let time_us = live.wall_us(live.elapsed());
    if let Err(code) = live.caps.sync_changed_files() {
        judged.end.outcome = Outcome::HostFailed { message: format!("a changed file did not get to the disk: {code}") };
    }
    // What led to it is on disk before or with it, also where another run recorded that.
    live.family().map_or(Ok(()), crate::gate::Family::flush)?;
    match judged.waiting.filter(|_| matches!(judged.end.outcome, Outcome::Waiting { .. })) {
        Some(waiting) => live.journal().borrow_mut().suspend(judged.end.fuel, time_us, &judged.end, *waiting)?,
        None => live.journal().borrow_mut().state(judged.end.fuel, time_us, &judged.end)?,
    };
    live.durable()?.await?;
    Ok(judged.end)
}

/// Tells whether the record of a run that was on its way to its end says all that there is to say.
fn is_said_already(judged: &Judged, gate: &mut Gate<Caps, Derived>) -> bool {
    match judged.end.outcome {
        Outcome::Suspended { .. } => true,
        // It waits as it did, if it was suspended for that before and not killed on the way.
        Outcome::Waiting { .. } => gate.recorder().is_some_and(|live| live.journal().borrow_mut().is_waiting()),
        _ => false,
    }
}

/// Sees to it that a run that was resumed has come to the end of its record, or is paused there.
fn finish_resuming(gate: &mut Gate<Caps, Derived>, judged: &mut Judged) -> Result<(), journal::Error> {
    let finished = match judged.divergence.take() {
        Some(divergence) => Err(Halt::Diverged(divergence)),
        None if judged.end_of_record => Err(Halt::EndOfRecord),
        None => gate.finish_resuming(judged.end.fuel),
    };
    let why = match finished {
        Ok(()) => return Ok(()),
        Err(Halt::Journal(error)) => return Err(error),
        Err(Halt::Diverged(divergence)) => format!("what it does is not what is recorded: {divergence}"),
        Err(other) => other.to_string(),
    };
    judged.end.outcome = Outcome::Paused { why };
    judged.end.at = Where::Slice;
    judged.end.fuel = gate.recorder().map_or(0, |live| live.journal().borrow_mut().fuel());
    Ok(())
}

/// What a replay found.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// How it compares with the record.
    pub verdict: Verdict,
    /// How the guest ended this time.
    pub end: End,
    /// Entries compared and equal.
    pub entries: u64,
    /// Entries at which fuel differed, where it is only reported.
    pub fuel_differences: u64,
}

/// How a replay compares with its record.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Every entry and the end match.
    Matched,
    /// Every entry matches, and the record has no end: its host was killed, or the run goes on elsewhere.
    Unfinished,
    /// The guest left the record.
    Diverged(Box<Divergence>),
    /// Somebody stopped the replay.
    Stopped,
}

/// Compares how a replay ended with how the run did.
pub(super) fn compare(
    store: &mut Store<Guest>,
    judged: Judged,
    recorded_end: Option<&End>,
) -> Result<Replayed, journal::Error> {
    let Judged { mut end, divergence, end_of_record, journal, .. } = judged;
    if let Some(error) = journal {
        return Err(error);
    }
    let functions = store.data().gate.functions();
    let replay = store.data_mut().gate.as_replay().expect("only a replay is compared");
    let verdict = match (divergence, &end.outcome) {
        (Some(divergence), _) => Verdict::Diverged(divergence),
        (None, Outcome::Suspended { .. } | Outcome::Interrupted { .. }) => Verdict::Stopped,
        (None, _) if end_of_record && replay.ran_out() => Verdict::Unfinished,
        (None, _) if end_of_record => Verdict::Matched,
        (None, outcome) => match replay.take_end(&functions, end.fuel) {
            // The replay was given just the fuel of the stopped run, and has used it up where that run was stopped.
            Ok(Some(recorded)) if recorded.at == Where::Slice && is_out_of_fuel(outcome) => Verdict::Matched,
            Ok(Some(recorded)) => compare_ends(replay.compared(), &end, &recorded, replay.fuel_rule()),
            Ok(None) => Verdict::Unfinished,
            Err(Halt::Diverged(divergence)) => Verdict::Diverged(divergence),
            Err(Halt::Journal(error)) => return Err(error),
            Err(other) => unreachable!("reading the end of a record does not halt with {other}"),
        },
    };
    // Where the record ends without the guest's doing, it says what became of the run.
    if let (Verdict::Matched, Some(recorded)) = (&verdict, recorded_end) {
        end.outcome = recorded.outcome.clone();
    }
    Ok(Replayed { verdict, end, entries: replay.compared(), fuel_differences: replay.fuel_differences() })
}

fn is_out_of_fuel(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Limit { crossed } if crossed.limit == LimitKind::Fuel)
}

fn compare_ends(entries: u64, end: &End, recorded: &End, fuel_rule: FuelRule) -> Verdict {
    let fuel_matches = end.fuel == recorded.fuel || fuel_rule == FuelRule::Reported;
    if end.outcome.matches(&recorded.outcome) && fuel_matches {
        return Verdict::Matched;
    }
    let kind = if fuel_matches { Kind::End } else { Kind::Fuel };
    Verdict::Diverged(Box::new(Divergence::new(entries, kind, shown(recorded), shown(end))))
}

fn shown(end: &End) -> Shown {
    let function = format!("the end of the run ({})", end.outcome.name());
    Shown { function, params: serde_json::to_value(&end.outcome).unwrap_or_default(), fuel: end.fuel }
}
