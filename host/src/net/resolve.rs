//! Names to addresses.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;

/// A resolver's answer to come.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, ResolveError>> + Send + 'a>>;

/// Where addresses come from.
pub trait Resolver: Send + Sync {
    /// Returns the addresses of a host name, the preferred ones first. Which of them may be used is not its business.
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a>;
}

/// Why a name has no addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// There is no such name.
    #[error("no such host")]
    NotFound,
    /// The resolver failed.
    #[error("{0}")]
    Failed(String),
}

/// The system's resolver (`getaddrinfo`, on a thread that may block).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await;
            found.map(|addresses| addresses.map(|address| address.ip()).collect()).map_err(|error| sort(&error))
        })
    }
}

/// Sorts the system's words: std tells the two apart in nothing else. An answer in another language is a failure.
fn sort(error: &io::Error) -> ResolveError {
    let words = error.to_string();
    let not_found = ["not known", "No address associated", "nodename nor servname", "No such host"];
    if not_found.iter().any(|phrase| words.contains(phrase)) {
        ResolveError::NotFound
    } else {
        ResolveError::Failed(words)
    }
}
