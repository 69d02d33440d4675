//! The signals that end a run: Ctrl-C and the request to terminate.
//!
//! Their handlers do all of it. So no thread waits for signals, and one that comes while the process is held up, by a
//! full pipe that nobody reads, is heard too.

use std::io::{self, Read as _};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};

use super::exit::Exit;

/// Has the first signal set `flag`, and a second one end the process: something holds the run up then, and its journal
/// is whole as far as it was committed.
///
/// # Errors
/// When the system has no such signals.
pub(super) fn set(flag: &Arc<AtomicBool>) -> io::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        // In this order, so that the first signal finds the flag unset.
        signal_hook::flag::register_conditional_shutdown(signal, Exit::Interrupted.code().into(), flag.clone())?;
        signal_hook::flag::register(signal, flag.clone())?;
    }
    Ok(())
}

/// Waits for the first signal that ends a host.
#[cfg(unix)]
pub(super) struct Signals(UnixStream);

#[cfg(unix)]
impl Signals {
    /// Begins to watch. The first signal is waited for; a second one ends the process, as [`set`] has it.
    ///
    /// # Errors
    /// When the system has no such signals.
    pub fn watch() -> io::Result<Self> {
        let (heard, hears) = UnixStream::pair()?;
        set(&Arc::new(AtomicBool::new(false)))?;
        for signal in [SIGINT, SIGTERM] {
            signal_hook::low_level::pipe::register(signal, hears.try_clone()?)?;
        }
        Ok(Self(heard))
    }

    /// Blocks until there was one.
    pub fn wait(mut self) {
        let mut byte = [0];
        while matches!(self.0.read(&mut byte), Err(error) if error.kind() == io::ErrorKind::Interrupted) {}
    }
}
