//! A run in the foreground answers on the home's socket while it lasts, so that it can be listed, shown, paused and
//! cancelled from a second terminal.

use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::backend::Desk;
use super::commands::Commands;
use super::outfit::Outfits;
use super::report::Result;
use super::session::Session;
use crate::api::{Api, Listener, Server};
use crate::supervisor::{Bounds, Ground, Supervisor};

/// A run that is over by then never had a socket, and nobody waited for one to be made.
const DELAY: Duration = Duration::from_millis(50);

/// How long the end of a run waits for the commands that are under way then.
const PATIENCE: Duration = Duration::from_secs(5);

/// It drives nothing but its one run.
const NOTHING_ELSE: Bounds = Bounds { runs_max: 0, queue_max: 0 };

/// Answers until it is dropped.
pub struct Answering {
    end: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Begins to answer for a run that this process is about to drive, and returns the session in which to claim it. In a host
/// that answers already, nothing begins.
///
/// # Errors
/// When the platform cannot run the engine.
pub fn answering(session: &Session) -> Result<(Session, Option<Answering>)> {
    if session.supervisor().is_some() {
        return Ok((session.clone(), None));
    }
    let ground = Ground {
        journal: session.journal().clone(),
        clock: session.clock().clone(),
        engine: session.host()?.engine().fingerprint(),
        outfitter: Box::new(Outfits(session.clone())),
    };
    // A system that has no more threads runs it all the same, and nobody can ask.
    let Ok(supervisor) = Supervisor::start(ground, NOTHING_ELSE) else { return Ok((session.clone(), None)) };
    let session = session.clone().supervised_by(&supervisor);
    let (end, ended) = sync_channel(0);
    let answered = session.clone();
    let thread = thread::Builder::new().name("answering".into()).spawn(move || {
        if let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(DELAY) {
            let commands = Commands::default();
            let server = serve(&answered, supervisor, commands.clone());
            // It is dropped, or says why nobody can ask.
            let _end = ended.recv();
            drop(server);
            commands.wait_for_all(PATIENCE);
        }
    });
    Ok((session, thread.ok().map(|thread| Answering { end: Some(end), thread: Some(thread) })))
}

fn serve(session: &Session, supervisor: Supervisor, commands: Commands) -> Option<Server> {
    let listener = Listener::bind(session.home().path());
    let listener = listener.inspect_err(|error| tracing::debug!("nobody can ask for this run: {error}")).ok()?;
    let home = session.home().path().display().to_string();
    let api = Api { supervisor, backend: Box::new(Desk { session: session.clone(), commands }), home };
    Server::start(listener, api).inspect_err(|error| tracing::debug!("nobody can ask for this run: {error}")).ok()
}

impl Drop for Answering {
    fn drop(&mut self) {
        drop(self.end.take());
        let _died = self.thread.take().map(JoinHandle::join);
    }
}
