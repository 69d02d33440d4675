//! Lines for people who follow a run.
//!
//! The host adds the time and the run, and drops the levels that the remit does not keep.

use std::fmt::Display;

use crate::bindings::remit::plugin::log as wit;

/// How important a line is.
pub use wit::Level;

/// Logs a message. A message longer than the remit's `payload` limit ends the run.
///
/// ```no_run
/// # let (done, total) = (1, 2);
/// remit_sdk::log::log(remit_sdk::log::Level::Info, format_args!("checked {done} of {total} files"));
/// ```
pub fn log(level: Level, message: impl Display) {
    wit::log(level, &message.to_string());
}

/// Logs every step, for the agent's author.
pub fn trace(message: impl Display) {
    log(Level::Trace, message);
}

/// Logs what helps to find a mistake.
pub fn debug(message: impl Display) {
    log(Level::Debug, message);
}

/// Logs progress and results: what an operator wants to read.
pub fn info(message: impl Display) {
    log(Level::Info, message);
}

/// Logs that something is not as it should be, and the agent goes on.
pub fn warn(message: impl Display) {
    log(Level::Warn, message);
}

/// Logs that something failed.
pub fn error(message: impl Display) {
    log(Level::Error, message);
}
