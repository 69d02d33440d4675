//! Accepting connections: so many, each for so long, with requests of bounded size.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, oneshot};

use super::{Api, Listener, routes};

/// Connections at the same time. Another one waits.
const CONNECTIONS_MAX: usize = 64;

/// Bytes of a request's head.
const HEAD_LEN_MAX: usize = 32 * 1024;

/// Fields of a request's head.
const FIELDS_MAX: usize = 64;

/// How long a request's head may take from the start of the connection, or from the answer before.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// How long to wait before a system that has run out of files is asked for another connection.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// A server at work. Dropping it stops it, and cuts off who is still connected.
pub struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers on a socket, on a thread of its own.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(listener: Listener, api: Api) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let work = move || {
            // Whatever becomes of the sender, it is the end.
            let end = async { drop(stopped.await) };
            runtime.block_on(async {
                tokio::select! { () = answer(&listener, api) => {}, () = end => {} }
            });
            // What somebody asked for may still be under way.
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("api".into()).spawn(work)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _died = self.thread.take().map(JoinHandle::join);
    }
}

async fn answer(listener: &Listener, api: Api) {
    let clone = listener.listener.try_clone().and_then(UnixListener::from_std);
    let Ok(accepting) = clone.inspect_err(|error| tracing::error!("the socket cannot be used: {error}")) else {
        return;
    };
    let (router, connections) = (routes::router(Arc::new(api)), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
    loop {
        let Ok(permit) = connections.clone().acquire_owned().await else { return };
        match accepting.accept().await {
            Ok((stream, _)) => {
                let router = router.clone();
                tokio::spawn(async move {
                    serve(stream, router).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!("a connection was not accepted: {error}");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
}

async fn serve(stream: UnixStream, router: axum::Router) {
    let mut http = http1::Builder::new();
    // Who has said all there is to say is answered all the same.
    http.half_close(true);
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_LEN_MAX).max_headers(FIELDS_MAX);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    if let Err(error) = connection.with_upgrades().await {
        tracing::debug!("a connection ended: {error}");
    }
}
