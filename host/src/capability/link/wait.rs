//! Waiting in a call: for the disk, for a moment, for something outside this host. A guest that waits can be stopped,
//! and the run's end then names the function it waited in.

use std::time::Duration;

use wasmtime::{Result, StoreContextMut};

use super::fuel_used;
use crate::capability::{Caps, Derived, Guest};
use crate::gate::{Live, RemoteOp, Value};
use crate::journal;
use crate::meter::{Crossed, LimitKind};

/// Waits until entries are on disk, in the call of function `index`, no longer than one call may take.
pub(super) async fn wait_for(
    store: &mut StoreContextMut<'_, Guest>,
    index: u16,
    durable: impl Future<Output = Result<(), journal::Error>>,
) -> Result<()> {
    let call_time = store.data().growth.limits().call_time();
    let waited = in_call(store, index, tokio::time::timeout(call_time, durable)).await;
    let limit = LimitKind::CallTime;
    let max = call_time.as_millis() as u64;
    let halt = match waited {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error.into(),
        Err(_) => Crossed { limit, max, wanted: max + 1 }.into(),
    };
    Err(store.data_mut().gate.halt_in(index, halt).into())
}

/// Sleeps in the call of function `index`. The run's wall time bounds a sleep of any length. Sleeping can be seen from
/// outside, so what came before it is on disk, and shown, first.
pub(super) async fn sleep_shown(store: &mut StoreContextMut<'_, Guest>, index: u16, until: Duration) -> Result<()> {
    let live = store.data_mut().gate.as_live();
    let durable = live.map(Live::barrier).transpose().map_err(|halt| store.data_mut().gate.halt_in(index, halt))?;
    if let Some(durable) = durable {
        wait_for(store, index, durable).await?;
    }
    let live = store.data_mut().gate.as_live();
    let wait = live.map_or(Duration::ZERO, |live| until.saturating_sub(live.elapsed()));
    in_call(store, index, tokio::time::sleep(wait)).await;
    Ok(())
}

/// Makes a remote call to its end, in a call of function `caller` that waits for it, and returns what is for that call.
/// Replayed, it is answered from the record. What was sent bounds its own time.
///
/// # Errors
/// The halt that ends the run in this call.
pub async fn remote<P: Value, R: Value, T>(
    store: &mut StoreContextMut<'_, Guest>,
    op: &RemoteOp<Caps, Derived, P, R, T>,
    params: &P,
    caller: u16,
) -> Result<T> {
    let fuel = fuel_used(store)?;
    let mut departure = store.data_mut().gate.depart(op, fuel, params)?;
    if let Some(first) = departure.take_first() {
        wait_for(store, op.index, first).await?;
    }
    let sent = match store.data_mut().gate.send(op, params, &mut departure)? {
        Some(sending) => Some(in_call(store, op.index, sending).await),
        None => None,
    };
    let (given, durable) = store.data_mut().gate.arrive(op, fuel, params, departure, sent)?;
    if let Some(durable) = durable {
        // It has its entry. A run that is stopped now is stopped in the guest's own call, which has none yet.
        wait_for(store, caller, durable).await?;
    }
    Ok(given)
}

/// Waits for something for so long at most. Nothing: it took longer, and was dropped.
pub async fn within<T>(patience: Duration, waiting: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(patience, waiting).await.ok()
}

/// Waits this long, within work that was sent.
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Waits for something that borrows nothing of the run, in the call of function `index`.
async fn in_call<T>(store: &mut StoreContextMut<'_, Guest>, index: u16, waiting: impl Future<Output = T>) -> T {
    store.data_mut().waiting_in = Some(index);
    let waited = waiting.await;
    store.data_mut().waiting_in = None;
    waited
}
