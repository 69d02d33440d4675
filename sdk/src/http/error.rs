//! Why an exchange gave nothing to work with.

use std::fmt;

/// The most of a body that an error quotes, in characters.
const QUOTED_MAX: usize = 200;

/// Why a request or its response failed.
#[derive(Debug)]
pub enum Error {
    /// The remit does not allow this request. The operator is told which grant would.
    Denied {
        /// The method and the URL.
        request: String,
    },
    /// The URL cannot be sent to.
    InvalidUrl {
        /// The URL.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A header's name or value is none that HTTP has, or one that only the host sets.
    InvalidHeader {
        /// The header's name.
        name: String,
    },
    /// The exchange took too long, or the host could not reach the destination or understand its answer.
    Failed {
        /// The method and the URL.
        request: String,
        /// The code that `wasi:http` has for it.
        code: String,
    },
    /// The response has a status of 400 or above.
    Status {
        /// The method and the URL.
        request: String,
        /// The status.
        status: u16,
        /// The beginning of the body, where it is text.
        body: String,
    },
    /// The body does not fit the type.
    Json {
        /// What was to be read or written.
        what: String,
        /// What does not fit.
        source: serde_json::Error,
    },
    /// The body is not UTF-8.
    NotText {
        /// The method and the URL.
        request: String,
    },
}

impl Error {
    /// Returns whether the remit refused the request.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied { .. })
    }

    /// Returns whether the same request may succeed later: the destination did not answer, is overloaded (429) or
    /// failed (500 and above).
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Failed { .. } => true,
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }

    /// Returns the status, where that is what failed.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    pub(super) fn of_status(request: &str, status: u16, body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body);
        let body = body.trim().chars().take(QUOTED_MAX).collect();
        Self::Status { request: request.to_owned(), status, body }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied { request } => write!(f, "the remit does not allow {request}"),
            Self::InvalidUrl { url, why } => write!(f, "{url:?} is no URL to send to: {why}"),
            Self::InvalidHeader { name } => {
                write!(f, "header {name:?} cannot be sent: HTTP has no such, or the host sets it")
            }
            Self::Failed { request, code } => write!(f, "{request} failed: {code}"),
            Self::Status { request, status, body } if body.is_empty() => {
                write!(f, "{request} was answered with {status}")
            }
            Self::Status { request, status, body } => write!(f, "{request} was answered with {status}: {body}"),
            Self::Json { what, .. } => write!(f, "{what} does not fit its type"),
            Self::NotText { request } => write!(f, "the answer to {request} is not UTF-8"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json { source, .. } => Some(source),
            _ => None,
        }
    }
}
