//! Grants that hold: amounts that are never overshot or forgotten, expiry and revocation in the middle of a run.

mod bare;
mod killed;
mod lines;
mod server;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use remit::capability::wasi::http::{Secrets, Through};
use remit::gate::Refusal;
use remit::manifest::Grant;
use remit::net::{ExtraRoots, Options, Partition, Sender};
use remit::time::Clock;

use self::server::Server;
use crate::harness::{Call, Play, Ran, Scene};

const HANDLE: &str = "wasi:http/outgoing-handler#handle";
const EXCHANGE: &str = "wasi:http/outgoing-handler#[exchange]handle";

const REFUSED: &str = "error: ErrorCode::HttpRequestDenied\n";
const HALF_A_DAY: Duration = Duration::from_secs(12 * 3600);

fn through() -> Arc<Through> {
    let sender = Sender::new(Options::system(ExtraRoots::default(), Clock::system()));
    Arc::new(Through { sender: Arc::new(sender), partition: Partition::new([7; 32]), secrets: Secrets::default() })
}

/// Begins a run that asks the server so many times, one request after another.
fn ask(scene: &Scene, server: &Server, count: usize) -> Play {
    scene.command("http", ["each", &server.url(), &count.to_string()]).reaching(&through())
}

/// Returns what a run prints of which so many requests are answered, and then so many refused.
fn said(answered: usize, refused: usize) -> String {
    "200\n".repeat(answered) + &REFUSED.repeat(refused)
}

#[track_caller]
fn refusal_of<'a>(ran: &'a Ran, function: &str) -> &'a Refusal {
    let first = ran.refused().into_iter().next().expect("a call is refused");
    assert_eq!(first.function, function);
    first.refusal.as_ref().expect("it is refused")
}

#[test]
fn of_five_requests_as_many_are_sent_as_are_granted() {
    for (amount, until) in [
        ("3 per run", "to the end of the run"),
        ("3 per hour", "until 2026-03-01 13:00:00 UTC"),
        ("3 per day", "until 2026-03-02 00:00:00 UTC"),
        ("3 in total", "for good"),
    ] {
        let (scene, server) = (Scene::new(), Server::new());
        let grant = scene.grant("http", &server.rule(), &server.section(&format!("amount = \"{amount}\"")));
        let ran = ask(&scene, &server, 5).under(&[grant]).run().printed(&said(3, 2)).replayed();
        assert_eq!(server.count(), 3, "{amount}");
        let refusal = refusal_of(&ran, EXCHANGE);
        let rule = format!("{}: {amount} is used up: 3 used or reserved, {until}", server.rule());
        assert_eq!(refusal.rule, rule);
        let more = refusal.grant.as_ref().expect("a grant would allow it");
        assert!(more.contains(&format!("amount = \"{}\"", amount.replace('3', "4"))), "{more}");
        assert!(Grant::parse("grant", more).is_ok());
        let exchanges = ran.calls_of(EXCHANGE);
        let by: Vec<_> = exchanges.iter().map(|exchange| exchange.grant.as_deref()).collect();
        assert_eq!(by, [Some("g1"), Some("g1"), Some("g1"), None, None]);
        assert!(scene.journal().unsettled().expect("the journal can be read").is_empty());

        let next = ask(&scene, &server, 1).under(&[grant]).run();
        next.printed(if amount.ends_with("run") { "200\n" } else { REFUSED }).replayed();
    }
}

#[test]
fn every_amount_that_is_used_up_is_raised_by_what_would_allow_the_call() {
    let (scene, server) = (Scene::new(), Server::new());
    let section = server.section("amount = [\"1 per run\", \"2 per hour\", \"2 per day\", \"9 in total\"]");
    let grant = scene.grant("http", &server.rule(), &section);
    ask(&scene, &server, 1).under(&[grant]).run().printed(&said(1, 0));
    let ran = ask(&scene, &server, 2).under(&[grant]).run().printed(&said(1, 1));
    let refusal = refusal_of(&ran, EXCHANGE);
    assert!(
        refusal.rule.contains("1 per run is used up") && refusal.rule.contains("2 per day is used up"),
        "{refusal:?}"
    );
    let more = refusal.grant.as_ref().expect("a grant would allow it");
    let grant = scene.grant("http", &server.rule(), more);
    ask(&scene, &server, 1).under(&[grant]).run().printed(&said(1, 0));
    ask(&scene, &server, 1).under(&[grant]).run().printed(&said(0, 1));
    assert_eq!(server.count(), 3, "a raised amount goes on counting");
}

