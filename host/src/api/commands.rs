//! `POST /v1/commands`: the connection becomes one on which the shell does a command for a client, in [`frames`].
//!
//! [`frames`]: super::frames

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;

use axum::extract::State;
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;

use super::frames::{PROTOCOL, VERSION_FIELD};
use super::{Api, Fault};

/// Answers a client that wants a command done.
pub(super) async fn begin(
    State(api): State<Arc<Api>>,
    mut request: Request<axum::body::Body>,
) -> Result<Response, Fault> {
    let field = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if field("upgrade") != Some(PROTOCOL) {
        let fault = Fault::of_request("no-upgrade", 426, format!("this takes `upgrade: {PROTOCOL}`"));
        return Err(fault.hint("programs use the other routes"));
    }
    let (host, client) = (env!("CARGO_PKG_VERSION"), field(VERSION_FIELD).unwrap_or("of another version"));
    if client != host {
        let message = format!("the home is served by remit {host}, and this is remit {client}");
        return Err(Fault::of_request("version", 409, message).hint("end that host, or use the same version"));
    }
    let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return Err(Fault::of_request("no-upgrade", 400, "this connection cannot be upgraded"));
    };
    tokio::spawn(async move {
        match upgrade.await.map_err(|error| error.to_string()).and_then(stream_of) {
            Ok(stream) => attend(api, stream),
            Err(error) => tracing::debug!("a command was not begun: {error}"),
        }
    });
    let fields = [(header::UPGRADE, PROTOCOL), (header::CONNECTION, "upgrade")];
    Ok((StatusCode::SWITCHING_PROTOCOLS, fields).into_response())
}

/// Returns the connection itself. A client that sends anything before it is told to is cut off.
fn stream_of(upgraded: Upgraded) -> Result<UnixStream, String> {
    let parts = upgraded.downcast::<TokioIo<tokio::net::UnixStream>>().map_err(|_| "it is no socket")?;
    if !parts.read_buf.is_empty() {
        return Err("the client did not wait".into());
    }
    let stream = parts.io.into_inner().into_std().map_err(|error| error.to_string())?;
    stream.set_nonblocking(false).map_err(|error| error.to_string())?;
    Ok(stream)
}

/// Has the shell do it, on a thread of its own: it may take as long as a run does.
fn attend(api: Arc<Api>, stream: UnixStream) {
    let work = move || api.backend.attend(stream);
    if let Err(error) = thread::Builder::new().name("command".into()).spawn(work) {
        tracing::warn!("a command was not begun: {error}");
    }
}
