//! One exchange, from its turn to the last byte of the response.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time;

use super::connect::Connector;
use super::connection::{Connection, Lost};
use super::destination::Destination;
use super::dial::{Dialler, SystemDialler};
use super::error::{ExchangeError, Failure};
use super::fields;
use super::pace::Paces;
use super::pool::{IdleLimits, Pool, Route};
use super::progress::{Phase, Progress};
use super::request::{self, Request};
use super::resolve::{Resolver, SystemResolver};
use super::response::{self, Response};
use super::retry_after;
use super::terms::{Partition, Terms};
use super::tls::{ExtraRoots, Tls};
use crate::time::Clock;

/// What a sender is made of.
pub struct Options {
    /// Where addresses come from.
    pub resolver: Arc<dyn Resolver>,
    /// Where connections come from.
    pub dialler: Arc<dyn Dialler>,
    /// What is trusted besides the system's roots.
    pub roots: ExtraRoots,
    /// The time, for what is kept and for `Retry-After`.
    pub clock: Clock,
    /// The most exchanges under way at once.
    pub exchanges_max: usize,
    /// How many idle connections are kept, and how long.
    pub idle: IdleLimits,
}

impl Options {
    /// Returns the system's resolver and TCP, with at most 256 exchanges at once.
    pub fn system(roots: ExtraRoots, clock: Clock) -> Self {
        Self {
            resolver: Arc::new(SystemResolver),
            dialler: Arc::new(SystemDialler),
            roots,
            clock,
            exchanges_max: 256,
            idle: IdleLimits::default(),
        }
    }
}

/// What sends guests' requests. It has no tasks: dropping an exchange ends it and closes its connection.
pub struct Sender {
    connector: Connector,
    pool: Pool,
    paces: Paces,
    places: Semaphore,
    clock: Clock,
}

/// A response's head, and the rest to come.
type Head = hyper::Response<Incoming>;

impl Sender {
    /// Makes a sender. It opens nothing.
    pub fn new(options: Options) -> Self {
        let Options { resolver, dialler, roots, clock, exchanges_max, idle } = options;
        Self {
            connector: Connector { resolver, dialler, tls: Tls::new(roots) },
            pool: Pool::new(idle),
            paces: Paces::default(),
            places: Semaphore::new(exchanges_max.min(Semaphore::MAX_PERMITS)),
            clock,
        }
    }

    /// Sends a request and returns its whole response, whatever its status. The caller has judged the target.
    ///
    /// # Errors
    ///
    /// What kept it from coming, and whether the server may have got the request.
    pub async fn exchange(&self, request: &Request, terms: &Terms) -> Result<Response, Failure> {
        let mut progress = Progress::default();
        let outcome = time::timeout(terms.deadlines.whole, self.run(request, terms, &mut progress)).await;
        let outcome = outcome.unwrap_or_else(|_| Err(progress.timeout()));
        outcome.map_err(|error| Failure {
            destination: Destination::of(&request.target),
            is_sent: progress.is_sent,
            error,
        })
    }

    /// Closes the connections that lie idle for a partition: its plugin is gone, or its remit has changed. Exchanges
    /// under way go on.
    pub fn forget(&self, partition: Partition) {
        self.pool.forget(partition);
    }

    async fn run(&self, request: &Request, terms: &Terms, progress: &mut Progress) -> Result<Response, ExchangeError> {
        // Refuse what cannot be sent before it waits for anything.
        let mut sent = request::build(request, terms)?;
        let route = Arc::new(Route { partition: terms.partition, destination: Destination::of(&request.target) });
        self.paces.turn(&route, terms.rate, self.clock.elapsed(), terms.deadlines.whole).await?;
        let _place = self.place(terms, progress).await?;
        if let Some(mut kept) = self.kept(&route, terms).await {
            match self.send(&mut kept, sent, terms, progress).await {
                Ok(head) => return self.finish(kept, head, route, terms, progress).await,
                // The server may have hung up while the connection lay idle. Once more, on a new one.
                Err(lost) if may_repeat(&lost, terms) => sent = request::build(request, terms)?,
                Err(lost) => return Err(lost.error),
            }
        }
        let mut fresh = self.connect(&route, terms, progress).await?;
        let head = self.send(&mut fresh, sent, terms, progress).await.map_err(|lost| lost.error)?;
        self.finish(fresh, head, route, terms, progress).await
    }

