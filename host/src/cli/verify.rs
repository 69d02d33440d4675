//! `remit verify`: check a run's chain and signatures with nothing but the journal and a public key.

use serde_json::json;

use super::Shell;
use super::args::{self, PublicKey};
use super::exit::Exit;
use super::report::{Failure, Result, note, print, print_json};
use super::session::Session;
use crate::journal::Signer;
use crate::meter::quantity;

/// Verifies the run.
pub fn verify(shell: &Shell, args: &args::Verify) -> Result {
    let session = Session::open(shell, "remit verify")?;
    let run = session.find(&args.run)?;
    let own = PublicKey(session.home().signing_key()?.verifying_key());
    let key = args.key.unwrap_or(own);
    let verified = session.journal().verify(run, Some(&key.0))?;
    if args.json {
        print_json(&json!({
            "run": run,
            "entries": verified.entries,
            "segments": verified.segments,
            "signed-heads": verified.signed_heads,
            "head": verified.head,
            "key": key.to_string(),
            "signed-entries": verified.signed_entries,
            "signer": signer(verified.signer),
        }))?;
    }
    if verified.signer != Signer::Known {
        let hint = match verified.signer {
            Signer::Nobody => "its chain is whole so far: `remit replay` compares what it recorded",
            _ => "its chain is whole: ask the operator of the host that ran it for its key (`remit identity`)",
        };
        return Err(Failure::new(Exit::JournalDamaged, unsigned(verified.signer, key)).hint(hint));
    }
    if !args.json {
        let (entries, segments) = (quantity::count(verified.entries), quantity::count(verified.segments));
        print(format!("run {run} verified: entries {entries}, segments {segments}, head {}\n", verified.head))?;
        note(format!("signed by {key}: heads {}, entries {}", verified.signed_heads, verified.signed_entries));
    }
    Ok(Exit::Ok)
}

fn signer(signer: Signer) -> &'static str {
    match signer {
        Signer::Nobody => "nobody",
        Signer::Known => "known",
        Signer::Unknown => "unknown",
    }
}

fn unsigned(signer: Signer, key: PublicKey) -> String {
    match signer {
        Signer::Nobody => "nothing in this run is signed yet: it has not ended".into(),
        _ => format!("the run is signed, and not by {key}"),
    }
}
