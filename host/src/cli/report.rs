//! What a command says to people: failures with what to try, notes, and results on stdout.
//!
//! A failure carries its exit code from the place that knows it. Nothing here panics when a reader goes away.

use std::fmt::{Display, Write as _};
use std::io;

use clap::builder::styling::{AnsiColor, Style};

use super::caller::{self, Stream};
use super::exit::Exit;
use crate::home::HomeError;
use crate::manifest;

/// What a command returns: how the process ends, or why the command failed.
pub type Result<T = Exit> = std::result::Result<T, Failure>;

/// Why a command failed: what went wrong, what to try, and the exit code.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    error: Option<anyhow::Error>,
    hint: Option<String>,
}

impl Failure {
    /// Returns a failure that says `message`: lower case, no full stop, the culprit named.
    pub fn new(exit: Exit, message: impl Display) -> Self {
        Self::from_error(exit, anyhow::Error::msg(message.to_string()))
    }

    /// Returns a failure because of `error`, whose whole chain is reported.
    pub fn from_error(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: Some(error.into()), hint: None }
    }

    /// Returns a failure that is not reported: the reader of stdout went away.
    fn unread() -> Self {
        Self { exit: Exit::Ok, error: None, hint: None }
    }

    /// Returns the end of a command that the host of the home has done: it has said all there is to say.
    pub(super) fn done(exit: Exit) -> Self {
        Self { exit, error: None, hint: None }
    }

    /// Adds what to try, in place of an earlier hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds, in front, what was being done.
    #[must_use]
    pub fn context(mut self, context: impl Display) -> Self {
        self.error = self.error.map(|error| error.context(context.to_string()));
        self
    }

    /// Returns what went wrong, without colours, and what to try.
    pub fn parts(&self) -> (String, Option<String>) {
        let message = self.error.as_ref().map(|error| match error.downcast_ref::<manifest::Errors>() {
            Some(errors) => errors.render(false),
            None => plain_lines(&chain(error)),
        });
        (message.unwrap_or_default(), self.hint.clone())
    }

    /// Returns the process's end.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Returns the report, with terminal colours where `styled`.
    fn render(&self, styled: bool) -> String {
        let Some(error) = &self.error else { return String::new() };
        let mut report = match error.downcast_ref::<manifest::Errors>() {
            Some(errors) => errors.render(styled),
            None => format!("{}: {}", paint("error", ERROR, styled), plain_lines(&chain(error))),
        };
        if let Some(hint) = &self.hint {
            // Writing to a string does not fail.
            let _ = write!(report, "\n{}: {hint}", paint("hint", HINT, styled));
        }
        report
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl From<HomeError> for Failure {
    fn from(error: HomeError) -> Self {
        let exit = if matches!(error, HomeError::Busy { .. }) { Exit::HomeBusy } else { Exit::HostFailed };
        let hint = error.hint();
        Self::from_error(exit, error).hint(hint)
    }
}

impl From<manifest::Errors> for Failure {
    fn from(errors: manifest::Errors) -> Self {
        Self::from_error(Exit::PluginUnfit, errors)
    }
}

/// Turns any error into a [`Failure`] at the place that knows what it means.
pub trait OrFail<T> {
    /// Returns the value, or a failure with this exit code that says what was being done.
    ///
    /// # Errors
    ///
    /// When this is an error.
    fn or_fail(self, exit: Exit, context: impl Display) -> Result<T>;
}

impl<T, E: Into<anyhow::Error>> OrFail<T> for std::result::Result<T, E> {
    fn or_fail(self, exit: Exit, context: impl Display) -> Result<T> {
        self.map_err(|error| Failure::from_error(exit, error).context(context))
    }
}

/// Returns text of a record as a terminal may be given it: control characters as escapes, the ends of lines too. A record
/// can come from a stranger.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() {
            true => plain.extend(c.escape_default()),
            false => plain.push(c),
        }
    }
    plain
}

/// As [`plain`], for text of several lines.
pub fn plain_lines(text: &str) -> String {
    text.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

/// Returns an error with its causes, less those that already stand in the text before them.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string).filter(|cause| !cause.is_empty()) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            // Writing to a string does not fail.
            let _ = write!(text, ": {cause}");
        }
    }
    text
}

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

fn paint(text: &str, style: Style, styled: bool) -> String {
    if styled { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

/// Reports a failure on stderr.
pub(super) fn report(failure: &Failure) {
    let report = failure.render(true);
    if !report.is_empty() {
        note(report);
    }
}

/// Writes a line on stderr, without colours unless a terminal shows them. Nobody reading it is no failure.
pub fn note(line: impl Display) {
    let _unread = caller::write_text(Stream::Stderr, &format!("{line}\n"));
}

/// Writes text on stdout, as it is but for colours that no terminal shows.
///
/// # Errors
///
/// A failure that ends the process quietly when the reader went away, and one that is reported otherwise.
pub fn print(text: impl Display) -> Result<()> {
    written(caller::write_text(Stream::Stdout, &text.to_string()))
}

/// Writes bytes on stdout exactly as they are.
///
/// # Errors
///
/// As [`print`].
pub fn print_bytes(bytes: &[u8]) -> Result<()> {
    written(caller::write(Stream::Stdout, bytes))
}

/// Writes a value on stdout as JSON: indented on a terminal, one line otherwise.
///
/// # Errors
///
/// As [`print`].
pub fn print_json(value: &impl serde::Serialize) -> Result<()> {
    let terminal = caller::is_terminal(Stream::Stdout);
    let json = if terminal { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    let json = json.or_fail(Exit::HostFailed, "cannot write the answer as JSON")?;
    print_bytes(format!("{json}\n").as_bytes())
}

fn written(result: io::Result<()>) -> Result<()> {
    match result {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::unread()),
        Err(error) => Err(error).or_fail(Exit::HostFailed, "cannot write to standard output"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_and_what_to_try() {
        let failure = Err::<(), _>(io::Error::other("it broke")).or_fail(Exit::HostFailed, "cannot read x");
        let failure = failure.unwrap_err().hint("mend it");
        assert_eq!(failure.render(false), "error: cannot read x: it broke\nhint: mend it");
        assert!(failure.render(true).starts_with("\u{1b}["));
        assert_eq!(failure.exit(), Exit::HostFailed);
    }

    #[test]
    fn a_strangers_text_moves_no_cursor() {
        assert_eq!(plain("é\u{1b}[2J\n\u{9b}x"), "é\\u{1b}[2J\\n\\u{9b}x");
        let failure = Failure::new(Exit::JournalDamaged, "function `\u{1b}[2J`\nends");
        assert_eq!(failure.render(false), "error: function `\\u{1b}[2J`\nends");
    }

    #[test]
    fn a_manifest_shows_its_lines() {
        let errors = manifest::Manifest::parse("remit.toml", "[plugin]\nname = 3\n").unwrap_err();
        let report = Failure::from(errors).render(false);
        assert!(report.starts_with("error: ") && report.contains("remit.toml:"), "{report}");
    }

    #[test]
    fn a_reader_that_left_is_told_nothing() {
        let failure = written(Err(io::ErrorKind::BrokenPipe.into())).unwrap_err();
        assert_eq!((failure.exit(), failure.render(true)), (Exit::Ok, String::new()));
    }
}
