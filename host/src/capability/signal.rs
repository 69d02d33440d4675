//! `remit:plugin/signal`: named events from outside. One that is told goes from the journal in the transaction that stores
//! the call; who sent it, and when, is in the call's entry.

use serde_json::json;

use super::Caps;
use super::bindings::signal::Error;
use super::link::{Link, Waits};
use crate::gate::{Class, Halt, Turn};
use crate::lifecycle::Wait;

type Told = Result<Option<String>, Error>;

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.long(
        "remit:plugin/signal#wait",
        Waits {
            class: Class::WriteLocal,
            judge: |remit, (name, _): &(String, Option<u64>), _| remit.signal_allows(name).map(drop),
            refuse: |_| (Told::Err(Error::Denied),),
            wait: |(name, timeout), asking| {
                Ok(Wait::Signal { name: name.clone(), until: timeout.map(|ms| asking.now.after_ms(ms)) })
            },
            propose: None,
            answer: told,
            unable: |_| (Told::Err(Error::CannotWait),),
        },
    )
}

fn told(turn: &mut Turn<'_, Caps>, wait: &Wait) -> Result<Option<(Told,)>, Halt> {
    let Wait::Signal { name, until } = wait else { return Ok(None) };
    if let Some(signal) = turn.kv.take_signal(name)? {
        turn.note(json!({ "at-us": signal.at, "by": signal.by }).to_string());
        return Ok(Some((Ok(Some(signal.payload)),)));
    }
    let now = turn.clock.now();
    Ok(until.is_some_and(|until| until <= now).then_some((Ok(None),)))
}
