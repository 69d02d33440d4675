//! `remit export`: one run, and what belongs to it, in one file.

use std::io::{BufWriter, ErrorKind};
use std::path::Path;

use serde_json::json;

use super::Shell;
use super::args;
use super::caller;
use super::exit::Exit;
use super::report::{Failure, OrFail as _, Result, note, print, print_json};
use super::session::Session;
use crate::id::RunId;
use crate::journal::Exported;
use crate::meter::quantity;

/// Writes the bundle: whole or not at all.
pub(super) fn export(shell: &Shell, args: &args::Export) -> Result {
    let session = Session::open(shell, "remit export")?;
    let run = session.find(&args.run)?;
    let exported = write(&session, run, args)?;
    let path = args.output.display();
    if args.json {
        let Exported { runs, blobs, bytes } = exported;
        print_json(&json!({ "run": run, "file": path.to_string(), "runs": runs, "blobs": blobs, "bytes": bytes }))?;
        return Ok(Exit::Ok);
    }
    let others = match exported.runs.len() - 1 {
        0 => String::new(),
        others => format!(" and {others} that it caused"),
    };
    print(format!("{path}: run {run}{others}, {}\n", quantity::bytes(exported.bytes)))?;
    note("whoever is to verify it needs this host's key, from you and not with the file: `remit identity`");
    Ok(Exit::Ok)
}

fn write(session: &Session, run: RunId, args: &args::Export) -> Result<Exported> {
    let shown = args.output.display();
    let path = &caller::path(&args.output);
    let taken = || Failure::new(Exit::Usage, format!("{shown} exists")).hint("--force replaces it");
    if !args.force && path.symlink_metadata().is_ok() {
        return Err(taken());
    }
    let failed = || format!("cannot write {shown}");
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // For its owner only, as what it is of.
    let mut file = tempfile::NamedTempFile::new_in(folder).or_fail(Exit::HostFailed, failed())?;
    let exported = session.journal().export(run, BufWriter::new(&mut file));
    let exported = exported.map_err(|error| Failure::from(error).context(failed()))?;
    file.as_file().sync_all().or_fail(Exit::HostFailed, failed())?;
    let kept = match args.force {
        true => file.persist(path),
        false => file.persist_noclobber(path),
    };
    match kept {
        Ok(_) => Ok(exported),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Err(taken()),
        Err(error) => Err(error.error).or_fail(Exit::HostFailed, failed()),
    }
}
