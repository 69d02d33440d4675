//! `wasi:clocks`.

use wasip2::clocks::{monotonic_clock, wall_clock};

use crate::{say::done, streams};

pub fn sweep() {
    let now = done("wasi:clocks/monotonic-clock#now", monotonic_clock::now());
    done("wasi:clocks/monotonic-clock#resolution", monotonic_clock::resolution());
    let later = now.saturating_add(1_000_000);
    streams::wait(&done("wasi:clocks/monotonic-clock#subscribe-instant", monotonic_clock::subscribe_instant(later)));
    let duration = monotonic_clock::subscribe_duration(1_000_000);
    streams::wait(&done("wasi:clocks/monotonic-clock#subscribe-duration", duration));
    done("wasi:clocks/wall-clock#now", wall_clock::now());
    done("wasi:clocks/wall-clock#resolution", wall_clock::resolution());
}
