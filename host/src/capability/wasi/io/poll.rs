//! Pollables: of a deadline and of a response to come, which make a guest wait, and of a stream, which is always ready.

use std::time::Duration;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynPollable;

use crate::capability::link::{Call, First, Link};
use crate::capability::wasi::http::{self, Exchanging};
use crate::capability::{Caps, Derived, Object};
use crate::gate::{Class, Halt, Ordinals, Turn};

pub(super) type Poll = Resource<DynPollable>;

pub(super) fn link(link: &mut Link<'_>, exchanging: &Exchanging) -> wasmtime::Result<()> {
    link.resource::<DynPollable>("wasi:io/poll#[drop]pollable")?;
    link.waiting(
        "wasi:io/poll#[method]pollable.ready",
        First::new(exchanging, |derived, (pollable,): &(Poll,)| http::due_for(derived, pollable.rep())),
        |_, _, _| None,
        Call::new(Class::ReadLocal, |turn, derived, (pollable,): &(Poll,)| Ok((is_ready(turn, derived, pollable),))),
    )?;
    link.waiting(
        "wasi:io/poll#[method]pollable.block",
        First::new(exchanging, |derived, (pollable,): &(Poll,)| http::due_among(derived, [pollable.rep()].into_iter())),
        |caps, _, (pollable,): &(Poll,)| Some(deadline(caps, pollable)),
        Call::new(Class::ReadLocal, |_, _, _: &(Poll,)| Ok(())),
    )?;
    link.waiting(
        "wasi:io/poll#poll",
        First::new(exchanging, |derived, (pollables,): &(Vec<Poll>,)| {
            http::due_among(derived, pollables.iter().map(Poll::rep))
        }),
        |caps, derived, (pollables,): &(Vec<Poll>,)| {
            let awaited = pollables.iter().filter(|pollable| !is_pending(derived, pollable));
            awaited.map(|pollable| deadline(caps, pollable)).min()
        },
        Call::new(Class::ReadLocal, |turn, derived, (pollables,): &(Vec<Poll>,)| {
            Ok((ready_of(turn, derived, pollables)?,))
        }),
    )
}

/// Returns when the pollable is ready, if it is one of a moment; what is ready at once is so from the start.
fn deadline(caps: &Caps, pollable: &Poll) -> Duration {
    caps.deadlines.get(&pollable.rep()).copied().unwrap_or_default()
}

/// Whether it waits for a response that no call has brought.
fn is_pending(derived: &Derived, pollable: &Poll) -> bool {
    match derived.objects.get(&pollable.rep()) {
        Some(Object::Pollable { of }) => !http::is_settled(derived, *of),
        _ => false,
    }
}

fn is_ready(turn: &Turn<'_, Caps>, derived: &Derived, pollable: &Poll) -> bool {
    deadline(turn.caps, pollable) <= turn.elapsed() && !is_pending(derived, pollable)
}

fn ready_of(turn: &mut Turn<'_, Caps>, derived: &Derived, pollables: &[Poll]) -> Result<Vec<u32>, Halt> {
    if pollables.is_empty() {
        return Err(Halt::Misuse("empty poll list".into()));
    }
    let indexes = (0_u32..).zip(pollables);
    Ok(indexes.filter(|(_, pollable)| is_ready(turn, derived, pollable)).map(|(index, _)| index).collect())
}

/// Makes the pollable of a stream, or of what is to come.
pub(in crate::capability::wasi) fn subscribe(
    derived: &mut Derived,
    ordinals: &mut Ordinals,
    of: u32,
) -> Result<(Poll,), Halt> {
    let ordinal = ordinals.create()?;
    derived.adopt(of, ordinal, Object::Pollable { of });
    Ok((Poll::new_own(ordinal),))
}
