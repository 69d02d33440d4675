//! The routes, and reading what they are given.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Api, Backend, Decide, Fault, Start, commands};
use crate::agent::{Order, StopTo};
use crate::id::RunId;

/// Bytes in a request's body; those that may carry a run's input take more.
const BODY_LEN_MAX: usize = 64 * 1024;
const START_LEN_MAX: usize = 8 * 1024 * 1024;

/// How long a body may take.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Runs in one list.
const RUNS_MAX: usize = 1_000;
const RUNS_USUAL: usize = 20;

type Answer = Result<Response, Fault>;

/// Returns what answers every request.
pub(super) fn router(api: Arc<Api>) -> Router {
    let no_route = || async { Fault::of_request("no-route", 404, "there is nothing at this path") };
    let no_method = || async { Fault::of_request("no-method", 405, "there is no such method at this path") };
    Router::new()
        .route("/v1/host", get(host))
        .route("/v1/runs", get(runs).post(start))
        .route("/v1/runs/{run}", get(show))
        .route("/v1/runs/{run}/bundle", get(bundle))
        .route("/v1/runs/{run}/pause", post(pause))
        .route("/v1/runs/{run}/cancel", post(cancel))
        .route("/v1/runs/{run}/resume", post(resume))
        .route("/v1/runs/{run}/decide", post(decide))
        .route("/v1/commands", post(commands::begin))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(api)
}

async fn host(State(api): State<Arc<Api>>) -> Answer {
    let status = api.supervisor.status();
    let bounds = json!({ "runs": status.bounds.runs_max, "queue": status.bounds.queue_max });
    let version = env!("CARGO_PKG_VERSION");
    let body = json!({
        "version": version, "process": std::process::id(), "home": api.home, "live": status.live,
        "queued": status.queued, "bounds": bounds, "closing": status.is_closing,
    });
    Ok(Json(body).into_response())
}

async fn runs(State(api): State<Arc<Api>>, RawQuery(query): RawQuery) -> Answer {
    let asked = pairs(query.as_deref(), &["limit"])?;
    let len_max = match asked.first() {
        Some((_, limit)) => limit.parse().ok().filter(|limit| (1..=RUNS_MAX).contains(limit)),
        None => Some(RUNS_USUAL),
    };
    let len_max = len_max.ok_or_else(|| wrong(format!("limit is a number from 1 to {RUNS_MAX}")))?;
    let runs = blocking(&api, move |backend| backend.runs(len_max)).await?;
    Ok(Json(json!({ "runs": runs })).into_response())
}

async fn show(State(api): State<Arc<Api>>, Path(named): Path<String>, RawQuery(query): RawQuery) -> Answer {
    let asked = pairs(query.as_deref(), &["calls"])?;
    let with_calls = match asked.first().map(|(_, value)| *value) {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(wrong("calls is true or false")),
    };
    let shown = blocking(&api, move |backend| backend.show(backend.find(&named)?, with_calls)).await?;
    Ok(Json(shown).into_response())
}

async fn bundle(State(api): State<Arc<Api>>, Path(named): Path<String>) -> Answer {
    let bytes = blocking(&api, move |backend| backend.bundle(backend.find(&named)?)).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

async fn start(State(api): State<Arc<Api>>, body: Body) -> Answer {
    let asked: Start = read(body, START_LEN_MAX).await?;
    api.supervisor.has_room()?;
    let started = blocking(&api, move |backend| backend.start(asked)).await?;
    Ok((StatusCode::CREATED, Json(started)).into_response())
}

/// The body of a request to stop a run.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    #[serde(default)]
    why: Option<String>,
}

async fn pause(State(api): State<Arc<Api>>, Path(named): Path<String>, body: Body) -> Answer {
    stop(api, named, body, StopTo::Paused).await
}

async fn cancel(State(api): State<Arc<Api>>, Path(named): Path<String>, body: Body) -> Answer {
    stop(api, named, body, StopTo::Cancelled).await
}

async fn stop(api: Arc<Api>, named: String, body: Body, to: StopTo) -> Answer {
    let Why { why } = read_or_nothing(body).await?;
    let order = Order { to, by: api.backend.principal(), why };
    let supervisor = api.supervisor.clone();
    let stopped = blocking(&api, move |backend| {
        let run = backend.find(&named)?;
        Ok((run, supervisor.stop(run, &order)?))
    });
    let (run, state) = stopped.await?;
    Ok(Json(json!({ "run": run, "state": state })).into_response())
}

/// The body of a request that says no more than its path.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn resume(State(api): State<Arc<Api>>, Path(named): Path<String>, body: Body) -> Answer {
    let Nothing {} = read_or_nothing(body).await?;
    let supervisor = api.supervisor.clone();
    let resumed = blocking(&api, move |backend| {
        let run = backend.find(&named)?;
        supervisor.resume(run, &backend.principal())?;
        Ok(run)
    });
    accepted(resumed.await?)
}

async fn decide(State(api): State<Arc<Api>>, Path(named): Path<String>, body: Body) -> Answer {
    let asked: Decide = read(body, BODY_LEN_MAX).await?;
    let decided = blocking(&api, move |backend| {
        let run = backend.find(&named)?;
        backend.decide(run, asked)?;
        Ok(run)
    });
    accepted(decided.await?)
}

fn accepted(run: RunId) -> Answer {
    Ok((StatusCode::ACCEPTED, Json(json!({ "run": run }))).into_response())
}

/// Has the shell do something, on a thread where it may block.
async fn blocking<T: Send + 'static>(
    api: &Arc<Api>,
    work: impl FnOnce(&dyn Backend) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let api = api.clone();
    let done = tokio::task::spawn_blocking(move || work(&*api.backend)).await;
    done.unwrap_or_else(|error| Err(Fault::of_request("host", 500, format!("the host failed: {error}"))))
}

fn wrong(message: impl ToString) -> Fault {
    Fault::of_request("wrong-request", 400, message)
}

/// Takes a query apart. Only these names may be in it, each once.
fn pairs<'a>(query: Option<&'a str>, known: &[&str]) -> Result<Vec<(&'a str, &'a str)>, Fault> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for pair in query.into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if !known.contains(&name) || pairs.iter().any(|(other, _)| *other == name) {
            return Err(wrong(format!("the query has {name:?}, and may have {} once", known.join(", "))));
        }
        pairs.push((name, value));
    }
    Ok(pairs)
}

async fn bytes(body: Body, len_max: usize) -> Result<Bytes, Fault> {
    match tokio::time::timeout(BODY_TIME, to_bytes(body, len_max)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_long(&error) => {
            Err(Fault::of_request("too-large", 413, format!("the body has more than {len_max} bytes")))
        }
        Ok(Err(error)) => Err(wrong(format!("the body broke off: {error}"))),
        Err(_) => Err(Fault::of_request("slow-request", 408, "the body took too long")),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>())
}

async fn read<T: DeserializeOwned>(body: Body, len_max: usize) -> Result<T, Fault> {
    let bytes = bytes(body, len_max).await?;
    serde_json::from_slice(&bytes).map_err(|error| wrong(format!("the body is not what is expected: {error}")))
}

/// As [`read`], where no body says as much as an empty object.
async fn read_or_nothing<T: DeserializeOwned + Default>(body: Body) -> Result<T, Fault> {
    let bytes = bytes(body, BODY_LEN_MAX).await?;
    if bytes.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice::<Value>(&bytes)
        .and_then(serde_json::from_value)
        .map_err(|error| wrong(format!("the body is not what is expected: {error}")))
}
