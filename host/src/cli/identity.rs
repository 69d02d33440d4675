//! `remit identity`: the public key with which others verify this host's journal.

use serde::Serialize;

use super::Shell;
use super::args::{Json, PublicKey};
use super::exit::Exit;
use super::report::{self, Result};
use crate::home;

#[derive(Serialize)]
struct Answer {
    public_key: String,
    algorithm: &'static str,
}

pub(super) fn identity(shell: &Shell, args: &Json) -> Result {
    let key = PublicKey(match home::public_key(&shell.home_path()?)? {
        Some(key) => key,
        None => shell.open_home("remit identity")?.signing_key()?.verifying_key(),
    });
    if args.json {
        report::print_json(&Answer { public_key: key.to_string(), algorithm: "ed25519" })?;
    } else {
        report::print(format_args!("{key}\n"))?;
    }
    Ok(Exit::Ok)
}
