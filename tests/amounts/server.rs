//! A server on loopback that counts the requests that reach it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long it waits for what a test has it wait for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What ends it: no request begins like this.
const END: &[u8] = b"!";

/// A server that answers each request with 200, on a connection of its own. It ends when it is dropped.
pub struct Server {
    port: u16,
    count: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts one.
    pub fn new() -> Self {
        Self::before_answering(|_| true)
    }

    /// Starts one that does something with the number of each request, from 1, before it answers it; or, where that
    /// says so, leaves it unanswered while the server is there.
    pub fn before_answering(mut first: impl FnMut(usize) -> bool + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it listens").port();
        let count = Arc::<AtomicUsize>::default();
        let counted = count.clone();
        let thread = thread::spawn(move || {
            let mut unanswered = Vec::new();
            while let Some(mut stream) = asked(&listener) {
                let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
                if first(number) {
                    // Who asked may be gone.
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
                } else {
                    unanswered.push(stream);
                }
            }
        });
        Self { port, count, thread: Some(thread) }
    }

    /// Returns how many requests came.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Returns where it is, and below it everything.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Returns the section of a grant that lets a plugin ask it, with more keys.
    pub fn section(&self, more: &str) -> String {
        let url = self.url();
        format!("[[capabilities.http]]\nmethods = [\"GET\"]\nurl = \"{url}\"\naddresses = [\"127.0.0.1/32\"]\n{more}\n")
    }

    /// Returns what such a section is called.
    pub fn rule(&self) -> String {
        format!("http GET {}*", self.url())
    }
}

/// Waits for a request and reads its head. Nothing: somebody ended it.
fn asked(listener: &TcpListener) -> Option<TcpStream> {
    let (mut stream, _) = listener.accept().expect("somebody connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    let (mut asked, mut buffer) = (Vec::new(), [0; 1024]);
    while !asked.ends_with(b"\r\n\r\n") {
        let count = stream.read(&mut buffer).expect("the request comes");
        asked.extend(&buffer[..count]);
        if asked.starts_with(END) {
            return None;
        }
        assert!(count > 0, "the request is cut off");
    }
    Some(stream)
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ = stream.write_all(END);
            self.thread.take().into_iter().for_each(|thread| drop(thread.join()));
        }
    }
}
