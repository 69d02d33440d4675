//! `wasi:clocks`: the wall clock, and a monotonic clock that begins at zero when the run does.

use std::time::Duration;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;

use crate::capability::link::{Call, Link};
use crate::gate::Class;

/// The monotonic clock counts nanoseconds.
const RESOLUTION_NS: u64 = 1;

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.sync(
        "wasi:clocks/wall-clock#now",
        Call::new(Class::ReadLocal, |turn, _, _: &()| Ok((datetime(turn.clock.wall()),))),
    )?;
    link.pure("wasi:clocks/wall-clock#resolution", |_, _, _: &()| {
        Ok((Datetime { seconds: 0, nanoseconds: RESOLUTION_NS as u32 },))
    })?;
    link.sync(
        "wasi:clocks/monotonic-clock#now",
        Call::new(Class::ReadLocal, |turn, _, _: &()| Ok((nanos(turn.elapsed()),))),
    )?;
    link.pure("wasi:clocks/monotonic-clock#resolution", |_, _, _: &()| Ok((RESOLUTION_NS,)))?;
    link.sync(
        "wasi:clocks/monotonic-clock#subscribe-instant",
        Call::new(Class::ReadLocal, |turn, _, &(when,): &(u64,)| {
            let ordinal = turn.ordinals.create()?;
            turn.caps.deadlines.insert(ordinal, Duration::from_nanos(when));
            Ok((Resource::<DynPollable>::new_own(ordinal),))
        })
        .restored(|again, _, (when,), (pollable,)| {
            again.caps.deadlines.insert(pollable.rep(), Duration::from_nanos(*when));
        }),
    )?;
    link.sync(
        "wasi:clocks/monotonic-clock#subscribe-duration",
        Call::new(Class::ReadLocal, |turn, _, &(wait,): &(u64,)| {
            let ordinal = turn.ordinals.create()?;
            turn.caps.deadlines.insert(ordinal, turn.elapsed().saturating_add(Duration::from_nanos(wait)));
            Ok((Resource::<DynPollable>::new_own(ordinal),))
        })
        .restored(|again, _, (wait,), (pollable,)| {
            let until = again.at.saturating_add(Duration::from_nanos(*wait));
            again.caps.deadlines.insert(pollable.rep(), until);
        }),
    )
}

fn datetime(since_epoch: Duration) -> Datetime {
    Datetime { seconds: since_epoch.as_secs(), nanoseconds: since_epoch.subsec_nanos() }
}

fn nanos(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
}
