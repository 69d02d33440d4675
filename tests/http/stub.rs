//! A network that answers as a test says, and remembers what it was asked.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use remit::capability::wasi::http::{Exchange, Headers, Network, NoResponse, Outbound, Response};
use tokio::sync::Notify;

type Answer = dyn Fn(&Outbound) -> Result<Response, NoResponse> + Send + Sync;

/// A network that answers as a test says.
pub struct Stub {
    /// Nothing: it never answers.
    answer: Option<Box<Answer>>,
    seen: Mutex<Vec<Outbound>>,
    asked: Notify,
}

impl Stub {
    /// Makes one that answers at once.
    pub fn new(answer: impl Fn(&Outbound) -> Result<Response, NoResponse> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { answer: Some(Box::new(answer)), seen: Mutex::default(), asked: Notify::new() })
    }

    /// Makes one that never answers.
    pub fn silent() -> Arc<Self> {
        Arc::new(Self { answer: None, seen: Mutex::default(), asked: Notify::new() })
    }

    /// Returns what it was asked to send.
    pub fn seen(&self) -> Vec<Outbound> {
        self.seen.lock().expect("no test panicked here").clone()
    }

    /// Returns what it was asked to send, and forgets it.
    pub fn forget(&self) -> Vec<Outbound> {
        std::mem::take(&mut *self.seen.lock().expect("no test panicked here"))
    }

    /// Waits until it is asked.
    pub async fn asked(&self) {
        // A run that ends without asking is seen by what it left.
        let _ = tokio::time::timeout(Duration::from_secs(10), self.asked.notified()).await;
    }
}

impl Network for Stub {
    fn send(&self, outbound: Outbound) -> Exchange {
        let answer = self.answer.as_ref().map(|answer| answer(&outbound));
        self.seen.lock().expect("no test panicked here").push(outbound);
        self.asked.notify_one();
        match answer {
            Some(answer) => Box::pin(async { answer }),
            None => Box::pin(pending()),
        }
    }
}

/// Returns a response with this body.
pub fn answer(status: u16, body: &str) -> Response {
    Response { status, headers: Vec::new(), body: body.into(), trailers: Vec::new() }
}

/// Returns fields.
pub fn fields(all: &[(&str, &str)]) -> Headers {
    all.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
}
