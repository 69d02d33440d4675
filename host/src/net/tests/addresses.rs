//! No form of a special address is dialled unless the grant names it.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use super::world::{Answer, PUBLIC};
use super::*;

/// An address of each range, with its edges, and what a grant has to say so that it is dialled.
const SPECIAL: &[(&str, &str)] = &[
    ("0.0.0.0", "never"),
    ("0.1.2.3", "0.0.0.0/8"),
    ("10.0.0.0", "private"),
    ("10.255.255.255", "private"),
    ("100.64.0.0", "100.64.0.0/10"),
    ("100.127.255.255", "100.64.0.0/10"),
    ("100.100.100.200", "100.100.100.200/32"),
    ("127.0.0.1", "loopback"),
    ("127.255.255.255", "loopback"),
    ("168.63.129.16", "168.63.129.16/32"),
    ("169.254.0.1", "169.254.0.0/16"),
    ("169.254.169.254", "169.254.169.254/32"),
    ("169.254.170.2", "169.254.170.2/32"),
    ("169.254.170.23", "169.254.170.23/32"),
    ("172.16.0.0", "private"),
    ("172.31.255.255", "private"),
    ("192.0.0.8", "192.0.0.0/24"),
    ("192.0.0.192", "192.0.0.192/32"),
    ("192.0.2.1", "192.0.2.0/24"),
    ("192.88.99.1", "192.88.99.0/24"),
    ("192.168.0.1", "private"),
    ("198.18.0.1", "198.18.0.0/15"),
    ("198.19.255.255", "198.18.0.0/15"),
    ("198.51.100.1", "198.51.100.0/24"),
    ("203.0.113.1", "203.0.113.0/24"),
    ("224.0.0.1", "never"),
    ("239.255.255.255", "never"),
    ("240.0.0.1", "240.0.0.0/4"),
    ("255.255.255.254", "240.0.0.0/4"),
    ("255.255.255.255", "never"),
    ("::", "never"),
    ("::1", "loopback"),
    ("100::1", "100::/64"),
    ("1fff::1", "1fff::/16"),
    ("2001:2::1", "2001:2::/48"),
    ("2001:10::1", "2001:10::/28"),
    ("2001:db8::1", "2001:db8::/32"),
    ("3fff::1", "3fff::/20"),
    ("4000::1", "4000::/16"),
    ("5f00::1", "5f00::/16"),
    ("fc00::1", "private"),
    ("fdff::1", "private"),
    ("fd00:ec2::254", "fd00:ec2::254/128"),
    ("fd00:ec2::23", "fd00:ec2::23/128"),
    ("fd20:ce::254", "fd20:ce::254/128"),
    ("fe80::1", "fe80::/10"),
    ("febf::1", "fe80::/10"),
    ("fec0::1", "fec0::/10"),
    ("ff02::1", "never"),
];

/// IPv6 forms of an IPv4 address: what a grant has to say for the form, and whether the address within is allowed then.
const EMBEDDING: &[(&str, &str, bool)] = &[
    // A mapped address is named by what names the IPv4 address.
    ("::ffff:93.184.215.14", "93.184.215.14/32", true),
    ("::ffff:127.0.0.1", "loopback", true),
    ("::ffff:127.0.0.1", "::/0", false),
    ("::ffff:169.254.169.254", "link-local", false),
    ("::ffff:0.0.0.0", "0.0.0.0/0", false),
    ("::ffff:0:10.0.0.1", "::ffff:0:0:0/96", false),
    ("::93.184.215.14", "::/96", true),
    ("::127.0.0.1", "::/96", false),
    ("64:ff9b::93.184.215.14", "64:ff9b::/96", true),
    ("64:ff9b::10.0.0.1", "64:ff9b::/96", false),
    ("64:ff9b::169.254.169.254", "64:ff9b::/96", false),
    ("64:ff9b:1::93.184.215.14", "64:ff9b:1::/48", true),
    ("64:ff9b:1::127.0.0.1", "64:ff9b:1::/48", false),
    // The address 10.0.0.1 behind prefixes of 48, 56 and 64 bits (RFC 6052).
    ("64:ff9b:1:a00:0:100::", "64:ff9b:1::/48", false),
    ("64:ff9b:1:a:0:1::", "64:ff9b:1::/48", false),
    ("64:ff9b:1:0:a:0:100:0", "64:ff9b:1::/48", false),
    ("2002:5db8:d70e::1", "2002::/16", true),
    ("2002:7f00:1::1", "2002::/16", false),
    ("2002:a9fe:a9fe::1", "2002::/16", false),
    // Teredo: server, then the client with its bits inverted.
    ("2001:0:5db8:d70e:0:0:a247:28f1", "2001::/32", true),
    ("2001:0:5db8:d70e:0:0:80ff:fffe", "2001::/32", false),
    ("2001:0:7f00:1:0:0:a247:28f1", "2001::/32", false),
    // ISATAP under a prefix of the public Internet, which needs no grant.
    ("2a00::5efe:127.0.0.1", "2a00::/16", false),
    ("2a00::200:5efe:10.0.0.1", "2a00::/16", false),
];

