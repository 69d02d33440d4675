//! Asking for what is requested and neither granted nor refused, and keeping the answer if that is wanted.

use std::io::BufRead as _;
use std::slice;

use super::args;
use super::caller::{self, Stream};
use super::exit::Exit;
use super::give::{Answers, request_as_grant};
use super::grant::Granted;
use super::report::{Failure, OrFail as _, Result, note};
use super::sections::{self, Common, Section};
use super::stored::Stored;
use crate::journal::Answer;
use crate::scope::missing;

/// What somebody answered.
#[derive(Debug, PartialEq, Eq)]
enum Reply {
    /// For this run.
    Once,
    /// For this build, from now on.
    Always,
    /// Not for this run.
    No,
    /// Not for this build, and it need not be asked again.
    Never,
}

/// Decides what holds for a run, and asks on a terminal for what nobody has answered. Elsewhere a plugin to which
/// something was granted has that, and one to which nobody granted anything is not run.
///
/// # Errors
/// When the person says no to everything, or nobody can be asked; else as [`Granted::decide`].
pub fn decide(answers: &Answers<'_>, args: &args::Run) -> Result<Granted> {
    let (plugin, session) = (answers.plugin, answers.session);
    let is_said = args.allow_requested || args.grant.is_some();
    let stored = if is_said { Stored::default() } else { answers.stored()? };
    let granted = Granted::decide(plugin, args, session, &stored)?;
    granted.show(plugin);
    if is_said || plugin.manifest().is_none() || !granted.asks_for_anything() {
        return Ok(granted);
    }
    let is_terminal = caller::is_terminal(Stream::Stdin) && caller::is_terminal(Stream::Stderr);
    if !is_terminal {
        return if stored.granted.is_empty() { Err(nobody_granted(answers)) } else { Ok(granted) };
    }
    let open = open_questions(&granted, &stored, args)?;
    if open.is_empty() { Ok(granted) } else { act(ask(&stored)?, answers, args, granted, stored, open) }
}

/// Returns what is requested and neither granted nor refused. Files without a folder are no question: there is nothing
/// to grant yet.
fn open_questions(granted: &Granted, stored: &Stored, args: &args::Run) -> Result<Vec<Section>> {
    let text = match stored.is_empty() {
        true => request_as_grant(&granted.request),
        false => missing(&granted.request, &granted.remit).into_iter().map(|gap| gap.grant + "\n").collect(),
    };
    let asked = if text.is_empty() { Vec::new() } else { sections::split("remit.toml", &text, Common::default())? };
    let mut open = Vec::new();
    for section in asked {
        let is_refused = stored.refused.iter().any(|refused| refused.grant.section == section.name);
        let mounts = match section.name.strip_prefix("files.") {
            Some(name) => args.mounts.iter().find(|mount| mount.name == name).map(slice::from_ref),
            None => Some(&[][..]),
        };
        if let Some(mounts) = mounts.filter(|_| !is_refused) {
            open.extend(sections::split("remit.toml", &section.scope, Common { mounts, ..Common::default() })?);
        }
    }
    Ok(open)
}

fn ask(stored: &Stored) -> Result<Reply> {
    let what = if stored.is_empty() { "this" } else { "what is not granted yet" };
    let question = format!("grant {what}? [y]es for this run, [a]lways for this build, [N]o, ne[v]er: ");
    let _unread = caller::write_text(Stream::Stderr, &question);
    let mut answer = String::new();
    caller::stdin().read_line(&mut answer).or_fail(Exit::HostFailed, "cannot read the answer")?;
    Ok(Reply::of(&answer))
}

impl Reply {
    /// Reads an answer. What is none of the others is no, for this run.
    fn of(typed: &str) -> Self {
        match typed.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Self::Once,
            "a" | "always" => Self::Always,
            "v" | "never" => Self::Never,
            _ => Self::No,
        }
    }
}

fn act(
    reply: Reply,
    answers: &Answers<'_>,
    args: &args::Run,
    granted: Granted,
    stored: Stored,
    open: Vec<Section>,
) -> Result<Granted> {
    let again = |stored: &Stored| Granted::decide(answers.plugin, args, answers.session, stored);
    match reply {
        Reply::Once if stored.is_empty() => return Ok(granted),
        Reply::Once => return again(&Stored { once: open, ..stored }),
        Reply::Always => {
            let kept: Vec<String> =
                answers.keep(Answer::Granted, &open)?.iter().map(|kept| kept.id.to_string()).collect();
            note(format!("kept as {}", kept.join(", ")));
            return again(&answers.stored()?);
        }
        Reply::Never => drop(answers.keep(Answer::Refused, &open)?),
        Reply::No => {}
    }
    match stored.granted.is_empty() {
        true => Err(Failure::new(Exit::NotGranted, "not granted")
            .hint("nothing was run; `remit grant` and --grant FILE grant less")),
        false => Ok(granted),
    }
}

fn nobody_granted(answers: &Answers<'_>) -> Failure {
    let message = format!("{} requests capabilities that nobody granted", answers.plugin.name());
    Failure::new(Exit::NotGranted, message)
        .hint("give --allow-requested to grant what is listed above, or --grant FILE to grant less")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        for typed in ["y\n", "Y", " yes \n"] {
            assert_eq!(Reply::of(typed), Reply::Once, "{typed}");
        }
        assert_eq!((Reply::of("always\n"), Reply::of("V\n")), (Reply::Always, Reply::Never));
        for typed in ["", "\n", "n", "no", "ye", "yy", "y a", "j", "all"] {
            assert_eq!(Reply::of(typed), Reply::No, "{typed}");
        }
    }
}
