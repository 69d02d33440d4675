//! A server that hangs up in the one moment in which nobody can have heard of it: after the kept connection was looked
//! at, and before the request is written.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::world::PUBLIC;
use super::*;

/// What all connections of a test share.
#[derive(Default)]
struct Line {
    dials: AtomicUsize,
    /// What was written on all of them.
    written: Mutex<Vec<u8>>,
    /// How many more reads the first connection has nothing for before it ends. Nothing: it does not end.
    reads_left: Mutex<Option<usize>>,
}

/// One connection: answers each request at once.
struct Late {
    line: Arc<Line>,
    is_first: bool,
    is_asked: bool,
}

impl AsyncRead for Late {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.is_asked {
            self.is_asked = false;
            room.put_slice(ok("hi").as_bytes());
            return Poll::Ready(Ok(()));
        }
        match self.line.reads_left.lock().unwrap().as_mut() {
            Some(0) if self.is_first => Poll::Ready(Ok(())),
            Some(left) if self.is_first => {
                *left -= 1;
                Poll::Pending
            }
            _ => Poll::Pending,
        }
    }
}

impl AsyncWrite for Late {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.line.written.lock().unwrap().extend_from_slice(bytes);
        self.is_asked = bytes.ends_with(b"\r\n\r\n") || bytes.ends_with(b"body");
        cx.waker().wake_by_ref();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

struct LateDialler(Arc<Line>);

impl Dialler for LateDialler {
    fn dial(&self, _: SocketAddr) -> Dialling<'_> {
        let is_first = self.0.dials.fetch_add(1, Ordering::Relaxed) == 0;
        let late = Late { line: self.0.clone(), is_first, is_asked: false };
        Box::pin(async { Ok(Box::new(late) as Box<dyn Wire>) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_of_which_nothing_was_sent_goes_out_once() {
    let line = Arc::new(Line::default());
    let world = World::with(Vec::new(), &[("service.example", &[PUBLIC])], |options| {
        options.dialler = Arc::new(LateDialler(line.clone()));
    });
    world.get().await.unwrap();
    world.get().await.unwrap();
    assert_eq!(line.dials.load(Ordering::Relaxed), 1, "the connection is kept");

    // One read finds nothing: that of the look at the kept connection. The next finds the end.
    *line.reads_left.lock().unwrap() = Some(1);
    let response = world.sender.exchange(&post("service.example", "body"), &terms()).await.unwrap();
    assert_eq!(&response.body[..], b"hi");
    let written = String::from_utf8(line.written.lock().unwrap().clone()).unwrap();
    assert_eq!(written.matches("POST / HTTP/1.1").count(), 1, "{written}");
    assert_eq!(line.dials.load(Ordering::Relaxed), 2);
}
