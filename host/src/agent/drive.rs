//! Driving a guest in slices of fuel, so that the host can look up between them.
//!
//! A slice ends where wasmtime has saved the fuel, so stopping there is exact: the fuel of the stop is recorded, and
//! a replay that is given just that much fuel stops at the same instruction. A guest that waits in a host call is
//! stopped in that call.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;

use super::Sink;
use crate::capability::Caps;
use crate::capability::connector::route::Closing;
use crate::gate::{Buffered, Family, Halt, Live, Output, StopReason};
use crate::lifecycle::HOST;
use crate::meter::Crossed;

/// How often buffered entries are handed to the journal, and durable output and a stop are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Tells one run to stop; clones stop the same run.
#[derive(Clone)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    wake: Arc<Notify>,
    by: Arc<str>,
    order: Arc<OnceLock<Order>>,
}

/// What becomes of a run that is stopped, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What becomes of it.
    pub to: StopTo,
    /// The principal.
    pub by: String,
    /// Why, where somebody said.
    pub why: Option<String>,
}

/// What becomes of a run that is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopTo {
    /// It goes on by itself, or when somebody resumes it.
    Suspended,
    /// It goes on when a person says so.
    Paused,
    /// It has ended.
    Cancelled,
}

impl Default for Stop {
    fn default() -> Self {
        Self::by_principal(HOST)
    }
}

impl Stop {
    /// Returns one by which this principal stops a run.
    pub fn by_principal(by: &str) -> Self {
        Self { asked: Arc::default(), wake: Arc::default(), by: by.into(), order: Arc::default() }
    }

    /// Returns who stops the run.
    pub fn by(&self) -> &str {
        self.order.get().map_or(&self.by, |order| &order.by)
    }

    /// Returns what becomes of the run, where somebody gave an order; else it is suspended.
    pub fn order(&self) -> Option<&Order> {
        self.order.get()
    }

    /// Asks the run to stop at its next slice, or in the call it waits in, and says what becomes of it. Of several orders the
    /// first holds; whether it is this one is returned.
    pub fn order_to(&self, order: Order) -> bool {
        let is_first = self.order.set(order).is_ok();
        self.ask();
        is_first
    }

    /// Asks the run to stop at its next slice, or in the call it waits in.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Says whether a stop was asked for.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }

    /// Returns the flag that stops the run within milliseconds of being set: for where no more than that can be done,
    /// such as a signal's handler.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.asked.clone()
    }
}

/// How driving a guest came to an end.
pub(super) enum Driven<T> {
    /// The guest returned or trapped.
    Finished(T),
    /// The host stopped it.
    Stopped(StopReason),
    /// It took longer than whoever waits for it does.
    Late(Crossed),
}

impl<T> Driven<wasmtime::Result<T>> {
    /// Returns what becomes of the connectors of a run that came to this end.
    pub fn closing(&self) -> Closing {
        let is_parked = match self {
            Self::Stopped(reason) => *reason == StopReason::Interrupted,
            Self::Finished(Err(error)) => error.downcast_ref::<Halt>().is_some_and(Halt::parks),
            Self::Finished(Ok(_)) | Self::Late(_) => false,
        };
        if is_parked { Closing::Parked } else { Closing::Ended }
    }
}

/// Shows a run's output as its entries become durable.
pub(super) struct Shower<'a>(Option<Showing<'a>>);

struct Showing<'a> {
    output: Output,
    journal: Buffered,
    family: Option<Family>,
    sink: Sink<'a>,
}

impl<'a> Shower<'a> {
    /// Shows the output of a run to `sink` as far as it is durable.
    pub fn new(live: &Live<Caps>, sink: Sink<'a>) -> Self {
        let (output, journal, family) = (live.output(), live.journal(), live.family().cloned());
        Self(Some(Showing { output, journal, family, sink }))
    }

    /// Shows nothing: replay has no output.
    pub fn none() -> Self {
        Self(None)
    }

    /// Hands durable output to the sink.
    pub fn show(&mut self) {
        let Some(showing) = &mut self.0 else { return };
        let durable = showing.journal.borrow_mut().durable_entries();
        for (stream, bytes) in showing.output.take(durable) {
            (showing.sink)(stream, &bytes);
        }
    }

    /// Hands what is buffered to the journal, so that a guest that computes for long keeps no entry in memory.
    fn flush(&self) {
        if let Some(showing) = &self.0 {
            // A journal that fails tells the guest's next call, or the end of the run.
            let _ = match &showing.family {
                Some(family) => family.flush(),
                None => showing.journal.borrow_mut().flush(),
            };
        }
    }
}

/// Polls a guest until it ends, is stopped, or has used up its wall time.
pub(super) async fn drive<T>(
    guest: impl Future<Output = T>,
    stop: &Stop,
    wall_time: Duration,
    shower: &mut Shower<'_>,
) -> Driven<T> {
    let mut guest = pin!(guest);
    let mut stopped = pin!(stop.wake.notified());
    let mut deadline = pin!(tokio::time::sleep(wall_time));
    let mut look = tokio::time::interval(LOOK_EVERY);
    poll_fn(|context| {
        shower.show();
        if stop.is_asked() || stopped.as_mut().poll(context).is_ready() {
            return Poll::Ready(Driven::Stopped(StopReason::Interrupted));
        }
        if deadline.as_mut().poll(context).is_ready() {
            return Poll::Ready(Driven::Stopped(StopReason::WallTime));
        }
        while look.poll_tick(context).is_ready() {
            shower.flush();
        }
        guest.as_mut().poll(context).map(Driven::Finished)
    })
    .await
}
