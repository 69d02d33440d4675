//! The only module that reads a clock. Everything else is handed a [`Clock`], so that tests fix the time.
//!
//! Wall time is in microseconds since the Unix epoch, which fits `u64` for half a million years.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A point in wall time, in microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Wraps microseconds since the Unix epoch.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Returns microseconds since the Unix epoch.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Returns the point that is so many milliseconds later; the last there is, where that is none.
    #[must_use]
    pub const fn after_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1_000)))
    }

    /// Returns the time from `earlier` to this point; zero where the wall clock went backwards.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Timestamp {
    /// Prints UTC as `2026-03-01 14:05:09`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1_000_000;
        let (year, month, day) = civil_from_days((seconds / 86_400) as i64);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

/// Turns days since 1970-01-01 into year, month and day (Howard Hinnant's `civil_from_days`).
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Where time comes from: the system's clocks, or a value that a test sets.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System { started: Instant, started_monotonic: Duration },
    Fixed { start: u64, micros: Arc<AtomicU64> },
    Stepping { start: Duration, step: Duration, readings: Arc<AtomicU32> },
}

impl Clock {
    /// Returns the system's clocks; [`Clock::elapsed`] counts from now.
    pub fn system() -> Self {
        Self(Source::System { started: Instant::now(), started_monotonic: monotonic() })
    }

    /// Returns a clock that stands at `now`, but for [`Clock::advance`].
    pub fn fixed(now: Timestamp) -> Self {
        Self(Source::Fixed { start: now.0, micros: Arc::new(AtomicU64::new(now.0)) })
    }

    /// Moves a fixed clock on, and its clones with it. Other clocks go by themselves.
    pub fn advance(&self, by: Duration) {
        if let Source::Fixed { micros, .. } = &self.0 {
            micros.fetch_add(by.as_micros() as u64, Ordering::Relaxed);
        }
    }

    /// Returns a clock that starts at `now` and goes on by `step` each time it is read, so that whatever is timed takes
    /// that long at least.
    pub fn stepping(now: Timestamp, step: Duration) -> Self {
        Self(Source::Stepping { start: Duration::from_micros(now.0), step, readings: Arc::default() })
    }

    /// Returns the wall time.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.wall().as_micros() as u64)
    }

    /// Returns the wall time since the Unix epoch at the clock's full resolution.
    pub fn wall(&self) -> Duration {
        match &self.0 {
            Source::System { .. } => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            Source::Fixed { micros, .. } => Duration::from_micros(micros.load(Ordering::Relaxed)),
            Source::Stepping { start, step, readings } => *start + stepped(*step, readings),
        }
    }

    /// Returns the time since this clock was made, which never goes backwards.
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            Source::System { started, .. } => started.elapsed(),
            Source::Fixed { start, micros } => passed(*start, micros),
            Source::Stepping { step, readings, .. } => stepped(*step, readings),
        }
    }

    /// Returns the time since this clock was made as of the system's last timer tick, so up to 10 ms less than
    /// [`Clock::elapsed`], at a fifth of its price: for what is done for every host call.
    #[inline]
    pub fn elapsed_at_tick(&self) -> Duration {
        match &self.0 {
            Source::System { started_monotonic, .. } => tick().saturating_sub(*started_monotonic),
            Source::Fixed { start, micros } => passed(*start, micros),
            Source::Stepping { step, readings, .. } => *step * readings.load(Ordering::Relaxed),
        }
    }
}

fn passed(start: u64, micros: &AtomicU64) -> Duration {
    Duration::from_micros(micros.load(Ordering::Relaxed).saturating_sub(start))
}

fn stepped(step: Duration, readings: &AtomicU32) -> Duration {
    step * readings.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
}

/// Returns the system's monotonic clock as of the last timer tick.
#[cfg(target_os = "linux")]
#[inline]
fn tick() -> Duration {
    read(rustix::time::ClockId::MonotonicCoarse)
}

/// Returns the system's monotonic clock.
#[cfg(target_os = "linux")]
fn monotonic() -> Duration {
    read(rustix::time::ClockId::Monotonic)
}

#[cfg(target_os = "linux")]
#[inline]
fn read(clock: rustix::time::ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Returns the monotonic clock, where the system keeps no coarser one.
#[cfg(not(target_os = "linux"))]
fn tick() -> Duration {
    monotonic()
}

/// Returns the time since the first time it was asked for.
#[cfg(not(target_os = "linux"))]
fn monotonic() -> Duration {
    static FIRST: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    FIRST.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_tick_is_never_ahead() {
        let clock = Clock::system();
        for _ in 0..1_000 {
            let tick = clock.elapsed_at_tick();
            assert!(tick <= clock.elapsed());
        }
    }

    #[test]
    fn a_stepping_clock_goes_on_with_each_reading() {
        let clock = Clock::stepping(Timestamp::from_micros(7), Duration::from_micros(10));
        let again = clock.clone();
        assert_eq!((clock.elapsed().as_micros(), again.elapsed().as_micros()), (10, 20));
        assert_eq!((clock.elapsed_at_tick().as_micros(), clock.now().as_micros()), (20, 37));
    }

    #[test]
    fn a_fixed_clock_stands_until_it_is_moved_on() {
        let clock = Clock::fixed(Timestamp::from_micros(7));
        assert_eq!((clock.now().as_micros(), clock.elapsed()), (7, Duration::ZERO));
        clock.clone().advance(Duration::from_micros(5));
        assert_eq!((clock.now().as_micros(), clock.elapsed().as_micros()), (12, 5));
        assert_eq!(clock.elapsed_at_tick(), clock.elapsed());
    }

    #[test]
    fn prints_utc() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_400, "2000-02-29 00:00:00"),
            (1_709_210_096, "2024-02-29 12:34:56"),
            (4_102_444_799, "2099-12-31 23:59:59"),
        ] {
            assert_eq!(Timestamp::from_micros(seconds * 1_000_000).to_string(), text);
        }
    }
}
