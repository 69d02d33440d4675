//! `remit resume` and `remit decide`: a run goes on, and what is in doubt is decided.

use serde_json::{Value as Json, json};

use super::Shell;
use super::answer::{answer, parsed};
use super::args;
use super::exit::Exit;
use super::outfit::{Fitted, fit_out};
use super::output::Output;
use super::report::{Failure, Result, note};
use super::run::principal;
use super::session::Session;
use super::supervised::answered;
use crate::agent::{Again, ResumeError, Stop, recall, resume as take_up};
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
    let Fitted { recalled, agent, outward, most, values, resolved } = fit_out(session, run, &args.connectors)?;
    let by = principal();
    let again = Again { engine: session.host()?.engine().fingerprint(), most: &most, values, by: &by };
    let stop = Stop::by_principal(&by);
    let (session, _answering) = answered(session)?;
    let _claim = session.claim(run, &stop)?;
    let mut shown = Output::new(agent.world(), args.json);
    let ended = session.block_on(&stop, async {
        let taken = take_up(&recalled, &agent, again, session.journal(), session.clock().clone());
        let accepted = taken.map_err(|error| not_resumed(run, error))?.with(&outward);
        let connectors = resolved.connectors.iter();
        let accepted = connectors.fold(accepted, |accepted, all| accepted.calling(all, &resolved.links));
        let accepted = args.crash.applied_to(accepted);
        note(format!("run {run} goes on"));
        Ok::<_, Failure>(accepted.run(&agent, &stop, &mut |stream, bytes| shown.show(stream, bytes)).await)
    })??;
    shown.conclude(&session, run, &ended?)
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
    let _claim = session.claim(run, &Stop::default())?;
    let recalled = recall(session.journal(), run)?;
    if let Some(end) = recalled.end.as_ref().filter(|end| end.outcome.state().is_end()) {
        let message = format!("run {run} has {}", end.outcome.sentence());
        return Err(Failure::new(Exit::NotResumable, message).hint("nothing of it is open"));
    }
    let mut taken = session.journal().take_over(run)?;
    if taken.open != Some(entry) {
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
