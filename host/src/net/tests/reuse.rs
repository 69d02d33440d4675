//! Connections are kept where a new one would be allowed, and a request is never sent twice that may not be.

use std::time::Duration;

use super::world::{Answer, PUBLIC};
use super::*;
use crate::time::Clock;

/// A connection that serves so many exchanges, and then closes.
fn serves(exchanges: usize) -> Vec<Step> {
    std::iter::repeat_n([Step::Hear, Step::say(ok("hi"))], exchanges).flatten().collect()
}

fn repeatable() -> Terms {
    Terms { is_repeatable: true, ..terms() }
}

#[tokio::test]
async fn a_connection_is_kept() {
    let world = World::tcp(vec![serves(3)]);
    for _ in 0..3 {
        world.get().await.unwrap();
    }
    assert_eq!((world.dials(), world.requests().len()), (1, 3));
    assert_eq!(world.seen(|seen| seen.resolved.len()), 1);
}

#[tokio::test]
async fn a_kept_connection_is_only_for_its_partition_destination_and_addresses() {
    let with = |partition: u8, elements: &[&str]| {
        let addresses = named(elements);
        Terms { addresses, ..Terms::new(Partition::new([partition; 32])) }
    };
    let (by_word, by_block): (&[_], &[_]) = (&["loopback"], &["127.0.0.1/32"]);
    let answers = vec![Answer::Tcp(serves(9)); 9];
    let world = World::with(answers, &[("local.example", &["127.0.0.1".parse().unwrap()])], |_| {});
    let exchange = async |request: Request, terms: Terms| {
        let outcome = world.sender.exchange(&request, &terms).await;
        (outcome.map(|_| ()).map_err(|failure| failure.error.code()), world.dials())
    };
    let local = || get("local.example");
    assert_eq!(exchange(local(), with(1, by_word)).await, (Ok(()), 1));
    assert_eq!(exchange(local(), with(1, by_word)).await, (Ok(()), 1));
    assert_eq!(exchange(local(), with(1, by_block)).await, (Ok(()), 1), "the address is allowed all the same");
    assert_eq!(exchange(local(), with(2, by_word)).await, (Ok(()), 2), "another partition");
    assert_eq!(exchange(get("127.0.0.1"), with(1, by_word)).await, (Ok(()), 3), "another host");
    assert_eq!(exchange(get("local.example:81"), with(1, by_word)).await, (Ok(()), 4), "another port");
    let prohibited = Err("destination-IP-prohibited");
    assert_eq!(exchange(local(), with(1, &[])).await, (prohibited, 4), "no longer allowed");
    world.sender.forget(Partition::new([1; 32]));
    assert_eq!(exchange(local(), with(2, by_word)).await, (Ok(()), 4));
    assert_eq!(exchange(local(), with(1, by_word)).await, (Ok(()), 5), "forgotten");
}

#[tokio::test]
async fn a_connection_is_not_kept_when_the_response_says_so_or_is_not_read() {
    let closing = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";
    let old = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    let large = "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n";
    let malformed = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n";
    for response in [closing, old, large, malformed] {
        let world = World::tcp(vec![vec![Step::Hear, Step::say(response), Step::Hang], serves(1)]);
        let _either = world.get().await;
        world.get().await.unwrap();
        assert_eq!(world.dials(), 2, "{response}");
    }
}

/// What a server sends after its response is not the answer to the next request.
#[tokio::test]
async fn a_response_nobody_asked_for_is_not_taken() {
    let two = format!("{}{}", ok("one"), ok("smuggled"));
    let world = World::tcp(vec![vec![Step::Hear, Step::say(two), Step::Hear, Step::say(ok("late"))], serves(1)]);
    assert_eq!(&world.get().await.unwrap().body[..], b"one");
    assert_eq!(&world.get().await.unwrap().body[..], b"hi");
    assert_eq!(world.dials(), 2);
}

/// A server that closed while the connection lay idle, and of which this host has heard.
#[tokio::test]
async fn a_closed_connection_is_not_used() {
    let world = World::new(vec![Answer::Pipe(serves(1)), Answer::Pipe(serves(1))]);
    world.sender.exchange(&post("service.example", "x"), &terms()).await.unwrap();
    tokio::task::yield_now().await;
    world.sender.exchange(&post("service.example", "x"), &terms()).await.unwrap();
    assert_eq!((world.dials(), world.requests().len()), (2, 2));
}