/// Sends to a host and answers whether it was dialled. A refusal has to come without a dial, whatever way it comes.
async fn is_dialled(request: &Request, names: &[(&str, &[IpAddr])], addresses: &Addresses) -> bool {
    let world = World::with(Vec::new(), names, |_| {});
    let terms = Terms { addresses: addresses.clone(), ..terms() };
    let failure = world.sender.exchange(request, &terms).await.unwrap_err();
    match failure.error.code() {
        "connection-refused" => assert_eq!(world.dials(), 1, "{failure}"),
        "destination-IP-prohibited" => assert_eq!(world.dials(), 0, "{failure}"),
        _ => panic!("{failure}"),
    }
    assert!(!failure.is_sent);
    world.dials() > 0
}

/// Tries an address as what a name resolves to, and as a literal where there is a URL with it.
async fn reach(address: &str, addresses: &Addresses) -> bool {
    let ip: IpAddr = address.parse().unwrap();
    let resolved = is_dialled(&get("rebound.example"), &[("rebound.example", &[ip])], addresses).await;
    let literal = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
    if let Ok(target) = HttpTarget::parse("GET", "http", &literal, "/") {
        let request = Request { target, ..get("unused.example") };
        assert_eq!(is_dialled(&request, &[], addresses).await, resolved, "{address}");
    }
    resolved
}

fn grant(says: &str) -> Addresses {
    if says == "never" { Addresses::every() } else { named(&[says]) }
}

#[tokio::test]
async fn no_special_address_is_dialled_without_its_grant() {
    for (address, says) in SPECIAL {
        assert!(!reach(address, &Addresses::default()).await, "{address} without a grant");
        for other in ["loopback", "private", "93.184.215.0/24"].iter().filter(|other| *other != says) {
            assert!(!reach(address, &named(&[other])).await, "{address} under {other}");
        }
        assert_eq!(reach(address, &grant(says)).await, *says != "never", "{address} under {says}");
    }
}

#[tokio::test]
async fn no_grant_is_wide_enough_for_a_metadata_service() {
    for (address, says) in SPECIAL {
        let is_named_alone = says.strip_prefix(address).is_some_and(|rest| ["/32", "/128"].contains(&rest));
        let is_reached = reach(address, &Addresses::every()).await;
        assert_eq!(is_reached, *says != "never" && !is_named_alone, "{address}");
    }
}

#[tokio::test]
async fn an_address_within_an_address_is_judged_too() {
    for (address, says, is_allowed) in EMBEDDING {
        assert!(!reach(address, &Addresses::default()).await, "{address} without a grant");
        assert_eq!(reach(address, &named(&[says])).await, *is_allowed, "{address} under {says}");
    }
}

/// Whatever a URL's reader makes of these, none of them is a way to loopback or to metadata.
#[tokio::test]
async fn no_spelling_of_an_address_gets_past() {
    for host in [
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "0X7F000001",
        "2130706433",
        "017700000001",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "127.0.0.01",
        "127.0.0.0x1",
        "0",
        "169.254.43518",
        "169.254.169.254.",
        "[::1]",
        "[::]",
        "::1",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[::1%lo]",
        "[fe80::1%25eth0]",
        "%31%32%37.0.0.1",
        "127.0.0.1\u{3002}",
        "\u{2460}\u{2461}\u{2466}.0.0.1",
        "\u{ff11}27.0.0.1",
        "user@127.0.0.1",
    ] {
        if let Ok(target) = HttpTarget::parse("GET", "http", host, "/") {
            let request = Request { target, ..get("unused.example") };
            assert!(!is_dialled(&request, &[], &Addresses::default()).await, "{host}");
        }
    }
}