    async fn place(&self, terms: &Terms, progress: &mut Progress) -> Result<SemaphorePermit<'_>, ExchangeError> {
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        let place = time::timeout(terms.deadlines.connect, self.places.acquire()).await;
        // The semaphore is never closed.
        place.map_err(|_| progress.timeout())?.map_err(|_| progress.timeout())
    }

    /// Returns a kept connection that is alive, as far as this host has heard.
    async fn kept(&self, route: &Route, terms: &Terms) -> Option<Connection> {
        while let Some(mut kept) = self.pool.take(route, &terms.addresses, self.clock.elapsed()) {
            if kept.is_ready().await {
                return Some(kept);
            }
        }
        None
    }

    async fn connect(
        &self,
        route: &Route,
        terms: &Terms,
        progress: &mut Progress,
    ) -> Result<Connection, ExchangeError> {
        let patience = terms.deadlines.connect;
        let connecting = self.connector.connect(&route.destination, &terms.addresses, patience, progress);
        let connected = time::timeout(patience, connecting).await;
        connected.unwrap_or_else(|_| Err(progress.timeout()))
    }

    /// Sends the request and waits for the response's head.
    async fn send(
        &self,
        connection: &mut Connection,
        request: hyper::Request<Full<Bytes>>,
        terms: &Terms,
        progress: &mut Progress,
    ) -> Result<Head, Lost> {
        let was_sent = progress.is_sent;
        *progress = Progress { phase: Phase::Head, is_sent: true };
        let head = time::timeout(terms.deadlines.first_byte, connection.send(request)).await;
        let head = head.unwrap_or_else(|_| Err(Lost { is_unsent: false, error: progress.timeout() }));
        head.inspect_err(|lost| progress.is_sent = was_sent || !lost.is_unsent)
    }

    /// Reads the rest of the response, and keeps the connection if it can be used again.
    async fn finish(
        &self,
        mut connection: Connection,
        head: Head,
        route: Arc<Route>,
        terms: &Terms,
        progress: &mut Progress,
    ) -> Result<Response, ExchangeError> {
        progress.phase = Phase::Body;
        let retry_after = self.heed(&head, &route);
        response::check_head(&head, &terms.caps)?;
        let (head, body) = head.into_parts();
        let (body, trailers) = response::read_body(&mut connection, body, terms).await?;
        let address = connection.address;
        if connection.is_ready().await {
            self.pool.put(route, connection, self.clock.elapsed());
        }
        let (status, headers) = (head.status.as_u16(), fields::end_to_end(&head.headers));
        Ok(Response { status, headers, body, trailers, retry_after, address })
    }

    /// Returns how long the server wants not to be asked, and sees to it if it refused for being asked too much.
    fn heed(&self, head: &Head, route: &Arc<Route>) -> Option<Duration> {
        let retry_after = retry_after::read(head.headers(), self.clock.wall())?;
        if [429, 503].contains(&head.status().as_u16()) {
            self.paces.hold(route, retry_after, self.clock.elapsed());
        }
        Some(retry_after)
    }
}

/// Whether a request that was lost on a kept connection may be sent again: not one byte of it went out, or the
/// connection broke and the server may get it twice.
fn may_repeat(lost: &Lost, terms: &Terms) -> bool {
    lost.is_unsent || (terms.is_repeatable && lost.error == ExchangeError::ConnectionTerminated)
}
