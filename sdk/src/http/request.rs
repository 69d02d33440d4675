//! A request being put together.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::{Error, Response, exchange, url};

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads. As `HEAD` and `OPTIONS`, it may be sent again after a crash.
    Get,
    /// Reads the headers only.
    Head,
    /// Has the destination do something. The host never sends it twice.
    Post,
    /// Replaces. After a crash it is sent again, with the same idempotency key.
    Put,
    /// Changes in part. The host never sends it twice.
    Patch,
    /// Removes. After a crash it is sent again, with the same idempotency key.
    Delete,
    /// Asks what may be asked.
    Options,
    /// Any other, by its name.
    Other(String),
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other(name) => name,
        })
    }
}

/// A request that has not been sent.
#[derive(Clone, Debug)]
#[must_use = "a request is sent by `send`"]
pub struct Request {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    pub(super) timeout: Option<Duration>,
}

impl Request {
    /// Begins a request.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Vec::new(), body: Vec::new(), timeout: None }
    }

    /// Adds a header. One that was added before under the same name stays.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds a parameter to the query of the URL, percent-encoded.
    pub fn query(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.url = url::with_query(&self.url, name, &value.to_string());
        self
    }

    /// Gives the request a body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Gives the request a value as its body, in JSON, and says so in `content-type` unless that is set already.
    ///
    /// # Errors
    ///
    /// Fails when the value has no JSON form.
    pub fn json(mut self, value: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        let what = || format!("the body of {self}");
        self.body = serde_json::to_vec(value).map_err(|source| Error::Json { what: what(), source })?;
        let is_set = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        Ok(if is_set { self } else { self.header("content-type", "application/json") })
    }

    /// Waits no longer than this for the connection, for the first byte of the response, and between two. The remit's
    /// own deadlines hold whatever is set here.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends the request and waits for the whole response, whatever its status: see [`Response::ok`].
    ///
    /// # Errors
    ///
    /// Fails when the remit does not allow it, when URL or headers are none, and when no whole response came.
    pub fn send(self) -> Result<Response, Error> {
        exchange::send(&self)
    }
}

/// Prints method and URL.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{get, post};

    #[test]
    fn json_says_what_it_is_unless_told_otherwise() {
        let plain = post("https://a.b").json(&[1]).expect("JSON");
        assert_eq!((plain.body, plain.headers.len()), (b"[1]".to_vec(), 1));
        let named = post("https://a.b").header("Content-Type", "application/ld+json").json(&[1]).expect("JSON");
        assert_eq!(named.headers, [("Content-Type".to_owned(), b"application/ld+json".to_vec())]);
    }

    #[test]
    fn what_has_no_json_form_names_the_request() {
        let value = std::collections::BTreeMap::from([(vec![1], 2)]);
        let error = post("https://a.b").json(&value).expect_err("keys are text");
        assert_eq!(error.to_string(), "the body of POST https://a.b does not fit its type");
    }

    #[test]
    fn parameters_join_the_url() {
        assert_eq!(
            get("https://a.b/c").query("page", 2).query("q", "x y").to_string(),
            "GET https://a.b/c?page=2&q=x%20y"
        );
    }
}
