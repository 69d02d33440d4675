//! What never comes, or comes too slowly. Servers live in memory, and time is paused: it leaps to the next deadline.

use std::time::Duration;

use tokio::time::Instant;

use super::world::{Answer, PUBLIC};
use super::*;

const DEADLINES: Deadlines = Deadlines {
    connect: Duration::from_secs(5),
    first_byte: Duration::from_secs(20),
    between_bytes: Duration::from_secs(60),
    whole: Duration::from_secs(60),
};

/// Sends, and checks the error's code, when it came, and whether the request had been sent.
async fn check(world: &World, host: &str, code: &str, seconds: u64, is_sent: bool) {
    let start = Instant::now();
    let terms = Terms { deadlines: DEADLINES, ..terms() };
    let failure = world.sender.exchange(&get(host), &terms).await.unwrap_err();
    assert_eq!((failure.error.code(), failure.is_sent), (code, is_sent), "{failure}");
    assert_eq!(start.elapsed().as_secs(), seconds, "{failure}");
}

#[tokio::test(start_paused = true)]
async fn a_name_is_resolved_in_time() {
    let world = World::new(Vec::new());
    check(&world, "silent.example", "DNS-timeout", 5, false).await;
    check(&world, "broken.example", "DNS-error", 0, false).await;
    check(&world, "unknown.example", "destination-not-found", 0, false).await;
    assert_eq!(world.dials(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_address_answers_in_time_and_leaves_time_for_the_next() {
    let world = World::new(vec![Answer::Silence]);
    check(&world, "service.example", "connection-timeout", 5, false).await;

    let other = "2606:4700::1111".parse().unwrap();
    let answer = Answer::Pipe(vec![Step::Hear, Step::say(ok("hi"))]);
    let world = World::with(vec![Answer::Silence, answer], &[("two.example", &[other, PUBLIC])], |_| {});
    let start = Instant::now();
    let terms = Terms { deadlines: DEADLINES, ..terms() };
    let response = world.sender.exchange(&get("two.example"), &terms).await.unwrap();
    assert_eq!((response.address, world.dials()), (PUBLIC, 2));
    assert_eq!(start.elapsed(), DEADLINES.connect / 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_tls_is_a_connection_timeout() {
    let world = World::pipe(vec![Step::Hang]);
    let request = request_by("GET", "https", "service.example", "/");
    // The system's roots are read on another thread, for which paused time waits.
    let failure = world.sender.exchange(&request, &Terms { deadlines: DEADLINES, ..terms() }).await.unwrap_err();
    assert_eq!((failure.error, failure.is_sent), (ExchangeError::ConnectionTimeout, false));
}

#[tokio::test(start_paused = true)]
async fn a_head_comes_in_time() {
    for (script, is_sent) in [
        (vec![Step::Hang], true),
        (vec![Step::Hear, Step::say("HTTP/1.1 200 OK\r\na:"), Step::Hang], true),
        (vec![Step::Hear, Step::say("HTTP/1.1 100 Continue\r\n\r\n"), Step::Hang], true),
    ] {
        check(&World::pipe(script), "service.example", "HTTP-response-timeout", 20, is_sent).await;
    }
    let interim = [Step::say("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), Step::Rest(Duration::from_secs(1))];
    let script = [Step::Hear].into_iter().chain(std::iter::repeat_n(interim, 1000).flatten()).collect();
    check(&World::pipe(script), "service.example", "HTTP-response-timeout", 20, true).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_ends_in_time() {
    for rest in ["Content-Length: 5\r\n\r\nhell", "Transfer-Encoding: chunked\r\n\r\n4\r\nhell\r\n", "\r\nhello"] {
        let script = vec![Step::Hear, Step::say(format!("HTTP/1.1 200 OK\r\n{rest}")), Step::Hang];
        check(&World::pipe(script), "service.example", "connection-read-timeout", 60, true).await;
    }
}

/// A byte now and then keeps no exchange alive.
#[tokio::test(start_paused = true)]
async fn a_body_in_drops_ends_in_time() {
    let mut script = vec![Step::Hear, Step::say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")];
    script.extend(std::iter::repeat_n([Step::say("x"), Step::Rest(Duration::from_secs(1))], 1000).flatten());
    check(&World::pipe(script), "service.example", "connection-read-timeout", 60, true).await;
}

/// The time between two parts begins anew with each of them, and is over where one does not come.
#[tokio::test(start_paused = true)]
async fn each_part_of_a_body_comes_in_time() {
    let between_bytes = Duration::from_secs(3);
    let patient = Terms { deadlines: Deadlines { between_bytes, ..DEADLINES }, ..terms() };
    let part = |rest: u64| [Step::say("x"), Step::Rest(Duration::from_secs(rest))];
    let head = [Step::Hear, Step::say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")];
    for (rests, outcome) in [(vec![2; 10], Ok(18)), ([vec![2; 4], vec![4; 6]].concat(), Err(11))] {
        let script = head.iter().cloned().chain(rests.into_iter().flat_map(part)).collect();
        let (world, start) = (World::pipe(script), Instant::now());
        let ended = world.sender.exchange(&get("service.example"), &patient).await;
        let seconds = start.elapsed().as_secs();
        let ended = ended.map(|_| seconds).map_err(|failure| {
            assert_eq!(failure.error, ExchangeError::ConnectionReadTimeout);
            seconds
        });
        assert_eq!(ended, outcome);
    }
    let silent = World::pipe([&head[..], &[Step::Hang]].concat());
    let failure = silent.sender.exchange(&get("service.example"), &patient).await.unwrap_err();
    assert_eq!((failure.error, failure.is_sent), (ExchangeError::ConnectionReadTimeout, true));
}

#[tokio::test(start_paused = true)]
async fn a_request_is_taken_in_time() {
    // More than fits into the pipe, and nobody reads.
    let body = Bytes::from(vec![b'x'; 1 << 20]);
    let request = Request { body, ..post("service.example", "") };
    let world = World::pipe(vec![Step::Rest(Duration::from_secs(1000))]);
    let failure = world.sender.exchange(&request, &terms()).await.unwrap_err();
    assert_eq!((failure.error, failure.is_sent), (ExchangeError::ResponseTimeout, true));
}

/// A server that has heard enough says so and reads no further.
#[tokio::test(start_paused = true)]
async fn an_early_refusal_is_heard() {
    let refusal = "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno";
    let world = World::pipe(vec![Step::Read, Step::say(refusal), Step::Rest(Duration::from_secs(1000))]);
    let request = Request { body: Bytes::from(vec![b'x'; 1 << 20]), ..post("service.example", "") };
    let response = world.sender.exchange(&request, &terms()).await.unwrap();
    assert_eq!((response.status, &response.body[..]), (413, &b"no"[..]));
}

#[tokio::test(start_paused = true)]
async fn only_so_many_exchanges_are_under_way() {
    let answers = vec![Answer::Pipe(vec![Step::Hang]); 2];
    let world = World::with(answers, &[("service.example", &[PUBLIC])], |options| options.exchanges_max = 2);
    let under_way = || async {
        let terms = Terms { deadlines: DEADLINES, ..terms() };
        world.sender.exchange(&get("service.example"), &terms).await.unwrap_err().error.code()
    };
    let codes = tokio::join!(under_way(), under_way(), under_way());
    let timeout = "HTTP-response-timeout";
    assert_eq!(codes, (timeout, timeout, "connection-limit-reached"));
    assert_eq!(world.dials(), 2);
    // Their places are free again.
    check(&world, "service.example", "connection-refused", 0, false).await;
}
