//! `remit:plugin/log`: lines for the people who answer for the run. They are recorded, and shown once they are.

use super::bindings::log::Level;
use super::link::{Call, Link};
use crate::gate::{Ask, Asked, Class, OutputStream};
use crate::manifest;

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.sync(
        "remit:plugin/log#log",
        Call::new(Class::WriteLocal, |turn, _, (level, message): &(Level, String)| {
            let line = format!("{}: {message}\n", name(*level));
            turn.show(OutputStream::Log, line.as_bytes())?;
            Ok(())
        })
        .restored(|again, _, (level, message), ()| {
            again.usage.output_bytes += (name(*level).len() + message.len() + ": \n".len()) as u64;
        })
        .governed(|_, (level, _)| Asked { ask: Ask::Log(declared_level(*level)), class: Class::WriteLocal }, |_| ()),
    )
}

const fn name(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

const fn declared_level(level: Level) -> manifest::Level {
    match level {
        Level::Trace => manifest::Level::Trace,
        Level::Debug => manifest::Level::Debug,
        Level::Info => manifest::Level::Info,
        Level::Warn => manifest::Level::Warn,
        Level::Error => manifest::Level::Error,
    }
}
