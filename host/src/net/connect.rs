//! From a destination to a connection: resolve once, judge every address, dial only those that passed.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::time;

use super::address;
use super::connection::Connection;
use super::destination::Destination;
use super::dial::{Dialler, Wire};
use super::error::ExchangeError;
use super::progress::{Phase, Progress};
use super::resolve::{ResolveError, Resolver};
use super::tls::Tls;
use crate::manifest::{Addresses, Host, Scheme};

/// How many addresses of a host are tried. A resolver may be told thousands.
const TRIED_MAX: usize = 6;

/// What makes connections.
pub(super) struct Connector {
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) dialler: Arc<dyn Dialler>,
    pub(super) tls: Tls,
}

impl Connector {
    /// Returns a new connection to an address of the destination that is allowed. The caller keeps the deadline;
    /// `patience` is what is left of it, and is divided among the addresses so that a silent one does not use it up.
    pub(super) async fn connect(
        &self,
        destination: &Destination,
        named: &Addresses,
        patience: Duration,
        progress: &mut Progress,
    ) -> Result<Connection, ExchangeError> {
        progress.phase = Phase::Resolving;
        let addresses = allowed(self.addresses(&destination.host).await?, named)?;
        progress.phase = Phase::Connecting;
        let (wire, address) = self.dial_first(&addresses, destination.port, patience).await?;
        let wire = match destination.scheme {
            Scheme::Http => wire,
            Scheme::Https => self.tls.secure(wire, &destination.host).await?,
        };
        Connection::open(wire, address).await
    }

    async fn addresses(&self, host: &Host) -> Result<Vec<IpAddr>, ExchangeError> {
        let name = match host {
            Host::Address(address) => return Ok(vec![*address]),
            Host::Name(name) => name,
        };
        self.resolver.resolve(name).await.map_err(|error| match error {
            ResolveError::NotFound => ExchangeError::DestinationNotFound,
            ResolveError::Failed(reason) => ExchangeError::DnsError { reason },
        })
    }

    /// Returns a connection to the first of the addresses that answers.
    async fn dial_first(
        &self,
        addresses: &[IpAddr],
        port: u16,
        patience: Duration,
    ) -> Result<(Box<dyn Wire>, IpAddr), ExchangeError> {
        let share = patience / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
        let mut failure = ExchangeError::DestinationNotFound;
        for &address in addresses {
            failure = match time::timeout(share, self.dialler.dial(SocketAddr::new(address, port))).await {
                Ok(Ok(wire)) => return Ok((wire, address)),
                Ok(Err(error)) => sort(&error, address),
                Err(_) => ExchangeError::ConnectionTimeout,
            };
        }
        Err(failure)
    }
}

/// Returns the addresses that may be dialled.
fn allowed(addresses: Vec<IpAddr>, named: &Addresses) -> Result<Vec<IpAddr>, ExchangeError> {
    let mut prohibited = None;
    let mut allowed = Vec::new();
    for address in addresses {
        match address::check(address, named) {
            Ok(()) if allowed.len() < TRIED_MAX && !allowed.contains(&address) => allowed.push(address),
            Ok(()) => {}
            Err(fault) => prohibited = prohibited.or(Some(fault)),
        }
    }
    match prohibited {
        Some(fault) if allowed.is_empty() => {
            Err(ExchangeError::DestinationIpProhibited { address: fault.address, special: fault.special })
        }
        None if allowed.is_empty() => Err(ExchangeError::DestinationNotFound),
        _ => Ok(allowed),
    }
}

fn sort(error: &io::Error, address: IpAddr) -> ExchangeError {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => ExchangeError::ConnectionRefused { address },
        Kind::TimedOut => ExchangeError::ConnectionTimeout,
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::AddrNotAvailable => {
            ExchangeError::DestinationUnavailable { address }
        }
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof => {
            ExchangeError::ConnectionTerminated
        }
        _ => ExchangeError::InternalError { reason: format!("cannot connect to {address}: {error}") },
    }
}
