//! Pollables: of a deadline, which makes a guest wait, and of a stream, which is always ready.

use std::time::Duration;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynPollable;

use crate::capability::link::{Call, Link};
use crate::capability::{Caps, Derived, Object};
use crate::gate::{Class, Halt, Ordinals, Turn};

pub(super) type Poll = Resource<DynPollable>;

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.resource::<DynPollable>("wasi:io/poll#[drop]pollable")?;
    link.sync(
        "wasi:io/poll#[method]pollable.ready",
        Call::new(Class::ReadLocal, |turn, _, (pollable,): &(Poll,)| Ok((is_ready(turn, pollable),))),
    )?;
    link.waiting(
        "wasi:io/poll#[method]pollable.block",
        |caps, (pollable,): &(Poll,)| Some(deadline(caps, pollable)),
        Call::new(Class::ReadLocal, |_, _, _: &(Poll,)| Ok(())),
    )?;
    link.waiting(
        "wasi:io/poll#poll",
        |caps, (pollables,): &(Vec<Poll>,)| pollables.iter().map(|pollable| deadline(caps, pollable)).min(),
        Call::new(Class::ReadLocal, |turn, _, (pollables,): &(Vec<Poll>,)| Ok((ready_of(turn, pollables)?,))),
    )
}

fn deadline(caps: &Caps, pollable: &Poll) -> Duration {
    caps.deadlines.get(&pollable.rep()).copied().unwrap_or_default()
}

fn is_ready(turn: &Turn<'_, Caps>, pollable: &Poll) -> bool {
    deadline(turn.caps, pollable) <= turn.elapsed()
}

fn ready_of(turn: &mut Turn<'_, Caps>, pollables: &[Poll]) -> Result<Vec<u32>, Halt> {
    if pollables.is_empty() {
        return Err(Halt::Misuse("empty poll list".into()));
    }
    let indexes = (0_u32..).zip(pollables);
    Ok(indexes.filter(|(_, pollable)| is_ready(turn, pollable)).map(|(index, _)| index).collect())
}

/// Makes the pollable of a stream.
pub(super) fn subscribe(derived: &mut Derived, ordinals: &mut Ordinals, stream: u32) -> Result<(Poll,), Halt> {
    let ordinal = ordinals.create()?;
    derived.objects.insert(ordinal, Object::Pollable { of: stream });
    *derived.waiters.entry(stream).or_default() += 1;
    Ok((Poll::new_own(ordinal),))
}
