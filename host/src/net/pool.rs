//! Connections that are kept for the next exchange with the same destination, in the same partition.
//!
//! A sender has one TLS configuration, and a connection remembers the address it was dialled at, which is judged again
//! before it is used: so a kept connection is one that a new exchange might have made itself.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::address;
use super::connection::Connection;
use super::destination::Destination;
use super::terms::Partition;
use crate::manifest::Addresses;

/// What connections, rates and holds are kept by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Route {
    pub(super) partition: Partition,
    pub(super) destination: Destination,
}

/// How many idle connections are kept, and how long.
#[derive(Clone, Copy, Debug)]
pub struct IdleLimits {
    /// The most in all. A search looks at each.
    pub max: usize,
    /// The most for one destination in one partition.
    pub per_destination_max: usize,
    /// The longest a connection is kept without an exchange. It is looked at when any exchange begins or ends.
    pub time: Duration,
}

impl Default for IdleLimits {
    /// Returns 64 in all, 4 for a destination, and 30 s: less than after what servers commonly hang up.
    fn default() -> Self {
        Self { max: 64, per_destination_max: 4, time: Duration::from_secs(30) }
    }
}

/// The idle connections.
pub(super) struct Pool {
    limits: IdleLimits,
    /// The longest idle first.
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    route: Arc<Route>,
    connection: Connection,
    since: Duration,
}

impl Pool {
    pub(super) fn new(limits: IdleLimits) -> Self {
        Self { limits, idle: Mutex::default() }
    }

    /// Takes the connection that was used last and may be used now.
    pub(super) fn take(&self, route: &Route, named: &Addresses, now: Duration) -> Option<Connection> {
        let mut idle = self.lock();
        let expired = self.expire(&mut idle, now);
        let is_usable = |kept: &Idle| *kept.route == *route && address::check(kept.connection.address, named).is_ok();
        let taken = idle.iter().rposition(is_usable).map(|at| idle.remove(at).connection);
        drop(idle);
        // Closing is a system call each: not under the lock.
        drop(expired);
        taken
    }

    /// Keeps a connection, and closes others over the limits.
    pub(super) fn put(&self, route: Arc<Route>, connection: Connection, now: Duration) {
        let mut idle = self.lock();
        let mut closed = self.expire(&mut idle, now);
        let is_same = |kept: &Idle| kept.route == route;
        if idle.iter().filter(|kept| is_same(kept)).count() >= self.limits.per_destination_max
            && let Some(oldest) = idle.iter().position(is_same)
        {
            closed.push(idle.remove(oldest));
        }
        idle.push(Idle { route, connection, since: now });
        let surplus = idle.len().saturating_sub(self.limits.max);
        closed.extend(idle.drain(..surplus));
        drop(idle);
        drop(closed);
    }

    /// Closes the partition's connections.
    pub(super) fn forget(&self, partition: Partition) {
        let mut idle = self.lock();
        let (closed, kept) = mem::take(&mut *idle).into_iter().partition(|kept| kept.route.partition == partition);
        *idle = kept;
        drop(idle);
        drop::<Vec<_>>(closed);
    }

    /// Takes out what has been idle for too long.
    fn expire(&self, idle: &mut Vec<Idle>, now: Duration) -> Vec<Idle> {
        let fresh = idle.iter().position(|kept| now.saturating_sub(kept.since) <= self.limits.time);
        idle.drain(..fresh.unwrap_or(idle.len())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