#[test]
fn runs_at_once_never_send_more() {
    for amount in ["5 per day", "5 in total"] {
        let (scene, server) = (Scene::new(), Server::new());
        let grant = scene.grant("http", &server.rule(), &server.section(&format!("amount = \"{amount}\"")));
        let sent: usize = thread::scope(|scope| {
            let one = || ask(&scene, &server, 4).under(&[grant]).run().replayed().text().matches("200").count();
            let runs: Vec<_> = (0..3).map(|_| scope.spawn(one)).collect();
            runs.into_iter().map(|run| run.join().expect("the run goes well")).sum()
        });
        assert_eq!((sent, server.count()), (5, 5), "{amount}");
    }
}

#[test]
fn a_new_day_opens_the_span() {
    let (scene, server) = (Scene::new(), Server::new());
    let grant = scene.grant("http", &server.rule(), &server.section("amount = \"2 per day\""));
    ask(&scene, &server, 3).under(&[grant]).run().printed(&said(2, 1));
    scene.clock().advance(HALF_A_DAY);
    ask(&scene, &server, 3).under(&[grant]).run().printed(&said(2, 1)).replayed();
    assert_eq!(server.count(), 4);
}

#[test]
fn a_day_that_begins_within_a_run_opens_the_span() {
    let scene = Scene::new();
    let clock = scene.clock().clone();
    let server = Server::before_answering(move |number| {
        if number == 2 {
            clock.advance(HALF_A_DAY);
        }
        true
    });
    let grant = scene.grant("http", &server.rule(), &server.section("amount = \"2 per day\""));
    ask(&scene, &server, 5).under(&[grant]).run().printed(&said(4, 1)).replayed();
}

#[test]
fn what_was_not_sent_is_not_counted() {
    let scene = Scene::new();
    let server = Server::new();
    let (url, rule, section) = (server.url(), server.rule(), server.section("amount = \"1 per day\""));
    drop(server);
    let grant = scene.grant("http", &rule, &section);
    let ran = scene.command("http", ["each", &url, "3"]).reaching(&through()).under(&[grant]).run();
    ran.printed(&"error: ErrorCode::ConnectionRefused\n".repeat(3)).replayed();
    let unnamed = section.replace("addresses = [\"127.0.0.1/32\"]\n", "");
    let grant = scene.grant("http", &rule, &unnamed);
    let ran = scene.command("http", ["each", &url, "2"]).reaching(&through()).under(&[grant]).run();
    ran.printed(&"error: ErrorCode::DestinationIpProhibited\n".repeat(2)).replayed();
}

/// A request that the server got is counted, however it went.
#[test]
fn what_may_have_been_sent_is_counted() {
    let server = Server::before_answering(|_| false);
    let scene = Scene::ticking();
    let section = server.section("amount = \"1 in total\"\nexchange-time = \"200ms\"");
    let grant = scene.grant("http", &server.rule(), &section);
    let ran = ask(&scene, &server, 2).under(&[grant]).run().replayed();
    assert!(ran.text().ends_with(REFUSED) && ran.text().lines().count() == 2, "{}", ran.text());
    assert_eq!(server.count(), 1);
}

#[test]
fn a_grant_that_is_revoked_between_two_calls_allows_no_second() {
    for amount in ["", "amount = \"9 per day\""] {
        for (arguments, function) in [("each", HANDLE), ("two", EXCHANGE)] {
            let scene = Scene::new();
            let (operator, to) = (scene.clone(), Arc::new(std::sync::OnceLock::new()));
            let revoked = to.clone();
            let server = Server::before_answering(move |_| {
                operator.revoke(*revoked.get().expect("it was granted"));
                true
            });
            let grant = scene.grant("http", &server.rule(), &server.section(amount));
            to.set(grant).expect("it is set once");
            let url = server.url();
            let last = if arguments == "two" { url.as_str() } else { "2" };
            let play = scene.command("http", [arguments, &url, last]).reaching(&through()).under(&[grant]);
            let ran = play.run().printed(&said(1, 1)).replayed();
            assert_eq!(server.count(), 1);
            let refusal = refusal_of(&ran, function);
            assert!(refusal.rule.starts_with("grant g1 was revoked"), "{}", refusal.rule);
            assert!(refusal.grant.is_some());
            assert_eq!(ran.calls_of(EXCHANGE)[0].grant.as_deref(), Some("g1"));
        }
    }
}

