//! What a guest wants to send a request to, in one spelling.
//!
//! A guest's words are refused where two readers could take them for two targets; what is left is brought to a normal
//! form, by which it is judged. Whoever sends the request sends the normal form: it has to be what was judged.

use std::fmt;

use crate::manifest::{Host, HostPattern, Malformed, Method, PathPattern, Place, Scheme, normal_path, split_authority};

/// Bytes of path and query together. Stops a guest from having the host carry a body in a URL.
pub const PATH_WITH_QUERY_LEN_MAX: usize = 16 << 10;

/// One request, as far as a scope judges it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpTarget {
    method: Method,
    scheme: Scheme,
    host: Host,
    port: u16,
    path: String,
    query: Option<String>,
}

/// Why a guest's words name no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part}: {wrong}")]
pub struct NoTarget {
    /// Which part of the request.
    pub part: TargetPart,
    /// What is wrong with it.
    pub wrong: Malformed,
}

/// A part of a request's first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetPart {
    /// The method.
    Method,
    /// The scheme.
    Scheme,
    /// Host and port.
    Authority,
    /// Path and query.
    Path,
}

impl fmt::Display for TargetPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "method",
            Self::Scheme => "scheme",
            Self::Authority => "authority",
            Self::Path => "path",
        })
    }
}

impl HttpTarget {
    /// Reads what a guest gave. An empty `path_with_query` is `/`.
    ///
    /// # Errors
    ///
    /// Returns the first part that is malformed, or that two readers could read in two ways.
    pub fn parse(method: &str, scheme: &str, authority: &str, path_with_query: &str) -> Result<Self, NoTarget> {
        let in_part = |part| move |wrong| NoTarget { part, wrong };
        let method = method.parse().map_err(in_part(TargetPart::Method))?;
        let scheme: Scheme = scheme.parse().map_err(in_part(TargetPart::Scheme))?;
        let (host, port) = split_authority(authority).map_err(in_part(TargetPart::Authority))?;
        let host = host.parse().map_err(in_part(TargetPart::Authority))?;
        let (path, query) = path_and_query(path_with_query).map_err(in_part(TargetPart::Path))?;
        let port = port.unwrap_or(scheme.default_port());
        Ok(Self { method, scheme, host, port, path, query })
    }

    /// Returns the method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Returns the port, that of the scheme where the guest gave none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the path, in normal form.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the query, as the guest wrote it.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Returns the place that is just this target.
    pub fn place(&self) -> Place {
        let (host, path) = (HostPattern::Exact(self.host.clone()), PathPattern::only(&self.path));
        Place { host, scheme: self.scheme, port: self.port, path }
    }

    /// Returns host and port as the `Host` header has them: without a port that is the scheme's own.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            return self.host.to_string();
        }
        format!("{}:{}", self.host, self.port)
    }

    /// Returns path and query as the request's first line has them.
    pub fn path_with_query(&self) -> String {
        self.query.as_ref().map_or_else(|| self.path.clone(), |query| format!("{}?{query}", self.path))
    }
}

impl fmt::Display for HttpTarget {
    /// Prints method and URL without the query, which may hold what nobody else should read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}://{}{}", self.method, self.scheme.word(), self.authority(), self.path)
    }
}

fn path_and_query(text: &str) -> Result<(String, Option<String>), Malformed> {
    if text.len() > PATH_WITH_QUERY_LEN_MAX {
        let expected = format!("path and query of at most {PATH_WITH_QUERY_LEN_MAX} bytes");
        return Err(Malformed::new(text, expected));
    }
    let (path, query) = text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)));
    let path = normal_path(if path.is_empty() { "/" } else { path })?;
    match query {
        Some(query) if !query.bytes().all(is_of_query) => {
            Err(Malformed::new(query, "a query of visible ASCII characters other than `#`, `\"`, `<` and `>`"))
        }
        query => Ok((path, query.map(str::to_owned))),
    }
}

