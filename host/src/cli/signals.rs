//! The signals that end a run: Ctrl-C and, where there is one, the request to terminate.

use std::io;

use super::exit::Exit;
use crate::agent::Stop;

/// Signals from the moment this is made: none that comes later kills the process by itself.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Signals {
    /// Starts listening. Called on a runtime.
    ///
    /// # Errors
    /// When the system has no such signals.
    #[cfg(unix)]
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Starts listening. Called on a runtime.
    ///
    /// # Errors
    /// When the system has no such signals.
    #[cfg(windows)]
    pub fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    /// Asks the run to stop at the first signal. A second one ends the process: something holds the run up, such as a
    /// full pipe that nobody reads, and its journal is whole as far as it was committed.
    pub async fn stop(mut self, stop: Stop) {
        self.next().await;
        stop.ask();
        self.next().await;
        std::process::exit(Exit::Interrupted.code().into());
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(windows)]
    async fn next(&mut self) {
        self.interrupt.recv().await;
    }
}
