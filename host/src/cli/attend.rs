//! Doing commands for clients: the same code as without a host, on a thread that is the client's.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::caller::{self, Client, Stream};
use super::exit::Exit;
use super::session::Session;
use super::{CommandLine, Shell, run_line};
use crate::agent::Stop;
use crate::api::frames::{Command, FromClient, FromHost, Streams};

/// How long a client may take to say what it wants.
const COMMAND_TIME: Duration = Duration::from_secs(10);

/// Does the command that a client sends first, to its end.
///
/// # Errors
/// When the client is gone before there was anything to do.
pub fn attend(session: &Session, mut stream: UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(COMMAND_TIME))?;
    let FromClient::Command(command) = FromClient::receive(&mut stream)? else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the first frame is no command"));
    };
    stream.set_read_timeout(None)?;
    let (inputs, input) = sync_channel(1);
    let (answers, answer) = sync_channel(1);
    let arguments: Vec<OsString> = command.arguments.iter().cloned().map(OsString::from_vec).collect();
    let remote = Arc::new(Remote {
        command: *command,
        stream: Mutex::new(stream.try_clone()?),
        input: Mutex::new(Pending { frames: input, rest: Vec::new(), is_over: false }),
        answers: Mutex::new(answer),
        heard: Mutex::default(),
    });
    let hearing = remote.clone();
    let reading =
        thread::Builder::new().name("client".into()).spawn(move || hear(stream, &hearing, &inputs, &answers))?;
    let exit = caller::enter(remote.clone(), || do_it(session, &remote, arguments));
    // A client that is gone needs no answer.
    let _gone = exit.send(&mut *remote.stream());
    let _gone = remote.stream().shutdown(std::net::Shutdown::Both);
    let _died = reading.join();
    Ok(())
}

fn do_it(session: &Session, remote: &Remote, arguments: Vec<OsString>) -> FromHost {
    let line = match CommandLine::parsed(arguments) {
        Ok(line) => line,
        Err(exit) => return FromHost::Exit(exit.code()),
    };
    if !line.command.is_for_hosts() || !(session.is_lasting() || line.command.is_light()) {
        return FromHost::Later;
    }
    if session.supervisor().is_some_and(|supervisor| supervisor.status().is_closing) {
        return FromHost::Later;
    }
    // A client that is gone by now does not know what it wanted.
    if FromHost::Begun.send(&mut *remote.stream()).is_err() {
        return FromHost::Later;
    }
    let shell = Shell::of_client(line.globals, session.clone());
    FromHost::Exit(run_line(&shell, line.command).code())
}

/// Takes what a client sends: input for the command, answers, and that somebody interrupts it.
fn hear(mut stream: UnixStream, remote: &Remote, inputs: &SyncSender<Vec<u8>>, answers: &SyncSender<Vec<u8>>) {
    loop {
        match FromClient::receive(&mut stream) {
            // What nobody wanted is dropped.
            Ok(FromClient::Input(bytes)) => drop(inputs.try_send(bytes)),
            Ok(FromClient::Answer(bytes)) => drop(answers.try_send(bytes)),
            Ok(FromClient::Interrupt) => remote.interrupt(),
            // Whatever it does goes on without the client.
            Ok(FromClient::Command(_)) | Err(_) => return,
        }
    }
}

/// The other end of a client's connection.
struct Remote {
    command: Command,
    stream: Mutex<UnixStream>,
    input: Mutex<Pending>,
    answers: Mutex<Receiver<Vec<u8>>>,
    heard: Mutex<Heard>,
}

/// What came in and was not read yet.
struct Pending {
    frames: Receiver<Vec<u8>>,
    rest: Vec<u8>,
    is_over: bool,
}

/// What is stopped when somebody interrupts the client.
#[derive(Default)]
struct Heard {
    stop: Option<Stop>,
    is_interrupted: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Remote {
    fn stream(&self) -> MutexGuard<'_, UnixStream> {
        lock(&self.stream)
    }

    fn interrupt(&self) {
        let mut heard = lock(&self.heard);
        heard.is_interrupted = true;
        match &heard.stop {
            Some(stop) => stop.ask(),
            // What it does has no middle: the client need not wait for its end.
            None => drop(FromHost::Exit(Exit::Interrupted.code()).send(&mut *self.stream())),
        }
    }
}

impl Client for Remote {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut input = lock(&self.input);
        if input.rest.is_empty() && !input.is_over {
            FromHost::Input.send(&mut *self.stream())?;
            input.rest = input.frames.recv().map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
            input.is_over = input.rest.is_empty();
        }
        let len = buffer.len().min(input.rest.len());
        buffer[..len].copy_from_slice(&input.rest[..len]);
        input.rest.drain(..len);
        Ok(len)
    }

    fn write(&self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let frame = match stream {
            Stream::Stderr => FromHost::Stderr(bytes.to_vec()),
            Stream::Stdin | Stream::Stdout => FromHost::Stdout(bytes.to_vec()),
        };
        frame.send(&mut *self.stream())
    }

    fn ask_hidden(&self, prompt: &str) -> io::Result<String> {
        FromHost::Prompt(prompt.to_owned()).send(&mut *self.stream())?;
        let answer = lock(&self.answers).recv().map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        String::from_utf8(answer).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    fn is_terminal(&self, stream: Stream) -> bool {
        of(self.command.terminals, stream)
    }

    fn is_colored(&self, stream: Stream) -> bool {
        of(self.command.colors, stream)
    }

    fn folder(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.command.folder))
    }

    fn principal(&self) -> &str {
        &self.command.principal
    }

    fn interrupts(&self, stop: &Stop) {
        let mut heard = lock(&self.heard);
        if heard.is_interrupted {
            stop.ask();
        }
        heard.stop = Some(stop.clone());
    }
}

fn of(streams: Streams, stream: Stream) -> bool {
    match stream {
        Stream::Stdin => streams.stdin,
        Stream::Stdout => streams.stdout,
        Stream::Stderr => streams.stderr,
    }
}