/// What may stand in a query as it is. `#` would begin a fragment for some readers, a blank or a line break the rest of
/// the message; quotes and angle brackets are in no URL (RFC 3986, section 3.4), and clients encode them, which would
/// send something else than was judged.
const fn is_of_query(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'#' | b'"' | b'<' | b'>')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_one_spelling() {
        for (method, scheme, authority, path, shown, sent) in [
            ("GET", "https", "api.example.com", "/v1/x?q=1", "GET https://api.example.com/v1/x", "/v1/x?q=1"),
            ("GET", "HTTPS", "API.Example.com.:443", "", "GET https://api.example.com/", "/"),
            ("POST", "http", "127.0.0.1:8080", "?a=b", "POST http://127.0.0.1:8080/", "/?a=b"),
            ("GET", "http", "[0:0::1]:80", "/%7ea/%c3%bc?", "GET http://[::1]/~a/%C3%BC", "/~a/%C3%BC?"),
            (
                "PUT",
                "https",
                "a.example:8443",
                "/x?u=https://b//../c%2f",
                "PUT https://a.example:8443/x",
                "/x?u=https://b//../c%2f",
            ),
        ] {
            let target = HttpTarget::parse(method, scheme, authority, path).unwrap();
            assert_eq!((target.to_string().as_str(), target.path_with_query().as_str()), (shown, sent));
        }
    }

    #[test]
    fn what_could_be_two_targets_is_none() {
        for (method, scheme, authority, path, part) in [
            ("get", "https", "a.b", "/", TargetPart::Method),
            ("CONNECT", "https", "a.b", "/", TargetPart::Method),
            ("GET / HTTP/1.1\r\nX:", "https", "a.b", "/", TargetPart::Method),
            ("GET", "ftp", "a.b", "/", TargetPart::Scheme),
            ("GET", "https:", "a.b", "/", TargetPart::Scheme),
            ("GET", "https", "", "/", TargetPart::Authority),
            ("GET", "https", "user@a.b", "/", TargetPart::Authority),
            ("GET", "https", "a.b@c.d", "/", TargetPart::Authority),
            ("GET", "https", "a.b:", "/", TargetPart::Authority),
            ("GET", "https", "a.b:0", "/", TargetPart::Authority),
            ("GET", "https", "a.b:0443", "/", TargetPart::Authority),
            ("GET", "https", "a.b:65536", "/", TargetPart::Authority),
            ("GET", "https", "a.b:+80", "/", TargetPart::Authority),
            ("GET", "https", "a.b:80:80", "/", TargetPart::Authority),
            ("GET", "https", "a.b/c", "/", TargetPart::Authority),
            ("GET", "https", "a.b?c", "/", TargetPart::Authority),
            ("GET", "https", "a.b#c", "/", TargetPart::Authority),
            ("GET", "https", "a.b\\c", "/", TargetPart::Authority),
            ("GET", "https", "*.a.b", "/", TargetPart::Authority),
            ("GET", "https", "[::1]a:80", "/", TargetPart::Authority),
            ("GET", "https", "127.1", "/", TargetPart::Authority),
            ("GET", "https", "a.b", "v1", TargetPart::Path),
            ("GET", "https", "a.b", "//evil.example/", TargetPart::Path),
            ("GET", "https", "a.b", "/v1/%2e%2e/admin", TargetPart::Path),
            ("GET", "https", "a.b", "/x?a#b", TargetPart::Path),
            ("GET", "https", "a.b", "/x?a b", TargetPart::Path),
            ("GET", "https", "a.b", "/x?a\r\nb", TargetPart::Path),
            ("GET", "https", "a.b", "/x?ü", TargetPart::Path),
            ("GET", "https", "a.b", "/x?a\"b", TargetPart::Path),
            ("GET", "https", "a.b", "/x?a<b", TargetPart::Path),
            ("GET", "https", "a.b", "/x?a>b", TargetPart::Path),
        ] {
            let wrong = HttpTarget::parse(method, scheme, authority, path).unwrap_err();
            assert_eq!(wrong.part, part, "{wrong}");
        }
        let long = format!("/?{}", "q".repeat(PATH_WITH_QUERY_LEN_MAX));
        assert!(HttpTarget::parse("GET", "https", "a.b", &long).is_err());
    }
}
