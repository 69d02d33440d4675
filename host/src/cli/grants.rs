//! `remit grants`: what was granted, to which build, whether it still holds and how much of it is used; and the
//! decision about calls of which nobody knows whether they were sent.

use serde_json::{Value as Json, json};

use super::Shell;
use super::args;
use super::exit::Exit;
use super::report::{Result, note, print, print_json};
use super::session::Session;
use super::stored::{Used, words};
use super::table::table;
use crate::journal::{Answer, Claim, StoredGrant, Unsettled};
use crate::manifest::amount;
use crate::time::Timestamp;

/// Lists the grants, oldest first.
pub fn grants(shell: &Shell, args: &args::Grants) -> Result {
    let session = Session::open(shell, "remit grants")?;
    for decision in &args.settle {
        decide(&session, decision)?;
    }
    let exit = list(&session, args)?;
    if !args.settle.is_empty() {
        session.close()?;
    }
    Ok(exit)
}

/// Settles what a call claimed whose host was killed before it could.
fn decide(session: &Session, decision: &args::Decision) -> Result<()> {
    let run = session.find(&decision.run)?;
    Ok(session.journal().decide(run, decision.intent, decision.settlement)?)
}

fn list(session: &Session, args: &args::Grants) -> Result {
    let now = session.clock().now();
    let mut grants = session.journal().grants()?;
    grants.retain(|StoredGrant { grant, .. }| {
        let is_asked_for = args.plugin.as_ref().is_none_or(|asked| *asked == grant.plugin || *asked == grant.identity);
        is_asked_for && (args.all || grant.stands(now))
    });
    let used =
        grants.iter().map(|stored| Used::of(session.journal(), &stored.grant, now)).collect::<Result<Vec<_>>>()?;
    let unsettled = session.journal().unsettled()?;
    let listed = || grants.iter().zip(&used);
    if args.json {
        print_json(&listed().map(|(stored, used)| json(stored, used, &unsettled, now)).collect::<Vec<_>>())?;
    } else if grants.is_empty() {
        note("no grants: `remit grant PLUGIN --requested` grants what a plugin asks for");
    } else {
        let heading = ["grant", "plugin", "build", "capability", "scope", "state", "by", "given (UTC)"];
        print(table(&heading, listed().map(|(stored, used)| row(stored, used, now))))?;
    }
    unsettled.iter().for_each(tell);
    Ok(Exit::Ok)
}

/// Says what a call claimed that was not settled, and how to decide it. While this has the home, no run goes on: the
/// host of each such call was killed.
fn tell(Unsettled { run, intent, at, claims }: &Unsettled) {
    let claimed: Vec<String> = claims
        .iter()
        .map(|claim| format!("{} of {}: {}", claim.amount, claim.rule, amount(claim.window, claim.max)))
        .collect();
    note(format!("unsettled: {}, claimed {at} UTC by entry {intent} of run {run}", claimed.join(" and ")));
    note("  nobody knows whether the call was sent, so it counts as used");
    note(format!("  to decide it: remit grants --settle {run}:{intent}=used, or =unused to give it back"));
}

fn row(StoredGrant { id, grant }: &StoredGrant, used: &[Used], now: Timestamp) -> Vec<String> {
    let (capability, scope) = words(grant);
    let used = used.iter().filter(|_| grant.stands(now)).map(|used| format!(", {used}"));
    vec![
        id.to_string(),
        grant.plugin.clone(),
        grant.component.short(),
        capability,
        scope,
        state(grant, now) + &used.collect::<String>(),
        grant.by.clone(),
        grant.given.to_string(),
    ]
}

/// Returns whether a grant holds, and otherwise why it does not.
fn state(grant: &crate::journal::Grant, now: Timestamp) -> String {
    match (&grant.ended, grant.answer) {
        (Some(ended), _) => match (&ended.replaced_by, &ended.why) {
            (Some(by), _) => format!("replaced by {by}"),
            (None, why) => {
                let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
                format!("revoked {} UTC by {}{why}", ended.at, ended.by)
            }
        },
        (None, _) if !grant.stands(now) => "expired".to_owned(),
        (None, Answer::Granted) => "holds".to_owned(),
        (None, Answer::Refused) => "refused".to_owned(),
    }
}

/// Returns a grant for programs.
fn json(stored: &StoredGrant, used: &[Used], unsettled: &[Unsettled], now: Timestamp) -> Json {
    let is_of = |claim: &Claim| claim.grant == Some(stored.id);
    let unsettled = unsettled.iter().filter(|call| call.claims.iter().any(is_of));
    let unsettled = unsettled.map(|call| json!({ "run": call.run, "entry": call.intent, "at": call.at.to_string() }));
    let mut report = json!(stored);
    let (capability, scope) = words(&stored.grant);
    report["holds"] = json!(stored.grant.stands(now) && stored.grant.answer == Answer::Granted);
    report["capability"] = json!(capability);
    report["words"] = json!(scope);
    report["amounts"] = json!(used);
    report["unsettled"] = json!(unsettled.collect::<Vec<_>>());
    report
}
