//! `remit resume` and `remit decide`: a run goes on, and what is in doubt is decided.

use serde_json::{Value as Json, json};

use super::Shell;
use super::answer::{answer, parsed};
use super::args;
use super::exit::Exit;
use super::outfit::{Fitted, fit_out, holds_now};
use super::output::Output;
use super::report::{Failure, Result, note};
use super::run::principal;
use super::session::Session;
use super::supervised::answered;
use super::wait::{Foreground, stay};
use crate::agent::{Again, Recalled, ResumeError, Stop, recall, resume as take_up};
use crate::engine::World;
use crate::gate::{End, Outcome, Where};
use crate::id::RunId;
use crate::journal::{Settlement, TakenOver};
use crate::lifecycle::{Decision, State, Transition};
use crate::meter::Usage;

/// Goes on with a run, and returns how the process ends.
pub fn resume(shell: &Shell, args: &args::Resume) -> Result {
    let session = Session::with_host(shell, "remit resume")?;
    let run = session.find(&args.run)?;
    let exit = resume_in(&session, run, args)?;
    session.close()?;
    Ok(exit)
}

fn resume_in(session: &Session, run: RunId, args: &args::Resume) -> Result {
    let by = principal();
    let stop = Stop::by_principal(&by);
    let (session, _answering) = answered(session)?;
    let session = &session;
    let _claim = session.claim(run, &stop)?;
    if let Some(exit) = stays_suspended(session, &recall(session.journal(), run)?, args, &stop)? {
        return Ok(exit);
    }
    let Fitted { agent, outward, resolved, .. } = fit_out(session, run, &args.connectors)?;
    let (by, patience, crash) = (&*by, args.patience.time, &args.crash);
    let (outward, resolved) = (&outward, &resolved);
    let foreground = Foreground { session, agent: &agent, outward, resolved, by, stop: &stop, patience, crash };
    let mut shown = Output::new(agent.world(), args.json);
    let end = session.block_on(&stop, async {
        let end = go_on(&foreground, run, &mut shown).await?;
        foreground.see_through(run, end, &mut shown).await
    })??;
    shown.conclude(session, run, &end)
}

/// Stays with a run that waits until it can go on, and tells how it stands where that takes longer than whoever resumes it
/// has patience. No instance of it is made before.
fn stays_suspended(session: &Session, recalled: &Recalled, args: &args::Resume, stop: &Stop) -> Result<Option<Exit>> {
    let Some(end) = recalled.end.as_ref() else { return Ok(None) };
    let Outcome::Waiting { wait } = &end.outcome else { return Ok(None) };
    let is_due = session.block_on(stop, stay(session, recalled.id, wait, args.patience.time, stop))??;
    if is_due {
        return Ok(None);
    }
    Output::new(World::Agent, args.json).conclude(session, recalled.id, end).map(Some)
}

/// Takes a run up and goes on with it where its record ends.
///
/// # Errors
/// When it cannot be resumed, or the journal fails underneath it.
pub(super) async fn go_on(by: &Foreground<'_>, run: RunId, shown: &mut Output) -> Result<End> {
    let Foreground { session, agent, outward, resolved, stop, crash, .. } = *by;
    let recalled = recall(session.journal(), run)?;
    let (most, values) = holds_now(session, &recalled)?;
    let again = Again { engine: session.host()?.engine().fingerprint(), most: &most, values, by: by.by };
    let taken = take_up(&recalled, agent, again, session.journal(), session.clock().clone());
    let accepted = taken.map_err(|error| not_resumed(run, error))?.with(outward);
    let connectors = resolved.connectors.iter();
    let accepted = connectors.fold(accepted, |accepted, all| accepted.calling(all, &resolved.links));
    let accepted = crash.applied_to(accepted);
    note(format!("run {run} goes on"));
    Ok(accepted.run(agent, stop, &mut |stream, bytes| shown.show(stream, bytes)).await?)
}

