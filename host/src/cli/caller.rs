//! Whom a command is for: who typed it, in this process, or in another one that has this host do it.
//!
//! A host does many commands at the same time, each on a thread of its own, and each with the streams, the folder and the
//! terminal of its client. So a command never touches those of its process; it asks here, and the answer is that of the
//! thread. On a thread that nobody [entered](enter), it is the process's own.

use std::cell::RefCell;
use std::io::{self, BufRead, IsTerminal as _, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::agent::Stop;

/// A standard stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard input.
    Stdin,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A client that a host does a command for.
pub trait Client: Send + Sync {
    /// Reads some of its standard input; nothing at its end.
    ///
    /// # Errors
    /// When the client is gone.
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes to one of its streams. Returns when the client, or what lies between, has it.
    ///
    /// # Errors
    /// When the client is gone.
    fn write(&self, stream: Stream, bytes: &[u8]) -> io::Result<()>;

    /// Has somebody type something that is not shown.
    ///
    /// # Errors
    /// When the client is gone.
    fn ask_hidden(&self, prompt: &str) -> io::Result<String>;

    /// Tells whether a stream of it is a terminal.
    fn is_terminal(&self, stream: Stream) -> bool;

    /// Tells whether a stream of it shows colours.
    fn is_colored(&self, stream: Stream) -> bool;

    /// Returns the folder that it is in.
    fn folder(&self) -> &Path;

    /// Returns who it acts for.
    fn principal(&self) -> &str;

    /// Has this stopped when somebody interrupts the client.
    fn interrupts(&self, stop: &Stop);
}

thread_local! {
    static CLIENT: RefCell<Option<Arc<dyn Client>>> = const { RefCell::new(None) };
}

/// Does something for a client, on this thread.
pub fn enter<T>(client: Arc<dyn Client>, work: impl FnOnce() -> T) -> T {
    /// Leaves, whatever becomes of the work.
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            CLIENT.with(|current| current.borrow_mut().take());
        }
    }
    CLIENT.with(|current| *current.borrow_mut() = Some(client));
    let _leave = Leave;
    work()
}

/// Returns the client that this thread does something for.
pub fn client() -> Option<Arc<dyn Client>> {
    CLIENT.with(|current| current.borrow().clone())
}

/// Returns a path as the caller means it: one that is relative is in the caller's folder.
pub fn path(path: &Path) -> PathBuf {
    match client() {
        Some(client) => client.folder().join(path),
        None => path.to_owned(),
    }
}

/// Tells whether the caller's stream is a terminal.
pub fn is_terminal(stream: Stream) -> bool {
    match (client(), stream) {
        (Some(client), _) => client.is_terminal(stream),
        (None, Stream::Stdin) => io::stdin().is_terminal(),
        (None, Stream::Stdout) => io::stdout().is_terminal(),
        (None, Stream::Stderr) => io::stderr().is_terminal(),
    }
}

/// Returns the caller's standard input.
pub fn stdin() -> Box<dyn BufRead> {
    match client() {
        Some(client) => Box::new(io::BufReader::new(Input(client))),
        None => Box::new(io::stdin().lock()),
    }
}

struct Input(Arc<dyn Client>);

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// Writes to the caller's standard output or error, exactly these bytes.
///
/// # Errors
/// When nobody reads it.
pub fn write(stream: Stream, bytes: &[u8]) -> io::Result<()> {
    match (client(), stream) {
        (Some(client), _) => client.write(stream, bytes),
        (None, Stream::Stderr) => io::stderr().lock().write_all(bytes),
        (None, _) => {
            let mut stdout = io::stdout().lock();
            stdout.write_all(bytes)?;
            stdout.flush()
        }
    }
}

/// Writes text to the caller's standard output or error, without colours unless a terminal shows them.
///
/// # Errors
/// When nobody reads it.
pub fn write_text(stream: Stream, text: &str) -> io::Result<()> {
    match (client(), stream) {
        (Some(client), _) if client.is_colored(stream) => client.write(stream, text.as_bytes()),
        (Some(client), _) => client.write(stream, anstream::adapter::strip_str(text).to_string().as_bytes()),
        (None, Stream::Stderr) => write!(anstream::stderr().lock(), "{text}"),
        (None, _) => {
            let mut stdout = anstream::stdout().lock();
            write!(stdout, "{text}").and_then(|()| stdout.flush())
        }
    }
}

/// Has somebody type something at the caller's terminal that is not shown.
///
/// # Errors
/// When there is nobody.
pub fn ask_hidden(prompt: &str) -> io::Result<String> {
    match client() {
        Some(client) => client.ask_hidden(prompt),
        None => rpassword::prompt_password(prompt),
    }
}
