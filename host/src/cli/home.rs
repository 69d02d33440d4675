//! `remit home`: where state lives and how large it is. Neither makes a home nor waits for one.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Shell;
use super::args::Json;
use super::exit::Exit;
use super::report::{self, Result};
use crate::home::{self, Sizes};
use crate::manifest::quantity;

#[derive(Serialize)]
struct Answer {
    home: PathBuf,
    exists: bool,
    journal: PathBuf,
    cache: PathBuf,
    key: PathBuf,
    bytes: Sizes,
    total_bytes: u64,
}

pub(super) fn home(shell: &Shell, args: &Json) -> Result {
    let answer = look(&shell.home_path()?)?;
    match args.json {
        true => report::print_json(&answer)?,
        false => report::print(describe(&answer))?,
    }
    Ok(Exit::Ok)
}

fn look(path: &Path) -> Result<Answer> {
    let bytes = home::sizes(path)?;
    Ok(Answer {
        home: path.to_owned(),
        exists: path.is_dir(),
        journal: home::journal_path(path),
        cache: home::cache_dir(path),
        key: home::key_path(path),
        bytes,
        total_bytes: bytes.total(),
    })
}

fn describe(answer: &Answer) -> String {
    let exists = if answer.exists { "" } else { " (not made yet)" };
    let row = |what, path: &Path, bytes| format!("{what:<8} {:>10}  {}\n", quantity::bytes(bytes), path.display());
    [
        format!("{:<8} {:>10}  {}{exists}\n", "home", quantity::bytes(answer.total_bytes), answer.home.display()),
        row("journal", &answer.journal, answer.bytes.journal),
        row("cache", &answer.cache, answer.bytes.cache),
        row("other", &answer.key, answer.bytes.other),
    ]
    .concat()
}
