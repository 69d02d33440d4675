//! `remit:plugin/timer`: sleeping. A long sleep suspends the run, with the moment in its record; a short one is waited for.

use super::Caps;
use super::bindings::timer::Error;
use super::link::{Link, Waits};
use crate::gate::{Class, Halt, Turn};
use crate::lifecycle::Wait;
use crate::time::Timestamp;

type Slept = Result<(), Error>;

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.long(
        "remit:plugin/timer#sleep",
        Waits {
            class: Class::ReadLocal,
            judge: |remit, &(duration,): &(u64,), _| remit.timer_allows(duration).map(drop),
            refuse: |_| (Slept::Err(Error::Denied),),
            wait: |&(duration,), asking| Ok(Wait::Time { until: asking.now.after_ms(duration) }),
            propose: None,
            answer: slept,
            unable: |_| (Slept::Err(Error::Denied),),
        },
    )?;
    link.long(
        "remit:plugin/timer#sleep-until",
        Waits {
            class: Class::ReadLocal,
            judge: |remit, &(moment,): &(u64,), now| remit.timer_allows(millis_until(moment, now)).map(drop),
            refuse: |_| (Slept::Err(Error::Denied),),
            wait: |&(moment,), _| Ok(Wait::Time { until: Timestamp::default().after_ms(moment) }),
            propose: None,
            answer: slept,
            unable: |_| (Slept::Err(Error::Denied),),
        },
    )
}

fn millis_until(moment: u64, now: Timestamp) -> u64 {
    moment.saturating_sub(now.as_micros() / 1_000)
}

fn slept(turn: &mut Turn<'_, Caps>, wait: &Wait) -> Result<Option<(Slept,)>, Halt> {
    let now = turn.clock.now();
    Ok(wait.until().is_none_or(|until| until <= now).then_some((Ok(()),)))
}
