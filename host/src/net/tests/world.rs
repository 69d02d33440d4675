//! A small world for a sender: names in a table, and a server for each connection that plays a script.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::super::*;
use crate::time::{Clock, Timestamp};

/// The wall time in every world.
pub(super) const NOW: Timestamp = Timestamp::from_micros(784_111_777_000_000);

/// An address of the public Internet, for names that should pass. Nobody dials it: the world's dialler answers.
pub(super) const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(93, 184, 215, 14));

/// What a server does next.
#[derive(Clone)]
pub(super) enum Step {
    /// Reads a request with its body.
    Hear,
    /// Reads whatever comes.
    Read,
    /// Writes.
    Say(Vec<u8>),
    /// Writes the same again until the client hangs up.
    Flood(Vec<u8>),
    /// Does nothing for a while. For paused time.
    Rest(Duration),
    /// Reads until the client hangs up.
    Hang,
    /// Hangs up without a word, also where a protocol has one.
    Drop,
}

impl Step {
    pub(super) fn say(text: impl AsRef<[u8]>) -> Self {
        Self::Say(text.as_ref().to_vec())
    }
}

/// How a dialled address answers.
#[derive(Clone)]
pub(super) enum Answer {
    /// Over TCP on loopback.
    Tcp(Vec<Step>),
    /// Over TLS over TCP on loopback.
    Tls(TlsAcceptor, Vec<Step>),
    /// In memory, which has no time of its own: for tests that pause time.
    Pipe(Vec<Step>),
    /// Not at all.
    Error(io::ErrorKind),
    /// Never.
    Silence,
}

/// What the world's parts have seen.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) resolved: Vec<String>,
    pub(super) dialled: Vec<SocketAddr>,
    pub(super) requests: Vec<String>,
}

pub(super) struct World {
    pub(super) sender: Sender,
    seen: Arc<Mutex<Seen>>,
}

impl World {
    /// Makes a world in which the connections are answered in this order. `service.example` has a public address.
    pub(super) fn new(answers: Vec<Answer>) -> Self {
        Self::with(answers, &[("service.example", &[PUBLIC])], |_| {})
    }

    pub(super) fn tcp(scripts: Vec<Vec<Step>>) -> Self {
        Self::new(scripts.into_iter().map(Answer::Tcp).collect())
    }

    pub(super) fn pipe(script: Vec<Step>) -> Self {
        Self::new(vec![Answer::Pipe(script)])
    }

    pub(super) fn with(answers: Vec<Answer>, names: &[(&str, &[IpAddr])], set: impl FnOnce(&mut Options)) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let names = names.iter().map(|(name, addresses)| ((*name).to_owned(), addresses.to_vec())).collect();
        let mut options = Options::system(ExtraRoots::default(), Clock::fixed(NOW));
        options.resolver = Arc::new(Table { names, seen: seen.clone() });
        options.dialler = Arc::new(Scripted { answers: Mutex::new(answers.into()), seen: seen.clone() });
        set(&mut options);
        Self { sender: Sender::new(options), seen }
    }

    pub(super) fn seen<T>(&self, read: impl FnOnce(&Seen) -> T) -> T {
        read(&self.seen.lock().unwrap())
    }

    pub(super) fn dials(&self) -> usize {
        self.seen(|seen| seen.dialled.len())
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.seen(|seen| seen.requests.clone())
    }

    pub(super) async fn get(&self) -> Result<Response, Failure> {
        self.sender.exchange(&super::get("service.example"), &super::terms()).await
    }
}

struct Table {
    names: HashMap<String, Vec<IpAddr>>,
    seen: Arc<Mutex<Seen>>,
}

impl Resolver for Table {
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a> {
        self.seen.lock().unwrap().resolved.push(name.to_owned());
        Box::pin(async move {
            match name {
                "silent.example" => std::future::pending().await,
                "broken.example" => Err(ResolveError::Failed("server failure".to_owned())),
                _ => self.names.get(name).cloned().ok_or(ResolveError::NotFound),
            }
        })
    }
}

struct Scripted {
    answers: Mutex<VecDeque<Answer>>,
    seen: Arc<Mutex<Seen>>,
}

impl Dialler for Scripted {
    fn dial(&self, address: SocketAddr) -> Dialling<'_> {
        let seen = self.seen.clone();
        seen.lock().unwrap().dialled.push(address);
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(async move {
            match answer.unwrap_or(Answer::Error(io::ErrorKind::ConnectionRefused)) {
                Answer::Error(kind) => Err(kind.into()),
                Answer::Silence => std::future::pending().await,
                Answer::Pipe(script) => Ok(pipe(script, seen)),
                Answer::Tcp(script) => tcp(|stream| play(stream, script, seen)).await,
                Answer::Tls(acceptor, script) => {
                    tcp(|stream| async move {
                        // A client that does not like the certificate hangs up.
                        if let Ok(stream) = acceptor.accept(stream).await {
                            play(stream, script, seen).await;
                        }
                    })
                    .await
                }
            }
        })
    }
}

fn pipe(script: Vec<Step>, seen: Arc<Mutex<Seen>>) -> Box<dyn Wire> {
    let (client, server): (DuplexStream, _) = tokio::io::duplex(64 * 1024);
    tokio::spawn(play(server, script, seen));
    Box::new(client)
}

/// Returns a connection over loopback to a server that serves it and no other.
async fn tcp<F>(serve: impl FnOnce(TcpStream) -> F) -> io::Result<Box<dyn Wire>>
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let client = TcpStream::connect(listener.local_addr()?).await?;
    tokio::spawn(serve(listener.accept().await?.0));
    Ok(Box::new(client))
}

/// Plays the script to its end, or until the client hangs up; then hangs up.
async fn play(mut stream: impl Wire, script: Vec<Step>, seen: Arc<Mutex<Seen>>) {
    for step in script {
        let went_on = match step {
            Step::Hear => match hear(&mut stream).await {
                Some(request) => {
                    seen.lock().unwrap().requests.push(request);
                    true
                }
                None => false,
            },
            Step::Say(bytes) => stream.write_all(&bytes).await.is_ok(),
            Step::Flood(bytes) => {
                while stream.write_all(&bytes).await.is_ok() {}
                false
            }
            Step::Drop => false,
            Step::Read => stream.read(&mut [0; 4096]).await.is_ok(),
            Step::Rest(time) => {
                tokio::time::sleep(time).await;
                true
            }
            Step::Hang => {
                while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
                false
            }
        };
        if !went_on {
            return;
        }
    }
    let _hung_up = stream.shutdown().await;
}

/// Reads a request and the body whose length it declares.
async fn hear(stream: &mut impl Wire) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some(end) = text.find("\r\n\r\n") {
            let declared = text[..end].split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            let len: usize = declared.map_or(0, |digits| digits.parse().unwrap());
            if text.len() >= end + 4 + len {
                return Some(text.into_owned());
            }
        }
        let mut room = [0; 4096];
        let read = stream.read(&mut room).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&room[..read]);
    }
}
