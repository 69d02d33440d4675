//! `remit verify`: check a run's chain and signatures with nothing but its record and a public key.

use serde_json::{Value as Json, json};

use super::Shell;
use super::args::{self, PublicKey};
use super::exit::Exit;
use super::records::Place;
use super::report::{Failure, Result, note, print, print_json};
use crate::id::RunId;
use crate::journal::{Signer, Verified};
use crate::meter::quantity;

/// Verifies the run; of a bundle, every run in it.
pub fn verify(shell: &Shell, args: &args::Verify) -> Result {
    let (place, run) = Place::open(shell, "remit verify", &args.run)?;
    // A bundle has no key of its own: one that came with it would prove nothing.
    let key = args.key.or(place.journal().key().map(PublicKey));
    let check = |run| Ok((run, place.journal().verify(run, key.as_ref().map(|key| &key.0))?));
    let found: Vec<_> = std::iter::once(run).chain(place.others(run)?).map(check).collect::<Result<_>>()?;
    if args.json {
        print_json(&report(&found, key))?;
    }
    if let Some((run, verified)) = found.iter().find(|(_, verified)| verified.signer != Signer::Known) {
        return Err(unsigned(*run, verified.signer, key));
    }
    if !args.json {
        for (run, verified) in &found {
            let (entries, segments) = (quantity::count(verified.entries), quantity::count(verified.segments));
            print(format!("run {run} verified: entries {entries}, segments {segments}, head {}\n", verified.head))?;
            let by = key.map(|key| key.to_string()).unwrap_or_default();
            note(format!("signed by {by}: heads {}, entries {}", verified.signed_heads, verified.signed_entries));
        }
    }
    Ok(Exit::Ok)
}

/// Returns what was found of the run, and below `others` of those that are there because of it.
fn report(found: &[(RunId, Verified)], key: Option<PublicKey>) -> Json {
    let one = |(run, verified): &(RunId, Verified)| {
        json!({
            "run": run,
            "entries": verified.entries,
            "segments": verified.segments,
            "signed-heads": verified.signed_heads,
            "head": verified.head,
            "key": key.map(|key| key.to_string()),
            "signed-entries": verified.signed_entries,
            "signer": signer(verified.signer),
        })
    };
    let mut found = found.iter().map(one);
    let mut report = found.next().unwrap_or_default();
    let others: Vec<_> = found.collect();
    if !others.is_empty() {
        report["others"] = Json::Array(others);
    }
    report
}

fn signer(signer: Signer) -> &'static str {
    match signer {
        Signer::Nobody => "nobody",
        Signer::Known => "known",
        Signer::Unknown => "unknown",
    }
}

fn unsigned(run: RunId, signer: Signer, key: Option<PublicKey>) -> Failure {
    let ask = "ask the operator of the host that ran it for its key (`remit identity`)";
    let (message, hint) = match (signer, key) {
        (Signer::Nobody, _) => (
            format!("nothing in run {run} is signed yet: it has not ended"),
            "its chain is whole so far: `remit replay` compares what it recorded".to_owned(),
        ),
        (_, Some(key)) => (format!("run {run} is signed, and not by {key}"), format!("its chain is whole: {ask}")),
        (_, None) => (
            format!("the signer of run {run} is not known: its chain is whole, and no key was given"),
            format!("{ask}, and give it with --key"),
        ),
    };
    Failure::new(Exit::JournalDamaged, message).hint(hint)
}