#[test]
fn a_grant_that_expires_between_two_calls_allows_no_second() {
    for stored in [true, false] {
        let scene = Scene::new();
        let clock = scene.clock().clone();
        let server = Server::before_answering(move |_| {
            clock.advance(HALF_A_DAY);
            true
        });
        let section = server.section("expires = \"2026-03-01\"");
        let play = ask(&scene, &server, 2);
        let play = match stored {
            true => play.under(&[scene.grant("http", &server.rule(), &section)]),
            false => play.granted_by(&section),
        };
        let ran = play.run().printed(&said(1, 1)).replayed();
        assert_eq!(server.count(), 1);
        let refusal = refusal_of(&ran, HANDLE);
        assert!(refusal.rule.starts_with("what granted this expired on 2026-03-01"), "{}", refusal.rule);
    }
}

const KV: &str = "[capabilities.kv]\nprefixes = [\"a\"]\n";

/// Runs a guest that sets a key once and reads it many times, and does something to it between two slices of fuel.
fn reading(scene: &Scene, grants: &[remit::journal::GrantId], between: impl FnOnce()) -> Ran {
    let play = scene.command("kv", ["hit", "a", "100000"]).under(grants);
    play.run_beside(|_| async { between() }).replayed()
}

fn first_refused(ran: &Ran) -> &Call {
    ran.refused().first().copied().expect("a call is refused")
}

#[test]
fn a_call_that_stays_here_ends_with_its_grant_too() {
    let scene = Scene::new();
    let (kv, other) =
        (scene.grant("kv", "kv", KV), scene.grant("kv", "log", "[capabilities.log]\nlevels = [\"info\"]\n"));
    let ran = reading(&scene, &[kv, other], || scene.revoke(other));
    assert!(ran.refused().is_empty(), "the end of another grant takes nothing from it");
    let ran = reading(&scene, &[kv], || scene.revoke(kv));
    let refused = first_refused(&ran);
    assert_eq!(refused.function, "remit:plugin/kv#get");
    let refusal = refused.refusal.as_ref().expect("it is refused");
    assert_eq!(refusal.rule, "grant g1 was revoked, which allowed this; without it, kv is not granted");

    let kv = scene.grant("kv", "kv", &format!("{KV}expires = \"2026-03-01\"\n"));
    let ran = reading(&scene, &[kv], || scene.clock().advance(HALF_A_DAY));
    let refusal = first_refused(&ran).refusal.as_ref().expect("it is refused");
    assert_eq!(refusal.rule, "what granted this expired on 2026-03-01; without it, kv is not granted");
}

/// The intent of a new folder waits for the disk; a revocation that is answered meanwhile comes before the effect.
#[test]
fn an_effect_that_waits_for_the_disk_is_not_made_once_its_grant_is_revoked() {
    // A disk that has answered before anybody looks makes nothing wait, and the grant ends after the effect.
    assert!((0..20).any(|_| is_revoked_while_it_waits()), "nothing ever waits for the disk");
}

/// Revokes the grant of a run's first effect while that waits for its intent to be on disk. Returns whether it waited.
fn is_revoked_while_it_waits() -> bool {
    let scene = Scene::new();
    let (a, out) = (scene.dir("a", &[("x", "x")]), scene.dir("out", &[]));
    let section = |name: &str| format!("[capabilities.files.{name}]\nmount = \"/{name}\"\naccess = \"read-write\"\n");
    let grants = ["a", "out"].map(|name| scene.grant("files", &format!("files.{name}"), &section(name)));
    let play = scene.command("files", ["every", "/out"]).at("a", &a).at("out", &out).under(&grants);
    let ran = play.run_beside(|_| async { scene.revoke(grants[1]) }).replayed();
    let refusal = first_refused(&ran).refusal.as_ref().expect("it is refused");
    let rule = "grant g2 was revoked, which allowed this; without it, files.out is not granted";
    assert_eq!(refusal.rule, rule);
    !out.join("every").exists()
}
