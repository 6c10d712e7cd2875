//! GoQuorum's security interface: the TLS configuration of a node's RPC servers,
//! and who may call them. A plugin may serve either or both.

use std::fmt;
use std::future::Future;
use std::time::SystemTime;

use bytes::Bytes;
use outrigger_core::InterfaceSpec;
use outrigger_types::InterfaceName;

use crate::fault::GatewayError;
use crate::initialiser::{QuorumInitialiser, quorum_cookie};

mod actor;
mod convert;
mod handle;

pub use actor::{Authenticate, GetTls, IsEnabled, SecurityActor};
pub use handle::Handle;

/// The interface's name, the key in the settings.
pub const INTERFACE: &str = "security";

/// Has the TLS configuration of a node's RPC servers.
pub trait TlsConfigurationSource: Send + Sync {
    /// The configuration now; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`GatewayError`]; [`GatewayError::Unimplemented`] from a plugin that
    /// serves authentication alone.
    fn get(&self) -> impl Future<Output = Result<Option<TlsConfiguration>, GatewayError>> + Send;
}

/// Says who a caller is, and what it may call.
pub trait AuthenticationManager: Send + Sync {
    /// Judges a token: the whole of an `Authorization` header.
    ///
    /// # Errors
    ///
    /// [`GatewayError`]; [`GatewayError::Refused`] for a token that is not
    /// good, and [`GatewayError::Unimplemented`] from a plugin that serves TLS
    /// alone.
    fn authenticate(
        &self,
        token: &[u8],
    ) -> impl Future<Output = Result<AuthenticationToken, GatewayError>> + Send;

    /// Whether the plugin authenticates at all: asked once with an empty token,
    /// where `UNIMPLEMENTED`, and only that, means no.
    ///
    /// # Errors
    ///
    /// [`GatewayError`] if nobody could be asked: then nobody may be let in.
    fn is_enabled(&self) -> impl Future<Output = Result<bool, GatewayError>> + Send;

    /// What judgements of now belong to, such as the plugin's generation; they
    /// are worth nothing once it has changed. `None` while nobody can judge.
    fn epoch(&self) -> Option<u64>;
}

/// A server's certificate and key. `Debug` shows no key.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsConfiguration {
    /// The certificate chain, in PEM.
    pub certificate_pem: Bytes,
    /// Its key, in PEM.
    pub key_pem: Bytes,
    /// Cipher suites as IANA numbers them, in order of preference; empty: the
    /// plugin leaves the choice to the node.
    pub cipher_suites: Vec<u16>,
}

/// A token that was found good. `Debug` shows no token.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthenticationToken {
    /// The token, as the plugin gave it back.
    pub raw_token: Bytes,
    /// When it ends; `None` if the plugin named no valid time, and then it is
    /// of no use.
    pub expires_at: Option<SystemTime>,
    /// What its bearer may do.
    pub authorities: Vec<GrantedAuthority>,
}

/// What the bearer of a token may do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct GrantedAuthority {
    /// The namespace of methods, as in `eth`; `*`: all.
    pub service: String,
    /// The method within it, as in `sendTransaction`; `*`: all.
    pub method: String,
    /// The authority as the token has it, as in `rpc://eth_*`.
    pub raw: String,
}

impl TlsConfiguration {
    /// A configuration.
    #[must_use]
    pub const fn new(certificate_pem: Bytes, key_pem: Bytes, cipher_suites: Vec<u16>) -> Self {
        Self { certificate_pem, key_pem, cipher_suites }
    }
}

impl AuthenticationToken {
    /// A token that is good until `expires_at`.
    #[must_use]
    pub const fn new(
        raw_token: Bytes,
        expires_at: Option<SystemTime>,
        authorities: Vec<GrantedAuthority>,
    ) -> Self {
        Self { raw_token, expires_at, authorities }
    }
}

impl fmt::Debug for TlsConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfiguration")
            .field("cipher_suites", &self.cipher_suites)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AuthenticationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticationToken")
            .field("expires_at", &self.expires_at)
            .field("authorities", &self.authorities)
            .finish_non_exhaustive()
    }
}

/// The interface as the host knows it: protocol version 1, GoQuorum's cookie
/// and initialiser. It reloads by overlap: its services judge and hand out, and
/// two that do so side by side take nothing from each other, while a node
/// between two generations would have to turn every caller away.
///
/// # Panics
///
/// Never: the name is a constant of the right form.
#[must_use]
pub fn interface() -> InterfaceSpec {
    let name = InterfaceName::parse(INTERFACE).expect("invariant: a constant of the right form");
    InterfaceSpec::new(name, quorum_cookie()).with_initialiser(QuorumInitialiser).with_idempotent(
        &["/proto.TLSConfigurationSource/Get", "/proto.AuthenticationManager/Authenticate"],
    )
}
