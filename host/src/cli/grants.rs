//! `remit grants`: what was granted, to which build, and whether it still holds.

use serde_json::{Value as Json, json};

use super::Shell;
use super::args;
use super::exit::Exit;
use super::report::{Result, note, print, print_json};
use super::session::Session;
use super::stored::{Used, words};
use super::table::table;
use crate::journal::{Answer, StoredGrant};
use crate::time::Timestamp;

/// Lists the grants, oldest first.
pub fn grants(shell: &Shell, args: &args::Grants) -> Result {
    let session = Session::open(shell, "remit grants")?;
    let now = session.clock().now();
    let mut grants = session.journal().grants()?;
    grants.retain(|StoredGrant { grant, .. }| {
        let is_asked_for = args.plugin.as_ref().is_none_or(|asked| *asked == grant.plugin || *asked == grant.identity);
        is_asked_for && (args.all || grant.stands(now))
    });
    let used =
        grants.iter().map(|stored| Used::of(session.journal(), &stored.grant, now)).collect::<Result<Vec<_>>>()?;
    let listed = || grants.iter().zip(&used);
    if args.json {
        print_json(&listed().map(|(stored, used)| json(stored, used, now)).collect::<Vec<_>>())?;
    } else if grants.is_empty() {
        note("no grants: `remit grant PLUGIN --requested` grants what a plugin asks for");
    } else {
        let heading = ["grant", "plugin", "build", "capability", "scope", "state", "by", "given (UTC)"];
        print(table(&heading, listed().map(|(stored, used)| row(stored, used, now))))?;
    }
    Ok(Exit::Ok)
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
fn json(stored: &StoredGrant, used: &[Used], now: Timestamp) -> Json {
    let mut report = json!(stored);
    let (capability, scope) = words(&stored.grant);
    report["holds"] = json!(stored.grant.stands(now) && stored.grant.answer == Answer::Granted);
    report["capability"] = json!(capability);
    report["words"] = json!(scope);
    report["amounts"] = json!(used);
    report
}
