//! How soon the next exchange with a destination may start: its rate limit, and what the server asked for.
//!
//! Rates and holds belong to a partition: one plugin cannot use up or hold up another's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time;

use super::error::{ExchangeError, HeldBackBy};
use super::pool::Route;
use super::terms::RateLimit;

/// The longest that a server can hold up a destination, whatever its `Retry-After` says.
pub const HOLD_MAX: Duration = Duration::from_hours(24);

/// How many destinations are remembered. A guest that may reach a whole domain chooses their number.
const ROUTES_MAX: usize = 4096;

/// The pace of every destination that has one. Times are since the sender's clock was made.
#[derive(Default)]
pub(super) struct Paces(Mutex<HashMap<Arc<Route>, Pace>>);

/// The pace of one destination. The rate is kept as a token bucket's equal with one number, the generic cell rate
/// algorithm (ITU-T I.371): the time at which the bucket would be full.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    full_at: Duration,
    held_until: Duration,
}

/// How long to wait, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wait {
    time: Duration,
    why: HeldBackBy,
}

impl Paces {
    /// Waits for the exchange's turn, starting at `now`.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::HeldBack`] at once when the wait is not shorter than `patience`.
    pub(super) async fn turn(
        &self,
        route: &Arc<Route>,
        rate: Option<RateLimit>,
        now: Duration,
        patience: Duration,
    ) -> Result<(), ExchangeError> {
        let end = now.saturating_add(patience);
        let mut wait = self.claim(route, rate, now, patience)?;
        let mut now = now;
        while !wait.is_zero() {
            time::sleep(wait).await;
            now += wait;
            // Another exchange may have been told to wait meanwhile.
            wait = self.claim(route, None, now, end.saturating_sub(now))?;
        }
        Ok(())
    }

    /// Takes one of the rate's exchanges, and returns how long to wait for it. Takes none when that is too long.
    fn claim(
        &self,
        route: &Arc<Route>,
        rate: Option<RateLimit>,
        now: Duration,
        patience: Duration,
    ) -> Result<Duration, ExchangeError> {
        self.with(|paces| {
            if rate.is_none() && !paces.contains_key(route) {
                return Ok(Duration::ZERO);
            }
            let pace = entry(paces, route, now);
            let Wait { time, why } = pace.wait(rate, now);
            if !time.is_zero() && time >= patience {
                return Err(ExchangeError::HeldBack { wait: time, why });
            }
            pace.take(rate, now.saturating_add(time));
            Ok(time)
        })
    }

