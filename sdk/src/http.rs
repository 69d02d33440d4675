//! HTTP to the destinations that the remit allows.
//!
//! ```no_run
//! use remit_sdk::{http, prelude::*};
//!
//! #[derive(Deserialize)]
//! struct Issue {
//!     title: String,
//! }
//!
//! # fn main() -> remit_sdk::Result<()> {
//! let issues: Vec<Issue> = http::get("https://tracker.example.com/issues").send()?.ok()?.json()?;
//! let note = serde_json::json!({ "text": issues[0].title });
//! http::post("https://chat.example.com/notes").header("x-room", "12").json(&note)?.send()?.ok()?;
//! # Ok(())
//! # }
//! ```
//!
//! Every exchange is judged, metered and recorded by the host, which also sends it: the agent opens no connection. A
//! redirect is an answer like any other, and following it is another request, to be judged again. A secret that the
//! operator bound to the destination is added by the host; the agent never sees it.

mod error;
mod exchange;
mod request;
mod response;
mod url;

pub use error::Error;
pub use request::{Method, Request};
pub use response::Response;

/// Begins a GET request.
pub fn get(url: impl Into<String>) -> Request {
    Request::new(Method::Get, url)
}

/// Begins a HEAD request.
pub fn head(url: impl Into<String>) -> Request {
    Request::new(Method::Head, url)
}

/// Begins a POST request.
pub fn post(url: impl Into<String>) -> Request {
    Request::new(Method::Post, url)
}

/// Begins a PUT request.
pub fn put(url: impl Into<String>) -> Request {
    Request::new(Method::Put, url)
}

/// Begins a PATCH request.
pub fn patch(url: impl Into<String>) -> Request {
    Request::new(Method::Patch, url)
}

/// Begins a DELETE request.
pub fn delete(url: impl Into<String>) -> Request {
    Request::new(Method::Delete, url)
}
