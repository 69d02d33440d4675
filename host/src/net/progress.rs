//! How far an exchange is, which says what a deadline that passes means.

use super::error::ExchangeError;

/// How far an exchange is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) phase: Phase,
    /// Whether the server may have got the request, or a part of it.
    pub(super) is_sent: bool,
}

/// What an exchange waits for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Phase {
    /// Its turn.
    #[default]
    Waiting,
    /// An address.
    Resolving,
    /// A connection.
    Connecting,
    /// The head of the response.
    Head,
    /// The body of the response.
    Body,
}

impl Progress {
    /// Returns what it means that a deadline passed now.
    pub(super) fn timeout(&self) -> ExchangeError {
        match self.phase {
            Phase::Waiting => ExchangeError::ConnectionLimitReached,
            Phase::Resolving => ExchangeError::DnsTimeout,
            Phase::Connecting => ExchangeError::ConnectionTimeout,
            Phase::Head => ExchangeError::ResponseTimeout,
            Phase::Body => ExchangeError::ConnectionReadTimeout,
        }
    }
}
