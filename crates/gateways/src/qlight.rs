//! GoQuorum's QLight token manager: keeps the token that a QLight client shows
//! to its server fresh.

use std::future::Future;
use std::time::Duration;

use outrigger_core::InterfaceSpec;
use outrigger_types::InterfaceName;

use crate::fault::GatewayError;
use crate::initialiser::{QuorumInitialiser, quorum_cookie};

mod actor;
mod handle;

pub use actor::{RefreshAnticipation, TokenManagerActor, TokenRefresh};
pub use handle::Handle;

/// The interface's name, the key in the settings.
pub const INTERFACE: &str = "qlighttokenmanager";

/// What a QLight client asks of a token manager.
pub trait TokenManager: Send + Sync {
    /// How long before its end a token is to be refreshed.
    ///
    /// # Errors
    ///
    /// [`GatewayError::RefreshToken`], with what it was within it.
    fn refresh_anticipation(&self) -> impl Future<Output = Result<Duration, GatewayError>> + Send;

    /// A fresh token for a private state, or the current one if it is good.
    ///
    /// # Errors
    ///
    /// [`GatewayError::RefreshToken`], with what it was within it.
    fn token_refresh(
        &self,
        current_token: &str,
        psi: &str,
    ) -> impl Future<Output = Result<String, GatewayError>> + Send;
}

/// The interface as the host knows it: protocol version 1, GoQuorum's cookie
/// and initialiser. It reloads by overlap: a manager fetches a token for whoever
/// asks, and the token that counts is the host's.
///
/// # Panics
///
/// Never: the name is a constant of the right form.
#[must_use]
pub fn interface() -> InterfaceSpec {
    let name = InterfaceName::parse(INTERFACE).expect("invariant: a constant of the right form");
    InterfaceSpec::new(name, quorum_cookie()).with_initialiser(QuorumInitialiser).with_idempotent(
        &[
            "/proto.PluginQLightTokenRefresher/PluginQLightTokenManager",
            "/proto.PluginQLightTokenRefresher/TokenRefresh",
        ],
    )
}
