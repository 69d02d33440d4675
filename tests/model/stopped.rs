//! Runs that end while a model is asked.

use std::time::Duration;

use remit::agent::Stop;
use remit::gate::Outcome;
use remit::meter::LimitKind;
use remit::time::Clock;

use super::provider::Vendor;
use super::{COMPLETE, SMALL};
use crate::harness::{FakeModel, Play, Ran, Reply, Scene};

/// How long to wait for a request, and how often to look.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(1);

fn play(fake: &FakeModel) -> Play {
    let models = remit::capability::model::Models::new(Clock::system());
    let models = models.with("small".parse().expect("a name"), Vendor::Anthropic.tier(fake, false));
    Scene::ticking().command("model", ["ask", "small", "Hi"]).granted(SMALL).asking(models)
}

/// Runs until the provider was asked, and then stops.
fn stopped(fake: &FakeModel) -> Ran {
    play(fake).run_beside(|stop: Stop| async move {
        let clock = Clock::system();
        while fake.count() == 0 && clock.elapsed() < PATIENCE {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        stop.ask();
    })
}

#[test]
fn a_stop_ends_an_exchange_that_is_under_way() {
    let fake = FakeModel::start();
    fake.will([Reply::anthropic_text("Hello").hanging_at(9)]);
    let ran = stopped(&fake).ended_in(COMPLETE).replayed();
    assert!(matches!(ran.end.outcome, Outcome::Suspended { .. }), "{:?}", ran.end);
    assert!(ran.calls_of(COMPLETE).is_empty(), "what was not answered has no entry");
}

#[test]
fn a_stop_ends_the_wait_before_the_next_try() {
    let fake = FakeModel::start();
    fake.will([Reply::busy(20)]);
    let clock = Clock::system();
    let ran = stopped(&fake).ended_in(COMPLETE).replayed();
    assert!(matches!(ran.end.outcome, Outcome::Suspended { .. }), "{:?}", ran.end);
    assert!(clock.elapsed() < PATIENCE, "it would have waited for 20 s");
    assert_eq!(fake.count(), 1);
}

#[test]
fn the_wall_time_of_the_run_ends_it_too() {
    let fake = FakeModel::start();
    fake.will([Reply::anthropic_text("Hello").hanging_at(9)]);
    let ran = play(&fake).limit(LimitKind::WallTime, 300).run();
    ran.ended_in(COMPLETE).replayed().limited_by(LimitKind::WallTime);
}

#[test]
fn an_answer_over_the_payload_limit_ends_the_run_and_names_it() {
    let fake = FakeModel::start();
    fake.will([Reply::anthropic_text(&"x".repeat(5_000))]);
    let ran = play(&fake).limit(LimitKind::Payload, 2_000).run();
    ran.ended_in(COMPLETE).replayed().limited_by(LimitKind::Payload);
}
