//! Having the host of a home do a command: this process lends it its streams, its folder and its terminal.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::exit::Exit;
use super::report::{Failure, OrFail as _, Result};
use super::run::principal;
use super::signals::Signals;
use crate::api::frames::{Command, FromClient, FromHost, PROTOCOL, Streams, VERSION_FIELD};
use crate::api::{self, SocketError};

/// Bytes of the head of a response.
const HEAD_LEN_MAX: usize = 16 * 1024;

/// Bytes of input that are sent at once.
const CHUNK_LEN: usize = 16 * 1024;

/// What became of a command that a host was asked to do.
pub enum Forwarded {
    /// The host did it.
    Done(Exit),
    /// Nobody serves the home, or who does does not do such commands.
    NotDone,
}

/// Has the host of a home do a command, if there is one.
///
/// # Errors
/// When the host is of another version, or ends in the middle.
pub fn forward(home: &Path, arguments: &[OsString]) -> Result<Forwarded> {
    let connected = match api::connect(home) {
        Ok(connected) => connected,
        // Where no host can have a socket, there is none to ask.
        Err(SocketError::TooLong(_)) => None,
        Err(error) => return Err(error).or_fail(Exit::HostFailed, "cannot ask who serves the home"),
    };
    let Some(mut stream) = connected else { return Ok(Forwarded::NotDone) };
    match upgrade(&mut stream) {
        Ok(None) => {}
        Ok(Some(refused)) => return Err(refused),
        // It ended in this moment.
        Err(error) if is_gone(&error) => return Ok(Forwarded::NotDone),
        Err(error) => return Err(error).or_fail(Exit::HostFailed, "cannot ask who serves the home"),
    }
    let mut is_begun = false;
    match lend(stream, arguments, &mut is_begun) {
        Err(error) if is_gone(&error) && !is_begun => Ok(Forwarded::NotDone),
        lent => lent
            .or_fail(Exit::HostFailed, "the host has ended that serves the home; what it did may go on with the next"),
    }
}

fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(error.kind(), Kind::UnexpectedEof | Kind::BrokenPipe | Kind::ConnectionReset)
}

/// Makes the connection one for a command. Returns why the host does not want that.
fn upgrade(stream: &mut UnixStream) -> io::Result<Option<Failure>> {
    let version = env!("CARGO_PKG_VERSION");
    let head = format!(
        "POST /v1/commands HTTP/1.1\r\nhost: remit\r\nconnection: upgrade\r\nupgrade: {PROTOCOL}\r\n{VERSION_FIELD}: \
         {version}\r\ncontent-length: 0\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    let head = read_head(stream)?;
    if head.starts_with("HTTP/1.1 101 ") {
        return Ok(None);
    }
    let len =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; len.unwrap_or(0).min(HEAD_LEN_MAX)];
    stream.read_exact(&mut body)?;
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| body["error"][name].as_str().map(str::to_owned);
    let message = text("message").unwrap_or_else(|| "the home is served by something else than remit".into());
    let failure = Failure::new(Exit::HostFailed, message);
    Ok(Some(match text("hint") {
        Some(hint) => failure.hint(hint),
        None => failure,
    }))
}

/// Reads just the head: what follows is not HTTP.
fn read_head(stream: &mut UnixStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == HEAD_LEN_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer has no end"));
        }
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Lends the host this process's streams until the command has ended.
fn lend(mut stream: UnixStream, arguments: &[OsString], is_begun: &mut bool) -> io::Result<Forwarded> {
    let sending = Arc::new(Mutex::new(stream.try_clone()?));
    send(&sending, &FromClient::Command(Box::new(command(arguments)?)))?;
    let signals = Signals::watch()?;
    let interrupting = sending.clone();
    thread::Builder::new().name("signals".into()).spawn(move || {
        signals.wait();
        // A host that is gone is noticed where it is read from.
        let _gone = send(&interrupting, &FromClient::Interrupt);
    })?;
    loop {
        match FromHost::receive(&mut stream)? {
            FromHost::Stdout(bytes) => {
                let mut stdout = io::stdout().lock();
                // The host goes on, whoever reads it; as without one, nobody is told.
                if stdout.write_all(&bytes).and_then(|()| stdout.flush()).is_err() {
                    return Ok(Forwarded::Done(Exit::Ok));
                }
            }
            FromHost::Stderr(bytes) => drop(io::stderr().lock().write_all(&bytes)),
            FromHost::Prompt(text) => {
                let typed = rpassword::prompt_password(text)?;
                send(&sending, &FromClient::Answer(typed.into_bytes()))?;
            }
            FromHost::Begun => *is_begun = true,
            FromHost::Input => send(&sending, &FromClient::Input(input()?))?,
            FromHost::Exit(code) => return Ok(Forwarded::Done(Exit::of_code(code))),
            FromHost::Later => return Ok(Forwarded::NotDone),
        }
    }
}

fn send(to: &Mutex<UnixStream>, frame: &FromClient) -> io::Result<()> {
    frame.send(&mut *to.lock().unwrap_or_else(PoisonError::into_inner))
}

fn command(arguments: &[OsString]) -> io::Result<Command> {
    let is_colored = |choice| !matches!(choice, anstream::ColorChoice::Never);
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let colors = Streams {
        stdin: false,
        stdout: is_colored(anstream::AutoStream::choice(&stdout)),
        stderr: is_colored(anstream::AutoStream::choice(&stderr)),
    };
    let terminals =
        Streams { stdin: io::stdin().is_terminal(), stdout: stdout.is_terminal(), stderr: stderr.is_terminal() };
    Ok(Command {
        arguments: arguments.iter().cloned().map(OsString::into_vec).collect(),
        folder: std::env::current_dir()?.into_os_string().into_vec(),
        principal: principal(),
        terminals,
        colors,
    })
}

/// Reads some of this process's standard input; nothing at its end.
fn input() -> io::Result<Vec<u8>> {
    let mut chunk = vec![0; CHUNK_LEN];
    loop {
        match io::stdin().lock().read(&mut chunk) {
            Ok(len) => {
                chunk.truncate(len);
                return Ok(chunk);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
