//! What a caller is told that went wrong: a stable kind for programs, and words for people.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::agent::{ParkError, RecallError};
use crate::journal;
use crate::supervisor::Refused;

/// Why something was not done: `{"error": {"kind", "message", "hint"}}`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// For programs: it stays the same.
    pub kind: &'static str,
    /// The status of the response.
    pub status: u16,
    /// What went wrong.
    pub message: String,
    /// What to try.
    pub hint: Option<String>,
}

impl Fault {
    /// Returns a fault of the caller's request.
    pub(super) fn of_request(kind: &'static str, status: u16, message: impl ToString) -> Self {
        Self { kind, status, message: message.to_string(), hint: None }
    }

    /// Adds what to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = json!({ "error": { "kind": self.kind, "message": self.message, "hint": self.hint } });
        (status, Json(body)).into_response()
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        let (kind, status, hint) = match &refused {
            Refused::Park(ParkError::Unlawful { .. }) => ("unlawful", 409, None),
            Refused::Park(ParkError::Called { .. }) => ("called", 409, Some("ask for the run that called it")),
            Refused::Park(ParkError::Recall(RecallError::Journal(journal::Error::NoSuchRun(_)))) => {
                ("no-such-run", 404, None)
            }
            Refused::Park(ParkError::Recall(_)) => ("journal", 500, None),
            Refused::Full { .. } => ("full", 429, Some("try again when some of them have ended")),
            Refused::Closing => ("closing", 503, Some("try again when the home is served again")),
            Refused::Slow(_) => ("slow", 503, Some("look at the run again in a moment")),
        };
        let fault = Self::of_request(kind, status, refused);
        match hint {
            Some(hint) => fault.hint(hint),
            None => fault,
        }
    }
}
