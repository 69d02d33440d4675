//! One HTTP/1.1 connection. It has no task of its own: whoever waits for a response also moves the bytes, so that a
//! response costs no switch between tasks, and dropping the wait closes the connection.

use std::error::Error as _;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio_rustls::rustls;

use super::dial::Wire;
use super::error::ExchangeError;
use super::terms::{RESPONSE_HEADER_BYTES_MAX, RESPONSE_HEADERS_MAX};

type Driver = http1::Connection<TokioIo<Box<dyn Wire>>, Full<Bytes>>;

/// An open connection.
pub(super) struct Connection {
    requests: SendRequest<Full<Bytes>>,
    /// What moves the bytes; nothing once the connection has ended.
    driver: Option<Driver>,
    /// The address it was dialled at.
    pub(super) address: IpAddr,
}

/// A request without a response.
pub(super) struct Lost {
    /// Whether not one byte of it was sent.
    pub(super) is_unsent: bool,
    pub(super) error: ExchangeError,
}

impl Connection {
    pub(super) async fn open(wire: Box<dyn Wire>, address: IpAddr) -> Result<Self, ExchangeError> {
        let mut builder = http1::Builder::new();
        builder.max_buf_size(RESPONSE_HEADER_BYTES_MAX).max_header_size(RESPONSE_HEADER_BYTES_MAX);
        let opened = builder.handshake(TokioIo::new(wire)).await;
        let (requests, driver) = opened.map_err(|error| sort_head(&error))?;
        Ok(Self { requests, driver: Some(driver), address })
    }

    /// Sends a request and returns the head of its response.
    pub(super) async fn send(
        &mut self,
        request: hyper::Request<Full<Bytes>>,
    ) -> Result<hyper::Response<Incoming>, Lost> {
        let sending = self.requests.try_send_request(request);
        let sent = drive(&mut self.driver, sending).await;
        sent.map_err(|mut error| Lost { is_unsent: error.take_message().is_some(), error: sort_head(error.error()) })
    }

    /// Returns the next part of a response's body; nothing at its end.
    pub(super) async fn frame(&mut self, body: &mut Incoming) -> Result<Option<Frame<Bytes>>, ExchangeError> {
        drive(&mut self.driver, body.frame()).await.transpose().map_err(|error| sort_body(&error))
    }

    /// Whether the connection can take a request now, as far as this host has heard.
    pub(super) async fn is_ready(&mut self) -> bool {
        poll_fn(|cx| {
            poll(&mut self.driver, cx);
            Poll::Ready(())
        })
        .await;
        self.driver.is_some() && self.requests.is_ready()
    }
}

/// Waits for `work` while moving the connection's bytes.
async fn drive<T>(driver: &mut Option<Driver>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        poll(driver, cx);
        work.as_mut().poll(cx)
    })
    .await
}

/// Moves what bytes can be moved now. How the connection ended is told to the request that it served.
fn poll(driver: &mut Option<Driver>, cx: &mut Context<'_>) {
    if let Some(running) = driver
        && Pin::new(running).poll(cx).is_ready()
    {
        *driver = None;
    }
}

/// Sorts what came instead of the head of a response.
fn sort_head(error: &hyper::Error) -> ExchangeError {
    if error.is_parse_too_large() {
        let (lines, bytes) = (RESPONSE_HEADERS_MAX, RESPONSE_HEADER_BYTES_MAX);
        return ExchangeError::ResponseHeaderSectionSize { lines, bytes };
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return ExchangeError::ConnectionTerminated;
    }
    match system_error(error) {
        Some(error) if is_tls(error) => {
            ExchangeError::TlsProtocolError { reason: "the connection's contents are forged" }
        }
        Some(_) => ExchangeError::ConnectionTerminated,
        None => ExchangeError::ProtocolError,
    }
}

/// Sorts what came instead of the rest of a body.
fn sort_body(error: &hyper::Error) -> ExchangeError {
    match system_error(error) {
        Some(error) if is_tls(error) => {
            ExchangeError::TlsProtocolError { reason: "the connection's contents are forged" }
        }
        // The decoder's words for chunks and trailers that are not well-formed or too long.
        Some(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
            ExchangeError::ProtocolError
        }
        _ => ExchangeError::ResponseIncomplete,
    }
}

fn system_error(error: &hyper::Error) -> Option<&io::Error> {
    error.source().and_then(|source| source.downcast_ref())
}

fn is_tls(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}