    /// Holds exchanges with the destination up, because its server asked for it.
    pub(super) fn hold(&self, route: &Arc<Route>, time: Duration, now: Duration) {
        let until = now.saturating_add(time.min(HOLD_MAX));
        self.with(|paces| {
            let pace = entry(paces, route, now);
            pace.held_until = pace.held_until.max(until);
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<Arc<Route>, Pace>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Returns the destination's pace. Makes room for it by forgetting those that hold nothing up, or else the one that
/// would soonest.
fn entry<'a>(paces: &'a mut HashMap<Arc<Route>, Pace>, route: &Arc<Route>, now: Duration) -> &'a mut Pace {
    if paces.len() >= ROUTES_MAX && !paces.contains_key(route) {
        paces.retain(|_, pace| pace.matters_until() > now);
        if paces.len() >= ROUTES_MAX {
            let soonest = paces.iter().min_by_key(|(_, pace)| pace.matters_until()).map(|(route, _)| route.clone());
            soonest.map(|route| paces.remove(&route));
        }
    }
    paces.entry(route.clone()).or_default()
}

impl Pace {
    fn wait(&self, rate: Option<RateLimit>, now: Duration) -> Wait {
        let held = self.held_until.saturating_sub(now);
        let saved = rate.map_or(Duration::MAX, |rate| rate.interval.saturating_mul(rate.burst.get() - 1));
        let earned = self.full_at.saturating_sub(saved).saturating_sub(now);
        if earned > held {
            Wait { time: earned, why: HeldBackBy::RateLimit }
        } else {
            Wait { time: held, why: HeldBackBy::Server }
        }
    }

    fn take(&mut self, rate: Option<RateLimit>, at: Duration) {
        if let Some(rate) = rate {
            self.full_at = self.full_at.max(at).saturating_add(rate.interval);
        }
    }

    fn matters_until(&self) -> Duration {
        self.full_at.max(self.held_until)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::super::destination::Destination;
    use super::super::terms::Partition;
    use super::*;
    use crate::manifest::Scheme;

    const SECOND: Duration = Duration::from_secs(1);

    fn route(name: &str) -> Arc<Route> {
        let destination = Destination { scheme: Scheme::Https, host: name.parse().unwrap(), port: 443 };
        Arc::new(Route { partition: Partition::new([0; 32]), destination })
    }

    fn rate(per_second: u32, burst: u32) -> Option<RateLimit> {
        Some(RateLimit::per_second(NonZeroU32::new(per_second).unwrap(), NonZeroU32::new(burst).unwrap()))
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let (paces, route, rate) = (Paces::default(), route("a.example"), rate(2, 3));
        let waits = |now_ms: u64| {
            let now = Duration::from_millis(now_ms);
            paces.claim(&route, rate, now, SECOND).map(|wait| wait.as_millis())
        };
        assert_eq!([waits(0), waits(0), waits(0)], [Ok(0), Ok(0), Ok(0)]);
        assert_eq!(waits(0), Ok(500));
        let refused = ExchangeError::HeldBack { wait: SECOND, why: HeldBackBy::RateLimit };
        assert_eq!(waits(0), Err(refused.clone()));
        assert_eq!(waits(0), Err(refused), "a refusal takes nothing");
        assert_eq!(waits(900), Ok(100));
        // Long after, the burst is back, and no more than it.
        assert_eq!([waits(60_000), waits(60_000), waits(60_000), waits(60_000)], [Ok(0), Ok(0), Ok(0), Ok(500)]);
    }

    #[test]
    fn a_hold_is_for_one_destination_and_ends() {
        let paces = Paces::default();
        let (held, free) = (route("a.example"), route("b.example"));
        paces.hold(&held, 3 * SECOND, SECOND);
        paces.hold(&held, SECOND, SECOND);
        let claim = |route, now| paces.claim(route, None, now, 2 * SECOND);
        assert_eq!(claim(&free, SECOND), Ok(Duration::ZERO));
        assert_eq!(claim(&held, SECOND), Err(ExchangeError::HeldBack { wait: 3 * SECOND, why: HeldBackBy::Server }));
        assert_eq!(claim(&held, 3 * SECOND), Ok(SECOND));
        assert_eq!(claim(&held, 4 * SECOND), Ok(Duration::ZERO));
    }

    #[test]
    fn a_hold_has_a_longest() {
        let (paces, route) = (Paces::default(), route("a.example"));
        paces.hold(&route, Duration::MAX, SECOND);
        assert_eq!(paces.claim(&route, None, SECOND, Duration::MAX), Ok(HOLD_MAX));
    }

    #[test]
    fn what_is_remembered_has_a_limit_and_keeps_what_matters_longest() {
        let paces = Paces::default();
        for i in 0..u32::try_from(ROUTES_MAX).unwrap() {
            paces.hold(&route(&format!("h{i}.example")), 2 * SECOND + i * SECOND, Duration::ZERO);
        }
        let len = || paces.with(|paces| paces.len());
        paces.hold(&route("one-more.example"), 60 * SECOND, Duration::ZERO);
        assert_eq!(len(), ROUTES_MAX);
        assert!(paces.with(|paces| !paces.contains_key(&route("h0.example"))), "it mattered least");
        paces.hold(&route("later.example"), SECOND, 1_000 * SECOND);
        // 998 of the first, and `one-more`.
        assert_eq!(len(), ROUTES_MAX - 999 + 1, "what ended is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_waits_also_for_what_is_asked_meanwhile() {
        let (paces, route) = (Paces::default(), route("a.example"));
        let start = tokio::time::Instant::now();
        paces.hold(&route, 2 * SECOND, Duration::ZERO);
        let asked_again = async {
            time::sleep(SECOND).await;
            paces.hold(&route, 4 * SECOND, SECOND);
        };
        let turn = paces.turn(&route, None, Duration::ZERO, 60 * SECOND);
        let (turn, ()) = tokio::join!(turn, asked_again);
        turn.unwrap();
        assert_eq!(start.elapsed(), 5 * SECOND);
    }
}