/// A server that reads the next request and closes without an answer: it may have acted on it.
#[tokio::test]
async fn a_lost_request_is_sent_again_only_where_it_may() {
    let lost = || vec![Step::Hear, Step::say(ok("hi")), Step::Hear];
    let world = World::tcp(vec![lost(), serves(1)]);
    world.get().await.unwrap();
    let failure = world.sender.exchange(&post("service.example", "x"), &terms()).await.unwrap_err();
    assert_eq!((failure.error, failure.is_sent), (ExchangeError::ConnectionTerminated, true));
    assert_eq!((world.dials(), world.requests().len()), (1, 2));

    let world = World::tcp(vec![lost(), serves(1)]);
    world.get().await.unwrap();
    world.sender.exchange(&get("service.example"), &repeatable()).await.unwrap();
    assert_eq!((world.dials(), world.requests().len()), (2, 3));
}

#[tokio::test]
async fn a_lost_request_is_sent_again_at_most_once_and_only_after_a_kept_connection() {
    let lost = || vec![Step::Hear, Step::say(ok("hi")), Step::Hear];
    let world = World::tcp(vec![lost(), vec![Step::Hear], serves(1)]);
    world.get().await.unwrap();
    let failure = world.sender.exchange(&get("service.example"), &repeatable()).await.unwrap_err();
    assert_eq!((failure.error, failure.is_sent), (ExchangeError::ConnectionTerminated, true));
    assert_eq!((world.dials(), world.requests().len()), (2, 3));

    let world = World::tcp(vec![vec![Step::Hear], serves(1)]);
    world.sender.exchange(&get("service.example"), &repeatable()).await.unwrap_err();
    assert_eq!(world.requests().len(), 1);

    // The second way is closed; the first request may have arrived all the same.
    let world = World::tcp(vec![lost()]);
    world.get().await.unwrap();
    let failure = world.sender.exchange(&get("service.example"), &repeatable()).await.unwrap_err();
    assert_eq!((failure.error.code(), failure.is_sent), ("connection-refused", true));
}

/// An answer that is wrong, rather than missing, is not asked for again.
#[tokio::test]
async fn a_malformed_answer_is_not_asked_for_again() {
    let world =
        World::tcp(vec![vec![Step::Hear, Step::say(ok("hi")), Step::Hear, Step::say("nonsense\r\n\r\n")], serves(1)]);
    world.get().await.unwrap();
    let failure = world.sender.exchange(&get("service.example"), &repeatable()).await.unwrap_err();
    assert_eq!((failure.error, world.requests().len()), (ExchangeError::ProtocolError, 2));
}

#[tokio::test]
async fn idle_connections_have_a_number_and_a_time() {
    let check = async |idle: IdleLimits, clock: Clock, dials: usize| {
        let world = World::with(vec![Answer::Tcp(serves(9)); 9], &[("service.example", &[PUBLIC])], |options| {
            (options.idle, options.clock) = (idle, clock);
        });
        let three = || async { tokio::join!(world.get(), world.get(), world.get()) };
        for _ in 0..2 {
            let (one, two, three) = three().await;
            assert!(one.is_ok() && two.is_ok() && three.is_ok());
        }
        assert_eq!(world.dials(), dials, "{idle:?}");
    };
    let fixed = || Clock::fixed(world::NOW);
    let limits = IdleLimits::default();
    check(limits, fixed(), 3).await;
    check(IdleLimits { per_destination_max: 1, ..limits }, fixed(), 5).await;
    check(IdleLimits { max: 2, ..limits }, fixed(), 4).await;
    check(IdleLimits { max: 0, ..limits }, fixed(), 6).await;
    check(IdleLimits { time: Duration::ZERO, ..limits }, Clock::system(), 6).await;
}

#[tokio::test]
async fn a_dropped_exchange_closes_its_connection() {
    let world = World::new(vec![Answer::Pipe(vec![Step::Hear, Step::Hang, Step::Hear]), Answer::Pipe(serves(1))]);
    let request = get("service.example");
    let terms = terms();
    let mut exchange = Box::pin(world.sender.exchange(&request, &terms));
    while world.requests().is_empty() {
        tokio::select! { biased; _ = &mut exchange => unreachable!(), () = tokio::task::yield_now() => {} }
    }
    drop(exchange);
    world.get().await.unwrap();
    assert_eq!(world.dials(), 2);
}
