//! Rates and `Retry-After`, through the sender. The clock stands still, and time is paused.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

use super::world::{Answer, PUBLIC};
use super::*;

fn busy(status: &str, retry_after: &str) -> Vec<Step> {
    vec![Step::Hear, Step::say(format!("HTTP/1.1 {status}\r\nRetry-After: {retry_after}\r\nContent-Length: 0\r\n\r\n"))]
}

fn free() -> Vec<Step> {
    vec![Step::Hear, Step::say(ok("hi"))]
}

fn world(scripts: Vec<Vec<Step>>) -> World {
    let answers = scripts.into_iter().map(Answer::Pipe).collect();
    World::with(answers, &[("service.example", &[PUBLIC]), ("other.example", &[PUBLIC])], |_| {})
}

#[tokio::test(start_paused = true)]
async fn a_busy_server_is_left_alone_for_as_long_as_it_asks() {
    for (status, retry_after, waited) in [
        ("429 Too Many Requests", "7", 7),
        ("503 Service Unavailable", "Sun, 06 Nov 1994 08:49:46 GMT", 9),
        ("503 Service Unavailable", "Sun, 06 Nov 1994 08:00:00 GMT", 0),
        ("429 Too Many Requests", "soon", 0),
        ("301 Moved Permanently", "7", 0),
    ] {
        let world = world(vec![busy(status, retry_after), free()]);
        let response = world.get().await.unwrap();
        let is_read = retry_after != "soon";
        assert_eq!(response.retry_after.is_some(), is_read, "{retry_after}");
        let start = Instant::now();
        assert_eq!(world.get().await.unwrap().status, 200);
        assert_eq!(start.elapsed().as_secs(), waited, "{status} {retry_after}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hold_is_for_one_destination_and_one_partition() {
    let world = world(vec![busy("429 Too Many Requests", "30"), free(), free()]);
    world.get().await.unwrap();
    let start = Instant::now();
    world.sender.exchange(&get("other.example"), &terms()).await.unwrap();
    world.sender.exchange(&get("service.example"), &Terms::new(Partition::new([8; 32]))).await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_is_too_long_is_told_at_once() {
    let world = world(vec![busy("503 Service Unavailable", "3600"), free()]);
    world.get().await.unwrap();
    let start = Instant::now();
    let failure = world.get().await.unwrap_err();
    let text = "http://service.example: the server asked to be left alone: 3600 s to wait";
    assert_eq!((failure.to_string().as_str(), failure.error.code()), (text, "connection-limit-reached"));
    assert_eq!((failure.is_sent, failure.blame()), (false, Blame::Server));
    assert_eq!((start.elapsed(), world.dials()), (Duration::ZERO, 1));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_counts_also_when_it_cannot_be_read() {
    for rest in ["Content-Length: 99999999", "Transfer-Encoding: gzip"] {
        let head = format!("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\n{rest}\r\n\r\n");
        let world = world(vec![vec![Step::Hear, Step::say(head)], free()]);
        world.get().await.unwrap_err();
        let start = Instant::now();
        world.get().await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 5, "{rest}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_kept() {
    let (one, two) = (NonZeroU32::MIN, NonZeroU32::new(2).unwrap());
    let rate = Some(RateLimit::per_second(two, one));
    let world = world(vec![std::iter::repeat_n(free(), 4).flatten().collect()]);
    let terms = Terms { rate, ..terms() };
    let mut starts = Vec::new();
    let start = Instant::now();
    for _ in 0..4 {
        world.sender.exchange(&get("service.example"), &terms).await.unwrap();
        starts.push(start.elapsed().as_millis());
    }
    // The clock stands still, so that each waits for all before it.
    assert_eq!(starts, [0, 500, 1500, 3000]);

    let deadlines = Deadlines { whole: Duration::from_secs(2), ..Deadlines::default() };
    let failure = world.sender.exchange(&get("service.example"), &Terms { deadlines, ..terms }).await.unwrap_err();
    let wait = Duration::from_secs(2);
    assert_eq!(failure.error, ExchangeError::HeldBack { wait, why: HeldBackBy::RateLimit });
    assert_eq!((failure.blame(), start.elapsed().as_millis()), (Blame::Grant, 3000));
}
