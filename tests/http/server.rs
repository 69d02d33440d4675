//! Servers on loopback for a `remit` that runs: each answers so many connections and tells what it was asked.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use crate::binary::until;

/// How long a server waits for what a test has it wait for, and a test for a server.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server. It goes on until it has answered as often as it should, or the test ends.
pub struct Server {
    /// Where it listens.
    pub port: u16,
    asked: Receiver<String>,
    /// Dropping it lets a server go that does not answer.
    _hold: Sender<()>,
}

impl Server {
    /// Makes a server that answers each of `answers` requests with the pieces that `answer` makes of the request's text,
    /// each in a packet of its own as far as the system lets it.
    pub fn answering(answers: usize, answer: impl Fn(&str) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        Self::answering_at(0, answers, answer)
    }

    /// As [`Server::answering`], where another server was before.
    pub fn answering_at(port: u16, answers: usize, answer: impl Fn(&str) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        Self::new(port, answers, move |asked, _| Some(answer(asked)))
    }

    /// Makes a server that hears one request and never answers it.
    pub fn silent() -> Self {
        Self::new(0, 1, |_, released| {
            // An error: the test has ended.
            let _ = released.recv();
            None
        })
    }

    fn new(
        port: u16,
        answers: usize,
        answer: impl Fn(&str, &Receiver<()>) -> Option<Vec<Vec<u8>>> + Send + 'static,
    ) -> Self {
        // Whoever had it may be on the way out.
        let listener = until("the port to be free", || TcpListener::bind(("127.0.0.1", port)).ok());
        let port = listener.local_addr().expect("it listens").port();
        let ((tell, asked), (hold, released)) = (mpsc::channel(), mpsc::channel());
        thread::spawn(move || {
            for _ in 0..answers {
                let (mut stream, _) = listener.accept().expect("somebody connects");
                stream.set_nodelay(true).expect("the socket takes it");
                stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
                let text = request(&mut stream);
                let _ = tell.send(text.clone());
                // Whoever is gone does not take the answer.
                let pieces = answer(&text, &released).unwrap_or_default();
                let _ = pieces.iter().try_for_each(|piece| stream.write_all(piece));
            }
        });
        Self { port, asked, _hold: hold }
    }

    /// Waits for the next request and returns its text.
    #[track_caller]
    pub fn asked(&self) -> String {
        self.asked.recv_timeout(PATIENCE).expect("somebody asks")
    }

    /// Returns how many requests came that nobody has looked at.
    pub fn unseen(&self) -> usize {
        self.asked.try_iter().count()
    }
}

/// Reads a request with the body of its declared length.
fn request(stream: &mut impl Read) -> String {
    let (mut asked, mut buffer) = (Vec::new(), [0; 1024]);
    while !super::loopback::is_whole(&asked) {
        let count = stream.read(&mut buffer).expect("the request comes");
        assert!(count > 0, "the request is cut off");
        asked.extend(&buffer[..count]);
    }
    String::from_utf8(asked).expect("these requests are text")
}