#[tokio::test]
async fn the_public_internet_needs_no_grant() {
    for address in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2001:200::1",
        "2606:4700::1111",
        "2a00:1450::1",
        "3ffe::1",
    ] {
        assert!(reach(address, &Addresses::default()).await, "{address}");
    }
}

#[tokio::test]
async fn only_the_addresses_that_passed_are_dialled_and_in_order() {
    let second: IpAddr = "2606:4700::1111".parse().unwrap();
    let mixed = ["127.0.0.1", "::1", "169.254.169.254", "10.0.0.1"].map(|text| text.parse().unwrap());
    let names = [mixed[0], PUBLIC, mixed[1], mixed[2], second, PUBLIC, mixed[3]];
    let refused = Answer::Error(std::io::ErrorKind::ConnectionRefused);
    let answer = Answer::Tcp(vec![Step::Hear, Step::say(ok("hi"))]);
    let world = World::with(vec![refused, answer], &[("mixed.example", &names)], |_| {});
    let response = world.sender.exchange(&get("mixed.example"), &terms()).await.unwrap();
    assert_eq!((&response.body[..], response.address), (&b"hi"[..], second));
    assert_eq!(world.seen(|seen| seen.dialled.clone()), [(PUBLIC, 80).into(), (second, 80).into()]);
    assert_eq!(world.seen(|seen| seen.resolved.len()), 1, "the name is resolved once");
}

/// A resolver in an attacker's hands: each question is answered with the next of its addresses.
struct Rebinding(Mutex<Vec<IpAddr>>);

impl Resolver for Rebinding {
    fn resolve<'a>(&'a self, _name: &'a str) -> Resolving<'a> {
        let address = self.0.lock().unwrap().pop();
        Box::pin(async move { address.map(|address| vec![address]).ok_or(ResolveError::NotFound) })
    }
}

#[tokio::test]
async fn a_name_is_asked_for_once_an_exchange_and_each_answer_judged() {
    for inside in ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe"] {
        let inside: IpAddr = inside.parse().unwrap();
        let answers = vec![Answer::Tcp(vec![Step::Hear, Step::say(ok("hi"))])];
        let world = World::with(answers, &[], |options| {
            options.resolver = Arc::new(Rebinding(Mutex::new(vec![inside, PUBLIC])));
            options.idle = IdleLimits { max: 0, ..IdleLimits::default() };
        });
        // The second answer is there for whoever would ask twice, between the check and the connection.
        assert_eq!(world.sender.exchange(&get("rebound.example"), &terms()).await.unwrap().address, PUBLIC);
        let failure = world.sender.exchange(&get("rebound.example"), &terms()).await.unwrap_err();
        assert_eq!(failure.error.code(), "destination-IP-prohibited", "{inside}");
        assert_eq!(world.seen(|seen| seen.dialled.iter().map(|address| address.ip()).collect::<Vec<_>>()), [PUBLIC]);
    }
}

#[tokio::test]
async fn a_long_answer_is_not_tried_to_its_end() {
    let many: Vec<IpAddr> = (0..=255).map(|i| IpAddr::from([93, 184, 215, i])).collect();
    let world = World::with(Vec::new(), &[("many.example", &many)], |_| {});
    let failure = world.sender.exchange(&get("many.example"), &terms()).await.unwrap_err();
    assert_eq!(failure.error.code(), "connection-refused");
    assert_eq!(world.dials(), 6);
}

#[test]
fn a_destination_is_a_url() {
    let check = |scheme, authority: &str, expected: &str| {
        let request = request_by("GET", scheme, authority, "/p?q");
        assert_eq!(Destination::of(&request.target).to_string(), expected);
    };
    check("http", "A.example:80", "http://a.example");
    check("https", "a.example", "https://a.example");
    check("https", "a.example:80", "https://a.example:80");
    check("http", "[::1]:8080", "http://[::1]:8080");
}
