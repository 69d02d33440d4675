//! TLS: a certificate has to be for the host, of now, and by a root that is trusted.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, version};

use super::world::{Answer, PUBLIC};
use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    named_authority("Ours")
}

fn named_authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Returns a server with a certificate for the names.
fn server(names: &[&str], authority: Option<&Authority>, set: impl FnOnce(&mut CertificateParams)) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    set(&mut params);
    let certificate = match authority {
        Some(authority) => params.signed_by(&key, authority),
        None => params.self_signed(&key),
    };
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_protocol_versions(&[&version::TLS13, &version::TLS12]).unwrap().with_no_client_auth();
    let config = builder.with_single_cert(vec![certificate.unwrap().der().clone()], key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn world(server: TlsAcceptor, trusted: &Authority) -> World {
    answering(Answer::Tls(server, vec![Step::Hear, Step::say(ok("hi")), Step::Hear, Step::say(ok("again"))]), trusted)
}

fn answering(answer: Answer, trusted: &Authority) -> World {
    World::with(vec![answer], &[("service.example", &[PUBLIC])], |options| {
        options.roots = ExtraRoots::from_pem(trusted.pem().as_bytes()).unwrap();
    })
}

fn secure(host: &str) -> Request {
    request_by("GET", "https", host, "/")
}

async fn check(server: TlsAcceptor, trusted: &Authority, host: &str, words: &str) {
    let world = world(server, trusted);
    let failure = world.sender.exchange(&secure(host), &terms()).await.unwrap_err();
    assert_eq!((failure.error.code(), failure.is_sent), ("TLS-certificate-error", false), "{failure}");
    assert!(failure.to_string().contains(words), "{failure}");
    assert_eq!((world.requests().len(), world.dials()), (0, 1));
}

#[tokio::test]
async fn the_right_name_under_an_extra_root_is_trusted_and_the_connection_kept() {
    let authority = authority();
    let world = world(server(&["service.example"], Some(&authority), |_| {}), &authority);
    for body in [&b"hi"[..], b"again"] {
        let response = world.sender.exchange(&secure("service.example"), &terms()).await.unwrap();
        assert_eq!(&response.body[..], body);
    }
    assert_eq!(world.dials(), 1);
    assert_eq!(world.seen(|seen| seen.dialled[0].port()), 443);
    assert!(world.requests()[0].contains("\r\nhost: service.example\r\n"));
}

#[tokio::test]
async fn an_address_is_a_name_too() {
    let (authority, host) = (authority(), PUBLIC.to_string());
    let world = world(server(&[&host], Some(&authority), |_| {}), &authority);
    world.sender.exchange(&secure(&host), &terms()).await.unwrap();
}

#[tokio::test]
async fn wrong_certificates_are_refused_before_anything_is_sent() {
    let (ours, theirs, impostor) = (authority(), named_authority("Theirs"), authority());
    let host = "service.example";
    check(server(&["other.example"], Some(&ours), |_| {}), &ours, host, "another name").await;
    check(server(&["*.service.example"], Some(&ours), |_| {}), &ours, host, "another name").await;
    check(server(&[host], Some(&ours), |_| {}), &ours, &PUBLIC.to_string(), "another name").await;
    check(server(&[host], Some(&theirs), |_| {}), &ours, host, "nobody whom this host trusts").await;
    check(server(&[host], Some(&impostor), |_| {}), &ours, host, "wrong signature").await;
    check(server(&[host], None, |_| {}), &ours, host, "nobody whom this host trusts").await;
    let expired = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 1);
    check(server(&[host], Some(&ours), expired), &ours, host, "has expired").await;
    let early = |params: &mut CertificateParams| params.not_before = date_time_ymd(4000, 1, 1);
    check(server(&[host], Some(&ours), early), &ours, host, "not valid yet").await;
}

#[tokio::test]
async fn a_server_without_tls_is_told_apart() {
    let authority = authority();
    for (script, code) in [
        (vec![Step::Read, Step::say("HTTP/1.1 400 Bad Request\r\n\r\n")], "TLS-protocol-error"),
        (vec![Step::Read], "TLS-protocol-error"),
        (vec![Step::Read, Step::say([21, 3, 3, 0, 2, 2, 40])], "TLS-alert-received"),
    ] {
        let world = answering(Answer::Pipe(script), &authority);
        let failure = world.sender.exchange(&secure("service.example"), &terms()).await.unwrap_err();
        assert_eq!((failure.error.code(), failure.is_sent), (code, false), "{failure}");
    }
}

/// Without a length, TLS's own goodbye is what tells an end from a cut.
#[tokio::test]
async fn a_body_without_length_ends_by_goodbye() {
    let authority = authority();
    let acceptor = server(&["service.example"], Some(&authority), |_| {});
    let script = vec![Step::Hear, Step::say("HTTP/1.1 200 OK\r\n\r\nhello")];
    let world = answering(Answer::Tls(acceptor.clone(), script.clone()), &authority);
    let response = world.sender.exchange(&secure("service.example"), &terms()).await.unwrap();
    assert_eq!(&response.body[..], b"hello");

    let world = answering(Answer::Tls(acceptor, [script, vec![Step::Drop]].concat()), &authority);
    let failure = world.sender.exchange(&secure("service.example"), &terms()).await.unwrap_err();
    assert_eq!(failure.error, ExchangeError::ResponseIncomplete);
}

/// A name that moves to a forbidden address gets no greeting there, whatever its certificate.
#[tokio::test]
async fn tls_does_not_excuse_an_address() {
    let authority = authority();
    let metadata: IpAddr = "169.254.169.254".parse().unwrap();
    let world = World::with(Vec::new(), &[("service.example", &[metadata])], |options| {
        options.roots = ExtraRoots::from_pem(authority.pem().as_bytes()).unwrap();
    });
    let failure = world.sender.exchange(&secure("service.example"), &terms()).await.unwrap_err();
    assert_eq!((failure.error.code(), world.dials()), ("destination-IP-prohibited", 0));
    assert!(failure.to_string().contains("169.254.169.254 is a cloud's metadata service"), "{failure}");
}

#[test]
fn extra_roots_are_checked_when_they_are_read() {
    let pem = authority().pem();
    let two = format!("# ours\n{pem}\nsome words\n{pem}");
    ExtraRoots::from_pem(two.as_bytes()).unwrap();
    let wrong = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    let check = |text: &str, expected: &str| {
        let error = ExtraRoots::from_pem(text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check("", "no certificate in it");
    check("hello", "no certificate in it");
    check(&format!("{pem}{wrong}"), "certificate number 2");
    check("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", "not PEM");
    check("-----BEGIN CERTIFICATE-----\naGVsbG8=\n", "not PEM");
}
