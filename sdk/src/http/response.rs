//! A response, whole.

use serde::de::DeserializeOwned;

use super::Error;

/// A response with its whole body.
#[derive(Clone, Debug)]
pub struct Response {
    /// Method and URL, for messages.
    pub(super) request: String,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

impl Response {
    /// Returns the status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the response if its status is below 400.
    ///
    /// # Errors
    ///
    /// [`Error::Status`] otherwise, with the beginning of the body.
    pub fn ok(self) -> Result<Self, Error> {
        if self.status < 400 { Ok(self) } else { Err(Error::of_status(&self.request, self.status, &self.body)) }
    }

    /// Returns the first value of a header, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// Returns every header in the order in which they came.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// Returns the body.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// Returns the body without copying it.
    pub fn into_bytes(self) -> Vec<u8> {
        self.body
    }

    /// Returns the body as text.
    ///
    /// # Errors
    ///
    /// [`Error::NotText`] when it is not UTF-8.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.body).map_err(|_| Error::NotText { request: self.request.clone() })
    }

    /// Returns the body's value, read as JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Json`] when it is not a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let what = || format!("the answer to {}", self.request);
        serde_json::from_slice(&self.body).map_err(|source| Error::Json { what: what(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &[u8]) -> Response {
        let headers = vec![("Retry-After".to_owned(), b"5".to_vec()), ("x".to_owned(), b"\xff".to_vec())];
        Response { request: "GET https://a.b/".to_owned(), status, headers, body: body.to_vec() }
    }

    #[test]
    fn a_status_of_400_or_above_is_an_error_that_quotes_the_body() {
        assert_eq!(response(302, b"").ok().expect("no failure").status(), 302);
        let error = response(404, b" no such issue\n").ok().expect_err("failed");
        assert_eq!(error.to_string(), "GET https://a.b/ was answered with 404: no such issue");
        assert_eq!((error.status(), error.is_temporary()), (Some(404), false));
        assert!(response(503, b"").ok().expect_err("failed").is_temporary());
        let long = response(500, "x".repeat(9_999).as_bytes()).ok().expect_err("failed").to_string();
        assert!(long.len() < 300, "{long}");
    }

    #[test]
    fn headers_are_found_by_any_case() {
        let response = response(200, b"");
        assert_eq!(
            (response.header("retry-after"), response.header("X"), response.header("y")),
            (Some("5"), None, None)
        );
        assert_eq!(response.headers().count(), 2);
    }

    #[test]
    fn a_body_is_read_as_what_it_is() {
        assert_eq!(response(200, b"[1,2]").json::<Vec<u8>>().expect("a list"), [1, 2]);
        let error = response(200, b"{}").json::<Vec<u8>>().expect_err("no list");
        assert_eq!(error.to_string(), "the answer to GET https://a.b/ does not fit its type");
        assert!(response(200, b"\xff").text().is_err());
    }
}
