//! GoQuorum's QLight token manager: keeps the token that a QLight client shows
//! to its server fresh.

use std::future::Future;
use std::time::Duration;

use crate::fault::GatewayError;

/// The interface's name, the key in the settings.
pub const INTERFACE: &str = "qlighttokenmanager";

/// What a QLight client asks of a token manager.
pub trait TokenManager: Send + Sync {
    /// How long before its end a token is to be refreshed.
    ///
    /// # Errors
    ///
    /// [`GatewayError`].
    fn refresh_anticipation(&self) -> impl Future<Output = Result<Duration, GatewayError>> + Send;

    /// A fresh token for a private state, or the current one if it is good.
    ///
    /// # Errors
    ///
    /// [`GatewayError`].
    fn token_refresh(
        &self,
        current_token: &str,
        psi: &str,
    ) -> impl Future<Output = Result<String, GatewayError>> + Send;
}
