//! TLS 1.2 and 1.3 by the host's name, with the system's roots and the operator's.

use std::io;
use std::sync::Arc;

use rustls_platform_verifier::Verifier;
use tokio::sync::OnceCell;
use tokio::task;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, RootCertStore};

use super::dial::Wire;
use super::error::ExchangeError;
use crate::manifest::Host;

/// Certificates that are trusted besides the system's.
#[derive(Clone, Debug, Default)]
pub struct ExtraRoots(Vec<CertificateDer<'static>>);

/// Extra roots that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootsError {
    /// Not PEM.
    #[error("not PEM: {0}")]
    Pem(String),
    /// No certificate in it.
    #[error("no certificate in it")]
    Empty,
    /// One of them is not a certificate that can be a root.
    #[error("certificate number {number} is not an X.509 root")]
    Malformed {
        /// Which, from 1.
        number: usize,
    },
}

impl ExtraRoots {
    /// Reads certificates in PEM.
    ///
    /// # Errors
    ///
    /// When it is not PEM, or holds no certificate, or one that cannot be a root.
    pub fn from_pem(pem: &[u8]) -> Result<Self, RootsError> {
        let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let roots = roots.map_err(|error| RootsError::Pem(error.to_string()))?;
        if roots.is_empty() {
            return Err(RootsError::Empty);
        }
        let mut store = RootCertStore::empty();
        for (i, root) in roots.iter().enumerate() {
            store.add(root.clone()).map_err(|_| RootsError::Malformed { number: i + 1 })?;
        }
        Ok(Self(roots))
    }

    /// Adds the roots of another file.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// The one TLS configuration of a sender. The system's roots are read when the first connection needs them.
pub(super) struct Tls {
    extra: ExtraRoots,
    connector: OnceCell<TlsConnector>,
}

impl Tls {
    pub(super) fn new(extra: ExtraRoots) -> Self {
        Self { extra, connector: OnceCell::new() }
    }

    /// Makes TLS on the wire, for the host's name or address.
    pub(super) async fn secure(&self, wire: Box<dyn Wire>, host: &Host) -> Result<Box<dyn Wire>, ExchangeError> {
        let name = match host {
            Host::Address(address) => ServerName::from(*address),
            Host::Name(name) => {
                ServerName::try_from(name.clone()).map_err(|_| ExchangeError::Unsendable { part: "host" })?
            }
        };
        let connector = self.connector.get_or_try_init(|| self.load()).await?;
        let stream = connector.connect(name, wire).await.map_err(|error| sort(&error))?;
        Ok(Box::new(stream))
    }

    async fn load(&self) -> Result<TlsConnector, ExchangeError> {
        let extra = self.extra.clone();
        let loaded = task::spawn_blocking(|| configure(extra)).await;
        let loaded = loaded.map_err(|error| ExchangeError::InternalError { reason: error.to_string() })?;
        let config = loaded.map_err(|error| ExchangeError::ConfigurationError { reason: error.to_string() })?;
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

fn configure(extra: ExtraRoots) -> Result<ClientConfig, rustls::Error> {
    let provider: Arc<CryptoProvider> = ring::default_provider().into();
    let verifier = Verifier::new_with_extra_roots(extra.0, provider.clone())?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    // "Dangerous" is to replace the verifier at all; this one is the platform's.
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A resumed session would tell the server that two plugins live on one host.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Sorts what the handshake failed with. What the certificate says stays out of the message: the server chose it.
fn sort(error: &io::Error) -> ExchangeError {
    let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof => ExchangeError::TlsProtocolError { reason: "the server hung up" },
            _ => ExchangeError::ConnectionTerminated,
        };
    };
    match error {
        rustls::Error::InvalidCertificate(error) => ExchangeError::TlsCertificateError { reason: fault(error) },
        rustls::Error::NoCertificatesPresented => ExchangeError::TlsCertificateError { reason: "is missing" },
        rustls::Error::AlertReceived(alert) => ExchangeError::TlsAlertReceived { id: u8::from(*alert) },
        rustls::Error::PeerIncompatible(_) => {
            ExchangeError::TlsProtocolError { reason: "the server shares no version or cipher with this host" }
        }
        rustls::Error::NoApplicationProtocol => {
            ExchangeError::TlsProtocolError { reason: "the server does not offer HTTP/1.1" }
        }
        _ => ExchangeError::TlsProtocolError { reason: "what the server sent is not TLS" },
    }
}

fn fault(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "is not valid yet",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => "is for another name",
        CertificateError::UnknownIssuer => "is signed by nobody whom this host trusts",
        CertificateError::Revoked => "has been revoked",
        CertificateError::BadSignature => "has a wrong signature",
        _ => "is not valid",
    }
}
