//! `remit approvals`, `remit approve` and `remit deny`: what runs ask a person, and what that decides.

use std::io::BufRead as _;

use serde_json::{Value as Json, json};

use super::Shell;
use super::args;
use super::caller::{self, Stream};
use super::exit::Exit;
use super::report::{Failure, OrFail as _, Result, note, plain, plain_lines, print, print_json};
use super::run::principal;
use super::session::Session;
use crate::gate::LastState;
use crate::journal::{self, Journal, Proposal, Ruling};
use crate::time::Timestamp;

/// Lists what is asked.
pub fn approvals(shell: &Shell, args: &args::Json) -> Result {
    let session = Session::open(shell, "remit approvals")?;
    let open = open(&session)?;
    if args.json {
        let shown = open.iter().map(|proposal| json_of(session.journal(), proposal)).collect::<Result<Vec<_>>>()?;
        print_json(&shown)?;
        return Ok(Exit::Ok);
    }
    if open.is_empty() {
        note("nobody asks for anything");
    }
    for proposal in &open {
        print(text_of(session.journal(), proposal)?)?;
    }
    Ok(Exit::Ok)
}

/// Approves proposals: all that are named, or none.
pub fn approve(shell: &Shell, args: &args::Approve) -> Result {
    let ruled = |at| Ruling { at, by: principal(), is_approved: true, why: args.why.clone() };
    rule(shell, "remit approve", &args.ids, ruled)
}

/// Denies proposals: all that are named, or none.
pub fn deny(shell: &Shell, args: &args::Deny) -> Result {
    let ruled = |at| Ruling { at, by: principal(), is_approved: false, why: Some(args.why.clone()) };
    rule(shell, "remit deny", &args.ids, ruled)
}

fn rule(shell: &Shell, command: &str, ids: &[String], ruled: impl FnOnce(Timestamp) -> Ruling) -> Result {
    let session = Session::open(shell, command)?;
    let open = open(&session)?;
    let mut named: Vec<&Proposal> = Vec::new();
    for id in ids {
        let proposal = find(&open, id)?;
        if !named.contains(&proposal) {
            named.push(proposal);
        }
    }
    let ruling = ruled(session.clock().now());
    let is_approved = ruling.is_approved;
    session.journal().rule(named.iter().map(|proposal| (proposal.run, proposal.entry)).collect(), ruling)?;
    let is_hosted = session.look_again();
    for Proposal { digest, run, title, .. } in named {
        let decided = if is_approved { "approved" } else { "denied" };
        let next =
            if is_hosted { format!("run {run} goes on") } else { format!("`remit resume {run}` goes on with it") };
        note(format!("{decided} {}, {}: {next}", digest.short(), plain(title)));
    }
    session.close()?;
    Ok(Exit::Ok)
}

/// Returns the proposals that can be decided: of runs that have not ended.
fn open(session: &Session) -> Result<Vec<Proposal>> {
    let (journal, now) = (session.journal(), session.clock().now());
    let mut open = Vec::new();
    for proposal in journal.proposals()?.into_iter().filter(|proposal| proposal.is_open(now)) {
        let state = journal.summary(proposal.run)?.state.and_then(|body| LastState::read(&body).ok());
        if !state.is_some_and(|state| state.state().is_end()) {
            open.push(proposal);
        }
    }
    Ok(open)
}

fn find<'a>(open: &'a [Proposal], id: &str) -> Result<&'a Proposal> {
    let mut named = open.iter().filter(|proposal| !id.is_empty() && proposal.digest.to_string().starts_with(id));
    let hint = "`remit approvals` lists what can be decided";
    match (named.next(), named.next()) {
        (Some(proposal), None) => Ok(proposal),
        (Some(_), Some(_)) => {
            Err(Failure::new(Exit::Usage, format!("{id:?} could be several proposals")).hint("give more of the id"))
        }
        (None, _) => Err(Failure::new(Exit::Usage, format!("nothing that {id:?} names can be decided")).hint(hint)),
    }
}

/// Asks on the terminal what a run in the foreground asks. Returns whether it was decided.
///
/// # Errors
/// When nobody can be heard, or the journal fails.
pub(super) fn ask_here(session: &Session, proposal: &Proposal) -> Result<bool> {
    note(text_of(session.journal(), proposal)?.trim_end());
    let is_approved = match said("approve this? [y]es, [n]o, [L]ater: ")?.to_ascii_lowercase().as_str() {
        "y" | "yes" => true,
        "n" | "no" => false,
        _ => return Ok(false),
    };
    let why = if is_approved { None } else { Some(said("why not? ")?) };
    let ruling = Ruling { at: session.clock().now(), by: principal(), is_approved, why };
    match session.journal().rule(vec![(proposal.run, proposal.entry)], ruling) {
        // It expired while somebody thought about it: the run goes on with that.
        Err(error @ journal::Error::NotOpen { .. }) => note(error),
        ruled => ruled?,
    }
    Ok(true)
}

fn said(question: &str) -> Result<String> {
    let _unread = caller::write_text(Stream::Stderr, question);
    let mut answer = String::new();
    caller::stdin().read_line(&mut answer).or_fail(Exit::HostFailed, "cannot read the answer")?;
    Ok(answer.trim().to_owned())
}

fn text_of(journal: &Journal, proposal: &Proposal) -> Result<String> {
    let Proposal { asked, details, digest, expires, function, intent, run, title, .. } = proposal;
    let plugin = journal.header(*run)?.plugin;
    let until = expires.map(|expires| format!(", until {expires} UTC")).unwrap_or_default();
    let intent = if intent.is_empty() { String::new() } else { format!("  why      {}\n", plain_lines(intent)) };
    Ok(format!(
        "{}  {}\n  asked    {asked} UTC{until}\n  by       {}, run {run}, {function}\n{intent}  details  {}\n  digest   {digest}\n",
        digest.short(),
        plain(title),
        plain(&plugin.name),
        plain(details),
    ))
}

fn json_of(journal: &Journal, proposal: &Proposal) -> Result<Json> {
    let plugin = journal.header(proposal.run)?.plugin;
    let mut shown = serde_json::to_value(proposal).unwrap_or_default();
    shown["id"] = json!(proposal.digest.short());
    shown["plugin"] = json!(plugin.name);
    shown["details"] = serde_json::from_str(&proposal.details).unwrap_or_else(|_| json!(proposal.details));
    Ok(shown)
}
