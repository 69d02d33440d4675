//! Where an exchange goes, as far as a connection is concerned.

use std::fmt;

use crate::manifest::{Host, Scheme};
use crate::scope::HttpTarget;

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// Its name or address.
    pub host: Host,
    /// Its port.
    pub port: u16,
}

impl Destination {
    /// Returns where the target is.
    pub fn of(target: &HttpTarget) -> Self {
        Self { scheme: target.scheme(), host: target.host().clone(), port: target.port() }
    }
}

impl fmt::Display for Destination {
    /// Prints a URL without path, and without a port that is the scheme's own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.word(), self.host)?;
        if self.port == self.scheme.default_port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}
