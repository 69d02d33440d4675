//! TLS through the real binary: a server on loopback, and an authority that only `extra-roots` can make trusted.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned, version};

use crate::binary::{Desk, Said, code};
use crate::harness::component;

/// How long a server waits for what a test has it wait for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server with a certificate for one name. It answers one connection.
struct Server {
    port: u16,
    /// The authority's certificate.
    root: String,
    /// What it was asked, if the connection came so far.
    asked: Receiver<String>,
}

impl Server {
    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are fine");
        params.distinguished_name.push(DnType::CommonName, "Ours");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("it signs");
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("it is a name");
        let certificate = params.signed_by(&key, &authority).expect("it signs").der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_protocol_versions(&[&version::TLS13]).expect("it has that").with_no_client_auth();
        let config = Arc::new(builder.with_single_cert(vec![certificate], key).expect("they belong together"));

        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it listens").port();
        let (tell, asked) = mpsc::channel();
        thread::spawn(move || {
            let (stream, _) = listener.accept().expect("somebody connects");
            stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
            let connection = ServerConnection::new(config).expect("the configuration is right");
            let mut stream = StreamOwned::new(connection, stream);
            let (mut asked, mut buffer) = (Vec::new(), [0; 1024]);
            while !asked.ends_with(b"\r\n\r\n") {
                // A client that does not trust it goes away.
                let Ok(count @ 1..) = stream.read(&mut buffer) else { return };
                asked.extend(&buffer[..count]);
            }
            let _ = tell.send(String::from_utf8_lossy(&asked).into_owned());
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            let _ = stream.flush();
        });
        Self { port, root: authority.pem(), asked }
    }

    /// Asks it as a plugin whose operator trusts this authority besides the system's.
    fn ask(&self, root: Option<&str>) -> (Desk, Said) {
        let desk = Desk::new();
        let url = format!("https://localhost:{}/", self.port);
        let http = format!("[[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"{url}\"\n");
        let plugin = "[plugin]\nname = \"http\"\nversion = \"0.1.0\"\nkind = \"command\"\n";
        desk.write("plugin/remit.toml", format!("{plugin}{http}why = \"to ask\"\n"));
        desk.write("plugin/http.wasm", component("http"));
        desk.write("grant.toml", format!("{http}addresses = [\"loopback\"]\n"));
        desk.remit(&["config", "init"]).ends(code::OK);
        if let Some(root) = root {
            desk.write("root.pem", root);
            let config = format!("[http]\nextra-roots = [{:?}]\n", desk.path("root.pem").display().to_string());
            std::fs::write(desk.home().join("config.toml"), config).expect("the home is there");
        }
        let said = desk.remit(&["run", "plugin", "--grant", "grant.toml", "--", "each", &url, "1"]).ends(code::OK);
        (desk, said)
    }

    /// Fails unless nothing was sent, and the operator is told what is wrong with the server's certificate.
    #[track_caller]
    fn is_refused(&self, root: Option<&str>, why: &str) {
        let (desk, said) = self.ask(root);
        assert_eq!(said.stdout, "error: ErrorCode::TlsCertificateError\n", "{}", said.stderr);
        assert!(self.asked.recv().is_err(), "nothing is sent to who is not trusted");
        let why = format!("https://localhost:{}: the server's certificate {why}", self.port);
        said.says(&[&format!("no answer: {why}\n")]);
        let shown = desk.remit(&["show", "last", "--calls"]).ends(code::OK).stdout;
        assert!(
            shown.contains("{\"err\":\"tls-certificate-error\"}") && shown.contains(&format!("  ({why})")),
            "{shown}"
        );
        desk.last_is_whole();
    }
}

#[test]
fn an_authority_among_the_extra_roots_is_trusted() {
    let server = Server::named("localhost");
    let (desk, said) = server.ask(Some(&server.root));
    assert_eq!(said.stdout, "200\n", "{}", said.stderr);
    let asked = server.asked.recv_timeout(PATIENCE).expect("it was asked");
    assert!(asked.contains(&format!("host: localhost:{}\r\n", server.port)), "{asked}");
    desk.last_is_whole();
}

#[test]
fn a_certificate_by_nobody_who_is_trusted_or_for_another_name_ends_the_exchange() {
    Server::named("localhost").is_refused(None, "is signed by nobody whom this host trusts");
    let other = Server::named("localhost");
    Server::named("localhost").is_refused(Some(&other.root), "has a wrong signature");
    drop(std::net::TcpStream::connect(("127.0.0.1", other.port)));
    let server = Server::named("other.example");
    server.is_refused(Some(&server.root), "is for another name");
}
