//! Addresses to connections.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A connection: bytes both ways.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A connection to come.
pub type Dialling<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Wire>>> + Send + 'a>>;

/// Where connections come from.
pub trait Dialler: Send + Sync {
    /// Connects to the address and to no other. It was checked.
    fn dial(&self, address: SocketAddr) -> Dialling<'_>;
}

/// TCP.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDialler;

impl Dialler for SystemDialler {
    fn dial(&self, address: SocketAddr) -> Dialling<'_> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            // A request goes out in one piece; waiting to fill a packet would only delay it.
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Wire>)
        })
    }
}
