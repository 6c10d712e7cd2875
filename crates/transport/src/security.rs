//! How a connection is secured: AutoMTLS, TLS that the caller gives, or nothing.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::VerifierBuilderError;

use crate::identity::SERVER_NAME;
use crate::tls::{PeerTls, Vouched};

/// How the connections between host and plugin are secured, the main one and
/// all brokered ones.
#[derive(Debug, Clone, Default)]
pub enum Security {
    /// Each side makes a certificate for this one process, and both pin what
    /// they exchange in the handshake.
    #[default]
    AutoMtls,
    /// TLS that both sides were given by hand.
    Given(GivenTls),
    /// No TLS. Dangerous: every process of this user that finds the socket, and
    /// with TCP every user of the machine, can call the plugin and can pose as
    /// it. The host logs it at each start.
    Plaintext,
}

impl Security {
    /// The certificate that was given to this side, in DER.
    pub(crate) fn given_certificate(&self) -> Option<Arc<[u8]>> {
        match self {
            Self::Given(given) => Some(given.certificate()),
            Self::AutoMtls | Self::Plaintext => None,
        }
    }
}

/// Why TLS cannot be made of what was given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GivenTlsError {
    /// A text holds no certificate.
    #[error("the text of {what} holds no PEM block `CERTIFICATE` that can be read")]
    Certificates {
        /// Which text.
        what: &'static str,
    },
    /// The text holds no key.
    #[error("the text of the key holds no PEM block of a private key that can be read")]
    Key,
    /// The server name is none.
    #[error("`{name}` is no server name; give a DNS name or an IP address")]
    ServerName {
        /// What was given.
        name: String,
    },
    /// A root cannot vouch for anybody.
    #[error("the roots cannot be used: {0}")]
    Roots(#[from] VerifierBuilderError),
    /// Certificate and key do not belong together, or are of a kind that is not
    /// supported.
    #[error("no TLS can be made of the certificate, its key and the roots: {0}")]
    Unusable(#[from] rustls::Error),
}

/// TLS that was configured by hand, in both roles: a host dials the plugin and
/// serves it over the broker with the same certificate, key and roots, and so
/// does a plugin.
#[derive(Clone)]
pub struct GivenTls {
    peer: PeerTls,
    /// What it presents, in DER.
    certificate: Arc<[u8]>,
}

impl GivenTls {
    /// Reads a certificate (the chain, its owner's first), the owner's key, and
    /// the roots that vouch for the other side, each as PEM. A peer's
    /// certificate that stands among the roots itself is taken too, CA or not.
    /// The name expected of a server is `localhost`, and a server demands a
    /// certificate of its clients; see [`server_name`](Self::server_name) and
    /// [`without_client_certificates`](Self::without_client_certificates).
    ///
    /// # Errors
    ///
    /// [`GivenTlsError`] says which of the texts is wrong; none of them is part
    /// of the error.
    pub fn from_pem(certificates: &str, key: &str, roots: &str) -> Result<Self, GivenTlsError> {
        let chain = read_certificates(certificates, "the certificate")?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| GivenTlsError::Key)?;
        let vouched = Vouched::new(read_certificates(roots, "the roots")?)?;
        let name = ServerName::try_from(SERVER_NAME).expect("invariant: a constant DNS name");
        let certificate = chain.first().map_or(&[][..], |first| first).into();
        let peer = PeerTls::given(chain, key, Arc::new(vouched), name)?;
        Ok(Self { peer, certificate })
    }

    /// The name that a server's certificate must carry, and that is sent as SNI.
    ///
    /// # Errors
    ///
    /// [`GivenTlsError::ServerName`].
    pub fn server_name(mut self, name: &str) -> Result<Self, GivenTlsError> {
        let parsed = ServerName::try_from(name.to_owned());
        self.peer.server_name =
            parsed.map_err(|_| GivenTlsError::ServerName { name: name.to_owned() })?;
        Ok(self)
    }

    /// As a server, takes clients without a certificate too, as Go's servers do
    /// unless told otherwise. Whoever finds the socket can then call.
    ///
    /// # Errors
    ///
    /// [`GivenTlsError::Unusable`].
    pub fn without_client_certificates(self) -> Result<Self, GivenTlsError> {
        Ok(Self { peer: self.peer.without_client_certificates()?, ..self })
    }

    /// What a connected pair uses, in both roles.
    pub(crate) fn peer(&self) -> PeerTls {
        self.peer.clone()
    }

    /// What it presents, in DER.
    pub(crate) fn certificate(&self) -> Arc<[u8]> {
        self.certificate.clone()
    }
}

impl fmt::Debug for GivenTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GivenTls")
            .field("server_name", &self.peer.server_name)
            .finish_non_exhaustive()
    }
}

fn read_certificates(
    pem: &str,
    what: &'static str,
) -> Result<Vec<CertificateDer<'static>>, GivenTlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or(GivenTlsError::Certificates { what })
}