fn not_resumed(run: RunId, error: ResumeError) -> Failure {
    let hint = match &error {
        ResumeError::NotResumable(_) => Some("`remit runs` lists the runs and their states".to_owned()),
        ResumeError::Undecided(entry) => {
            Some(format!("look at it, then `remit decide {run} {entry} --done VALUE`, `--retry` or `--fail`"))
        }
        ResumeError::Launch(_) => Some("the folders have to be where they were when the run was accepted".to_owned()),
        ResumeError::Recall(_) => None,
    };
    let exit = match &error {
        ResumeError::Undecided(_) => Exit::Parked,
        ResumeError::Recall(_) => Exit::JournalDamaged,
        ResumeError::NotResumable(_) | ResumeError::Launch(_) => Exit::NotResumable,
    };
    let failure = Failure::from_error(exit, error).context(format_args!("run {run}"));
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// What a person says became of an effect.
pub enum Decided {
    /// It was done, with this outcome.
    Done(Json),
    /// It was not done, and is done again.
    Retry,
    /// It ends the run.
    Fail,
}

/// Records what a person says became of an effect.
pub fn decide(shell: &Shell, args: &args::Decide) -> Result {
    let session = Session::open(shell, "remit decide")?;
    let run = session.find(&args.run)?;
    let asked = match &args.done {
        Some(value) => Decided::Done(parsed(value)?),
        None if args.retry => Decided::Retry,
        None => Decided::Fail,
    };
    note(decide_in(&session, run, args.entry, asked)?);
    session.close()?;
    Ok(Exit::Ok)
}

/// Records it, and returns what there is to say.
///
/// # Errors
/// When the run has ended, the entry is not in doubt, or its function does not return the value.
pub fn decide_in(session: &Session, run: RunId, entry: u64, asked: Decided) -> Result<String> {
    let claim = session.claim(run, &Stop::default())?;
    let recalled = recall(session.journal(), run)?;
    if let Some(end) = recalled.end.as_ref().filter(|end| end.outcome.state().is_end()) {
        let message = format!("run {run} has {}", end.outcome.sentence());
        return Err(Failure::new(Exit::NotResumable, message).hint("nothing of it is open"));
    }
    let is_awaited = session.journal().waiting(run)?.is_some_and(|waiting| waiting.entry == entry);
    let mut taken = session.journal().take_over(run)?;
    if taken.open != Some(entry) || is_awaited {
        let message = format!("entry {entry} of run {run} is not in doubt");
        return Err(Failure::new(Exit::Usage, message).hint(format!("`remit show {run}` says which entry is")));
    }
    let said = match asked {
        Decided::Done(value) => {
            answer(session, &mut taken, entry, &value, &recalled.header)?;
            decided(&mut taken, entry, Decision::Done)?;
            format!("entry {entry} has that outcome: `remit resume {run}`")
        }
        Decided::Retry => retried(&mut taken, entry)?,
        Decided::Fail => failed(session, &mut taken, entry, recalled.end)?,
    };
    taken.writer.durable()?.wait()?;
    drop((taken, claim));
    if let Some(supervisor) = session.supervisor().filter(|supervisor| supervisor.drives()) {
        supervisor.enqueue(run)?;
    }
    Ok(said)
}

fn retried(taken: &mut TakenOver, entry: u64) -> Result<String> {
    decided(taken, entry, Decision::Retry)?;
    let run = taken.writer.id();
    Ok(format!("entry {entry} will be done again: `remit resume {run}`"))
}

/// Records who decided what about an entry.
fn decided(taken: &mut TakenOver, entry: u64, decision: Decision) -> Result<()> {
    let body = Transition {
        now: State::Suspended,
        why: "decided".into(),
        by: principal(),
        entry: Some(entry),
        decision: Some(decision),
    };
    let (fuel, time_us) = (taken.writer.fuel(), taken.time_us);
    taken.writer.state(fuel, time_us, &body)?;
    Ok(())
}

fn failed(session: &Session, taken: &mut TakenOver, entry: u64, parked: Option<End>) -> Result<String> {
    let failure = crate::gate::end::Failure {
        kind: "internal".into(),
        message: format!("entry {entry} was in doubt, and was decided to have failed"),
        details: Some(json!({ "entry": entry }).to_string()),
    };
    let (fuel, time_us) = (taken.writer.fuel(), session.clock().now().as_micros().max(taken.time_us));
    let (usage, called) = parked.map_or((Usage::default(), Usage::default()), |end| (end.usage, end.called));
    let at = Where::Call(function_of(session, taken.writer.id(), entry)?);
    let end = End { outcome: Outcome::Failed { failure }, at, fuel, usage, called, by: Some(principal()) };
    taken.writer.settle(entry, Settlement::Used);
    taken.writer.state(fuel, time_us, &end)?;
    Ok(format!("run {} has failed", taken.writer.id()))
}

/// Returns the function that an entry names, in whose call the run ends.
fn function_of(session: &Session, run: RunId, entry: u64) -> Result<String> {
    let mut reader = session.journal().reader(run)?;
    while let Some(read) = reader.next()? {
        if read.number() == entry {
            return Ok(read.function_name().unwrap_or_default().to_owned());
        }
    }
    Ok(String::new())
}
